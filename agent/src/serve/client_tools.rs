//! Tools that an OpenAI client offers: read from its request, offered to the model beside our own,
//! and the model's calls of them written into the answer. The client carries them out.
//!
//! What it must never do: carry one out, or let one stand in the place of the memory's own.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::Reply;
use super::chat::refusal;
use crate::json::{Json, Value};
use crate::provider::{Message, ToolCall};
use crate::session::{Offer, Session};
use crate::tools;

/// Letters of a name, at most.
const NAME: usize = 64;

/// Takes the tools that a request offers, and whether one must be called. Where that is to be a
/// certain one, it alone is offered.
pub(super) fn offers(given: &Value, session: &mut Session) -> Result<(), Reply> {
    let choice = &given["tool_choice"];
    let all = &mut session.tools;
    *all = offered(given)?;
    session.must_call = match choice.text() {
        "none" => {
            all.clear();
            return Ok(());
        }
        "auto" => false,
        "" if choice.is_null() => false,
        "required" => true,
        _ => {
            let name = choice["function"]["name"].text();
            all.retain(|tool| tool.name == name);
            true
        }
    };
    if session.must_call && all.is_empty() {
        return Err(refusal(
            "tool_choice: auto, none, required or the function of one of the tools expected",
        ));
    }
    Ok(())
}

fn offered(given: &Value) -> Result<Vec<Offer>, Reply> {
    let mut all = Vec::new();
    for tool in given["tools"].list() {
        let function = &tool["function"];
        let name = function["name"].text();
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        if !(1..=NAME).contains(&name.len()) || !name.bytes().all(fits) || tools::is_own(name) {
            return Err(refusal(
                "tools: names of 1 to 64 letters, other than the memory's, expected",
            ));
        }
        let parameters = match &function["parameters"] {
            schema @ Value::Object(_) => schema.print(),
            _ => "{\"type\":\"object\",\"properties\":{}}".to_string(),
        };
        let description = function["description"].text().to_string();
        all.push(Offer { name: name.to_string(), description, parameters });
    }
    Ok(all)
}

/// The calls of a message of the history.
pub(super) fn called(message: &Value) -> Result<Vec<ToolCall>, Reply> {
    let mut all = Vec::new();
    for call in message["tool_calls"].list() {
        let function = &call["function"];
        let texts = [&call["id"], &function["name"], &function["arguments"]];
        let [id, name, arguments] = texts.map(|value| value.text().to_string());
        if id.is_empty() || name.is_empty() {
            return Err(refusal("tool_calls: each with an id and a name expected"));
        }
        all.push(ToolCall { id, name, arguments });
    }
    Ok(all)
}

/// Whether the last message that is no result has a call of this id.
pub(super) fn waits(session: &Session, id: &str) -> bool {
    let mut before = session.messages.iter().rev();
    let last = before.find(|said| !matches!(said.message, Message::Result { .. }));
    last.is_some_and(|said| match &said.message {
        Message::Assistant { calls, .. } => calls.iter().any(|call| call.id == id),
        _ => false,
    })
}

/// Writes calls as the member `tool_calls`.
pub(super) fn write(calls: &[ToolCall], is_numbered: bool, json: &mut Json) {
    json.begin("tool_calls", '[');
    for (at, call) in calls.iter().enumerate() {
        json.open('{');
        if is_numbered {
            json.count("index", at as u64);
        }
        json.text("id", &call.id);
        json.text("type", "function");
        json.begin("function", '{');
        json.text("name", &call.name);
        // A tool without parameters: Anthropic sends nothing, and clients parse what they get.
        let arguments = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
        json.text("arguments", arguments);
        json.close('}');
        json.close('}');
    }
    json.close(']');
}
