//! Files whose newest manifest another program wrote: every segment that counts is read and
//! checked, and what is in it becomes records.
//!
//! A feature of its own (`foreign`): a module without it refuses such a file.

use alloc::vec::Vec;

use crate::durable::{DurableFile, vectors_in};
use crate::ledger::{JOURNAL, Ledger, MAX_SEGMENT, MEMORY, Place};
use crate::record::{Fields, MAX_KEY, MAX_METADATA, MAX_PAIRS, MAX_VALUE, Record, part_check};
use crate::rvf::chain::Chain;
use crate::rvf::records;
use crate::rvf::segment::{META, RECORDS, Segment, VEC};
use crate::sorted::Sorted;
use crate::source::Source;
use crate::wire::Reader;
use crate::{Damage, DamageKind, Error};

impl DurableFile {
    /// Reads a file that another program wrote last. Gives the newest epoch of RECORDS in it.
    pub(crate) fn load_foreign(&mut self, salvage: bool) -> Result<u32, Error> {
        let dim = self.standing.dim;
        // Where the newest vector of an id is, and its check.
        let mut vectors: Sorted<(u32, u32, u32)> = Sorted::default();
        for segment in self.directory.of(VEC) {
            segment.expect(&self.base(), false, DamageKind::Segment)?;
            let wrong = DamageKind::Segment.at(segment.offset);
            if segment.id > MAX_SEGMENT {
                return Err(Error::Unsupported("its segment ids are too large"));
            }
            let (found, count) = vec_head(&self.base(), segment.start())?.ok_or(wrong)?;
            if found != dim {
                let (expected, found) = (dim.into(), found.into());
                return Err(Error::Dimension { expected, found });
            }
            if u64::from(count) > vectors_in(segment.payload, dim) {
                return Err(wrong);
            }
            let mut stream = self.base().stream(segment.start() + 6, segment.payload_end());
            let mut found = Vec::new();
            for index in 0..count {
                let bytes = stream.take(8 + 4 * usize::from(dim))?.ok_or(wrong)?;
                let mut reader = Reader(bytes);
                let id = reader.u64().ok_or(wrong)?;
                found.push((id, (segment.id as u32, index, part_check(id, reader.0))));
            }
            vectors.extend(found);
        }
        vectors.retain(|id, _| !self.standing.removed.contains(id));

        let records = self.foreign_records()?;
        let newest = records.iter().map(|(_, (head, _))| head.epoch).max().unwrap_or(0);
        let mut places: Sorted<Place> = Sorted::default();
        let mut foreign: Sorted<Fields> = Sorted::default();
        for (_, (_, segment)) in records.iter() {
            let each = &mut |at, mut fields: Fields| {
                let id = fields.id();
                foreign.remove(id);
                let Some(&(vector_segment, vector_index, check)) =
                    vectors.get(id).filter(|_| !fields.is_removal())
                else {
                    places.remove(id);
                    return Ok(());
                };
                let mut entry_segment = segment.id as u32;
                if fields.vector_check() != check {
                    fields.set_vector_check(check);
                    entry_segment = MEMORY;
                }
                let (entry_len, text_len) = (fields.bytes().len() as u32, fields.text_len());
                let entry_at = at;
                places.insert(
                    id,
                    Place {
                        vector_segment,
                        vector_index,
                        entry_segment,
                        entry_at,
                        entry_len,
                        text_len,
                    },
                );
                if entry_segment == MEMORY {
                    foreign.insert(id, fields);
                }
                Ok(())
            };
            if !records::read(&self.base(), segment, salvage, each)? {
                let kind = DamageKind::Records;
                self.report.damaged.push(Damage { kind, offset: segment.offset });
            }
        }

        let metas: Vec<Segment> = self.directory.of(META).copied().collect();
        for meta in &metas {
            meta.expect(&self.base(), false, DamageKind::Meta)?;
        }
        let wanted = |id| vectors.contains(id) && !places.contains(id);
        let mut chain = Chain::read(&self.base(), &metas, &wanted)?;
        let mut ledger = Ledger::new(dim);
        for (id, &(vector_segment, vector_index, check)) in vectors.iter() {
            if let Some(place) = places.get(id) {
                ledger.insert(id, *place);
                continue;
            }
            let values = chain.records.remove(id).unwrap_or_default();
            let fields = foreign_fields(id, check, &values, &chain)?;
            let entry_len = fields.bytes().len() as u32;
            let (entry_segment, entry_at, text_len) = (MEMORY, 0, 0);
            ledger.insert(
                id,
                Place {
                    vector_segment,
                    vector_index,
                    entry_segment,
                    entry_at,
                    entry_len,
                    text_len,
                },
            );
            foreign.insert(id, fields);
        }
        self.ledger = ledger;
        self.foreign = foreign;
        Ok(newest)
    }

    /// RECORDS segments that no other one replaced, oldest first.
    fn foreign_records(&self) -> Result<Sorted<(records::Head, Segment)>, Error> {
        let mut found: Sorted<(records::Head, Segment)> = Sorted::default();
        for segment in self.directory.of(RECORDS) {
            if segment.id > MAX_SEGMENT {
                return Err(Error::Unsupported("its segment ids are too large"));
            }
            let head = records::Head::read(&self.base(), segment)?;
            found.insert(u64::from(head.epoch) << 32 | segment.id, (head, *segment));
        }
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for (_, (head, _)) in found.iter() {
            let range = (head.since, head.epoch);
            if range.0 < range.1 && ranges.last() != Some(&range) {
                ranges.push(range);
            }
        }
        found.retain(|_, (head, _)| {
            !ranges.iter().any(|&(since, epoch)| (since..epoch).contains(&head.epoch))
        });
        Ok(found)
    }
}

/// The entry of a record that another program wrote.
fn foreign_fields(
    id: u64,
    check: u32,
    values: &Sorted<alloc::string::String>,
    chain: &Chain,
) -> Result<Fields, Error> {
    let (mut kind, mut session, mut created) = ("", "", 0);
    let mut metadata: Vec<(&str, &str)> = Vec::new();
    let mut all = 0;
    for (field, value) in values.iter() {
        match chain.name(field) {
            "kind" if value.len() <= crate::record::MAX_KIND => kind = value,
            "session" if value.len() <= crate::record::MAX_SESSION => session = value,
            "created" if value.parse::<u64>().is_ok() => created = value.parse().unwrap_or(0),
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
    let mut fields = Fields::parse(&bytes).ok_or(Error::Record("its metadata"))?;
    fields.set_vector_check(check);
    Ok(fields)
}

/// Dimension and count in the head of a VEC payload.
fn vec_head(source: &Source<'_>, offset: u64) -> Result<Option<(u16, u32)>, Error> {
    let bytes = source.bytes(offset, 6)?;
    let mut reader = Reader(&bytes);
    Ok(reader.u16().zip(reader.u32()))
}

const _: () = assert!(JOURNAL > MEMORY && MEMORY as u64 > MAX_SEGMENT);
