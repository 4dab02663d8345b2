//! Tools that a model may call.
//!
//! | file | tools |
//! |---|---|
//! | `memory` | `memory_search`, `memory_write`, `memory_forget` |
//! | `files` | `file_read`, `file_write`, `file_edit`, `file_list` |
//! | `fetch` | `web_fetch` |
//! | `gated` | none: with the feature `coherence`, the gate before those that change something |
//! | `exec` | `exec`, in native builds with the feature `exec-tool` only |
//!
//! and `time_now`. Arguments are checked; each error is a sentence that the model can act on.
//! A tool that has nothing to work on (no folder, no host) is not offered.
//!
//! What a tool must never do: forget anything that the person did not ask to be forgotten and
//! confirm by its id; write over a file without a yes; leave the folders and hosts of the config; come
//! into the data folder; store what the person did not say.

#[cfg(all(not(target_arch = "wasm32"), feature = "exec-tool"))]
mod exec;
mod fetch;
mod files;
#[cfg(feature = "coherence")]
mod gated;
mod memory;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::config::Config;
use crate::context::cut;
use crate::date::minute;
use crate::failure::{Exit, Failure};
use crate::json::{self, Unread, Value};
use crate::memory::{Memo, Memory};
use crate::platform::Platform;
use crate::provider::{Tool, ToolCall};
use crate::room;
use crate::session::Gone;
use crate::text::first;

/// What tools work on.
pub struct Bench<'a, 'm> {
    /// The outside.
    pub platform: Platform<'a>,
    /// The config.
    pub config: &'a Config,
    /// The memory.
    pub memory: &'a mut Memory<'m>,
    /// The session's name.
    pub session: &'a str,
    /// What the person said in the session, for what the model says that they said.
    pub said: &'a [&'a str],
    /// Whether the person asked to forget something in this turn.
    pub may_forget: bool,
    /// Memories that the model was given in this turn.
    pub given: Vec<Memo>,
    /// The memories that were forgotten.
    pub forgotten: Vec<Gone>,
    /// What tools gave since the person spoke last, as the model has read it.
    #[cfg(feature = "coherence")]
    pub read: Vec<String>,
}

/// What a tool gives: a text, or why there is none.
type Outcome = Result<String, Failure>;

/// What the model asked for cannot be done.
#[cold]
fn refused(sentence: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, sentence)
}

const TIME: Tool = Tool {
    name: "time_now",
    description: "The present date and time, UTC.",
    parameters: r#"{"type":"object","properties":{},"additionalProperties":false}"#,
};

/// The tools on offer.
#[must_use]
pub fn offered(config: &Config, may_forget: bool) -> Vec<Tool<'static>> {
    let mut all = Vec::from([TIME, memory::SEARCH, memory::WRITE]);
    if may_forget {
        all.push(memory::FORGET);
    }
    if !config.folders.is_empty() {
        all.extend(files::ALL);
    }
    if !config.hosts.is_empty() {
        all.push(fetch::FETCH);
    }
    #[cfg(all(not(target_arch = "wasm32"), feature = "exec-tool"))]
    all.push(exec::EXEC);
    all
}

/// Whether a name is one of ours, on offer or not.
pub(crate) fn is_own(name: &str) -> bool {
    let ours = [TIME, memory::SEARCH, memory::WRITE, memory::FORGET, fetch::FETCH];
    let runs = cfg!(feature = "exec-tool") && name == "exec";
    runs || ours.iter().chain(&files::ALL).any(|tool| tool.name == name)
}

impl Bench<'_, '_> {
    /// Runs a call. `budget` is the most tokens of what it gives.
    ///
    /// # Errors
    /// With a sentence for the model.
    pub fn call(&mut self, call: &ToolCall, budget: usize) -> Result<String, Failure> {
        let all = offered(self.config, self.may_forget);
        let Some(tool) = all.iter().find(|tool| tool.name == call.name) else {
            let names: Vec<_> = all.iter().map(|tool| tool.name).collect();
            let found = first(&call.name, 64);
            return Err(refused(format!(
                "one of the tools {} expected, found {found}",
                names.join(", ")
            )));
        };
        let arguments = Arguments::parse(tool, &call.arguments)?;
        #[cfg(feature = "coherence")]
        self.permitted(tool.name)?;
        let done = match tool.name {
            "time_now" => Ok(minute(self.platform.clock.now())),
            "memory_search" => self.search(&arguments, budget),
            "memory_write" => self.write(&arguments),
            "memory_forget" => self.forget(&arguments),
            "web_fetch" => self.fetch(&arguments),
            #[cfg(all(not(target_arch = "wasm32"), feature = "exec-tool"))]
            "exec" => exec::run(&arguments),
            _ => self.file(tool.name, &arguments),
        };
        match done {
            Ok(text) => {
                room::ask(text.len())?;
                Ok(cut(&text, budget))
            }
            Err(mut why) => {
                why.sentence = cut(&why.sentence, budget);
                Err(why)
            }
        }
    }
}

/// Values that the arguments of a call may have.
const MOST_VALUES: usize = 10_000;

/// Arguments of a call: an object with no other keys than the tool has.
struct Arguments(Value);

impl Arguments {
    fn parse(tool: &Tool<'_>, text: &str) -> Result<Self, Failure> {
        // Some models write nothing where there is nothing to say.
        let text = if text.trim().is_empty() { "{}" } else { text };
        let found = json::read(text.as_bytes(), MOST_VALUES).map_err(|why| match why {
            Unread::Broken(_) => refused(format!(
                "arguments of {} as a JSON object expected, found invalid JSON",
                tool.name
            )),
            Unread::NoMemory => refused(room::NONE),
        })?;
        let Some(members) = found.as_object() else {
            let sentence = format!("arguments of {} as a JSON object expected", tool.name);
            return Err(refused(sentence));
        };
        let schema = json::or_null(tool.parameters.as_bytes());
        let known = &schema["properties"];
        if let Some(other) = members.iter().map(|(name, _)| name).find(|name| known[name].is_null())
        {
            let other = first(other, 64);
            return Err(refused(format!(
                "{} has no argument {other}: {} expected",
                tool.name,
                known.print()
            )));
        }
        Ok(Self(found))
    }

    /// A text that must be there.
    fn text(&self, key: &str) -> Result<&str, Failure> {
        let wrong = || refused(format!("the argument {key} expected, a string"));
        self.0[key].as_text().ok_or_else(wrong)
    }

    /// A number that may be there.
    fn number(&self, key: &str, otherwise: u64, most: u64) -> Result<u64, Failure> {
        match &self.0[key] {
            Value::Null => Ok(otherwise),
            value => value.as_u64().filter(|n| (1..=most).contains(n)).ok_or_else(|| {
                refused(format!("the argument {key} expected as a whole number from 1 to {most}"))
            }),
        }
    }

    /// Numbers that must be there.
    fn numbers(&self, key: &str) -> Result<Vec<u64>, Failure> {
        let wrong = || refused(format!("the argument {key} expected, a list of whole numbers"));
        let list = self.0[key].as_list().filter(|list| !list.is_empty()).ok_or_else(wrong)?;
        let mut numbers = Vec::new();
        for value in list {
            numbers.push(value.as_u64().ok_or_else(wrong)?);
        }
        Ok(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn every_schema_is_a_schema() {
        let config = Config {
            folders: Vec::from(["/a".into()]),
            hosts: Vec::from(["b".into()]),
            ..Config::default()
        };
        let all = offered(&config, true);
        assert!(all.len() >= 9);
        for tool in &all {
            let schema: Value = serde_json::from_str(tool.parameters).unwrap();
            assert_eq!(schema["type"], "object", "{}", tool.name);
            assert_eq!(schema["additionalProperties"], false, "{}", tool.name);
            for required in schema["required"].as_array().unwrap_or(&Vec::new()) {
                assert!(schema["properties"].get(required.as_str().unwrap()).is_some());
            }
            assert!(tool.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
        }
        let plain: Vec<_> = offered(&Config::default(), false).iter().map(|t| t.name).collect();
        let exec = cfg!(feature = "exec-tool").then_some("exec");
        let expected = ["time_now", "memory_search", "memory_write"].into_iter().chain(exec);
        assert_eq!(plain, expected.collect::<Vec<_>>());
    }

    #[test]
    fn arguments_are_checked() {
        let parse = |text: &str| Arguments::parse(&memory::SEARCH, text);
        for wrong in ["{", "[]", "1", "\"x\"", "{\"query\":\"a\",\"other\":1}"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        let arguments = parse("{\"query\": 1, \"k\": 99}").unwrap();
        assert!(arguments.text("query").is_err() && arguments.number("k", 5, 20).is_err());
        assert!(parse("").unwrap().number("k", 5, 20) == Ok(5));
    }
}
