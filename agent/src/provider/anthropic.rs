//! Anthropic's messages.
//!
//! Source: Anthropic's API reference, `POST /v1/messages`, and its page on streaming. Blocks of an
//! answer have numbers and may interleave; events that nobody here knows are skipped, as that page
//! asks. The history is brought into the form that is wanted: turns of the two sides in turn, all
//! results in the turn after the calls and before any text, no empty text.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde_json::Value;

use super::draft::{Draft, Fault};
use super::endpoint::{self, Endpoint, Wire};
use super::json::{self, Json};
use super::{Answer, Error, Flow, Message, Provider, Question, Stop, ToolCall};
use crate::platform::Platform;

/// Anthropic's own address.
pub const BASE_URL: &str = "https://api.anthropic.com";

/// A server that speaks messages.
#[derive(Clone, Debug)]
pub struct Anthropic {
    endpoint: Endpoint,
}

impl Anthropic {
    /// A server at an address such as [`BASE_URL`].
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }
}

impl Provider for Anthropic {
    fn name(&self) -> &str {
        "anthropic"
    }

    fn ask(
        &self,
        platform: &Platform<'_>,
        question: &Question<'_>,
        show: &mut dyn FnMut(&str) -> Flow,
    ) -> Result<Answer, Error> {
        endpoint::ask(&self.endpoint, self, platform, question, show)
    }
}

impl Wire for Anthropic {
    fn path(&self, base_url: &str) -> &'static str {
        // Both forms of address are in use.
        if base_url.ends_with("/v1") { "/messages" } else { "/v1/messages" }
    }

    fn key_header(&self) -> (&'static str, &'static str) {
        ("x-api-key", "")
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[("anthropic-version", "2023-06-01")]
    }

    fn names_waits(&self) -> bool {
        true
    }

    fn body(&self, question: &Question<'_>) -> String {
        let mut json = Json::object();
        json.key("model").string(question.model);
        json.key("max_tokens").number(question.max_tokens);
        if let Some(temperature) = question.temperature {
            json.key("temperature").hundredths((temperature.clamp(0.0, 1.0) * 100.0 + 0.5) as u32);
        }
        json.key("stream").boolean(question.stream);
        if !question.system.trim().is_empty() {
            json.key("system").string(question.system);
        }
        json.key("messages").open('[');
        let is_answer = |message: &Message| matches!(message, Message::Assistant { .. });
        let messages: Vec<&Message> =
            question.messages.iter().filter(|message| !is_empty(message)).collect();
        for turn in messages.chunk_by(|a, b| is_answer(a) == is_answer(b)) {
            json.open('{');
            let role =
                if turn.iter().any(|message| is_answer(message)) { "assistant" } else { "user" };
            json.key("role").string(role);
            json.key("content").open('[');
            turn.iter().for_each(|message| write_result(&mut json, message));
            turn.iter().for_each(|message| write_said(&mut json, message));
            json.close(']');
            json.close('}');
        }
        json.close(']');
        if !question.tools.is_empty() {
            json.key("tools").open('[');
            for tool in question.tools {
                json.open('{');
                json.key("name").string(tool.name);
                json.key("description").string(tool.description);
                json.key("input_schema").raw(tool.parameters);
                json.close('}');
            }
            json.close(']');
        }
        json.done()
    }

    fn event(&self, event: &Value, draft: &mut Draft) -> Result<(), Fault> {
        let part = |name| event.get(name).unwrap_or(&Value::Null);
        let index = json::count(event, "index");
        match json::text(event, "type") {
            "message_start" => {
                count(part("message"), draft);
            }
            "content_block_start" => take_block(part("content_block"), index, draft)?,
            "content_block_delta" => {
                let delta = part("delta");
                match json::text(delta, "type") {
                    "text_delta" => draft.say(json::text(delta, "text"))?,
                    "input_json_delta" => {
                        draft.call(index, "", "", json::text(delta, "partial_json"))?;
                    }
                    _ => {}
                }
            }
            "message_delta" => {
                count(event, draft);
                stop(part("delta"), draft);
            }
            "message_stop" => draft.done = true,
            _ => {}
        }
        Ok(())
    }

    fn whole(&self, answer: &Value, draft: &mut Draft) -> Result<(), Fault> {
        let Some(blocks) = answer.get("content").and_then(Value::as_array) else {
            let host = self.endpoint.host();
            return Err(Fault::lasting(format!(
                "{host} answered with JSON that is no message: is base_url right?"
            )));
        };
        for (place, block) in blocks.iter().enumerate() {
            take_block(block, Some(place as u64), draft)?;
        }
        count(answer, draft);
        stop(answer, draft);
        Ok(())
    }
}

/// Takes a block: a whole one, or the beginning of one.
fn take_block(block: &Value, index: Option<u64>, draft: &mut Draft) -> Result<(), Fault> {
    match json::text(block, "type") {
        "text" => draft.say(json::text(block, "text")),
        "tool_use" => {
            let input = block.get("input").and_then(Value::as_object);
            // A stream begins with an empty one and sends the text of it in parts.
            let arguments = match input.filter(|input| !input.is_empty()) {
                Some(_) => block.get("input").map(Value::to_string).unwrap_or_default(),
                None => String::new(),
            };
            draft.call(index, json::text(block, "id"), json::text(block, "name"), &arguments)
        }
        _ => Ok(()),
    }
}

fn count(value: &Value, draft: &mut Draft) {
    let Some(usage) = value.get("usage").filter(|usage| usage.is_object()) else { return };
    if let Some(input) = json::count(usage, "input_tokens") {
        // What comes from the vendor's cache, or goes there, was read as well.
        let cached = ["cache_read_input_tokens", "cache_creation_input_tokens"]
            .map(|name| json::count(usage, name).unwrap_or(0));
        draft.usage.input = cached.into_iter().fold(input, u64::saturating_add);
    }
    draft.usage.output = json::count(usage, "output_tokens").unwrap_or(draft.usage.output);
}

fn stop(value: &Value, draft: &mut Draft) {
    draft.stop = match json::text(value, "stop_reason") {
        "" => return,
        "tool_use" => Some(Stop::Tools),
        "max_tokens" | "model_context_window_exceeded" => Some(Stop::Length),
        "refusal" => Some(Stop::Refused),
        _ => Some(Stop::End),
    };
}

/// Whether nothing of a message can be sent.
fn is_empty(message: &Message) -> bool {
    match message {
        Message::User(text) => text.trim().is_empty(),
        Message::Assistant { text, calls } => text.trim().is_empty() && calls.is_empty(),
        Message::Result { .. } => false,
    }
}

fn write_result(json: &mut Json, message: &Message) {
    if let Message::Result { id, content, failed, .. } = message {
        json.open('{');
        json.key("type").string("tool_result");
        json.key("tool_use_id").string(&accepted(id));
        json.key("content").string(content);
        json.key("is_error").boolean(*failed);
        json.close('}');
    }
}

fn write_said(json: &mut Json, message: &Message) {
    let (text, calls) = match message {
        Message::User(text) => (text, [].as_slice()),
        Message::Assistant { text, calls } => (text, calls.as_slice()),
        Message::Result { .. } => return,
    };
    if !text.trim().is_empty() {
        json.open('{');
        json.key("type").string("text");
        json.key("text").string(text);
        json.close('}');
    }
    for call in calls {
        write_call(json, call);
    }
}

fn write_call(json: &mut Json, call: &ToolCall) {
    json.open('{');
    json.key("type").string("tool_use");
    json.key("id").string(&accepted(&call.id));
    json.key("name").string(&call.name);
    let arguments = call.arguments.trim();
    match json::parse(arguments.as_bytes()) {
        Some(Value::Object(_)) => json.key("input").raw(arguments),
        _ => {
            json.key("input").open('{');
            // What the model wrote is no object: it has to see what it was.
            if !arguments.is_empty() {
                json.key("invalid").string(arguments);
            }
            json.close('}');
        }
    }
    json.close('}');
}

/// An id with only the characters that are accepted; other vendors use more.
fn accepted(id: &str) -> String {
    let accepted = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    id.chars().map(accepted).collect()
}
