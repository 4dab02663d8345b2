//! Fused results: what the vectors say and what the words say, as one order.
//!
//! A vector finds what means the same in other words, words find the name or the number that
//! was asked for. Whoever fuses brings the union of both lists, with both parts of each
//! candidate: [`Index::search_with`](super::Index::search_with), which searches by words, gives
//! those that the vectors found their scores by words on the way.
//!
//! Why both parts: a candidate that only one list has would count 0 in the other, where it
//! merely was not among the best. `docs/adr/0013-how-vectors-and-words-become-one-order.md`
//! has why the words are squared, and what they are divided by.
//!
//! What it must never do: let the order in which candidates come decide, as equal ones go by
//! slot, or put a score that is not a number before one that is.

use core::cmp::Ordering;

/// A candidate, its parts, and the fused score.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fused {
    /// Its slot.
    pub slot: u32,
    /// Similarity by vector, higher is nearer: the cosine where the metric is that.
    pub similarity: f32,
    /// The BM25 score, 0 where no word of the question is.
    pub words: f32,
    /// What [`fuse`] makes of the two.
    pub score: f32,
}

/// How two parts become one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fusion {
    /// `vector * similarity + words * (score / most)²`, where `most` is the highest score among
    /// the candidates, or what is [`enough`](super::Index::enough) if none has as much. So
    /// where no text fits the question's words, those that it shares by chance hardly count;
    /// the square says the same of each text that fits much less than the best one.
    Weighted {
        /// Weight of the similarity.
        vector: f32,
        /// Weight of the words.
        words: f32,
    },
    /// `1 / (constant + rank by vector) + 1 / (constant + rank by words)`, ranks from 1 among
    /// the candidates; those without a word of the question have no rank by words. (Cormack,
    /// Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank
    /// Learning Methods", SIGIR 2009, who use 60.)
    ReciprocalRank {
        /// How little the first ranks stand out.
        constant: f32,
    },
}

impl Fusion {
    /// The default weight of the similarity: the two are what was best on texts held out of the
    /// static model's training, for its vectors and for a sentence model's (`docs/adr/0013`).
    pub const VECTOR: f32 = 0.6;
    /// The default weight of the words.
    pub const WORDS: f32 = 0.4;
    /// The default.
    pub const DEFAULT: Fusion = Fusion::Weighted { vector: Self::VECTOR, words: Self::WORDS };
    /// Reciprocal ranks with the constant of the paper.
    pub const RECIPROCAL: Fusion = Fusion::ReciprocalRank { constant: 60.0 };
}

impl Default for Fusion {
    fn default() -> Self {
        Fusion::DEFAULT
    }
}

/// Sets the score of every candidate and sorts them, best first, equal ones by slot.
///
/// `enough` is the index's ([`Index::enough`](super::Index::enough)), above 0. Parts that are
/// not numbers count as the worst.
pub fn fuse(candidates: &mut [Fused], how: Fusion, enough: f32) {
    match how {
        Fusion::Weighted { vector, words } => {
            let higher = |most, c: &Fused| if c.words > most { c.words } else { most };
            let most = candidates.iter().fold(enough, higher);
            for c in candidates.iter_mut() {
                let share = c.words / most;
                c.score = vector * c.similarity + words * (share * share);
            }
        }
        Fusion::ReciprocalRank { constant } => {
            sort(candidates, |c| c.similarity);
            for (rank, c) in candidates.iter_mut().enumerate() {
                c.score = 1.0 / (constant + (rank + 1) as f32);
            }
            sort(candidates, |c| c.words);
            for (rank, c) in candidates.iter_mut().take_while(|c| c.words > 0.0).enumerate() {
                c.score += 1.0 / (constant + (rank + 1) as f32);
            }
        }
    }
    sort(candidates, |c| c.score);
}

/// Sorts candidates by slot, as [`Index::search_with`](super::Index::search_with) wants them.
pub fn by_slot(candidates: &mut [Fused]) {
    sort(candidates, |_| 0.0);
}

/// Higher first, then the lower slot; what is not a number last.
#[inline(never)]
fn sort(candidates: &mut [Fused], part: fn(&Fused) -> f32) {
    candidates.sort_unstable_by(|a, b| {
        let (x, y) = (part(a), part(b));
        let order = y.partial_cmp(&x).unwrap_or_else(|| x.is_nan().cmp(&y.is_nan()));
        if order == Ordering::Equal { a.slot.cmp(&b.slot) } else { order }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn candidates(parts: &[(f32, f32)]) -> Vec<Fused> {
        let fused = |(slot, &(similarity, words))| Fused { slot, similarity, words, score: 0.0 };
        (0..).zip(parts).map(fused).collect()
    }

    fn slots(list: &[Fused]) -> Vec<u32> {
        list.iter().map(|c| c.slot).collect()
    }

    #[test]
    fn weights_decide() {
        let mut list = candidates(&[(0.9, 0.0), (0.6, 12.0), (0.5, 6.0), (0.1, 3.0)]);
        fuse(&mut list, Fusion::DEFAULT, 9.0);
        assert_eq!(slots(&list), [1, 0, 2, 3]);
        assert!((list[0].score - (0.6 * 0.6 + 0.4)).abs() < 1e-6);
        assert!((list[2].score - (0.6 * 0.5 + 0.4 / 4.0)).abs() < 1e-6);
        fuse(&mut list, Fusion::Weighted { vector: 1.0, words: 0.0 }, 9.0);
        assert_eq!(slots(&list), [0, 1, 2, 3]);
        fuse(&mut list, Fusion::Weighted { vector: 0.0, words: 1.0 }, 9.0);
        assert_eq!(slots(&list), [1, 2, 3, 0]);
    }

    #[test]
    fn a_word_shared_by_chance_is_no_match() {
        // The best by words has a third of what would be enough.
        let parts = [(0.6, 0.0), (0.45, 3.0), (0.2, 3.0)];
        let mut list = candidates(&parts);
        fuse(&mut list, Fusion::DEFAULT, 9.0);
        assert_eq!(slots(&list), [0, 1, 2]);
        fuse(&mut list, Fusion::DEFAULT, 3.0);
        assert_eq!(slots(&list), [1, 2, 0]);
    }

    #[test]
    fn reciprocal_ranks() {
        let mut list = candidates(&[(0.9, 0.0), (0.6, 12.0), (0.5, 6.0), (0.1, 3.0)]);
        fuse(&mut list, Fusion::RECIPROCAL, 9.0);
        assert_eq!(slots(&list), [1, 2, 3, 0]);
        assert_eq!(list[0].score, 1.0 / 62.0 + 1.0 / 61.0);
        assert_eq!(list[3].score, 1.0 / 61.0);
    }

    #[test]
    fn without_words_the_vectors_decide() {
        for how in [Fusion::DEFAULT, Fusion::RECIPROCAL] {
            let mut list = candidates(&[(0.1, 0.0), (0.3, 0.0), (0.2, 0.0)]);
            fuse(&mut list, how, 9.0);
            assert_eq!(slots(&list), [1, 2, 0]);
            fuse(&mut [], how, 9.0);
        }
    }

    proptest! {
        #![proptest_config(crate::cases(256, 8))]

        #[test]
        fn any_numbers_sort_without_a_panic(
            parts in proptest::collection::vec((any::<f32>(), any::<f32>()), 0..60),
            reciprocal in any::<bool>(),
        ) {
            let how = if reciprocal { Fusion::RECIPROCAL } else { Fusion::DEFAULT };
            let mut list = candidates(&parts);
            fuse(&mut list, how, 9.0);
            let mut seen = slots(&list);
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..parts.len() as u32).collect::<Vec<_>>());
        }

        #[test]
        fn weighted_scores_are_those_of_the_definition(
            parts in proptest::collection::vec((-1f32..1.0, prop_oneof![Just(0f32), 0f32..40.0]), 1..60),
            (vector, words, enough) in (0f32..1.0, 0f32..1.0, 0.5f32..20.0),
        ) {
            let mut list = candidates(&parts);
            fuse(&mut list, Fusion::Weighted { vector, words }, enough);
            let ordered = list.is_sorted_by(|a, b| {
                a.score > b.score || (a.score == b.score && a.slot < b.slot)
            });
            prop_assert!(ordered);
            let most = parts.iter().map(|part| f64::from(part.1)).fold(f64::from(enough), f64::max);
            for one in &list {
                let (similarity, score) = parts[one.slot as usize];
                let naive = f64::from(vector) * f64::from(similarity)
                    + f64::from(words) * (f64::from(score) / most).powi(2);
                prop_assert!((f64::from(one.score) - naive).abs() < 1e-6, "{one:?}, not {naive}");
            }
        }
    }
}
