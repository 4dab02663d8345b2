//! Sessions: conversations that outlive the program.
//!
//! ```json
//! {"version": 1, "summary": "…", "covered": 0, "summarised": 0, "tried": 0, "messages": [
//!   {"role": "user", "text": "…", "at": 1764000000000},
//!   {"role": "assistant", "text": "…", "at": …, "calls": [{"id": "…", "name": "…", "arguments": "…"}]},
//!   {"role": "tool", "id": "…", "name": "…", "text": "…", "failed": false, "at": …, "forgotten": true}]}
//! ```
//!
//! `summarised` is there where it is not `covered`, and `tried` where a summary failed.
//!
//! A session is a file of its own, `sessions/NAME.json`, and every write puts a whole new file in
//! its place. What cannot be read is set aside under another name.
//!
//! What it must never do: write over a file that it could not read.

mod forgotten;
mod shorten;

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::failure::{Exit, Failure};
use crate::json::{self, Json, Unread, Value, quoted_len};
use crate::platform::{Entry, FileError, Platform};
use crate::provider::{Message, ToolCall};
use crate::{room, text};

pub use forgotten::{Gone, Saying, change, that_say};

/// Most bytes of a session's file.
pub const MOST: u64 = 1 << 20;
/// Values that a session's file may have: each that we write takes 8 bytes or more. A file of others
/// would take twenty times its own bytes in memory.
const MOST_VALUES: usize = MOST as usize / 8;
/// Most bytes of a session's name.
pub const MOST_NAME: usize = 64;
const VERSION: u64 = 1;
/// Behind the name of a file that was set aside.
const ASIDE: &str = ".damaged-";
/// What ends the name of a file that was to take a session's place, and is left where its writer was
/// killed.
const NEW: &str = ".new";

/// A message, and when it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Milliseconds since 1970, UTC.
    pub at: u64,
    /// What was said.
    pub message: Message,
    /// Whether it says what was forgotten or answers that, or was said to have something forgotten:
    /// it moves to memory no more, nor into a summary.
    pub forgotten: bool,
}

/// A conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// Its name.
    pub name: String,
    /// What the first messages said, in short; often empty.
    pub summary: String,
    /// How many messages, from the first, were put away: what is kept of them is in the summary or in
    /// memory already, and a model is not given them again.
    pub covered: usize,
    /// How many of these are in the summary, or had no need of one: fewer than `covered` where one
    /// is still to be made.
    pub summarised: usize,
    /// How many messages there were when a summary failed last; 0: none failed.
    pub tried: usize,
    /// What was said, the oldest first.
    pub messages: Vec<Said>,
    /// Whether a client of `/v1/chat/completions` has the conversation, and sends all of it each time:
    /// it is neither written nor summarised here.
    pub passing: bool,
    /// What such a client tells the model as `system` or `developer`; not written either.
    pub instructions: String,
    /// Tools that such a client offers: it carries out calls of them itself. Not written either.
    pub tools: Vec<Offer>,
    /// Whether one of these must be called.
    pub must_call: bool,
    /// Texts at which such a client wants the answer to end. Not written either.
    pub stops: Vec<String>,
    /// The form that it wants the answer in, as [a provider](crate::provider::Question::format) is
    /// asked for it. Not written either.
    pub format: String,
    /// Whether what is said now is to have something forgotten. Not written either.
    pub forgetting: bool,
}

/// A tool that a client of `/v1/chat/completions` offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// Its name: letters, digits, `_` and `-`, at most 64.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// JSON schema of its arguments, an object.
    pub parameters: String,
}

/// Checks a name: it becomes the name of a file.
///
/// # Errors
/// [`Exit::Usage`].
pub fn check_name(name: &str) -> Result<(), Failure> {
    let fine = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_' || b == b'.';
    if name.is_empty() || name.len() > MOST_NAME || name.starts_with('.') || !name.bytes().all(fine)
    {
        return Err(Failure::new(
            Exit::Usage,
            format!(
                "a session's name of 1 to {MOST_NAME} letters, digits, `-`, `_` and `.` expected, \
                 found \"{}\"",
                text::first(name, 80)
            ),
        ));
    }
    Ok(())
}

fn folder_of(data: &str) -> String {
    format!("{data}/sessions")
}

fn path_of(data: &str, name: &str) -> String {
    format!("{data}/sessions/{name}.json")
}

impl Session {
    /// A session that has not begun.
    ///
    /// # Errors
    /// Those of [`check_name`].
    pub fn new(name: &str) -> Result<Self, Failure> {
        check_name(name)?;
        Ok(Self { name: name.to_owned(), ..Self::default() })
    }

    /// Reads a session from the data folder; one that is not there has not begun. A damaged file
    /// is set aside, and the second value says so.
    ///
    /// # Errors
    /// [`Exit::Usage`] for a name; [`Exit::Failed`] where the file can neither be read nor set
    /// aside.
    pub fn load(
        platform: &Platform<'_>,
        data: &str,
        name: &str,
    ) -> Result<(Self, Option<String>), Failure> {
        let mut session = Self::new(name)?;
        let path = path_of(data, name);
        let why = match platform.files.read(&path, MOST) {
            Ok(bytes) => match parse(&bytes, &mut session) {
                Ok(()) => return Ok((session, None)),
                Err(Unsound::NoMemory) => return Err(Failure::new(Exit::Failed, room::NONE)),
                Err(Unsound::Damaged(why)) => why,
            },
            Err(FileError::NotFound) => return Ok((session, None)),
            Err(error @ FileError::TooLarge { .. }) => format!("{error}"),
            Err(error) => return Err(Failure::of_file(&path, &error)),
        };
        let aside = format!("{path}{ASIDE}{}", platform.clock.now());
        platform.files.rename(&path, &aside).map_err(|error| {
            Failure::new(
                Exit::Damaged,
                format!("{path} cannot be read ({why}) and not be set aside: {error}"),
            )
        })?;
        let note =
            format!("{path} cannot be read ({why}): it is now {aside}, and the session is new");
        Ok((Self::new(name)?, Some(note)))
    }

    /// Writes the session, whole or not at all; one that is passing is nowhere written. Where it
    /// would be too large for its file, it is shortened first: the person's last message never.
    ///
    /// # Errors
    /// [`Exit::Failed`], also where that message alone is too large; the file is as it was.
    pub fn save(&mut self, platform: &Platform<'_>, data: &str) -> Result<(), Failure> {
        if self.passing {
            return Ok(());
        }
        let path = path_of(data, &self.name);
        let mut text = self.print()?;
        while text.len() as u64 > MOST {
            drop(text);
            if !self.shorten() {
                let why = format!("{path} was not written: the message is too long for it");
                return Err(Failure::new(Exit::Failed, why));
            }
            text = self.print()?;
        }
        let files = platform.files;
        let done = match files.replace(&path, text.as_bytes()) {
            Err(FileError::NotFound) => files
                .create_folder(&folder_of(data))
                .and_then(|()| files.replace(&path, text.as_bytes())),
            done => done,
        };
        done.map_err(|error| Failure::unwritten(&path, &error))
    }

    /// Adds a message.
    pub fn push(&mut self, at: u64, message: Message) {
        self.messages.push(Said { at, message, forgotten: self.forgetting });
    }

    /// The messages from `begin` on, to be given back by [`take_back`](Self::take_back); until then
    /// empty ones stand in their places.
    #[must_use]
    pub(crate) fn lend(&mut self, begin: usize) -> Vec<Message> {
        let lent =
            |said: &mut Said| core::mem::replace(&mut said.message, Message::User(String::new()));
        self.messages.iter_mut().skip(begin).map(lent).collect()
    }

    /// Puts what [`lend`](Self::lend) gave back in place.
    pub(crate) fn take_back(&mut self, begin: usize, messages: Vec<Message>) {
        for (said, message) in self.messages.iter_mut().skip(begin).zip(messages) {
            said.message = message;
        }
    }

    /// Where the second of the person's messages stands.
    #[must_use]
    pub fn second_turn(&self) -> Option<usize> {
        let turn = |said: &Said| matches!(said.message, Message::User(_));
        Some(1 + self.messages.get(1..)?.iter().position(turn)?)
    }

    fn print(&self) -> Result<String, Failure> {
        let said = self.messages.iter().map(|said| said.message.quoted_len());
        let bytes = quoted_len(&self.summary) + said.sum::<usize>() + AROUND;
        room::ask(bytes)?;
        let mut json = Json::object_of(bytes);
        json.count("version", VERSION);
        json.text("summary", &self.summary);
        json.count("covered", self.covered as u64);
        if self.summarised < self.covered {
            json.count("summarised", self.summarised as u64);
        }
        if self.tried > 0 {
            json.count("tried", self.tried as u64);
        }
        json.begin("messages", '[');
        for said in &self.messages {
            json.open('{');
            write(said, &mut json);
            json.close('}');
        }
        json.close(']');
        Ok(json.line())
    }
}

/// Bytes of a session's file around its messages, at most.
const AROUND: usize = 256;

/// Members of a message.
fn write(said: &Said, json: &mut Json) {
    let (role, text) = match &said.message {
        Message::User(text) => ("user", text),
        Message::Assistant { text, .. } => ("assistant", text),
        Message::Result { content, .. } => ("tool", content),
    };
    json.text("role", role);
    json.text("text", text);
    json.count("at", said.at);
    match &said.message {
        Message::Assistant { calls, .. } if !calls.is_empty() => {
            json.begin("calls", '[');
            for call in calls {
                json.open('{');
                json.text("id", &call.id);
                json.text("name", &call.name);
                json.text("arguments", &call.arguments);
                json.close('}');
            }
            json.close(']');
        }
        Message::Result { id, name, failed, .. } => {
            json.text("id", id);
            json.text("name", name);
            json.truth("failed", *failed);
        }
        _ => {}
    }
    if said.forgotten {
        json.truth("forgotten", true);
    }
}

/// Why a file is no session now.
#[derive(Debug)]
enum Unsound {
    Damaged(String),
    NoMemory,
}

impl From<&str> for Unsound {
    fn from(why: &str) -> Self {
        Self::Damaged(why.into())
    }
}

fn parse(bytes: &[u8], into: &mut Session) -> Result<(), Unsound> {
    let value = json::read(bytes, MOST_VALUES).map_err(|why| match why {
        Unread::Broken(_) => Unsound::from("JSON expected, it ends or breaks before"),
        Unread::NoMemory => Unsound::NoMemory,
    })?;
    // All that was said once more.
    room::ask(bytes.len() * 2).map_err(|_| Unsound::NoMemory)?;
    if value["version"].as_u64() != Some(VERSION) {
        let found = value["version"].print();
        return Err(Unsound::Damaged(format!("version {VERSION} expected, found {found}")));
    }
    into.summary = value["summary"].text().to_owned();
    let messages = value["messages"].as_list().ok_or("a list of messages expected")?;
    let count = |key: &str| value[key].as_u64().and_then(|n| usize::try_from(n).ok());
    into.covered = count("covered").unwrap_or(0).min(messages.len());
    into.summarised = count("summarised").unwrap_or(into.covered).min(into.covered);
    into.tried = count("tried").unwrap_or(0);
    for (i, message) in messages.iter().enumerate() {
        let said =
            said(message).ok_or_else(|| Unsound::Damaged(format!("message {} is none", i + 1)))?;
        into.messages.push(said);
    }
    Ok(())
}

fn said(value: &Value) -> Option<Said> {
    let text_of = |value: &Value, key: &str| Some(value[key].as_text()?.to_owned());
    let text = text_of(value, "text")?;
    let message = match value["role"].as_text()? {
        "user" => Message::User(text),
        "assistant" => {
            let mut calls = Vec::new();
            for call in value["calls"].list() {
                calls.push(ToolCall {
                    id: text_of(call, "id")?,
                    name: text_of(call, "name")?,
                    arguments: text_of(call, "arguments")?,
                });
            }
            Message::Assistant { text, calls }
        }
        "tool" => Message::Result {
            id: text_of(value, "id")?,
            name: text_of(value, "name")?,
            content: text,
            failed: value["failed"].as_bool()?,
        },
        _ => return None,
    };
    let forgotten = value["forgotten"].as_bool().unwrap_or_default();
    Some(Said { at: value["at"].as_u64()?, message, forgotten })
}

/// Names of the sessions in the data folder.
///
/// # Errors
/// [`Exit::Failed`].
pub fn names(platform: &Platform<'_>, data: &str) -> Result<Vec<String>, Failure> {
    let all = entries(platform, data)?;
    room::ask(all.len() * size_of::<String>())?;
    let mut names = Vec::with_capacity(all.len());
    for mut entry in all {
        let name = entry.name.strip_suffix(".json").filter(|_| !entry.is_folder);
        if let Some(len) = name.filter(|name| check_name(name).is_ok()).map(str::len) {
            entry.name.truncate(len);
            names.push(entry.name);
        }
    }
    Ok(names)
}

/// Names of the files that could not be read once and were set aside, and of those that a killed
/// writer left, or that one is writing just now.
fn set_aside(platform: &Platform<'_>, data: &str) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for entry in entries(platform, data)? {
        if text::has(&entry.name, &[".json", ASIDE].concat()) || entry.name.ends_with(NEW) {
            names.push(entry.name);
        }
    }
    Ok(names)
}

fn entries(platform: &Platform<'_>, data: &str) -> Result<Vec<Entry>, Failure> {
    let folder = folder_of(data);
    match platform.files.list(&folder) {
        Err(FileError::NotFound) => Ok(Vec::new()),
        listed => listed.map_err(|error| Failure::of_file(&folder, &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;

    fn sample() -> Session {
        let mut session = Session::new("work").unwrap();
        session.covered = 2;
        session.summary = "Before: \"tea\".\n".to_string();
        session.push(1, Message::User("my key is 7 <b>".to_string()));
        session.push(
            2,
            Message::Assistant {
                text: String::new(),
                calls: vec![ToolCall {
                    id: "c1".to_string(),
                    name: "time".to_string(),
                    arguments: "{not json: 7".to_string(),
                }],
            },
        );
        session.push(
            3,
            Message::Result {
                id: "c1".to_string(),
                name: "time".to_string(),
                content: "noon".to_string(),
                failed: true,
            },
        );
        session.push(4, Message::Assistant { text: "It is.".to_string(), calls: vec![] });
        session.push(5, Message::User("thanks".to_string()));
        session.mark(&Gone { text: "thanks".to_string(), ..Gone::default() });
        (session.summarised, session.tried) = (1, 4);
        session
    }

    #[test]
    fn is_the_same_after_writing_and_reading() {
        let session = sample();
        let mut read = Session::new("work").unwrap();
        parse(session.print().unwrap().as_bytes(), &mut read).unwrap();
        assert_eq!(read, session);
        assert_eq!(session.second_turn(), Some(4));
    }

    #[test]
    fn no_prefix_of_a_file_is_a_session() {
        let text = sample().print().unwrap();
        for end in 0..text.len() - 1 {
            let mut read = Session::default();
            assert!(parse(&text.as_bytes()[..end], &mut read).is_err(), "{end}");
        }
    }

    #[test]
    fn names_stay_in_their_folder() {
        for name in ["", ".", "..", "../x", "a/b", ".hidden", "a b", "ä", "a\0", &"x".repeat(65)] {
            assert_eq!(check_name(name).unwrap_err().exit, Exit::Usage, "{name}");
        }
        for name in ["default", "2026-11-25", "a.b_c", &"x".repeat(64)] {
            check_name(name).unwrap();
        }
    }
}
