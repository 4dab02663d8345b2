//! Writing a group: records in, segments of at most 1 MiB out, of entries 256 KiB.
//!
//! TEXT, VEC, RECORDS and META fill up side by side, each in a buffer of its own, and are
//! appended when the next record would not fit. Nothing counts before a manifest lists it.
//!
//! Why: an entry names the segments of its vector and its text, so that each has its id
//! from its first byte on, before it is written. They are written as they fill up, and listed
//! by their ids.
//!
//! What it must never do: take records whose ids do not rise, as opening refuses such a
//! segment, or hold more than one segment of a kind in memory.

use alloc::vec::Vec;

use crate::error::Fault;
use crate::ledger::{MAX_SEGMENT, Place};
use crate::read::Stored;
use crate::record::{Parts, put_removal};
use crate::rvf::meta;
use crate::rvf::records::{self, Head};
use crate::rvf::segment::{self, MAX_PAYLOAD, META, RECORDS, Segment, TEXT, VEC};
use crate::storage::{Handle, Storage, done};
use crate::wire::{Put, set_u32};

/// The segments that fill up side by side.
const KINDS: [u8; 4] = [TEXT, VEC, RECORDS, META];
/// The most that each of them has: four full ones would be more than folding asks for.
const MOST: [usize; 4] = [MAX_PAYLOAD, MAX_PAYLOAD, MAX_PAYLOAD / 4, MAX_PAYLOAD / 4];
const TEXTS: usize = 0;
const VECTORS: usize = 1;
const ENTRIES: usize = 2;
const MIRROR: usize = 3;

/// What stands around a payload at most: the header, and what brings it to a multiple of 64.
const AROUND: usize = 2 * segment::HEADER;

/// A segment that fills up; it has its id from its first byte on.
#[derive(Default)]
struct Filling {
    id: u64,
    payload: Vec<u8>,
    count: u32,
}

/// Where and for what a group is written.
pub(crate) struct Target<'a> {
    pub(crate) storage: &'a dyn Storage,
    pub(crate) file: Handle,
    /// Where the file ends: a multiple of 64.
    pub(crate) end: u64,
    pub(crate) next_id: u64,
    pub(crate) dim: u16,
    pub(crate) epoch: u32,
    pub(crate) since: u32,
    /// Of the next META; the first one is a snapshot.
    pub(crate) generation: u64,
}

/// What writes a group, and what it has written.
pub(crate) struct GroupWriter<'a> {
    /// Its end and its next id go on with what is written.
    pub(crate) target: Target<'a>,
    /// Of the [`KINDS`].
    filling: [Filling; 4],
    /// No META stands before the group's own.
    first: bool,
    /// By id.
    pub(crate) segments: Vec<Segment>,
    pub(crate) places: Vec<(u64, Place)>,
}

impl<'a> GroupWriter<'a> {
    pub(crate) fn new(target: Target<'a>) -> Self {
        Self {
            first: target.generation == 1,
            target,
            filling: Default::default(),
            segments: Vec::new(),
            places: Vec::new(),
        }
    }

    /// Adds a record; ids rise from call to call, over removals too.
    pub(crate) fn record(&mut self, record: &mut Stored) -> Result<(), Fault> {
        let Stored { fields, vector, text } = record;
        let mut parts = Parts::default();
        self.put(VECTORS, vector)?;
        (parts.vector_segment, _) = self.begin(VECTORS, vector);
        parts.vector_index = self.filling[VECTORS].count - 1;
        if !text.is_empty() {
            self.put(TEXTS, text.as_bytes())?;
            (parts.text_segment, parts.text_at) = self.begin(TEXTS, text.as_bytes());
        }
        fields.set_parts(parts);
        self.put(ENTRIES, fields.bytes())?;
        let (entry_segment, entry_at) = self.begin(ENTRIES, fields.bytes());
        let place = Place {
            vector_segment: parts.vector_segment,
            vector_index: parts.vector_index,
            entry_segment,
            entry_at,
            entry_len: fields.bytes().len() as u32,
            text_len: text.len() as u32,
        };
        self.places.push((fields.id(), place));
        // The vector is written: its room serves the mirror.
        vector.clear();
        meta::put_record(fields, self.first, vector);
        self.put(MIRROR, vector)
    }

    /// Adds a removal.
    pub(crate) fn removal(&mut self, id: u64) -> Result<(), Fault> {
        let mut bytes = Vec::new();
        put_removal(id, &mut bytes);
        self.put(ENTRIES, &bytes)?;
        bytes.clear();
        meta::put_removal(id, &mut bytes);
        self.put(MIRROR, &bytes)
    }

    /// Adds bytes to a filling segment, or to the next one where it is full.
    #[inline(never)]
    fn put(&mut self, which: usize, bytes: &[u8]) -> Result<(), Fault> {
        self.room(which, bytes.len())?;
        let most = self.most(which);
        let Filling { payload, count, .. } = &mut self.filling[which];
        let needed = payload.len() + bytes.len();
        if needed > payload.capacity() {
            // Twice as much would be more than a segment ever has.
            let room = (2 * needed).min(most + AROUND);
            payload.reserve_exact(room.saturating_sub(payload.len()));
        }
        payload.bytes(bytes);
        *count += 1;
        Ok(())
    }

    /// In which segment, and where in its payload, the bytes begin that it was given last.
    fn begin(&self, which: usize, bytes: &[u8]) -> (u32, u32) {
        let Filling { id, payload, .. } = &self.filling[which];
        (*id as u32, (payload.len() - bytes.len()) as u32)
    }

    /// Bytes that a segment may have. Other readers take 65 of META: where there are many, they grow.
    fn most(&self, which: usize) -> usize {
        let many = if which == MIRROR { (self.target.generation / 16).min(2) } else { 0 };
        MOST[which] << many
    }

    /// Makes sure that `len` bytes fit into a filling segment.
    fn room(&mut self, which: usize, len: usize) -> Result<(), Fault> {
        let around = if which == MIRROR { meta::OVERHEAD } else { 0 };
        if self.filling[which].payload.len() + len + around > self.most(which) {
            self.flush(which)?;
        }
        let Filling { id, payload, .. } = &mut self.filling[which];
        if *id > 0 {
            return Ok(());
        }
        *id = self.target.next_id;
        if *id > MAX_SEGMENT {
            return Err(Fault::unsupported("its segment ids are used up: compact it"));
        }
        self.target.next_id += 1;
        let Target { dim, epoch, since, .. } = self.target;
        match which {
            VECTORS => {
                payload.u16(dim);
                payload.u32(0);
            }
            ENTRIES => *payload = Head { epoch, since, count: 0, dim }.encode(),
            _ => {}
        }
        Ok(())
    }

    fn flush(&mut self, which: usize) -> Result<(), Fault> {
        let Filling { id, mut payload, count } = core::mem::take(&mut self.filling[which]);
        if id == 0 {
            return Ok(());
        }
        match which {
            VECTORS => set_u32(&mut payload, 2, count),
            ENTRIES => set_u32(&mut payload, records::HEADER - 8, count),
            MIRROR => {
                payload = meta::encode(self.target.generation, count, &payload);
                self.target.generation += 1;
            }
            _ => {}
        }
        let (kind, offset) = (KINDS[which], self.target.end);
        let segment = Segment { id, offset, payload: payload.len() as u64, kind };
        let bytes = segment::encode(kind, id, payload);
        done(self.target.storage.append(self.target.file, &bytes))?;
        // By rising ids: others that began later may be written already.
        let mut at = self.segments.len();
        self.segments.push(segment);
        while at > 0 && self.segments[at - 1].id > id {
            self.segments.swap(at - 1, at);
            at -= 1;
        }
        self.target.end = segment.end();
        Ok(())
    }

    /// Writes what is left. There is a RECORDS segment in the end, if an empty one: it says that
    /// the journal before it was folded. And the first META, which the others build on.
    pub(crate) fn finish(&mut self) -> Result<(), Fault> {
        if !self.segments.iter().any(|segment| segment.kind == RECORDS) {
            self.room(ENTRIES, 0)?;
        }
        if self.target.generation == 1 {
            self.room(MIRROR, 0)?;
        }
        for which in 0..KINDS.len() {
            self.flush(which)?;
        }
        Ok(())
    }
}

const _: () = assert!(records::HEADER == 24, "flush writes the count at 16");
