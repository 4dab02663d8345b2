//! Search: the texts whose words say most about the question.
//!
//! The postings of the question's words are read side by side, slot by slot, so that a text's
//! score is whole before the next one begins; the best are kept in a heap. Nothing is kept for
//! each text, and a text that the filter refuses costs no score.
//!
//! Words are added up by their keys, in whichever order the question has them, and `scores`
//! does the same: so a text has one score for a question, to the bit.
//!
//! What it must never do: give a text that the filter refuses as a result, candidate or not,
//! or add words up in another order.

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::Error;
use super::bm25::{Bm25, weight};
use super::fuse::Fused;
use super::index::Index;
use super::postings::Cursor;
use super::tokens::words;

/// Different words of a question that count: those that the fewest texts have, as they say most.
pub const MAX_QUERY_WORDS: usize = 64;

/// A text that was found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hit {
    /// Its slot.
    pub slot: u32,
    /// Its BM25 score, above 0: more is better. Comparable within one question only.
    pub score: f32,
}

impl Hit {
    /// The order of results: the higher score first, then the lower slot.
    fn order(&self, other: &Hit) -> Ordering {
        other.score.total_cmp(&self.score).then(self.slot.cmp(&other.slot))
    }
}

/// What a search works with; kept, it allocates once.
#[derive(Debug, Default)]
pub struct Scratch {
    terms: Vec<Term>,
    hits: Vec<Hit>,
}

/// A word of the question.
#[derive(Clone, Copy, Debug)]
struct Term {
    key: u64,
    /// How often the question has it, then its weight times that.
    weight: f32,
    /// Texts that have it, as far as they were counted.
    texts: u32,
    cursor: Cursor,
    /// Where it stands: slot and count.
    next: Option<(u32, u32)>,
}

impl Term {
    /// Those of the lowest count.
    fn rank(&self) -> (u32, u64) {
        (self.texts, self.key)
    }

    fn advance(&mut self, index: &Index) {
        self.next = self.cursor.next(&index.postings).map(|found| (found.slot, found.count));
    }
}

impl Index {
    /// The `k` texts with the highest scores for `question` among those that `may` lets
    /// through, best first; equal scores by the lower slot. A text has at least one of the
    /// question's words; fewer than `k` such texts give fewer results.
    ///
    /// # Errors
    /// [`Error::Memory`] where the scratch can not be allocated: it needs 8 bytes for each of
    /// the `k` and 5 KB.
    pub fn search<'a>(
        &self,
        question: &str,
        k: usize,
        bm25: &Bm25,
        may: &mut dyn FnMut(u32) -> bool,
        scratch: &'a mut Scratch,
    ) -> Result<&'a [Hit], Error> {
        self.search_with(question, k, bm25, may, &mut [], scratch)
    }

    /// As [`search`](Self::search); on the way it gives the `candidates`, which rise by slot
    /// ([`by_slot`](super::by_slot)), their scores by words, whatever `may` says of them.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn search_with<'a>(
        &self,
        question: &str,
        k: usize,
        bm25: &Bm25,
        may: &mut dyn FnMut(u32) -> bool,
        mut candidates: &mut [Fused],
        scratch: &'a mut Scratch,
    ) -> Result<&'a [Hit], Error> {
        let Scratch { terms, hits } = scratch;
        for candidate in candidates.iter_mut() {
            candidate.words = 0.0;
        }
        hits.clear();
        let k = k.min(self.texts as usize);
        self.terms(question, terms)?;
        hits.try_reserve_exact(k).map_err(|_| Error::Memory)?;
        let mean = self.mean_length();
        while let Some(slot) = terms.iter().filter_map(|term| term.next).map(|next| next.0).min() {
            while candidates.first().is_some_and(|candidate| candidate.slot < slot) {
                candidates.split_off_first_mut();
            }
            let candidate = candidates.first_mut().filter(|candidate| candidate.slot == slot);
            let kept = k > 0 && may(slot);
            let wanted = kept || candidate.is_some();
            let mut score = 0.0;
            for term in terms.iter_mut() {
                if let Some((at, count)) = term.next
                    && at == slot
                {
                    if wanted {
                        score += term.weight * bm25.share(count, self.length(slot), mean);
                    }
                    term.advance(self);
                }
            }
            if let Some(candidate) = candidate {
                candidate.words = score;
            }
            if kept {
                keep(hits, k, Hit { slot, score });
            }
        }
        // The worst is at the heap's root: taking roots out sorts from the end.
        for end in (1..hits.len()).rev() {
            hits.swap(0, end);
            sift_down(&mut hits[..end]);
        }
        Ok(hits)
    }

    /// The scores of these slots for `question`, whether or not a search would have found
    /// them; 0 where none of its words is. To the bit what [`search`](Self::search) gives.
    /// As many are written as both slices hold.
    ///
    /// For slots that were chosen elsewhere, as the benches do it. The memory gets the same scores on
    /// the way of a search: [`search_with`](Self::search_with).
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn scores(
        &self,
        question: &str,
        bm25: &Bm25,
        slots: &[u32],
        scores: &mut [f32],
        scratch: &mut Scratch,
    ) -> Result<(), Error> {
        self.terms(question, &mut scratch.terms)?;
        let mean = self.mean_length();
        for (score, &slot) in scores.iter_mut().zip(slots) {
            *score = 0.0;
            for term in &scratch.terms {
                let count = self.postings.count(term.key, slot);
                if count > 0 {
                    *score += term.weight * bm25.share(count, self.length(slot), mean);
                }
            }
        }
        Ok(())
    }

    /// The words of the question that texts have, each once, by their keys, with weights and cursors.
    fn terms(&self, question: &str, terms: &mut Vec<Term>) -> Result<(), Error> {
        terms.clear();
        terms.try_reserve_exact(MAX_QUERY_WORDS + 1).map_err(|_| Error::Memory)?;
        // Texts and key of the first that counts no more: by them alone, in whichever order they come.
        let mut beyond = (u32::MAX, u64::MAX);
        for word in words(question) {
            let key = self.key(word.as_bytes());
            let place = terms.partition_point(|term| term.key < key);
            if let Some(term) = terms.get_mut(place).filter(|term| term.key == key) {
                term.weight += 1.0;
                continue;
            }
            let cursor = self.postings.cursor(key, 0);
            let (mut texts, mut all) = (0, cursor);
            while texts <= beyond.0 && all.next(&self.postings).is_some() {
                texts += 1;
            }
            if texts == 0 || (texts, key) >= beyond {
                continue;
            }
            terms.insert(place, Term { key, weight: 1.0, texts, cursor, next: None });
            if terms.len() > MAX_QUERY_WORDS {
                beyond = terms.iter().map(Term::rank).max().unwrap_or(beyond);
                terms.retain(|term| term.rank() < beyond);
            }
        }
        for term in terms.iter_mut() {
            term.weight *= weight(self.texts, term.texts);
            term.advance(self);
        }
        Ok(())
    }
}

/// Keeps `hit` if it is among the `k` best so far. The worst of them is the heap's root.
fn keep(heap: &mut Vec<Hit>, k: usize, hit: Hit) {
    if heap.len() < k {
        heap.push(hit);
        let mut i = heap.len() - 1;
        while i > 0 && heap[(i - 1) / 2].order(&heap[i]) == Ordering::Less {
            heap.swap(i, (i - 1) / 2);
            i = (i - 1) / 2;
        }
    } else if let Some(root) = heap.first_mut()
        && hit.order(root) == Ordering::Less
    {
        *root = hit;
        sift_down(heap);
    }
}

/// Moves the root down to its place.
fn sift_down(heap: &mut [Hit]) {
    let mut i = 0;
    loop {
        let worse = |a: usize, b: usize| match (heap.get(a), heap.get(b)) {
            (Some(x), Some(y)) if x.order(y) == Ordering::Less => b,
            _ => a,
        };
        let next = worse(worse(i, 2 * i + 1), 2 * i + 2);
        if next == i {
            return;
        }
        heap.swap(i, next);
        i = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;

    fn found(index: &Index, question: &str, k: usize) -> Vec<u32> {
        let mut scratch = Scratch::default();
        let hits =
            index.search(question, k, &Bm25::default(), &mut |_| true, &mut scratch).unwrap();
        hits.iter().map(|hit| hit.slot).collect()
    }

    fn index(texts: &[&str]) -> Index {
        let mut index = Index::new(1 << 20, 0);
        for (slot, text) in texts.iter().enumerate() {
            index.add(slot as u32, text).unwrap();
        }
        index
    }

    #[test]
    fn rare_words_short_texts_and_repeats_win() {
        let index = index(&[
            "the cat sat on the mat",
            "a dog and a cat, another dog, one more dog",
            "dogs",
            "nothing of the kind",
        ]);
        assert_eq!(found(&index, "Dogs", 10), [2, 1]);
        assert_eq!(found(&index, "mats and cats", 10), [0, 1]);
        assert_eq!(found(&index, "cat", 1), [0]);
        assert_eq!(found(&index, "horse", 9), []);
        assert_eq!(found(&index, "what is this?", 9), []);
        assert_eq!(found(&index, "", 9), []);
        assert_eq!(found(&index, "dogs", 0), []);
    }

    #[test]
    fn equal_scores_by_slot_and_the_filter_is_asked_first() {
        let index = index(&["same words"; 40]);
        assert_eq!(found(&index, "words", 3), [0, 1, 2]);
        let mut scratch = Scratch::default();
        let mut odd = |slot| slot % 2 == 1;
        let hits = index.search("words", 30, &Bm25::default(), &mut odd, &mut scratch).unwrap();
        assert_eq!(
            hits.iter().map(|hit| hit.slot).collect::<Vec<_>>(),
            (0..20).map(|i| 2 * i + 1).collect::<Vec<_>>()
        );
    }

    #[test]
    fn of_a_long_question_the_rarest_words_count() {
        let list =
            |name, count| -> String { (0..count).map(|i| std::format!("{name}{i} ")).collect() };
        // What no text has takes no place.
        let (common, unknown) = (list("w", MAX_QUERY_WORDS), list("u", 2 * MAX_QUERY_WORDS));
        let texts = index(&[&common, &common, "target"]);
        assert_eq!(found(&texts, &(unknown + &common + "target"), 5), [0, 1, 2]);
        // A character and a pair each: 33 were all that counted.
        let beginning: String = ('\u{4E00}'..).take(58).collect();
        let texts = index(&[&beginning, &beginning, "鴉鵲"]);
        assert_eq!(found(&texts, &(beginning + "鴉鵲"), 5), [0, 1, 2]);
    }

    #[test]
    fn of_a_long_question_the_same_words_count_in_any_order() {
        let words: Vec<String> = (0..200).map(|i| std::format!("w{i}")).collect();
        // The first 100 words are in one text more, which does not have them all.
        let (all, half) = (words.join(" "), words[..100].join(" "));
        let texts = index(&[&all, &half, &words[70..130].join(" ")]);
        let search = |question: &str| {
            let (mut scratch, bm25) = (Scratch::default(), Bm25::default());
            texts.search(question, 5, &bm25, &mut |_| true, &mut scratch).unwrap().to_vec()
        };
        let reversed: Vec<_> = words.iter().rev().map(String::as_str).collect();
        let hits = search(&all);
        assert_eq!(hits, search(&reversed.join(" ")));
        assert_eq!(hits[0].slot, 0, "{hits:?}");
        // Each of those that count does so as often as the question has it.
        let twice = search(&(reversed.join(" ") + " " + &all));
        for (once, twice) in hits.iter().zip(twice) {
            assert!((2.0 * once.score - twice.score).abs() < 1e-4, "{once:?} {twice:?}");
        }
    }
}
