//! Files in one folder: of the operating system, or of the host that a WASI guest runs in.
//!
//! The standard library is the same over both; what is not is in `system`. A sync is `fsync` of
//! the file, and of the folder for its names. The lock is native only: a guest has
//! [`Lease`](crate::Lease). What it must never do: follow a name out of its folder.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::string::String;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::vec::Vec;

use super::{Handle, Outcome, Storage, StorageError};

#[cfg(not(target_family = "wasm"))]
mod lock;
mod system;
#[cfg(not(target_family = "wasm"))]
pub use lock::{LockError, WriterLock};

/// Times that a folder is listed anew where a name went while it was listed: a WASI host looks at each
/// name, and says then that it is not there. Without it the name that took its place may be missing.
const LISTINGS: u32 = 100;

struct Open {
    file: File,
    read_only: bool,
}

/// A folder.
pub struct NativeFolder {
    folder: PathBuf,
    open: Mutex<Vec<Option<Arc<Open>>>>,
}

impl From<Error> for StorageError {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::AlreadyExists => Self::Exists,
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                Self::NoSpace
            }
            ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => Self::ReadOnly,
            _ => Self::Failed,
        }
    }
}

impl NativeFolder {
    /// The folder at `folder`, which must be there.
    ///
    /// # Errors
    /// [`StorageError::NotFound`] and what else the system says.
    pub fn new(folder: &Path) -> Outcome<Self> {
        if !folder.metadata()?.is_dir() {
            return Err(StorageError::NotFound);
        }
        Ok(Self { folder: folder.to_path_buf(), open: Mutex::default() })
    }

    fn names(&self, prefix: &str) -> Outcome<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let name = entry?.file_name().into_string();
            names.extend(name.ok().filter(|name| name.starts_with(prefix)));
        }
        Ok(names)
    }

    fn path(&self, name: &str) -> Outcome<PathBuf> {
        let plain = Path::new(name).file_name().is_some_and(|plain| plain == name);
        match plain {
            true => Ok(self.folder.join(name)),
            false => Err(StorageError::BadHandle),
        }
    }

    fn table(&self) -> MutexGuard<'_, Vec<Option<Arc<Open>>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, file: File, read_only: bool) -> Handle {
        let mut table = self.table();
        let open = Some(Arc::new(Open { file, read_only }));
        let at = match table.iter().position(Option::is_none) {
            Some(at) => {
                table[at] = open;
                at
            }
            None => {
                table.push(open);
                table.len() - 1
            }
        };
        at as Handle
    }

    fn get(&self, file: Handle) -> Outcome<Arc<Open>> {
        self.table().get(file as usize).cloned().flatten().ok_or(StorageError::BadHandle)
    }

    fn writable(&self, file: Handle) -> Outcome<Arc<Open>> {
        let open = self.get(file)?;
        if open.read_only { Err(StorageError::ReadOnly) } else { Ok(open) }
    }
}

impl Storage for NativeFolder {
    fn open(&self, name: &str) -> Outcome<Handle> {
        let path = self.path(name)?;
        match OpenOptions::new().read(true).append(true).open(&path).map_err(StorageError::from) {
            Ok(file) => Ok(self.keep(file, false)),
            Err(StorageError::ReadOnly) => Ok(self.keep(File::open(&path)?, true)),
            Err(error) => Err(error),
        }
    }

    fn create(&self, name: &str) -> Outcome<Handle> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create_new(true);
        Ok(self.keep(options.open(self.path(name)?)?, false))
    }

    fn close(&self, file: Handle) {
        if let Some(open) = self.table().get_mut(file as usize) {
            *open = None;
        }
    }

    fn len(&self, file: Handle) -> Outcome<u64> {
        Ok(self.get(file)?.file.metadata()?.len())
    }

    fn read_at(&self, file: Handle, offset: u64, into: &mut [u8]) -> Outcome<usize> {
        let open = self.get(file)?;
        loop {
            match system::read_at(&open.file, offset, into) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => return Ok(other?),
            }
        }
    }

    fn append(&self, file: Handle, bytes: &[u8]) -> Outcome<()> {
        Ok((&self.writable(file)?.file).write_all(bytes)?)
    }

    fn truncate(&self, file: Handle, len: u64) -> Outcome<()> {
        Ok(self.writable(file)?.file.set_len(len)?)
    }

    fn sync(&self, file: Handle) -> Outcome<()> {
        Ok(self.writable(file)?.file.sync_all()?)
    }

    fn sync_folder(&self) -> Outcome<()> {
        if !system::sync_folder(&self.folder)? {
            let open: Vec<_> = self.table().iter().flatten().cloned().collect();
            for open in open.iter().filter(|open| !open.read_only) {
                open.file.sync_all()?;
            }
        }
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> Outcome<()> {
        Ok(std::fs::rename(self.path(from)?, self.path(to)?)?)
    }

    fn remove(&self, name: &str) -> Outcome<()> {
        Ok(std::fs::remove_file(self.path(name)?)?)
    }

    fn list(&self, prefix: &str) -> Outcome<Vec<String>> {
        let mut tries = LISTINGS;
        let mut names = loop {
            match self.names(prefix) {
                Err(StorageError::NotFound) if tries > 0 => tries -= 1,
                done => break done?,
            }
        };
        names.sort();
        Ok(names)
    }
}
