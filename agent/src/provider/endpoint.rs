//! One question to a server: sent, tried again where that helps, read as it comes.
//!
//! All that both vendors have in common: the key, the limits of time and length, the choice between
//! an answer in parts and a whole one (by what the server sends: some cannot stream), the one place
//! where text is shown. What differs stands behind [`Wire`].
//!
//! A request is repeated only as long as nothing was shown: what a person has read cannot be taken
//! back, and the second answer would be another one.
//!
//! The limit of the whole time is for all attempts and waits together: a person waits for the
//! answer, not for an attempt.
//!
//! What it must never do: let the key into a sentence, send it anywhere but to `base_url`, or
//! take an answer that broke off for a whole one.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::draft::{Cause, Draft, Fault};
use super::fields::{Field, Refused};
use super::retry::{Next, Retry};
use super::{Answer, Error, Flow, Question, Stop, refusal, sse};
use crate::json::{Unread, Value, read};
use crate::platform::{
    Body, HttpError, HttpFailure, Method, Payload, Platform, Request, Timeouts, url,
};
use crate::room;
use crate::text;

/// Bytes of an answer that comes whole: its text may be escaped twofold.
const MOST_WHOLE: usize = 2 << 20;
/// Bytes of an answer that comes in parts: each token is wrapped in some 300 bytes.
const MOST_STREAMED: usize = 64 << 20;
/// Bytes read at a time.
const PART: usize = 4096;

/// A key to a server. Whatever prints it prints that it is hidden.
#[derive(Clone)]
pub struct Key(String);

impl Key {
    /// A key without the blanks around it; `None` where nothing is left.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_string()))
    }

    /// The key itself, for a header.
    pub(super) fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(hidden)")
    }
}

/// On a small machine a model reads its prompt for minutes before the first byte, and one that
/// thinks may say nothing for a while after it.
const PATIENCE: Timeouts =
    Timeouts { connect: 10_000, first_byte: 300_000, between_bytes: 120_000, total: 600_000 };

/// Where a model is asked, and how patiently.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// `http://` or `https://`, host, and the path up to what the vendor's documents begin with.
    pub base_url: String,
    /// The key; a server on the own machine needs none.
    pub key: Option<Key>,
    /// The environment variable that the key is from, for the sentence that asks to look there.
    pub key_variable: String,
    /// How long each stage may take; `total` is for all attempts and waits together.
    pub timeouts: Timeouts,
    /// What is tried again.
    pub retry: Retry,
    /// What it refused of earlier requests.
    pub(super) refused: Refused,
}

impl Endpoint {
    /// One with the usual patience.
    #[must_use]
    pub fn new(base_url: &str, key: Option<Key>, key_variable: &str) -> Self {
        Self {
            base_url: text::without_end(base_url.trim(), b"/").to_string(),
            key,
            key_variable: key_variable.to_string(),
            timeouts: PATIENCE,
            retry: Retry::default(),
            refused: Refused::default(),
        }
    }

    /// Host and port, as a sentence names them: a name and a password before it are left out.
    pub(super) fn host(&self) -> &str {
        url::host(&self.base_url)
    }

    /// The temperature that is sent, at most `most`, in hundredths.
    pub(super) fn temperature(&self, question: &Question<'_>, most: f32) -> Option<u64> {
        let wanted = question.temperature.filter(|_| !self.refused.has(Field::Temperature))?;
        Some((wanted.clamp(0.0, most) * 100.0 + 0.5) as u64)
    }

    fn check(&self) -> Result<(), Fault> {
        let sound = ["http://", "https://"].iter().any(|begin| self.base_url.starts_with(begin));
        if !sound || self.host().is_empty() {
            return Err(Fault::lasting(
                "the provider's base_url has to be http:// or https://, a host and a path",
            ));
        }
        // A line break in a header would begin another header.
        if self.key.as_ref().is_some_and(|key| !key.0.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err(Fault::lasting(format!(
                "{} holds a character that no key has: was it copied as a whole, and nothing else?",
                self.key_variable
            )));
        }
        Ok(())
    }
}

/// Values that one answer may have. A real one has a few dozen; a tree takes twelve times the room
/// of `0,0,0…`, and the whole agent has 16 MiB.
const MOST_VALUES: usize = 20_000;

/// Reads JSON.
///
/// # Errors
/// What is to be said of it: it is none, or has too many values; memory does not hold it.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, &'static str> {
    read(bytes, MOST_VALUES).map_err(|why| match why {
        Unread::Broken(_) => "is no valid JSON",
        Unread::NoMemory => "memory does not hold",
    })
}

/// What differs between vendors.
pub(super) trait Wire {
    /// What comes after the base URL.
    fn path(&self, base_url: &str) -> &'static str;

    /// The header that carries the key: its name, and what stands before the key.
    fn key_header(&self) -> (&'static str, &'static str) {
        ("authorization", "Bearer ")
    }

    /// Headers that are always there.
    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// Whether a 429 that does not say how long to wait stands for a spending limit.
    fn names_waits(&self) -> bool {
        false
    }

    /// Whether answers can be ended at these texts, as far as is known before they are asked.
    fn takes_stops(&self, _stops: &[String]) -> bool {
        true
    }

    /// The request.
    fn body(&self, question: &Question<'_>) -> String;

    /// Takes one event of an answer that comes in parts. `[DONE]` has been looked at before.
    ///
    /// # Errors
    /// [`Fault`]: the event says that the answer failed, or there is too much.
    fn event(&self, event: &Value, draft: &mut Draft) -> Result<(), Fault>;

    /// Takes an answer that comes whole.
    ///
    /// # Errors
    /// [`Fault`]: it is no answer, or there is too much.
    fn whole(&self, answer: &Value, draft: &mut Draft) -> Result<(), Fault>;
}

/// A question on its way.
struct Exchange<'a> {
    endpoint: &'a Endpoint,
    wire: &'a dyn Wire,
    platform: &'a Platform<'a>,
    question: &'a Question<'a>,
    /// Nanoseconds at the start of the first attempt.
    begun: u64,
}

/// Whether all of it was read.
enum Read {
    Whole,
    Halted,
}

/// Asks, and asks again where that helps. Where the server does not end an answer at a text, that is done
/// here, and nothing of it is shown before it is whole.
pub(super) fn ask(
    endpoint: &Endpoint,
    wire: &dyn Wire,
    platform: &Platform<'_>,
    question: &Question<'_>,
    show: &mut dyn FnMut(&str) -> Flow,
) -> Result<Answer, Error> {
    let exchange = Exchange { endpoint, wire, platform, question, begun: platform.clock.elapsed() };
    if let Err(fault) = endpoint.check() {
        return Err(Error { sentence: fault.0.sentence, partial: String::new(), status: None });
    }
    let mut tries = 0;
    let mut body = String::new();
    let mut is_cut_here = false;
    loop {
        if body.is_empty() {
            // Results that are told in words are quoted twice, in a body that grows by it.
            let copies = if endpoint.refused.has(Field::Calls) { 4 } else { 1 };
            if let Err(failure) = room::ask(copies * question.quoted_len()) {
                let sentence = failure.into_sentence();
                return Err(Error { sentence, partial: String::new(), status: None });
            }
            is_cut_here = !question.stops.is_empty()
                && (endpoint.refused.has(Field::Stops) || !wire.takes_stops(question.stops));
            let stops = if is_cut_here { &[] } else { question.stops };
            body = wire.body(&Question { stops, ..*question });
        }
        let mut draft = Draft::default();
        let mut hold = |_: &str| Flow::Go;
        let shows: &mut dyn FnMut(&str) -> Flow = if is_cut_here { &mut hold } else { &mut *show };
        let done = exchange.attempt(&body, &mut draft, shows);
        if is_cut_here {
            draft.end_before(question.stops);
            if done.is_ok() && !draft.text.is_empty() && show(&draft.text) == Flow::Halt {
                return Ok(draft.halted());
            }
        }
        let fault = match done {
            Ok(Read::Whole) => return Ok(draft.answer(Stop::End)),
            Ok(Read::Halted) => return Ok(draft.halted()),
            Err(fault) => fault,
        };
        // Another request than the refused one: it counts as no repetition, and waits for nothing.
        if fault.0.field.is_some_and(|field| endpoint.refused.add(field)) {
            body = String::new();
            continue;
        }
        tries += 1;
        let wait = match draft.text.is_empty() || is_cut_here {
            true => endpoint.retry.wait(fault.0.next, tries, platform.random),
            false => None,
        };
        match wait.filter(|wait| *wait < exchange.left()) {
            Some(wait) => platform.clock.sleep(wait),
            None => return Err(ended(fault, tries, draft)),
        }
    }
}

/// The error after the last attempt.
fn ended(fault: Fault, tries: u32, draft: Draft) -> Error {
    let Cause { mut sentence, next, status, .. } = *fault.0;
    match next {
        Next::After(wait) if wait >= 1_000 => {
            sentence.push_str(&format!("; it asks to wait {} s", wait.div_ceil(1_000)));
        }
        _ => {}
    }
    if tries > 1 {
        sentence.push_str(&format!(" (tried {tries} times)"));
    }
    Error { sentence, partial: draft.text, status }
}

impl Exchange<'_> {
    /// Milliseconds that are left of the total.
    fn left(&self) -> u64 {
        let spent = self.platform.clock.elapsed().saturating_sub(self.begun) / 1_000_000;
        u64::from(self.endpoint.timeouts.total).saturating_sub(spent)
    }

    fn attempt(
        &self,
        body: &str,
        draft: &mut Draft,
        show: &mut dyn FnMut(&str) -> Flow,
    ) -> Result<Read, Fault> {
        let endpoint = self.endpoint;
        let url = format!("{}{}", endpoint.base_url, self.wire.path(&endpoint.base_url));
        let accept = if self.question.stream { "text/event-stream" } else { "application/json" };
        let mut headers: Vec<(&str, &str)> = Vec::from(self.wire.headers());
        headers.extend([("content-type", "application/json"), ("accept", accept)]);
        let (name, before) = self.wire.key_header();
        let secret = endpoint.key.as_ref().map(|key| format!("{before}{}", key.secret()));
        headers.extend(secret.as_deref().map(|value| (name, value)));

        let total = u32::try_from(self.left()).unwrap_or(u32::MAX);
        let mut timeouts = Timeouts { total, ..endpoint.timeouts };
        if !self.question.stream {
            // Many servers say nothing before the whole answer is there.
            timeouts.first_byte = timeouts.first_byte.max(total);
        }
        let mut response = self
            .platform
            .http
            .send(Request {
                method: Method::Post,
                url: &url,
                headers: &headers,
                payload: Payload::Bytes(body.as_bytes()),
                timeouts,
            })
            .map_err(broken)?;
        if !(200..300).contains(&response.status) {
            let now = self.platform.clock.now();
            return Err(refusal::fault(endpoint, self.wire, &mut response, now));
        }
        let kind = response.header("content-type").unwrap_or("");
        let streamed = match () {
            () if text::has(kind, "event-stream") => true,
            () if text::has(kind, "json") => false,
            () => self.question.stream,
        };
        if streamed {
            self.read_events(&mut *response.body, draft, show)
        } else {
            self.read_whole(&mut *response.body, draft, show)
        }
    }

    fn read_events(
        &self,
        body: &mut dyn Body,
        draft: &mut Draft,
        show: &mut dyn FnMut(&str) -> Flow,
    ) -> Result<Read, Fault> {
        let mut events = sse::Events::default();
        let mut buffer = [0; PART];
        let mut total = 0;
        let mut shown = 0;
        while !draft.done {
            let part = match self.read(body, &mut buffer) {
                Ok([]) => break,
                Ok(part) => part,
                // The answer is there; what would have followed is its count of tokens.
                Err(_) if draft.stop.is_some() => break,
                Err(fault) => return Err(fault),
            };
            total += part.len();
            if total > MOST_STREAMED {
                return Err(self.too_long("a stream: 64 MB"));
            }
            let mut rest = part;
            while !rest.is_empty() && !draft.done {
                let (taken, complete) = match events.take(rest) {
                    Ok(done) => done,
                    Err(sse::Refused::TooLong) => {
                        return Err(self.too_long("a part of a stream: 1 MB"));
                    }
                    Err(sse::Refused::NoMemory) => return Err(no_memory()),
                };
                rest = rest.get(taken..).unwrap_or(&[]);
                if !complete {
                    continue;
                }
                let outcome = self.take_event(events.data(), draft);
                events.next();
                let new = draft.text.get(shown..).unwrap_or("");
                shown = draft.text.len();
                if !new.is_empty() && show(new) == Flow::Halt {
                    return Ok(Read::Halted);
                }
                outcome?;
            }
        }
        match draft.stop {
            Some(_) => Ok(Read::Whole),
            None => Err(Fault::passing(self.says("ended the answer before it was complete", ""))),
        }
    }

    fn take_event(&self, data: &[u8], draft: &mut Draft) -> Result<(), Fault> {
        if data.trim_ascii() == b"[DONE]" {
            draft.done = true;
            return Ok(());
        }
        // Some servers keep the connection alive with events that hold nothing.
        if data.trim_ascii().is_empty() {
            return Ok(());
        }
        let event = parse(data)
            .map_err(|why| Fault::passing(self.says("sent a part of the answer that ", why)))?;
        if let Some((kind, said)) = refusal::error_of(&event, self.endpoint) {
            return Err(self.failed(kind, "ended the answer with an error: ", &said));
        }
        self.wire.event(&event, draft)
    }

    fn read_whole(
        &self,
        body: &mut dyn Body,
        draft: &mut Draft,
        show: &mut dyn FnMut(&str) -> Flow,
    ) -> Result<Read, Fault> {
        let mut bytes = Vec::new();
        let mut buffer = [0; PART];
        loop {
            let part = self.read(body, &mut buffer)?;
            if part.is_empty() {
                break;
            }
            if bytes.len() + part.len() > MOST_WHOLE {
                return Err(self.too_long("an answer: 2 MB"));
            }
            bytes.try_reserve(part.len()).map_err(|_| no_memory())?;
            bytes.extend_from_slice(part);
        }
        let answer = parse(&bytes).map_err(|why| {
            let why = [why, ": is the provider's base_url right?"].concat();
            Fault::lasting(self.says("answered with what ", &why))
        })?;
        drop(bytes);
        if let Some((kind, said)) = refusal::error_of(&answer, self.endpoint) {
            return Err(self.failed(kind, "answered with an error: ", &said));
        }
        self.wire.whole(&answer, draft)?;
        if !draft.text.is_empty() && show(&draft.text) == Flow::Halt {
            return Ok(Read::Halted);
        }
        Ok(Read::Whole)
    }

    /// The next part; empty at the end.
    fn read<'b>(&self, body: &mut dyn Body, buffer: &'b mut [u8]) -> Result<&'b [u8], Fault> {
        room::ask(0).map_err(|_| no_memory())?;
        let count = body.read(buffer).map_err(broken)?;
        // A server that sends a byte now and then is under no other limit.
        if self.left() == 0 {
            return Err(Fault::lasting(
                self.says("did not end its answer within the time that it had", ""),
            ));
        }
        Ok(buffer.get(..count).unwrap_or(&[]))
    }

    /// An error that came in place of an answer, or in the middle of one.
    fn failed(&self, kind: refusal::Kind, what: &str, said: &str) -> Fault {
        let sentence = self.says(what, said);
        match kind {
            refusal::Kind::Passing => Fault::passing(sentence),
            refusal::Kind::NoCredit | refusal::Kind::Lasting => Fault::lasting(sentence),
        }
    }

    fn too_long(&self, what: &str) -> Fault {
        Fault::lasting(self.says("sent more than is read of ", what))
    }

    /// A sentence about the server.
    fn says(&self, what: &str, end: &str) -> String {
        [self.endpoint.host(), " ", what, end].concat()
    }
}

/// Another attempt would need as much.
pub(super) fn no_memory() -> Fault {
    Fault::lasting(room::NONE)
}

/// What a request that failed on its way stands for.
fn broken(error: HttpError) -> Fault {
    match error.failure {
        HttpFailure::Unreachable | HttpFailure::Timeout | HttpFailure::Broken => {
            Fault::passing(error.sentence)
        }
        _ => Fault::lasting(error.sentence),
    }
}
