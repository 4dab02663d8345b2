//! What became of a memory that was given: a use, and a word on it.
//!
//! A verdict counts as a use. Good ones raise the record's importance, bad ones lower it: how
//! long its vector is kept in full where room is short goes by that, and which memories a full
//! one lets go first. It changes no order of results, and takes nothing away itself: a memory
//! that is wrong is corrected or forgotten, by name.
//!
//! Why: orders learned from verdicts were measured, and were not worth what they cost
//! (`docs/adr/0025-what-feedback-is-worth.md`).
//!
//! What it must never do: forget a memory, or be weighed in a search.

use super::Memory;
use super::write::{put_again, unknown};
use crate::failure::Failure;

/// What was made of a memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was of use.
    Used,
    /// An answer cites it.
    Cited,
    /// An answer that went by it was right.
    Good,
    /// An answer that went by it was wrong, or it did not belong there.
    Bad,
    /// The person put right what it says.
    Corrected,
}

impl Verdict {
    /// The verdict of that name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "used" => Self::Used,
            "cited" => Self::Cited,
            "good" => Self::Good,
            "bad" => Self::Bad,
            "corrected" => Self::Corrected,
            _ => return None,
        })
    }

    /// What it adds to an importance, and the name by which it is kept with the record; a mere use
    /// is only counted.
    fn weight(self) -> (f32, &'static str) {
        match self {
            Self::Used | Self::Cited => (0.0, ""),
            Self::Good => (0.125, "good"),
            Self::Bad => (-0.125, "bad"),
            Self::Corrected => (-0.25, "corrected"),
        }
    }
}

impl Memory<'_> {
    /// Takes a verdict on a memory. Gives its importance, from 0 to 1; that of a new one is 0.5.
    ///
    /// # Errors
    /// [`Exit::Nothing`](crate::failure::Exit::Nothing) for an unknown id, and those of the store.
    pub fn feedback(&mut self, id: u64, verdict: Verdict) -> Result<f32, Failure> {
        if self.get(id)?.is_none() {
            return Err(unknown(id));
        }
        let (step, name) = verdict.weight();
        let pair = [("verdict", name)];
        let kept = if name.is_empty() { &[][..] } else { &pair };
        let mut importance = 0.0;
        self.change_of(id, &mut |store, now| {
            put_again(store, id, None, kept, &mut |record| {
                record.uses = record.uses.saturating_add(1);
                record.last_used = now;
                record.importance = (record.importance + step).clamp(0.0, 1.0);
                importance = record.importance;
            })
        })?;
        Ok(importance)
    }
}
