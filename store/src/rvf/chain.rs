//! Reading META segments that another program wrote: a snapshot and the deltas behind it. The
//! layout is drawn in `meta`.
//!
//! Why: metadata here is text, so each value becomes one. Only records that have no entry
//! of ours are kept, as the mirror of an entry says nothing new.
//!
//! What it must never do: allocate by a count that stands in a segment, or refuse one for a
//! value that is too long: it is left out.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::meta::{FOOTER, MAGIC};
use super::segment::Segment;
use crate::DamageKind;
use crate::error::Fault;
use crate::sorted::Sorted;
use crate::source::{BUFFER, Source, Stream};
use crate::wire::Reader;

/// What another writer said of a record: names and values as text.
pub(crate) type Foreign = Sorted<Sorted<String>>;

/// Metadata of a chain of segments.
#[derive(Default)]
pub(crate) struct Chain {
    pub(crate) records: Foreign,
    /// 1 for an id that was deleted, and that nothing is said of since.
    deleted: Sorted<u64>,
    names: Sorted<String>,
}

impl Chain {
    /// Reads the segments that count, oldest first: from the newest snapshot on. What it says of a
    /// record is kept where its id comes with true; ids rise, and others are left out.
    pub(crate) fn read(
        source: &Source<'_>,
        segments: &[Segment],
        ids: &mut dyn Iterator<Item = (u64, bool)>,
    ) -> Result<Self, Fault> {
        let mut from = 0;
        for (i, segment) in segments.iter().enumerate() {
            let head = source.bytes(segment.start(), 12)?;
            if head.get(..8) != Some(MAGIC) {
                return Err(DamageKind::Meta.at(segment.offset));
            }
            if head.get(10).is_some_and(|flags| flags & 1 != 0) {
                from = i;
            }
        }
        let mut chain = Self::default();
        for (id, wanted) in ids {
            chain.deleted.insert(id, 0);
            if wanted {
                chain.records.insert(id, Sorted::default());
            }
        }
        for segment in &segments[from..] {
            chain.segment(source, segment)?;
        }
        Ok(chain)
    }

    fn segment(&mut self, source: &Source<'_>, segment: &Segment) -> Result<(), Fault> {
        let end = segment.payload_end().saturating_sub(FOOTER);
        let mut stream = source.stream(segment.start(), end, (DamageKind::Meta, segment.offset));
        let mut head = Reader::new(&stream.take(40)?[28..]);
        let (schema, pairs, records) = (head.u32(), head.u32(), head.u32());
        for _ in 0..schema {
            let mut entry = Reader::new(stream.take(6)?);
            let (field, _, len) = (entry.u16(), entry.u16(), entry.u16());
            let name = text(&mut stream, len.into())?;
            // rvf-runtime calls every field "field." and its number, also one that has a name.
            if !self.names.contains(field.into()) || !name.starts_with("field.") {
                self.names.insert(field.into(), name);
            }
        }
        for _ in 0..pairs {
            let len = number(&mut stream, 2)?;
            if !stream.skip(len) {
                return Err(stream.damaged());
            }
            value(&mut stream)?;
        }
        for _ in 0..records {
            let mut record = Reader::new(stream.take(13)?);
            let (id, what, count) = (record.u64(), record.u8(), record.u32());
            let mut fields = self.records.get_mut(id);
            if let Some(deleted) = self.deleted.get_mut(id) {
                *deleted = u64::from(what == 1);
            }
            if what == 1 {
                fields.map(core::mem::take);
                continue;
            }
            for _ in 0..count {
                let field = number(&mut stream, 2)?;
                let value = value(&mut stream)?;
                let Some(fields) = &mut fields else { continue };
                match value {
                    Some(text) => drop(fields.insert(field, text)),
                    None => drop(fields.remove(field)),
                }
            }
        }
        Ok(())
    }

    /// Whether the last that is said of a record is that it was deleted.
    pub(crate) fn deletes(&self, id: u64) -> bool {
        self.deleted.get(id) == Some(&1)
    }

    /// The name of a field.
    pub(crate) fn name(&self, field: u64) -> &str {
        self.names.get(field).map_or("", |name| name)
    }
}

/// The number in the next `len` bytes.
fn number(stream: &mut Stream<'_>, len: usize) -> Result<u64, Fault> {
    Ok(Reader::new(stream.take(len)?).number(len))
}

/// The text in the next `len` bytes.
fn text(stream: &mut Stream<'_>, len: usize) -> Result<String, Fault> {
    let text = String::from_utf8(stream.take(len)?.to_vec());
    text.map_err(|_| stream.damaged())
}

/// Reads a value, as text; none for one that is null or removed. One that is too long to be
/// metadata here is left out.
fn value(stream: &mut Stream<'_>) -> Result<Option<String>, Fault> {
    let tag = number(stream, 1)?;
    if matches!(tag, 1 | 2) {
        let len = number(stream, 4)? as usize;
        if len > BUFFER {
            return if stream.skip(len as u64) { Ok(None) } else { Err(stream.damaged()) };
        }
        return match tag {
            1 => text(stream, len).map(Some),
            _ => Ok(Some(hexadecimal(stream.take(len)?))),
        };
    }
    Ok(Some(match tag {
        0 | 7 => return Ok(None),
        3..=5 => {
            let number = number(stream, 8)?;
            match tag {
                3 if (number as i64) < 0 => decimal(true, number.wrapping_neg()),
                5 => thousandths(f64::from_bits(number)),
                _ => decimal(false, number),
            }
        }
        6 => if number(stream, 1)? == 0 { "false" } else { "true" }.to_string(),
        _ => return Err(stream.damaged()),
    }))
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    bytes.iter().flat_map(|&byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn decimal(negative: bool, mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(b'0' + (number % 10) as u8);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    let sign = if negative { "-" } else { "" };
    sign.chars().chain(digits.into_iter().rev().map(char::from)).collect()
}

/// A number to three places: formatting in full would bring kilobytes of code for a value that
/// is shown, not computed with.
fn thousandths(number: f64) -> String {
    let scaled = if number < 0.0 { -number } else { number } * 1000.0 + 0.5;
    let scaled = scaled as u64;
    let mut text = decimal(number < 0.0, scaled / 1000);
    let part = decimal(false, 1000 + scaled % 1000);
    text.push('.');
    text.push_str(&part[1..]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rvf::meta;
    use crate::rvf::segment::{self, META};
    use crate::storage::Storage;
    use crate::storage::simulated::SimulatedDisk;
    use crate::wire::Put;

    #[test]
    #[cfg_attr(miri, ignore = "many records, which an interpreter reads for hours")]
    fn ids_may_fall() {
        const COUNT: u64 = 200_000;
        let mut records = Vec::new();
        for id in (0..COUNT).rev() {
            records.u64(id);
            records.push(0);
            records.u32(1);
            records.u16(1);
            records.push(4);
            records.u64(id);
        }
        let payload = meta::encode(1, COUNT as u32, &records);
        let disk = SimulatedDisk::new(0);
        disk.put("a", segment::encode(META, 1, payload.clone()));
        let source = Source { storage: &disk, file: disk.open("a").unwrap() };
        let segment = Segment { id: 1, offset: 0, payload: payload.len() as u64, kind: META };
        let mut ids = (0..COUNT).map(|id| (id, id != 7));
        let chain = Chain::read(&source, &[segment], &mut ids).unwrap();
        let number = |id| chain.records.get(id).and_then(|fields| fields.get(1));
        assert_eq!(number(199_999), Some(&"199999".to_string()));
        assert_eq!((number(7), chain.records.len() as u64), (None, COUNT - 1));
    }

    #[test]
    fn numbers_become_text() {
        assert_eq!(decimal(false, 0), "0");
        assert_eq!(decimal(true, 120), "-120");
        assert_eq!(decimal(false, u64::MAX), "18446744073709551615");
        assert_eq!(thousandths(-2.5), "-2.500");
        assert_eq!(thousandths(0.0005), "0.001");
        assert_eq!(thousandths(f64::MAX), "18446744073709551.615");
        assert_eq!(hexadecimal(&[0, 255, 16]), "00ff10");
    }
}
