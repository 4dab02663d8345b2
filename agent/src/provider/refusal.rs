//! Statuses that say no, and errors within an answer, as sentences.
//!
//! What a server says is quoted where it helps, as one line of at most [`MOST_QUOTED`] characters
//! without control characters (a terminal would obey them), and never with the key in it, which
//! some servers repeat.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::Value;

use super::draft::Fault;
use super::endpoint::{Endpoint, Wire, host};
use super::json;
use super::retry::Next;
use crate::platform::Response;

/// Characters of a server's own words.
const MOST_QUOTED: usize = 300;
/// Bytes of a refusal that are read.
const MOST_READ: usize = 16 << 10;

/// What an error is about, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It may be gone the next time: overload, too many requests, a fault of the server's.
    Passing,
    /// The account has no credit.
    NoCredit,
    /// Anything else.
    Lasting,
}

/// The error within what a server sent, where there is one: its kind, its words.
pub(super) fn error_of(value: &Value, endpoint: &Endpoint) -> Option<(Kind, String)> {
    let error = value.get("error").filter(|error| !error.is_null())?;
    // A text alone is what Ollama sends; an object is what both vendors send.
    let words = error.as_str().unwrap_or_else(|| json::text(error, "message"));
    let code = error.get("code");
    let names = [json::text(error, "type"), code.and_then(Value::as_str).unwrap_or("")];
    let number = code.and_then(Value::as_u64).unwrap_or(0);
    let is = |list: &[&str]| names.iter().any(|name| list.contains(name));
    let kind = if is(&["insufficient_quota"]) {
        Kind::NoCredit
    } else if is(&[
        "overloaded_error",
        "api_error",
        "timeout_error",
        "rate_limit_error",
        "server_error",
    ]) || matches!(number, 408 | 429 | 500..)
    {
        Kind::Passing
    } else {
        Kind::Lasting
    };
    Some((kind, quoted(words, endpoint)))
}

/// The words of a server as a part of a sentence.
fn quoted(words: &str, endpoint: &Endpoint) -> String {
    let words = match &endpoint.key {
        Some(key) => words.replace(key.secret(), "(key)"),
        None => String::from(words),
    };
    let line: Vec<&str> = words
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|w| !w.is_empty())
        .collect();
    let line = line.join(" ");
    match line.char_indices().nth(MOST_QUOTED) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or("")),
        None if line.is_empty() => String::from("it does not say why"),
        None => line,
    }
}

/// What a status that says no stands for. `now` is in milliseconds since 1970.
pub(super) fn fault(
    endpoint: &Endpoint,
    wire: &dyn Wire,
    model: &str,
    response: &mut Response,
    now: u64,
) -> Fault {
    let status = response.status;
    let value = read(response).and_then(|bytes| json::parse(&bytes));
    let (kind, said) = value
        .and_then(|value| {
            let words = [json::text(&value, "message"), json::text(&value, "detail")].concat();
            error_of(&value, endpoint).or_else(|| Some((Kind::Lasting, quoted(&words, endpoint))))
        })
        .unwrap_or_else(|| (Kind::Lasting, quoted("", endpoint)));

    let mut next = Next::of(response, now);
    let host_name = endpoint.host();
    let variable = &endpoint.key_variable;
    let sentence = match status {
        _ if kind == Kind::NoCredit => {
            next = Next::GiveUp;
            format!("the account at {host_name} has no credit left: look at its billing page")
        }
        // Its words may hold the key, or a part of it.
        401 if endpoint.key.is_some() => {
            format!("{host_name} refused the key: look at the environment variable {variable}")
        }
        401 => format!("{host_name} wants a key: set the environment variable {variable}"),
        403 => format!("{host_name} does not allow this with the key of {variable}: {said}"),
        404 => format!("{host_name} knows no model `{model}`, or base_url is wrong: {said}"),
        429 if wire.names_waits() && next == Next::BackOff => {
            if response.header("x-should-retry") != Some("true") {
                next = Next::GiveUp;
            }
            format!("the account at {host_name} has reached its spending limit: {said}")
        }
        429 => format!("{host_name} gets too many requests from this account: {said}"),
        503 | 529 => format!("{host_name} is overloaded: {said}"),
        500.. => format!("{host_name} failed: {said}"),
        300..=399 => {
            let place = response.header("location").map_or("", host);
            let place = if place.is_empty() { host_name } else { place };
            format!(
                "{host_name} sends elsewhere, to {}, where no key is sent: put the right address \
                 into the provider's base_url",
                quoted(place, endpoint)
            )
        }
        _ => format!("{host_name} refused the request: {said}"),
    };
    Fault { sentence: format!("{sentence} (status {status})"), next, status: Some(status) }
}

/// The beginning of a refusal; `None` where it broke off.
fn read(response: &mut Response) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 1024];
    while bytes.len() < MOST_READ {
        match response.body.read(&mut buffer).ok()? {
            0 => break,
            count => bytes.extend_from_slice(buffer.get(..count)?),
        }
    }
    Some(bytes)
}
