//! Sentences for people, JSON for programs.
//!
//! Why: what a memory, a model or a file says may hold anything, so what is quoted for a
//! person goes through `plain` or `short`; in JSON such characters are escaped anyway. A score
//! is printed in thousandths, since code that prints floats weighs kilobytes.
//!
//! What it must never do: let through to a terminal a control character of what it quotes, but
//! for ends of lines and tabs, or print a note where results go.

use alloc::format;
use alloc::string::String;
use core::cell::Cell;
use core::fmt;

use crate::date::day;
use crate::failure::{Exit, Failure};
use crate::json::Json;
use crate::memory::Memo;
use crate::platform::Terminal;
pub(super) use crate::text::short;

/// Where a command's output goes, and how.
pub(super) struct Output<'a> {
    pub(super) terminal: &'a dyn Terminal,
    pub(super) json: bool,
    /// How a command ends that did what it could, where that was not all.
    pub(super) exit: Cell<Option<Exit>>,
}

/// A text for a terminal: of control characters, which may move the cursor or hide what follows, only
/// ends of lines and tabs.
pub(super) fn plain(text: &str) -> String {
    let shown = |c: char| if c.is_control() && !matches!(c, '\n' | '\t') { ' ' } else { c };
    text.chars().map(shown).collect()
}

/// Memories as a program reads them.
pub(super) fn list(name: &str, memos: &[Memo], json: &mut Json) {
    json.begin(name, '[');
    for memo in memos {
        json.open('{');
        memo.write(json);
        json.count("score_milli", (memo.score * 1000.0) as u64);
        json.close('}');
    }
    json.close(']');
}

/// A value that a program gets of a command.
pub(super) enum Shown<'a> {
    Text(&'a str),
    Number(u64),
    Texts(&'a [String]),
    Numbers(&'a [u64]),
}

/// A memory as a person reads it.
pub(super) fn line(memo: &Memo) -> String {
    let pinned = if memo.pinned { "  (pinned)" } else { "" };
    format!("[{}]  {}  {}{pinned}\n", memo.id, day(memo.created), short(&memo.text, 300))
}

impl Output<'_> {
    /// One object for programs.
    pub(super) fn object(&self, object: Json) {
        self.terminal.print(&object.line());
    }

    /// A sentence for people, with its end.
    #[inline(never)]
    pub(super) fn say(&self, sentence: fmt::Arguments<'_>) {
        self.terminal.print(&format!("{sentence}"));
    }

    /// A sentence for people, or an object with one value.
    pub(super) fn pair(&self, sentence: fmt::Arguments<'_>, key: &str, value: &Shown<'_>) {
        if !self.json {
            return self.say(sentence);
        }
        let mut json = Json::object();
        match *value {
            Shown::Text(text) => json.text(key, text),
            Shown::Number(number) => json.count(key, number),
            Shown::Texts(texts) => json.texts(key, texts),
            Shown::Numbers(numbers) => json.counts(key, numbers),
        }
        self.object(json);
    }

    /// Memories that were found.
    pub(super) fn found(&self, found: &[Memo]) {
        if !self.json {
            return found.iter().for_each(|memo| self.terminal.print(&line(memo)));
        }
        let mut json = Json::object();
        list("found", found, &mut json);
        self.object(json);
    }

    /// A text.
    pub(super) fn text(&self, key: &str, text: &str) {
        self.pair(format_args!("{text}"), key, &Shown::Text(text));
    }

    /// A sentence beside the output; it may quote something.
    pub(super) fn note(&self, sentence: &str) {
        self.terminal.note(&format!("clawft: {}\n", plain(sentence)));
    }

    /// Why it failed.
    pub(super) fn failure(&self, failure: &Failure) {
        if !self.json {
            return self.note(&failure.sentence);
        }
        let mut json = Json::object();
        json.text("error", &failure.sentence);
        json.count("exit", failure.exit as u64);
        self.object(json);
    }
}
