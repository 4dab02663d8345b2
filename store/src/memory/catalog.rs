//! What filters and policies ask of every record, kept in memory: a slot for each.
//!
//! Kinds, sessions and pairs of metadata are kept as hashes (XXH64): 64 bits tell a million
//! records' strings apart with a probability of 1 in 10^7 that any two share one, and nothing of
//! a removed record's strings stays behind.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use xxhash_rust::xxh64::xxh64;

use crate::record::{Fields, Record};

/// What stands for a string.
pub(super) fn hash(text: &str) -> u64 {
    xxh64(text.as_bytes(), 0)
}

/// What stands for a pair of metadata: the value's hash, seeded by the key's.
pub(super) fn hash_pair(key: &str, value: &str) -> u64 {
    xxh64(value.as_bytes(), hash(key))
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
    pub(super) fn of_record(record: &Record<'_>) -> Self {
        let mut pairs: Vec<u64> = record.metadata.iter().map(|(k, v)| hash_pair(k, v)).collect();
        pairs.sort_unstable();
        Entry {
            id: record.id,
            live: true,
            pinned: record.pinned,
            kind: hash(record.kind),
            session: hash(record.session),
            created: record.created,
            last_used: record.last_used,
            uses: record.uses,
            importance: record.importance,
            pairs,
        }
    }

    pub(super) fn of_fields(fields: &Fields) -> Self {
        let mut pairs: Vec<u64> = fields.metadata().map(|(k, v)| hash_pair(k, v)).collect();
        pairs.sort_unstable();
        Entry {
            id: fields.id(),
            live: true,
            pinned: fields.pinned(),
            kind: hash(fields.kind()),
            session: hash(fields.session()),
            created: fields.created(),
            last_used: fields.last_used(),
            uses: fields.uses(),
            importance: fields.importance(),
            pairs,
        }
    }
}

/// The entries, by slot and by id.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Catalog {
    entries: Vec<Entry>,
    slots: BTreeMap<u64, u32>,
    /// Slots without a record, the next one last.
    free: Vec<u32>,
}

impl Catalog {
    pub(super) fn slot(&self, id: u64) -> Option<u32> {
        self.slots.get(&id).copied()
    }

    /// The record in a slot.
    pub(super) fn at(&self, slot: u32) -> Option<&Entry> {
        self.entries.get(slot as usize).filter(|entry| entry.live)
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut Entry> {
        let slot = self.slot(id)?;
        self.entries.get_mut(slot as usize)
    }

    /// The records with their slots.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Entry)> {
        (0..).zip(&self.entries).filter(|(_, entry)| entry.live)
    }

    /// All slots, those without a record too.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The slot that the next new record gets.
    pub(super) fn next_slot(&self) -> u32 {
        self.free.last().copied().unwrap_or(self.entries.len() as u32)
    }

    /// Puts a new record in the next slot, or a known one in its own.
    pub(super) fn put(&mut self, entry: Entry) -> u32 {
        let slot = self.slot(entry.id).unwrap_or_else(|| self.next_slot());
        if self.free.last() == Some(&slot) {
            self.free.pop();
        }
        self.slots.insert(entry.id, slot);
        match self.entries.get_mut(slot as usize) {
            Some(place) => *place = entry,
            None => self.entries.push(entry),
        }
        slot
    }

    /// Takes a record out; nothing of it stays.
    pub(super) fn strike(&mut self, id: u64) {
        if let Some(slot) = self.slots.remove(&id) {
            if let Some(place) = self.entries.get_mut(slot as usize) {
                place.pairs.fill(0);
                *place = Entry::default();
            }
            self.free.push(slot);
        }
    }

    /// A catalog of these slots, if no id is in two of them.
    pub(super) fn from_entries(entries: Vec<Entry>) -> Option<Self> {
        let mut catalog = Catalog::default();
        for (slot, entry) in (0..).zip(&entries) {
            if !entry.live {
                catalog.free.push(slot);
            } else if catalog.slots.insert(entry.id, slot).is_some() {
                return None;
            }
        }
        catalog.entries = entries;
        Some(catalog)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: u64) -> Entry {
        Entry { id, live: true, pairs: alloc::vec![1, 2], ..Entry::default() }
    }

    #[test]
    fn slots_are_used_again_and_nothing_stays() {
        let mut catalog = Catalog::default();
        for id in 10..13 {
            assert_eq!(catalog.put(entry(id)), id as u32 - 10);
        }
        catalog.strike(11);
        assert_eq!((catalog.slot(11), catalog.at(1), catalog.next_slot()), (None, None, 1));
        assert_eq!(catalog.entries()[1], Entry::default());
        assert_eq!(catalog.put(entry(12)), 2, "a known id stays where it is");
        assert_eq!(catalog.put(entry(99)), 1);
        assert_eq!(
            catalog.iter().map(|(slot, e)| (slot, e.id)).collect::<Vec<_>>(),
            [(0, 10), (1, 99), (2, 12)]
        );
        let again = Catalog::from_entries(catalog.entries().to_vec()).unwrap();
        assert_eq!(again, catalog);
        assert!(Catalog::from_entries(alloc::vec![entry(1), entry(1)]).is_none());
    }
}
