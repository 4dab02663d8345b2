//! Which records a recall may find.

use alloc::vec::Vec;

use super::catalog::{Entry, hash, hash_pair};

/// Conditions on records. All that are set must hold; none set lets everything through.
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

impl Sieve {
    pub(super) fn new(filter: &Filter<'_>) -> Self {
        let hashes = |texts: &[&str]| texts.iter().map(|text| hash(text)).collect();
        Sieve {
            kinds: filter.kinds.map(hashes),
            sessions: filter.sessions.map(hashes),
            created: filter.created.unwrap_or(ALWAYS),
            last_used: filter.last_used.unwrap_or(ALWAYS),
            pairs: filter.metadata.iter().map(|(key, value)| hash_pair(key, value)).collect(),
        }
    }

    pub(super) fn passes(&self, entry: &Entry) -> bool {
        let one_of = |set: &Option<Vec<u64>>, what| set.as_ref().is_none_or(|s| s.contains(&what));
        one_of(&self.kinds, entry.kind)
            && one_of(&self.sessions, entry.session)
            && within(self.created, entry.created)
            && within(self.last_used, entry.last_used)
            && self.pairs.iter().all(|pair| entry.pairs.binary_search(pair).is_ok())
    }
}
