//! `clawft:memory/agent`: talks, and the memory of a data folder.

use alloc::string::String;
use alloc::vec::Vec;

use super::bindings::exports::clawft::memory::agent::{
    Answer, Error, Guest, Memo as WitMemo, Remembered,
};
use super::{Component, given};
use crate::command::setup::Setup;
use crate::failure::Failure;
use crate::memory::{Memo, Memory, New};
use crate::platform::wasi::Wasi;
use crate::provider::Flow;
use crate::session::{self, Session};
use crate::turn::{self, Turn};

/// Does something with what the config says.
fn with<T>(work: impl FnOnce(&Setup<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
    let wasi = Wasi::new();
    work(&Setup::of_config(&wasi.platform(), given::get().as_deref())?)
}

/// Does something with the memory; what was changed is then saved whole.
fn with_memory<T>(
    work: impl FnOnce(&Setup<'_>, &mut Memory<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    with(|setup| {
        let mut memory = setup.memory();
        let done = work(setup, &mut memory);
        let ended = memory.finish();
        done.and_then(|done| ended.map(|()| done))
    })
}

/// Answers a message.
fn say(session: &str, message: &str) -> Result<Turn, Failure> {
    with_memory(|setup, memory| {
        let (provider, model) = setup.provider()?;
        let (mut session, note) = Session::load(&setup.platform, &setup.data, session)?;
        let mut turn = Turn::default();
        turn.notes.extend(note);
        let mut agent = setup.agent(&*provider, &model, memory);
        let mut show = |_: &str| Flow::Go;
        turn::answer(&mut agent, &mut session, message, false, &mut show, &mut turn)?;
        Ok(turn)
    })
}

fn memo(memo: Memo) -> WitMemo {
    let Memo { id, text, created, kind, session, pinned, score } = memo;
    WitMemo { id, text, created, kind, session, pinned, score }
}

fn memos(all: Vec<Memo>) -> Vec<WitMemo> {
    all.into_iter().map(memo).collect()
}

impl Guest for Component {
    fn init(config: Option<String>) -> Result<(), Error> {
        Ok(given::take(config)?)
    }

    fn run(session: String, message: String) -> Result<Answer, Error> {
        let turn = say(&session, &message)?;
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
        let done = with_memory(|_, memory| memory.remember(&New::fact(&text)))?;
        Ok(Remembered {
            id: done.id,
            merged: done.merged,
            redacted: done.redacted as u32,
            near: memos(done.near),
        })
    }

    fn recall(query: String, limit: u32) -> Result<Vec<WitMemo>, Error> {
        Ok(memos(with_memory(|_, memory| memory.recall(&query, limit as usize))?))
    }

    fn forget(ids: Vec<u64>) -> Result<Vec<String>, Error> {
        Ok(with_memory(|_, memory| memory.forget(&ids))?)
    }

    fn sessions() -> Result<Vec<String>, Error> {
        Ok(with(|setup| session::names(&setup.platform, &setup.data))?)
    }
}
