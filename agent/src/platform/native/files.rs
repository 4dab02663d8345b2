//! Files of the machine.
//!
//! Why: a file is written beside the old one and renamed over it, under a name with the
//! process and a number in it, as two programs or two threads may write the same file at once.
//! A limit holds for what is read, not for the length that the system tells: a file may grow,
//! and some have none. No folder is a limit here: the process may use what its account may,
//! and the file tools keep to the folders of the config by themselves.
//!
//! What it must never do: leave a file half written where one was whole.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use std::fs::{self, File};
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use clawft_store::storage::native::NativeFolder;
use clawft_store::storage::{Storage, StorageError};

use crate::platform::{Entry, FileError, FileSystem};

/// All files of the machine that this process may use.
#[derive(Clone, Copy, Debug, Default)]
pub struct NativeFileSystem;

/// Tells the temporary files of one process apart.
static NEXT: AtomicU32 = AtomicU32::new(0);

impl From<Error> for FileError {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory | ErrorKind::IsADirectory => {
                Self::Exists
            }
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                Self::NoSpace
            }
            ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => Self::ReadOnly,
            _ => Self::Failed,
        }
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the names in a folder durable, where the system can do that.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

/// Opens a file to read. What else may have a name there is not opened at all: a pipe would hold
/// the program up until somebody writes to it.
fn open_file(path: &str) -> Result<File, FileError> {
    match fs::metadata(path)? {
        found if found.is_file() => Ok(File::open(path)?),
        found if found.is_dir() => Err(FileError::Exists),
        _ => Err(FileError::Failed),
    }
}

impl FileSystem for NativeFileSystem {
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, FileError> {
        let file = open_file(path)?;
        let found = file.metadata()?;
        let mut bytes = Vec::new();
        // One byte more tells whether it grew, or had no length to begin with.
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        match bytes.len() as u64 > limit {
            true => {
                let found = found.len().max(bytes.len() as u64);
                Err(FileError::TooLarge { expected: limit, found })
            }
            false => Ok(bytes),
        }
    }

    fn read_at(&self, path: &str, offset: u64, into: &mut [u8]) -> Result<usize, FileError> {
        let mut file = open_file(path)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut read = 0;
        while read < into.len() {
            match file.read(&mut into[read..]) {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(read)
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), FileError> {
        let path = Path::new(path);
        let Some(name) = path.file_name() else { return Err(FileError::Exists) };
        let mut fresh = name.to_os_string();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        fresh.push(std::format!(".{}-{number}.new", std::process::id()));
        let fresh: PathBuf = parent(path).join(fresh);
        let write = || -> Result<(), Error> {
            let mut file = File::create(&fresh)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&fresh, path)
        };
        if let Err(error) = write() {
            let _ = fs::remove_file(&fresh);
            return Err(error.into());
        }
        sync_folder(parent(path));
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), FileError> {
        fs::rename(from, to)?;
        sync_folder(parent(Path::new(to)));
        Ok(())
    }

    fn remove(&self, path: &str) -> Result<(), FileError> {
        Ok(fs::remove_file(path)?)
    }

    fn create_folder(&self, path: &str) -> Result<(), FileError> {
        Ok(fs::create_dir_all(path)?)
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, FileError> {
        let mut all = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            // What vanishes meanwhile, and what has no name in UTF-8, is not listed.
            let (Ok(found), Ok(name)) = (entry.metadata(), entry.file_name().into_string()) else {
                continue;
            };
            all.push(of(name, &found));
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    fn entry(&self, path: &str) -> Result<Entry, FileError> {
        let found = fs::metadata(path)?;
        let name = Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned());
        Ok(of(name.unwrap_or_default(), &found))
    }

    fn is_same(&self, a: &str, b: &str) -> bool {
        fs::canonicalize(a).ok().zip(fs::canonicalize(b).ok()).is_some_and(|(a, b)| a == b)
    }

    fn storage(&self, folder: &str) -> Result<Box<dyn Storage>, FileError> {
        match NativeFolder::new(Path::new(folder)) {
            Ok(storage) => Ok(Box::new(storage)),
            Err(StorageError::NotFound) => Err(FileError::NotFound),
            Err(StorageError::ReadOnly) => Err(FileError::ReadOnly),
            Err(_) => Err(FileError::Failed),
        }
    }
}

fn of(name: String, found: &fs::Metadata) -> Entry {
    let is_folder = found.is_dir();
    Entry { name, is_folder, len: if is_folder { 0 } else { found.len() } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_replacement_is_whole_and_leaves_nothing_beside() {
        let folder = std::env::temp_dir().join(std::format!("clawft-files-{}", std::process::id()));
        let files = NativeFileSystem;
        let at = |name: &str| folder.join(name).to_string_lossy().into_owned();
        files.create_folder(&at("a/b")).unwrap();
        files.create_folder(&at("a/b")).unwrap();
        files.replace(&at("a/x"), b"one").unwrap();
        files.replace(&at("a/x"), b"two, longer").unwrap();
        assert_eq!(files.read(&at("a/x"), 11).unwrap(), b"two, longer");
        assert_eq!(
            files.read(&at("a/x"), 10),
            Err(FileError::TooLarge { expected: 10, found: 11 })
        );
        let mut part = [0; 20];
        assert_eq!(files.read_at(&at("a/x"), 5, &mut part), Ok(6));
        assert_eq!(&part[..6], b"longer");
        let names: Vec<_> = files.list(&at("a")).unwrap();
        assert_eq!(
            names,
            [
                Entry { name: "b".to_string(), is_folder: true, len: 0 },
                Entry { name: "x".to_string(), is_folder: false, len: 11 },
            ]
        );
        assert_eq!(files.replace(&at("a/b"), b""), Err(FileError::Exists));
        assert_eq!(files.read(&at("none"), 1), Err(FileError::NotFound));
        assert_eq!(files.read(&at("a/b"), 1), Err(FileError::Exists));
        assert!(files.is_same(&at("a/b"), &at("a/./b")) && !files.is_same(&at("a"), &at("a/b")));
        assert!(!files.is_same(&at("none"), &at("none")));
        files.rename(&at("a/x"), &at("a/y")).unwrap();
        files.remove(&at("a/y")).unwrap();
        assert_eq!(files.entry(&at("a/y")), Err(FileError::NotFound));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_not_waited_for() {
        let name = std::format!("clawft-pipe-{}", std::process::id());
        let pipe = std::env::temp_dir().join(name);
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let path = pipe.to_string_lossy().into_owned();
        let (say, said) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let files = NativeFileSystem;
            let read = files.read(&path, 9).err();
            say.send((read, files.read_at(&path, 0, &mut [0]).err())).unwrap();
        });
        let refused = said.recv_timeout(std::time::Duration::from_secs(10));
        fs::remove_file(&pipe).unwrap();
        assert_eq!(refused, Ok((Some(FileError::Failed), Some(FileError::Failed))));
    }
}
