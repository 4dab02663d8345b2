//! What an error code of `wasi:http` means, in words.

use alloc::format;
use alloc::string::String;

use wasip2::http::types::ErrorCode;

use crate::platform::{HttpError, HttpFailure};

/// Characters of a host's own message that are shown at most.
const OWN_WORDS: usize = 200;

/// An error about a host.
pub(super) fn error(failure: HttpFailure, authority: &str, what: &str) -> HttpError {
    HttpError { failure, sentence: format!("{authority}: {what}") }
}

/// The failure that a code stands for.
pub(super) fn of_code(authority: &str, code: &ErrorCode) -> HttpError {
    let (failure, what) = plain(code);
    let mut error = error(failure, authority, what);
    if let Some(detail) = detail(code) {
        error.sentence.push_str(" (");
        error.sentence.extend(detail.chars().take(OWN_WORDS));
        error.sentence.push(')');
    }
    error
}

/// What is said besides: numbers of the protocol, and the host's own words.
fn detail(code: &ErrorCode) -> Option<String> {
    match code {
        ErrorCode::DnsError(dns) => dns.rcode.clone(),
        ErrorCode::TlsAlertReceived(alert) => alert.alert_message.clone(),
        ErrorCode::InternalError(message) => message.clone(),
        ErrorCode::HttpResponseTransferCoding(coding)
        | ErrorCode::HttpResponseContentCoding(coding) => coding.clone(),
        ErrorCode::HttpRequestHeaderSize(Some(field))
        | ErrorCode::HttpRequestTrailerSize(field)
        | ErrorCode::HttpResponseHeaderSize(field)
        | ErrorCode::HttpResponseTrailerSize(field) => field.field_name.clone(),
        _ => None,
    }
}

fn plain(code: &ErrorCode) -> (HttpFailure, &'static str) {
    use HttpFailure::{BadUrl, Broken, Denied, Malformed, Other, Timeout, Tls, Unreachable};
    match code {
        ErrorCode::DnsTimeout => (Timeout, "its address was not found in time"),
        ErrorCode::DnsError(_) => (Unreachable, "there is no address of that name"),
        ErrorCode::DestinationNotFound => (Unreachable, "there is no such host"),
        ErrorCode::DestinationUnavailable => (Unreachable, "the host cannot be reached"),
        ErrorCode::DestinationIpProhibited => (Denied, "its address is not allowed"),
        ErrorCode::DestinationIpUnroutable => (Unreachable, "there is no way to its address"),
        ErrorCode::ConnectionRefused => (Unreachable, "nobody listens there"),
        ErrorCode::ConnectionTerminated => (Broken, "the connection was ended"),
        ErrorCode::ConnectionTimeout => (Timeout, "it was not connected in time"),
        ErrorCode::ConnectionReadTimeout => (Timeout, "nothing more came in time"),
        ErrorCode::ConnectionWriteTimeout => (Timeout, "it did not take the request in time"),
        ErrorCode::ConnectionLimitReached => (Other, "too many connections are open"),
        ErrorCode::TlsProtocolError => (Tls, "no secure connection could be agreed on"),
        ErrorCode::TlsCertificateError => (Tls, "its certificate is not one to trust"),
        ErrorCode::TlsAlertReceived(_) => (Tls, "it refused the secure connection"),
        ErrorCode::HttpRequestDenied => (Denied, "the program may not ask this host"),
        ErrorCode::HttpRequestLengthRequired => (Other, "it wants the length of the request"),
        ErrorCode::HttpRequestBodySize(_) => {
            (Other, "the request has another length than was said, or is too long")
        }
        ErrorCode::HttpRequestMethodInvalid => (Other, "the method cannot be used"),
        ErrorCode::HttpRequestUriInvalid => (BadUrl, "the URL cannot be used"),
        ErrorCode::HttpRequestUriTooLong => (BadUrl, "the URL is too long"),
        ErrorCode::HttpRequestHeaderSectionSize(_) => {
            (Other, "the headers of the request are too long")
        }
        ErrorCode::HttpRequestHeaderSize(_) => (Other, "a header of the request is too long"),
        ErrorCode::HttpRequestTrailerSectionSize(_) | ErrorCode::HttpRequestTrailerSize(_) => {
            (Other, "what follows the request is too long")
        }
        ErrorCode::HttpResponseIncomplete => (Broken, "the answer ended before it was complete"),
        ErrorCode::HttpResponseHeaderSectionSize(_) => {
            (Malformed, "the headers of the answer are too long")
        }
        ErrorCode::HttpResponseHeaderSize(_) => (Malformed, "a header of the answer is too long"),
        ErrorCode::HttpResponseBodySize(_) => (Malformed, "the answer is too long"),
        ErrorCode::HttpResponseTrailerSectionSize(_) | ErrorCode::HttpResponseTrailerSize(_) => {
            (Malformed, "what follows the answer is too long")
        }
        ErrorCode::HttpResponseTransferCoding(_) => {
            (Malformed, "the answer is sent in a coding that is not known")
        }
        ErrorCode::HttpResponseContentCoding(_) => {
            (Malformed, "the answer is packed in a way that is not known")
        }
        ErrorCode::HttpResponseTimeout => (Timeout, "no answer came in time"),
        ErrorCode::HttpUpgradeFailed => (Other, "it refused to change the protocol"),
        ErrorCode::HttpProtocolError => (Malformed, "what it sent is not HTTP, or ended too early"),
        ErrorCode::LoopDetected => (Other, "the request goes round in circles"),
        ErrorCode::ConfigurationError => (Other, "the program that runs this is set up wrongly"),
        ErrorCode::InternalError(_) => (Other, "the program that runs this failed"),
    }
}
