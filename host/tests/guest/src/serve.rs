//! What `serve` calls: answers with the bytes of the body, the method, the path and the count of
//! requests that this instance has had.

use crate::Component;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};

static REQUESTS: AtomicU32 = AtomicU32::new(0);

impl Guest for Component {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let count = REQUESTS.fetch_add(1, Relaxed) + 1;
        let path = request.path_with_query().unwrap_or_default();
        if path == "/trap" {
            std::process::abort();
        }
        let mut bytes = 0;
        let body = request.consume();
        if let Ok(stream) = body.as_ref().map_err(|_| ()).and_then(|body| body.stream()) {
            while let Ok(part) = stream.blocking_read(4096) {
                bytes += part.len();
            }
        }
        let response = OutgoingResponse::new(Fields::new());
        let Ok(body) = response.body() else { return };
        ResponseOutparam::set(out, Ok(response));
        if let Ok(stream) = body.write() {
            let text = format!("{bytes} {:?} {path} {count}\n", request.method());
            let _ = stream.blocking_write_and_flush(text.as_bytes());
        }
        let _ = OutgoingBody::finish(body, None);
    }
}
