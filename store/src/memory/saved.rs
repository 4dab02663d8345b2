//! What is derived, as a file beside the durable one.
//!
//! ```text
//!  0  magic "clawftIM"        8  version u32           12  0 u32
//! 16  id of the durable file, 16 bytes
//! 32  its epoch u32          36  0 u32                 40  what stands for its content u64
//! 48  bytes of the image u64                           56  bytes of the catalog u64
//! 64  bytes of the words u64                           72  check u64
//! 80  catalog: for each slot of the image up to the last that has been in use, live u8,
//!     pinned u8, pairs u16, uses u32, id u64, kind u64, session u64, created u64,
//!     last used u64, importance f32, 0 u32, then the pairs, u64 each
//!     words: see `lexical::saved`
//!     image: sealed, see `docs/format.md`
//! ```
//!
//! The check is the XXH64 of the last piece of 64 KiB of catalog and words, which may be shorter;
//! each piece is seeded with the hash of the one before, the first with that of bytes 0 to 71,
//! whose seed is 0.
//!
//! Little-endian. It is written under another name and renamed, so that no half one is ever
//! there; it is bound to what the durable file had when it was derived: the last batch of the
//! journal and the headers of RECORDS segments, whose hashes tell two files apart that have as many
//! commits. Nothing of it is believed before the check, the image's seal, and the checks of each
//! part.
//!
//! Why beside the file and not in it: `docs/adr/0022-the-file-is-the-truth.md`.
//!
//! What it must never do: be put in place when the lease is gone, or hold what is not
//! committed.

use alloc::vec::Vec;

use clawft_vectors::{Image, Params};
use xxhash_rust::xxh64::xxh64;

use super::buffer::Buffer;
use super::catalog::{Catalog, Entry};
use super::error::Refusal;
use super::open::image_for;
use super::{Derived, MemoryOptions};
use crate::DurableFile;
use crate::lexical::Index;
use crate::room;
use crate::rvf::segment::{self, RECORDS};
use crate::storage::{Handle, Storage, StorageError, read_full, remove_if_there};
use crate::wire::{Put, extend_with_zeros, u32_at, u64_at};

const MAGIC: [u8; 8] = *b"clawftIM";
const VERSION: u32 = 3;
const HEADER: usize = 80;
const CHECK: usize = 72;
/// Where the capacity stands in an image.
const CAPACITY: usize = 12;
/// Bytes of an entry before its pairs.
const FIXED: usize = 56;
/// Bytes of catalog and words that are checked and appended at once.
const PIECE: usize = 64 << 10;
/// The index of words may take so many times what was saved of it, and [`PIECE`] for pages allocated
/// ahead: its pages are half full on average, forged ones as good as empty.
const TIMES_SAVED: usize = 8;

/// What stands for all that is committed: two files of one version may differ, where one of them
/// went on from a backup. An entry has the checks of its vector and its text.
fn content(file: &DurableFile) -> u64 {
    let journal = file.journal.as_ref().filter(|journal| journal.commits > journal.head.commits);
    let chain = journal.map_or(0, |journal| journal.chain);
    let mut check = xxh64(&file.commits.to_le_bytes(), chain);
    for segment in file.directory.of(RECORDS) {
        let mut header = [0; segment::HEADER];
        // One that cannot be read is like none: what is derived is then built anew.
        let _ = file.base().read(segment.offset, &mut header);
        check = xxh64(&header, check);
    }
    check
}

/// The first bytes of the header: what the file is bound to.
fn header(file: &DurableFile) -> Vec<u8> {
    let version = file.version();
    let mut bytes = Vec::with_capacity(HEADER);
    bytes.bytes(&MAGIC);
    bytes.u32(VERSION);
    bytes.u32(0);
    bytes.bytes(&version.file_id);
    bytes.u32(version.epoch);
    bytes.u32(0);
    bytes.u64(content(file));
    bytes
}

fn put_entry(entry: &Entry, out: &mut Vec<u8>) {
    out.push(u8::from(entry.live));
    out.push(u8::from(entry.pinned));
    out.u16(entry.pairs.len() as u16);
    out.u32(entry.uses);
    for number in [entry.id, entry.kind, entry.session, entry.created, entry.last_used] {
        out.u64(number);
    }
    out.u32(entry.importance.to_bits());
    out.u32(0);
    for &pair in &entry.pairs {
        out.u64(pair);
    }
}

/// Takes in the entries that `bytes` are; false where they are none, or where there is no memory.
fn take_entries(storage: &dyn Storage, mut bytes: &[u8], entries: &mut Vec<Entry>) -> bool {
    // Their hashes are on the heap as well.
    let most = bytes.len() / FIXED;
    if room::ask(storage, most * size_of::<Entry>() + bytes.len()).is_err() {
        return false;
    }
    entries.reserve_exact(most);
    while !bytes.is_empty() {
        let len = FIXED + 8 * (u32_at(bytes, 0) >> 16) as usize;
        let Some((now, later)) = bytes.split_at_checked(len) else { return false };
        let mut pairs = Vec::new();
        for pair in now[FIXED..].chunks_exact(8) {
            pairs.push(u64_at(pair, 0));
        }
        entries.push(Entry {
            id: u64_at(now, 8),
            live: now[0] == 1,
            pinned: now[1] == 1,
            kind: u64_at(now, 16),
            session: u64_at(now, 24),
            created: u64_at(now, 32),
            last_used: u64_at(now, 40),
            uses: u32_at(now, 4),
            importance: f32::from_bits(u32_at(now, 48)),
            pairs,
        });
        bytes = later;
    }
    true
}

/// Gives `each` the pieces of catalog and words.
fn pieces(
    words: &Index,
    catalog: &Catalog,
    each: &mut dyn FnMut(&[u8]) -> Result<(), StorageError>,
) -> Result<(), StorageError> {
    let mut piece = Vec::with_capacity(PIECE);
    let mut put = |mut bytes: &[u8]| {
        loop {
            let (now, later) = bytes.split_at(bytes.len().min(PIECE - piece.len()));
            piece.bytes(now);
            if piece.len() < PIECE {
                return Ok(());
            }
            each(&piece)?;
            piece.clear();
            bytes = later;
        }
    };
    let put: &mut dyn FnMut(&[u8]) -> Result<(), StorageError> = &mut put;
    let mut bytes = Vec::new();
    for entry in &catalog.0 {
        bytes.clear();
        put_entry(entry, &mut bytes);
        put(&bytes)?;
    }
    words.save(put)?;
    if piece.is_empty() { Ok(()) } else { each(&piece) }
}

/// Writes what is derived from `file` beside it; the image is sealed.
pub(super) fn write(
    file: &DurableFile,
    image: &Image<Buffer>,
    words: &Index,
    catalog: &Catalog,
) -> Result<(), Refusal> {
    let storage = file.storage();
    room::ask(storage, PIECE)?;
    // Before something is written, too: what this one still has may be forgotten by now.
    file.guard()?;
    let fresh = &file.names.fresh_image;
    remove_if_there(storage, fresh)?;
    let handle = storage.create(fresh)?;
    let written = write_into(file, handle, image, words, catalog);
    storage.close(handle);
    // The lease first: what stands there may be another writer's.
    file.guard()?;
    let renamed = written.and_then(|()| {
        storage.rename(fresh, file.image_name())?;
        storage.sync_folder()
    });
    if renamed.is_err() {
        // Half a file serves nobody; that it cannot be removed changes nothing.
        let _ = storage.remove(fresh);
    }
    Ok(renamed?)
}

fn write_into(
    file: &DurableFile,
    handle: Handle,
    image: &Image<Buffer>,
    words: &Index,
    catalog: &Catalog,
) -> Result<(), StorageError> {
    let mut header = header(file);
    let pairs: usize = catalog.0.iter().map(|entry| entry.pairs.len()).sum();
    header.u64(image.bytes().len() as u64);
    header.u64((catalog.0.len() * FIXED + 8 * pairs) as u64);
    header.u64(words.saved_bytes() as u64);
    let mut check = xxh64(&header, 0);
    pieces(words, catalog, &mut |piece| {
        check = xxh64(piece, check);
        Ok(())
    })?;
    header.u64(check);

    let storage = file.storage();
    storage.append(handle, &header)?;
    pieces(words, catalog, &mut |piece| storage.append(handle, piece))?;
    for piece in image.bytes().chunks(1 << 20) {
        storage.append(handle, piece)?;
    }
    storage.sync(handle)
}

/// The header and, behind it, catalog and words, whose check is made.
struct Parts {
    head: [u8; HEADER],
    bytes: Vec<u8>,
    /// It is of what the file has now.
    current: bool,
}

impl Parts {
    const NONE: Self = Parts { head: [0; HEADER], bytes: Vec::new(), current: false };

    /// Catalog and words.
    fn split(&self) -> (&[u8], &[u8]) {
        let catalog = u64_at(&self.head, 56) as usize;
        self.bytes.split_at(catalog.min(self.bytes.len()))
    }

    fn read(&mut self, file: &DurableFile, handle: Handle) -> Result<(), Derived> {
        fill(file, handle, 0, &mut self.head)?;
        let bound = header(file);
        if self.head[..16] != bound[..16] {
            return Err(Derived::Damaged);
        }
        if self.head[16..32] != bound[16..32] {
            return Err(Derived::Stale);
        }
        self.current = self.head[32..48] == bound[32..];
        let whole = file.storage().len(handle).map_err(|_| Derived::Damaged)?;
        let (image, catalog) = (u64_at(&self.head, 48), u64_at(&self.head, 56));
        let len = catalog.saturating_add(u64_at(&self.head, 64));
        // Both parts are at most as long as the file is, which a small machine need not address.
        let room = usize::try_from(len).unwrap_or(usize::MAX);
        let fits = image.saturating_add(len).saturating_add(HEADER as u64) == whole;
        if !fits || self.bytes.try_reserve_exact(room).is_err() {
            return Err(Derived::Damaged);
        }
        extend_with_zeros(&mut self.bytes, room);
        fill(file, handle, HEADER as u64, &mut self.bytes)?;
        let mut check = xxh64(&self.head[..CHECK], 0);
        for piece in self.bytes.chunks(PIECE) {
            check = xxh64(piece, check);
        }
        let sound = check == u64_at(&self.head, CHECK);
        if sound { Ok(()) } else { Err(Derived::Damaged) }
    }
}

fn fill(file: &DurableFile, handle: Handle, offset: u64, into: &mut [u8]) -> Result<(), Derived> {
    match read_full(file.storage(), handle, offset, into) {
        Ok(read) if read == into.len() => Ok(()),
        _ => Err(Derived::Damaged),
    }
}

/// The catalog beside, of whatever version of `file`: what it counted of uses is a hint still.
/// Empty where there is none.
pub(super) fn last_catalog(file: &DurableFile) -> Catalog {
    let (mut parts, mut catalog) = (Parts::NONE, Catalog::default());
    if let Ok(handle) = file.storage().open(file.image_name()) {
        let read = parts.read(file, handle);
        file.storage().close(handle);
        if read.is_ok() {
            take_entries(file.storage(), parts.split().0, &mut catalog.0);
        }
    }
    catalog
}

/// Reads what was derived from `file`, if it is there, of this version, and made for `params`, or
/// for up to twice the capacity: where more records are than the options ask room for, each one that is
/// forgotten would else have all of it built anew. Image, words and catalog, which are empty, are of no
/// use where that is refused.
pub(super) fn read(
    file: &DurableFile,
    options: &MemoryOptions,
    params: &Params,
    image: &mut Image<Buffer>,
    words: &mut Index,
    catalog: &mut Catalog,
) -> Result<(), Derived> {
    let storage = file.storage();
    let handle = storage.open(file.image_name()).map_err(|_| Derived::Missing)?;
    let read = read_from(file, handle, options, params, image, words, catalog);
    storage.close(handle);
    read
}

fn read_from(
    file: &DurableFile,
    handle: Handle,
    options: &MemoryOptions,
    params: &Params,
    image: &mut Image<Buffer>,
    words: &mut Index,
    catalog: &mut Catalog,
) -> Result<(), Derived> {
    let mut parts = Parts::NONE;
    parts.read(file, handle)?;
    let image_at = (HEADER + parts.bytes.len()) as u64;
    let mut capacity = [0; 4];
    fill(file, handle, image_at + CAPACITY as u64, &mut capacity)?;
    let least = params.capacity;
    let capacity = u32::from_le_bytes(capacity).min(least.saturating_mul(2)).max(least);
    let mut params = Params::new(params.dim, 0);
    let wanted = image_for(options, capacity, file.metric(), &mut params);
    let wanted = wanted.map_err(|_| Derived::Stale)?;
    if !parts.current || wanted as u64 != u64_at(&parts.head, 48) {
        return Err(Derived::Stale);
    }
    let (entries, saved) = parts.split();
    if !take_entries(file.storage(), entries, &mut catalog.0) {
        return Err(Derived::Damaged);
    }
    // What was accepted is taken in whatever the limit is, but for a forged one, whose pages are as
    // good as empty. Where there is no memory for it, it is built anew, without these bytes beside it.
    let limit = words.limit;
    words.limit = limit.max(saved.len().saturating_mul(TIMES_SAVED).saturating_add(PIECE));
    let loaded = words.load(saved);
    words.limit = limit;
    loaded.map_err(|_| Derived::Damaged)?;

    let mut buffer = Buffer::new(wanted).map_err(|_| Derived::Damaged)?;
    fill(file, handle, image_at, &mut buffer)?;
    *image = Image::blank(buffer);
    image.open_here().map_err(|_| Derived::Damaged)?;
    let found = image.params();
    let same = (found.dim, found.capacity, found.metric, found.encoding, found.hot)
        == (params.dim, params.capacity, params.metric, params.encoding, params.hot);
    if !same {
        return Err(Derived::Stale);
    }
    // All parts must know the same records; those that the file has besides could not be derived.
    let mut count = 0;
    for (slot, entry) in catalog.iter() {
        if image.slot(entry.id) != Some(slot) || !file.contains(entry.id) {
            return Err(Derived::Damaged);
        }
        count += 1;
    }
    if count != image.len() as usize {
        return Err(Derived::Damaged);
    }
    Ok(())
}
