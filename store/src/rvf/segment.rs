//! Segments: a header of 64 bytes, a payload, zeros up to the next multiple of 64.
//!
//! ```text
//!  0 magic 0x52564653   4 version 1   5 type        6 flags u16
//!  8 id u64             16 payload bytes u64        24 time u64
//! 32 checksum           33 compression              34 zeros, 6
//! 40 hash[16] of the payload                        56 uncompressed u32   60 padding u32
//! ```
//!
//! Those that we write have zeros in place of flags, time (the store has no clock), compression
//! and what follows from it: so each bit of a header can be checked.
//!
//! What it must never do: write what does not follow from type, id and payload, as a header is
//! checked by making it anew; or hold a payload to check it: those of others may be of any
//! size.

use alloc::vec::Vec;

use crate::DamageKind;
use crate::crc;
use crate::error::Fault;
use crate::source::{BUFFER, Source};
use crate::wire::{set_u32, set_u64, u32_at, u64_at};
use crate::xxh3::{Xxh3, xxh3};

/// Bytes of a header, and what every segment begins at a multiple of.
pub(crate) const HEADER: usize = 64;
/// Most bytes of a payload that is written here.
pub(crate) const MAX_PAYLOAD: usize = 1 << 20;
/// First bytes of every segment.
pub(crate) const MAGIC: u32 = 0x5256_4653;
/// The one version of segments.
pub(crate) const VERSION: u8 = 1;

/// Vectors and their ids.
pub(crate) const VEC: u8 = 0x01;
/// Which segments count.
pub(crate) const MANIFEST: u8 = 0x05;
/// Metadata as other readers know it.
pub(crate) const META: u8 = 0x07;
/// Ours: entries. A type that `rvf_types::SegmentType` leaves free.
pub(crate) const RECORDS: u8 = 0x50;
/// Ours: texts.
pub(crate) const TEXT: u8 = 0x51;

const XXH3_128: u8 = 1;

/// A segment and where it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) id: u64,
    pub(crate) offset: u64,
    pub(crate) payload: u64,
    pub(crate) kind: u8,
}

/// `len` rounded up to where the next segment begins.
pub(crate) const fn padded(len: u64) -> u64 {
    len.saturating_add(63) & !63
}

impl Segment {
    /// Where the payload begins.
    pub(crate) const fn start(&self) -> u64 {
        self.offset.saturating_add(HEADER as u64)
    }

    /// Where the payload ends.
    #[inline(never)]
    pub(crate) const fn payload_end(&self) -> u64 {
        self.start().saturating_add(self.payload)
    }

    /// Where the next segment begins.
    #[inline(never)]
    pub(crate) const fn end(&self) -> u64 {
        padded(self.payload_end())
    }

    /// The segment whose header `bytes` are; where they are none, one of no kind.
    #[inline(never)]
    pub(crate) fn parse(bytes: &[u8], offset: u64) -> Self {
        let sound = bytes.len() >= HEADER && u32_at(bytes, 0) == MAGIC && bytes[4] == VERSION;
        if !sound {
            return Self::default();
        }
        Segment { id: u64_at(bytes, 8), offset, payload: u64_at(bytes, 16), kind: bytes[5] }
    }

    /// Whether the segment is what was written: its header, its payload by its hash and, with
    /// `strict`, what we write as zeros in the header.
    pub(crate) fn verify(&self, source: &Source<'_>, strict: bool) -> Result<bool, Fault> {
        let mut header = [0; HEADER];
        if !source.read(self.offset, &mut header)? || Self::parse(&header, self.offset) != *self {
            return Ok(false);
        }
        let (algorithm, compression) = (header[32], header[33]);
        if !strict && (compression != 0 || algorithm > XXH3_128) {
            return Err(Fault::unsupported("its segments are compressed or signed"));
        }
        let damage = (DamageKind::Segment, self.offset);
        let mut stream = source.stream(self.start(), self.payload_end(), damage);
        let mut hash = Xxh3::new(self.payload);
        let mut crc = 0;
        while stream.left() > 0 {
            let len = stream.left().min(BUFFER as u64) as usize;
            let bytes = stream.peek(len)?;
            if bytes.len() < len {
                return Ok(false);
            }
            hash.update(bytes);
            if algorithm == 0 {
                crc = crc::update(crc, bytes);
            }
            stream.skip(len as u64);
        }
        let (hash, written) = (hash.finish(), &header[40..56]);
        if strict {
            return Ok(self.header(&hash) == header);
        }
        let sound = hash == written
            || algorithm == 0
                && (0..4).all(|i| u32_at(written, i * 4) == crc.rotate_left(i as u32 * 8));
        Ok(sound)
    }

    /// Whether zeros stand behind the payload.
    pub(crate) fn is_padded(&self, source: &Source<'_>) -> Result<bool, Fault> {
        let len = (self.end() - self.payload_end()) as usize;
        let padding = source.bytes(self.payload_end(), len)?;
        Ok(padding.len() == len && padding.iter().all(|&byte| byte == 0))
    }

    /// The header as we write it.
    fn header(&self, hash: &[u8; 16]) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        set_u32(&mut header, 0, MAGIC);
        (header[4], header[5]) = (VERSION, self.kind);
        set_u64(&mut header, 8, self.id);
        set_u64(&mut header, 16, self.payload);
        header[32] = XXH3_128;
        header[40..56].copy_from_slice(hash);
        set_u32(&mut header, 60, (self.end() - self.payload_end()) as u32);
        header
    }

    /// [`verify`](Self::verify), as damage of `kind`.
    pub(crate) fn expect(
        &self,
        source: &Source<'_>,
        strict: bool,
        kind: DamageKind,
    ) -> Result<(), Fault> {
        match self.verify(source, strict)? {
            true => Ok(()),
            false => Err(kind.at(self.offset)),
        }
    }
}

/// A segment as bytes: its header, `payload` and the padding. The payload moves up where it is: a
/// second block of so many bytes may not be there.
pub(crate) fn encode(kind: u8, id: u64, mut payload: Vec<u8>) -> Vec<u8> {
    let len = payload.len();
    let segment = Segment { id, offset: 0, payload: len as u64, kind };
    let header = segment.header(&xxh3(&payload));
    let all = segment.end() as usize;
    payload.reserve_exact(all - len);
    payload.resize(all, 0);
    payload.copy_within(..len, HEADER);
    payload[..HEADER].copy_from_slice(&header);
    payload
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Storage;
    use crate::storage::simulated::SimulatedDisk;

    #[test]
    fn numbers_are_those_of_rvf_types() {
        assert_eq!(MAGIC, rvf_types::SEGMENT_MAGIC);
        assert_eq!(VERSION, rvf_types::SEGMENT_VERSION);
        assert_eq!(HEADER, rvf_types::SEGMENT_HEADER_SIZE);
        assert_eq!(padded(1), rvf_types::SEGMENT_ALIGNMENT as u64);
        assert_eq!(VEC, rvf_types::SegmentType::Vec as u8);
        assert_eq!(MANIFEST, rvf_types::SegmentType::Manifest as u8);
        assert_eq!(META, rvf_types::SegmentType::Meta as u8);
        for ours in [RECORDS, TEXT] {
            assert_eq!(rvf_types::SegmentType::try_from(ours), Err(ours), "free");
        }
    }

    #[test]
    fn every_bit_of_a_segment_counts() {
        let bytes = encode(TEXT, 9, b"tea at five".to_vec());
        assert_eq!(bytes.len() % 64, 0);
        let segment = Segment { id: 9, offset: 0, payload: 11, kind: TEXT };
        assert_eq!(segment.end(), bytes.len() as u64);
        let check = |bytes: &[u8]| {
            let disk = SimulatedDisk::new(0);
            disk.put("a", bytes.to_vec());
            let file = disk.open("a").unwrap();
            let source = Source { storage: &disk, file };
            Ok::<bool, Fault>(segment.verify(&source, true)? && segment.is_padded(&source)?)
        };
        assert_eq!(check(&bytes), Ok(true));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(check(&flipped), Ok(true), "bit {bit}");
        }
    }

    #[test]
    fn the_checksum_of_older_files_is_known() {
        let mut bytes = encode(TEXT, 9, b"123456789".to_vec());
        bytes[32] = 0;
        for i in 0..4 {
            let rotated = 0xCBF4_3926_u32.rotate_left(i as u32 * 8);
            bytes[40 + i * 4..][..4].copy_from_slice(&rotated.to_le_bytes());
        }
        let disk = SimulatedDisk::new(0);
        disk.put("a", bytes);
        let source = Source { storage: &disk, file: disk.open("a").unwrap() };
        let segment = Segment { id: 9, offset: 0, payload: 9, kind: TEXT };
        assert_eq!(segment.verify(&source, false), Ok(true));
    }
}
