//! What `serve` calls: answers with the bytes of the body, the method, the path and the count of
//! requests that this instance has had. The path may say what to do before: see [`work`]. Behind
//! `/begun` the answer begins before that is done.

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
        let mut bytes = 0;
        let body = request.consume();
        if let Ok(stream) = body.as_ref().map_err(|_| ()).and_then(|body| body.stream()) {
            while let Ok(part) = stream.blocking_read(4096) {
                bytes += part.len();
            }
        }
        let words: Vec<&str> = path.split('/').skip(1).collect();
        let (begun, words) = match words.as_slice() {
            ["begun", words @ ..] => (true, words),
            words => (false, words),
        };
        let done = if begun { String::new() } else { work(words) };
        let response = OutgoingResponse::new(Fields::new());
        let Ok(body) = response.body() else { return };
        ResponseOutparam::set(out, Ok(response));
        if let Ok(stream) = body.write() {
            let say = |text: &str| drop(stream.blocking_write_and_flush(text.as_bytes()));
            if begun {
                say("begun\n");
                say(&work(words));
            }
            say(&format!("{done}{bytes} {:?} {path} {count}\n", request.method()));
        }
        let _ = OutgoingBody::finish(body, None);
    }
}

/// Does what the words say, and says how it ended.
fn work(words: &[&str]) -> String {
    match words {
        ["trap"] => std::process::abort(),
        ["get", address] => match crate::http::get(&format!("http://{address}/x"), |_| {}) {
            Ok(()) => String::from("got\n"),
            Err(sentence) => format!("{sentence}\n"),
        },
        ["sleep", seconds] => {
            crate::sleep(seconds);
            String::from("slept\n")
        }
        ["pause", times] => {
            crate::pause(times);
            String::from("paused\n")
        }
        _ => String::new(),
    }
}
