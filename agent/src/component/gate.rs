//! `clawft:memory/gate`: what the gate before the memory decided, and what is in quarantine.
//!
//! Why: an interface of its own, which builds without the feature `coherence` leave out
//! whole: `agent` is the same in both.
//!
//! What it must never do: let a memory out of quarantine but by the id that the host names,
//! which speaks for the person.

use alloc::string::String;
use alloc::vec::Vec;

use super::Component;
use super::agent::{memos, with_memory};
use super::bindings::exports::clawft::memory::gate::{Decision, Error, Guest, Memo, Ruling};
use crate::gate::{Entry, Settings, Verdict};

fn decision(entry: &Entry, settings: &Settings) -> Decision {
    Decision {
        at: entry.at,
        what: entry.what.clone(),
        source: entry.source.name().into(),
        ruling: match entry.verdict {
            Verdict::Permit => Ruling::Permitted,
            Verdict::Defer => Ruling::Deferred,
            Verdict::Deny => Ruling::Denied,
        },
        e_milli: entry.e,
        id: entry.id,
        against: entry.against,
        reason: entry.reason(settings),
    }
}

impl Guest for Component {
    fn log() -> Result<Vec<Decision>, Error> {
        let mut all = Vec::new();
        with_memory(&mut |_, memory| {
            let settings = memory.gate_settings();
            all = memory.gate_log()?.iter().map(|entry| decision(entry, &settings)).collect();
            Ok(())
        })?;
        Ok(all)
    }

    fn quarantined() -> Result<Vec<Memo>, Error> {
        let mut all = Vec::new();
        with_memory(&mut |_, memory| {
            all = memory.quarantined()?;
            Ok(())
        })?;
        Ok(memos(all))
    }

    fn allow(id: u64) -> Result<(), Error> {
        Ok(with_memory(&mut |_, memory| memory.allow(id))?)
    }

    fn deny(id: u64) -> Result<String, Error> {
        let mut text = String::new();
        with_memory(&mut |_, memory| {
            text = memory.deny(id)?;
            Ok(())
        })?;
        Ok(text)
    }

    fn reset() -> Result<(), Error> {
        Ok(with_memory(&mut |_, memory| memory.gate_reset())?)
    }
}
