//! Statuses that say no, and errors within an answer, as sentences.
//!
//! What a server says is quoted where it helps, as one line of at most [`MOST_QUOTED`] characters.
//!
//! What it must never do: quote the key, which some servers repeat, or a control character, which
//! a terminal would obey.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::draft::Fault;
use super::endpoint::{Endpoint, Wire, parse};
use super::fields;
use super::retry::Next;
use crate::json::Value;
use crate::platform::Response;
use crate::platform::url::host;
use crate::text;

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
    let error = &value["error"];
    if error.is_null() {
        return None;
    }
    // A text alone is what Ollama sends; an object is what both vendors send.
    let words = error.as_text().unwrap_or_else(|| error["message"].text());
    let code = &error["code"];
    let names = [error["type"].text(), code.text()];
    let number = code.as_u64().unwrap_or(0);
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
        Some(key) => text::replaced(words, key.secret(), "(key)"),
        None => String::from(words),
    };
    let mut line = String::new();
    let mut blank = false;
    for (count, c) in words.trim().chars().enumerate() {
        if count == MOST_QUOTED {
            line.push('…');
            break;
        }
        if !c.is_whitespace() && !c.is_control() {
            if core::mem::take(&mut blank) {
                line.push(' ');
            }
            line.push(c);
        } else {
            blank = !line.is_empty();
        }
    }
    if line.is_empty() { String::from("it does not say why") } else { line }
}

/// What a status that says no stands for. `now` is in milliseconds since 1970.
pub(super) fn fault(
    endpoint: &Endpoint,
    wire: &dyn Wire,
    response: &mut Response,
    now: u64,
) -> Fault {
    let status = response.status;
    let value = read(response).and_then(|bytes| parse(&bytes).ok());
    let field = match (status, &value) {
        (400 | 422, Some(value)) => fields::named(&value["error"]),
        _ => None,
    };
    let (kind, said) = value
        .and_then(|value| {
            let words = [value["message"].text(), value["detail"].text()].concat();
            error_of(&value, endpoint).or_else(|| Some((Kind::Lasting, quoted(&words, endpoint))))
        })
        .unwrap_or_else(|| (Kind::Lasting, quoted("", endpoint)));

    let mut next = Next::of(response, now);
    let said = said.as_str();
    let variable = endpoint.key_variable.as_str();
    let place;
    // What follows the host, and what ends the sentence.
    let (middle, end) = match status {
        _ if kind == Kind::NoCredit => {
            next = Next::GiveUp;
            ("says that the account has no credit left: look at its billing page", "")
        }
        // Its words may hold the key, or a part of it.
        401 if endpoint.key.is_some() => {
            ("refused the key: look at the environment variable ", variable)
        }
        401 => ("wants a key: set the environment variable ", variable),
        403 => ("does not allow this with this key: ", said),
        404 => ("knows no such model, or base_url is wrong: ", said),
        429 if wire.names_waits() && next == Next::BackOff => {
            if response.header("x-should-retry") != Some("true") {
                next = Next::GiveUp;
            }
            ("says that the account has reached its spending limit: ", said)
        }
        429 => ("gets too many requests from this account: ", said),
        503 | 529 => ("is overloaded: ", said),
        500.. => ("failed: ", said),
        300..=399 => {
            place = quoted(response.header("location").map_or("", host), endpoint);
            (
                "sends elsewhere, where no key goes: put the right base_url into the config, at ",
                &*place,
            )
        }
        _ => ("refused the request: ", said),
    };
    let host = endpoint.host();
    let sentence = format!("{host} {middle}{end} (status {status})");
    let mut fault = Fault::new(sentence, next, Some(status));
    fault.0.field = field;
    fault
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
