/* The memory through the C ABI of clawft: records, words, the durable file over a
 * storage of the host, and tensors over time. Generated: change the sources and run
 *     CLAWFT_BLESS=1 cargo test -p clawft-ffi-store --test header
 * docs/abi-memory.md says how to use it, docs/abi.md how to use tensors. The rules
 * are those of clawft.h: all functions that return int32_t return 0 or a count when
 * they succeed, else a negative number of enum CLAWFT or CLAWFT_MEMORY, and then
 * write no output.
 * SPDX-License-Identifier: MIT OR Apache-2.0 */

#ifndef CLAWFT_STORE_H
#define CLAWFT_STORE_H

#include <stddef.h>
#include <stdint.h>
#include "clawft.h"

#if defined(__wasm__)
// In WebAssembly a storage is any number, which its functions, the imports of the module
// `clawft_storage`, get as their first argument.
typedef void ClawftStorage;
#endif

// `flags` of `ClawftMemoryOptions`: creates the memory where there is none.
#define CLAWFT_CREATE 1

// `flags`: opens for reading; nothing is written, not even to repair.
#define CLAWFT_READ_ONLY 2

// `flags`: opens a damaged memory for reading, without what cannot be read.
#define CLAWFT_SALVAGE 4

// `which` of `clawft_record_string`: the text.
#define CLAWFT_TEXT 0

// `which`: the kind.
#define CLAWFT_KIND 1

// `which`: the session.
#define CLAWFT_SESSION 2

// `which`: the key of the first pair of metadata, by rising keys; its value is one more, the key
// of the next pair two more, and so on.
#define CLAWFT_METADATA 3

// The numbers that the functions of a memory return beyond those of `enum CLAWFT`.
enum CLAWFT_MEMORY
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // A text is not UTF-8.
  CLAWFT_MEMORY_INVALID_TEXT = -115,
  // The storage called back into a function of the memory.
  CLAWFT_MEMORY_BUSY = -116,
  // The storage: no file of that name.
  CLAWFT_MEMORY_NOT_FOUND = -201,
  // The storage: a file of that name is there already.
  CLAWFT_MEMORY_EXISTS = -202,
  // The storage: no space is left.
  CLAWFT_MEMORY_NO_SPACE = -203,
  // The storage: it is read-only.
  CLAWFT_MEMORY_STORAGE_READ_ONLY = -204,
  // The storage: no such open file, or a name that is not allowed.
  CLAWFT_MEMORY_BAD_FILE = -205,
  // The storage: the device failed, or it returned a number that means nothing.
  CLAWFT_MEMORY_STORAGE_FAILED = -206,
  // A part of a record is beyond its limit.
  CLAWFT_MEMORY_LIMIT = -211,
  // A part of a record is not what it may be.
  CLAWFT_MEMORY_BAD_RECORD = -212,
  // The changes since the last commit take all the room there is: commit first.
  CLAWFT_MEMORY_BATCH_FULL = -213,
  // There is no such file.
  CLAWFT_MEMORY_NO_FILE = -214,
  // The file is not RVF.
  CLAWFT_MEMORY_NOT_RVF = -215,
  // The file is of an unknown version.
  CLAWFT_MEMORY_UNKNOWN_VERSION = -216,
  // The file is RVF of a kind that is not served.
  CLAWFT_MEMORY_UNSUPPORTED = -217,
  // The file is damaged; the sentence says where.
  CLAWFT_MEMORY_DAMAGED = -218,
  // The memory was opened for reading only.
  CLAWFT_MEMORY_READ_ONLY = -219,
  // Another writer changed the file: open it again and repeat the changes.
  CLAWFT_MEMORY_CONFLICT = -220,
  // Another writer has the lease.
  CLAWFT_MEMORY_LEASE_HELD = -221,
  // An earlier write failed half way: what is committed can be read; open again to write.
  CLAWFT_MEMORY_STOPPED = -222,
  // The index of words has reached its limit.
  CLAWFT_MEMORY_WORDS_FULL = -231,
  // There is not enough memory for the call.
  CLAWFT_MEMORY_NO_MEMORY = -232,
  // A recall asks neither for a vector nor for words.
  CLAWFT_MEMORY_NOTHING_ASKED = -233,
  // Headroom or coarseness of a tensor out of range.
  CLAWFT_MEMORY_BAD_DRIFT = -251,
  // The tensor has no such frame.
  CLAWFT_MEMORY_NO_FRAME = -252,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum CLAWFT_MEMORY CLAWFT_MEMORY;
#else
typedef int32_t CLAWFT_MEMORY;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// How a memory is opened. `clawft_memory_options_init` fills in the defaults.
typedef struct {
  // Size of this struct in bytes.
  uint32_t size;
  // `CLAWFT_CREATE`, `CLAWFT_READ_ONLY`, `CLAWFT_SALVAGE`, added up; 0.
  uint32_t flags;
  // Components of a vector, 1 to 8,192; 0: those that the file has.
  uint32_t dim;
  // Records that are to fit; 10,000. A file that has more already fits those.
  uint32_t capacity;
  // For a new file: 0 cosine, 1 inner product, 2 L2.
  uint32_t metric;
  // How vectors are kept in memory: 0 f32, 1 f16, 2 i8, 3 by the dimension. The file has them as
  // they were given.
  uint32_t encoding;
  // For a new file: sixteen bytes that no other file has. Random ones.
  uint8_t file_id[16];
  // Bytes that the image of the vectors may take; 0: as many as they need. With a limit they have
  // tiers (see `clawft_tick`): as many of them are hot at a time as have room beside the others,
  // cold. 8-bit encoding only.
  uint64_t image_bytes;
  // Bytes that the index of words may take; 4 MiB.
  uint64_t words_bytes;
  // Bytes of the journal beyond which it is folded into the file; 1 MiB.
  uint64_t fold_bytes;
  // The file is compacted beyond this many times its live bytes; 2...
  uint64_t compact_times;
  // ...and this many bytes more; 1 MiB.
  uint64_t compact_slack;
  // For the lease: a number that no other writer uses. A random one.
  uint64_t nonce;
  // The time, in ms.
  uint64_t now;
  // For how long, in ms, the memory holds a lease against other writers, which a commit with
  // changes renews; 0: none, for storages that have locks.
  uint64_t lease;
} ClawftMemoryOptions;

#if !defined(__wasm__)
// A storage, natively. Every function but `progress` and `list` must be there; they are called from the
// threads that call the memory. In WebAssembly they are the imports of the module
// `clawft_storage`, with these names and arguments.
//
// All return 0 or more when they succeed, else one of the storage's numbers of
// `ClawftMemoryStatus` (-201 to -206).
typedef struct {
  // Size of this struct in bytes.
  uint32_t size;
  // The first argument of every call.
  void *context;
  // Opens a file that is there, to read it and to append to it (on a read-only medium to read
  // it): the number of the open file. `NotFound`.
  int32_t (*open)(void *context, const char *name, size_t len);
  // Creates a file that is not there: the number of the open file. `Exists`.
  int32_t (*create)(void *context, const char *name, size_t len);
  // Closes a file. What was not synced stays so.
  int32_t (*close)(void *context, uint32_t file);
  // Bytes of a file.
  int64_t (*len)(void *context, uint32_t file);
  // Reads from an offset on into `len` bytes: how many were read, fewer only at the end.
  int32_t (*read_at)(void *context, uint32_t file, uint64_t offset, void *into, size_t len);
  // Appends `len` bytes, all of them. On an error a part may be there.
  int32_t (*append)(void *context, uint32_t file, const void *bytes, size_t len);
  // Cuts a file to a length.
  int32_t (*truncate)(void *context, uint32_t file, uint64_t len);
  // Makes all bytes of a file durable. Must not return before they are.
  int32_t (*sync)(void *context, uint32_t file);
  // Makes creations, renames and removals durable.
  int32_t (*sync_folder)(void *context);
  // Renames atomically, in the place of whatever has the new name. Open files stay open.
  int32_t (*rename)(void *context, const char *from, size_t from_len, const char *to, size_t to_len);
  // Removes a file. `NotFound`.
  int32_t (*remove)(void *context, const char *name, size_t len);
  // May be null: told, while what is derived is built anew, after how many records of how many.
  void (*progress)(void *context, uint32_t done, uint32_t all);
  // May be null where no lease is taken. Writes the names of all files that begin so into `cap`
  // bytes, a zero byte behind each, as far as they reach: how many bytes all of them take. A file
  // that is there before the call and after it is among them.
  int32_t (*list)(void *context, const char *prefix, size_t len, char *into, size_t cap);
} ClawftStorage;
#endif

// A text: `len` bytes of UTF-8 from `bytes` on, without a zero byte at the end. Null with 0 is
// the empty text.
typedef struct {
  // Where it begins.
  const char *bytes;
  // Its bytes.
  size_t len;
} ClawftText;

// A pair of metadata.
typedef struct {
  // The key.
  ClawftText key;
  // The value.
  ClawftText value;
} ClawftPair;

// A record as it goes in.
typedef struct {
  // Size of this struct in bytes.
  uint32_t size;
  // Components of the vector: those of the memory.
  uint32_t dim;
  // The caller's id.
  uint64_t id;
  // `dim` floats, finite.
  const float *vector;
  // At most 1 MiB; may be empty.
  ClawftText text;
  // What sort of record it is, at most 255 bytes.
  ClawftText kind;
  // The session that it comes from, at most 1,024 bytes.
  ClawftText session;
  // Keys and values, each key once: at most 256 pairs, 255 bytes a key, 4,096 a value, 64 KiB in
  // all.
  const ClawftPair *metadata;
  // Their number.
  uint32_t metadata_len;
  // How many times it was used.
  uint32_t uses;
  // When it was made, in ms.
  uint64_t created;
  // When it was last used, in ms.
  uint64_t last_used;
  // 0 to 1.
  float importance;
  // 1: never forgotten or cooled below its importance by a policy.
  uint32_t pinned;
} ClawftRecord;

// A record without its strings and its vector.
typedef struct {
  // Size of this struct; the library sets it.
  uint32_t size;
  // How many times it was used, uses not yet saved included.
  uint32_t uses;
  // When it was made, in ms.
  uint64_t created;
  // When it was last used, in ms.
  uint64_t last_used;
  // 0 to 1.
  float importance;
  // 1: never forgotten or cooled below its importance by a policy.
  uint32_t pinned;
  // Bytes of the text.
  uint32_t text_len;
  // Bytes of the kind.
  uint32_t kind_len;
  // Bytes of the session.
  uint32_t session_len;
  // Pairs of metadata.
  uint32_t metadata_len;
  // The tier of its codes: 0 hot, 1 warm, 2 cool, 3 cold: 8, 7, 5, 3 bits a component.
  uint32_t tier;
  // 1 if recalls compare less of its vector than the encoding holds. The vector in the file is
  // whole all the same, and a tick brings it back when the record is used.
  uint32_t lossy;
} ClawftFields;

// What is asked of a memory. `clawft_recall_init` fills in the defaults: everything may be found.
typedef struct {
  // Size of this struct in bytes.
  uint32_t size;
  // Results wanted, from 1.
  uint32_t k;
  // What is near to this vector of `dim` floats; null: only words are asked for.
  const float *vector;
  // What has these words; null `bytes`: only the vector is asked for.
  ClawftText text;
  // Components of the vector.
  uint32_t dim;
  // Candidates that the search by vector keeps; 200. Counts as at least the results that it brings,
  // from 128 dimensions on twice as many: 0 is as few as may be, and no default.
  uint32_t ef;
  // How it looks: 0 whatever is faster, 1 the graph, 2 a scan of the short codes, 3 exact.
  uint32_t mode;
  // How two parts become one: 0 weighted, 1 by reciprocal ranks.
  uint32_t fusion;
  // Weighted: the weight of the similarity, 0.6. By ranks: the constant; set it, 60 is usual
  // (the default is that weight).
  float vector_weight;
  // Weighted: the weight of the words' score, divided by the highest and squared; 0.4.
  float words_weight;
  // Only records of one of these kinds; null: all.
  const ClawftText *kinds;
  // Only records of one of these sessions; null: all.
  const ClawftText *sessions;
  // Only records with all of these pairs.
  const ClawftPair *metadata;
  // Only these ids; null: all.
  const uint64_t *ids;
  // Number of `kinds`.
  uint32_t kinds_len;
  // Number of `sessions`.
  uint32_t sessions_len;
  // Number of `metadata`.
  uint32_t metadata_len;
  // Number of `ids`.
  uint32_t ids_len;
  // Only records made from this time on, in ms; 0...
  uint64_t created_from;
  // ...and before this one; `UINT64_MAX`: without an end.
  uint64_t created_to;
  // Only records last used from this time on, in ms; 0...
  uint64_t used_from;
  // ...and before this one; `UINT64_MAX`: without an end.
  uint64_t used_to;
} ClawftRecall;

// A record that was found.
typedef struct {
  // Its id.
  uint64_t id;
  // What the order goes by: the fused score, or that of the part that was asked for.
  float score;
  // Similarity by vector, higher is nearer: the cosine or the inner product; under L2
  // `1 / (1 + d)` of the squared distance. 0 where no vector was asked for.
  float similarity;
  // The BM25 score; 0 where no words were asked for, or none is in the text.
  float words;
  // Nothing; 0.
  uint32_t reserved;
} ClawftFound;

// A memory in numbers. Bytes, unless said otherwise.
typedef struct {
  // Size of this struct; the library sets it.
  uint32_t size;
  // Components of a vector.
  uint32_t dim;
  // Records, those not yet committed too.
  uint32_t records;
  // Records that fit.
  uint32_t capacity;
  // Of the live records in the file.
  uint64_t live_bytes;
  // Of the file.
  uint64_t file_bytes;
  // Of the journal beside it.
  uint64_t journal_bytes;
  // Of the changes since the last commit.
  uint64_t pending_bytes;
  // Commits in the file's life.
  uint64_t commits;
  // Grows with every folding of the journal and every compaction.
  uint32_t epoch;
  // Where the derived parts came from when it was opened: 0 there was nothing to derive them
  // from, 1 from the file beside, 2 built anew as that was missing, 3 as it was stale, 4 as it
  // was damaged.
  uint32_t derived;
  // Why a folding or compaction that is due has not happened by itself, a negative code; 0: none
  // is. Commits are safe, and the next one tries again; with `NoSpace` once there is more to
  // fold, as each try fills the disk; with `Damaged` once it is opened again.
  int32_t deferred;
  // What opening found: commits that were still in the journal.
  uint32_t replayed;
  // Bytes of a commit that never was finished, cut off.
  uint64_t torn_journal;
  // Bytes of a folding that never was finished, cut off.
  uint64_t torn_file;
  // Batches of the journal in which a flipped bit was turned back.
  uint32_t repaired;
  // 1 if another program wrote the file last.
  uint32_t foreign;
  // Damages that opening found and was not refused for: of records that are derived anew, and
  // with `CLAWFT_SALVAGE` all others; `clawft_memory_damage` says which. At most 1,024.
  uint32_t damages;
  // Nothing; 0.
  uint32_t reserved;
} ClawftMemoryReport;

// What a tick did.
typedef struct {
  // Size of this struct; the library sets it.
  uint32_t size;
  // Places of records that it looked at, empty ones too.
  uint32_t looked;
  // Records that went to a colder tier.
  uint32_t cooled;
  // Records that came back to a hotter one.
  uint32_t restored;
  // Records that should have come back, but whose vectors cannot be read.
  uint32_t unreadable;
  // Nothing; 0.
  uint32_t reserved;
  // Bytes of codes written and of vectors read.
  uint64_t bytes;
} ClawftTick;

// What a tensor is to be. `clawft_tensor_params_init` fills in the defaults.
typedef struct {
  // Size of this struct in bytes.
  uint32_t size;
  // Components of a frame, 1 to 2^20.
  uint32_t dim;
  // Bits a component: 8, 7, 5 or 3.
  uint32_t bits;
  // How much larger than its first frame a segment's ranges are: 1 to 16; 1.25.
  float headroom;
  // How many times the error bound of scales of its own a frame may have: above `headroom`; 2.
  float coarse;
  // Nothing; 0.
  uint32_t reserved;
  // Bytes that it may take; 0: no limit.
  uint64_t limit;
} ClawftTensorParams;

// A tensor in numbers.
typedef struct {
  // Size of this struct; the library sets it.
  uint32_t size;
  // Components of a frame.
  uint32_t dim;
  // Bits a component.
  uint32_t bits;
  // Frames in it.
  uint32_t frames;
  // Segments: how often the scales were renewed.
  uint32_t segments;
  // Nothing; 0.
  uint32_t reserved;
  // Its bytes, which `clawft_tensor_bytes` copies out.
  uint64_t bytes;
} ClawftTensorStats;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Writes the defaults to `out`: nothing is created, cosine, room for 10,000 records, encoding by
// the dimension, no lease.
//
// Errors: those of pointers.
//
// # Safety
// Natively `out` is valid for writes.
int32_t clawft_memory_options_init(ClawftMemoryOptions *out);

// Opens the memory `name` in `storage`, or creates it where the flags say so. What is derived from
// the file (vectors, words) is read from beside it, or built anew where that is missing, stale or
// damaged; `progress` is told how far that is. The handle is valid until `clawft_memory_close`. At
// most 16 can be open at a time. In WebAssembly `storage` is any number: the context of the
// imports.
//
// Errors: `StructSize`, `UnknownChoice`, `InvalidText`, `BadFile` for a name of more than 255 bytes;
// those of the storage; `NoFile`, `NotRvf`, `UnknownVersion`, `Unsupported`, `WrongDimension`,
// `Damaged`; `LeaseHeld`, and `Conflict` where the lease ran out meanwhile and another writer took
// it; `Limit` for a dimension out of bounds, `BadRecord` for a new file without one, `BadParams`,
// `TooShort` for `image_bytes` below what all records need, cold; `NoMemory`, `TooManyStores`; those
// of pointers. Options that are refused create no file.
//
// # Safety
// Natively the pointers are valid for reads and writes, and the functions of `storage` are what its
// description says, until the memory is closed.
int32_t clawft_memory_open(const char *name,
                           size_t name_len,
                           const ClawftMemoryOptions *options,
                           const ClawftStorage *storage,
                           uint32_t *out_handle);

// Closes a memory: what was committed is made whole in the file, what is derived is saved beside
// it, the lease is given back. Changes that were not committed are dropped. `now` is the time in
// ms.
//
// The handle is dead afterwards in any case but `Busy`. On an error nothing that was committed is
// lost: the next opening finds it.
//
// Errors: `BadHandle`; `Busy` from inside a call of the storage: the memory stays open; those of
// the storage, `NoMemory`, `Conflict`.
int32_t clawft_memory_close(uint32_t handle, uint64_t now);

// Stores a record, in the place of one of the same id. It is found at once, and durable after the
// next `clawft_commit`.
//
// Errors: `BadHandle`, `StructSize`, `InvalidText`; `Limit`, `BadRecord`, `WrongDimension`,
// `NotFinite`, `ZeroVector`; `Full`, `WordsFull`, `BatchFull`, `NoMemory`; `ReadOnly`, `Stopped`,
// those of the storage; those of pointers. The memory is then as it was.
//
// # Safety
// Natively the pointers are valid for reads.
int32_t clawft_remember(uint32_t handle, const ClawftRecord *record);

// Takes a record out. It is not found any more; its bytes are gone from memory, and from all files
// after the next `clawft_compact`.
//
// Errors: `BadHandle`, `UnknownId`, `BatchFull`, `NoMemory`, `ReadOnly`, `Stopped`; those of the
// storage.
int32_t clawft_forget(uint32_t handle, uint64_t id);

// Makes the changes since the last commit durable, all of them or none: appended and synced. `now`
// is the time in ms, for the lease.
//
// Errors: `BadHandle`; those of the storage: the changes are then still pending, and a commit can
// be tried again, as after `NoMemory`, but for one of `sync`, or of an `append` that cannot be cut
// off: then each further one gives `Stopped`, and the next opening may find this one, also after a
// rollback; `Conflict`, `ReadOnly`, `Stopped`. Without changes it does nothing: it then neither
// looks at the lease nor renews it.
int32_t clawft_commit(uint32_t handle, uint64_t now);

// Drops the changes since the last commit, and the uses counted of the records that were changed.
//
// Errors: `BadHandle`; those of the storage, `Damaged`, `NoMemory`: then call it again, or close
// the memory and open it again.
int32_t clawft_rollback(uint32_t handle);

// Writes the file anew with nothing but the live records, and what is derived as well: no byte of
// what was forgotten is left in any file. Changes that were not committed stay pending, and what
// they forget in the file; what is derived is then not beside it until the next `clawft_save`. `now`
// is the time in ms.
//
// Errors: `BadHandle`; those of the storage: no record is lost, and the file is the old one or the
// new one, as the epoch of the report says: compact or save again; `NoMemory`, `Conflict`,
// `ReadOnly`, `Stopped`.
int32_t clawft_compact(uint32_t handle,
                       uint64_t now);

// Saves what is derived beside the file, so that opening is one read. With changes pending, and for
// a memory that was opened with `CLAWFT_READ_ONLY` or `CLAWFT_SALVAGE`, it does nothing, and gives 0.
//
// Errors: `BadHandle`; those of the storage, `Conflict`: the file itself is not touched.
int32_t clawft_save(uint32_t handle);

// 1 if a record has this id, else 0.
//
// Errors: `BadHandle`.
int32_t clawft_record_contains(uint32_t handle, uint64_t id);

// Writes the smallest id from `from` on to `out_id` and returns 1; returns 0, and writes nothing,
// if there is none. So from 0, and then always from one more, come all ids; none is behind
// `UINT64_MAX`.
//
// Errors: `BadHandle`; those of pointers.
//
// # Safety
// Natively `out_id` is valid for writes.
int32_t clawft_record_next(uint32_t handle, uint64_t from, uint64_t *out_id);

// Writes the fields of a record to `out`.
//
// Errors: `BadHandle`, `UnknownId`; those of the storage, `Damaged`, `NoMemory`; those of
// pointers.
//
// # Safety
// Natively `out` is valid for writes.
int32_t clawft_record_fields(uint32_t handle, uint64_t id, ClawftFields *out);

// Copies a string of a record to `out`, without a zero byte at the end, and its length to
// `out_len`: the text (`which` 0), kind (1), session (2), or, from 3 on, keys and values of its
// metadata. With `out` null only the length is written.
//
// Errors: `BadHandle`, `UnknownId`, `OutputTooSmall`, `UnknownChoice` for a pair that there is not;
// those of the storage, `Damaged`, `NoMemory`; those of pointers.
//
// # Safety
// Natively `out` is valid for writes of `cap` bytes, `out_len` of one number.
int32_t clawft_record_string(uint32_t handle,
                             uint64_t id,
                             uint32_t which,
                             char *out,
                             size_t cap,
                             size_t *out_len);

// Writes the vector of a record as it was given to `out`, `dim` floats.
//
// Errors: `BadHandle`, `UnknownId`, `WrongDimension`, `NoMemory`; those of the storage, `Damaged`;
// those of pointers.
//
// # Safety
// Natively `out` is valid for writes of `dim` floats.
int32_t clawft_record_vector(uint32_t handle, uint64_t id, float *out, uint32_t dim);

// Writes the defaults of a recall with `k` results to `out`.
//
// Errors: those of pointers.
//
// # Safety
// Natively `out` is valid for writes.
int32_t clawft_recall_init(ClawftRecall *out, uint32_t k);

// Writes the records that answer best, best first, to `out`, which has room for `k`, and their
// number to `out_count`: `k`, or as many as match. By words alone only those match that have one of
// them. Counts no use: `clawft_touch` does.
//
// Errors: `BadHandle`, `StructSize`, `UnknownChoice`, `InvalidText`; `ZeroK`, `NothingAsked`,
// `WrongDimension`, `NotFinite` (a weight too), `ZeroVector`; `NoMemory`; those of pointers.
//
// # Safety
// Natively the pointers are valid for reads, and for writes of `k` results and a number.
int32_t clawft_recall(uint32_t handle,
                      const ClawftRecall *recall,
                      ClawftFound *out,
                      uint32_t *out_count);

// Writes a memory in numbers to `out`.
//
// Errors: `BadHandle`; those of pointers.
//
// # Safety
// Natively `out` is valid for writes.
int32_t clawft_memory_report(uint32_t handle, ClawftMemoryReport *out);

// Returns the code of damage number `at`, from 0, that opening found and noted, and
// `clawft_last_error` says what and where it is; 0 if there are not so many.
//
// Errors: `BadHandle`.
int32_t clawft_memory_damage(uint32_t handle, uint32_t at);

// Reads everything that counts in the file: 0 if all of it is sound, else the code of the first
// damage, which `clawft_last_error` names. Takes the time of reading the file.
//
// Errors: `BadHandle`, `Damaged`, `NoMemory`; those of the storage.
int32_t clawft_memory_verify(uint32_t handle);

// Counts a use of each of these `n` records at `now`, in ms; unknown ids do no harm. A hint: it is
// kept with what is derived, and lost with it.
//
// Errors: `BadHandle`; those of pointers.
//
// # Safety
// Natively `ids` is valid for reads of `n`.
int32_t clawft_touch(uint32_t handle, const uint64_t *ids, uint32_t n, uint64_t now);

// Looks at the next `records` in turn, at `now`, in ms: idle ones go to a colder tier, used ones
// come back from the file, as far as there is room; no more than `bytes` of codes and vectors are
// written and read. What it did goes to `out`. A memory that was opened without `image_bytes` has
// no tiers, and nothing to do.
//
// Where `bytes` are fewer than a vector and its hot code take, some 5 a component, it looks at
// nothing.
//
// Errors: `BadHandle`, `NoMemory`; those of pointers. A vector that cannot be read is none.
//
// # Safety
// Natively `out` is valid for writes.
int32_t clawft_tick(uint32_t handle,
                    uint64_t now,
                    uint32_t records,
                    uint64_t bytes,
                    ClawftTick *out);

// Writes how many records are in each tier, the hottest first, to the four numbers at `out`: 8, 7,
// 5 and 3 bits a component. Without tiers all are in the first. Looks at every record.
//
// Errors: `BadHandle`; those of pointers.
//
// # Safety
// Natively `out` is valid for writes of four numbers.
int32_t clawft_tiers(uint32_t handle, uint32_t *out);

// Writes the defaults for frames of `dim` components to `out`: 8 bits, no limit.
//
// Errors: those of pointers.
//
// # Safety
// Natively `out` is valid for writes.
int32_t clawft_tensor_params_init(ClawftTensorParams *out, uint32_t dim);

// Makes an empty tensor. The handle is valid until `clawft_tensor_close`. At most 16 can be open
// at a time.
//
// Errors: `StructSize`, `UnknownChoice` for other bits, `WrongDimension`, `BadDrift`, `Full` for a
// limit below a header and one frame, `NoMemory`, `TooManyStores`; those of pointers.
//
// # Safety
// Natively the pointers are valid for reads and writes.
int32_t clawft_tensor_create(const ClawftTensorParams *params, uint32_t *out_handle);

// Opens a copy of the bytes of a tensor, after every check; they may be at any address. It has no
// limit.
//
// Errors: `Corrupt`, `NoMemory`, `TooManyStores`; those of pointers.
//
// # Safety
// Natively the pointers are valid for reads and writes.
int32_t clawft_tensor_open(const void *bytes, size_t len, uint32_t *out_handle);

// Closes a tensor and gives its memory back.
//
// Errors: `BadHandle`.
int32_t clawft_tensor_close(uint32_t handle);

// Adds a frame of `dim` floats and writes its number, from 0, to `out_frame`.
//
// Errors: `BadHandle`, `WrongDimension`, `NotFinite` (also beyond 2^120), `Full` at its limit,
// `NoMemory`; those of pointers. The tensor is then as it was.
//
// # Safety
// Natively `frame` is valid for reads of `dim` floats, `out_frame` for writes of one number.
int32_t clawft_tensor_append(uint32_t handle,
                             const float *frame,
                             uint32_t dim,
                             uint32_t *out_frame);

// Writes frame number `frame` to `out`, `dim` floats, within the bound that
// `clawft_tensor_error_bound` gives.
//
// Errors: `BadHandle`, `NoFrame`, `WrongDimension`, `NoMemory`; those of pointers.
//
// # Safety
// Natively `out` is valid for writes of `dim` floats.
int32_t clawft_tensor_get(uint32_t handle, uint32_t frame, float *out, uint32_t dim);

// Writes to `out` a bound on the Euclidean distance between a frame as it was given and as it is
// read.
//
// Errors: `BadHandle`, `NoFrame`; those of pointers.
//
// # Safety
// Natively `out` is valid for writes.
int32_t clawft_tensor_error_bound(uint32_t handle, uint32_t frame, float *out);

// Writes a tensor in numbers to `out`.
//
// Errors: `BadHandle`; those of pointers.
//
// # Safety
// Natively `out` is valid for writes.
int32_t clawft_tensor_stats(uint32_t handle, ClawftTensorStats *out);

// Copies the bytes of a tensor to `out`, and their number, `bytes` of `clawft_tensor_stats`, to
// `out_len`: the same on every machine, for `clawft_tensor_open`.
//
// Errors: `BadHandle`, `OutputTooSmall`; those of pointers.
//
// # Safety
// Natively `out` is valid for writes of `cap` bytes, `out_len` of one number.
int32_t clawft_tensor_bytes(uint32_t handle, void *out, size_t cap, size_t *out_len);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* CLAWFT_STORE_H */
