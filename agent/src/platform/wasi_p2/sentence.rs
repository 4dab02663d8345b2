//! What an error code of `wasi:http` means, in words.
//!
//! Why: what a host says beside a code differs from host to host, and may be nothing. So
//! the sentence is from here, and the host's words stand behind it, cut.
//!
//! What it must never do: bring the codes into another order than that of `wasi:http/types`:
//! what is tried again depends on it too.

use alloc::format;

use super::raw::Code;
use crate::platform::{HttpError, HttpFailure};
use crate::text::first;

/// Characters of a host's own message that are shown at most.
const OWN_WORDS: usize = 200;

/// An error about a host.
pub(super) fn error(failure: HttpFailure, authority: &str, what: &str) -> HttpError {
    HttpError { failure, sentence: format!("{authority}: {what}") }
}

/// The failure that a code stands for.
pub(super) fn of_code(authority: &str, code: Code) -> HttpError {
    // A newer host may know more of them; the last one is an error of any kind.
    let last = CODES.len() - 1;
    let (failure, what) = CODES[usize::from(code.number).min(last)];
    let mut error = error(failure, authority, what);
    if let Some(detail) = code.detail {
        error.sentence.push_str(" (");
        error.sentence.push_str(first(&detail, OWN_WORDS));
        error.sentence.push(')');
    }
    error
}

use HttpFailure::{BadUrl, Broken, Denied, Malformed, Other, Timeout, Tls, Unreachable};

/// What each code means, in the order of `wasi:http/types`.
const CODES: [(HttpFailure, &str); 39] = [
    (Timeout, "its address was not found in time"),
    (Unreachable, "there is no address of that name"),
    (Unreachable, "there is no such host"),
    (Unreachable, "the host cannot be reached"),
    (Denied, "its address is not allowed"),
    (Unreachable, "there is no way to its address"),
    (Unreachable, "nobody listens there"),
    (Broken, "the connection was ended"),
    (Timeout, "it was not connected in time"),
    (Timeout, "nothing more came in time"),
    (Timeout, "it did not take the request in time"),
    (Other, "too many connections are open"),
    (Tls, "no secure connection could be agreed on"),
    (Tls, "its certificate is not one to trust"),
    (Tls, "it refused the secure connection"),
    (Denied, "the program may not ask this host"),
    (Other, "it wants the length of the request"),
    (Other, "the request has another length than was said, or is too long"),
    (Other, "the method cannot be used"),
    (BadUrl, "the URL cannot be used"),
    (BadUrl, "the URL is too long"),
    (Other, "the headers of the request are too long"),
    (Other, "a header of the request is too long"),
    (Other, "what follows the request is too long"),
    (Other, "what follows the request is too long"),
    (Broken, "the answer ended before it was complete"),
    (Malformed, "the headers of the answer are too long"),
    (Malformed, "a header of the answer is too long"),
    (Malformed, "the answer is too long"),
    (Malformed, "what follows the answer is too long"),
    (Malformed, "what follows the answer is too long"),
    (Malformed, "the answer is sent in a coding that is not known"),
    (Malformed, "the answer is packed in a way that is not known"),
    (Timeout, "no answer came in time"),
    (Other, "it refused to change the protocol"),
    (Malformed, "what it sent is not HTTP, or ended too early"),
    (Other, "the request goes round in circles"),
    (Other, "the program that runs this is set up wrongly"),
    (Other, "the program that runs this failed"),
];
