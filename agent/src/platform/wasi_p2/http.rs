//! Requests over `wasi:http`.
//!
//! The host connects, does TLS and speaks HTTP; a body goes out while the answer may already come
//! in. Each wait has an end of its own besides the host's timeouts: the TLS handshake is under none
//! of them, and not every host keeps them all.
//!
//! What it must never do: put a header's value into an error, or wait without an end.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use wasip2::http::types::{
    Fields, FutureIncomingResponse, HeaderError, IncomingBody, IncomingResponse,
    Method as WasiMethod, OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

use super::clock::MILLISECOND;
use super::raw::{self, Code};
use super::sentence::{error, of_code};
use super::wait::End;
use crate::platform::url::{self, Url};
use crate::platform::{
    Body, HttpClient, HttpError, HttpFailure, Method, Payload, Request, Response, Timeouts,
};

/// Bytes that are read or made at once.
const PART: usize = 16 << 10;
/// Milliseconds that a host gets beyond ours.
const LATER: u32 = 1000;

/// `wasi:http/outgoing-handler`.
#[derive(Clone, Copy, Debug, Default)]
pub struct WasiHttpClient;

impl HttpClient for WasiHttpClient {
    fn send(&self, mut request: Request<'_>) -> Result<Response, HttpError> {
        let Some(url) = url::split(request.url) else {
            let what = "http:// or https:// with a host expected";
            // Not the URL itself: it may have a password in it.
            return Err(HttpError { failure: HttpFailure::BadUrl, sentence: what.into() });
        };
        let end = End::after(request.timeouts.total);
        let outgoing = head(&request, &url)?;
        let refused = |()| error(HttpFailure::Other, url.authority, "the host gave no body");
        let body = outgoing.body().map_err(refused)?;
        // The body is written after this call: before it, one longer than the host's buffer would
        // wait for a reader who is not there.
        let future = raw::handle(outgoing, options(&request))
            .map_err(|code| of_code(url.authority, code))?;
        let rest = Out { url: &url, future: &future, end }.send(body, &mut request.payload)?;
        let incoming = answer(&url, &future, &request.timeouts, end)?;
        response(&url, incoming, rest, &request.timeouts, end)
    }
}

/// Everything before the body.
fn head(request: &Request<'_>, url: &Url<'_>) -> Result<OutgoingRequest, HttpError> {
    let fields = Fields::new();
    let put = |name: &str, value: &str| {
        fields.append(name, value.as_bytes()).map_err(|why| {
            let why = match why {
                HeaderError::Forbidden => "a request may not have the header ",
                HeaderError::InvalidSyntax | HeaderError::Immutable => {
                    "letters, digits and signs expected in the header "
                }
            };
            error(HttpFailure::Denied, url.authority, &[why, name].concat())
        })
    };
    for (name, value) in request.headers {
        put(name, value)?;
    }
    let len = match (request.method, &request.payload) {
        (_, Payload::Bytes(bytes)) => Some(bytes.len()),
        // Without it the host sends an empty body in chunks.
        (Method::Post, Payload::Empty) => Some(0),
        _ => None,
    };
    if let Some(len) = len {
        put("content-length", &len.to_string())?;
    }
    let outgoing = OutgoingRequest::new(fields);
    let method = match request.method {
        Method::Get => WasiMethod::Get,
        Method::Post => WasiMethod::Post,
    };
    let scheme = if url.is_secure { Scheme::Https } else { Scheme::Http };
    // An empty path and a query alone are those of `/`.
    let path = match url.path {
        path if path.starts_with('/') => String::from(path),
        query => ["/", query].concat(),
    };
    let set = outgoing.set_method(&method).is_ok()
        && outgoing.set_scheme(Some(&scheme)).is_ok()
        && outgoing.set_authority(Some(url.authority)).is_ok()
        && outgoing.set_path_with_query(Some(&path)).is_ok();
    match set {
        true => Ok(outgoing),
        false => Err(error(HttpFailure::BadUrl, url.authority, "the URL cannot be used")),
    }
}

/// The host's timeouts. Only the host can keep the first. The others are kept here, to the
/// millisecond and with a sentence of our own, as Wasmtime 49 gives no error code for what comes too
/// late: a host is to notice later.
fn options(request: &Request<'_>) -> RequestOptions {
    let Timeouts { connect, first_byte, between_bytes, total } = request.timeouts;
    let in_ns = |milliseconds: u32| Some(u64::from(milliseconds) * MILLISECOND);
    let later = |milliseconds: u32| in_ns(milliseconds.saturating_add(LATER));
    // The host counts from the request's beginning, which a stream may put off.
    let is_stream = matches!(request.payload, Payload::Stream(_));
    let first_byte = if is_stream { total } else { first_byte };
    let options = RequestOptions::new();
    let _ = options.set_connect_timeout(in_ns(connect));
    let _ = options.set_first_byte_timeout(later(first_byte));
    let _ = options.set_between_bytes_timeout(later(between_bytes));
    options
}

fn late(url: &Url<'_>, what: &str, end: End) -> HttpError {
    let allowed = end.allowed.to_string();
    let sentence = ["the request did not get ", what, " within ", &allowed, " ms"].concat();
    error(HttpFailure::Timeout, url.authority, &sentence)
}

/// A body that was not sent to its end. To drop it breaks the connection, on which the answer comes.
struct Unsent {
    _stream: OutputStream,
    _body: OutgoingBody,
}

/// The way out.
struct Out<'a> {
    url: &'a Url<'a>,
    future: &'a FutureIncomingResponse,
    end: End,
}

impl Out<'_> {
    /// Sends the body. Where the other side answers, or goes away, before it has all of it, what
    /// cannot be sent is given back: the answer then says what is the matter.
    fn send(
        &self,
        body: OutgoingBody,
        payload: &mut Payload<'_>,
    ) -> Result<Option<Unsent>, HttpError> {
        let stream = match body.write() {
            Ok(stream) => stream,
            Err(()) => {
                return Err(error(HttpFailure::Other, self.url.authority, "no body goes out"));
            }
        };
        let is_sent = match payload {
            Payload::Empty => true,
            Payload::Bytes(bytes) => self.write(&stream, bytes)? && self.flush(&stream)?,
            Payload::Stream(next) => {
                let mut part = vec![0; PART];
                loop {
                    let len = next(&mut part)?.min(PART);
                    // Each part goes out at once: whoever streams wants that.
                    if len == 0 {
                        break true;
                    }
                    if !(self.write(&stream, &part[..len])? && self.flush(&stream)?) {
                        break false;
                    }
                }
            }
        };
        if !is_sent {
            return Ok(Some(Unsent { _stream: stream, _body: body }));
        }
        // In this order, which the host insists on.
        drop(stream);
        // Of a body that could not be ended the answer knows why.
        raw::finish(body);
        Ok(None)
    }

    /// Bytes that the host takes now; waits for that. 0 when nobody takes more.
    fn room(&self, stream: &OutputStream) -> Result<usize, HttpError> {
        loop {
            match stream.check_write() {
                Ok(0) if self.wait(stream) => {
                    if self.future.subscribe().ready() {
                        return Ok(stream.check_write().map_or(0, |room| room as usize));
                    }
                }
                Ok(0) => return Err(late(self.url, "out", self.end)),
                Ok(room) => return Ok(usize::try_from(room).unwrap_or(usize::MAX)),
                Err(_) => return Ok(0),
            }
        }
    }

    fn wait(&self, stream: &OutputStream) -> bool {
        self.end.wait_for_one(&stream.subscribe(), &self.future.subscribe())
    }

    fn write(&self, stream: &OutputStream, mut bytes: &[u8]) -> Result<bool, HttpError> {
        while !bytes.is_empty() {
            let (part, rest) = bytes.split_at(self.room(stream)?.min(bytes.len()));
            if part.is_empty() || stream.write(part).is_err() {
                return Ok(false);
            }
            bytes = rest;
        }
        Ok(true)
    }

    fn flush(&self, stream: &OutputStream) -> Result<bool, HttpError> {
        // There is room again when it is done.
        Ok(stream.flush().is_ok() && self.room(stream)? > 0)
    }
}

/// Waits for status and headers.
fn answer(
    url: &Url<'_>,
    future: &FutureIncomingResponse,
    timeouts: &Timeouts,
    end: End,
) -> Result<IncomingResponse, HttpError> {
    let first = end.or(End::after(timeouts.first_byte));
    loop {
        match raw::get(future) {
            Some(Ok(Ok(response))) => return Ok(response),
            Some(Ok(Err(code))) => return Err(of_code(url.authority, code)),
            // It is asked for once.
            Some(Err(())) => return Err(error(HttpFailure::Other, url.authority, "no answer")),
            None if first.wait(&future.subscribe()) => {}
            None => return Err(late(url, "an answer", first)),
        }
    }
}

fn response(
    url: &Url<'_>,
    incoming: IncomingResponse,
    unsent: Option<Unsent>,
    timeouts: &Timeouts,
    end: End,
) -> Result<Response, HttpError> {
    let status = incoming.status();
    let text = |bytes: Vec<u8>| match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    };
    let fields = incoming.headers();
    let headers = fields
        .entries()
        .into_iter()
        .map(|(mut name, value)| {
            name.make_ascii_lowercase();
            (name, text(value))
        })
        .collect();
    drop(fields);
    let without = |()| error(HttpFailure::Other, url.authority, "the answer has no body");
    let body = incoming.consume().map_err(without)?;
    let stream = body.stream().map_err(without)?;
    let body = Incoming {
        stream,
        _body: body,
        _response: incoming,
        _unsent: unsent,
        authority: url.authority.into(),
        between: timeouts.between_bytes,
        end,
        state: State::Open,
    };
    Ok(Response { status, headers, body: Box::new(body) })
}

/// How far a body is.
enum State {
    Open,
    Ended,
    Failed(HttpError),
}

/// A body on its way in. What stands first is dropped first.
struct Incoming {
    stream: InputStream,
    _body: IncomingBody,
    _response: IncomingResponse,
    _unsent: Option<Unsent>,
    authority: String,
    /// Milliseconds between two parts.
    between: u32,
    end: End,
    state: State,
}

impl Incoming {
    /// The next part, of at most so many bytes; empty at the end.
    fn next(&self, most: u64) -> Result<Vec<u8>, HttpError> {
        let until = self.end.or(End::after(self.between));
        loop {
            match self.stream.read(most) {
                Ok(part) if !part.is_empty() => return Ok(part),
                Ok(_) if until.wait(&self.stream.subscribe()) => {}
                Ok(_) => {
                    let url = Url { is_secure: false, authority: &self.authority, path: "" };
                    let what =
                        if until.is(self.end) { "all of the answer" } else { "the next part" };
                    return Err(late(&url, what, until));
                }
                Err(StreamError::Closed) => return Ok(Vec::new()),
                Err(StreamError::LastOperationFailed(why)) => {
                    let code = raw::code_of(&why).unwrap_or(Code::CONNECTION_TERMINATED);
                    return Err(of_code(&self.authority, code));
                }
            }
        }
    }
}

impl Body for Incoming {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, HttpError> {
        match &self.state {
            State::Open if into.is_empty() => return Ok(0),
            State::Open => {}
            State::Ended => return Ok(0),
            State::Failed(error) => return Err(error.clone()),
        }
        match self.next(into.len().min(PART) as u64) {
            Ok(part) => {
                if part.is_empty() {
                    self.state = State::Ended;
                }
                // The host keeps to what it was asked for; if not, the program is none the worse.
                let len = part.len().min(into.len());
                into[..len].copy_from_slice(&part[..len]);
                Ok(len)
            }
            Err(error) => {
                self.state = State::Failed(error.clone());
                Err(error)
            }
        }
    }
}
