//! Files whose newest manifest another program wrote: every segment that counts is read and
//! checked, and what is in it becomes records.
//!
//! A feature of its own (`foreign`): a module without it refuses such a file.
//!
//! Why: rvf-runtime keeps our RECORDS and TEXT and knows nothing of them. Its upsert
//! changes a vector and leaves the entry as it was: such an entry still counts, with its check
//! corrected in memory, until the file is compacted.
//!
//! What it must never do: write, or refuse a record for metadata beyond our limits: what does
//! not fit is left out.

use alloc::vec::Vec;

use crate::durable::{DurableFile, vectors_in};
use crate::error::Fault;
use crate::ledger::{JOURNAL, Ledger, MAX_SEGMENT, MEMORY, Place};
use crate::record::{Fields, MAX_KEY, MAX_METADATA, MAX_PAIRS, MAX_VALUE, Record, part_check};
use crate::rvf::chain::Chain;
use crate::rvf::records;
use crate::rvf::segment::{META, RECORDS, Segment, VEC};
use crate::sorted::Sorted;
use crate::source::Source;
use crate::wire::Reader;
use crate::{Damage, DamageKind, Error};

/// What those entries of ours say that still count.
#[derive(Default)]
struct Entries {
    /// Where the records are that have one.
    places: Sorted<Place>,
    /// Those whose check had to be corrected.
    foreign: Sorted<Fields>,
    /// Ids whose newest vector is not the one that our entry was written with.
    moved: Sorted<u64>,
}

impl DurableFile {
    /// Reads a file that another program wrote last. Gives the newest epoch of RECORDS in it.
    pub(crate) fn load_foreign(&mut self, salvage: bool) -> Result<u32, Fault> {
        let vectors = self.foreign_vectors()?;
        let records = self.foreign_records(salvage)?;
        let entries = self.foreign_entries(&records, &vectors, salvage)?;
        self.foreign_ledger(&vectors, entries)?;
        Ok(records.iter().map(|(head, _)| head.epoch).max().unwrap_or(0))
    }

    /// Where the newest vector of each id is, with its [`vector_check`].
    fn foreign_vectors(&self) -> Result<Sorted<Place>, Fault> {
        let dim = self.manifest.dim;
        let mut vectors: Sorted<Place> = Sorted::default();
        let mut gathered = Vec::new();
        for segment in self.directory.of(VEC) {
            segment.expect(&self.base(), false, DamageKind::Segment)?;
            let wrong = || DamageKind::Segment.at(segment.offset);
            if segment.id > MAX_SEGMENT {
                return Err(Fault::unsupported("its segment ids are too large"));
            }
            let (found, count) = vec_head(&self.base(), segment.start())?.ok_or_else(wrong)?;
            if found != dim {
                let (expected, found) = (dim.into(), found.into());
                return Err(Error::Dimension { expected, found }.into());
            }
            if u64::from(count) > vectors_in(segment.payload, dim) {
                return Err(wrong());
            }
            let damage = (DamageKind::Segment, segment.offset);
            let mut stream = self.base().stream(segment.start() + 6, segment.payload_end(), damage);
            for index in 0..count {
                let bytes = stream.take(8 + 4 * usize::from(dim))?;
                let mut reader = Reader::new(bytes);
                let id = reader.u64();
                let place = Place {
                    vector_segment: segment.id as u32,
                    vector_index: index,
                    entry_segment: MEMORY,
                    entry_at: 0,
                    // See `vector_check`.
                    entry_len: part_check(id, reader.rest),
                    text_len: 0,
                };
                gathered.push((id, place));
            }
            vectors.gather(&mut gathered);
        }
        vectors.extend(gathered);
        vectors.retain(&mut |id, _| !self.manifest.removed.contains(id));
        Ok(vectors)
    }

    /// Reads the entries of ours in `records` and finds the vector of each.
    fn foreign_entries(
        &mut self,
        records: &[(records::Head, Segment)],
        vectors: &Sorted<Place>,
        salvage: bool,
    ) -> Result<Entries, Fault> {
        let mut entries = Entries::default();
        let Entries { places, foreign, moved } = &mut entries;
        for (_, segment) in records {
            let each = &mut |at, mut fields: Fields| {
                let id = fields.id();
                foreign.remove(id);
                moved.remove(id);
                let Some(&vector) = vectors.get(id).filter(|_| !fields.is_removal()) else {
                    places.remove(id);
                    return Ok(());
                };
                let parts = fields.parts();
                let written = (parts.vector_segment, parts.vector_index);
                if written != (vector.vector_segment, vector.vector_index) {
                    moved.insert(id, 0);
                }
                let place = Place {
                    entry_segment: segment.id as u32,
                    entry_at: at,
                    entry_len: fields.bytes().len() as u32,
                    text_len: fields.text_len(),
                    ..vector
                };
                let check = vector_check(&vector);
                if fields.vector_check() == check {
                    places.insert(id, place);
                } else {
                    places.insert(id, Place { entry_segment: MEMORY, ..place });
                    fields.set_vector_check(check);
                    foreign.insert(id, fields);
                }
                Ok(())
            };
            if !records::read(&self.base(), segment, salvage, each)? {
                let kind = DamageKind::Records;
                self.report.damaged.push(Damage { kind, offset: segment.offset });
            }
        }
        Ok(entries)
    }

    /// Keeps where each record is. Of those without an entry of ours, META says what there is to
    /// say.
    fn foreign_ledger(&mut self, vectors: &Sorted<Place>, entries: Entries) -> Result<(), Fault> {
        let Entries { places, mut foreign, moved } = entries;
        let metas: Vec<Segment> = self.directory.of(META).copied().collect();
        for meta in &metas {
            meta.expect(&self.base(), false, DamageKind::Meta)?;
        }
        let mut ids = vectors.iter().map(|(id, _)| (id, !places.contains(id)));
        let mut chain = Chain::read(&self.base(), &metas, &mut ids)?;
        let mut ledger = Ledger::new(self.manifest.dim, Sorted::default());
        for (id, &vector) in vectors.iter() {
            // Deleted and stored again by a program that knows no text of ours: not even ours is given
            // back. With its own vector it was never stored again: no more than its metadata there was deleted.
            let again = moved.contains(id) && chain.deletes(id);
            if let Some(place) = places.get(id).filter(|_| !again) {
                ledger.insert(id, *place);
                continue;
            }
            // Taken where it stands: the first of all is not to be taken out each time.
            let values = chain.records.get_mut(id).map(core::mem::take).unwrap_or_default();
            let fields = foreign_fields(id, vector_check(&vector), &values, &chain)?;
            let entry_len = fields.bytes().len() as u32;
            ledger.insert(id, Place { entry_len, ..vector });
            foreign.insert(id, fields);
        }
        self.ledger = ledger;
        self.foreign = foreign;
        Ok(())
    }

    /// RECORDS segments that no other one replaced, oldest first. Which those are their headers say,
    /// so all are read before one is believed.
    fn foreign_records(&self, salvage: bool) -> Result<Vec<(records::Head, Segment)>, Fault> {
        let mut found: Vec<(records::Head, Segment)> = Vec::new();
        for segment in self.directory.of(RECORDS) {
            if segment.id > MAX_SEGMENT {
                return Err(Fault::unsupported("its segment ids are too large"));
            }
            if !salvage {
                segment.expect(&self.base(), true, DamageKind::Records)?;
            }
            let head = records::Head::read(&self.base(), segment)?;
            let older = |(before, other): &(records::Head, Segment)| {
                (before.epoch, other.id) < (head.epoch, segment.id)
            };
            found.insert(found.partition_point(older), (head, *segment));
        }
        // A group replaced all from its `since` on that are older than itself.
        let (mut newest, mut since) = (u32::MAX, u32::MAX);
        let mut kept = found.len();
        for i in (0..found.len()).rev() {
            let (head, segment) = found[i];
            if head.epoch == newest || head.epoch < since {
                (newest, since) = (head.epoch, since.min(head.since));
                kept -= 1;
                found[kept] = (head, segment);
            }
        }
        Ok(found.split_off(kept))
    }
}

/// The check of a vector whose entry is not known yet. It stands in place of that one's length: a
/// type of its own, with a field for it, would be another kilobyte of `Sorted`.
fn vector_check(vector: &Place) -> u32 {
    vector.entry_len
}

/// The entry of a record that another program wrote.
fn foreign_fields(
    id: u64,
    check: u32,
    values: &Sorted<alloc::string::String>,
    chain: &Chain,
) -> Result<Fields, Fault> {
    let (mut kind, mut session, mut created) = ("", "", 0);
    let mut metadata: Vec<(&str, &str)> = Vec::new();
    let mut all = 0;
    for (field, value) in values.iter() {
        match chain.name(field) {
            "kind" if value.len() <= crate::record::MAX_KIND => kind = value,
            "session" if value.len() <= crate::record::MAX_SESSION => session = value,
            "created" if number(value).is_some() => created = number(value).unwrap_or(0),
            name => {
                let fits = name.len() <= MAX_KEY
                    && value.len() <= MAX_VALUE
                    && metadata.len() < MAX_PAIRS
                    && all + name.len() + value.len() <= MAX_METADATA
                    && !metadata.iter().any(|&(key, _)| key == name);
                if fits {
                    all += name.len() + value.len();
                    metadata.push((name, value));
                }
            }
        }
    }
    let record = Record {
        id,
        vector: &[],
        text: "",
        kind,
        session,
        created,
        last_used: created,
        uses: 0,
        importance: 0.5,
        pinned: false,
        metadata: &metadata,
    };
    let mut bytes = Vec::new();
    record.encode(0, &mut bytes)?;
    let mut fields =
        Fields::parse(&bytes).ok_or_else(|| Fault::from(Error::Record("its metadata")))?;
    fields.set_vector_check(check);
    Ok(fields)
}

/// The number that `text` is in decimal digits.
fn number(text: &str) -> Option<u64> {
    let digits = text.bytes().map(|byte| byte.wrapping_sub(b'0'));
    digits.clone().next()?;
    digits.clone().all(|digit| digit < 10).then_some(())?;
    digits
        .into_iter()
        .try_fold(0_u64, |number, digit| number.checked_mul(10)?.checked_add(digit.into()))
}

/// Dimension and count in the head of a VEC payload.
fn vec_head(source: &Source<'_>, offset: u64) -> Result<Option<(u16, u32)>, Fault> {
    let bytes = source.bytes(offset, 6)?;
    let mut reader = Reader::new(&bytes);
    let head = (reader.u16(), reader.u32());
    Ok(reader.sound.then_some(head))
}

const _: () = assert!(JOURNAL > MEMORY && MEMORY as u64 > MAX_SEGMENT);
