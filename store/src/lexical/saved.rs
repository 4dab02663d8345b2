//! An index as bytes, to be kept beside the file it was made from.
//!
//! ```text
//!  0  magic "clawftLX"      8  version: u32     12  rules of the words: u32
//! 16  seed: u64            24  slots: u32       28  pages: u32
//! 32  texts: u32           36  0: u32           40  words of all texts: u64
//! 48  slots x length: u32, words in the text of each slot; the last is not 0
//!     pages x (used: u16, entries), see `page`
//! ```
//!
//! Little-endian. The same calls in the same order give the same bytes. There is no checksum:
//! the index is part of an image that has one. What opens is sound all the same: postings in
//! order, and as many words in each slot as its length says.
//!
//! Why: pages are written as they are, so that opening is a copy and one check, not
//! indexing anew.
//!
//! What it must never do: allocate by a number of the header before the bytes that it counts
//! are there, or write more of a page than is used.

use alloc::vec::Vec;

use super::index::{Index, MAX_WORDS};
use super::page::{self, ROOM};
use super::tokens::RULES;
use crate::room;
use crate::wire::{Put, Reader, u32_at};

const MAGIC: &[u8; 8] = b"clawftLX";
const VERSION: u32 = 1;
const HEADER: usize = 48;
/// Lengths that are read and written at once.
const LENGTHS: usize = 64;

/// Why an index was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// The bytes are no sound index, or one of another version or by other rules for words.
    Corrupt,
    /// The index does not fit the limit.
    Full,
}

impl Index {
    /// Bytes that [`save`](Self::save) writes.
    #[must_use]
    pub fn saved_bytes(&self) -> usize {
        let pages: usize = self.postings.pages().map(|page| page::saved(page).len()).sum();
        HEADER + 4 * self.lengths.len() + pages
    }

    /// Writes the index, piece by piece.
    ///
    /// # Errors
    /// What `write` fails with.
    pub fn save<E>(&self, write: &mut dyn FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut bytes = Vec::with_capacity(HEADER);
        bytes.bytes(MAGIC);
        bytes.u32(VERSION);
        bytes.u32(RULES);
        bytes.u64(self.seed);
        bytes.u32(self.lengths.len() as u32);
        bytes.u32(self.postings.pages().len() as u32);
        bytes.u32(self.texts);
        bytes.u32(0);
        bytes.u64(self.total);
        write(&bytes)?;
        for lengths in self.lengths.chunks(LENGTHS) {
            bytes.clear();
            for &length in lengths {
                bytes.u32(length);
            }
            write(&bytes)?;
        }
        self.postings.pages().try_for_each(|page| write(page::saved(page)))
    }

    /// Reads an index that [`save`](Self::save) wrote; it stands at the beginning of `bytes`.
    ///
    /// # Errors
    /// [`OpenError`], and what opens is sound: postings in order, and as many as lengths say.
    pub fn open(limit: usize, bytes: &[u8]) -> Result<Self, OpenError> {
        let mut index = Index::new(limit, 0);
        index.load(bytes)?;
        Ok(index)
    }

    /// Takes in what was saved; `self` is empty. After an error it is of no use.
    #[inline(never)]
    pub(crate) fn load(&mut self, bytes: &[u8]) -> Result<(), OpenError> {
        let mut reader = Reader::new(bytes);
        if reader.take(8) != MAGIC || (reader.u32(), reader.u32()) != (VERSION, RULES) {
            return Err(OpenError::Corrupt);
        }
        self.seed = reader.u64();
        let (slots, pages) = (reader.u32(), reader.u32());
        let (texts, _, total) = (reader.u32(), reader.u32(), reader.u64());
        if !reader.has(slots, 4) {
            return Err(OpenError::Corrupt);
        }
        if slots > 0 && !self.make_room(slots - 1) {
            return Err(OpenError::Full);
        }
        let (mut last, mut longest) = (1, 0);
        for (length, bytes) in self.lengths.iter_mut().zip(reader.rest.chunks_exact(4)) {
            last = u32_at(bytes, 0);
            *length = last;
            longest = longest.max(last);
            self.texts += u32::from(last > 0);
            self.total += u64::from(last);
        }
        reader.take(4 * self.lengths.len());
        let fits = (self.texts, self.total) == (texts, total);
        // The last slot is in use, as what is free at the end is not saved.
        if !fits || last == 0 || longest as usize > MAX_WORDS {
            return Err(OpenError::Corrupt);
        }
        let room = self.limit.saturating_sub(self.lengths.capacity() * 4);
        for _ in 0..pages {
            let used = usize::from(reader.u16());
            let entries = reader.take(used);
            // None is empty, otherwise two bytes of a forged index would take a page.
            if !reader.sound || used == 0 || used > ROOM {
                return Err(OpenError::Corrupt);
            }
            if self.postings.append(entries, room).is_err() {
                return Err(OpenError::Full);
            }
        }
        match self.is_sound() {
            true => Ok(()),
            false => Err(OpenError::Corrupt),
        }
    }

    /// Are postings in order, and as many in each slot as its length says?
    fn is_sound(&self) -> bool {
        let mut missing = Vec::new();
        if missing.try_reserve_exact(self.lengths.len()).is_err() || !room::is_left() {
            return false;
        }
        missing.extend_from_slice(&self.lengths);
        let counted = self.postings.check(&mut |posting| {
            let left = missing.get_mut(posting.slot as usize);
            let less = left.and_then(|left| Some((left.checked_sub(posting.count)?, left)));
            less.map(|(less, left)| *left = less).is_some()
        });
        counted && missing.iter().all(|&left| left == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn open(bytes: &[u8], limit: usize) -> Result<Index, OpenError> {
        Index::open(limit, bytes)
    }

    fn saved(index: &Index) -> Vec<u8> {
        let mut bytes = Vec::new();
        let result: Result<(), ()> = index.save(&mut |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        });
        assert_eq!(result, Ok(()));
        assert_eq!(bytes.len(), index.saved_bytes());
        bytes
    }

    fn sample() -> Index {
        let mut index = Index::new(1 << 20, 42);
        for slot in 0..300 {
            let text = std::format!("text number {slot} of some, with word{} in it", slot % 7);
            index.add(slot * 3, &text).unwrap();
        }
        index
    }

    static SAVED: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| saved(&sample()));

    #[test]
    fn comes_back_and_goes_on() {
        let mut index = sample();
        let mut again = open(&saved(&index), 1 << 20).unwrap();
        assert_eq!(saved(&again), saved(&index));
        for index in [&mut index, &mut again] {
            assert!(index.remove(0, "text number 0 of some, with word0 in it"));
            index.add(1, "another").unwrap();
        }
        assert_eq!(saved(&again), saved(&index));
        assert_eq!(open(&saved(&index), 10_000).unwrap_err(), OpenError::Full);
    }

    #[test]
    fn what_is_cut_is_refused() {
        let bytes = saved(&sample());
        for len in 0..bytes.len() {
            assert_eq!(open(&bytes[..len], 1 << 20).unwrap_err(), OpenError::Corrupt);
        }
    }

    #[test]
    fn forged_pages_take_no_memory_beyond_the_limit() {
        const PAGES: u32 = if cfg!(miri) { 2_000 } else { 60_000 };
        let forged = |page: &[u8]| {
            let mut bytes = saved(&Index::new(1 << 20, 42));
            bytes[28..32].copy_from_slice(&PAGES.to_le_bytes());
            bytes.extend(page.repeat(PAGES as usize));
            bytes
        };
        let mut index = Index::new(usize::MAX, 0);
        assert_eq!(index.load(&forged(&[0, 0])), Err(OpenError::Corrupt));
        assert_eq!(index.bytes(), 0);
        // What is checked at the end is not there yet.
        let bytes = forged(&[1, 0, 5]);
        let mut index = Index::new(8 * bytes.len(), 0);
        assert_eq!(index.load(&bytes), Err(OpenError::Full));
        assert!(index.bytes() <= 8 * bytes.len());
    }

    #[test]
    fn a_removed_text_leaves_no_trace() {
        let mut index = sample();
        let list = |index: &Index| {
            let mut all = Vec::new();
            assert!(index.postings.check(&mut |posting| {
                all.push(posting);
                true
            }));
            all
        };
        let before = list(&index);
        index.add(1000, "Xylophon zwölf xylophon").unwrap();
        let key = index.key(b"xylophon");
        assert_eq!(index.postings.count(key, 1000), 2);
        assert!(index.remove(1000, "Xylophon zwölf xylophon"));
        assert_eq!(index.postings.count(key, 1000), 0);
        // Behind a page's postings there are zeros: tests of `page` see to that.
        assert_eq!(list(&index), before);
        assert_eq!(index.lengths.len(), 898);
    }

    proptest! {
        #![proptest_config(crate::cases(500, 4))]

        #[test]
        fn damaged_bytes_are_refused_or_sound(
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        ) {
            let mut bytes = SAVED.clone();
            for (at, value) in changes {
                let at = at.index(bytes.len());
                bytes[at] ^= value;
            }
            if let Ok(mut index) = open(&bytes, 1 << 20) {
                let again = open(&saved(&index), 1 << 20).unwrap();
                prop_assert_eq!(again.texts, index.texts);
                for slot in 0..40 {
                    let _ = index.replace(slot, "text number some with in it", "some other words");
                }
            }
        }

        #[test]
        fn any_bytes_are_refused(mut bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            prop_assert!(open(&bytes, 1 << 20).is_err());
            if let Some(start) = bytes.first_chunk_mut::<16>() {
                *start = *SAVED.first_chunk().unwrap();
                let _ = open(&bytes, 1 << 20);
            }
        }
    }
}
