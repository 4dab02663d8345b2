//! The manifest: which segments count. The newest sound one is the file.
//!
//! ```text
//!  0 epoch u32   4 dim u16   6 vectors u64   14 segments u32   18 profile u8   19 metric u8
//! 20 zeros, 2
//! 22 segments x (id u64, offset u64, payload bytes u64, type u8)
//!    removed u32, then ids u64
//!    "IDIF", 68 bytes: file id[16], parent id[16], parent hash[32], depth u32
//!    "CLFT", version u16: 1, zeros, 2, commits u64, next segment id u64,
//!            groups u32, then groups x (segments u32, epoch u32, since u32)
//! ```
//!
//! All from "CLFT" on is ours; rvf-runtime stops before it.
//!
//! Why: nothing in the base points to it, as such a place would be overwritten and could be
//! torn. It is looked for from the end backwards. Its segment's id, which no hash covers, is
//! one less than the next id that it names.
//!
//! What it must never do: take bytes of a text for a manifest where a journal says which file
//! this is, or look without a bound: whoever writes texts may have written headers in them.

use alloc::vec::Vec;

use super::segment::{self, HEADER, MAGIC, MANIFEST, Segment, VERSION};
use crate::error::Fault;
use crate::journal::Head;
use crate::room;
use crate::sorted::Sorted;
use crate::source::Source;
use crate::storage::StorageError;
use crate::wire::{Put, Reader, u32_at};
use crate::{DamageKind, Error};

/// Most bytes of a manifest that is read: 900,000 removed ids.
const MAX_MANIFEST: u64 = 8 << 20;
/// Most bytes of manifests that are looked at on the way to the one that counts. Headers that look
/// like one may stand at every 64th byte: all of them hashed in full would take days.
const MAX_LOOKS: u64 = 4 * MAX_MANIFEST;
/// Most segments that a directory lists: each one costs time whenever it is read.
const MAX_SEGMENTS: u32 = 1 << 16;
/// Bytes of one of ours that lists nothing.
const FIXED: u64 = 22 + 4 + 72 + 28;
const IDENTITY: u32 = 0x4649_4449;
const OURS: u32 = u32::from_le_bytes(*b"CLFT");
const OUR_VERSION: u16 = 1;
/// Last 4 KiB of a signed file.
const ROOT_PAGE: u64 = 4096;
const ROOT_MAGIC: u32 = 0x5256_4D30;
/// Bytes that are looked through at once, from the end backwards.
const BLOCK: u64 = 64 << 10;

/// Segments that one fold wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// How many of the directory.
    pub(crate) segments: u32,
    /// Epoch of the manifest that first listed them.
    pub(crate) epoch: u32,
    /// Epoch of the oldest group that it replaced; its own if none.
    pub(crate) since: u32,
}

/// What only our manifests say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trailer {
    /// Commits in the file's life.
    pub(crate) commits: u64,
    /// The id of the next segment.
    pub(crate) next_id: u64,
    /// The directory in groups.
    pub(crate) groups: Vec<Group>,
}

/// A manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) epoch: u32,
    pub(crate) dim: u16,
    pub(crate) vectors: u64,
    pub(crate) profile: u8,
    pub(crate) metric: u8,
    pub(crate) segments: Vec<Segment>,
    /// Ids in VEC segments that do not count.
    pub(crate) removed: Sorted<u64>,
    pub(crate) identity: Option<[u8; 68]>,
    /// One of our manifests: it has a trailer.
    pub(crate) ours: bool,
    pub(crate) trailer: Trailer,
}

impl Manifest {
    /// Whether it is one that is found again, also when segments of so many bytes more are listed.
    pub(crate) fn fits(&self, more: u64) -> bool {
        let Self { segments, removed, trailer, .. } = self;
        let listed = 25 * segments.len() + 8 * removed.len() + 12 * trailer.groups.len();
        let count = segments.len() as u64 + more / 25;
        count <= MAX_SEGMENTS.into() && FIXED + listed as u64 + more <= MAX_MANIFEST
    }

    /// The payload.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.u32(self.epoch);
        out.u16(self.dim);
        out.u64(self.vectors);
        out.u32(self.segments.len() as u32);
        out.bytes(&[self.profile, self.metric, 0, 0]);
        for segment in &self.segments {
            out.u64(segment.id);
            out.u64(segment.offset);
            out.u64(segment.payload);
            out.push(segment.kind);
        }
        out.u32(self.removed.len() as u32);
        for (id, _) in self.removed.iter() {
            out.u64(id);
        }
        if let Some(identity) = &self.identity {
            out.u32(IDENTITY);
            out.bytes(identity);
        }
        if self.ours {
            let ours = &self.trailer;
            out.u32(OURS);
            out.u16(OUR_VERSION);
            out.u16(0);
            out.u64(ours.commits);
            out.u64(ours.next_id);
            out.u32(ours.groups.len() as u32);
            for group in &ours.groups {
                out.u32(group.segments);
                out.u32(group.epoch);
                out.u32(group.since);
            }
        }
        out
    }

    /// Takes in what a payload says; false when it is none. A manifest is built where it stays:
    /// as a value it would be copied from call to call.
    pub(crate) fn parse(&mut self, payload: &[u8]) -> Result<bool, Fault> {
        *self = Self::default();
        let reader = &mut Reader::new(payload);
        if !self.parse_fields(reader) {
            return Ok(false);
        }
        let mut marker = *reader;
        if marker.u32() == IDENTITY {
            self.identity = marker.take(68).try_into().ok();
            *reader = marker;
        }
        self.ours = reader.u32() == OURS;
        if !self.ours {
            return Ok(true);
        }
        let version = reader.u16();
        if version != OUR_VERSION {
            let (expected, found) = (OUR_VERSION.into(), version.into());
            return Err(Error::Version { expected, found }.into());
        }
        Ok(self.parse_trailer(reader))
    }

    fn parse_fields(&mut self, reader: &mut Reader<'_>) -> bool {
        (self.epoch, self.dim, self.vectors) = (reader.u32(), reader.u16(), reader.u64());
        let count = reader.u32();
        (self.profile, self.metric) = (reader.u8(), reader.u8());
        reader.u16();
        if !reader.has(count, 25) || count > MAX_SEGMENTS {
            return false;
        }
        for _ in 0..count {
            let (id, offset, payload) = (reader.u64(), reader.u64(), reader.u64());
            self.segments.push(Segment { id, offset, payload, kind: reader.u8() });
        }
        let count = reader.u32();
        if !reader.has(count, 8) {
            return false;
        }
        let mut removed = Vec::new();
        for _ in 0..count {
            removed.push((reader.u64(), 0));
        }
        self.removed.extend(removed);
        reader.sound
    }

    fn parse_trailer(&mut self, reader: &mut Reader<'_>) -> bool {
        reader.u16();
        let trailer = &mut self.trailer;
        (trailer.commits, trailer.next_id) = (reader.u64(), reader.u64());
        let count = reader.u32();
        if !reader.has(count, 12) {
            return false;
        }
        let mut listed = 0;
        for _ in 0..count {
            let group = Group { segments: reader.u32(), epoch: reader.u32(), since: reader.u32() };
            listed += u64::from(group.segments);
            trailer.groups.push(group);
        }
        reader.sound && listed == self.segments.len() as u64
    }

    /// The file's id; zeros where it has none.
    pub(crate) fn file_id(&self) -> [u8; 16] {
        let mut id = [0; 16];
        if let Some(identity) = &self.identity {
            id.copy_from_slice(&identity[..16]);
        }
        id
    }
}

/// The newest manifest and what stands behind it.
pub(crate) struct Newest<'a> {
    pub(crate) manifest: &'a mut Manifest,
    pub(crate) segment: &'a mut Segment,
    /// A manifest behind it that is there in full and not sound.
    pub(crate) damaged: Option<u64>,
}

impl Newest<'_> {
    /// Looks for the newest sound manifest of a file of `len` bytes, from its end backwards. With
    /// the header of its journal, for one of that file: bytes in a text could be a manifest too, but
    /// not one that names an id which the text's author does not know. Where too much looks like a
    /// manifest, as such a text may, for the one that the journal builds on.
    pub(crate) fn find(
        &mut self,
        source: &Source<'_>,
        mut len: u64,
        head: Option<&Head>,
    ) -> Result<(), Fault> {
        let mut was_cut = false;
        let mut left = MAX_LOOKS;
        let mut known = head.map(|head| head.base & !63);
        let mut bytes = source.bytes(0, HEADER)?;
        if u32_at(&bytes, 0) != MAGIC && !bytes.is_empty() {
            return Err(Error::NotRvf.into());
        }
        if let Some(&found) = bytes.get(4).filter(|&&found| found != VERSION) {
            return Err(Error::Version { expected: VERSION.into(), found: found.into() }.into());
        }
        // What looks like another version's, or compressed, may be a text. It counts where nothing of
        // ours is found: we write neither.
        let mut other = None;
        let mut payload = Vec::new();
        let mut high = (len & !63).saturating_add(64);
        'blocks: while high > 0 {
            let low = high.saturating_sub(BLOCK);
            source.fill(low, (high - low) as usize, &mut bytes)?;
            if low + (bytes.len() as u64) < high.min(len) {
                // A writer may have cut off what was torn just now. A medium that says more than it
                // has may say so much that nobody lives to the end of it.
                let now = source.storage.len(source.file)?;
                if was_cut || now >= len {
                    return Err(StorageError::Failed.into());
                }
                (len, was_cut) = (now, true);
                high = (len & !63).saturating_add(64);
                continue;
            }
            for (at, header) in bytes.chunks_exact(HEADER).enumerate().rev() {
                *self.segment = Segment::parse(header, low + (at * HEADER) as u64);
                let Segment { kind, offset, .. } = *self.segment;
                let within = self.segment.payload_end() <= len;
                if kind != MANIFEST || self.segment.payload > MAX_MANIFEST || !within {
                    continue;
                }
                let Some(rest) = left.checked_sub(self.segment.payload) else {
                    match known.take() {
                        Some(end) if end <= offset => (left, high) = (MAX_LOOKS, end),
                        _ => break 'blocks,
                    }
                    continue 'blocks;
                };
                left = rest;
                if self.read(source, &mut payload, &mut other)?
                    && head.is_none_or(|head| head.file_id == self.manifest.file_id())
                {
                    return match self.manifest.ours {
                        true => Ok(()),
                        false => not_ours(source, len, other).map_or(Ok(()), Err),
                    };
                }
            }
            high = low;
        }
        let fault = not_ours(source, len, other);
        Err(fault.unwrap_or_else(|| DamageKind::NoManifest.at(0)))
    }

    /// Reads the manifest that the segment at hand seems to be. `false`: it is none, or not sound, or of
    /// a kind that is not served here: that is kept as the `other`.
    fn read(
        &mut self,
        source: &Source<'_>,
        payload: &mut Vec<u8>,
        other: &mut Option<Fault>,
    ) -> Result<bool, Fault> {
        let Segment { payload: len, offset, id, .. } = *self.segment;
        let mut is_sound = recognised(self.segment.verify(source, false), other)?;
        if is_sound {
            // Each id that it lists takes twice its bytes, sorted twice.
            room::ask(source.storage, len as usize * 8)?;
            source.fill(self.segment.start(), len as usize, payload)?;
            if !recognised(self.manifest.parse(payload), other)? {
                return Ok(false);
            }
            // The one field of a header that no hash and no constant covers.
            is_sound = !self.manifest.ours || self.manifest.trailer.next_id == id.wrapping_add(1);
        }
        if !is_sound {
            self.damaged = self.damaged.or(Some(offset));
        }
        Ok(is_sound)
    }
}

/// What a candidate was found to be. Where it is of a kind that is not served here it is none, and
/// the fault is kept as the `other`.
fn recognised(found: Result<bool, Fault>, other: &mut Option<Fault>) -> Result<bool, Fault> {
    match found {
        Err(fault) if matches!(fault.error(), Error::Unsupported(_) | Error::Version { .. }) => {
            *other = Some(fault);
            Ok(false)
        }
        found => found,
    }
}

/// Why a file of `len` bytes that nobody here wrote is not served: its last page is the format's root
/// manifest, which is for files that are signed, or there was an `other` segment.
fn not_ours(source: &Source<'_>, len: u64, other: Option<Fault>) -> Option<Fault> {
    let mut magic = Vec::new();
    let read = source.fill(len.saturating_sub(ROOT_PAGE), 4, &mut magic);
    let is_signed = len >= ROOT_PAGE && magic.len() == 4 && u32_at(&magic, 0) == ROOT_MAGIC;
    match read {
        Ok(()) if is_signed => Some(Fault::unsupported("it is signed")),
        Ok(()) => other,
        Err(fault) => Some(fault),
    }
}

/// A manifest as a segment.
pub(crate) fn encode(manifest: &Manifest, id: u64) -> Vec<u8> {
    segment::encode(MANIFEST, id, manifest.encode())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Storage;
    use crate::storage::simulated::SimulatedDisk;
    use crate::wire::set_u64;
    use proptest::prelude::*;
    use std::vec;

    fn manifest(epoch: u32) -> Manifest {
        let mut removed = Sorted::default();
        removed.extend(vec![(4, 0), (9, 0)]);
        Manifest {
            epoch,
            dim: 3,
            vectors: 2,
            profile: 0,
            metric: 2,
            segments: vec![Segment { id: 1, offset: 0, payload: 30, kind: 1 }],
            removed,
            identity: Some([7; 68]),
            ours: true,
            trailer: Trailer {
                commits: 5,
                next_id: 3,
                groups: vec![Group { segments: 1, epoch, since: epoch }],
            },
        }
    }

    #[test]
    fn what_goes_in_comes_out() {
        for (identity, ours) in [(true, true), (true, false), (false, true), (false, false)] {
            let mut manifest = manifest(1);
            manifest.identity = manifest.identity.filter(|_| identity);
            manifest.ours = ours;
            if !ours {
                manifest.trailer = Trailer::default();
            }
            let mut found = Manifest::default();
            assert_eq!(found.parse(&manifest.encode()), Ok(true));
            assert_eq!(found, manifest);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "many removed ids, which an interpreter writes for minutes")]
    fn one_that_fits_is_read_and_no_larger_one() {
        let mut manifest = manifest(1);
        // So many that their bytes are the limit, not the segments beside them.
        manifest.removed.extend((0..1_000_000).map(|id| (id, 0)).collect());
        let left = MAX_MANIFEST - manifest.encode().len() as u64;
        assert!(manifest.fits(left));
        assert!(!manifest.fits(left + 1));
        manifest.removed.clear();
        manifest.segments = vec![manifest.segments[0]; MAX_SEGMENTS as usize];
        assert!(manifest.fits(24));
        assert!(!manifest.fits(25), "one segment more");
        manifest.segments.push(manifest.segments[0]);
        assert!(!manifest.fits(0));
    }

    #[test]
    fn the_newest_sound_one_is_found() {
        let disk = SimulatedDisk::new(0);
        let mut bytes = segment::encode(0x51, 1, vec![3; 200_000]);
        let first = bytes.len() as u64;
        bytes.extend(encode(&manifest(1), 2));
        let between = bytes.len() as u64;
        bytes.extend(encode(&manifest(2), 2));
        // Epoch, where the segment ends, and where the damage is.
        let find = |bytes: &[u8], id: Option<[u8; 16]>| {
            disk.put("a", bytes.to_vec());
            let source = Source { storage: &disk, file: disk.open("a").unwrap() };
            let (mut manifest, mut segment) = (Manifest::default(), Segment::default());
            let mut newest =
                Newest { manifest: &mut manifest, segment: &mut segment, damaged: None };
            let head = id.map(|file_id| Head { file_id, ..Head::default() });
            newest.find(&source, bytes.len() as u64, head.as_ref())?;
            let damaged = newest.damaged;
            Ok::<_, Fault>((manifest.epoch, segment.end(), damaged))
        };
        assert_eq!(find(&bytes, Some([7; 16])), Ok((2, bytes.len() as u64, None)));
        // Cut in it: the older one. Damaged: the older one, and where the damage is.
        assert_eq!(find(&bytes[..bytes.len() - 40], None), Ok((1, between, None)));
        let mut flipped = bytes.clone();
        flipped[between as usize + 70] ^= 4;
        assert_eq!(find(&flipped, None), Ok((1, between, Some(between))));
        // Of another file: none.
        let none = || Some(DamageKind::NoManifest.at(0));
        assert_eq!(find(&bytes, Some([8; 16])).err(), none());
        assert_eq!(find(&bytes[..first as usize], None).err(), none());
        assert_eq!(find(b"{\"not\": \"rvf\"}", None).err(), Some(Error::NotRvf.into()));
        bytes[4] = 2;
        let version = Error::Version { expected: 1, found: 2 };
        assert_eq!(find(&bytes, None).err(), Some(version.into()));
    }

    #[test]
    fn what_only_looks_like_manifests_is_not_looked_at_for_long() {
        let first = encode(&manifest(1), 2);
        // A header at every 64th byte, of a payload up to the end.
        let mut bytes = first.clone();
        let count = if cfg!(miri) { 20 } else { 40_000 };
        for i in (0..count).rev() {
            let payload = (i * HEADER) as u64;
            let segment = Segment { id: 3, offset: 0, payload, kind: MANIFEST };
            let mut header = segment::encode(MANIFEST, 3, vec![]);
            set_u64(&mut header, 16, segment.payload);
            bytes.extend(header);
        }
        let disk = SimulatedDisk::new(0);
        disk.put("a", bytes.clone());
        let source = Source { storage: &disk, file: disk.open("a").unwrap() };
        let find = |head: Option<&Head>| {
            let (mut manifest, mut segment) = (Manifest::default(), Segment::default());
            let mut newest =
                Newest { manifest: &mut manifest, segment: &mut segment, damaged: None };
            let before = disk.read();
            let found = newest.find(&source, bytes.len() as u64, head);
            let most = 2 * MAX_LOOKS + 3 * bytes.len() as u64;
            assert!(disk.read() - before < most, "{} bytes read", disk.read() - before);
            found.map(|()| manifest.epoch)
        };
        let mut head = Head { file_id: [7; 16], base: first.len() as u64, ..Head::default() };
        assert_eq!(find(Some(&head)), Ok(1), "the journal knows where it ends");
        if cfg!(miri) {
            return;
        }
        let none = DamageKind::NoManifest.at(0).error();
        assert_eq!(find(None).map_err(|fault| fault.error()), Err(none));
        for base in [0, bytes.len() as u64, u64::MAX] {
            head.base = base;
            assert_eq!(find(Some(&head)).map_err(|fault| fault.error()), Err(none), "{base}");
        }
    }

    proptest! {
        #![proptest_config(crate::cases(256, 8))]

        #[test]
        fn any_payload_is_refused_or_read(
            at in prop::collection::vec((0..140_usize, any::<u8>()), 0..6),
            len in 0..141_usize,
        ) {
            let mut payload = manifest(1).encode();
            for (at, byte) in at {
                let len = payload.len();
                payload[at % len] = byte;
            }
            payload.truncate(len);
            let _ = Manifest::default().parse(&payload);
        }
    }
}
