//! Which records a recall may find.
//!
//! Why: strings are hashed once for each recall. Then each record is looked at in the
//! catalog, as numbers, and no file is read.
//!
//! What it must never do: keep back a record that matches. Equal strings have equal hashes;
//! that different ones may have too can only let one through.

use alloc::vec::Vec;

use super::catalog::{Entry, hash, hash_pair};
use super::error::Refusal;
use super::recall::zeros;

/// Conditions on records. All that are set must hold; none set lets everything through.
///
/// Strings are compared by 64 bits of a cryptographic hash, seeded from the file's id: by chance
/// two of a million share one with a probability of 1 in 10^7, and one who does not know the id
/// cannot look for one that passes for another.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Filter<'a> {
    /// Only records of one of these kinds.
    pub kinds: Option<&'a [&'a str]>,
    /// Only records of one of these sessions.
    pub sessions: Option<&'a [&'a str]>,
    /// Only records made from the first of these times on and before the second, ms.
    pub created: Option<(u64, u64)>,
    /// Only records last used from the first of these times on and before the second, ms.
    pub last_used: Option<(u64, u64)>,
    /// Only records whose metadata has all these pairs.
    pub metadata: &'a [(&'a str, &'a str)],
    /// Only these ids; unknown ones do no harm.
    pub ids: Option<&'a [u64]>,
}

/// A filter with its strings hashed, without its ids.
pub(super) struct Sieve {
    kinds: Option<Vec<u64>>,
    sessions: Option<Vec<u64>>,
    created: (u64, u64),
    last_used: (u64, u64),
    pairs: Vec<u64>,
}

/// Every time: the second bound is not left out here.
const ALWAYS: (u64, u64) = (0, u64::MAX);

fn within((from, to): (u64, u64), time: u64) -> bool {
    from <= time && (time < to || to == u64::MAX)
}

#[inline(never)]
fn hashes(texts: Option<&[&str]>, seed: u64) -> Result<Option<Vec<u64>>, Refusal> {
    let Some(texts) = texts else { return Ok(None) };
    let mut all = zeros(texts.len())?;
    for (one, text) in all.iter_mut().zip(texts) {
        *one = hash(text, seed);
    }
    Ok(Some(all))
}

#[expect(clippy::manual_contains, reason = "`contains` compares in steps: three times the code")]
#[inline(never)]
fn is_in(set: &[u64], what: u64) -> bool {
    set.iter().any(|&one| one == what)
}

impl Sieve {
    /// With the seed of the catalog's hashes.
    ///
    /// # Errors
    /// [`Error::Memory`](super::Error::Memory).
    pub(super) fn new(filter: &Filter<'_>, seed: u64) -> Result<Self, Refusal> {
        let mut pairs = zeros(filter.metadata.len())?;
        for (one, (key, value)) in pairs.iter_mut().zip(filter.metadata) {
            *one = hash_pair(key, value, seed);
        }
        Ok(Sieve {
            kinds: hashes(filter.kinds, seed)?,
            sessions: hashes(filter.sessions, seed)?,
            created: filter.created.unwrap_or(ALWAYS),
            last_used: filter.last_used.unwrap_or(ALWAYS),
            pairs,
        })
    }

    pub(super) fn passes(&self, entry: &Entry) -> bool {
        self.kinds.as_ref().is_none_or(|set| is_in(set, entry.kind))
            && self.sessions.as_ref().is_none_or(|set| is_in(set, entry.session))
            && within(self.created, entry.created)
            && within(self.last_used, entry.last_used)
            && self.pairs.iter().all(|&pair| is_in(&entry.pairs, pair))
    }
}
