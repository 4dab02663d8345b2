//! Sentences for people, JSON for programs.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use serde_json::{Map, Value};

use crate::date::day;
use crate::failure::Failure;
use crate::memory::Memo;
use crate::platform::Terminal;

/// Where a command's output goes, and how.
pub(super) struct Output<'a> {
    pub(super) terminal: &'a dyn Terminal,
    pub(super) json: bool,
}

/// A text cut to so many characters, without any that move the cursor.
pub(super) fn short(text: &str, most: usize) -> String {
    let mut out: String =
        text.chars().take(most).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(most).is_some() {
        out.push('…');
    }
    out
}

/// A memory as a program reads it.
pub(super) fn object(memo: &Memo) -> Value {
    let mut map = Map::new();
    map.insert("id".to_owned(), memo.id.into());
    map.insert("text".to_owned(), memo.text.as_str().into());
    map.insert("created".to_owned(), memo.created.into());
    map.insert("kind".to_owned(), memo.kind.as_str().into());
    map.insert("session".to_owned(), memo.session.as_str().into());
    map.insert("pinned".to_owned(), memo.pinned.into());
    // In thousandths: printing decimals costs more code than it tells.
    map.insert("score_milli".to_owned(), ((memo.score * 1000.0) as i64).into());
    Value::Object(map)
}

/// A memory as a person reads it.
pub(super) fn line(memo: &Memo) -> String {
    let pinned = if memo.pinned { "  (pinned)" } else { "" };
    format!("[{}]  {}  {}{pinned}\n", memo.id, day(memo.created), short(&memo.text, 300))
}

impl Output<'_> {
    /// One object for programs.
    pub(super) fn object(&self, pairs: &[(&str, Value)]) {
        let map: Map<String, Value> =
            pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        self.terminal.print(&format!("{}\n", Value::Object(map)));
    }

    /// A sentence for people, or an object with one value.
    pub(super) fn pair(&self, sentence: &str, key: &str, value: impl Into<Value>) {
        match self.json {
            true => self.object(&[(key, value.into())]),
            false => self.terminal.print(sentence),
        }
    }

    /// A text.
    pub(super) fn text(&self, key: &str, text: &str) {
        self.pair(text, key, text);
    }

    /// A sentence beside the output.
    pub(super) fn note(&self, sentence: &str) {
        self.terminal.note(&format!("clawft: {sentence}\n"));
    }

    /// Why it failed.
    pub(super) fn failure(&self, failure: &Failure) {
        match self.json {
            true => self.object(&[
                ("error", failure.sentence.as_str().into()),
                ("exit", (failure.exit as i32).into()),
            ]),
            false => self.note(&failure.sentence),
        }
    }
}
