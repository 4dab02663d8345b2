//! Files below the folders that the host gave.
//!
//! What it must never do: leave a file half written where one was whole. [`WasiFileSystem::replace`]
//! writes beside, syncs, renames and syncs the folder.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use clawft_store::storage::Storage;

use super::edge::descriptor::{
    Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, ErrorCode, OpenFlags, PathFlags,
    read_full,
};
use super::path::{Folders, Place};
use super::random_u64;
use super::storage::{self, WasiStorage, listed};
use super::{NAMES, weight_of};
use crate::platform::{Entry, FileError, FileSystem};

/// Bytes that are written at once.
const PART: usize = 64 << 10;
/// Links to folders and files are followed, as far as they stay inside.
const FOLLOW: PathFlags = PathFlags::SYMLINK_FOLLOW;

/// The host's files.
pub struct WasiFileSystem {
    folders: Folders,
}

impl WasiFileSystem {
    /// The folders that the program was started with.
    #[must_use]
    pub fn new() -> Self {
        Self { folders: Folders::new() }
    }
}

impl Default for WasiFileSystem {
    fn default() -> Self {
        Self::new()
    }
}

/// What a code means where something is to be changed.
fn changing(code: ErrorCode) -> FileError {
    match code {
        ErrorCode::InsufficientMemory => FileError::NoMemory,
        ErrorCode::NoEntry | ErrorCode::NotDirectory => FileError::NotFound,
        ErrorCode::Exist => FileError::Exists,
        ErrorCode::InsufficientSpace | ErrorCode::Quota | ErrorCode::FileTooLarge => {
            FileError::NoSpace
        }
        ErrorCode::ReadOnly | ErrorCode::NotPermitted | ErrorCode::Access => FileError::ReadOnly,
        _ => FileError::Failed,
    }
}

/// What a code means where something is only looked at: a link that leads outside is not permitted.
fn looking(code: ErrorCode) -> FileError {
    match code {
        ErrorCode::NotPermitted => FileError::Outside,
        ErrorCode::Access => FileError::Failed,
        code => changing(code),
    }
}

fn open(place: &Place<'_>, how: OpenFlags) -> Result<Descriptor, FileError> {
    place.folder.open_at(FOLLOW, &place.way, how, DescriptorFlags::READ).map_err(looking)
}

/// Opens a file to read. What else may have a name there is not opened at all: a pipe would hold
/// the program up until somebody writes to it.
fn open_file(place: &Place<'_>) -> Result<Descriptor, FileError> {
    match stat(place)?.type_ {
        DescriptorType::RegularFile => open(place, OpenFlags::empty()),
        _ => Err(FileError::Failed),
    }
}

fn stat(place: &Place<'_>) -> Result<DescriptorStat, FileError> {
    place.folder.stat_at(FOLLOW, &place.way).map_err(looking)
}

fn entry(name: String, stat: &DescriptorStat) -> Entry {
    let is_folder = stat.type_ == DescriptorType::Directory;
    Entry { name, is_folder, len: if is_folder { 0 } else { stat.size } }
}

/// Writes a file that is not there yet, durably.
fn write_new(folder: &Descriptor, way: &str, bytes: &[u8]) -> Result<(), ErrorCode> {
    let how = OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
    let file = folder.open_at(PathFlags::empty(), way, how, DescriptorFlags::WRITE)?;
    let mut done = 0;
    while let Some(rest @ [_, ..]) = bytes.get(done..) {
        let part = &rest[..rest.len().min(PART)];
        match file.write(part, done as u64)? {
            0 => return Err(ErrorCode::Io),
            len => done += len as usize,
        }
    }
    file.sync()
}

impl FileSystem for WasiFileSystem {
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, FileError> {
        let file = open_file(&self.folders.find(path)?)?;
        let found = file.stat().map_err(looking)?;
        if found.size > limit {
            return Err(FileError::TooLarge { expected: limit, found: found.size });
        }
        let len = usize::try_from(found.size).map_err(|_| FileError::Failed)?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(len).map_err(|_| FileError::NoMemory)?;
        bytes.resize(len, 0);
        let read = read_full(&file, 0, &mut bytes).map_err(looking)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    fn read_at(&self, path: &str, offset: u64, into: &mut [u8]) -> Result<usize, FileError> {
        let file = open_file(&self.folders.find(path)?)?;
        read_full(&file, offset, into).map_err(looking)
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), FileError> {
        let place = self.folders.find(path)?;
        let (around, name) = place.split().ok_or(FileError::Exists)?;
        let around = Place { folder: place.folder, way: around.into() };
        let around = open(&around, OpenFlags::DIRECTORY)?;
        let beside = storage::with_number(name, random_u64(), ".new");
        let written = write_new(&around, &beside, bytes)
            .and_then(|()| around.rename_at(&beside, &around, name));
        if let Err(code) = written {
            // It may not be there at all.
            let _ = around.unlink_file_at(&beside);
            return Err(match code {
                ErrorCode::IsDirectory | ErrorCode::NotEmpty => FileError::Exists,
                code => changing(code),
            });
        }
        match around.sync() {
            Err(code) if !storage::cannot_sync(code) => Err(changing(code)),
            _ => Ok(()),
        }
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), FileError> {
        let (from, to) = (self.folders.find(from)?, self.folders.find(to)?);
        from.folder.rename_at(&from.way, to.folder, &to.way).map_err(|code| match code {
            ErrorCode::CrossDevice => FileError::Outside,
            ErrorCode::IsDirectory | ErrorCode::NotEmpty => FileError::Exists,
            code => changing(code),
        })
    }

    fn remove(&self, path: &str) -> Result<(), FileError> {
        let place = self.folders.find(path)?;
        place.folder.unlink_file_at(&place.way).map_err(changing)
    }

    fn create_folder(&self, path: &str) -> Result<(), FileError> {
        let place = self.folders.find(path)?;
        let ends = (0..=place.way.len())
            .filter(|at| matches!(place.way.as_bytes().get(*at), None | Some(b'/')));
        for end in ends {
            let way = place.way.get(..end).unwrap_or(&place.way);
            // On a read-only medium what is there already is fine.
            match place.folder.stat_at(FOLLOW, way) {
                Ok(stat) if stat.type_ == DescriptorType::Directory => continue,
                Ok(_) => return Err(FileError::Exists),
                Err(_) => {}
            }
            match place.folder.create_directory_at(way) {
                // Another program may be faster.
                Ok(()) | Err(ErrorCode::Exist) => {}
                Err(code) => return Err(changing(code)),
            }
        }
        Ok(())
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, FileError> {
        let folder = open(&self.folders.find(path)?, OpenFlags::DIRECTORY)?;
        let mut names = listed(&folder, "").map_err(looking)?;
        let found = weight_of(&names);
        if found > NAMES {
            return Err(FileError::TooLarge { expected: NAMES as u64, found: found as u64 });
        }
        names.sort_unstable();
        // One that went in the meantime, or that leads nowhere, is not there.
        let entry = |name: String| {
            let stat = folder.stat_at(FOLLOW, &name).ok()?;
            Some(entry(name, &stat))
        };
        let mut entries = Vec::new();
        entries.try_reserve_exact(names.len()).map_err(|_| FileError::NoMemory)?;
        entries.extend(names.into_iter().filter_map(entry));
        Ok(entries)
    }

    fn entry(&self, path: &str) -> Result<Entry, FileError> {
        let place = self.folders.find(path)?;
        let name = place.split().map_or(".", |(_, name)| name);
        Ok(entry(name.into(), &stat(&place)?))
    }

    fn is_same(&self, a: &str, b: &str) -> bool {
        let opened = |path| open(&self.folders.find(path).ok()?, OpenFlags::DIRECTORY).ok();
        opened(a).zip(opened(b)).is_some_and(|(a, b)| a.is_same_object(&b))
    }

    fn storage(&self, folder: &str) -> Result<Box<dyn Storage>, FileError> {
        let place = self.folders.find(folder)?;
        Ok(Box::new(WasiStorage::new(open(&place, OpenFlags::DIRECTORY)?)))
    }
}
