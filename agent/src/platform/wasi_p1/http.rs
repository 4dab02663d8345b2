//! Requests over the import `clawft_http` of the module `clawft`.
//!
//! Preview 1 has no HTTP, and hosts of core modules have no `wasi:http`: so the host gives one
//! function, which it can write in any language over any library. It connects, does TLS and speaks
//! HTTP; this side makes the request, and reads the answer as it comes.
//!
//! [`protocol`](super::protocol) draws what goes over.
//!
//! What it must never do: put a header's value into an error, or trust a length that the host gives.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::clock::{MILLISECOND, WasiClock};
use super::protocol::{
    CLAWFT_HTTP_CLOSE, CLAWFT_HTTP_GET, CLAWFT_HTTP_OPEN, CLAWFT_HTTP_POST, CLAWFT_HTTP_READ,
    CLAWFT_HTTP_STREAM, CLAWFT_HTTP_WHY, CLAWFT_HTTP_WRITE, ClawftHttp, ClawftHttpRequest,
};
use crate::platform::url::{self, Url};
use crate::platform::{
    Body, Clock, HttpClient, HttpError, HttpFailure, Method, Payload, Request, Response, Timeouts,
};

#[link(wasm_import_module = "clawft")]
unsafe extern "C" {
    fn clawft_http(op: u32, handle: u32, ptr: *const u8, len: u32) -> i32;
}

/// Bytes that are read or made at once.
const PART: usize = 16 << 10;
/// Bytes of the longest head of an answer.
const HEAD: usize = 256 << 10;
/// Bytes of the host's own words that are shown at most.
const OWN_WORDS: usize = 200;
/// Headers that are the connection's and not the caller's.
const NOT_YOURS: [&str; 8] = [
    "connection",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// `clawft_http`.
#[derive(Clone, Copy, Debug, Default)]
pub struct WasiHttpClient;

impl HttpClient for WasiHttpClient {
    fn send(&self, mut request: Request<'_>) -> Result<Response, HttpError> {
        let Some(url) = url::split(request.url) else {
            let what = "http:// or https:// with a host expected";
            // Not the URL itself: it may have a password in it.
            return Err(HttpError { failure: HttpFailure::BadUrl, sentence: what.into() });
        };
        let mut exchange = Exchange::open(&request, &url)?;
        exchange.send(&mut request.payload)?;
        exchange.response()
    }
}

fn error(failure: HttpFailure, authority: &str, what: &str) -> HttpError {
    HttpError { failure, sentence: [authority, ": ", what].concat() }
}

/// Lines of headers.
fn lines(request: &Request<'_>, authority: &str) -> Result<String, HttpError> {
    let mut lines = String::new();
    let mut put = |name: &str, value: &str| {
        lines.push_str(name);
        lines.push_str(": ");
        lines.push_str(value);
        lines.push_str("\r\n");
    };
    for (name, value) in request.headers {
        let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let why = if NOT_YOURS.contains(name) {
            "a request may not have the header "
        } else if name.is_empty()
            || !name.bytes().all(is_sign)
            || value.bytes().any(|byte| byte < b' ' && byte != b'\t' || byte == 0x7F)
        {
            "letters, digits and signs expected in the header "
        } else {
            put(name, value);
            continue;
        };
        return Err(error(HttpFailure::Denied, authority, &[why, name].concat()));
    }
    match (request.method, &request.payload) {
        (_, Payload::Bytes(bytes)) => put("content-length", &bytes.len().to_string()),
        (Method::Post, Payload::Empty) => put("content-length", "0"),
        _ => {}
    }
    Ok(lines)
}

/// What the host is doing: how long it may take, and what did not come in time.
#[derive(Clone, Copy)]
enum Stage {
    Connecting,
    Sending,
    First,
    Next,
}

/// Who is asked, and until when.
struct Asked {
    authority: String,
    timeouts: Timeouts,
    /// When all of it is over, in ns.
    end: u64,
    stage: Stage,
}

/// A request that was sent, or is.
struct Exchange {
    handle: u32,
    asked: Asked,
    /// What of the body came with the head.
    begun: Vec<u8>,
    /// It is at its end, or failed so.
    over: Option<Result<(), HttpError>>,
}

impl Asked {
    /// What a call gave, unless it is a code.
    fn checked(&self, code: i32) -> Result<usize, HttpError> {
        usize::try_from(code).map_err(|_| self.failed(code))
    }

    fn is_late(&self) -> bool {
        WasiClock.elapsed() >= self.end
    }

    #[cold]
    fn failed(&self, code: i32) -> HttpError {
        use HttpFailure::{BadUrl, Broken, Denied, Malformed, Other, Tls, Unreachable};
        const BAD_URL: i32 = ClawftHttp::BadUrl as i32;
        const DENIED: i32 = ClawftHttp::Denied as i32;
        const UNREACHABLE: i32 = ClawftHttp::Unreachable as i32;
        const TLS: i32 = ClawftHttp::Tls as i32;
        const TIMEOUT: i32 = ClawftHttp::Timeout as i32;
        const BROKEN: i32 = ClawftHttp::Broken as i32;
        const MALFORMED: i32 = ClawftHttp::Malformed as i32;
        let (failure, what) = match code {
            BAD_URL => (BadUrl, "the URL cannot be used"),
            DENIED => (Denied, "the program may not ask this host"),
            UNREACHABLE => (Unreachable, "the host cannot be reached"),
            TLS => (Tls, "no secure connection could be agreed on"),
            TIMEOUT => return self.late(),
            BROKEN => (Broken, "the connection ended before the answer did"),
            MALFORMED => (Malformed, "what it sent is not HTTP"),
            _ => (Other, "the program that runs this failed"),
        };
        let mut error = error(failure, &self.authority, what);
        let mut words = [0; OWN_WORDS];
        let into = words.as_mut_ptr();
        // SAFETY: the place is ours and of that length.
        let len = unsafe { clawft_http(CLAWFT_HTTP_WHY, 0, into, OWN_WORDS as u32) };
        let len = usize::try_from(len).unwrap_or(0);
        if let Some(words @ [_, ..]) = words.get(..len) {
            error.sentence.push_str(" (");
            error.sentence.push_str(&String::from_utf8_lossy(words));
            error.sentence.push(')');
        }
        error
    }

    #[cold]
    fn late(&self) -> HttpError {
        let Timeouts { connect, first_byte, between_bytes, total } = self.timeouts;
        let (what, allowed) = match self.stage {
            Stage::Connecting => ("a connection", connect),
            Stage::Sending => ("out", total),
            Stage::First => ("an answer", first_byte),
            Stage::Next => ("the next part", between_bytes),
        };
        let is_next = matches!(self.stage, Stage::Next);
        let (what, allowed) = match (self.is_late(), is_next) {
            (true, true) => ("all of the answer", total),
            (true, false) if what == "a connection" => ("out", total),
            (true, false) => (what, total),
            (false, _) => (what, allowed),
        };
        let allowed = allowed.to_string();
        let sentence = ["the request did not get ", what, " within ", &allowed, " ms"].concat();
        error(HttpFailure::Timeout, &self.authority, &sentence)
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        // SAFETY: no memory goes over.
        unsafe { clawft_http(CLAWFT_HTTP_CLOSE, self.handle, core::ptr::null(), 0) };
    }
}

impl Exchange {
    fn open(request: &Request<'_>, url: &Url<'_>) -> Result<Self, HttpError> {
        let lines = lines(request, url.authority)?;
        let scheme = if url.is_secure { "https://" } else { "http://" };
        // An empty path and a query alone are those of `/`.
        let slash = if url.path.starts_with('/') { "" } else { "/" };
        let plain = [scheme, url.authority, slash, url.path].concat();
        let (body, body_len) = match &request.payload {
            Payload::Empty => (0, 0),
            Payload::Bytes(bytes) => (bytes.as_ptr() as u32, bytes.len() as u32),
            Payload::Stream(_) => (0, CLAWFT_HTTP_STREAM),
        };
        let Timeouts { connect, first_byte, between_bytes, total } = request.timeouts;
        let given = ClawftHttpRequest {
            size: size_of::<ClawftHttpRequest>() as u32,
            method: match request.method {
                Method::Get => CLAWFT_HTTP_GET,
                Method::Post => CLAWFT_HTTP_POST,
            },
            url: plain.as_ptr() as u32,
            url_len: plain.len() as u32,
            headers: lines.as_ptr() as u32,
            headers_len: lines.len() as u32,
            body,
            body_len,
            connect,
            first_byte,
            between_bytes,
            total,
        };
        let mut asked = Asked {
            authority: url.authority.into(),
            timeouts: request.timeouts,
            end: WasiClock.elapsed().saturating_add(u64::from(total) * MILLISECOND),
            stage: Stage::Connecting,
        };
        let address = (&raw const given).cast();
        // SAFETY: the host reads the request, which is ours, and what its addresses lead to.
        let code = unsafe { clawft_http(CLAWFT_HTTP_OPEN, 0, address, given.size) };
        let handle = asked.checked(code)? as u32;
        asked.stage = Stage::Sending;
        Ok(Self { handle, asked, begun: Vec::new(), over: None })
    }

    /// Sends a body that the host has not got whole.
    fn send(&mut self, payload: &mut Payload<'_>) -> Result<(), HttpError> {
        if let Payload::Stream(next) = payload {
            let mut part = vec![0; PART];
            loop {
                let len = next(&mut part)?.min(PART);
                let mut rest = part.get(..len).unwrap_or_default();
                loop {
                    if self.asked.is_late() {
                        return Err(self.asked.late());
                    }
                    let (bytes, len) = (rest.as_ptr(), rest.len() as u32);
                    // SAFETY: the host only reads it.
                    let code = unsafe { clawft_http(CLAWFT_HTTP_WRITE, self.handle, bytes, len) };
                    let taken = self.asked.checked(code)?;
                    // Of nothing nothing is taken: that was the end. Of something: there is an
                    // answer, which says what is the matter.
                    if taken == 0 {
                        self.asked.stage = Stage::First;
                        return Ok(());
                    }
                    rest = rest.get(taken..).unwrap_or_default();
                    if rest.is_empty() {
                        break;
                    }
                }
            }
        }
        self.asked.stage = Stage::First;
        Ok(())
    }

    /// Waits for bytes of the answer; 0 at its end.
    fn receive(&self, into: &mut [u8]) -> Result<usize, HttpError> {
        if self.asked.is_late() {
            return Err(self.asked.late());
        }
        let (place, len) = (into.as_mut_ptr(), into.len() as u32);
        // SAFETY: the place is ours and of that length.
        let code = unsafe { clawft_http(CLAWFT_HTTP_READ, self.handle, place, len) };
        self.asked.checked(code).map(|len| len.min(into.len()))
    }

    fn response(mut self) -> Result<Response, HttpError> {
        let mut got = Vec::new();
        let head = loop {
            let before = got.len();
            if before > HEAD {
                let what = "the headers of the answer are too long";
                return Err(error(HttpFailure::Malformed, &self.asked.authority, what));
            }
            got.resize(before + PART, 0);
            let len = self.receive(got.get_mut(before..).unwrap_or_default())?;
            got.truncate(before + len);
            if len == 0 {
                return Err(self.asked.failed(ClawftHttp::Broken as i32));
            }
            // The mark may have begun in the part before.
            let from = before.saturating_sub(3);
            let fresh = got.get(from..).unwrap_or_default();
            if let Some(at) = fresh.windows(4).position(|four| four == b"\r\n\r\n") {
                break from + at;
            }
        };
        self.asked.stage = Stage::Next;
        self.begun = got.split_off(head + 4);
        got.truncate(head);
        let text = String::from_utf8_lossy(&got);
        let mut lines = text.split("\r\n");
        let first = lines.next().unwrap_or_default();
        let status = first.strip_prefix("HTTP/").and_then(|line| line.split(' ').nth(1));
        let Some(status) = status.and_then(|number| number.parse().ok()) else {
            return Err(self.asked.failed(ClawftHttp::Malformed as i32));
        };
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.trim().to_ascii_lowercase(), value.trim().to_string()))
        };
        Ok(Response { status, headers: lines.filter_map(header).collect(), body: Box::new(self) })
    }
}

impl Body for Exchange {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, HttpError> {
        if let Some(over) = &self.over {
            return over.clone().map(|()| 0);
        }
        if into.is_empty() {
            return Ok(0);
        }
        if !self.begun.is_empty() {
            let len = self.begun.len().min(into.len());
            into[..len].copy_from_slice(&self.begun[..len]);
            self.begun.drain(..len);
            return Ok(len);
        }
        let most = into.len().min(PART);
        let read = self.receive(&mut into[..most]);
        match &read {
            Ok(0) => self.over = Some(Ok(())),
            Ok(_) => {}
            Err(error) => self.over = Some(Err(error.clone())),
        }
        read
    }
}
