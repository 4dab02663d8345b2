//! What filters and policies ask of every record, kept in memory: by the image's slots.
//!
//! Kinds, sessions and pairs of metadata are kept as hashes, XXH64 of their SHA-256, seeded from
//! the file's id: 64 bits tell a million records' strings apart with a probability of 1 in 10^7
//! that any two share one, and nothing of a removed record's strings stays behind. A string that
//! is to pass for another one must be tried for, 2^64 times, and by one who knows the file's id.
//! Of the strings themselves XXH64 would not do: it can be inverted, and from sixteen bytes on there
//! are strings that share a hash under every seed.
//!
//! Why by slots: searches know records by them, so that a filter looks into a list and reads
//! no file.
//!
//! What it must never do: keep a string, or leave anything of a record in a slot that was
//! struck: the image gives it to another one.

use alloc::vec::Vec;

use xxhash_rust::xxh64::xxh64;

use super::buffer::wipe;
use crate::record::{Fields, Record};
use crate::sha256::sha256;

/// What stands for a string.
#[inline(never)]
pub(super) fn hash(text: &str, seed: u64) -> u64 {
    xxh64(&sha256(text.as_bytes()), seed)
}

/// What stands for a pair of metadata: the value's hash, seeded by the key's.
pub(super) fn hash_pair(key: &str, value: &str, seed: u64) -> u64 {
    hash(value, hash(key, seed))
}

/// What stands for all pairs of a record, rising. They are few: each is put where it belongs.
fn hash_pairs(pairs: &mut dyn Iterator<Item = (&str, &str)>, seed: u64) -> Vec<u64> {
    let mut hashes = Vec::with_capacity(pairs.size_hint().0);
    for (key, value) in pairs {
        let hash = hash_pair(key, value, seed);
        hashes.insert(hashes.partition_point(|&other| other < hash), hash);
    }
    hashes
}

/// What is known of a record without its file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Entry {
    pub(super) id: u64,
    pub(super) live: bool,
    pub(super) pinned: bool,
    pub(super) kind: u64,
    pub(super) session: u64,
    pub(super) created: u64,
    pub(super) last_used: u64,
    pub(super) uses: u32,
    pub(super) importance: f32,
    /// Hashes of its metadata, rising.
    pub(super) pairs: Vec<u64>,
}

impl Entry {
    pub(super) fn of_record(record: &Record<'_>, seed: u64) -> Self {
        let pairs = hash_pairs(&mut record.metadata.iter().copied(), seed);
        Entry {
            id: record.id,
            live: true,
            pinned: record.pinned,
            kind: hash(record.kind, seed),
            session: hash(record.session, seed),
            created: record.created,
            last_used: record.last_used,
            uses: record.uses,
            importance: record.importance,
            pairs,
        }
    }

    pub(super) fn of_fields(fields: &Fields, seed: u64) -> Self {
        let pairs = hash_pairs(&mut fields.metadata(), seed);
        Entry {
            id: fields.id(),
            live: true,
            pinned: fields.pinned(),
            kind: hash(fields.kind(), seed),
            session: hash(fields.session(), seed),
            created: fields.created(),
            last_used: fields.last_used(),
            uses: fields.uses(),
            importance: fields.importance(),
            pairs,
        }
    }
}

/// It grows by a quarter and so many more.
const STEP: usize = 16;

/// The entries by the slots that the image gives their ids.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Catalog(pub(super) Vec<Entry>);

impl Catalog {
    /// The record in a slot.
    pub(super) fn at(&self, slot: u32) -> Option<&Entry> {
        self.0.get(slot as usize).filter(|entry| entry.live)
    }

    pub(super) fn at_mut(&mut self, slot: u32) -> Option<&mut Entry> {
        self.0.get_mut(slot as usize).filter(|entry| entry.live)
    }

    /// The records with their slots.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Entry)> {
        (0..).zip(&self.0).filter(|(_, entry)| entry.live)
    }

    /// Bytes that it asks for when it takes in one more.
    pub(super) fn growth(&self) -> usize {
        let len = self.0.len();
        if len < self.0.capacity() { 0 } else { (len + len / 4 + STEP) * size_of::<Entry>() }
    }

    /// Puts a record in a slot that has none.
    pub(super) fn put(&mut self, slot: u32, entry: Entry) {
        let slot = slot as usize;
        if self.0.len() <= slot {
            if self.0.capacity() <= slot {
                // Slots are given one by one.
                self.0.reserve_exact(slot / 4 + STEP);
            }
            self.0.resize(slot + 1, Entry::default());
        }
        self.0[slot] = entry;
    }

    /// Takes a record out; nothing of it stays.
    pub(super) fn strike(&mut self, slot: u32) {
        if let Some(place) = self.0.get_mut(slot as usize) {
            wipe(core::mem::take(place).pairs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: u64) -> Entry {
        Entry { id, live: true, pairs: alloc::vec![1, 2], ..Entry::default() }
    }

    #[test]
    fn a_slot_is_used_again_and_nothing_stays() {
        let mut catalog = Catalog::default();
        catalog.put(2, entry(12));
        catalog.put(1, entry(11));
        catalog.strike(1);
        catalog.strike(9);
        assert_eq!((catalog.at(0), catalog.at(1), catalog.at(9)), (None, None, None));
        assert_eq!(catalog.0[1], Entry::default());
        catalog.put(1, entry(99));
        let all: Vec<_> = catalog.iter().map(|(slot, entry)| (slot, entry.id)).collect();
        assert_eq!(all, [(1, 99), (2, 12)]);
    }
}
