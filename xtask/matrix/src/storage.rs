//! The storage that `clawft-store.wasm` imports: one folder of files, as docs/abi-memory.md says.

use crate::guest::{Import, Imports};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const NOT_FOUND: i32 = -201;
const EXISTS: i32 = -202;
const NO_SPACE: i32 = -203;
const READ_ONLY: i32 = -204;
const BAD_FILE: i32 = -205;
const FAILED: i32 = -206;

const fn import(name: &'static str, parameters: &'static str, result: &'static str) -> Import {
    Import { module: "clawft_storage", name, parameters, result }
}

/// The functions, in the order in which [`Folder`] tells them apart.
pub const FUNCTIONS: &[Import] = &[
    import("open", "iii", "i"),
    import("create", "iii", "i"),
    import("close", "ii", "i"),
    import("len", "ii", "I"),
    import("read_at", "iiIii", "i"),
    import("append", "iiii", "i"),
    import("truncate", "iiI", "i"),
    import("sync", "ii", "i"),
    import("sync_folder", "i", "i"),
    import("rename", "iiiii", "i"),
    import("remove", "iii", "i"),
    import("progress", "iii", ""),
    import("list", "iiiii", "i"),
];

/// A folder, and the files of it that are open.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    files: BTreeMap<u32, File>,
    /// Bytes that may still be appended: a disk that ends.
    space: Arc<AtomicU64>,
}

impl Folder {
    /// The folder at `path`, on a disk with `space` bytes, which the test may change.
    pub fn new(path: PathBuf, space: Arc<AtomicU64>) -> Self {
        Folder { path, files: BTreeMap::new(), space }
    }

    fn place(&self, memory: &[u8], at: u64, len: u64) -> Result<PathBuf, i32> {
        let name = bytes(memory, at, len).and_then(|name| std::str::from_utf8(name).ok());
        match name {
            Some(name) if !name.contains(['/', '\\']) && name != ".." => Ok(self.path.join(name)),
            _ => Err(BAD_FILE),
        }
    }

    fn give(&mut self, opened: std::io::Result<File>) -> Result<i64, i32> {
        let file = opened.map_err(|why| number(&why))?;
        let free = (0..).find(|number| !self.files.contains_key(number)).unwrap_or_default();
        self.files.insert(free, file);
        Ok(i64::from(free))
    }

    fn file(&mut self, number: u64) -> Result<&mut File, i32> {
        self.files.get_mut(&(number as u32)).ok_or(BAD_FILE)
    }

    fn read_at(&mut self, memory: &mut [u8], given: &[u64]) -> std::io::Result<i64> {
        let (Ok(file), Some(into)) = (self.file(given[1]), bytes_mut(memory, given[3], given[4]))
        else {
            return Ok(i64::from(BAD_FILE));
        };
        file.seek(SeekFrom::Start(given[2]))?;
        let mut read = 0;
        while read < into.len() {
            match file.read(&mut into[read..])? {
                0 => break,
                n => read += n,
            }
        }
        Ok(read as i64)
    }

    fn append(&mut self, memory: &[u8], given: &[u64]) -> std::io::Result<i64> {
        let Some(all) = bytes(memory, given[2], given[3]) else {
            return Ok(i64::from(BAD_FILE));
        };
        let fits = all.len().min(self.space.load(Relaxed) as usize);
        let Ok(file) = self.file(given[1]) else {
            return Ok(i64::from(BAD_FILE));
        };
        file.write_all(&all[..fits])?;
        self.space.fetch_sub(fits as u64, Relaxed);
        Ok(if fits < all.len() { i64::from(NO_SPACE) } else { 0 })
    }

    fn list(&self, memory: &mut [u8], given: &[u64]) -> std::io::Result<i64> {
        let prefix = bytes(memory, given[1], given[2]).unwrap_or_default().to_vec();
        let mut names = Vec::new();
        for file in std::fs::read_dir(&self.path)? {
            let name = file?.file_name().into_encoded_bytes();
            if name.starts_with(&prefix) {
                names.extend([&name[..], &[0]].concat());
            }
        }
        let Some(into) = bytes_mut(memory, given[3], given[4]) else {
            return Ok(i64::from(BAD_FILE));
        };
        let fits = names.len().min(into.len());
        into[..fits].copy_from_slice(&names[..fits]);
        Ok(names.len() as i64)
    }

    fn answer(&mut self, at: usize, memory: &mut [u8], given: &[u64]) -> Result<i64, i32> {
        let done = |outcome: std::io::Result<()>| match outcome {
            Ok(()) => Ok(0),
            Err(why) => Err(number(&why)),
        };
        let system = |outcome: std::io::Result<i64>| outcome.map_err(|why| number(&why));
        let mut to_append = OpenOptions::new();
        to_append.read(true).append(true);
        match FUNCTIONS[at].name {
            "open" => {
                let place = self.place(memory, given[1], given[2])?;
                self.give(to_append.open(place))
            }
            "create" => {
                let place = self.place(memory, given[1], given[2])?;
                self.give(to_append.create_new(true).open(place))
            }
            "close" => self.files.remove(&(given[1] as u32)).map(|_| 0).ok_or(BAD_FILE),
            "len" => system(self.file(given[1])?.metadata().map(|about| about.len() as i64)),
            "read_at" => system(self.read_at(memory, given)),
            "append" => system(self.append(memory, given)),
            "truncate" => done(self.file(given[1])?.set_len(given[2])),
            "sync" => done(self.file(given[1])?.sync_data()),
            "sync_folder" => done(File::open(&self.path).and_then(|folder| folder.sync_all())),
            "rename" => {
                let from = self.place(memory, given[1], given[2])?;
                done(std::fs::rename(from, self.place(memory, given[3], given[4])?))
            }
            "remove" => done(std::fs::remove_file(self.place(memory, given[1], given[2])?)),
            "list" => system(self.list(memory, given)),
            _ => Ok(0),
        }
    }
}

fn bytes(memory: &[u8], at: u64, len: u64) -> Option<&[u8]> {
    memory.get(at as usize..)?.get(..len as usize)
}

fn bytes_mut(memory: &mut [u8], at: u64, len: u64) -> Option<&mut [u8]> {
    memory.get_mut(at as usize..)?.get_mut(..len as usize)
}

fn number(why: &std::io::Error) -> i32 {
    match why.kind() {
        ErrorKind::NotFound => NOT_FOUND,
        ErrorKind::AlreadyExists => EXISTS,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => NO_SPACE,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => READ_ONLY,
        _ => FAILED,
    }
}

impl Imports for Folder {
    fn functions(&self) -> &'static [Import] {
        FUNCTIONS
    }

    fn call(&mut self, at: usize, memory: &mut [u8], arguments: &[u64]) -> u64 {
        self.answer(at, memory, arguments).unwrap_or_else(i64::from) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn files_are_made_written_read_and_renamed() {
        let scratch = Scratch::new().unwrap();
        let space = Arc::new(AtomicU64::new(10));
        let mut folder = Folder::new(scratch.path().to_path_buf(), space.clone());
        let mut memory = *b"ab0123456789../x";
        let mut call = |name: &str, given: &[u64]| {
            let at = FUNCTIONS.iter().position(|one| one.name == name).unwrap();
            let result = folder.call(at, &mut memory, &[&[0], given].concat()) as i64;
            (result, memory)
        };
        assert_eq!(call("open", &[0, 1]).0, i64::from(NOT_FOUND));
        assert_eq!(call("create", &[12, 4]).0, i64::from(BAD_FILE), "a path that leads outside");
        let file = call("create", &[0, 1]).0 as u64;
        assert_eq!(call("create", &[0, 1]).0, i64::from(EXISTS));
        assert_eq!(call("append", &[file, 2, 8]).0, 0);
        assert_eq!(call("append", &[file, 2, 8]).0, i64::from(NO_SPACE));
        space.store(u64::MAX, Relaxed);
        assert_eq!(call("len", &[file]).0, 10, "a part of what did not fit is there");
        assert_eq!(call("truncate", &[file, 8]).0, 0);
        let (n, memory) = call("read_at", &[file, 6, 8, 8]);
        assert_eq!((n, &memory[8..10]), (2, b"67".as_slice()));
        assert_eq!(call("rename", &[0, 1, 1, 1]).0, 0);
        let (n, memory) = call("list", &[1, 1, 8, 8]);
        assert_eq!((n, &memory[8..10]), (2, b"b\0".as_slice()));
        assert_eq!(call("list", &[0, 1, 8, 8]).0, 0, "it has another name now");
        assert_eq!(call("close", &[file]).0, 0);
        assert_eq!(call("close", &[file]).0, i64::from(BAD_FILE));
        assert_eq!(call("remove", &[1, 1]).0, 0);
        assert_eq!(call("read_at", &[file, 0, 15, 99]).0, i64::from(BAD_FILE));
    }
}
