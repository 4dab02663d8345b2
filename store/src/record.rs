//! A record, and its one binary encoding.
//!
//! The same bytes, called an entry, stand in the journal and in RECORDS segments; the vector and
//! the text stand beside them, and the entry has their checks:
//!
//! ```text
//!  0  bytes u32, of the whole entry
//!  4  what u8: 1 record, 2 removal     5  flags u8: bit 0 pinned     6  pairs u16
//!  8  check u32: low half of XXH64 of bytes 12 to the end, seeded with bytes 0 to 7
//! 12  times used u32                   16  id u64
//! 24  check of the vector u32          28  check of the text u32
//! 32  VEC segment u32, its id          36  which vector of it u32
//! 40  TEXT segment u32, its id         44  where in its payload u32
//! 48  bytes of the text u32            52  created u64, ms
//! 60  last used u64, ms                68  importance f32
//! 72  kind bytes u16                   74  session bytes u16
//! 76  kind, session, then for each pair: key bytes u16, value bytes u16, key, value
//! ```
//!
//! What an entry must never do: be given out before its check was made.

use alloc::vec::Vec;

use xxhash_rust::xxh64::xxh64;

use crate::error::Fault;
use crate::wire::{Put, Reader, set_u32, set_u64, u32_at, u64_at};
use crate::{Error, Part};

/// Most components of a vector.
pub const MAX_DIM: usize = 8192;
/// Most bytes of a text.
pub const MAX_TEXT: usize = 1 << 20;
/// Most bytes of a kind.
pub const MAX_KIND: usize = 255;
/// Most bytes of a session's name.
pub const MAX_SESSION: usize = 1024;
/// Most pairs of metadata.
pub const MAX_PAIRS: usize = 256;
/// Most bytes of a metadata key.
pub const MAX_KEY: usize = 255;
/// Most bytes of a metadata value.
pub const MAX_VALUE: usize = 4096;
/// Most bytes of all keys and values of a record.
pub const MAX_METADATA: usize = 65_536;

/// Bytes of an entry before its strings: all of a removal.
pub(crate) const FIXED: usize = 76;
/// Most bytes of an entry.
pub(crate) const MAX_ENTRY: usize = FIXED + MAX_KIND + MAX_SESSION + MAX_METADATA + 4 * MAX_PAIRS;

const RECORD: u8 = 1;
const REMOVAL: u8 = 2;
const PINNED: u8 = 1;
const CHECK: usize = 8;

/// A record as the caller gives it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Record<'a> {
    /// The caller's id.
    pub id: u64,
    /// As many components as the file's dimension, all finite.
    pub vector: &'a [f32],
    /// At most [`MAX_TEXT`] bytes; may be empty.
    pub text: &'a str,
    /// What sort of record it is, at most [`MAX_KIND`] bytes.
    pub kind: &'a str,
    /// The session that it comes from, at most [`MAX_SESSION`] bytes.
    pub session: &'a str,
    /// When it was made, ms.
    pub created: u64,
    /// When it was last used, ms.
    pub last_used: u64,
    /// How many times it was used.
    pub uses: u32,
    /// 0 to 1.
    pub importance: f32,
    /// Never forgotten by a policy.
    pub pinned: bool,
    /// Keys and values, in any order, each key once.
    pub metadata: &'a [(&'a str, &'a str)],
}

/// Where the parts of a record lie that are not in its entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) vector_segment: u32,
    pub(crate) vector_index: u32,
    pub(crate) text_segment: u32,
    pub(crate) text_at: u32,
}

/// The check of a vector's or a text's bytes.
pub(crate) fn part_check(id: u64, bytes: &[u8]) -> u32 {
    xxh64(bytes, id) as u32
}

fn at_most(part: Part, limit: usize, found: usize) -> Result<(), Fault> {
    match found <= limit {
        true => Ok(()),
        false => Err(Error::Limit { part, limit: limit as u32, found: found as u32 }.into()),
    }
}

/// Appends `vector` as it stands in a file.
pub(crate) fn put_vector(vector: &[f32], out: &mut Vec<u8>) {
    out.reserve(vector.len() * 4);
    for component in vector {
        out.bytes(&component.to_le_bytes());
    }
}

/// Reads a vector as it stands in a file; both sides have the same length.
pub(crate) fn get_vector(bytes: &[u8], out: &mut [f32]) {
    for (component, bytes) in out.iter_mut().zip(bytes.chunks_exact(4)) {
        *component = f32::from_bits(u32_at(bytes, 0));
    }
}

#[cfg(test)]
impl Record<'static> {
    /// One component, and nothing else known.
    pub(crate) const PLAIN: Self = Self {
        id: 0,
        vector: &[1.0],
        text: "",
        kind: "",
        session: "",
        created: 0,
        last_used: 0,
        uses: 0,
        importance: 0.0,
        pinned: false,
        metadata: &[],
    };
}

impl Record<'_> {
    /// Whether it is within its limits, but for its metadata's keys.
    pub(crate) fn check(&self, dim: usize) -> Result<(), Fault> {
        if self.vector.len() != dim {
            let found = self.vector.len() as u32;
            return Err(Error::Dimension { expected: dim as u32, found }.into());
        }
        if let Some(index) = self.vector.iter().position(|component| !component.is_finite()) {
            return Err(Error::NotFinite { index: index as u32 }.into());
        }
        if !(0.0..=1.0).contains(&self.importance) {
            return Err(Error::Record("importance must be from 0 to 1").into());
        }
        at_most(Part::Text, MAX_TEXT, self.text.len())?;
        at_most(Part::Kind, MAX_KIND, self.kind.len())?;
        at_most(Part::Session, MAX_SESSION, self.session.len())?;
        at_most(Part::Pairs, MAX_PAIRS, self.metadata.len())?;
        let mut all = 0;
        for (key, value) in self.metadata {
            at_most(Part::Key, MAX_KEY, key.len())?;
            at_most(Part::Value, MAX_VALUE, value.len())?;
            all += key.len() + value.len();
        }
        at_most(Part::Metadata, MAX_METADATA, all)
    }

    /// Metadata by rising keys. Each is looked for among all: they are few, and a sort would bring
    /// two kilobytes into the module.
    pub(crate) fn sorted_pairs(&self) -> Result<Vec<(&str, &str)>, Fault> {
        let mut sorted = Vec::with_capacity(self.metadata.len());
        let mut last = None;
        while let Some(&next) =
            self.metadata.iter().filter(|pair| last < Some(pair.0)).min_by_key(|pair| pair.0)
        {
            last = Some(next.0);
            sorted.push(next);
        }
        match sorted.len() == self.metadata.len() {
            true => Ok(sorted),
            false => Err(Error::Record("a key of its metadata stands twice").into()),
        }
    }

    /// Bytes that it takes at most, encoded.
    pub(crate) fn bytes(&self) -> usize {
        let pair = |(key, value): &(&str, &str)| 4 + key.len() + value.len();
        let pairs: usize = self.metadata.iter().map(pair).sum();
        FIXED
            + 4 * self.vector.len()
            + self.text.len()
            + self.kind.len()
            + self.session.len()
            + pairs
    }

    /// Appends the entry, the vector and the text. Nothing is appended on an error.
    pub(crate) fn encode(&self, dim: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
        self.check(dim)?;
        let pairs = self.sorted_pairs()?;
        let mut vector = Vec::new();
        put_vector(self.vector, &mut vector);
        let start = out.len();
        out.u32(0);
        out.push(RECORD);
        out.push(if self.pinned { PINNED } else { 0 });
        out.u16(pairs.len() as u16);
        out.u32(0);
        out.u32(self.uses);
        out.u64(self.id);
        out.u32(part_check(self.id, &vector));
        out.u32(part_check(self.id, self.text.as_bytes()));
        out.bytes(&[0; 16]);
        out.u32(self.text.len() as u32);
        out.u64(self.created);
        out.u64(self.last_used);
        out.u32(self.importance.to_bits());
        out.u16(self.kind.len() as u16);
        out.u16(self.session.len() as u16);
        out.bytes(self.kind.as_bytes());
        out.bytes(self.session.as_bytes());
        for (key, value) in pairs {
            out.u16(key.len() as u16);
            out.u16(value.len() as u16);
            out.bytes(key.as_bytes());
            out.bytes(value.as_bytes());
        }
        seal(&mut out[start..]);
        out.bytes(&vector);
        out.bytes(self.text.as_bytes());
        Ok(())
    }
}

/// Writes length and check of an entry.
fn seal(entry: &mut [u8]) {
    set_u32(entry, 0, entry.len() as u32);
    let check = check_of(entry);
    set_u32(entry, CHECK, check);
}

fn check_of(entry: &[u8]) -> u32 {
    xxh64(entry.get(CHECK + 4..).unwrap_or_default(), u64_at(entry, 0)) as u32
}

/// Appends the entry of a removal.
pub(crate) fn put_removal(id: u64, out: &mut Vec<u8>) {
    let start = out.len();
    out.bytes(&[0; FIXED]);
    out[start + 4] = REMOVAL;
    set_u64(out, start + 16, id);
    seal(&mut out[start..]);
}

/// The fields of a stored record: everything but its vector and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    pub(crate) bytes: Vec<u8>,
}

/// Bytes of the entry that `bytes` begin with, as it says itself.
pub(crate) fn entry_len(bytes: &[u8]) -> Option<usize> {
    let len = u32_at(bytes, 0) as usize;
    (FIXED..=MAX_ENTRY).contains(&len).then_some(len)
}

impl Fields {
    /// Of no record: what a record's are read into.
    pub(crate) const NONE: Self = Self { bytes: Vec::new() };

    /// Takes the entry that `bytes` begin with, after every check.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let fields = Self { bytes: bytes.get(..entry_len(bytes)?)?.to_vec() };
        fields.is_sound().then_some(fields)
    }

    /// Every check of an entry.
    #[inline(never)]
    pub(crate) fn is_sound(&self) -> bool {
        let bytes = &self.bytes;
        if entry_len(bytes) != Some(bytes.len()) || check_of(bytes) != u32_at(bytes, CHECK) {
            return false;
        }
        match bytes[4] {
            RECORD => self.is_record(),
            REMOVAL => bytes.len() == FIXED,
            _ => false,
        }
    }

    fn is_record(&self) -> bool {
        let importance = self.importance();
        let mut strings = self.strings();
        for len in [self.u16_at(72), self.u16_at(74)] {
            strings.text(len);
        }
        let mut last: Option<&str> = None;
        for _ in 0..self.pair_count() {
            let key = pair(&mut strings).0;
            if last.is_some_and(|last| last >= key) {
                return false;
            }
            last = Some(key);
        }
        strings.sound
            && strings.rest.is_empty()
            && (0.0..=1.0).contains(&importance)
            && self.text_len() as usize <= MAX_TEXT
            && self.bytes[5] & !PINNED == 0
    }

    /// Read with the two bytes before it: with those behind it, it could reach beyond the entry's end.
    fn u16_at(&self, at: usize) -> usize {
        (u32_at(&self.bytes, at - 2) >> 16) as usize
    }

    fn strings(&self) -> Reader<'_> {
        Reader::new(self.bytes.get(FIXED..).unwrap_or_default())
    }

    /// Whether this is a removal rather than a record.
    pub(crate) fn is_removal(&self) -> bool {
        self.bytes[4] == REMOVAL
    }

    /// The entry's bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The caller's id.
    #[must_use]
    pub fn id(&self) -> u64 {
        u64_at(&self.bytes, 16)
    }

    /// What sort of record it is.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.string(0).unwrap_or_default()
    }

    /// The session that it comes from.
    #[must_use]
    pub fn session(&self) -> &str {
        self.string(1).unwrap_or_default()
    }

    /// When it was made, ms.
    #[must_use]
    pub fn created(&self) -> u64 {
        u64_at(&self.bytes, 52)
    }

    /// When it was last used, ms.
    #[must_use]
    pub fn last_used(&self) -> u64 {
        u64_at(&self.bytes, 60)
    }

    /// How many times it was used.
    #[must_use]
    pub fn uses(&self) -> u32 {
        u32_at(&self.bytes, 12)
    }

    /// 0 to 1.
    #[must_use]
    pub fn importance(&self) -> f32 {
        f32::from_bits(u32_at(&self.bytes, 68))
    }

    /// Never forgotten by a policy.
    #[must_use]
    pub fn pinned(&self) -> bool {
        self.bytes[5] & PINNED != 0
    }

    /// Bytes of the text.
    #[must_use]
    pub fn text_len(&self) -> u32 {
        u32_at(&self.bytes, 48)
    }

    /// Its strings but the text, by number: the kind, the session, then key and value of each pair,
    /// keys rising.
    #[must_use]
    pub fn string(&self, at: usize) -> Option<&str> {
        if at / 2 > self.pair_count() {
            return None;
        }
        let mut strings = self.strings();
        let (mut first, mut second) = (self.u16_at(72), self.u16_at(74));
        for _ in 0..at / 2 {
            strings.take(first + second);
            (first, second) = (strings.u16().into(), strings.u16().into());
        }
        if at % 2 == 1 {
            strings.take(first);
            first = second;
        }
        Some(strings.text(first))
    }

    /// Pairs of metadata.
    #[must_use]
    pub fn pair_count(&self) -> usize {
        self.u16_at(6)
    }

    /// Keys and values, keys rising.
    pub fn metadata(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut strings = self.strings();
        strings.take(self.u16_at(72) + self.u16_at(74));
        (0..self.pair_count()).map(move |_| pair(&mut strings))
    }

    pub(crate) fn vector_check(&self) -> u32 {
        u32_at(&self.bytes, 24)
    }

    pub(crate) fn text_check(&self) -> u32 {
        u32_at(&self.bytes, 28)
    }

    pub(crate) fn parts(&self) -> Parts {
        Parts {
            vector_segment: u32_at(&self.bytes, 32),
            vector_index: u32_at(&self.bytes, 36),
            text_segment: u32_at(&self.bytes, 40),
            text_at: u32_at(&self.bytes, 44),
        }
    }

    /// The same entry with its parts elsewhere.
    pub(crate) fn set_parts(&mut self, parts: Parts) {
        set_u32(&mut self.bytes, 32, parts.vector_segment);
        set_u32(&mut self.bytes, 36, parts.vector_index);
        set_u32(&mut self.bytes, 40, parts.text_segment);
        set_u32(&mut self.bytes, 44, parts.text_at);
        seal(&mut self.bytes);
    }

    /// The same entry for another vector: another program wrote that one.
    #[cfg(feature = "foreign")]
    pub(crate) fn set_vector_check(&mut self, check: u32) {
        set_u32(&mut self.bytes, 24, check);
        seal(&mut self.bytes);
    }
}

/// Reads a key and its value.
fn pair<'a>(strings: &mut Reader<'a>) -> (&'a str, &'a str) {
    let (key, value) = (strings.u16(), strings.u16());
    (strings.text(key.into()), strings.text(value.into()))
}

#[cfg(test)]
mod tests;
