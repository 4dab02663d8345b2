//! A question, and what of it arrives at a server.
#![allow(unreachable_pub, reason = "a module of tests")]

use clawft_agent::provider::{Message, Provider, Question, Tool};
use serde_json::Value;

use super::script::{Reply, Script};

pub const TOOLS: [Tool; 1] = [Tool {
    name: "search",
    description: "Searches the memory.",
    parameters: r#"{"type":"object","properties":{"q":{"type":"string"}},"required":["q"]}"#,
}];

/// One that says little, of what was said and of tools.
pub fn question<'a>(messages: &'a [Message], tools: &'a [Tool<'a>]) -> Question<'a> {
    Question {
        model: "a-model",
        system: "You are clawft.",
        memories: &[],
        messages,
        tools,
        must_call: false,
        stops: &[],
        format: "",
        max_tokens: 100,
        temperature: Some(0.7),
        stream: true,
    }
}

/// What came at the server: address, headers, body.
pub fn sent(
    provider: &dyn Provider,
    question: &Question<'_>,
) -> (String, Vec<(String, String)>, Value) {
    let script = Script::new([Reply::json(400, "{}")]);
    script.ask(provider, question);
    let seen = script.seen.take().remove(0);
    let body = serde_json::from_str(&seen.body).expect("a request is JSON");
    (seen.url, seen.headers, body)
}
