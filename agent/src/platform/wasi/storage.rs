//! One folder as the storage of a durable file.
//!
//! The same promises as `clawft_store`'s own storage over `std::fs`, which a program without `std`
//! cannot have: what is created is new, what is appended goes to the end as it is then, a sync is
//! the host's sync of the file, and of the folder for its names.
//!
//! What it must never do: give a part of the names for all of them, take a name with a way in
//! it, write at an end that it remembers, or take a sync that failed for one that the host
//! does not have.

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

use clawft_store::storage::{Handle, Outcome, Storage, StorageError};

use super::edge::descriptor::{
    Descriptor, ErrorCode, OpenFlags, append, names, open_to_append, read_full,
};
use super::{NAMES, weight_of};

/// An open file.
struct Open {
    file: Descriptor,
    is_read_only: bool,
}

/// A folder.
pub(super) struct WasiStorage {
    // The files are the folder's children: they go first.
    open: RefCell<Vec<Option<Rc<Open>>>>,
    folder: Descriptor,
}

/// Times that a folder is listed anew.
const LISTINGS: u32 = 100;

/// The names in a folder that begin so. A host looks at each of them, and where one went meanwhile,
/// says that it is not there: then all are listed anew, as the one that took its place may be missing.
pub(super) fn listed(folder: &Descriptor, prefix: &str) -> Result<Vec<String>, ErrorCode> {
    let mut tries = LISTINGS;
    loop {
        match names(folder, prefix) {
            Err(ErrorCode::NoEntry) if tries > 0 => tries -= 1,
            done => return done,
        }
    }
}

/// `name`, a number in hexadecimal, and an ending: a name that nobody else takes.
pub(super) fn with_number(name: &str, number: u64, ending: &str) -> String {
    let mut all = String::from(name);
    all.push('.');
    all.extend((0..16).map(|i| {
        let half = (number >> (60 - 4 * i) & 15) as u8;
        char::from(b"0123456789abcdef"[usize::from(half)])
    }));
    all.push_str(ending);
    all
}

/// Whether the host said of a folder that it syncs files only, not that it failed.
pub(super) fn cannot_sync(code: ErrorCode) -> bool {
    use ErrorCode::{BadDescriptor, Invalid, IsDirectory, Unsupported};
    matches!(code, BadDescriptor | Invalid | IsDirectory | Unsupported)
}

fn error(code: ErrorCode) -> StorageError {
    match code {
        ErrorCode::NoEntry => StorageError::NotFound,
        ErrorCode::Exist => StorageError::Exists,
        ErrorCode::InsufficientSpace | ErrorCode::Quota | ErrorCode::FileTooLarge => {
            StorageError::NoSpace
        }
        ErrorCode::ReadOnly | ErrorCode::NotPermitted | ErrorCode::Access => StorageError::ReadOnly,
        _ => StorageError::Failed,
    }
}

/// A name of this folder and of no other.
fn own(name: &str) -> Outcome<&str> {
    match name {
        "" | "." | ".." => Err(StorageError::BadHandle),
        name if name.bytes().any(|byte| matches!(byte, b'/' | b'\\' | 0)) => {
            Err(StorageError::BadHandle)
        }
        name => Ok(name),
    }
}

impl WasiStorage {
    pub(super) fn new(folder: Descriptor) -> Self {
        Self { open: RefCell::default(), folder }
    }

    fn opened(&self, name: &str, how: OpenFlags, is_read_only: bool) -> Outcome<Handle> {
        let file = open_to_append(&self.folder, own(name)?, how, is_read_only).map_err(error)?;
        let open = Some(Rc::new(Open { file, is_read_only }));
        let mut table = self.open.borrow_mut();
        let at = match table.iter().position(Option::is_none) {
            Some(at) => at,
            None => {
                table.push(None);
                table.len() - 1
            }
        };
        table[at] = open;
        Ok(at as Handle)
    }

    fn get(&self, file: Handle) -> Outcome<Rc<Open>> {
        self.open.borrow().get(file as usize).cloned().flatten().ok_or(StorageError::BadHandle)
    }

    fn writable(&self, file: Handle) -> Outcome<Rc<Open>> {
        let open = self.get(file)?;
        if open.is_read_only { Err(StorageError::ReadOnly) } else { Ok(open) }
    }
}

impl Storage for WasiStorage {
    #[cfg(feature = "component")]
    fn has_memory(&self, bytes: usize, piece: usize, blocks: u32) -> bool {
        // What a store leaves to the rest of the agent: a call that would leave less is refused.
        const LEFT: usize = 512 << 10;
        crate::component::heap::has_memory(bytes.saturating_add(LEFT), piece, blocks + 1)
    }

    fn open(&self, name: &str) -> Outcome<Handle> {
        match self.opened(name, OpenFlags::empty(), false) {
            Err(StorageError::ReadOnly) => self.opened(name, OpenFlags::empty(), true),
            other => other,
        }
    }

    fn create(&self, name: &str) -> Outcome<Handle> {
        let how = OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
        self.opened(name, how, false)
    }

    fn close(&self, file: Handle) {
        if let Some(open) = self.open.borrow_mut().get_mut(file as usize) {
            *open = None;
        }
    }

    fn len(&self, file: Handle) -> Outcome<u64> {
        Ok(self.get(file)?.file.stat().map_err(error)?.size)
    }

    fn read_at(&self, file: Handle, offset: u64, into: &mut [u8]) -> Outcome<usize> {
        read_full(&self.get(file)?.file, offset, into).map_err(error)
    }

    /// To the end as the host knows it, and not to a place that was the end when we looked: two
    /// writers that do not know of each other must not write over what the other one committed.
    fn append(&self, file: Handle, bytes: &[u8]) -> Outcome<()> {
        append(&self.writable(file)?.file, bytes).map_err(error)
    }

    fn truncate(&self, file: Handle, len: u64) -> Outcome<()> {
        self.writable(file)?.file.set_size(len).map_err(error)
    }

    fn sync(&self, file: Handle) -> Outcome<()> {
        self.writable(file)?.file.sync().map_err(error)
    }

    fn sync_folder(&self) -> Outcome<()> {
        match self.folder.sync() {
            // Then the files are synced, which takes their names along on the usual file systems.
            Err(code) if cannot_sync(code) => {
                for open in self.open.borrow().iter().flatten().filter(|open| !open.is_read_only) {
                    open.file.sync().map_err(error)?;
                }
                Ok(())
            }
            other => other.map_err(error),
        }
    }

    fn rename(&self, from: &str, to: &str) -> Outcome<()> {
        self.folder.rename_at(own(from)?, &self.folder, own(to)?).map_err(error)
    }

    fn remove(&self, name: &str) -> Outcome<()> {
        self.folder.unlink_file_at(own(name)?).map_err(error)
    }

    fn list(&self, prefix: &str) -> Outcome<Vec<String>> {
        let mut names = listed(&self.folder, prefix).map_err(error)?;
        // A store that saw a part of its files would take the others for lost.
        if weight_of(&names) > NAMES {
            return Err(StorageError::Failed);
        }
        names.sort_unstable();
        Ok(names)
    }
}
