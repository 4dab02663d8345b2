//! What a new text says to an old one.
//!
//! Why: the order of the questions matters. What denies a text shares most of its words,
//! and so does one with another value, so likeness is asked for last. Words and cosine are
//! added up, as either may be blind. The limits were chosen on the open half of the streams of
//! `docs/adr/0024-gate.md`, whose figures hold for these limits alone.
//!
//! What it must never do: go by the speaker, which is for `judge`, or let a document deny
//! something or be denied.

use super::words::{Word, Words};

/// How two texts stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// About something else.
    Unrelated,
    /// About the same, and both may hold.
    Compatible,
    /// The new one says the same.
    Agrees,
    /// The new one says the same of another value, in the same frame or in place of a number or a
    /// name: both may hold, where there may be several.
    Differs,
    /// The new one says that the old one held and does so no longer.
    Updates,
    /// The new one denies the old one.
    Contradicts,
}

/// Weight of a name or a number; of any other word it is 1.
const SPECIFIC: u32 = 2;
/// Words of a text that states one thing; a longer one is a document, which denies nothing.
const CLAIM: usize = 28;

fn weight<'w>(words: impl Iterator<Item = &'w Word>) -> u32 {
    words.map(|word| if word.name || word.number { SPECIFIC } else { 1 }).sum()
}

/// How many words both begin and end with, and how many are between these in each.
fn frame(a: &[u32], b: &[u32]) -> (usize, usize, usize) {
    let least = a.len().min(b.len());
    let head = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let ends = a.iter().rev().zip(b.iter().rev()).take(least - head);
    let tail = ends.take_while(|(a, b)| a == b).count();
    (head + tail, a.len() - head - tail, b.len() - head - tail)
}

/// What `new` says to `old`; `cosine` is that of their vectors.
#[must_use]
pub fn compare(new: &Words, old: &Words, cosine: f32) -> Relation {
    if new.sentence == old.sentence {
        return Relation::Agrees;
    }
    let both = weight(new.all.iter().filter(|word| old.get(word.hash).is_some()));
    let least = weight(new.all.iter()).min(weight(old.all.iter())).max(1);
    let overlap = both as f32 / least as f32;
    // Words and vectors see the same from two sides: either may be blind.
    let near = cosine + overlap;
    if near < 0.6 || both == 0 && cosine < 0.6 {
        return Relation::Unrelated;
    }
    let is_claim = new.order.len() <= CLAIM && old.order.len() <= CLAIM;
    // What is denied here and said there, or the other way round.
    let turned = |word: &Word| old.get(word.hash).is_some_and(|other| other.denied != word.denied);
    if is_claim && new.all.iter().any(turned) {
        return if new.changes && !new.ever { Relation::Updates } else { Relation::Contradicts };
    }
    let lone = |a: &Words, b: &Words, what: fn(&Word) -> bool| {
        a.all.iter().any(|word| what(word) && b.get(word.hash).is_none())
    };
    let other = |what| lone(new, old, what) && lone(old, new, what);
    let (common, of_new, of_old) = frame(&new.order, &old.order);
    let same_frame = common >= 2 && common >= of_new.max(of_old) && of_new.min(of_old) > 0;
    // An old text that tells of a change has the value that was, too.
    let settled = old.changes || old.denies;
    let differs = same_frame || !settled && (other(|word| word.number) || other(|word| word.name));
    if is_claim && differs && near >= 0.8 {
        return match new.changes {
            _ if new.ever => Relation::Contradicts,
            true => Relation::Updates,
            false if new.steady => Relation::Contradicts,
            false => Relation::Differs,
        };
    }
    // A number of its own is a value that the old one does not have.
    let more = lone(new, old, |word| word.number);
    // Of whom it speaks says little of what it says.
    let named = new.all.iter().all(|word| word.name || old.get(word.hash).is_none());
    let least = if named { 0.5 } else { 0.3 };
    if !more && cosine >= least && (overlap >= 0.5 || near >= 1.0) {
        return Relation::Agrees;
    }
    Relation::Compatible
}
