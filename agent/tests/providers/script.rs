//! A server that says what it was told to, and a clock that moves only when somebody waits.
#![allow(dead_code, reason = "each test file uses its part of it")]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use clawft_agent::platform::{
    Body, Clock, HttpClient, HttpError, HttpFailure, Payload, Request, Response,
};
use clawft_agent::provider::{Answer, Error, Flow, Provider, Question};

#[path = "outside.rs"]
mod outside;
use outside::Nowhere;

/// The key that the tests use: it must turn up in requests and nowhere else.
pub(crate) const KEY: &str = "sk-test-0123456789abcdef";
/// 2026-11-25 00:00:00 UTC, when the clock begins.
pub(crate) const START: u64 = 1_795_564_800_000;

/// How a body ends.
#[derive(Clone)]
pub(crate) enum End {
    /// As it should.
    Close,
    /// With an error.
    Fails(HttpFailure),
    /// Never: each read gives this again, and takes a second.
    Drips(&'static [u8]),
}

/// What is said to one request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Nothing is said.
    Fails(HttpFailure),
    /// A response.
    Says { status: u16, headers: Vec<(String, String)>, parts: Vec<Vec<u8>>, end: End },
}

impl Reply {
    pub(crate) fn says(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".into(), kind.into())];
        Self::Says { status, headers, parts: vec![body.into()], end: End::Close }
    }

    pub(crate) fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::says(status, "application/json", body)
    }

    pub(crate) fn events(body: impl Into<Vec<u8>>) -> Self {
        Self::says(200, "text/event-stream; charset=utf-8", body)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        if let Self::Says { headers, .. } = &mut self {
            headers.push((name.into(), value.into()));
        }
        self
    }

    pub(crate) fn end(mut self, new: End) -> Self {
        if let Self::Says { end, .. } = &mut self {
            *end = new;
        }
        self
    }

    pub(crate) fn parts(mut self, new: Vec<Vec<u8>>) -> Self {
        if let Self::Says { parts, .. } = &mut self {
            *parts = new;
        }
        self
    }
}

/// A request that came.
pub(crate) struct Seen {
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) total: u32,
}

/// The server and the clock.
pub(crate) struct Script {
    replies: RefCell<VecDeque<Reply>>,
    /// What came, in order.
    pub(crate) seen: RefCell<Vec<Seen>>,
    /// Milliseconds of each wait.
    pub(crate) waits: RefCell<Vec<u64>>,
    now: Rc<Cell<u64>>,
}

impl Script {
    pub(crate) fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self {
            replies: RefCell::new(replies.into_iter().collect()),
            seen: RefCell::default(),
            waits: RefCell::default(),
            now: Rc::default(),
        }
    }

    /// Asks, and gives what was shown beside what came of it.
    pub(crate) fn ask(&self, provider: &dyn Provider, question: &Question<'_>) -> Outcome {
        self.ask_until(provider, question, usize::MAX)
    }

    /// The same by a person who has had enough after some parts.
    pub(crate) fn ask_until(
        &self,
        provider: &dyn Provider,
        question: &Question<'_>,
        enough: usize,
    ) -> Outcome {
        let mut shown = Vec::new();
        let answer = provider.ask(&Nowhere.with(self, self), question, &mut |part| {
            shown.push(part.to_string());
            if shown.len() >= enough { Flow::Halt } else { Flow::Go }
        });
        if let Err(error) = &answer {
            let printed = format!("{error} {error:?}");
            assert!(!printed.contains(KEY), "the key is in {printed}");
            assert!(!error.sentence.contains(char::is_control), "{printed}");
        }
        Outcome { answer, shown }
    }
}

/// What came of a question.
pub(crate) struct Outcome {
    pub(crate) answer: Result<Answer, Error>,
    pub(crate) shown: Vec<String>,
}

impl Outcome {
    /// The sentence of the error.
    pub(crate) fn sentence(&self) -> &str {
        match &self.answer {
            Ok(answer) => panic!("an error was expected, found {answer:?}"),
            Err(error) => &error.sentence,
        }
    }
}

impl HttpClient for Script {
    fn send(&self, request: Request<'_>) -> Result<Response, HttpError> {
        let Payload::Bytes(body) = request.payload else { panic!("a body is sent at once") };
        let headers = request.headers.iter().map(|(a, b)| (a.to_string(), b.to_string()));
        self.seen.borrow_mut().push(Seen {
            url: request.url.to_string(),
            headers: headers.collect(),
            body: String::from_utf8(body.to_vec()).expect("requests are UTF-8"),
            total: request.timeouts.total,
        });
        let reply = self.replies.borrow_mut().pop_front().expect("one request too many");
        match reply {
            Reply::Fails(failure) => Err(failed(failure)),
            Reply::Says { status, headers, parts, end } => {
                let parts = parts.into_iter().filter(|part| !part.is_empty()).collect();
                let body = Box::new(Said { parts, read: 0, end, now: Rc::clone(&self.now) });
                Ok(Response { status, headers, body })
            }
        }
    }
}

fn failed(failure: HttpFailure) -> HttpError {
    HttpError { failure, sentence: format!("nobody listens at host.test ({failure:?})") }
}

struct Said {
    parts: VecDeque<Vec<u8>>,
    /// Bytes of the first part that were read.
    read: usize,
    end: End,
    now: Rc<Cell<u64>>,
}

impl Body for Said {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, HttpError> {
        let Some(part) = self.parts.front() else {
            return match self.end {
                End::Close => Ok(0),
                End::Fails(failure) => Err(failed(failure)),
                End::Drips(bytes) => {
                    self.now.set(self.now.get() + 1_000);
                    into[..bytes.len()].copy_from_slice(bytes);
                    Ok(bytes.len())
                }
            };
        };
        let rest = &part[self.read..];
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        self.read += count;
        if self.read == part.len() {
            self.parts.pop_front();
            self.read = 0;
        }
        Ok(count)
    }
}

impl Clock for Script {
    fn now(&self) -> u64 {
        START + self.now.get()
    }

    fn elapsed(&self) -> u64 {
        self.now.get() * 1_000_000
    }

    fn sleep(&self, milliseconds: u64) {
        self.waits.borrow_mut().push(milliseconds);
        self.now.set(self.now.get() + milliseconds);
    }
}
