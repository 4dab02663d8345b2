//! A GET, its body piece by piece.

use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{Fields, IncomingBody, IncomingResponse, OutgoingRequest, Scheme};
use wasip2::io::streams::StreamError;

/// Asks `url`; a failure says which code of `wasi:http` it was.
pub(crate) fn get(url: &str, mut piece: impl FnMut(&[u8])) -> Result<(), String> {
    let (scheme, rest) = match url.split_once("://") {
        Some(("http", rest)) => (Scheme::Http, rest),
        Some(("https", rest)) => (Scheme::Https, rest),
        _ => return Err(format!("a URL expected, found {url}")),
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let request = OutgoingRequest::new(Fields::new());
    let set = request
        .set_scheme(Some(&scheme))
        .and_then(|()| request.set_authority(Some(authority)))
        .and_then(|()| request.set_path_with_query(Some(&format!("/{path}"))));
    set.map_err(|()| format!("a URL expected, found {url}"))?;
    let answer = handle(request, None).map_err(|code| format!("{code:?}"))?;
    let pollable = answer.subscribe();
    let response: IncomingResponse = loop {
        match answer.get() {
            Some(Ok(Ok(response))) => break response,
            Some(Ok(Err(code))) => return Err(format!("{code:?}")),
            Some(Err(())) => return Err("the answer was taken already".into()),
            None => pollable.block(),
        }
    };
    let body = response.consume().map_err(|()| "no body")?;
    let outcome = read(&body, &mut piece);
    IncomingBody::finish(body);
    outcome
}

fn read(body: &IncomingBody, piece: &mut impl FnMut(&[u8])) -> Result<(), String> {
    let stream = body.stream().map_err(|()| "no stream")?;
    loop {
        match stream.blocking_read(4096) {
            Ok(bytes) => piece(&bytes),
            Err(StreamError::Closed) => return Ok(()),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(error.to_debug_string());
            }
        }
    }
}
