//! Changes since the last commit: kept in memory until the journal takes them as one batch.
//!
//! Why: a batch is written and checked as one, so its bytes are put together here as they will
//! stand in the journal, and a record is read from them as it is from there.
//!
//! What it must never do: write, keep part of a change that was refused, or hold on to what was
//! committed.

use alloc::vec::Vec;

use crate::Error;
use crate::durable::DurableFile;
use crate::error::Fault;
use crate::journal::{BATCH, MAX_BATCH, PADDING};
use crate::record::{FIXED, Record, put_removal};
use crate::room;
use crate::sorted::Sorted;

/// In place of an entry: the record is removed.
pub(crate) const REMOVED: u64 = u64::MAX;

/// A larger buffer of changes is freed when they are committed.
const KEPT: usize = 256 << 10;

/// Changes since the last commit.
#[derive(Default)]
pub(crate) struct Batch {
    /// Room for the header, then operations.
    pub(crate) bytes: Vec<u8>,
    /// Where in `bytes` the newest entry of an id begins; [`REMOVED`] for a removal.
    pub(crate) changes: Sorted<u64>,
    pub(crate) operations: u32,
}

impl Batch {
    pub(crate) fn new() -> Self {
        Self { bytes: alloc::vec![0; BATCH], ..Self::default() }
    }

    /// Whether there is no room for so many bytes more.
    fn is_full(&self, more: usize) -> bool {
        self.bytes.capacity() - self.bytes.len() < more + PADDING
    }

    /// For the next changes, in the memory of the last ones: a buffer that grows anew for each
    /// commit leaves holes in a small memory, until none of them is large enough.
    pub(crate) fn begin_again(&mut self, mut bytes: Vec<u8>) {
        if bytes.capacity() > KEPT {
            // Its memory first: there may be no other for the new one.
            drop(bytes);
            *self = Self::new();
            return;
        }
        // What is forgotten later is not to be left here.
        bytes.fill(0);
        core::hint::black_box(&mut bytes).truncate(BATCH);
        self.bytes = bytes;
        self.changes.clear();
        self.operations = 0;
    }
}

impl DurableFile {
    /// Stores a record, in place of one of the same id. Durable from the next
    /// [`commit`](Self::commit) on; seen by this handle at once.
    ///
    /// # Errors
    /// [`Error::Limit`], [`Error::Record`], [`Error::Dimension`], [`Error::NotFinite`],
    /// [`Error::BatchFull`], [`Error::Memory`], [`Error::ReadOnly`], [`Error::Stopped`].
    pub fn put(&mut self, record: &Record<'_>) -> Result<(), Error> {
        Ok(self.try_put(record)?)
    }

    pub(crate) fn try_put(&mut self, record: &Record<'_>) -> Result<(), Fault> {
        let at = self.room_for(record.bytes())?;
        record.encode(self.dim(), &mut self.batch.bytes)?;
        self.keep(record.id, at, at as u64)
    }

    /// Makes room in the batch for an operation of so many bytes, and for the zeros behind it, which
    /// a commit adds without asking. Gives where it begins.
    fn room_for(&mut self, bytes: usize) -> Result<usize, Fault> {
        self.writable()?;
        room::ask(&*self.storage, self.room_to_put(bytes))?;
        if self.batch.is_full(bytes) {
            room::whole(&*self.storage, 2 * self.batch.bytes.len() + bytes)?;
        }
        self.batch.bytes.reserve(bytes + PADDING);
        Ok(self.batch.bytes.len())
    }

    /// Bytes of memory that putting a record of so many bytes may take: the batch doubles where it
    /// has no room left.
    pub(crate) fn room_to_put(&self, record: usize) -> usize {
        let Batch { bytes, changes, .. } = &self.batch;
        let doubled = usize::from(self.batch.is_full(record)) * 2 * bytes.len();
        doubled + 4 * record + changes.growth(1)
    }

    /// Removes a record. Its bytes are gone from all files after the next
    /// [`compact`](Self::compact).
    ///
    /// # Errors
    /// [`Error::UnknownId`], [`Error::BatchFull`], [`Error::Memory`], [`Error::ReadOnly`],
    /// [`Error::Stopped`].
    pub fn remove(&mut self, id: u64) -> Result<(), Error> {
        Ok(self.try_remove(id)?)
    }

    pub(crate) fn try_remove(&mut self, id: u64) -> Result<(), Fault> {
        self.writable()?;
        if !self.contains(id) {
            return Err(Error::UnknownId(id).into());
        }
        let at = self.room_for(FIXED)?;
        put_removal(id, &mut self.batch.bytes);
        self.keep(id, at, REMOVED)
    }

    /// That the batch may have so many bytes more.
    pub(crate) fn fits(&self, more: usize) -> Result<(), Fault> {
        let found = self.batch.bytes.len() - BATCH + more;
        if found <= MAX_BATCH {
            return Ok(());
        }
        let (limit, found) = (MAX_BATCH as u32, found as u32);
        Err(Error::BatchFull { limit, found }.into())
    }

    /// Keeps the operation that was appended to the batch at `at`, if it fits.
    fn keep(&mut self, id: u64, at: usize, entry: u64) -> Result<(), Fault> {
        if let Err(full) = self.fits(0) {
            self.batch.bytes.truncate(at);
            return Err(full);
        }
        self.batch.operations += 1;
        self.batch.changes.insert(id, entry);
        Ok(())
    }

    /// Drops the changes since the last commit. Takes no memory: it must work where there is none.
    pub fn rollback(&mut self) {
        let bytes = core::mem::take(&mut self.batch.bytes);
        self.batch.begin_again(bytes);
    }

    /// Bytes of the changes since the last commit; a batch of more than 4 MiB is refused.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.batch.bytes.len() - BATCH
    }
}
