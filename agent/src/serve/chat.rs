//! `/v1/chat/completions`: what an OpenAI client sends, answered with memory behind it.
//!
//! The client has the history and sends all of it; nothing of it is kept here but what a turn
//! keeps in memory. Model and key are those of the config, whatever the request names. The tools
//! are ours: the model searches memory before the client sees an answer, and tools of the client's
//! own are refused, since they would be called behind its back.
//!
//! Source: OpenAI's API reference, `POST /chat/completions`, and its stream of chunks.

use alloc::format;
use alloc::string::{String, ToString};

use serde_json::{Map, Value};

use super::{Asked, Reply, object};
use crate::config::Config;
use crate::provider::{Flow, Message};
use crate::session::Session;
use crate::turn::{self, Agent, Turn};

/// What a request asks for.
struct Wanted {
    session: Session,
    message: String,
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
    let done = turn::answer(&mut agent, session, &wanted.message, false, &mut show, &mut turn);
    let finish = if turn.cut { "length" } else { "stop" };
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
            let message = object([("role", "assistant".into()), ("content", text)]);
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
    if filled("tools") || filled("functions") {
        return Err(refusal("no tools expected: the memory's own are used"));
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
    for message in messages {
        let text = text(message.get("content").unwrap_or(&Value::Null))?;
        match message.get("role").and_then(Value::as_str) {
            Some("system" | "developer") => {
                session.instructions.push_str(&text);
                session.instructions.push('\n');
            }
            Some("user") => session.push(0, Message::User(text)),
            Some("assistant") if message.get("tool_calls").is_none_or(Value::is_null) => {
                session.push(0, Message::Assistant { text, calls: Default::default() });
            }
            _ => {
                return Err(refusal(
                    "role: system, developer, user or assistant expected, without calls of tools",
                ));
            }
        }
    }
    let Some(Message::User(message)) = session.messages.pop().map(|said| said.message) else {
        return Err(refusal("a last message of the role user expected"));
    };
    Ok(Wanted { session, message, stream, usage: usage == Some(true), max_tokens, temperature })
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
