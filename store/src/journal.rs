//! The journal: commits since the base's newest manifest, each one a batch.
//!
//! ```text
//! header, 64 bytes
//!  0 magic "CFJRNL\0\1"   8 file id[16]   24 base bytes u64   32 commits u64   40 epoch u32
//! 44 dim u16   46 zeros, 14                60 CRC-32 of bytes 0 to 59
//!
//! batch, at a multiple of 8, zeros between
//!  0 magic "CFBATCH\1"    8 commit u64      16 payload bytes u32   20 operations u32
//! 24 chain u64: the check of the batch before, of the header for the first
//! 32 CRC-32 of the payload                  36 CRC-32 of bytes 0 to 35
//! 40 check u64: XXH64 of the payload, seeded with XXH64 of bytes 0 to 39, that one
//!    seeded with the first 8 bytes of the file id
//! 48 payload
//! ```
//!
//! A batch is sound or it is not there. Two checksums tell why not: the CRC finds the one
//! flipped bit of a finished write, XXH64 proves that it was that. A tear fits no single bit.

use alloc::vec::Vec;

use xxhash_rust::xxh64::xxh64;

use crate::crc::{crc32, turn_back};
use crate::error::Fault;
use crate::source::{BUFFER, Source};
use crate::storage::{Handle, Outcome, Storage, StorageError};
use crate::wire::{set_u32, set_u64, u32_at, u64_at};
use crate::Error;

/// Bytes of the journal's header.
pub(crate) const HEADER: usize = 64;
/// Bytes of a batch before its operations.
pub(crate) const BATCH: usize = 48;
/// Most bytes of a batch: it is held in memory until it is committed, and when it is read.
pub(crate) const MAX_BATCH: usize = 4 << 20;
/// How many batches are looked at behind one that is not sound. A journal that has none in
/// sixty-four that look like one has none.
const LOOKS: usize = 64;

const MAGIC: &[u8; 8] = b"CFJRNL\0\x01";
const BATCH_MAGIC: &[u8; 8] = b"CFBATCH\x01";

/// What a journal builds on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) file_id: [u8; 16],
    /// Where the manifest of `epoch` ends in the base.
    pub(crate) base: u64,
    /// Commits before the first one here.
    pub(crate) commits: u64,
    pub(crate) epoch: u32,
    pub(crate) dim: u16,
}

impl Head {
    pub(crate) fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..24].copy_from_slice(&self.file_id);
        set_u64(&mut bytes, 24, self.base);
        set_u64(&mut bytes, 32, self.commits);
        set_u32(&mut bytes, 40, self.epoch);
        bytes[44..46].copy_from_slice(&self.dim.to_le_bytes());
        let crc = crc32(&bytes[..60]);
        set_u32(&mut bytes, 60, crc);
        bytes
    }

    /// Reads the header; with it, whether a bit had to be turned back.
    pub(crate) fn read(source: &Source<'_>) -> Result<Option<(Self, bool)>, Fault> {
        let mut bytes = [0; HEADER];
        if !source.read(0, &mut bytes)? {
            return Ok(None);
        }
        let crc = u32_at(&bytes, 60);
        let flipped = crc32(&bytes[..60]) != crc;
        if flipped && !turn_back(&mut bytes[..60], crc) || bytes[..7] != MAGIC[..7] {
            return Ok(None);
        }
        if bytes[7] != MAGIC[7] {
            let (expected, found) = (MAGIC[7].into(), bytes[7].into());
            return Err(Error::Version { expected, found }.into());
        }
        let mut file_id = [0; 16];
        file_id.copy_from_slice(&bytes[8..24]);
        let head = Self {
            file_id,
            base: u64_at(&bytes, 24),
            commits: u64_at(&bytes, 32),
            epoch: u32_at(&bytes, 40),
            dim: u32_at(&bytes, 44) as u16,
        };
        Ok(Some((head, flipped)))
    }

    fn seed(&self) -> u64 {
        u64_at(&self.file_id, 0)
    }

    /// What the first batch is bound to.
    fn chain(&self) -> u64 {
        xxh64(&self.encode(), self.seed())
    }
}

/// An open journal, at its end.
pub(crate) struct Journal {
    pub(crate) file: Handle,
    pub(crate) head: Head,
    /// Bytes that count.
    pub(crate) len: u64,
    /// Number of the last commit.
    pub(crate) commits: u64,
    chain: u64,
}

/// What stands at a place of the journal.
pub(crate) enum Found {
    /// Nothing more.
    End,
    /// A batch: its operations, and whether a bit had to be turned back.
    Batch(Vec<u8>, bool),
    /// Bytes that are no sound batch.
    Unsound,
}

fn pad(len: usize) -> usize {
    len.next_multiple_of(8)
}

fn check_of(header: &[u8], payload: &[u8], seed: u64) -> u64 {
    xxh64(payload, xxh64(&header[..40], seed))
}

impl Journal {
    /// A journal that was just opened, before its batches are read.
    pub(crate) fn open(file: Handle, head: Head) -> Self {
        Self { file, head, len: HEADER as u64, commits: head.commits, chain: head.chain() }
    }

    /// Puts a new, empty journal in place of `name`. Durable when it returns.
    pub(crate) fn create(
        storage: &dyn Storage,
        name: &str,
        fresh: &str,
        head: Head,
    ) -> Outcome<Self> {
        let file = create_over(storage, fresh)?;
        let done = (|| {
            storage.append(file, &head.encode())?;
            storage.sync(file)?;
            storage.rename(fresh, name)?;
            storage.sync_folder()
        })();
        match done {
            Ok(()) => Ok(Self::open(file, head)),
            Err(error) => {
                storage.close(file);
                Err(error)
            }
        }
    }

    /// Appends and syncs `batch`, whose first [`BATCH`] bytes are free for the header. Gives where
    /// its operations begin. `stopped` is set when it stays open what is on the disk.
    pub(crate) fn commit(
        &mut self,
        storage: &dyn Storage,
        batch: &mut Vec<u8>,
        operations: u32,
        stopped: &mut bool,
    ) -> Outcome<u64> {
        let len = batch.len();
        let (header, payload) = batch.split_at_mut(BATCH);
        header[..8].copy_from_slice(BATCH_MAGIC);
        set_u64(header, 8, self.commits + 1);
        set_u32(header, 16, payload.len() as u32);
        set_u32(header, 20, operations);
        set_u64(header, 24, self.chain);
        set_u32(header, 32, crc32(payload));
        let crc = crc32(&header[..36]);
        set_u32(header, 36, crc);
        let check = check_of(header, payload, self.head.seed());
        set_u64(header, 40, check);
        if u32::try_from(self.len + pad(len) as u64).is_err() {
            return Err(StorageError::NoSpace);
        }
        batch.resize(pad(len), 0);
        let appended = storage.append(self.file, batch);
        batch.truncate(len);
        if let Err(error) = appended {
            *stopped = storage.truncate(self.file, self.len).is_err();
            return Err(error);
        }
        if let Err(error) = storage.sync(self.file) {
            *stopped = true;
            return Err(error);
        }
        let at = self.len + BATCH as u64;
        self.len += pad(len) as u64;
        self.commits += 1;
        self.chain = check;
        Ok(at)
    }

    /// Reads the next batch and goes behind it.
    pub(crate) fn next(&mut self, source: &Source<'_>, end: u64) -> Result<Found, Fault> {
        if self.len >= end {
            return Ok(Found::End);
        }
        let Some((mut header, mut flipped)) = read_header(source, self.len)? else {
            return Ok(Found::Unsound);
        };
        let len = u32_at(&header, 16) as usize;
        if u64_at(&header, 8) != self.commits + 1
            || u64_at(&header, 24) != self.chain
            || len > MAX_BATCH
        {
            return Ok(Found::Unsound);
        }
        let mut payload = source.bytes(self.len + BATCH as u64, len)?;
        if payload.len() < len {
            return Ok(Found::Unsound);
        }
        let crc = u32_at(&header, 32);
        if crc32(&payload) != crc {
            flipped = true;
            if !turn_back(&mut payload, crc) {
                return Ok(Found::Unsound);
            }
        }
        // The header may have had a bit turned back in its own sum.
        let sum = crc32(&header[..36]);
        set_u32(&mut header, 36, sum);
        let check = check_of(&header, &payload, self.head.seed());
        match (check ^ u64_at(&header, 40)).count_ones() {
            0 => {}
            1 if !flipped => flipped = true,
            _ => return Ok(Found::Unsound),
        }
        self.len += pad(BATCH + len) as u64;
        self.commits += 1;
        self.chain = check;
        Ok(Found::Batch(payload, flipped))
    }

    /// Whether a sound batch of a later commit stands behind the one at hand, which is not sound:
    /// then that one had been committed.
    pub(crate) fn goes_on(&self, source: &Source<'_>, end: u64) -> Result<bool, Fault> {
        let mut at = self.len + 8;
        let mut looks = 0;
        while at + BATCH as u64 <= end && looks < LOOKS {
            let block = source.bytes(at, (end - at).min(BUFFER as u64) as usize)?;
            let mut step = 0;
            while step + BATCH_MAGIC.len() <= block.len() && looks < LOOKS {
                if &block[step..step + 8] == BATCH_MAGIC {
                    looks += 1;
                    if self.is_later(source, at + step as u64)? {
                        return Ok(true);
                    }
                }
                step += 8;
            }
            at += step.max(8) as u64;
        }
        Ok(false)
    }

    fn is_later(&self, source: &Source<'_>, at: u64) -> Result<bool, Fault> {
        let Some((header, _)) = read_header(source, at)? else { return Ok(false) };
        let len = u32_at(&header, 16) as usize;
        if u64_at(&header, 8) <= self.commits + 1 || len > MAX_BATCH {
            return Ok(false);
        }
        let payload = source.bytes(at + BATCH as u64, len)?;
        Ok(payload.len() == len
            && check_of(&header, &payload, self.head.seed()) == u64_at(&header, 40))
    }
}

/// The header of a batch; with it, whether a bit had to be turned back.
fn read_header(source: &Source<'_>, at: u64) -> Result<Option<([u8; BATCH], bool)>, Fault> {
    let mut header = [0; BATCH];
    if !source.read(at, &mut header)? {
        return Ok(None);
    }
    let crc = u32_at(&header, 36);
    let flipped = crc32(&header[..36]) != crc;
    let sound = !flipped || turn_back(&mut header[..36], crc);
    Ok((sound && &header[..8] == BATCH_MAGIC).then_some((header, flipped)))
}

/// Creates a file, in place of one that an interrupted writer left.
pub(crate) fn create_over(storage: &dyn Storage, name: &str) -> Outcome<Handle> {
    match storage.create(name) {
        Err(StorageError::Exists) => {
            storage.remove(name)?;
            storage.create(name)
        }
        other => other,
    }
}

