//! A memory's filter: each field by itself, and all at once, beside what they must let through.

use super::store::{KINDS, ROWS, SESSIONS, STEP, answers, filled};
use super::{EXACT_RECALL, K, Sample, recall};
use crate::memory::{Filter, Memories, NOW, Question};
use crate::scratch::Scratch;
use crate::seen::{Digest, Outcome, Seen, hold};

/// No condition.
const ANY: Filter<'_> =
    Filter { kinds: None, sessions: None, created: None, used: None, metadata: &[], ids: None };

/// A filter, and whether it must let the record of an id through.
type Case = (&'static str, Filter<'static>, fn(u64) -> bool);

const CASES: [Case; 16] = [
    ("a kind", Filter { kinds: Some(&[KINDS[0]]), ..ANY }, |id| id % 3 == 0),
    ("two kinds", Filter { kinds: Some(&[KINDS[2], KINDS[1]]), ..ANY }, |id| id % 3 != 0),
    ("a kind of no record", Filter { kinds: Some(&["nothing"]), ..ANY }, |_| false),
    ("no kind", Filter { kinds: Some(&[]), ..ANY }, |_| false),
    ("a session", Filter { sessions: Some(&[SESSIONS[2]]), ..ANY }, |id| id % 5 == 2),
    ("no session", Filter { sessions: Some(&[]), ..ANY }, |_| false),
    // From the first moment on, before the second.
    ("made then", Filter { created: Some((NOW + 50, NOW + 62)), ..ANY }, |id| {
        (50..62).contains(&id)
    }),
    ("made from then on", Filter { created: Some((NOW + 150, u64::MAX)), ..ANY }, |id| id >= 150),
    ("used then", Filter { used: Some((NOW + STEP * 20, NOW + STEP * 40)), ..ANY }, |id| {
        (20..40).contains(&id)
    }),
    ("a pair", Filter { metadata: &[("side", "left")], ..ANY }, |id| id % 2 == 0),
    ("two pairs", Filter { metadata: &[("side", "left"), ("part", "2")], ..ANY }, |id| id % 4 == 2),
    ("a value under another key", Filter { metadata: &[("part", "left")], ..ANY }, |_| false),
    // In any order, with one that nobody has.
    ("ids", Filter { ids: Some(&[150, 7, 6, 5, u64::MAX, 1]), ..ANY }, |id| {
        [1, 5, 6, 7, 150].contains(&id)
    }),
    ("no id", Filter { ids: Some(&[]), ..ANY }, |_| false),
    (
        "a kind among ids",
        Filter { kinds: Some(&[KINDS[1]]), ids: Some(&[1, 2, 3, 4]), ..ANY },
        |id| id == 1 || id == 4,
    ),
    (
        "all at once",
        Filter {
            kinds: Some(&[KINDS[0]]),
            sessions: Some(&[SESSIONS[0], SESSIONS[1]]),
            created: Some((NOW + 10, NOW + 190)),
            used: Some((NOW, NOW + STEP * 180)),
            metadata: &[("side", "left")],
            ids: Some(&[0, 6, 30, 36, 60, 66, 90, 91, 180]),
        },
        |id| [30, 36, 60, 66, 90].contains(&id),
    ),
];

pub(super) fn check(memories: &mut dyn Memories, sample: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let mut memory = filled(memories, folder.path(), sample)?;
    let mut digest = Digest::default();
    for (name, filter, lets_through) in CASES {
        let allowed: Vec<u64> = (0..ROWS as u64).filter(|id| lets_through(*id)).collect();
        let wanted = allowed.len().min(K as usize);
        let asked = Question { k: K, filter, ..Question::default() };
        let found = answers(&mut *memory, sample, asked)?;
        hold(found.iter().all(|hits| hits.len() == wanted), || {
            format!("{name}: {wanted} of each query expected, one has another number")
        })?;
        if !allowed.is_empty() {
            let share = recall(sample, &allowed, &found).map_err(|why| format!("{name}: {why}"))?;
            hold(share >= EXACT_RECALL, || format!("{name}: recall {share:.4}"))?;
        }
        found.iter().for_each(|hits| digest.hits(hits));

        // The words of a record find it, if it may be found, and nothing that may not.
        let row = allowed.first().copied().unwrap_or_default();
        let text = Some(sample.texts[row as usize].as_str());
        let by_words = memory.recall(Question { k: ROWS as u32, text, ..asked })?;
        let first = by_words.first().map(|hit| hit.0);
        hold(first == allowed.first().copied(), || {
            format!("{name}: the text of {row} asked for, found {first:?}")
        })?;
        let other = by_words.iter().find(|hit| !allowed.contains(&hit.0));
        hold(other.is_none(), || format!("{name}: by words it lets {other:?} through"))?;
    }
    Ok(Seen::new(format!("{} filters, by each field", CASES.len()), digest))
}
