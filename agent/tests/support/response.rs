//! A response that is there at once.

use std::io::{Cursor, Read};

use clawft_agent::platform::{Body, HttpError, Response};

struct Bytes(Cursor<Vec<u8>>);

impl Body for Bytes {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, HttpError> {
        Ok(self.0.read(into).unwrap())
    }
}

pub(crate) fn json(body: impl Into<Vec<u8>>) -> Response {
    let headers = vec![("content-type".into(), "application/json".into())];
    Response { status: 200, headers, body: Box::new(Bytes(Cursor::new(body.into()))) }
}
