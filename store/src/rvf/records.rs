//! RECORDS segments: entries behind a header.
//!
//! ```text
//!  0 magic "CFRECS\0\1"   8 epoch u32   12 since u32   16 count u32   20 dim u16   22 zeros, 2
//! 24 entries
//! ```
//!
//! Why: of a base of ours opening reads these segments and no others, so that it takes time
//! by the records, not by their vectors and texts. `docs/format-file.md` says what `epoch` and
//! `since` are for.
//!
//! What it must never do: give out an entry whose own check is wrong, or one of a segment
//! whose hash is wrong unless that is to be salvaged.

use alloc::vec::Vec;

use super::segment::Segment;
use crate::DamageKind;
use crate::error::Fault;
use crate::record::{FIXED, Fields, MAX_ENTRY, entry_len};
use crate::source::Source;
use crate::wire::{Put, Reader};

const MAGIC: &[u8; 8] = b"CFRECS\0\x01";
/// Bytes before the entries.
pub(crate) const HEADER: usize = 24;

/// What is taken for an entry in a damaged segment, and is none, has at most so many times its bytes
/// in all: that is made up for by no record which stands behind it.
const MAX_LOOKS: u64 = 16;

/// What the header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) epoch: u32,
    pub(crate) since: u32,
    pub(crate) count: u32,
    pub(crate) dim: u16,
}

impl Head {
    /// The header as bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER);
        out.bytes(MAGIC);
        out.u32(self.epoch);
        out.u32(self.since);
        out.u32(self.count);
        out.u16(self.dim);
        out.u16(0);
        out
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let magic = reader.take(8) == MAGIC;
        let head = Self {
            epoch: reader.u32(),
            since: reader.u32(),
            count: reader.u32(),
            dim: reader.u16(),
        };
        (magic && reader.sound).then_some(head)
    }

    /// Reads the header of `segment`.
    pub(crate) fn read(source: &Source<'_>, segment: &Segment) -> Result<Self, Fault> {
        let bytes = source.bytes(segment.start(), HEADER)?;
        Self::parse(&bytes).ok_or_else(|| DamageKind::Records.at(segment.offset))
    }
}

/// Calls `each` with the entries of `segment` and where in its payload they stand. With `salvage`
/// what is left of a damaged segment; gives whether all was sound.
pub(crate) fn read(
    source: &Source<'_>,
    segment: &Segment,
    salvage: bool,
    each: &mut dyn FnMut(u32, Fields) -> Result<(), Fault>,
) -> Result<bool, Fault> {
    let mut sound = segment.verify(source, true)?;
    if !sound && !salvage {
        return Err(DamageKind::Records.at(segment.offset));
    }
    let count = Head::read(source, segment).map_or(0, |head| head.count);
    let damage = (DamageKind::Records, segment.offset);
    let mut stream = source.stream(segment.start(), segment.payload_end(), damage);
    stream.skip(HEADER as u64);
    let mut read = 0;
    let mut looks = segment.payload.saturating_mul(MAX_LOOKS);
    while stream.left() > 0 && (sound || salvage) {
        let at = (stream.at() - segment.start()) as u32;
        let bytes = stream.peek(MAX_ENTRY)?;
        let entry = Fields::parse(bytes);
        let len = entry.as_ref().map(|entry| entry.bytes().len()).or_else(|| entry_len(bytes));
        match entry {
            Some(entry) => {
                each(at, entry)?;
                read += 1;
            }
            None => {
                sound = false;
                let Some(left) = looks.checked_sub(len.unwrap_or(0) as u64) else { break };
                looks = left;
            }
        }
        // Where an entry's own length is damaged, the next one is looked for byte by byte.
        let step = if sound || read > 0 { len.unwrap_or(1) } else { 1 };
        if !stream.skip(step as u64) {
            break;
        }
    }
    sound &= read == count;
    match sound || salvage {
        true => Ok(sound),
        false => Err(DamageKind::Records.at(segment.offset)),
    }
}

const _: () = assert!(FIXED > HEADER && MAX_ENTRY < crate::source::BUFFER);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{MAX_TEXT, put_removal};
    use crate::rvf::segment::{self, RECORDS};
    use crate::storage::Storage;
    use crate::storage::simulated::SimulatedDisk;

    #[test]
    fn what_only_looks_like_entries_is_not_looked_at_for_long() {
        // Behind so many words that say an entry begins there, one that does.
        let count = |words: usize| {
            let mut payload = Head { epoch: 1, since: 1, count: 1, dim: 3 }.encode();
            for _ in 0..words {
                payload.u32(MAX_ENTRY as u32);
            }
            put_removal(7, &mut payload);
            payload.resize(MAX_TEXT, 0);
            let disk = SimulatedDisk::new(0);
            disk.put("a", segment::encode(RECORDS, 1, payload.clone()));
            let source = Source { storage: &disk, file: disk.open("a").unwrap() };
            let payload = payload.len() as u64;
            let segment = Segment { id: 1, offset: 0, payload, kind: RECORDS };
            let mut ids = Vec::new();
            let mut each = |_, entry: Fields| {
                ids.push(entry.id());
                Ok(())
            };
            let refused = read(&source, &segment, false, &mut each).err();
            assert_eq!(refused, Some(DamageKind::Records.at(0)));
            assert_eq!(read(&source, &segment, true, &mut each), Ok(false));
            ids
        };
        let most = MAX_LOOKS as usize * MAX_TEXT / MAX_ENTRY;
        assert_eq!(count(most - 1), [7]);
        assert_eq!(count(most + 1), []);
    }
}
