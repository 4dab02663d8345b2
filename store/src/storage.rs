//! What the durable file needs of a disk.
//!
//! Files have names and are read anywhere and written at their end. That is all that native
//! files, WASI files (both in `native`) and a host behind a C ABI have in common: handles are
//! small numbers, offsets 64 bits, calls block. `docs/format-file.md` says what is assumed of the
//! medium.
//!
//! What an implementation must never do: report a sync that did not happen.

use alloc::string::String;
use alloc::vec::Vec;

use crate::error::Fault;

#[cfg(feature = "native")]
pub mod native;
#[cfg(feature = "simulated")]
pub mod simulated;

/// An open file of a [`Storage`].
pub type Handle = u32;

/// Why a storage refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StorageError {
    /// No file of that name.
    NotFound,
    /// A file of that name is there already.
    Exists,
    /// The disk is full. What was appended may stand there in part.
    NoSpace,
    /// The file or the disk is read-only, or this process may not write it.
    ReadOnly,
    /// The handle names no open file, or the name is not allowed.
    BadHandle,
    /// Anything else: a failing device, lost power.
    Failed,
}

impl StorageError {
    /// The number of the error, negative and stable.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::NotFound => -201,
            Self::Exists => -202,
            Self::NoSpace => -203,
            Self::ReadOnly => -204,
            Self::BadHandle => -205,
            Self::Failed => -206,
        }
    }

    /// What the storage said.
    #[must_use]
    #[inline(never)]
    pub fn text(self) -> &'static str {
        match self {
            Self::NotFound => "no file of that name",
            Self::Exists => "a file of that name is there already",
            Self::NoSpace => "no space is left",
            Self::ReadOnly => "it is read-only",
            Self::BadHandle => "no such open file, or a name that is not allowed",
            Self::Failed => "the device failed",
        }
    }
}

/// What a call of a [`Storage`] gives.
pub type Outcome<T> = Result<T, StorageError>;

/// One folder of files.
pub trait Storage {
    /// Opens a file that is there, to read it and to append to it. On a read-only medium for
    /// reading.
    fn open(&self, name: &str) -> Outcome<Handle>;

    /// Creates a file, exclusively: [`StorageError::Exists`] when the name is taken. Its name is
    /// durable after [`sync_folder`](Self::sync_folder).
    fn create(&self, name: &str) -> Outcome<Handle>;

    /// Closes a file. What was not synced stays unsynced.
    fn close(&self, file: Handle);

    /// Bytes of the file.
    fn len(&self, file: Handle) -> Outcome<u64>;

    /// Reads from `offset` on; gives the bytes read, fewer than asked for only at the end.
    fn read_at(&self, file: Handle, offset: u64, into: &mut [u8]) -> Outcome<usize>;

    /// Appends all of `bytes`. On an error part of them may be there.
    fn append(&self, file: Handle, bytes: &[u8]) -> Outcome<()>;

    /// Cuts the file to `len` bytes: after an append that failed, and to drop a torn tail.
    fn truncate(&self, file: Handle, len: u64) -> Outcome<()>;

    /// Makes all bytes of the file durable. Its name may not be.
    fn sync(&self, file: Handle) -> Outcome<()>;

    /// Makes creations, renames and removals durable.
    fn sync_folder(&self) -> Outcome<()>;

    /// Renames, atomically, in place of whatever has the new name. Open handles stay.
    fn rename(&self, from: &str, to: &str) -> Outcome<()>;

    /// Removes a file.
    fn remove(&self, name: &str) -> Outcome<()>;

    /// Names of all files that begin so. One that is there before the call and after it is among them.
    fn list(&self, prefix: &str) -> Outcome<Vec<String>>;

    /// Is there memory for `bytes` in so many blocks, all at once, of at most `piece` bytes but for
    /// the last one? Asked before a call allocates so much. Whoever knows the allocator knows a
    /// cheaper way than to allocate them and free them.
    fn has_memory(&self, bytes: usize, piece: usize, blocks: u32) -> bool {
        crate::room::is_there(bytes, piece, blocks)
    }
}

/// What a storage gave, on its way as a fault: one call, where `?` would weigh more.
#[inline(never)]
pub(crate) fn done(outcome: Outcome<()>) -> Result<(), Fault> {
    match outcome {
        Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Removes a file if it is there.
pub(crate) fn remove_if_there(storage: &dyn Storage, name: &str) -> Result<(), Fault> {
    match storage.remove(name) {
        Err(StorageError::NotFound) => Ok(()),
        other => done(other),
    }
}

/// Reads all of `into`, or says how many bytes there were.
pub(crate) fn read_full(
    storage: &dyn Storage,
    file: Handle,
    offset: u64,
    into: &mut [u8],
) -> Outcome<usize> {
    let mut read = 0;
    while read < into.len() {
        let at = offset.saturating_add(read as u64);
        match storage.read_at(file, at, &mut into[read..])? {
            0 => break,
            more => read = (read + more).min(into.len()),
        }
    }
    Ok(read)
}
