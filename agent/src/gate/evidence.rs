//! Evidence against a claim, added up so that it may be looked at whenever one likes.
//!
//! The null hypothesis of a claim is that whoever makes it is honest: that what they say of it agrees
//! with what memory holds, and is meant for the person. Of each kind of [`Evidence`] a hypothesis says
//! how often an honest source gives it at most ([`Hypothesis::honest`]); a stake is put on its being
//! seen. For the sources of one sort the bets make one e-value,
//!
//! ```text
//! e = 1 - sum of stakes + sum over what was seen of stake / honest rate
//! ```
//!
//! which is 1 in expectation at most while the null holds, as every term is. The e-value of a claim is
//! the product over the sorts of sources that spoke of it, each of which is asked for nothing but what
//! the others did not determine: a test martingale, so that by Ville's inequality it ever exceeds
//! 1 / alpha with probability alpha at most.
//!
//! What was seen is a set: the same evidence from sources of the same sort counts once, however often
//! it comes, and in whatever order.
//!
//! What it must never do: count the same evidence from sources of one sort twice, or let the stakes
//! be more than 1 together: the bound above would not hold.

use super::Source;

/// What speaks against a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Evidence {
    /// It says another value of something than memory holds.
    Differs,
    /// It comes again, and nobody of another sort has ever said it.
    Insists,
    /// It denies what memory holds.
    Denies,
    /// It tells the assistant what to do.
    Commands,
    /// It does so where no person would read it.
    Hides,
}

impl Evidence {
    /// All of them, as [`Hypotheses`] has them.
    pub const ALL: [Self; 5] =
        [Self::Differs, Self::Insists, Self::Denies, Self::Commands, Self::Hides];

    /// Its name in the config and in the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Differs => "differs",
            Self::Insists => "insists",
            Self::Denies => "denies",
            Self::Commands => "commands",
            Self::Hides => "hides",
        }
    }

    /// What it says of a write.
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::Differs => "says another value than memory",
            Self::Insists => "comes again, and nobody else has said it",
            Self::Denies => "denies memory",
            Self::Commands => "tells the assistant what to do",
            Self::Hides => "hides what it says",
        }
    }

    pub(super) fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// What is supposed of one kind of evidence, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hypothesis {
    /// How often an honest source gives it at most, for one claim.
    pub honest: u32,
    /// The stake on its being seen; at most 200, so that all are 1000 together at most.
    pub stake: u32,
}

/// One for each kind of evidence.
pub type Hypotheses = [Hypothesis; 5];

/// Those that were measured on honest streams (`docs/adr/0024-gate.md`).
pub const HYPOTHESES: Hypotheses = [
    Hypothesis { honest: 60, stake: 60 },
    Hypothesis { honest: 50, stake: 200 },
    Hypothesis { honest: 20, stake: 100 },
    Hypothesis { honest: 25, stake: 125 },
    Hypothesis { honest: 4, stake: 100 },
];

/// Thousandths of the e-value of one sort of source that gave this evidence.
fn of_sort(seen: u8, hypotheses: &Hypotheses) -> u64 {
    let mut e = 1000;
    for (evidence, given) in Evidence::ALL.iter().zip(hypotheses) {
        e -= i64::from(given.stake);
        if seen & evidence.bit() != 0 {
            e += i64::from(given.stake) * 1000 / i64::from(given.honest.max(1));
        }
    }
    e.max(0) as u64
}

/// The e-value of a claim in thousandths; `seen` holds the evidence of each sort of source, `None`
/// where none spoke.
#[must_use]
pub fn e_value(seen: &[Option<u8>; Source::SORTS], hypotheses: &Hypotheses) -> u64 {
    // Six powers of ten are room for three sorts of source; beyond, it is as good as certain.
    seen.iter().flatten().fold(1000, |e: u64, &one| {
        (e.saturating_mul(of_sort(one, hypotheses)) / 1000).min(1_000_000_000)
    })
}
