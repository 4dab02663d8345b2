//! What is kept in memory: where each live record is, and where each segment.
//!
//! A record takes 32 bytes here, and a quarter more while there is room to grow; texts, vectors
//! and fields stay in the file.
//!
//! Why: a large file is to open in a small memory. Places are believed when a record is
//! read, as whoever puts one in has checked it against the directory.
//!
//! What it must never do: keep anything of a record whose size goes by what is in it.

use alloc::vec::Vec;

use crate::record::FIXED;
use crate::rvf::segment::Segment;
use crate::sorted::Sorted;

/// In place of a segment's id: the record is in the journal.
pub(crate) const JOURNAL: u32 = u32::MAX;
/// In place of an entry's segment: the entry is in memory, since another program wrote the
/// record. In place of a vector's: the record is in the batch that is not committed.
pub(crate) const MEMORY: u32 = u32::MAX - 1;
/// The largest id that a segment may have.
pub(crate) const MAX_SEGMENT: u64 = u32::MAX as u64 - 2;

/// Where a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The VEC segment, or [`JOURNAL`].
    pub(crate) vector_segment: u32,
    /// Which vector of it.
    pub(crate) vector_index: u32,
    /// The RECORDS segment, [`JOURNAL`] or [`MEMORY`].
    pub(crate) entry_segment: u32,
    /// Where in its payload, or in the journal, the entry begins.
    pub(crate) entry_at: u32,
    pub(crate) entry_len: u32,
    pub(crate) text_len: u32,
}

impl Place {
    /// Of a record that was removed: no entry is so short.
    pub(crate) const NONE: Self = Self {
        vector_segment: 0,
        vector_index: 0,
        entry_segment: 0,
        entry_at: 0,
        entry_len: 0,
        text_len: 0,
    };

    pub(crate) fn in_journal(&self) -> bool {
        self.vector_segment == JOURNAL
    }

    /// Vector and text stand behind the entry: in the journal, or in the batch.
    pub(crate) fn in_one_piece(&self) -> bool {
        self.vector_segment >= MEMORY
    }

    /// Bytes that the record takes in the base, near enough to tell when to compact.
    fn bytes(&self, dim: u16) -> u64 {
        // The mirror in META: ids, tags and lengths, and the entry's strings again.
        let mirror = 30 + u64::from(self.entry_len).saturating_sub(FIXED as u64);
        8 + 4 * u64::from(dim) + u64::from(self.entry_len) + u64::from(self.text_len) + mirror
    }
}

/// Live records by id.
#[derive(Default)]
pub(crate) struct Ledger {
    places: Sorted<Place>,
    dim: u16,
    live_bytes: u64,
}

impl Ledger {
    pub(crate) fn new(dim: u16, places: Sorted<Place>) -> Self {
        let live_bytes = places.iter().map(|(_, place)| place.bytes(dim)).sum();
        Self { places, dim, live_bytes }
    }

    pub(crate) fn insert(&mut self, id: u64, place: Place) -> Option<Place> {
        let before = self.places.insert(id, place);
        self.live_bytes += place.bytes(self.dim);
        self.live_bytes -= before.map_or(0, |before| before.bytes(self.dim));
        before
    }

    pub(crate) fn remove(&mut self, id: u64) -> Option<Place> {
        let before = self.places.remove(id);
        self.live_bytes -= before.map_or(0, |before| before.bytes(self.dim));
        before
    }

    pub(crate) fn get(&self, id: u64) -> Option<&Place> {
        self.places.get(id)
    }

    /// The smallest id from `id` on.
    pub(crate) fn from(&self, id: u64) -> Option<u64> {
        self.places.from(id).map(|&(id, _)| id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &Place)> {
        self.places.iter()
    }

    /// Bytes that it asks for when it takes in so many more.
    pub(crate) fn growth(&self, more: usize) -> usize {
        self.places.growth(more)
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Bytes that the live records take in the base.
    pub(crate) fn live_bytes(&self) -> u64 {
        self.live_bytes
    }
}

/// The segments that count.
#[derive(Default)]
pub(crate) struct Directory {
    listed: Vec<Segment>,
    /// Their ids rise, as those of ours do. Others are looked for one by one, as long as it takes to
    /// write such a file anew.
    rising: bool,
}

impl Directory {
    pub(crate) fn new(listed: Vec<Segment>) -> Self {
        let rising = listed.is_sorted_by(|first, second| first.id < second.id);
        Self { listed, rising }
    }

    /// In the manifest's order.
    pub(crate) fn listed(&self) -> &[Segment] {
        &self.listed
    }

    /// Those of one kind, in the manifest's order.
    pub(crate) fn of(&self, kind: u8) -> impl Iterator<Item = &Segment> {
        self.listed.iter().filter(move |segment| segment.kind == kind)
    }

    pub(crate) fn get(&self, kind: u8, id: u32) -> Option<&Segment> {
        let id = u64::from(id);
        let at = match self.rising {
            true => self.listed.partition_point(|segment| segment.id < id),
            false => self.listed.iter().rposition(|found| (found.kind, found.id) == (kind, id))?,
        };
        self.listed.get(at).filter(|found| (found.kind, found.id) == (kind, id))
    }
}
