//! The calls of an answer, and what comes of them.
//!
//! What it must never do: leave a call in the session without its result.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Agent, Turn};
use crate::context;
use crate::failure::Failure;
use crate::provider::{Message, ToolCall};
use crate::session::Session;
use crate::tools::Bench;

/// Calls of one answer that are run; the others get an error.
const MOST_CALLS: usize = 16;
/// Tokens of a result below which it says nothing.
const LEAST_RESULT: usize = 64;

/// What is said of calls beyond those.
const TOO_MANY: &str = "too many calls of tools in this turn: it was not run";

impl Agent<'_, '_> {
    /// Runs the calls of an answer; each gets its result. What is called and what comes of it may
    /// have `most` tokens in a turn.
    pub(super) fn run(
        &mut self,
        session: &mut Session,
        calls: &[ToolCall],
        most: usize,
        may_forget: bool,
        turn: &mut Turn,
    ) {
        let said: Vec<&str> = session
            .messages
            .iter()
            .filter_map(|said| match &said.message {
                // The model would bring back what was forgotten.
                Message::User(text) if !said.forgotten => Some(text.as_str()),
                _ => None,
            })
            .collect();
        let since = session.messages.iter().rev().map(|said| &said.message);
        let since = since.take_while(|message| !matches!(message, Message::User(_)));
        let left = most.saturating_sub(since.map(context::tokens_of).sum());
        // One may take as much as the memories may.
        let one = self.config.context_tokens as usize / 4;
        let budget = one.min(left / calls.len().max(1));
        let mut bench = Bench {
            platform: self.platform,
            config: self.config,
            memory: &mut *self.memory,
            session: &session.name,
            said: &said,
            may_forget,
            given: core::mem::take(&mut turn.given),
            forgotten: core::mem::take(&mut turn.forgotten),
            #[cfg(feature = "coherence")]
            read: read(session),
        };
        let mut results = Vec::new();
        for (i, call) in calls.iter().enumerate() {
            let done = match i >= MOST_CALLS {
                true => Err(TOO_MANY.to_string()),
                false if budget < LEAST_RESULT => {
                    Err("no room for more results in this turn: it was not run".to_string())
                }
                false => bench.call(call, budget).map_err(Failure::into_sentence),
            };
            results.push((self.platform.clock.now(), result(call, done)));
        }
        turn.given = bench.given;
        turn.forgotten = bench.forgotten;
        results.into_iter().for_each(|(at, result)| session.push(at, result));
    }

    /// Gives calls their results without running them.
    pub(super) fn refuse(&self, session: &mut Session, calls: &[ToolCall]) {
        for call in calls {
            session.push(self.platform.clock.now(), result(call, Err(TOO_MANY.to_string())));
        }
    }
}

/// What tools gave since the person spoke last.
#[cfg(feature = "coherence")]
fn read(session: &Session) -> Vec<String> {
    let last = session.messages.iter().rev().map(|said| &said.message);
    let last = last.take_while(|message| !matches!(message, Message::User(_)));
    let content = |message: &Message| match message {
        Message::Result { content, .. } => Some(content.clone()),
        _ => None,
    };
    last.filter_map(content).collect()
}

fn result(call: &ToolCall, done: Result<String, String>) -> Message {
    let failed = done.is_err();
    let content = done.unwrap_or_else(|why| why);
    Message::Result { id: call.id.clone(), name: call.name.clone(), content, failed }
}
