//! A request and its response.
//!
//! Why: the stages are limited apart, since a model may think for a minute before its first
//! byte, while a stream that stands still for half as long is broken. A body is read as it
//! comes: it is shown while the rest is on its way, and whoever reads it sets how much is
//! kept.
//!
//! What it must never do: hold a whole answer, or promise where its parts end.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::HttpError;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Fetch.
    Get,
    /// Send a body, get an answer.
    Post,
}

/// How long each stage may take, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To be connected.
    pub connect: u32,
    /// From the request's end to the first byte of the answer.
    pub first_byte: u32,
    /// Between two parts of the answer.
    pub between_bytes: u32,
    /// For all of it, the TLS handshake included.
    pub total: u32,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: 10_000, first_byte: 60_000, between_bytes: 30_000, total: 600_000 }
    }
}

/// What is sent after the headers.
pub enum Payload<'a> {
    /// Nothing.
    Empty,
    /// These bytes.
    Bytes(&'a [u8]),
    /// What the function gives, part by part, until it gives 0.
    Stream(&'a mut dyn FnMut(&mut [u8]) -> Result<usize, HttpError>),
}

/// What is asked.
pub struct Request<'a> {
    /// What is done.
    pub method: Method,
    /// `http://` or `https://`, host, and path.
    pub url: &'a str,
    /// Names in lower case, and values. `host`, `connection` and `transfer-encoding` are not the
    /// caller's; `content-length` is set from [`Payload::Bytes`].
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub payload: Payload<'a>,
    /// How long it may take.
    pub timeouts: Timeouts,
}

/// A body that is read as it comes.
pub trait Body {
    /// The next bytes, as many as have come and fit; 0 at the end. Parts end anywhere, inside a
    /// line and inside a character too.
    ///
    /// # Errors
    /// [`HttpError`]: the connection broke, or took too long.
    fn read(&mut self, into: &mut [u8]) -> Result<usize, HttpError>;
}

/// What came back.
pub struct Response {
    /// 200 and its kind.
    pub status: u16,
    /// Names in lower case, and values; a name may come twice.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Box<dyn Body>,
}

impl Response {
    /// The first header of that name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}
