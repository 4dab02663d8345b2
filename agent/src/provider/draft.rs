//! What has come of an answer so far.
//!
//! Why: servers tell which call a part belongs to by a number, by an id, or not at all.
//! That is sorted out here, so that both vendors' readers only say what they found.
//!
//! What it must never do: give a call of which only a part may have come, or keep more than
//! its limits, which text and calls have in common: the whole agent has 16 MiB.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::endpoint::no_memory;
use super::fields::Field;
use super::retry::Next;
use super::{Answer, Stop, ToolCall, Usage};
use crate::text;

/// Bytes that text and arguments of one answer may have, together.
const MOST_KEPT: usize = 1 << 20;
/// Calls that one answer may have.
const MOST_CALLS: usize = 64;

/// Why an attempt failed; behind a pointer, as it is handed on from place to place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault(pub(super) Box<Cause>);

/// What went wrong, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cause {
    /// A sentence for a person, without secrets.
    pub(super) sentence: String,
    /// Whether another attempt makes sense.
    pub(super) next: Next,
    /// The status, where there was one that says no.
    pub(super) status: Option<u16>,
    /// What was refused of the request, where it can be asked without.
    pub(super) field: Option<Field>,
}

impl Fault {
    /// One that would come again.
    pub(super) fn lasting(sentence: impl Into<String>) -> Self {
        Self::new(sentence.into(), Next::GiveUp, None)
    }

    /// One that may be gone the next time.
    pub(super) fn passing(sentence: impl Into<String>) -> Self {
        Self::new(sentence.into(), Next::BackOff, None)
    }

    pub(super) fn new(sentence: String, next: Next, status: Option<u16>) -> Self {
        Self(Box::new(Cause { sentence, next, status, field: None }))
    }
}

/// An answer that grows.
#[derive(Default)]
pub(super) struct Draft {
    /// What was said.
    pub(super) text: String,
    /// Why it ended; `None` as long as it has not.
    pub(super) stop: Option<Stop>,
    /// What was counted.
    pub(super) usage: Usage,
    /// What was said is why the answer is refused.
    pub(super) refused: bool,
    /// Nothing follows.
    pub(super) done: bool,
    /// Calls by the number that the server gave them, in the order of these.
    calls: Vec<(u64, ToolCall)>,
    /// What number the server gave last, and to which call that led.
    last: (Option<u64>, u64),
    kept: usize,
}

impl Draft {
    /// Appends text.
    ///
    /// # Errors
    /// [`Fault`]: the answer is longer than is kept, or than memory holds.
    pub(super) fn say(&mut self, text: &str) -> Result<(), Fault> {
        self.keep(text)?;
        self.text.try_reserve(text.len()).map_err(|_| no_memory())?;
        self.text.push_str(text);
        Ok(())
    }

    /// Adds what has come of a call. The arguments come in parts; id and name once, or again with
    /// each part. Where the server gives no number, or one number to all, an id that was not seen
    /// is a new call, and what has no id belongs to the last one that its number led to.
    ///
    /// # Errors
    /// [`Fault`]: there are more calls, or longer ones, than are kept or memory holds.
    pub(super) fn call(
        &mut self,
        index: Option<u64>,
        id: &str,
        name: &str,
        arguments: &str,
    ) -> Result<(), Fault> {
        self.keep(arguments)?;
        let number = self.number(index, id);
        self.last = (index, number);
        let at = match self.calls.binary_search_by_key(&number, |(found, _)| *found) {
            Ok(at) => at,
            Err(_) if self.calls.len() == MOST_CALLS => {
                return Err(Fault::lasting(format!(
                    "the model called more than {MOST_CALLS} tools at once"
                )));
            }
            Err(at) => {
                let empty =
                    ToolCall { id: String::new(), name: String::new(), arguments: String::new() };
                self.calls.insert(at, (number, empty));
                at
            }
        };
        let Some((_, call)) = self.calls.get_mut(at) else { return Ok(()) };
        for (kept, found) in [(&mut call.id, id), (&mut call.name, name)] {
            if kept.is_empty() && !found.is_empty() {
                self.kept = self.kept.saturating_add(found.len());
                kept.try_reserve(found.len()).map_err(|_| no_memory())?;
                kept.push_str(found);
            }
        }
        call.arguments.try_reserve(arguments.len()).map_err(|_| no_memory())?;
        call.arguments.push_str(arguments);
        Ok(())
    }

    fn number(&self, index: Option<u64>, id: &str) -> u64 {
        if id.is_empty() {
            let (led, to) = self.last;
            return index.filter(|_| index != led).unwrap_or(to);
        }
        let next = self.calls.last().map_or(0, |(last, _)| last.saturating_add(1));
        if let Some(index) = index {
            let there = self.calls.iter().find(|(found, _)| *found == index);
            if there.is_none_or(|(_, call)| call.id.is_empty() || call.id == id) {
                return index;
            }
        }
        self.calls.iter().find(|(_, call)| call.id == id).map_or(next, |(index, _)| *index)
    }

    /// Ends what was said before the first of these texts; what would have followed is none of it.
    pub(super) fn end_before(&mut self, stops: &[String]) {
        if let Some(at) = stops.iter().filter_map(|stop| text::find(&self.text, stop)).min() {
            self.text.truncate(at);
            self.calls.clear();
            self.stop = Some(Stop::End);
        }
    }

    /// The whole answer. `stop` counts where the server gave no reason.
    pub(super) fn answer(self, stop: Stop) -> Answer {
        let named = |(index, mut call): (u64, ToolCall)| {
            // The result has to name it.
            if call.id.is_empty() {
                call.id = format!("call_{index}");
            }
            call
        };
        let calls: Vec<ToolCall> = match self.stop {
            // The last one may be half.
            Some(Stop::Length | Stop::Refused) => Vec::new(),
            _ => self.calls.into_iter().map(named).collect(),
        };
        let stop = match self.stop.unwrap_or(stop) {
            // Some servers call tools and say that all is done.
            Stop::End if !calls.is_empty() => Stop::Tools,
            stop => stop,
        };
        Answer { text: self.text, calls, stop, usage: self.usage }
    }

    /// What has come when the person had enough: a call that may be half is none.
    pub(super) fn halted(self) -> Answer {
        Answer { text: self.text, calls: Vec::new(), stop: Stop::End, usage: self.usage }
    }

    fn keep(&mut self, text: &str) -> Result<(), Fault> {
        self.kept = self.kept.saturating_add(text.len());
        if self.kept > MOST_KEPT {
            return Err(Fault::lasting(format!(
                "the answer is longer than the {} KB that are kept of one",
                MOST_KEPT >> 10
            )));
        }
        Ok(())
    }
}
