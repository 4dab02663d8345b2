//! Anthropic's messages.
//!
//! Source: Anthropic's API reference, `POST /v1/messages`, and its page on streaming. Blocks of an
//! answer have numbers and may interleave; events that nobody here knows are skipped, as that page
//! asks. The history is brought into the form that is wanted: turns of the two sides in turn, all
//! results in the turn after the calls and before any text, no empty text.
//!
//! Why: one thing out of form, and the server refuses the whole conversation, now and at
//! each further turn. A session may have begun with another vendor, so ids of calls are
//! brought to the characters that are accepted here.
//!
//! What it must never do: fail at an event or a block that it does not know, or hide from the
//! model what it wrote as arguments where that is no object.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::draft::{Draft, Fault};
use super::endpoint::{self, Endpoint, Wire};
use super::{
    Answer, Error, Flow, Message, Provider, Question, Stop, ToolCall, accepted, accepted_name,
};
use crate::json::{Json, Value};
use crate::platform::Platform;
use crate::platform::url::host;

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
        // Others that speak this form leave it out: LiteLLM while a model has a rest.
        self.endpoint.host() == host(BASE_URL)
    }

    fn body(&self, question: &Question<'_>) -> String {
        let mut json = Json::object_of(question.quoted_len());
        json.text("model", question.model);
        json.count("max_tokens", question.max_tokens.into());
        if let Some(hundredths) = self.endpoint.temperature(question, 1.0) {
            json.decimal("temperature", hundredths, 2);
        }
        json.truth("stream", question.stream);
        if !question.system.trim().is_empty() {
            json.text("system", question.system);
        }
        json.begin("messages", '[');
        let is_answer = |message: &Message| matches!(message, Message::Assistant { .. });
        let messages: Vec<&Message> =
            question.messages.iter().filter(|message| !message.is_empty()).collect();
        for turn in messages.chunk_by(|a, b| is_answer(a) == is_answer(b)) {
            json.open('{');
            let role =
                if turn.iter().any(|message| is_answer(message)) { "assistant" } else { "user" };
            json.text("role", role);
            json.begin("content", '[');
            turn.iter().for_each(|message| write_result(&mut json, message));
            turn.iter().for_each(|message| write_said(&mut json, message));
            json.close(']');
            json.close('}');
        }
        json.close(']');
        if !question.tools.is_empty() {
            json.begin("tools", '[');
            for tool in question.tools {
                json.open('{');
                json.text("name", tool.name);
                json.text("description", tool.description);
                json.key("input_schema").raw(tool.parameters);
                json.close('}');
            }
            json.close(']');
        }
        if question.must_call {
            json.key("tool_choice").raw("{\"type\":\"any\"}");
        }
        if !question.stops.is_empty() {
            json.texts("stop_sequences", question.stops);
        }
        json.done()
    }

    /// One of white space alone is an error there.
    fn takes_stops(&self, stops: &[String]) -> bool {
        stops.iter().all(|stop| !stop.trim().is_empty())
    }

    fn event(&self, event: &Value, draft: &mut Draft) -> Result<(), Fault> {
        let index = event["index"].as_u64();
        match event["type"].text() {
            "message_start" => {
                count(&event["message"], draft);
            }
            "content_block_start" => take_block(&event["content_block"], index, draft)?,
            "content_block_delta" => {
                let delta = &event["delta"];
                match delta["type"].text() {
                    "text_delta" => draft.say(delta["text"].text())?,
                    "input_json_delta" => {
                        draft.call(index, "", "", delta["partial_json"].text())?;
                    }
                    _ => {}
                }
            }
            "message_delta" => {
                count(event, draft);
                stop(&event["delta"], draft);
            }
            "message_stop" => draft.done = true,
            _ => {}
        }
        Ok(())
    }

    fn whole(&self, answer: &Value, draft: &mut Draft) -> Result<(), Fault> {
        let Some(blocks) = answer["content"].as_list() else {
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
    match block["type"].text() {
        "text" => draft.say(block["text"].text()),
        "tool_use" => {
            let input = &block["input"];
            // A stream begins with an empty one and sends the text of it in parts.
            let arguments = match input.as_object().unwrap_or_default() {
                [] => String::new(),
                _ => input.print(),
            };
            draft.call(index, block["id"].text(), block["name"].text(), &arguments)
        }
        _ => Ok(()),
    }
}

fn count(value: &Value, draft: &mut Draft) {
    let usage = &value["usage"];
    if let Some(input) = usage["input_tokens"].as_u64() {
        // What comes from the vendor's cache, or goes there, was read as well.
        let cached = ["cache_read_input_tokens", "cache_creation_input_tokens"]
            .map(|name| usage[name].as_u64().unwrap_or(0));
        draft.usage.input = cached.into_iter().fold(input, u64::saturating_add);
    }
    draft.usage.output = usage["output_tokens"].as_u64().unwrap_or(draft.usage.output);
}

fn stop(value: &Value, draft: &mut Draft) {
    draft.stop = match value["stop_reason"].text() {
        "" => return,
        "tool_use" => Some(Stop::Tools),
        "max_tokens" | "model_context_window_exceeded" => Some(Stop::Length),
        "refusal" => Some(Stop::Refused),
        _ => Some(Stop::End),
    };
}

fn write_result(json: &mut Json, message: &Message) {
    if let Message::Result { id, content, failed, .. } = message {
        json.open('{');
        json.text("type", "tool_result");
        json.text("tool_use_id", &accepted(id));
        json.text("content", content);
        json.truth("is_error", *failed);
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
        json.text("type", "text");
        json.text("text", text);
        json.close('}');
    }
    for call in calls {
        write_call(json, call);
    }
}

fn write_call(json: &mut Json, call: &ToolCall) {
    json.open('{');
    json.text("type", "tool_use");
    json.text("id", &accepted(&call.id));
    json.text("name", &accepted_name(&call.name));
    let arguments = call.arguments.trim();
    match endpoint::parse(arguments.as_bytes()) {
        Ok(Value::Object(_)) => json.key("input").raw(arguments),
        _ => {
            json.begin("input", '{');
            // What the model wrote is no object: it has to see what it was.
            if !arguments.is_empty() {
                json.text("invalid", arguments);
            }
            json.close('}');
        }
    }
    json.close('}');
}
