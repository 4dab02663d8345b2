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
//!
//! Each batch is bound to the one before it, the first one to the header with its epoch. So
//! bytes of an earlier journal or of another file, which a sector that was never written may
//! hold, are not taken for a commit.
//!
//! What it must never do: append behind what may not be on the disk, or take for a torn tail
//! what a sound later batch was found behind.

use alloc::vec::Vec;

use xxhash_rust::xxh64::xxh64;

use crate::Error;
use crate::crc::{crc32, turn_back};
use crate::error::Fault;
use crate::lease::Lease;
use crate::source::{BUFFER, Source};
use crate::storage::{Handle, Outcome, Storage, StorageError, done};
use crate::wire::{set_u32, set_u64, u32_at, u64_at};

/// Bytes of the journal's header.
pub(crate) const HEADER: usize = 64;
/// Bytes of a batch before its operations.
pub(crate) const BATCH: usize = 48;
/// A batch begins at a multiple of so many bytes.
pub(crate) const PADDING: usize = 8;
/// Most bytes of a batch: it is held in memory until it is committed, and when it is read.
pub(crate) const MAX_BATCH: usize = 4 << 20;
/// Bytes of batches with a sound header, at most, that are read behind one that is not sound: of
/// sixty-four at least.
const LOOKS: usize = 64 * MAX_BATCH;

const MAGIC: &[u8; 8] = b"CFJRNL\0\x01";
const BATCH_MAGIC: &[u8; 8] = b"CFBATCH\x01";

/// What a journal builds on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

    fn seed(&self) -> u64 {
        u64_at(&self.file_id, 0)
    }

    /// What the first batch is bound to.
    fn chain(&self) -> u64 {
        xxh64(&self.encode(), self.seed())
    }
}

/// How bytes were found that have a CRC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// They are not what was written, or are not there.
    #[default]
    Unsound,
    Sound,
    /// One bit was turned back.
    Repaired,
}

/// Turns back the one bit of `bytes` that makes their CRC differ from `crc`, if there is one.
#[inline(never)]
fn repair(bytes: &mut [u8], crc: u32) -> State {
    if crc32(bytes) == crc {
        return State::Sound;
    }
    if turn_back(bytes, crc) { State::Repaired } else { State::Unsound }
}

/// The header of a journal as it was found.
#[derive(Clone, Copy, Default)]
pub(crate) struct FoundHead {
    pub(crate) head: Head,
    pub(crate) state: State,
}

impl FoundHead {
    /// Reads the header of a journal.
    pub(crate) fn read(&mut self, source: &Source<'_>) -> Result<(), Fault> {
        let mut bytes = [0; HEADER];
        if !source.read(0, &mut bytes)? {
            return Ok(());
        }
        let crc = u32_at(&bytes, 60);
        let state = repair(&mut bytes[..60], crc);
        if state == State::Unsound || bytes[..7] != MAGIC[..7] {
            return Ok(());
        }
        if bytes[7] != MAGIC[7] {
            let (expected, found) = (MAGIC[7].into(), bytes[7].into());
            return Err(Error::Version { expected, found }.into());
        }
        self.state = state;
        self.head.file_id.copy_from_slice(&bytes[8..24]);
        self.head.base = u64_at(&bytes, 24);
        self.head.commits = u64_at(&bytes, 32);
        self.head.epoch = u32_at(&bytes, 40);
        self.head.dim = u32_at(&bytes, 44) as u16;
        Ok(())
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
    /// The check of the last batch, which goes by all before it.
    pub(crate) chain: u64,
}

/// What comes next in a journal.
#[derive(Default)]
pub(crate) struct Found {
    /// The operations of the next batch.
    pub(crate) operations: Vec<u8>,
    /// How the batch is.
    pub(crate) state: State,
}

fn pad(len: usize) -> usize {
    len.next_multiple_of(PADDING)
}

fn check_of(header: &[u8], payload: &[u8], seed: u64) -> u64 {
    xxh64(payload, xxh64(&header[..40], seed))
}

impl Journal {
    /// A journal that was just opened, before its batches are read.
    pub(crate) fn open(file: Handle, head: Head) -> Self {
        Self { file, head, len: HEADER as u64, commits: head.commits, chain: head.chain() }
    }

    /// Puts a new, empty journal in place of `name`, if the lease still is there. Durable when it
    /// returns.
    pub(crate) fn create(
        storage: &dyn Storage,
        lease: Option<&Lease>,
        name: &str,
        fresh: &str,
        head: &Head,
    ) -> Result<Handle, Fault> {
        let file = create_over(storage, fresh)?;
        let created = (|| {
            done(storage.append(file, &head.encode()))?;
            done(storage.sync(file))?;
            lease.map_or(Ok(()), |lease| lease.stands(storage))?;
            done(storage.rename(fresh, name))?;
            done(storage.sync_folder())
        })();
        match created {
            Ok(()) => Ok(file),
            Err(error) => {
                storage.close(file);
                Err(error)
            }
        }
    }

    /// Appends and syncs `batch`, whose first [`BATCH`] bytes are free for the header. Gives where
    /// its operations begin. `stopped` is set when what is on the disk is then unknown.
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
    pub(crate) fn next(&mut self, source: &Source<'_>, found: &mut Found) -> Result<(), Fault> {
        found.state = State::Unsound;
        let mut header = Header::default();
        header.read(source, self.len)?;
        let len = header.payload();
        if header.state == State::Unsound
            || header.commit() != self.commits + 1
            || u64_at(&header.bytes, 24) != self.chain
            || len > MAX_BATCH
        {
            return Ok(());
        }
        source.fill(self.len + BATCH as u64, len, &mut found.operations)?;
        if found.operations.len() < len {
            return Ok(());
        }
        let payload = repair(&mut found.operations, u32_at(&header.bytes, 32));
        // The header may have had a bit turned back in its own sum.
        let sum = crc32(&header.bytes[..36]);
        set_u32(&mut header.bytes, 36, sum);
        let check = header.check(&found.operations, self.head.seed());
        let wrong = (check ^ u64_at(&header.bytes, 40)).count_ones();
        let sound = header.state == State::Sound && payload == State::Sound;
        found.state = match wrong {
            _ if payload == State::Unsound => return Ok(()),
            0 if sound => State::Sound,
            0 => State::Repaired,
            1 if sound => State::Repaired,
            _ => return Ok(()),
        };
        self.len += pad(BATCH + len) as u64;
        self.commits += 1;
        self.chain = check;
        Ok(())
    }

    /// Whether a sound batch of a later commit stands behind the one at hand, which is not sound:
    /// then that one had been committed.
    pub(crate) fn goes_on(&self, source: &Source<'_>, end: u64) -> Result<bool, Fault> {
        let mut at = self.len + 8;
        let mut looks = 0;
        while at + BATCH as u64 <= end && looks < LOOKS {
            let want = (end - at).min(BUFFER as u64) as usize;
            let block = source.bytes(at, want)?;
            let mut step = 0;
            while step + BATCH_MAGIC.len() <= block.len() && looks < LOOKS {
                if &block[step..step + 8] == BATCH_MAGIC
                    && self.is_later(source, at + step as u64, &mut looks)?
                {
                    return Ok(true);
                }
                step += 8;
            }
            // There are fewer bytes than the medium says, which may be 2^62.
            if block.len() < want {
                break;
            }
            at += step.max(8) as u64;
        }
        Ok(false)
    }

    fn is_later(&self, source: &Source<'_>, at: u64, looks: &mut usize) -> Result<bool, Fault> {
        let mut header = Header::default();
        header.read(source, at)?;
        let len = header.payload();
        if header.state == State::Unsound || header.commit() <= self.commits + 1 || len > MAX_BATCH
        {
            return Ok(false);
        }
        *looks += len;
        let payload = source.bytes(at + BATCH as u64, len)?;
        let check = header.check(&payload, self.head.seed());
        Ok(payload.len() == len && check == u64_at(&header.bytes, 40))
    }
}

/// The header of a batch.
#[derive(Clone, Copy)]
struct Header {
    bytes: [u8; BATCH],
    state: State,
}

impl Default for Header {
    fn default() -> Self {
        Self { bytes: [0; BATCH], state: State::Unsound }
    }
}

impl Header {
    fn read(&mut self, source: &Source<'_>, at: u64) -> Result<(), Fault> {
        if source.read(at, &mut self.bytes)? {
            let crc = u32_at(&self.bytes, 36);
            let state = repair(&mut self.bytes[..36], crc);
            if &self.bytes[..8] == BATCH_MAGIC {
                self.state = state;
            }
        }
        Ok(())
    }

    fn commit(&self) -> u64 {
        u64_at(&self.bytes, 8)
    }

    fn payload(&self) -> usize {
        u32_at(&self.bytes, 16) as usize
    }

    fn check(&self, payload: &[u8], seed: u64) -> u64 {
        check_of(&self.bytes, payload, seed)
    }
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
