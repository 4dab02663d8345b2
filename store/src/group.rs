//! Writing a group: records in, segments of at most 1 MiB out.
//!
//! TEXT, VEC, RECORDS and META fill up side by side, each in a buffer of its own, and are
//! appended when the next record would not fit. Nothing counts before a manifest lists it.

use alloc::vec::Vec;

use crate::error::Fault;
use crate::ledger::{MAX_SEGMENT, Place};
use crate::record::{Fields, Parts, put_removal};
use crate::rvf::meta;
use crate::rvf::records::{self, Head};
use crate::rvf::segment::{self, MAX_PAYLOAD, META, RECORDS, Segment, TEXT, VEC};
use crate::storage::{Handle, Storage};
use crate::wire::{Put, set_u32};

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

/// What was written.
pub(crate) struct Written {
    /// By id.
    pub(crate) segments: Vec<Segment>,
    pub(crate) places: Vec<(u64, Place)>,
    pub(crate) end: u64,
    pub(crate) next_id: u64,
}

pub(crate) struct GroupWriter<'a> {
    target: Target<'a>,
    vectors: Filling,
    texts: Filling,
    records: Filling,
    meta: Filling,
    /// No META stands before the group's own.
    first: bool,
    done: Written,
}

impl<'a> GroupWriter<'a> {
    pub(crate) fn new(target: Target<'a>) -> Self {
        let (end, next_id) = (target.end, target.next_id);
        let first = target.generation == 1;
        Self {
            first,
            target,
            vectors: Filling::default(),
            texts: Filling::default(),
            records: Filling::default(),
            meta: Filling::default(),
            done: Written { segments: Vec::new(), places: Vec::new(), end, next_id },
        }
    }

    /// Adds a record; ids rise from call to call, over removals too.
    pub(crate) fn record(
        &mut self,
        mut fields: Fields,
        vector: &[u8],
        text: &[u8],
    ) -> Result<(), Fault> {
        self.room(VEC, 8 + vector.len())?;
        let mut parts = Parts {
            vector_segment: self.vectors.id as u32,
            vector_index: self.vectors.count,
            ..Parts::default()
        };
        self.vectors.payload.u64(fields.id());
        self.vectors.payload.bytes(vector);
        self.vectors.count += 1;
        if !text.is_empty() {
            self.room(TEXT, text.len())?;
            parts.text_segment = self.texts.id as u32;
            parts.text_at = self.texts.payload.len() as u32;
            self.texts.payload.bytes(text);
            self.texts.count += 1;
        }
        fields.set_parts(parts);
        let (entry_segment, entry_at) = self.entry(fields.bytes())?;
        let place = Place {
            vector_segment: parts.vector_segment,
            vector_index: parts.vector_index,
            entry_segment,
            entry_at,
            entry_len: fields.bytes().len() as u32,
            text_len: text.len() as u32,
        };
        self.done.places.push((fields.id(), place));
        let mut mirror = Vec::new();
        meta::put_record(&fields, self.first, &mut mirror);
        self.mirror(&mirror)
    }

    /// Adds a removal.
    pub(crate) fn removal(&mut self, id: u64) -> Result<(), Fault> {
        let mut bytes = Vec::new();
        put_removal(id, &mut bytes);
        self.entry(&bytes)?;
        bytes.clear();
        meta::put_removal(id, &mut bytes);
        self.mirror(&bytes)
    }

    fn entry(&mut self, bytes: &[u8]) -> Result<(u32, u32), Fault> {
        self.room(RECORDS, bytes.len())?;
        let at = self.records.payload.len() as u32;
        self.records.payload.bytes(bytes);
        self.records.count += 1;
        Ok((self.records.id as u32, at))
    }

    fn mirror(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.room(META, bytes.len() + meta::OVERHEAD)?;
        self.meta.payload.bytes(bytes);
        self.meta.count += 1;
        Ok(())
    }

    fn filling(&mut self, kind: u8) -> &mut Filling {
        match kind {
            VEC => &mut self.vectors,
            TEXT => &mut self.texts,
            RECORDS => &mut self.records,
            _ => &mut self.meta,
        }
    }

    /// Makes sure that `len` bytes fit into the filling segment of a kind.
    fn room(&mut self, kind: u8, len: usize) -> Result<(), Fault> {
        if self.filling(kind).payload.len() + len > MAX_PAYLOAD {
            self.flush(kind)?;
        }
        if self.filling(kind).id == 0 {
            self.begin(kind)?;
        }
        Ok(())
    }

    fn begin(&mut self, kind: u8) -> Result<(), Fault> {
        let id = self.done.next_id;
        if id > MAX_SEGMENT {
            return Err(Fault::unsupported("its segment ids are used up: compact it"));
        }
        self.done.next_id += 1;
        let Target { dim, epoch, since, .. } = self.target;
        let filling = self.filling(kind);
        filling.id = id;
        match kind {
            VEC => {
                filling.payload.u16(dim);
                filling.payload.u32(0);
            }
            RECORDS => filling.payload = Head { epoch, since, count: 0, dim }.encode(),
            _ => {}
        }
        Ok(())
    }

    fn flush(&mut self, kind: u8) -> Result<(), Fault> {
        let Filling { id, mut payload, count } = core::mem::take(self.filling(kind));
        if id == 0 {
            return Ok(());
        }
        match kind {
            VEC => set_u32(&mut payload, 2, count),
            RECORDS => set_u32(&mut payload, records::HEADER - 8, count),
            META => {
                payload = meta::encode(self.target.generation, count, &payload);
                self.target.generation += 1;
            }
            _ => {}
        }
        let segment = Segment { id, offset: self.done.end, payload: payload.len() as u64, kind };
        let bytes = segment::encode(kind, id, &payload);
        self.target.storage.append(self.target.file, &bytes)?;
        let segments = &mut self.done.segments;
        segments.insert(segments.partition_point(|before| before.id < id), segment);
        self.done.end = segment.end();
        Ok(())
    }

    /// Writes what is left. There is a RECORDS segment in the end, if an empty one: it says that
    /// the journal before it was folded. And the first META, which the others build on.
    pub(crate) fn finish(mut self) -> Result<Written, Fault> {
        if !self.done.segments.iter().any(|segment| segment.kind == RECORDS) {
            self.room(RECORDS, 0)?;
        }
        if self.target.generation == 1 {
            self.room(META, meta::OVERHEAD)?;
        }
        for kind in [TEXT, VEC, RECORDS, META] {
            self.flush(kind)?;
        }
        Ok(self.done)
    }
}

const _: () = assert!(records::HEADER == 24, "flush writes the count at 16");
