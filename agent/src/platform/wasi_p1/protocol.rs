//! What goes over the import `clawft_http`, as `include/clawft_agent.h` has it.
//!
//! ```text
//! (module "clawft")  int32_t clawft_http(uint32_t op, uint32_t handle, void *ptr, uint32_t len)
//!
//! op     what                                   gives
//! open   connects and sends the request at ptr  a handle, from 0 on
//! write  the next len bytes of the body;        how many were taken; 0: no more are wanted,
//!        of 0 bytes: that was all               an answer is there
//! read   waits for bytes of the answer          how many there are, at most len; 0: the end
//! close  the handle is not used again           0
//! why    a sentence about the last failure      its length, at most len; 0: there is none
//! ```
//!
//! What is read is the head of an answer as HTTP/1.1 writes it, `HTTP/1.1 200 OK` and a line for
//! each header, an empty line, and then its body, without the coding of its transfer. A part may
//! hold the end of the one and the beginning of the other. A request:
//!
//! ```text
//! at  0        4        8        12       16       20       24       28
//!    +--------+--------+--------+--------+--------+--------+--------+--------+
//!    | size   | method | url    | its    | headers| their  | body   | its    |
//!    |        |        |        | length |        | length |        | length |
//!    +--------+--------+--------+--------+--------+--------+--------+--------+
//!    | connect| first  | between| total  |
//!    |        | byte   | bytes  |        |
//!    +--------+--------+--------+--------+
//! at  32       36       40       44       48
//! ```
//!
//! What fails gives one of the codes of [`ClawftHttp`]; another negative one counts as `Other`. The
//! host keeps the four limits; this side asks it for nothing more once `total` is over.
//!
//! ADR 12 says why it is one function, why the request is addresses and the answer text, and why
//! the host keeps the time.
//!
//! What it must never do: give a number or a place another meaning: hosts are written against
//! the header, and are not built anew with the module. What is new gets an `op` of its own, to
//! which an older host says `Other`.

#![allow(
    unreachable_pub,
    dead_code,
    reason = "what is public here goes into the header; of this crate it is nobody's"
)]

/// `op`: sends a request.
pub const CLAWFT_HTTP_OPEN: u32 = 0;
/// `op`: more of its body.
pub const CLAWFT_HTTP_WRITE: u32 = 1;
/// `op`: what comes back.
pub const CLAWFT_HTTP_READ: u32 = 2;
/// `op`: the end of it.
pub const CLAWFT_HTTP_CLOSE: u32 = 3;
/// `op`: the sentence of the last failure.
pub const CLAWFT_HTTP_WHY: u32 = 4;
/// `method`: GET.
pub const CLAWFT_HTTP_GET: u32 = 1;
/// `method`: POST.
pub const CLAWFT_HTTP_POST: u32 = 2;
/// `body_len` of a body that comes by `CLAWFT_HTTP_WRITE`.
pub const CLAWFT_HTTP_STREAM: u32 = u32::MAX;

/// The import, of the module `clawft`: what a host writes. `ptr` is an address in the module's
/// memory, in which the host checks that `len` bytes lie there.
///
/// | op | what | gives |
/// |---|---|---|
/// | OPEN | connects, and sends the `ClawftHttpRequest` at `ptr` with its body | a handle, from 0 on |
/// | WRITE | sends the next `len` bytes of the body; 0 bytes: that was all | how many it took; 0: no more, an answer is there |
/// | READ | waits for bytes of the answer, and puts up to `len` of them at `ptr` | how many; 0: that was all |
/// | CLOSE | forgets the handle, whatever it was doing | 0 |
/// | WHY | puts a sentence about the last failure at `ptr`: UTF-8, no secrets | its length, up to `len`; 0: there is none |
///
/// Or one of `CLAWFT_HTTP`. READ gives first the head of the answer as HTTP/1.1 writes it, status
/// line, headers and an empty line, each with `\r\n`; then the body, without the coding of its
/// transfer. One part may hold the end of the one and the beginning of the other. A body that ends
/// before its length is `CLAWFT_HTTP_BROKEN`. No redirect is followed.
pub type ClawftHttpImport = extern "C" fn(op: u32, handle: u32, ptr: u32, len: u32) -> i32;

/// What the host says when a request fails.
#[repr(i32)]
#[derive(Clone, Copy)]
pub enum ClawftHttp {
    /// The URL cannot be used.
    BadUrl = -401,
    /// The host that is named, or a header, is not allowed.
    Denied = -402,
    /// No such host, no way to it, nobody listens.
    Unreachable = -403,
    /// No secure connection could be agreed on.
    Tls = -404,
    /// One of the limits of time.
    Timeout = -405,
    /// The connection ended before the message did.
    Broken = -406,
    /// What came is no HTTP.
    Malformed = -407,
    /// Anything else; also an `op` that the host does not know.
    Other = -408,
}

/// A request, as the host finds it. Little-endian; addresses are those of the module's memory, and
/// what they lead to stays until the call returns.
#[repr(C)]
pub struct ClawftHttpRequest {
    /// 48.
    pub size: u32,
    /// `CLAWFT_HTTP_GET` or `CLAWFT_HTTP_POST`.
    pub method: u32,
    /// `http://` or `https://`, host, perhaps a port, and a path with its query: `/` at least. No
    /// fragment, no password.
    pub url: u32,
    /// Its bytes.
    pub url_len: u32,
    /// Lines `name: value`, each with `\r\n`; with `content-length` where it is known. The host adds
    /// `host`, and `transfer-encoding` for a body that comes by `CLAWFT_HTTP_WRITE`.
    pub headers: u32,
    /// Their bytes.
    pub headers_len: u32,
    /// The body; 0 where there is none yet.
    pub body: u32,
    /// Its bytes, or `CLAWFT_HTTP_STREAM`.
    pub body_len: u32,
    /// Milliseconds to be connected.
    pub connect: u32,
    /// Milliseconds from the request's end to the first byte of the answer.
    pub first_byte: u32,
    /// Milliseconds between two parts of the answer.
    pub between_bytes: u32,
    /// Milliseconds for all of it, from `open` on.
    pub total: u32,
}
