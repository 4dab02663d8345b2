//! Reading META segments that another program wrote: a snapshot and the deltas behind it. The
//! layout is drawn in `meta`.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::meta::{FOOTER, MAGIC};
use super::segment::Segment;
use crate::DamageKind;
use crate::error::Fault;
use crate::sorted::Sorted;
use crate::source::{BUFFER, Source, Stream};
use crate::wire::{Reader, u64_at};

/// What another writer said of a record: names and values as text.
pub(crate) type Foreign = Sorted<Sorted<String>>;

/// Metadata of a chain of segments.
#[derive(Default)]
pub(crate) struct Chain {
    pub(crate) records: Foreign,
    names: Sorted<String>,
}

impl Chain {
    /// Reads the segments that count, oldest first: from the newest snapshot on. Records for
    /// which `wanted` says no are left out.
    pub(crate) fn read(
        source: &Source<'_>,
        segments: &[Segment],
        wanted: &dyn Fn(u64) -> bool,
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
        for segment in &segments[from..] {
            chain
                .segment(source, segment, wanted)?
                .ok_or_else(|| DamageKind::Meta.at(segment.offset))?;
        }
        Ok(chain)
    }

    fn segment(
        &mut self,
        source: &Source<'_>,
        segment: &Segment,
        wanted: &dyn Fn(u64) -> bool,
    ) -> Result<Option<()>, Fault> {
        let Some(end) = segment.payload_end().checked_sub(FOOTER) else { return Ok(None) };
        let mut stream = source.stream(segment.start(), end);
        let Some(head) = stream.take(40)? else { return Ok(None) };
        let mut head = Reader::new(&head[28..]);
        let (schema, pairs, records) = (head.u32(), head.u32(), head.u32());
        for _ in 0..schema {
            let Some(entry) = stream.take(6)? else { return Ok(None) };
            let mut entry = Reader::new(entry);
            let (field, _, len) = (entry.u16(), entry.u16(), entry.u16());
            let Some(name) = stream.take(len.into())? else { return Ok(None) };
            // rvf-runtime calls every field "field." and its number, also one that has a name.
            let known = self.names.contains(field.into()) && name.starts_with(b"field.");
            match core::str::from_utf8(name) {
                Ok(name) if !known => drop(self.names.insert(field.into(), name.to_string())),
                Ok(_) => {}
                Err(_) => return Ok(None),
            }
        }
        for _ in 0..pairs {
            let Some(len) = number(&mut stream, 2)? else { return Ok(None) };
            if !stream.skip(len) || value(&mut stream)?.is_none() {
                return Ok(None);
            }
        }
        for _ in 0..records {
            let Some(record) = stream.take(13)? else { return Ok(None) };
            let mut record = Reader::new(record);
            let (id, what, count) = (record.u64(), record.u8(), record.u32());
            if what == 1 {
                self.records.remove(id);
                continue;
            }
            let keep = wanted(id);
            if keep && !self.records.contains(id) {
                self.records.insert(id, Sorted::default());
            }
            let mut fields = self.records.get_mut(id);
            for _ in 0..count {
                let Some(field) = number(&mut stream, 2)? else { return Ok(None) };
                let Some(value) = value(&mut stream)? else { return Ok(None) };
                let Some(fields) = &mut fields else { continue };
                match value {
                    Value::Text(text) => drop(fields.insert(field, text)),
                    Value::Null | Value::Removed => drop(fields.remove(field)),
                }
            }
        }
        Ok(Some(()))
    }

    /// The name of a field.
    pub(crate) fn name(&self, field: u64) -> &str {
        self.names.get(field).map_or("", |name| name)
    }
}

enum Value {
    Text(String),
    Null,
    Removed,
}

/// The number in the next `len` bytes.
fn number(stream: &mut Stream<'_>, len: usize) -> Result<Option<u64>, Fault> {
    Ok(stream.take(len)?.map(|bytes| Reader::new(bytes).number(len)))
}

/// Reads a value, as text. One that is too long to be metadata here is left out.
fn value(stream: &mut Stream<'_>) -> Result<Option<Value>, Fault> {
    let Some(&[tag]) = stream.take(1)? else { return Ok(None) };
    let len = match tag {
        0 => return Ok(Some(Value::Null)),
        7 => return Ok(Some(Value::Removed)),
        1 | 2 => match number(stream, 4)? {
            Some(len) => len as usize,
            None => return Ok(None),
        },
        3..=5 => 8,
        6 => 1,
        _ => return Ok(None),
    };
    if len > BUFFER {
        return Ok(stream.skip(len as u64).then_some(Value::Null));
    }
    let Some(bytes) = stream.take(len)? else { return Ok(None) };
    let number = u64_at(bytes, 0);
    let text = match tag {
        1 => match core::str::from_utf8(bytes) {
            Ok(text) => text.to_string(),
            Err(_) => return Ok(None),
        },
        2 => hexadecimal(bytes),
        3 if (number as i64) < 0 => decimal(true, number.wrapping_neg()),
        3 | 4 => decimal(false, number),
        5 => thousandths(f64::from_bits(number)),
        _ => if bytes == [0] { "false" } else { "true" }.to_string(),
    };
    Ok(Some(Value::Text(text)))
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
