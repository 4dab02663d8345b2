//! A disk that is full, or may only be read.

use std::cell::Cell;

use clawft_agent::platform::native::NativeFileSystem;
use clawft_agent::platform::{Entry, FileError, FileSystem};
use clawft_store::storage::{Handle, Outcome, Storage, StorageError};

/// Files that take nothing new: to make or to write one fails with this error, where there is one.
/// What is there can be read, renamed and removed; where the second is true, folders have too many files
/// to be listed.
pub(crate) struct FullDisk(pub(crate) Cell<Option<FileError>>, pub(crate) Cell<bool>);

impl FullDisk {
    fn may(&self) -> Result<(), FileError> {
        self.0.get().map_or(Ok(()), Err)
    }
}

impl FileSystem for FullDisk {
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, FileError> {
        NativeFileSystem.read(path, limit)
    }

    fn read_at(&self, path: &str, offset: u64, into: &mut [u8]) -> Result<usize, FileError> {
        NativeFileSystem.read_at(path, offset, into)
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), FileError> {
        self.may()?;
        NativeFileSystem.replace(path, bytes)
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), FileError> {
        NativeFileSystem.rename(from, to)
    }

    fn remove(&self, path: &str) -> Result<(), FileError> {
        NativeFileSystem.remove(path)
    }

    fn create_folder(&self, path: &str) -> Result<(), FileError> {
        self.may()?;
        NativeFileSystem.create_folder(path)
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, FileError> {
        match self.1.get() {
            true => Err(FileError::TooLarge { expected: 1, found: 2 }),
            false => NativeFileSystem.list(path),
        }
    }

    fn entry(&self, path: &str) -> Result<Entry, FileError> {
        NativeFileSystem.entry(path)
    }

    fn is_same(&self, a: &str, b: &str) -> bool {
        NativeFileSystem.is_same(a, b)
    }

    fn storage(&self, folder: &str) -> Result<Box<dyn Storage>, FileError> {
        let why = self.0.get().map(|error| match error {
            FileError::ReadOnly => StorageError::ReadOnly,
            _ => StorageError::NoSpace,
        });
        Ok(Box::new(FullStorage(NativeFileSystem.storage(folder)?, why)))
    }
}

/// The same of a folder; there a name cannot be changed either.
struct FullStorage(Box<dyn Storage>, Option<StorageError>);

impl FullStorage {
    fn may(&self) -> Outcome<()> {
        self.1.map_or(Ok(()), Err)
    }
}

impl Storage for FullStorage {
    fn open(&self, name: &str) -> Outcome<Handle> {
        self.0.open(name)
    }

    fn create(&self, name: &str) -> Outcome<Handle> {
        self.may()?;
        self.0.create(name)
    }

    fn close(&self, file: Handle) {
        self.0.close(file);
    }

    fn len(&self, file: Handle) -> Outcome<u64> {
        self.0.len(file)
    }

    fn read_at(&self, file: Handle, offset: u64, into: &mut [u8]) -> Outcome<usize> {
        self.0.read_at(file, offset, into)
    }

    fn append(&self, file: Handle, bytes: &[u8]) -> Outcome<()> {
        self.may()?;
        self.0.append(file, bytes)
    }

    fn truncate(&self, file: Handle, len: u64) -> Outcome<()> {
        self.0.truncate(file, len)
    }

    fn sync(&self, file: Handle) -> Outcome<()> {
        self.0.sync(file)
    }

    fn sync_folder(&self) -> Outcome<()> {
        self.0.sync_folder()
    }

    fn rename(&self, from: &str, to: &str) -> Outcome<()> {
        self.may()?;
        self.0.rename(from, to)
    }

    fn remove(&self, name: &str) -> Outcome<()> {
        self.0.remove(name)
    }

    fn list(&self, prefix: &str) -> Outcome<Vec<String>> {
        self.0.list(prefix)
    }
}
