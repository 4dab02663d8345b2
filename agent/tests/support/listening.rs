//! A network where requests are listened to, and those for a vector answered.

use std::cell::RefCell;
use std::rc::Rc;

use clawft_agent::platform::{HttpClient, HttpError, HttpFailure, Payload, Request, Response};

use super::response;

/// Keeps where requests go, and with which keys. Those for a vector it answers, and keeps the body.
pub(crate) struct Listening(pub(crate) Rc<RefCell<Vec<String>>>);

impl HttpClient for Listening {
    fn send(&self, request: Request<'_>) -> Result<Response, HttpError> {
        if let (true, Payload::Bytes(body)) =
            (request.url.ends_with("/embeddings"), &request.payload)
        {
            self.0.borrow_mut().push(String::from_utf8(body.to_vec()).unwrap());
            return Ok(response::json(r#"{"data":[{"index":0,"embedding":[0.5,0.5,0.5,0.5]}]}"#));
        }
        let keys = ["authorization", "x-api-key"];
        let key = request.headers.iter().find(|(name, _)| keys.contains(name));
        self.0.borrow_mut().push(format!("{} {}", request.url, key.map_or("", |(_, key)| key)));
        let sentence = "nobody is there".to_owned();
        Err(HttpError { failure: HttpFailure::Denied, sentence })
    }
}
