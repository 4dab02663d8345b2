//! META segments: metadata as `rvf_types::metadata` has it, a mirror of our entries for other
//! readers. The layout stands here, reading it in `chain`.
//!
//! ```text
//! "RVFMETA\0", version u16: 1, flags u16: 1 snapshot
//! generation u64, base generation u64 (all ones for a snapshot)
//! schema u32, file pairs u32, records u32: how many
//! schema:     field u16, type u8, may be null u8, name bytes u16, name
//! file pairs: key bytes u16, key, value
//! records:    id u64, what u8: 0 fields 1 removal, fields u32, then (field u16, value)
//! value:      0 null   1 string, 2 bytes: u32, bytes   3 i64   4 u64   5 f64   6 bool u8
//!             7 removed
//! "RVFDONE\0", SHA-256 of all before
//! ```
//!
//! The marks between keys and values are not escaped, as what is here is for others to look
//! at: pairs cannot be told from it for certain.
//!
//! What it must never do: count for a record that has an entry.

use alloc::vec::Vec;

use crate::record::Fields;
use crate::sha256::sha256;
use crate::wire::Put;

pub(crate) const MAGIC: &[u8; 8] = b"RVFMETA\0";
const DONE: &[u8; 8] = b"RVFDONE\0";
pub(crate) const FOOTER: u64 = 40;
const NO_BASE: u64 = u64::MAX;

/// The fields of the mirror, 1 to 3: number, type, may be null, and the name with its length.
const SCHEMA: &[u8] =
    b"\x01\0\x01\x01\x04\0kind\x02\0\x01\x01\x07\0session\x03\0\x01\x01\x08\0metadata";
const STRING: u8 = 1;
/// Between a key and its value, and behind each pair.
const UNIT: u8 = 0x1F;
const RECORD: u8 = 0x1E;

/// Bytes before the records of a mirror: all that is needed to know when it is full.
pub(crate) const OVERHEAD: usize = 40 + SCHEMA.len() + FOOTER as usize;

/// Appends the mirror of a record. What is empty is null, as another reader would keep the value
/// of an earlier version; or left out of a `first` version.
pub(crate) fn put_record(fields: &Fields, first: bool, out: &mut Vec<u8>) {
    let mut pairs = Vec::new();
    for (key, value) in fields.metadata() {
        pairs.bytes(key.as_bytes());
        pairs.push(UNIT);
        pairs.bytes(value.as_bytes());
        pairs.push(RECORD);
    }
    let texts = [fields.kind().as_bytes(), fields.session().as_bytes(), &pairs];
    out.u64(fields.id());
    out.push(0);
    let count = out.len();
    out.u32(0);
    for (field, text) in (1..).zip(texts) {
        if text.is_empty() && first {
            continue;
        }
        out[count] += 1;
        out.u16(field);
        if text.is_empty() {
            out.push(0);
            continue;
        }
        out.push(STRING);
        out.u32(text.len() as u32);
        out.bytes(text);
    }
}

/// Appends the removal of a record.
pub(crate) fn put_removal(id: u64, out: &mut Vec<u8>) {
    out.u64(id);
    out.push(1);
    out.u32(0);
}

/// The payload of the META of `generation` (from 1 on; the first is a snapshot) with `count`
/// records, their ids rising.
pub(crate) fn encode(generation: u64, count: u32, records: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(OVERHEAD + records.len());
    out.bytes(MAGIC);
    out.u16(1);
    out.u16(u16::from(generation == 1));
    out.u64(generation);
    out.u64(if generation == 1 { NO_BASE } else { generation - 1 });
    out.u32(3);
    out.u32(0);
    out.u32(count);
    out.bytes(SCHEMA);
    out.bytes(records);
    let digest = sha256(&out);
    out.bytes(DONE);
    out.bytes(&digest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Record;
    use rvf_types::metadata::{MetadataRecordOp, MetadataSegment, MetadataValue};
    use std::vec;

    fn fields(id: u64, metadata: &[(&str, &str)]) -> Fields {
        let record = Record {
            id,
            vector: &[1.0],
            text: "",
            kind: "fact",
            session: "",
            created: 9,
            last_used: 0,
            uses: 0,
            importance: 0.0,
            pinned: false,
            metadata,
        };
        let mut bytes = vec![];
        record.encode(1, &mut bytes).unwrap();
        Fields::parse(&bytes).unwrap()
    }

    #[test]
    fn rvf_types_reads_the_mirror() {
        let mut records = vec![];
        put_record(&fields(3, &[("a", "b"), ("c", "")]), false, &mut records);
        put_record(&fields(4, &[]), true, &mut records);
        put_removal(5, &mut records);
        for generation in [1, 2] {
            let payload = encode(generation, 3, &records);
            assert_eq!(payload.len(), OVERHEAD + records.len());
            let segment = MetadataSegment::decode(&payload).unwrap();
            assert_eq!(segment.generation, generation);
            assert_eq!(segment.full_snapshot, generation == 1);
            let names: Vec<_> = segment.schema.iter().map(|entry| entry.name.as_str()).collect();
            assert_eq!(names, ["kind", "session", "metadata"]);
            let MetadataRecordOp::Upsert(found) = &segment.records[0].operation else { panic!() };
            assert_eq!(
                *found,
                [
                    (1, MetadataValue::String("fact".into())),
                    (2, MetadataValue::Null),
                    (3, MetadataValue::String("a\u{1f}b\u{1e}c\u{1f}\u{1e}".into())),
                ]
            );
            let MetadataRecordOp::Upsert(found) = &segment.records[1].operation else { panic!() };
            assert_eq!(*found, [(1, MetadataValue::String("fact".into()))]);
            assert_eq!(segment.records[2].operation, MetadataRecordOp::DeleteRecord);
        }
    }
}
