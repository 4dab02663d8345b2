//! Chat completions, of OpenAI and of the many that speak it: Ollama, llama.cpp, vLLM, OpenRouter.
//!
//! Source: OpenAI's API reference, `POST /chat/completions`. Where servers differ, what is read is
//! read in every form seen: the count of tokens comes in a chunk without choices, with an empty
//! choice, within the last one or never; calls come with their number, with ids alone, or whole;
//! an error may come in the middle of a stream.
//!
//! What it must never do: fail at a part of an answer that it does not know, or send arguments that
//! are no object: some servers would refuse this request and each one after it.

use alloc::string::String;

use super::draft::{Draft, Fault};
use super::endpoint::{self, Endpoint, Wire};
use super::{Answer, Error, Flow, Message, Provider, Question, Stop, ToolCall};
use crate::json::{Json, Value};
use crate::platform::Platform;

/// OpenAI's own address.
pub const BASE_URL: &str = "https://api.openai.com/v1";

/// Bytes that are sent of arguments that are no object: they are in memory twice.
const MOST_INVALID: usize = 4 << 10;

/// A server that speaks chat completions.
#[derive(Clone, Debug)]
pub struct OpenAi {
    endpoint: Endpoint,
    limit_name: &'static str,
}

impl OpenAi {
    /// A server at an address such as [`BASE_URL`] or `http://localhost:11434/v1`.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        // OpenAI's newer models refuse the old name, other servers know nothing but that.
        let own = endpoint.host() == endpoint::host(BASE_URL);
        Self { endpoint, limit_name: if own { "max_completion_tokens" } else { "max_tokens" } }
    }
}

impl Provider for OpenAi {
    fn name(&self) -> &str {
        "openai"
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

impl Wire for OpenAi {
    fn path(&self, _: &str) -> &'static str {
        "/chat/completions"
    }

    fn key_header(&self) -> (&'static str, &'static str) {
        ("authorization", "Bearer ")
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    fn names_waits(&self) -> bool {
        false
    }

    fn body(&self, question: &Question<'_>) -> String {
        let mut json = Json::object_of(question.quoted_len());
        json.text("model", question.model);
        json.count(self.limit_name, question.max_tokens.into());
        if let Some(temperature) = question.temperature {
            json.decimal("temperature", (temperature.clamp(0.0, 2.0) * 100.0 + 0.5) as u64, 2);
        }
        json.truth("stream", question.stream);
        if question.stream {
            json.key("stream_options").raw("{\"include_usage\":true}");
        }
        json.begin("messages", '[');
        if !question.system.is_empty() {
            said(&mut json, "system", question.system);
            json.close('}');
        }
        for message in question.messages {
            match message {
                Message::User(text) => said(&mut json, "user", text),
                Message::Assistant { text, calls } => {
                    said(&mut json, "assistant", text);
                    write_calls(&mut json, calls);
                }
                Message::Result { id, content, .. } => {
                    said(&mut json, "tool", content);
                    json.text("tool_call_id", id);
                }
            }
            json.close('}');
        }
        json.close(']');
        if !question.tools.is_empty() {
            json.begin("tools", '[');
            for tool in question.tools {
                json.open('{');
                json.text("type", "function");
                json.begin("function", '{');
                json.text("name", tool.name);
                json.text("description", tool.description);
                json.key("parameters").raw(tool.parameters);
                json.close('}');
                json.close('}');
            }
            json.close(']');
        }
        if question.must_call {
            json.text("tool_choice", "required");
        }
        json.done()
    }

    fn event(&self, event: &Value, draft: &mut Draft) -> Result<(), Fault> {
        count(event, draft);
        let Some(choice) = event["choices"].list().first() else { return Ok(()) };
        take_message(&choice["delta"], false, draft)?;
        finish(choice, draft)
    }

    fn whole(&self, answer: &Value, draft: &mut Draft) -> Result<(), Fault> {
        count(answer, draft);
        let choice = answer["choices"].list().first().unwrap_or(&Value::Null);
        let message = &choice["message"];
        if message.is_null() {
            let host = self.endpoint.host();
            return Err(Fault::lasting(alloc::format!(
                "{host} answered with JSON that is no chat completion: is base_url right?"
            )));
        }
        take_message(message, true, draft)?;
        finish(choice, draft)
    }
}

/// Begins a message.
fn said(json: &mut Json, role: &str, content: &str) {
    json.open('{');
    json.text("role", role);
    json.text("content", content);
}

fn write_calls(json: &mut Json, calls: &[ToolCall]) {
    if calls.is_empty() {
        return;
    }
    json.begin("tool_calls", '[');
    for call in calls {
        json.open('{');
        json.text("id", &call.id);
        json.text("type", "function");
        json.begin("function", '{');
        json.text("name", &call.name);
        let arguments = call.arguments.trim();
        match endpoint::parse(arguments.as_bytes()) {
            Ok(Value::Object(_)) => json.text("arguments", arguments),
            // Some servers parse it, and would refuse this request and each one after it.
            _ => json.text("arguments", &invalid(arguments)),
        }
        json.close('}');
        json.close('}');
    }
    json.close(']');
}

/// An object with what the model wrote that is none: it has to see what it was.
fn invalid(arguments: &str) -> String {
    let mut object = Json::object();
    if !arguments.is_empty() {
        let end = arguments.floor_char_boundary(MOST_INVALID);
        object.text("invalid", arguments.get(..end).unwrap_or(arguments));
    }
    object.done()
}

/// Takes a whole message, or what is new in one.
fn take_message(message: &Value, whole: bool, draft: &mut Draft) -> Result<(), Fault> {
    draft.say(message["content"].text())?;
    let refusal = message["refusal"].text();
    if !refusal.is_empty() {
        draft.say(refusal)?;
        draft.refused = true;
    }
    for (place, call) in message["tool_calls"].list().iter().enumerate() {
        let id = call["id"].text();
        let function = &call["function"];
        let arguments = match &function["arguments"] {
            Value::Text(text) => text.clone(),
            // Some servers give the object itself.
            value @ Value::Object(_) => value.print(),
            _ => String::new(),
        };
        let index = call["index"].as_u64().or(whole.then_some(place as u64));
        draft.call(index, id, function["name"].text(), &arguments)?;
    }
    Ok(())
}

fn count(value: &Value, draft: &mut Draft) {
    let usage = &value["usage"];
    draft.usage.input = usage["prompt_tokens"].as_u64().unwrap_or(draft.usage.input);
    draft.usage.output = usage["completion_tokens"].as_u64().unwrap_or(draft.usage.output);
}

fn finish(choice: &Value, draft: &mut Draft) -> Result<(), Fault> {
    let stop = match choice["finish_reason"].text() {
        "" => return Ok(()),
        "length" => Stop::Length,
        "tool_calls" | "function_call" => Stop::Tools,
        "content_filter" => Stop::Refused,
        "error" => return Err(Fault::passing("the provider ended the answer with an error")),
        _ if draft.refused => Stop::Refused,
        _ => Stop::End,
    };
    draft.stop = Some(stop);
    Ok(())
}
