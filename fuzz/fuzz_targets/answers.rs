//! Answers of a model's server: any status, any bytes, cut anywhere, broken off or not. They end
//! with an answer or a sentence; what was shown is what is told; where the bytes were cut changes
//! nothing.
#![no_main]

use std::cell::Cell;

use arbitrary::Arbitrary;
use clawft_agent::platform::{Body, Clock, HttpClient, HttpError, HttpFailure, Request, Response};
use clawft_agent::provider::{
    Answer, Anthropic, Endpoint, Error, Flow, Key, Message, OpenAi, Provider, Question,
};
use libfuzzer_sys::fuzz_target;
use outside::Nowhere;

#[path = "../../agent/tests/providers/outside.rs"]
mod outside;

const KEY: &str = "sk-0123456789";

#[derive(Arbitrary, Debug)]
struct Case {
    anthropic: bool,
    stream: bool,
    /// What the server says that it sends.
    kind: u8,
    status: u8,
    retry_after: Option<String>,
    pieces: Vec<Piece>,
    breaks: bool,
    /// The body again, in parts of this length.
    part: u8,
}

/// Bytes, or what such bodies are made of: chance alone would seldom meet it.
#[derive(Arbitrary, Debug)]
enum Piece {
    Any(Vec<u8>),
    Known(u8),
}

const KNOWN: [&str; 24] = [
    "data: ",
    "\n\n",
    "\r\n",
    "[DONE]",
    "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}",
    "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":",
    "\"id\":\"x\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}]}}]}",
    "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}",
    "{\"choices\":[{\"message\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}",
    "{\"error\":{\"message\":\"sk-0123456789\",\"type\":\"server_error\"}}",
    "\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":18446744073709551615}",
    "{\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":1}}}",
    "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":\"x\"}}",
    "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"a\"}}",
    "{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{\"}}",
    "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}",
    "{\"type\":\"message_stop\"}",
    "{\"content\":[{\"type\":\"text\",\"text\":\"a\"}],\"stop_reason\":\"tool_use\"}",
    "\u{feff}",
    "\u{1b}[31m",
    ",",
    "0",
    "}",
    "ä𝄞",
];

struct Server {
    status: u16,
    headers: Vec<(String, String)>,
    bytes: Vec<u8>,
    part: usize,
    breaks: bool,
    asked: Cell<u32>,
}

impl HttpClient for Server {
    fn send(&self, _: Request<'_>) -> Result<Response, HttpError> {
        self.asked.set(self.asked.get() + 1);
        assert!(self.asked.get() <= 3, "asked more often than it may be");
        let body = Sent { rest: self.bytes.clone(), read: 0, part: self.part, breaks: self.breaks };
        Ok(Response { status: self.status, headers: self.headers.clone(), body: Box::new(body) })
    }
}

struct Sent {
    rest: Vec<u8>,
    read: usize,
    part: usize,
    breaks: bool,
}

impl Body for Sent {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, HttpError> {
        let rest = &self.rest[self.read..];
        if rest.is_empty() && self.breaks {
            let sentence = String::from("the connection broke");
            return Err(HttpError { failure: HttpFailure::Broken, sentence });
        }
        let count = rest.len().min(into.len()).min(self.part);
        into[..count].copy_from_slice(&rest[..count]);
        self.read += count;
        Ok(count)
    }
}

/// Time that stands still.
struct Still;

impl Clock for Still {
    fn now(&self) -> u64 {
        1_795_564_800_000
    }

    fn elapsed(&self) -> u64 {
        0
    }

    fn sleep(&self, _: u64) {}
}

fn ask(case: &Case, bytes: &[u8], part: usize) -> (Result<Answer, Error>, String) {
    let kinds = ["application/json", "text/event-stream", "text/html", ""];
    let mut headers =
        vec![("content-type".to_string(), kinds[usize::from(case.kind) % 4].to_string())];
    headers.extend(case.retry_after.iter().map(|wait| ("retry-after".to_string(), wait.clone())));
    let server = Server {
        status: [200, 200, 200, 429, 500, 401, 307, 404][usize::from(case.status) % 8],
        headers,
        bytes: bytes.to_vec(),
        part,
        breaks: case.breaks,
        asked: Cell::new(0),
    };
    let endpoint = Endpoint::new("http://host.test/v1", Key::new(KEY), "THE_KEY");
    let provider: Box<dyn Provider> = match case.anthropic {
        true => Box::new(Anthropic::new(endpoint)),
        false => Box::new(OpenAi::new(endpoint)),
    };
    let messages = [Message::User("hello".into())];
    let question = Question {
        model: "m",
        system: "",
        memories: &[],
        messages: &messages,
        tools: &[],
        must_call: false,
        stops: &[],
        format: "",
        max_tokens: 9,
        temperature: None,
        stream: case.stream,
    };
    let mut shown = String::new();
    let answer = provider.ask(&Nowhere.with(&server, &Still), &question, &mut |text| {
        shown.push_str(text);
        Flow::Go
    });
    (answer, shown)
}

fuzz_target!(|case: Case| {
    let mut bytes = Vec::new();
    for piece in &case.pieces {
        match piece {
            Piece::Any(any) => bytes.extend_from_slice(any),
            Piece::Known(which) => {
                bytes.extend_from_slice(KNOWN[usize::from(*which) % KNOWN.len()].as_bytes());
            }
        }
    }
    let (whole, shown) = ask(&case, &bytes, usize::MAX);
    match &whole {
        Ok(answer) => assert_eq!(answer.text, shown),
        Err(error) => {
            // A whole answer is shown when all of it is sound.
            assert!(error.partial == shown || shown.is_empty());
            assert!(!error.sentence.is_empty() && !error.sentence.contains(KEY), "{error}");
            assert!(!error.sentence.contains(char::is_control), "{error}");
        }
    }
    assert_eq!(ask(&case, &bytes, usize::from(case.part).max(1)), (whole, shown));
});
