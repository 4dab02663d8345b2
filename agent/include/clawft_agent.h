/* The agent as a core module, for hosts without components: what clawft-agent.core.wasm
 * exports, and the HTTP that it imports. Generated: change the sources and run
 *     CLAWFT_BLESS=1 cargo test -p clawft-agent --test header
 * docs/abi.md says how to use it. The functions are the module's: a host calls them
 * through its engine, where size_t and every pointer are an i32, an address in the
 * module's memory. Those that return int32_t return 0 or a negative number of enum
 * CLAWFT_AGENT. SPDX-License-Identifier: MIT OR Apache-2.0 */

#ifndef CLAWFT_AGENT_H
#define CLAWFT_AGENT_H

#include <stddef.h>
#include <stdint.h>

// The version of this ABI. It changes when a function, a struct or the meaning of a number changes;
// functions, operations and codes may be added without.
#define CLAWFT_AGENT_ABI_VERSION 1

// `op`: sends a request.
#define CLAWFT_HTTP_OPEN 0

// `op`: more of its body.
#define CLAWFT_HTTP_WRITE 1

// `op`: what comes back.
#define CLAWFT_HTTP_READ 2

// `op`: the end of it.
#define CLAWFT_HTTP_CLOSE 3

// `op`: the sentence of the last failure.
#define CLAWFT_HTTP_WHY 4

// `method`: GET.
#define CLAWFT_HTTP_GET 1

// `method`: POST.
#define CLAWFT_HTTP_POST 2

// `body_len` of a body that comes by `CLAWFT_HTTP_WRITE`.
#define CLAWFT_HTTP_STREAM UINT32_MAX

// The numbers that functions return. Stable; those above -300 are those of `clawft.h`.
enum CLAWFT_AGENT
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Done.
  CLAWFT_AGENT_OK = 0,
  // An address of 0 with a length.
  CLAWFT_AGENT_NULL_POINTER = -102,
  // Bytes that do not lie inside of memory.
  CLAWFT_AGENT_OUT_OF_RANGE = -104,
  // Memory was settled, or used, before.
  CLAWFT_AGENT_MEMORY_IN_USE = -109,
  // The region has less than 64 KiB, is not memory, or is the module's own.
  CLAWFT_AGENT_REGION_TOO_SMALL = -110,
  // No block of `clawft_alloc`, or one that was given back.
  CLAWFT_AGENT_NOT_ALLOCATED = -113,
  // Done, but the output has more than 1 MiB, or than memory has room for, and is cut. Standard
  // output had all of it.
  CLAWFT_AGENT_OUTPUT_TOO_SMALL = -114,
  // No UTF-8, or more than 1 MiB of it.
  CLAWFT_AGENT_INVALID_TEXT = -115,
  // The outside refused: a full disk, a folder that may only be read.
  CLAWFT_AGENT_FAILED = -301,
  // The input cannot be understood.
  CLAWFT_AGENT_USAGE = -302,
  // The config cannot be used.
  CLAWFT_AGENT_CONFIG = -303,
  // Nothing was found: no memory for a question, no record of an id.
  CLAWFT_AGENT_NOTHING = -304,
  // The provider gave no whole answer.
  CLAWFT_AGENT_PROVIDER = -305,
  // Another program writes the memory.
  CLAWFT_AGENT_BUSY = -306,
  // A file is damaged.
  CLAWFT_AGENT_DAMAGED = -307,
  // There is no embedder, or another than the one that the memory was made with.
  CLAWFT_AGENT_EMBEDDER = -308,
  // `clawft_run` before `clawft_init`.
  CLAWFT_AGENT_NOT_INITIALISED = -309,
  // `clawft_init` after one that succeeded.
  CLAWFT_AGENT_INITIALISED = -310,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum CLAWFT_AGENT CLAWFT_AGENT;
#else
typedef int32_t CLAWFT_AGENT;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What the host says when a request fails.
enum CLAWFT_HTTP
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // The URL cannot be used.
  CLAWFT_HTTP_BAD_URL = -401,
  // The host that is named, or a header, is not allowed.
  CLAWFT_HTTP_DENIED = -402,
  // No such host, no way to it, nobody listens.
  CLAWFT_HTTP_UNREACHABLE = -403,
  // No secure connection could be agreed on.
  CLAWFT_HTTP_TLS = -404,
  // One of the limits of time.
  CLAWFT_HTTP_TIMEOUT = -405,
  // The connection ended before the message did.
  CLAWFT_HTTP_BROKEN = -406,
  // What came is no HTTP.
  CLAWFT_HTTP_MALFORMED = -407,
  // Anything else; also an `op` that the host does not know.
  CLAWFT_HTTP_OTHER = -408,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum CLAWFT_HTTP CLAWFT_HTTP;
#else
typedef int32_t CLAWFT_HTTP;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// A request, as the host finds it. Little-endian; addresses are those of the module's memory, and
// what they lead to stays until the call returns.
typedef struct {
  // 48.
  uint32_t size;
  // `CLAWFT_HTTP_GET` or `CLAWFT_HTTP_POST`.
  uint32_t method;
  // `http://` or `https://`, host, perhaps a port, and a path with its query: `/` at least. No
  // fragment, no password.
  uint32_t url;
  // Its bytes.
  uint32_t url_len;
  // Lines `name: value`, each with `\r\n`; with `content-length` where it is known. The host adds
  // `host`, and `transfer-encoding` for a body that comes by `CLAWFT_HTTP_WRITE`.
  uint32_t headers;
  // Their bytes.
  uint32_t headers_len;
  // The body; 0 where there is none yet.
  uint32_t body;
  // Its bytes, or `CLAWFT_HTTP_STREAM`.
  uint32_t body_len;
  // Milliseconds to be connected.
  uint32_t connect;
  // Milliseconds from the request's end to the first byte of the answer.
  uint32_t first_byte;
  // Milliseconds between two parts of the answer.
  uint32_t between_bytes;
  // Milliseconds for all of it, from `open` on.
  uint32_t total;
} ClawftHttpRequest;

// The import, of the module `clawft`: what a host writes. `ptr` is an address in the module's
// memory, in which the host checks that `len` bytes lie there.
//
// | op | what | gives |
// |---|---|---|
// | OPEN | connects, and sends the `ClawftHttpRequest` at `ptr` with its body | a handle, from 0 on |
// | WRITE | sends the next `len` bytes of the body; 0 bytes: that was all | how many it took; 0: no more, an answer is there |
// | READ | waits for bytes of the answer, and puts up to `len` of them at `ptr` | how many; 0: that was all |
// | CLOSE | forgets the handle, whatever it was doing | 0 |
// | WHY | puts a sentence about the last failure at `ptr`: UTF-8, no secrets | its length, up to `len`; 0: there is none |
//
// Or one of `CLAWFT_HTTP`. READ gives first the head of the answer as HTTP/1.1 writes it, status
// line, headers and an empty line, each with `\r\n`; then the body, without the coding of its
// transfer. One part may hold the end of the one and the beginning of the other. A body that ends
// before its length is `CLAWFT_HTTP_BROKEN`. No redirect is followed.
typedef int32_t (*ClawftHttpImport)(uint32_t op, uint32_t handle, uint32_t ptr, uint32_t len);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Gives `CLAWFT_AGENT_ABI_VERSION`: whoever finds another number than that of the header knows
// another module.
uint32_t clawft_abi_version(void);

// Gives the module its memory: the region of `size` bytes from `base` on, which from now on is the
// module's for good, or, with a `base` of 0, linear memory up to `size` bytes in all, stack and data
// included. At most once, before any other function; without it memory grows up to the module's
// maximum. `CLAWFT_AGENT_MEMORY_IN_USE`, `CLAWFT_AGENT_REGION_TOO_SMALL`, also for a region of less
// than 64 KiB. It has no sentence.
int32_t clawft_init_memory(void *base,
                           size_t size);

// A block of `size` zero bytes, the host's until it gives it back; null where there is no memory
// for it.
void *clawft_alloc(size_t size);

// Takes a block of `clawft_alloc` back, and clears it; null is allowed. Time in proportion to the
// blocks that are lent. `CLAWFT_AGENT_NOT_ALLOCATED`. It has no sentence.
int32_t clawft_free(void *block);

// Takes the text of a config, as `config.toml` is written; of no bytes: the config is that of the
// data folder. Once; after a failure again. The text is copied.
//
// `CLAWFT_AGENT_CONFIG`, with line and key in the sentence, `CLAWFT_AGENT_INITIALISED`,
// `CLAWFT_AGENT_FAILED` where less than 1 MiB of memory is left, and what a text may be wrong with:
// `CLAWFT_AGENT_NULL_POINTER`, `CLAWFT_AGENT_OUT_OF_RANGE`, `CLAWFT_AGENT_INVALID_TEXT`.
int32_t clawft_init(const uint8_t *config, size_t len);

// Does what the input says: a message of the session `default`, which is answered, or, if it begins
// with `[`, blanks before it left out, a JSON array of at most 1,000 strings, the arguments of the
// command `clawft`: `["recall","-k","3","tea"]`, `["ask","--json","Who?"]`. docs/agent.md lists them;
// nobody is asked for a confirmation, and what needs one is not done. A message that begins so is one
// of the strings: `["ask","--session","default","[sic] is Latin"]`.
//
// What the command prints is the output, and goes to standard output as it comes: there an answer
// can be read while it is made. Notes go to standard error. The input is copied.
//
// All codes from `CLAWFT_AGENT_FAILED` to `CLAWFT_AGENT_NOT_INITIALISED`, which say what the
// command's exit codes say; `CLAWFT_AGENT_OUTPUT_TOO_SMALL`, when it is done and the output is cut:
// that is what `clawft_output` gives then, and no sentence; and what a text may be wrong with, as for
// `clawft_init`.
int32_t clawft_run(const uint8_t *input,
                   size_t len);

// Where the text of the last `clawft_init` or `clawft_run` lies, valid until the next one of these:
// the output of one that succeeded, its beginning where that was `CLAWFT_AGENT_OUTPUT_TOO_SMALL`, the
// sentence of one that did not. UTF-8, without a zero byte at its end.
const uint8_t *clawft_output(void);

// How many bytes it has.
size_t clawft_output_len(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* CLAWFT_AGENT_H */
