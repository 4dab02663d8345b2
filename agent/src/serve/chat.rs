//! `/v1/chat/completions`: what an OpenAI client sends, answered with memory behind it.
//!
//! The client has the history and sends all of it; nothing of it is kept here but what a turn
//! keeps in memory. Model and key are those of the config, whatever the request names. The model has
//! our tools, which search memory before the client sees an answer, and those that the client
//! offers: a call of these ends the answer, and the client's next request brings what came of it.
//!
//! Source: OpenAI's API reference, `POST /chat/completions`, and its stream of chunks.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Map, Value};

use super::{Asked, Reply, object};
use crate::config::Config;
use crate::provider::{Flow, Message, ToolCall};
use crate::session::{Offer, Said, Session};
use crate::tools;
use crate::turn::{self, Agent, Turn};

/// What a request asks for.
struct Wanted {
    session: Session,
    /// The person's last message; without one the results of the client's tools are the last.
    message: Option<String>,
    stream: bool,
    usage: bool,
    max_tokens: Option<u32>,
    temperature: Option<f32>,
}

/// Answers; a stream is given to `send` part by part, and the reply then says that it was sent.
pub(super) fn answer(
    asked: &Asked,
    agent: &mut Agent<'_, '_>,
    send: &mut dyn FnMut(&str) -> Flow,
) -> Reply {
    match asked.object().and_then(|given| read(&given)) {
        Ok(wanted) => complete(wanted, agent, send),
        Err(refusal) => refusal,
    }
}

fn complete(
    mut wanted: Wanted,
    agent: &mut Agent<'_, '_>,
    send: &mut dyn FnMut(&str) -> Flow,
) -> Reply {
    let config = Config {
        max_tokens: wanted.max_tokens.unwrap_or(agent.config.max_tokens),
        temperature: wanted.temperature.or(agent.config.temperature),
        stream: wanted.stream,
        ..agent.config.clone()
    };
    let now = agent.platform.clock.now();
    let mut random = [0; 8];
    agent.platform.random.fill(&mut random);
    let head = Head {
        id: format!("chatcmpl-{:016x}", u64::from_le_bytes(random)),
        created: now / 1000,
        model: match agent.model {
            "" => agent.provider.name().to_string(),
            model => model.to_string(),
        },
    };
    let mut agent = Agent {
        platform: agent.platform,
        data: agent.data,
        config: &config,
        provider: agent.provider,
        model: agent.model,
        memory: &mut *agent.memory,
    };
    let mut turn = Turn::default();
    let mut begun = false;
    let mut show = |part: &str| {
        if !wanted.stream {
            return Flow::Go;
        }
        let mut delta = Map::new();
        if !begun {
            delta.insert("role".to_string(), "assistant".into());
        }
        begun = true;
        delta.insert("content".to_string(), part.into());
        send(&event(&head.chunk(Value::Object(delta), Value::Null)))
    };
    let session = &mut wanted.session;
    let done = match &wanted.message {
        Some(message) => turn::answer(&mut agent, session, message, false, &mut show, &mut turn),
        None => turn::go_on(&mut agent, session, &mut show, &mut turn),
    };
    let calls = calls(&turn.calls, wanted.stream);
    let finish = match (&calls, turn.cut) {
        (Some(_), _) => "tool_calls",
        (None, true) => "length",
        (None, false) => "stop",
    };
    match (done, wanted.stream) {
        (Err(failure), true) if begun => {
            // The status is gone already: the error is the last event, and no end is told.
            send(&event(&Reply::from(failure).body));
            Reply::sent()
        }
        (Err(failure), _) => failure.into(),
        (Ok(()), true) => {
            if !begun {
                let delta = object([("role", "assistant".into()), ("content", "".into())]);
                send(&event(&head.chunk(delta, Value::Null)));
            }
            if let Some(calls) = calls {
                send(&event(&head.chunk(object([("tool_calls", calls)]), Value::Null)));
            }
            send(&event(&head.chunk(object([]), finish.into())));
            if wanted.usage {
                let mut last = head.object("chat.completion.chunk", Value::Array([].into()));
                last["usage"] = usage(&turn);
                send(&event(&last));
            }
            send("data: [DONE]\n\n");
            Reply::sent()
        }
        (Ok(()), false) => {
            let text = turn.text.as_str().into();
            let mut message = object([("role", "assistant".into()), ("content", text)]);
            if let Some(calls) = calls {
                message["tool_calls"] = calls;
            }
            let choice = object([
                ("index", 0.into()),
                ("message", message),
                ("finish_reason", finish.into()),
            ]);
            let mut body = head.object("chat.completion", Value::Array([choice].into()));
            body["usage"] = usage(&turn);
            Reply::new(200, body)
        }
    }
}

fn event(value: &Value) -> String {
    format!("data: {value}\n\n")
}

fn usage(turn: &Turn) -> Value {
    let (input, output) = (turn.usage.input, turn.usage.output);
    object([
        ("prompt_tokens", input.into()),
        ("completion_tokens", output.into()),
        ("total_tokens", input.saturating_add(output).into()),
    ])
}

/// Calls of the client's tools, if there are any. In a stream they are numbered.
fn calls(calls: &[ToolCall], stream: bool) -> Option<Value> {
    let call = |(at, call): (usize, &ToolCall)| {
        let (name, arguments) = (call.name.as_str().into(), call.arguments.as_str().into());
        let mut one = object([
            ("id", call.id.as_str().into()),
            ("type", "function".into()),
            ("function", object([("name", name), ("arguments", arguments)])),
        ]);
        if stream {
            one["index"] = at.into();
        }
        one
    };
    (!calls.is_empty()).then(|| calls.iter().enumerate().map(call).collect())
}

/// What all parts of an answer begin with.
struct Head {
    id: String,
    created: u64,
    model: String,
}

impl Head {
    fn object(&self, kind: &str, choices: Value) -> Value {
        object([
            ("id", self.id.as_str().into()),
            ("object", kind.into()),
            ("created", self.created.into()),
            ("model", self.model.as_str().into()),
            ("choices", choices),
        ])
    }

    fn chunk(&self, delta: Value, finish: Value) -> Value {
        let choice = object([("index", 0.into()), ("delta", delta), ("finish_reason", finish)]);
        self.object("chat.completion.chunk", Value::Array([choice].into()))
    }
}

fn refusal(sentence: &str) -> Reply {
    Reply::refusal(400, sentence)
}

/// Reads a request. What says how words are chosen (`top_p` and its kind) is passed over; what
/// would change the shape of the answer is refused.
fn read(given: &Map<String, Value>) -> Result<Wanted, Reply> {
    let filled = |name: &str| {
        given.get(name).is_some_and(|value| match value {
            Value::Null => false,
            Value::Array(values) => !values.is_empty(),
            _ => true,
        })
    };
    if filled("functions") {
        return Err(refusal("tools expected in the place of functions"));
    }
    if given.get("n").is_some_and(|n| n.as_u64() != Some(1) && !n.is_null()) {
        return Err(refusal("n: 1 expected"));
    }
    let stream = match given.get("stream") {
        None | Some(Value::Null) => false,
        Some(stream) => {
            stream.as_bool().ok_or_else(|| refusal("stream: true or false expected"))?
        }
    };
    let usage = given.get("stream_options").and_then(|o| o.get("include_usage")?.as_bool());
    let limit = ["max_completion_tokens", "max_tokens"]
        .iter()
        .find_map(|name| given.get(*name).filter(|value| !value.is_null()));
    let max_tokens = match limit {
        None => None,
        Some(limit) => match limit.as_u64().and_then(|limit| u32::try_from(limit).ok()) {
            Some(limit @ 1..) => Some(limit),
            _ => return Err(refusal("max_tokens: 1 or more expected")),
        },
    };
    let temperature = match given.get("temperature") {
        None | Some(Value::Null) => None,
        Some(value) => match value.as_f64() {
            Some(value) if (0.0..=2.0).contains(&value) => Some(value as f32),
            _ => return Err(refusal("temperature: 0 to 2 expected")),
        },
    };
    let Some(Value::Array(messages)) = given.get("messages") else {
        return Err(refusal("messages: a list expected"));
    };
    let mut session = Session { passing: true, ..Session::default() };
    session.tools = match given.get("tool_choice").and_then(Value::as_str) {
        Some("none") => Vec::new(),
        Some("auto") => offers(given)?,
        _ if !filled("tool_choice") => offers(given)?,
        _ => return Err(refusal("tool_choice: auto or none expected")),
    };
    for message in messages {
        let content = message.get("content").unwrap_or(&Value::Null);
        let calls = called(message)?;
        // Beside calls there is often no text.
        let text =
            if content.is_null() && !calls.is_empty() { String::new() } else { text(content)? };
        match message.get("role").and_then(Value::as_str) {
            Some("system" | "developer") => {
                session.instructions.push_str(&text);
                session.instructions.push('\n');
            }
            Some("user") => session.push(0, Message::User(text)),
            Some("assistant") => session.push(0, Message::Assistant { text, calls }),
            Some("tool") => {
                let id = word(message, "tool_call_id")?;
                if !waits(&session, &id) {
                    return Err(refusal("tool_call_id: one of the calls before it expected"));
                }
                let (name, content) = (String::new(), text);
                session.push(0, Message::Result { id, name, content, failed: false });
            }
            _ => return Err(refusal("role: system, developer, user, assistant or tool expected")),
        }
    }
    let message = match session.messages.pop() {
        Some(Said { message: Message::User(message), .. }) => Some(message),
        Some(last @ Said { message: Message::Result { .. }, .. }) => {
            session.messages.push(last);
            None
        }
        _ => return Err(refusal("a last message of the role user or tool expected")),
    };
    Ok(Wanted { session, message, stream, usage: usage == Some(true), max_tokens, temperature })
}

/// A text within an object, which must be there.
fn word(object: &Value, name: &str) -> Result<String, Reply> {
    match object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()) {
        Some(text) => Ok(text.to_string()),
        None => Err(refusal(&format!("{name}: a text expected"))),
    }
}

/// The client's tools.
fn offers(given: &Map<String, Value>) -> Result<Vec<Offer>, Reply> {
    let mut all = Vec::new();
    for tool in given.get("tools").and_then(Value::as_array).into_iter().flatten() {
        let function = tool.get("function").unwrap_or(&Value::Null);
        let name = word(function, "name")?;
        let fits = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        if name.len() > 64 || !name.chars().all(fits) || tools::is_own(&name) {
            return Err(refusal(
                "tools: names of 1 to 64 letters, other than the memory's, expected",
            ));
        }
        let parameters = match function.get("parameters") {
            Some(schema @ Value::Object(_)) => schema.to_string(),
            _ => "{\"type\":\"object\",\"properties\":{}}".to_string(),
        };
        let description = function.get("description").and_then(Value::as_str);
        let description = description.unwrap_or_default().to_string();
        all.push(Offer { name, description, parameters });
    }
    Ok(all)
}

/// The calls of a message of the history.
fn called(message: &Value) -> Result<Vec<ToolCall>, Reply> {
    let calls = message.get("tool_calls").and_then(Value::as_array);
    let call = |call: &Value| {
        let function = call.get("function").unwrap_or(&Value::Null);
        let arguments = function.get("arguments").and_then(Value::as_str).unwrap_or_default();
        let (id, name) = (word(call, "id")?, word(function, "name")?);
        Ok(ToolCall { id, name, arguments: arguments.to_string() })
    };
    calls.into_iter().flatten().map(call).collect()
}

/// Whether the last message that is no result has a call of this id.
fn waits(session: &Session, id: &str) -> bool {
    let mut before = session.messages.iter().rev();
    let last = before.find(|said| !matches!(said.message, Message::Result { .. }));
    last.is_some_and(|said| match &said.message {
        Message::Assistant { calls, .. } => calls.iter().any(|call| call.id == id),
        _ => false,
    })
}

/// The text of a message: a text, or a list of parts that are texts.
fn text(content: &Value) -> Result<String, Reply> {
    let joined = |parts: &Value| -> Option<String> {
        let mut text = String::new();
        for part in parts.as_array()? {
            text.push_str(part.get("text")?.as_str()?);
        }
        Some(text)
    };
    match content {
        Value::String(text) => Ok(text.clone()),
        parts => {
            joined(parts).ok_or_else(|| refusal("content: a text, or a list of texts, expected"))
        }
    }
}
