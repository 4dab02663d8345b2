//! The functions of `wasi:http` that speak of error codes, called as the canonical ABI has them.
//!
//! Bindings that are made take 39 codes apart with all that some of them hold, at each of five
//! calls; here a code is its number and the one text that there may be with it. That is 6 KB less.
//!
//! Source: the component model's canonical ABI. A variant's number stands first; what it holds
//! stands behind, where the strictest of its cases may: of an `error-code` after 8 bytes.
//!
//! What it must never do: take a text or a handle out of an area twice, or name another
//! version of `wasi:http` than the bindings do, whose handles these are.

use alloc::string::String;

use wasip2::http::types::{
    FutureIncomingResponse, IncomingResponse, OutgoingBody, OutgoingRequest, RequestOptions,
};
#[cfg(feature = "component")]
use wasip2::http::types::{OutgoingResponse, ResponseOutparam};
use wasip2::io::streams::Error as IoError;

#[link(wasm_import_module = "wasi:http/types@0.2.12")]
unsafe extern "C" {
    #[link_name = "[method]future-incoming-response.get"]
    fn future_get(future: u32, area: *mut Area);
    #[link_name = "[static]outgoing-body.finish"]
    fn body_finish(body: u32, has_trailers: i32, trailers: i32, area: *mut Area);
    #[cfg(feature = "component")]
    #[link_name = "[static]response-outparam.set"]
    fn outparam_set(
        out: u32,
        is_error: i32,
        response: u32,
        _: i32,
        _: u64,
        _: i32,
        _: i32,
        _: i32,
        _: i32,
    );
    #[link_name = "http-error-code"]
    fn http_error_code(error: u32, area: *mut Area);
}

#[link(wasm_import_module = "wasi:http/outgoing-handler@0.2.12")]
unsafe extern "C" {
    #[link_name = "handle"]
    fn outgoing_handle(request: u32, has_options: i32, options: u32, area: *mut Area);
}

/// Where the host writes a result: an error code in three shells at most.
#[repr(C, align(8))]
struct Area([u8; 56]);

/// An error code.
pub(super) struct Code {
    /// Which one, in the order of `wasi:http/types`.
    pub(super) number: u8,
    /// What the host says with it.
    pub(super) detail: Option<String>,
}

impl Code {
    /// The connection was ended.
    pub(super) const CONNECTION_TERMINATED: Self = Self { number: 7, detail: None };

    /// Where the tag of the text is in what the code holds, if it has one.
    fn place_of_text(number: u8) -> Option<usize> {
        Some(match number {
            // DNS-error, HTTP-request-trailer-size, HTTP-response-header-size and -trailer-size,
            // -transfer-coding, -content-coding, internal-error.
            1 | 24 | 27 | 30 | 31 | 32 | 38 => 0,
            // TLS-alert-received: behind another number; HTTP-request-header-size: behind whether
            // there is any.
            14 | 22 => 4,
            _ => return None,
        })
    }
}

impl Area {
    const fn new() -> Self {
        Self([0; 56])
    }

    fn word(&self, at: usize) -> u32 {
        let [a, b, c, d] = [0, 1, 2, 3].map(|i| self.0[at + i]);
        u32::from_le_bytes([a, b, c, d])
    }

    /// The code that begins there: its text is ours from now on, so the area goes with it.
    fn code(self, at: usize) -> Code {
        let number = self.0[at];
        let detail = Code::place_of_text(number).map(|place| at + 8 + place);
        // A header's size that is not given has no name of a header either: its tag is 0, as
        // everything that the host did not write.
        let detail = detail.filter(|tag| self.0[*tag] == 1).map(|tag| {
            let (text, len) = (self.word(tag + 4) as usize, self.word(tag + 8) as usize);
            // SAFETY: the canonical ABI: the host made the text by `cabi_realloc`, with this length
            // and no more, in UTF-8, and it is ours. It is taken once: the area is gone then.
            unsafe { String::from_raw_parts(text as *mut u8, len, len) }
        });
        Code { number, detail }
    }
}

/// Sends a request on its way.
pub(super) fn handle(
    request: OutgoingRequest,
    options: RequestOptions,
) -> Result<FutureIncomingResponse, Code> {
    let mut area = Area::new();
    // SAFETY: both handles are given away, and the area has room for what comes: a tag, and after 8
    // bytes a handle or a code.
    unsafe {
        outgoing_handle(request.take_handle(), 1, options.take_handle(), &mut area);
        match area.0[0] {
            0 => Ok(FutureIncomingResponse::from_handle(area.word(8))),
            _ => Err(area.code(8)),
        }
    }
}

/// What has come of a request; `None` where nothing has come yet. The error of the outer result: it
/// was asked for before.
pub(super) fn get(
    future: &FutureIncomingResponse,
) -> Option<Result<Result<IncomingResponse, Code>, ()>> {
    let mut area = Area::new();
    // SAFETY: the area has room for three tags, 8 bytes each, and then a handle or a code.
    unsafe { future_get(future.handle(), &mut area) };
    Some(match (area.0[0], area.0[8], area.0[16]) {
        (0, ..) => return None,
        // SAFETY: the tags say that there is a handle, which is ours and taken once.
        (_, 0, 0) => Ok(Ok(unsafe { IncomingResponse::from_handle(area.word(24)) })),
        (_, 0, _) => Ok(Err(area.code(24))),
        _ => Err(()),
    })
}

/// Ends a body. What becomes of it, the answer knows.
pub(crate) fn finish(body: OutgoingBody) {
    let mut area = Area::new();
    // SAFETY: the handle is given away, and the area has room for a tag and a code.
    unsafe { body_finish(body.take_handle(), 0, 0, &mut area) };
    if area.0[0] != 0 {
        // Its text is ours, and goes.
        drop(area.code(8));
    }
}

/// Answers a request.
#[cfg(feature = "component")]
pub(crate) fn set(out: ResponseOutparam, response: OutgoingResponse) {
    // SAFETY: both handles are given away; the rest is where an error code would be.
    unsafe { outparam_set(out.take_handle(), 0, response.take_handle(), 0, 0, 0, 0, 0, 0) };
}

/// The code behind an error of a stream, where it is one of HTTP.
pub(super) fn code_of(error: &IoError) -> Option<Code> {
    let mut area = Area::new();
    // SAFETY: the area has room for a tag and a code.
    unsafe { http_error_code(error.handle(), &mut area) };
    (area.0[0] != 0).then(|| area.code(8))
}
