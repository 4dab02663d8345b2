//! HTTP, from the other side: requests about the memory, answered in JSON.
//!
//! | file | what |
//! |---|---|
//! | `guard` | who may ask: the name of the host, the page that asks, the token |
//! | `memory` | `/v1/memory` |
//! | `chat` | `/v1/chat/completions` |
//! | `client_tools` | tools that the client of a chat offers |
//!
//! | request | answer |
//! |---|---|
//! | `GET /health` | that it runs |
//! | `GET /v1/memory` | sizes |
//! | `POST /v1/memory` `{"text"}`, also `kind`, `session`, `pinned` | remembered: `id`, `merged`, `near` |
//! | `POST /v1/memory/search` `{"query"}`, also `limit` | `memories`, the best first |
//! | `GET /v1/memory/ID` | one |
//! | `PUT /v1/memory/ID` `{"text"}` or `{"pinned"}` | corrected, pinned |
//! | `DELETE /v1/memory/ID` | forgotten for good; `note` where its bytes stay all the same |
//! | `POST /v1/chat/completions` | an answer with memory behind it, whole or as a stream |
//! | `GET /v1/models` | the model that answers |
//!
//! An answer depends on the request and on the files, and on nothing else: a host may take a new
//! instance for each. Writers wait for each other's lease, and make a change again that another one
//! came in between of; both is the memory's own doing.
//!
//! What it must never do: answer a page of another origin, or say in an error what is in a file
//! or where it lies: who runs the server reads that on standard error.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

use crate::failure::{Exit, Failure};
use crate::json::{self, Json, Value};
use crate::memory::Memory;
use crate::provider::Flow;
use crate::text;
use crate::turn::Agent;

mod chat;
mod client_tools;
mod guard;
mod memory;

pub use guard::Guard;

/// Most bytes of a request's body.
pub const MOST: usize = 256 << 10;

/// Where it is asked whether the server runs.
pub const HEALTH: &str = "/health";

/// What is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// `GET` and its kind.
    pub method: String,
    /// Path, and query if there is one.
    pub path: String,
    /// Names in lower case, and values. The host's name is `host`.
    pub headers: Vec<(String, String)>,
    /// The body; `None` where it has more than [`MOST`] bytes.
    pub body: Option<Vec<u8>>,
}

impl Asked {
    /// The first header of that name (lower case).
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The body, an object in JSON.
    fn object(&self) -> Result<Value, Reply> {
        // A page of another origin cannot send this type without asking first.
        let kind = self.header("content-type").unwrap_or_default();
        let kind = text::head(kind, b";").trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(Reply::refusal(415, "content-type: application/json expected"));
        }
        let Some(body) = &self.body else {
            return Err(Reply::refusal(413, &format!("at most {MOST} bytes expected")));
        };
        match json::read(body, usize::MAX) {
            Ok(object @ Value::Object(_)) => Ok(object),
            Ok(_) => Err(Reply::refusal(400, "an object in JSON expected")),
            Err(json::Unread::NoMemory) => {
                Err(Reply::refusal(503, "there is not enough memory for this body"))
            }
            Err(json::Unread::Broken(at)) => {
                let mut lines = body[..at].split(|byte| *byte == b'\n');
                let column = lines.next_back().map_or(0, <[u8]>::len) + 1;
                let line = lines.count() + 1;
                let place = format!("JSON expected, found something else at {line}:{column}");
                Err(Reply::refusal(400, &place))
            }
        }
    }
}

/// What is answered. Behind a pointer, as a [`Failure`] is: whatever may be refused gives one.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply(Box<Parts>);

/// What a reply has.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// 200 and its kind.
    pub status: u16,
    /// Headers beside `content-type`, which is `application/json`.
    pub headers: Vec<(&'static str, &'static str)>,
    /// The body: JSON.
    pub body: String,
    /// Whether a stream has been sent in its place.
    pub is_sent: bool,
    /// What who runs the server should read, and not who asks; empty: nothing.
    pub note: String,
}

impl Reply {
    #[inline(never)]
    fn new(status: u16, body: Json) -> Self {
        let (body, note) = (body.done(), String::new());
        Self(Box::new(Parts { status, headers: Vec::new(), body, is_sent: false, note }))
    }

    /// What is left to say after a stream.
    fn sent(note: String) -> Self {
        let mut reply = Self::new(200, Json::object()).with_note(note);
        reply.is_sent = true;
        reply
    }

    /// The same, and a note for who runs the server.
    fn with_note(mut self, note: String) -> Self {
        self.note = note;
        self
    }

    /// A refusal, in the form in which OpenAI's clients read one.
    #[must_use]
    pub fn refusal(status: u16, sentence: &str) -> Self {
        let kind = match status {
            401 | 403 => "authentication_error",
            500.. => "server_error",
            _ => "invalid_request_error",
        };
        let mut json = Json::object();
        json.begin("error", '{');
        json.text("message", sentence);
        json.text("type", kind);
        json.close('}');
        let mut reply = Self::new(status, json);
        match status {
            401 => reply.headers.push(("www-authenticate", "Bearer")),
            // What can be tried again was. OpenAI's clients obey this.
            502 => reply.headers.push(("x-should-retry", "false")),
            503 => reply.headers.push(("retry-after", "1")),
            _ => {}
        }
        reply
    }

    /// A method that a path does not have.
    fn method(allowed: &'static str) -> Self {
        let mut reply = Self::refusal(405, &format!("{allowed} expected"));
        reply.headers.push(("allow", allowed));
        reply
    }
}

impl Deref for Reply {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl DerefMut for Reply {
    fn deref_mut(&mut self) -> &mut Parts {
        &mut self.0
    }
}

impl From<Failure> for Reply {
    fn from(failure: Failure) -> Self {
        let status = match failure.exit {
            Exit::Usage => 400,
            Exit::Nothing => 404,
            Exit::Busy => 503,
            Exit::Provider => 502,
            _ => 500,
        };
        match failure.public() {
            None => Self::refusal(status, &failure.sentence),
            Some(shown) => Self::refusal(status, shown).with_note(failure.into_sentence()),
        }
    }
}

/// What is done with a memory.
pub type Work<'w> = dyn FnMut(&mut Memory<'_>) -> Reply + 'w;

/// What is done with an agent.
pub type Talk<'w> = dyn FnMut(&mut Agent<'_, '_>) -> Reply + 'w;

/// What a request may need. Each is asked for when it is known that the request may have it.
pub trait Server {
    /// Does `work` with the memory, and closes it.
    fn with_memory(&self, work: &mut Work<'_>) -> Reply;

    /// The same with who answers.
    fn with_agent(&self, talk: &mut Talk<'_>) -> Reply;

    /// Sends events of a stream; with the first one, that it is one. Halts where nobody listens.
    fn send(&self, events: &str) -> Flow;
}

/// Answers who asks for [`HEALTH`]. It takes neither memory nor model, so a host that is busy with another
/// request can say it in the component's place.
#[must_use]
pub fn health(asked: &Asked) -> Reply {
    if asked.method != "GET" {
        return Reply::method("GET");
    }
    let mut json = Json::object();
    json.text("status", "ok");
    json.text("version", env!("CARGO_PKG_VERSION"));
    Reply::new(200, json)
}

/// Answers.
pub fn answer(asked: &Asked, guard: &Guard, server: &dyn Server) -> Reply {
    if let Err(refusal) = guard.check(asked) {
        return refusal;
    }
    let path = text::head(&asked.path, b"?");
    if let Some(rest) = path.strip_prefix("/v1/memory")
        && (rest.is_empty() || rest.starts_with('/'))
    {
        return server.with_memory(&mut |memory| memory::answer(asked, rest, memory));
    }
    match (path, asked.method.as_str()) {
        ("/v1/chat/completions", "POST") => server
            .with_agent(&mut |agent| chat::answer(asked, agent, &mut |part| server.send(part))),
        ("/v1/chat/completions", _) => Reply::method("POST"),
        ("/v1/models", "GET") => server.with_agent(&mut |agent| chat::models(agent)),
        ("/v1/models", _) => Reply::method("GET"),
        (HEALTH, _) => health(asked),
        _ => Reply::refusal(404, "there is nothing of that path"),
    }
}
