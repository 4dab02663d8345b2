//! Asks a model, or a server that behaves as one.
//!
//! Each line of the input is a question in JSON, each line of the output what came of it:
//!
//! ```text
//! {"provider":"openai","base_url":"http://127.0.0.1:8000/v1","model":"m","stream":true,
//!  "messages":[{"user":"hello"}]}
//! {"text":"Hello!","calls":[],"stop":"End","input":9,"output":3,"shown":2}
//! ```
//!
//! A failure is `{"error":…,"partial":…,"status":…}`. The key is from `OPENAI_API_KEY` or
//! `ANTHROPIC_API_KEY`. The tests in `tests/providers` drive this against servers that check what
//! they get and break what they send.

#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::io::{BufRead, Write};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clawft_agent::platform::native::NativeHttpClient;
use clawft_agent::platform::{Clock, Timeouts};
use clawft_agent::provider::{
    Anthropic, Endpoint, Flow, Key, Message, Offline, OpenAi, Provider, Question, Tool, ToolCall,
    anthropic, openai,
};
use outside::Nowhere;
use serde_json::{Value, json};

#[path = "../tests/providers/outside.rs"]
mod outside;

const TOOLS: [Tool; 2] = [
    Tool {
        name: "memory_search",
        description: "Searches what is remembered.",
        parameters: r#"{"type":"object","properties":{"query":{"type":"string"}},"required":["query"]}"#,
    },
    Tool {
        name: "time",
        description: "Says what time it is.",
        parameters: r#"{"type":"object","properties":{}}"#,
    },
];

/// The machine's time.
struct MachineClock(Instant);

impl Clock for MachineClock {
    fn now(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn sleep(&self, milliseconds: u64) {
        std::thread::sleep(Duration::from_millis(milliseconds));
    }
}

fn main() -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answered = match serde_json::from_str(&line?) {
            Ok(asked) => ask(&asked),
            Err(error) => json!({"error": format!("a question in JSON was expected: {error}")}),
        };
        writeln!(output, "{answered}")?;
        output.flush()?;
    }
    Ok(())
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or("").to_string()
}

fn ask(asked: &Value) -> Value {
    let provider = provider(asked);
    let messages: Vec<Message> =
        asked["messages"].as_array().into_iter().flatten().map(message).collect();
    let (model, system) = (text(asked, "model"), text(asked, "system"));
    let question = Question {
        model: &model,
        system: &system,
        memories: &[],
        messages: &messages,
        tools: if asked["tools"] == true { &TOOLS } else { &[] },
        must_call: false,
        stops: &[],
        format: "",
        max_tokens: asked["max_tokens"].as_u64().map_or(1024, |most| most as u32),
        temperature: asked["temperature"].as_f64().map(|temperature| temperature as f32),
        stream: asked["stream"] == true,
    };
    let clock = MachineClock(Instant::now());
    let shown = RefCell::new(0_usize);
    let answer = provider.ask(&Nowhere.with(&NativeHttpClient, &clock), &question, &mut |_| {
        *shown.borrow_mut() += 1;
        Flow::Go
    });
    match answer {
        Ok(answer) => json!({
            "text": answer.text,
            "calls": answer.calls.iter().map(|call| {
                json!({"id": call.id, "name": call.name, "arguments": call.arguments})
            }).collect::<Vec<_>>(),
            "stop": format!("{:?}", answer.stop),
            "input": answer.usage.input,
            "output": answer.usage.output,
            "shown": shown.into_inner(),
        }),
        Err(error) => {
            json!({"error": error.sentence, "partial": error.partial, "status": error.status})
        }
    }
}

fn provider(asked: &Value) -> Box<dyn Provider> {
    let name = text(asked, "provider");
    let (variable, usual) = match name.as_str() {
        "openai" => ("OPENAI_API_KEY", openai::BASE_URL),
        "anthropic" => ("ANTHROPIC_API_KEY", anthropic::BASE_URL),
        _ => return Box::new(Offline),
    };
    let key = std::env::var(variable).ok().and_then(|key| Key::new(&key));
    let mut endpoint = Endpoint::new(asked["base_url"].as_str().unwrap_or(usual), key, variable);
    let limit = |name: &str, usual: u32| asked[name].as_u64().map_or(usual, |ms| ms as u32);
    let Timeouts { connect, first_byte, between_bytes, total } = endpoint.timeouts;
    endpoint.timeouts = Timeouts {
        connect: limit("connect", connect),
        first_byte: limit("first_byte", first_byte),
        between_bytes: limit("between_bytes", between_bytes),
        total: limit("total", total),
    };
    endpoint.retry.more = limit("retries", endpoint.retry.more);
    match name.as_str() {
        "openai" => Box::new(OpenAi::new(endpoint)),
        _ => Box::new(Anthropic::new(endpoint)),
    }
}

/// `{"user":…}`, `{"assistant":…,"calls":[…]}` or `{"result":ID,"name":…,"content":…,"failed":…}`.
fn message(value: &Value) -> Message {
    if value["result"].is_string() {
        return Message::Result {
            id: text(value, "result"),
            name: text(value, "name"),
            content: text(value, "content"),
            failed: value["failed"] == true,
        };
    }
    if value["assistant"].is_string() {
        let call = |call: &Value| ToolCall {
            id: text(call, "id"),
            name: text(call, "name"),
            arguments: text(call, "arguments"),
        };
        let calls = value["calls"].as_array().into_iter().flatten().map(call).collect();
        return Message::Assistant { text: text(value, "assistant"), calls };
    }
    Message::User(text(value, "user"))
}
