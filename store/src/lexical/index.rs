//! The index: texts go in and out.
//!
//! A word is known by 48 bits of its hash (XXH64 with the index's seed), never by its letters:
//! there is no dictionary to keep, and none to clean. Two of a million words share a hash with
//! a probability of 0.2 %, of 30,000 words of 2 in a million; then each is found for the other.
//!
//! What it must never do: take more memory than its limit, or find anything but what it found
//! before once it has refused a text.

use alloc::vec::Vec;
use xxhash_rust::xxh64::xxh64;

use super::Error;
use super::bm25::weight;
use super::page::KEY_BITS;
use super::postings::Postings;
use super::tokens::words;
use crate::room;

/// Words of a text that are indexed; what follows is not found.
pub const MAX_WORDS: usize = 1 << 24;
/// Slots whose lengths are allocated at once.
const LENGTHS: usize = 1024;

/// An inverted index over texts, each in a slot; see [the module](super).
///
/// It holds no text: whoever takes one out gives it once more. It never takes more memory than
/// its limit; the memory lifts that for texts that were accepted before.
#[derive(Debug)]
pub struct Index {
    pub(super) postings: Postings,
    /// Words in the text of each slot; 0 where there is none.
    pub(super) lengths: Vec<u32>,
    /// Texts of at least one word.
    pub(super) texts: u32,
    /// The sum of all lengths.
    pub(super) total: u64,
    pub(crate) seed: u64,
    /// The most bytes. Lifted for texts that were accepted before: in other slots they may take
    /// more. Then it does not grow, and what room it has is used as long as its postings alone are
    /// within the limit.
    pub(crate) limit: usize,
}

impl Index {
    /// An empty index that takes at most `limit` bytes. Allocates nothing yet.
    ///
    /// The `seed` goes into every hash: one that outsiders do not know keeps them from making
    /// words that share a hash.
    #[must_use]
    pub fn new(limit: usize, seed: u64) -> Self {
        Index {
            postings: Postings::default(),
            lengths: Vec::new(),
            texts: 0,
            total: 0,
            seed,
            limit,
        }
    }

    /// Texts of at least one word.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.texts
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts == 0
    }

    /// The score by words from which on a text fits a question: that of a word and a half of
    /// those that no text has yet, in a text of middling length. Above 0.
    #[must_use]
    pub fn enough(&self) -> f32 {
        1.5 * weight(self.texts, 0)
    }

    /// Words in the text of this slot; 0 where there is no text, or one without words.
    #[must_use]
    pub fn length(&self, slot: u32) -> u32 {
        self.lengths.get(slot as usize).copied().unwrap_or(0)
    }

    /// Bytes allocated: more than the limit only where that was lifted.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.postings.bytes() + self.lengths.capacity() * 4
    }

    /// What stands for a word: never 0.
    pub(super) fn key(&self, word: &[u8]) -> u64 {
        (xxh64(word, self.seed) >> (64 - KEY_BITS)).max(1)
    }

    /// Puts a text into a slot. A text without words leaves the slot free.
    ///
    /// # Errors
    /// [`Error::Occupied`] where the slot has a text, [`Error::Full`] where the limit would be
    /// passed: the index finds what it found before.
    pub fn add(&mut self, slot: u32, text: &str) -> Result<(), Error> {
        if self.length(slot) != 0 {
            return Err(Error::Occupied(slot));
        }
        self.replace(slot, "", text).map(|_| ())
    }

    /// Takes a text out of its slot: the one that was put there, given once more.
    ///
    /// Nothing of its words stays in memory that other texts do not have. Returns whether it was
    /// that text; if not, what it shares with the one put there is taken out, and the index
    /// should be built anew. Never fails for want of memory.
    pub fn remove(&mut self, slot: u32, text: &str) -> bool {
        // Adds nothing, hence needs no memory.
        self.replace(slot, text, "").unwrap_or(false)
    }

    /// Takes out of a slot whatever text is there: for one that nobody can give once more. It reads
    /// all postings.
    pub(crate) fn strike(&mut self, slot: u32) {
        self.postings.strike(slot);
        self.set_length(slot, 0);
    }

    /// Puts `new` in the place of `old`, or does nothing.
    ///
    /// Returns whether `old` was the text, as [`remove`](Self::remove) does.
    ///
    /// # Errors
    /// [`Error::Full`]: the index finds what it found before.
    pub fn replace(&mut self, slot: u32, old: &str, new: &str) -> Result<bool, Error> {
        let mut length = 0;
        for word in words(new).take(MAX_WORDS) {
            let key = self.key(word.as_bytes());
            let made = length > 0 || self.make_room(slot);
            if !made || !self.add_word(key, slot) {
                for word in words(new).take(length as usize) {
                    self.postings.subtract(self.key(word.as_bytes()), slot);
                }
                // What was made for its length goes too: an index that ends so is not opened.
                self.set_length(slot, self.length(slot));
                return Err(Error::Full { limit: self.limit });
            }
            length += 1;
        }
        let (mut found, mut was) = (true, 0);
        for word in words(old).take(MAX_WORDS) {
            found &= self.postings.subtract(self.key(word.as_bytes()), slot);
            was += 1;
        }
        found &= was == self.length(slot);
        self.set_length(slot, length);
        Ok(found)
    }

    /// Counts a word; false where the limit does not allow it.
    fn add_word(&mut self, key: u64, slot: u32) -> bool {
        let limit = self.limit.saturating_sub(self.lengths.capacity() * 4);
        self.postings.add(key, slot, limit).is_ok()
    }

    /// Makes room for the length of a slot; false where the limit does not allow it.
    pub(super) fn make_room(&mut self, slot: u32) -> bool {
        let needed = (slot as usize).saturating_add(1);
        if needed > self.lengths.capacity() {
            // Saturated: beyond every limit.
            let wanted = needed.div_ceil(LENGTHS).saturating_mul(LENGTHS);
            let bytes = wanted.saturating_mul(4).saturating_add(self.postings.bytes());
            let more = wanted - self.lengths.len();
            if bytes > self.limit || self.lengths.try_reserve_exact(more).is_err() {
                return false;
            }
            if !room::is_left() {
                return false;
            }
        }
        if needed > self.lengths.len() {
            self.lengths.resize(needed, 0);
        }
        true
    }

    fn set_length(&mut self, slot: u32, length: u32) {
        let Some(place) = self.lengths.get_mut(slot as usize) else { return };
        self.total = self.total - u64::from(*place) + u64::from(length);
        self.texts = self.texts - u32::from(*place > 0) + u32::from(length > 0);
        *place = length;
        // So that the bytes saved tell nothing of slots that are free again.
        while self.lengths.last() == Some(&0) {
            self.lengths.pop();
        }
    }

    /// Words in a text, on average; at least 1.
    pub(super) fn mean_length(&self) -> f32 {
        (self.total as f64 / f64::from(self.texts.max(1))).max(1.0) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> Index {
        Index::new(1 << 20, 1)
    }

    #[test]
    fn a_slot_holds_one_text() {
        let mut index = index();
        index.add(3, "seven green bottles").unwrap();
        assert_eq!(index.add(3, "others"), Err(Error::Occupied(3)));
        assert_eq!((index.len(), index.length(3), index.length(2)), (1, 3, 0));
        assert_eq!(index.replace(3, "seven green bottles", "one"), Ok(true));
        assert!(index.remove(3, "ONE!"));
        assert!(index.is_empty() && index.total == 0 && index.lengths.is_empty());
    }

    #[test]
    fn a_text_without_words_is_no_text() {
        let mut index = index();
        for text in ["", " ", "the and of", "… 👍"] {
            index.add(9, text).unwrap();
            assert!(index.is_empty() && index.bytes() == 0);
            assert!(index.remove(9, text));
        }
    }

    #[test]
    fn another_text_is_told() {
        let mut index = index();
        index.add(0, "red green blue").unwrap();
        assert!(!index.remove(0, "red green"));
        index.add(1, "red").unwrap();
        assert!(!index.remove(1, "green"));
        assert!(!index.remove(7, "red"));
    }

    #[test]
    fn a_text_that_nobody_knows_is_struck_out() {
        let mut index = index();
        let long: std::string::String = (0..1200).map(|i| std::format!("word{i} ")).collect();
        index.add(0, "word7 word8").unwrap();
        index.add(1, &(long + "word7 word7 word8")).unwrap();
        index.strike(1);
        let mut left = 0;
        assert!(index.postings.check(&mut |posting| {
            left += 1;
            posting.slot == 0
        }));
        assert_eq!((left, index.len(), index.length(1), index.total), (2, 1, 0, 2));
        index.strike(0);
        index.strike(7);
        assert!(index.is_empty() && index.total == 0 && index.lengths.is_empty());
    }

    #[test]
    fn full_changes_nothing() {
        let mut index = Index::new(20_000, 1);
        index.add(0, "earlier").unwrap();
        let long: std::string::String = (0..2_000).map(|i| std::format!("word{i} ")).collect();
        assert_eq!(index.add(1, &long), Err(Error::Full { limit: 20_000 }));
        assert_eq!(index.replace(0, "earlier", &long), Err(Error::Full { limit: 20_000 }));
        assert_eq!(index.add(20_000, "far"), Err(Error::Full { limit: 20_000 }));
        assert_eq!(index.add(u32::MAX, "far"), Err(Error::Full { limit: 20_000 }));
        assert!(index.bytes() <= 20_000);
        assert_eq!((index.len(), index.length(0), index.length(1)), (1, 1, 0));
        assert_eq!(index.lengths.len(), 1);
        let mut count = 0;
        assert!(index.postings.check(&mut |_| {
            count += 1;
            true
        }));
        assert_eq!(count, 1);
        assert!(index.remove(0, "earlier"));
    }

    #[test]
    fn beyond_its_limit_it_does_not_grow_and_what_goes_makes_room() {
        let text = |slot: u32, words: u32| -> std::string::String {
            (0..words).map(|i| std::format!("word{} ", slot * 10 + i)).collect()
        };
        let mut index = Index::new(usize::MAX, 1);
        for slot in 0..100 {
            index.add(slot, &text(slot, 10)).unwrap();
        }
        let (before, new) = (index.bytes(), text(100, 200));
        index.limit = 8_000;
        assert!(before > 16_000, "{before}");
        assert_eq!(index.add(100, &new), Err(Error::Full { limit: 8_000 }));
        assert_eq!((index.len(), index.bytes(), index.lengths.len()), (100, before, 100));
        assert_eq!((index.total, index.length(100)), (1_000, 0));
        let mut gone = 0;
        while index.add(100, &new).is_err() {
            for slot in gone..gone + 10 {
                assert!(index.remove(slot, &text(slot, 10)));
            }
            gone += 10;
        }
        assert!(gone < 100, "{gone}");
        assert_eq!((index.len(), index.bytes()), (101 - gone, before));
        assert!(index.remove(100, &new));
    }
}
