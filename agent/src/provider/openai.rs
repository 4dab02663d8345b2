//! Chat completions, of OpenAI and of the many that speak it: Ollama, llama.cpp, vLLM, OpenRouter.
//!
//! Source: OpenAI's API reference, `POST /chat/completions`. Where servers differ, what is read is
//! read in every form seen: the count of tokens comes in a chunk without choices, with an empty
//! choice, within the last one or never; calls come with their number, with ids alone, or whole;
//! an error may come in the middle of a stream.

use alloc::string::{String, ToString as _};

use serde_json::Value;

use super::draft::{Draft, Fault};
use super::endpoint::{self, Endpoint, Wire};
use super::json::{self, Json};
use super::{Answer, Error, Flow, Message, Provider, Question, Stop, ToolCall};
use crate::platform::Platform;

/// OpenAI's own address.
pub const BASE_URL: &str = "https://api.openai.com/v1";

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
        let mut json = Json::object();
        json.key("model").string(question.model);
        json.key(self.limit_name).number(question.max_tokens);
        if let Some(temperature) = question.temperature {
            json.key("temperature").hundredths((temperature.clamp(0.0, 2.0) * 100.0 + 0.5) as u32);
        }
        json.key("stream").boolean(question.stream);
        if question.stream {
            json.key("stream_options").raw("{\"include_usage\":true}");
        }
        json.key("messages").open('[');
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
                    json.key("tool_call_id").string(id);
                }
            }
            json.close('}');
        }
        json.close(']');
        if !question.tools.is_empty() {
            json.key("tools").open('[');
            for tool in question.tools {
                json.open('{');
                json.key("type").string("function");
                json.key("function").open('{');
                json.key("name").string(tool.name);
                json.key("description").string(tool.description);
                json.key("parameters").raw(tool.parameters);
                json.close('}');
                json.close('}');
            }
            json.close(']');
        }
        json.done()
    }

    fn event(&self, event: &Value, draft: &mut Draft) -> Result<(), Fault> {
        count(event, draft);
        let Some(choice) = json::list(event, "choices").first() else { return Ok(()) };
        if let Some(delta) = choice.get("delta") {
            take_message(delta, false, draft)?;
        }
        finish(choice, draft)
    }

    fn whole(&self, answer: &Value, draft: &mut Draft) -> Result<(), Fault> {
        count(answer, draft);
        let message = json::list(answer, "choices")
            .first()
            .and_then(|choice| Some((choice, choice.get("message")?)));
        let Some((choice, message)) = message else {
            let host = self.endpoint.host();
            return Err(Fault::lasting(alloc::format!(
                "{host} answered with JSON that is no chat completion: is base_url right?"
            )));
        };
        take_message(message, true, draft)?;
        finish(choice, draft)
    }
}

/// Begins a message.
fn said(json: &mut Json, role: &str, content: &str) {
    json.open('{');
    json.key("role").string(role);
    json.key("content").string(content);
}

fn write_calls(json: &mut Json, calls: &[ToolCall]) {
    if calls.is_empty() {
        return;
    }
    json.key("tool_calls").open('[');
    for call in calls {
        json.open('{');
        json.key("id").string(&call.id);
        json.key("type").string("function");
        json.key("function").open('{');
        json.key("name").string(&call.name);
        // Some servers parse it, and an empty text is no JSON.
        let arguments = call.arguments.trim();
        json.key("arguments").string(if arguments.is_empty() { "{}" } else { arguments });
        json.close('}');
        json.close('}');
    }
    json.close(']');
}

/// Takes a whole message, or what is new in one.
fn take_message(message: &Value, whole: bool, draft: &mut Draft) -> Result<(), Fault> {
    draft.say(json::text(message, "content"))?;
    let refusal = json::text(message, "refusal");
    if !refusal.is_empty() {
        draft.say(refusal)?;
        draft.refused = true;
    }
    for (place, call) in json::list(message, "tool_calls").iter().enumerate() {
        let id = json::text(call, "id");
        let function = call.get("function").unwrap_or(&Value::Null);
        let arguments = match function.get("arguments") {
            Some(Value::String(text)) => text.clone(),
            // Some servers give the object itself.
            Some(value @ Value::Object(_)) => value.to_string(),
            _ => String::new(),
        };
        let index = json::count(call, "index").or(whole.then_some(place as u64));
        draft.call(index, id, json::text(function, "name"), &arguments)?;
    }
    Ok(())
}

fn count(value: &Value, draft: &mut Draft) {
    let Some(usage) = value.get("usage").filter(|usage| usage.is_object()) else { return };
    draft.usage.input = json::count(usage, "prompt_tokens").unwrap_or(draft.usage.input);
    draft.usage.output = json::count(usage, "completion_tokens").unwrap_or(draft.usage.output);
}

fn finish(choice: &Value, draft: &mut Draft) -> Result<(), Fault> {
    let stop = match json::text(choice, "finish_reason") {
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
