//! `clawft:memory/agent`: talks, and the memory of a data folder.
//!
//! Why: each call sets up anew and finishes, so that nothing but the config is kept from
//! one to the next: other programs may use the data folder in between. What is done goes in as
//! `dyn`, so that what surrounds it is compiled once.
//!
//! What it must never do: ask a person, as the input is the host's, or offer a model what
//! forgets.

use alloc::string::String;
use alloc::vec::Vec;

use super::bindings::exports::clawft::memory::agent::{
    Answer, Error, Guest, Memo as WitMemo, Remembered, Verdict as WitVerdict,
};
use super::{Component, given};
use crate::command::setup::Setup;
use crate::failure::Failure;
use crate::memory::{Memo, Memory, New, Remembered as Done, Verdict};
use crate::platform::wasi::Wasi;
use crate::platform::{Platform, Unattended};
use crate::provider::Flow;
use crate::session::{self, Session};
use crate::turn::{self, Turn};

/// Does something with what the config says. Compiled once, whatever is done.
#[inline(never)]
fn with(work: &mut dyn FnMut(&Setup<'_>) -> Result<(), Failure>) -> Result<(), Failure> {
    let wasi = Wasi::new();
    // The input is the host's, which calls functions.
    let terminal = &Unattended(wasi.platform().terminal);
    let platform = Platform { terminal, ..wasi.platform() };
    work(&Setup::of_config(&platform, given::get().as_deref())?)
}

/// What is done with a memory, and what comes of it.
pub(super) type Work<'w> = dyn FnMut(&Setup<'_>, &mut Memory<'_>) -> Result<(), Failure> + 'w;

/// Does something with the memory. What is derived is saved then, if it can be: an error would have
/// done again what is committed, or lose an answer that was paid for.
#[inline(never)]
pub(super) fn with_memory(work: &mut Work<'_>) -> Result<(), Failure> {
    with(&mut |setup| {
        let mut memory = setup.memory();
        let done = work(setup, &mut memory);
        let _ = memory.finish();
        done
    })
}

/// Answers a message.
fn say(session: &str, message: &str) -> Result<Turn, Failure> {
    let mut turn = Turn::default();
    with_memory(&mut |setup, memory| {
        let (provider, model) = setup.provider()?;
        let (mut session, note) = Session::load(&setup.platform, &setup.data, session)?;
        turn.notes.extend(note);
        let mut agent = setup.agent(&*provider, &model, memory);
        let mut show = |_: &str| Flow::Go;
        turn::answer(&mut agent, &mut session, message, false, &mut show, &mut turn)
    })?;
    Ok(turn)
}

fn memo(memo: Memo) -> WitMemo {
    let Memo { id, text, created, kind, session, pinned, score } = memo;
    WitMemo { id, text, created, kind, session, pinned, score }
}

pub(super) fn memos(all: Vec<Memo>) -> Vec<WitMemo> {
    all.into_iter().map(memo).collect()
}

impl Guest for Component {
    fn init(config: Option<String>) -> Result<(), Error> {
        Ok(given::take(config)?)
    }

    fn run(session: String, message: String) -> Result<Answer, Error> {
        let mut turn = say(&session, &message)?;
        // Whoever calls runs it.
        turn.notes.append(&mut turn.own);
        Ok(Answer {
            text: turn.text,
            cited: turn.cited,
            given: memos(turn.given),
            learned: turn.learned.iter().map(|done| done.id).collect(),
            notes: turn.notes,
            input_tokens: turn.usage.input,
            output_tokens: turn.usage.output,
        })
    }

    fn remember(text: String) -> Result<Remembered, Error> {
        let (mut done, mut note) = (Done::default(), None);
        with_memory(&mut |_, memory| {
            done = memory.remember(&New::fact(&text))?;
            note = memory.evicted();
            #[cfg(feature = "coherence")]
            if done.verdict == crate::gate::Verdict::Deny {
                return Err(Failure::new(crate::failure::Exit::Usage, done.reason.clone()));
            }
            #[cfg(feature = "coherence")]
            if done.verdict == crate::gate::Verdict::Defer {
                note = Some(alloc::format!("in quarantine: {}", done.reason));
            }
            Ok(())
        })?;
        Ok(Remembered {
            id: done.id,
            merged: done.merged,
            redacted: done.redacted as u32,
            near: memos(done.near),
            notes: note.into_iter().collect(),
        })
    }

    fn recall(query: String, limit: u32) -> Result<Vec<WitMemo>, Error> {
        let mut found = Vec::new();
        with_memory(&mut |_, memory| {
            found = memory.recall(&query, limit as usize)?;
            Ok(())
        })?;
        Ok(memos(found))
    }

    fn forget(ids: Vec<u64>) -> Result<Vec<String>, Error> {
        let mut texts = Vec::new();
        with_memory(&mut |_, memory| {
            for gone in memory.forget(&ids)? {
                texts.push(gone.text);
            }
            Ok(())
        })?;
        Ok(texts)
    }

    fn feedback(id: u64, verdict: WitVerdict) -> Result<f32, Error> {
        let verdict = match verdict {
            WitVerdict::Used => Verdict::Used,
            WitVerdict::Cited => Verdict::Cited,
            WitVerdict::Good => Verdict::Good,
            WitVerdict::Bad => Verdict::Bad,
            WitVerdict::Corrected => Verdict::Corrected,
        };
        let mut importance = 0.0;
        with_memory(&mut |_, memory| {
            importance = memory.feedback(id, verdict)?;
            Ok(())
        })?;
        Ok(importance)
    }

    fn sessions() -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        with(&mut |setup| {
            names = session::names(&setup.platform, &setup.data)?;
            Ok(())
        })?;
        Ok(names)
    }
}
