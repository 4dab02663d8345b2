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

use alloc::vec::Vec;

use super::index::{Index, MAX_WORDS};
use super::page::{self, ROOM};
use super::tokens::RULES;
use crate::wire::{Put, Reader, u32_at};

const MAGIC: &[u8; 8] = b"clawftLX";
const VERSION: u32 = 1;
const HEADER: usize = 48;
/// Lengths that are read and written at once.
const LENGTHS: usize = 64;

/// Why an index was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError<E> {
    /// The bytes could not be read.
    Read(E),
    /// They are no index of this version, or a damaged one; the sentence says what is wrong.
    Corrupt(&'static str),
    /// It needs more than the limit, or more than there is.
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

    /// Reads an index that [`save`](Self::save) wrote. `read` fills what it is given, or fails.
    ///
    /// Time and memory are bounded by the bytes there are and by `limit`.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open<E>(
        limit: usize,
        read: &mut dyn FnMut(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, OpenError<E>> {
        let mut header = [0; HEADER];
        read(&mut header).map_err(OpenError::Read)?;
        let mut header = Reader::new(&header);
        if header.take(8) != MAGIC {
            return Err(OpenError::Corrupt("expected an index of words"));
        }
        if (header.u32(), header.u32()) != (VERSION, RULES) {
            return Err(OpenError::Corrupt("an index of another version, or by other rules"));
        }
        let mut index = Index::new(limit, header.u64());
        let (slots, pages) = (header.u32(), header.u32());
        let (texts, _, total) = (header.u32(), header.u32(), header.u64());
        if let Some(last) = slots.checked_sub(1) {
            index.make_room(last).map_err(|_| OpenError::Full)?;
        }
        for lengths in index.lengths.chunks_mut(LENGTHS) {
            let mut bytes = [0; 4 * LENGTHS];
            let bytes = &mut bytes[..4 * lengths.len()];
            read(bytes).map_err(OpenError::Read)?;
            for (i, length) in lengths.iter_mut().enumerate() {
                *length = u32_at(bytes, i * 4);
            }
        }
        index.texts = index.lengths.iter().filter(|&&length| length > 0).count() as u32;
        index.total = index.lengths.iter().map(|&length| u64::from(length)).sum();
        let free_at_end = index.lengths.last() == Some(&0);
        let too_long = index.lengths.iter().any(|&length| length as usize > MAX_WORDS);
        if free_at_end || too_long || (index.texts, index.total) != (texts, total) {
            return Err(OpenError::Corrupt("lengths that do not fit the header"));
        }
        let room = limit.saturating_sub(index.lengths.capacity() * 4);
        for _ in 0..pages {
            let mut used = [0; 2];
            read(&mut used).map_err(OpenError::Read)?;
            let mut entries = [0; ROOM];
            let entries = entries
                .get_mut(..usize::from(u16::from_le_bytes(used)))
                .ok_or(OpenError::Corrupt("a page that is too long"))?;
            read(entries).map_err(OpenError::Read)?;
            let page =
                page::from_entries(entries).ok_or(OpenError::Corrupt("a page that is too long"))?;
            index.postings.append(page, room).map_err(|_| OpenError::Full)?;
        }
        index.check()
    }

    /// Checks postings and lengths against each other.
    fn check<E>(self) -> Result<Self, OpenError<E>> {
        let mut missing = Vec::new();
        missing.try_reserve_exact(self.lengths.len()).map_err(|_| OpenError::Full)?;
        missing.extend_from_slice(&self.lengths);
        let sound = self.postings.check(|posting| {
            let left = missing.get_mut(posting.slot as usize);
            left.is_some_and(|left| match left.checked_sub(posting.count) {
                Some(less) => {
                    *left = less;
                    true
                }
                None => false,
            })
        });
        if sound && missing.iter().all(|&left| left == 0) {
            Ok(self)
        } else {
            Err(OpenError::Corrupt("postings out of order, or not as many as the lengths say"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The end of the bytes.
    #[derive(Debug, PartialEq)]
    struct End;

    fn open(mut bytes: &[u8], limit: usize) -> Result<Index, OpenError<End>> {
        Index::open(limit, &mut |place: &mut [u8]| {
            let (now, later) = bytes.split_at_checked(place.len()).ok_or(End)?;
            place.copy_from_slice(now);
            bytes = later;
            Ok(())
        })
    }

    fn saved(index: &Index) -> Vec<u8> {
        let mut bytes = Vec::new();
        let result: Result<(), End> = index.save(&mut |piece| {
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
            assert_eq!(open(&bytes[..len], 1 << 20).unwrap_err(), OpenError::Read(End));
        }
    }

    #[test]
    fn a_removed_text_leaves_no_trace() {
        let mut index = sample();
        let list = |index: &Index| {
            let mut all = Vec::new();
            assert!(index.postings.check(|posting| {
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
