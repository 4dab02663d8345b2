//! Files and folders by their descriptors, under the names that WASI 0.2 has for the same: the code
//! over them is one.
//!
//! Why: preview 1 asks for rights with each opening, and hosts that know them refuse
//! whoever wants more than the folder has. So a file is opened with the rights for what is
//! done with it, and a folder with those that can be inherited.
//!
//! What it must never do: close a folder that the program was given, as nobody can open it
//! again, or close a descriptor twice: its number may be another file's by then.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::BitOr;

use super::sys::{self, Fd, Opening};
use crate::platform::wasi::{NAMES, add};

/// The first descriptor of a given folder; below are input, output and error.
const FIRST: Fd = 3;
/// Folders that are looked for at most.
const FOLDERS: Fd = 64;
/// Bytes of a `dirent`, which its name follows.
const ENTRY: usize = 24;
/// Bytes of entries that are read at once: many, for hosts look through the whole folder at each call.
const ENTRIES: usize = 64 << 10;
/// `filetype` of a folder.
const FOLDER: u8 = 3;
/// And of a file with bytes in it.
const FILE: u8 = 4;
/// `fdflags`: what is written goes to the end.
const APPEND: u32 = 1;

// `rights`. Hosts that know them refuse whoever asks for more than the folder has.
const FD_READ: u64 = 1 << 1;
const FD_SEEK: u64 = 1 << 2;
const FD_SYNC: u64 = 1 << 4;
const FD_TELL: u64 = 1 << 5;
const FD_WRITE: u64 = 1 << 6;
const FD_READDIR: u64 = 1 << 14;
const FD_FILESTAT_GET: u64 = 1 << 21;
const FD_FILESTAT_SET_SIZE: u64 = 1 << 22;
/// Create folder and file, open, rename from and to, look at, unlink.
const PATHS: u64 = 1 << 9 | 1 << 10 | 1 << 13 | 1 << 16 | 1 << 17 | 1 << 18 | 1 << 26;
const READS: u64 = FD_READ | FD_SEEK | FD_TELL | FD_SYNC | FD_FILESTAT_GET;
const WRITES: u64 = FD_WRITE | FD_SEEK | FD_TELL | FD_SYNC | FD_FILESTAT_GET | FD_FILESTAT_SET_SIZE;

/// What a host says when it refuses, as far as it matters here which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorCode {
    Access,
    BadDescriptor,
    CrossDevice,
    Exist,
    FileTooLarge,
    InsufficientMemory,
    InsufficientSpace,
    Invalid,
    Io,
    IsDirectory,
    NoEntry,
    NotDirectory,
    NotEmpty,
    NotPermitted,
    Quota,
    ReadOnly,
    Unsupported,
}

impl ErrorCode {
    /// The one of an `errno`.
    pub(super) fn of(code: u32) -> Self {
        match code {
            2 => Self::Access,
            8 => Self::BadDescriptor,
            19 => Self::Quota,
            20 => Self::Exist,
            22 => Self::FileTooLarge,
            28 => Self::Invalid,
            31 => Self::IsDirectory,
            44 => Self::NoEntry,
            48 => Self::InsufficientMemory,
            51 => Self::InsufficientSpace,
            54 => Self::NotDirectory,
            55 => Self::NotEmpty,
            52 | 58 => Self::Unsupported,
            // ENOTCAPABLE too: a way that leads outside.
            63 | 76 => Self::NotPermitted,
            69 => Self::ReadOnly,
            75 => Self::CrossDevice,
            _ => Self::Io,
        }
    }
}

/// Flags, which `|` joins.
macro_rules! flags {
    ($(#[$what:meta] $name:ident { $($flag:ident = $value:literal),+ })+) => {$(
        #[$what]
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub(crate) struct $name(u32);

        impl $name {
            $(pub(crate) const $flag: Self = Self($value);)+
        }

        impl BitOr for $name {
            type Output = Self;

            fn bitor(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }
    )+};
}

flags! {
    /// How a path is followed.
    PathFlags { SYMLINK_FOLLOW = 1 }
    /// What may be there, and what is made.
    OpenFlags { CREATE = 1, DIRECTORY = 2, EXCLUSIVE = 4 }
    /// What is to be done with it.
    DescriptorFlags { READ = 1, WRITE = 2 }
}

impl PathFlags {
    pub(crate) const fn empty() -> Self {
        Self(0)
    }
}

impl OpenFlags {
    pub(crate) const fn empty() -> Self {
        Self(0)
    }

    fn is_folder(self) -> bool {
        self.0 & Self::DIRECTORY.0 != 0
    }
}

impl DescriptorFlags {
    fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DescriptorType {
    Directory,
    RegularFile,
    /// A pipe, a device, or nothing that the host has a word for.
    Unknown,
}

/// A look at it.
pub(crate) struct DescriptorStat {
    pub(crate) type_: DescriptorType,
    pub(crate) size: u64,
}

impl From<sys::FileStat> for DescriptorStat {
    fn from(stat: sys::FileStat) -> Self {
        let type_ = match stat.kind {
            FOLDER => DescriptorType::Directory,
            FILE => DescriptorType::RegularFile,
            _ => DescriptorType::Unknown,
        };
        Self { type_, size: stat.size }
    }
}

/// An open file or folder; closed when it goes, but for those that the program was given.
pub(crate) struct Descriptor {
    fd: Fd,
    is_given: bool,
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        if !self.is_given {
            sys::close(self.fd);
        }
    }
}

impl Descriptor {
    pub(crate) fn open_at(
        &self,
        follow: PathFlags,
        way: &str,
        how: OpenFlags,
        what: DescriptorFlags,
    ) -> Result<Self, ErrorCode> {
        self.open_with(follow, way, how, what, 0)
    }

    fn open_with(
        &self,
        follow: PathFlags,
        way: &str,
        how: OpenFlags,
        what: DescriptorFlags,
        flags: u32,
    ) -> Result<Self, ErrorCode> {
        let (rights, inherited) = if how.is_folder() {
            // Nobody may inherit what the folder around does not have.
            let have = sys::fd_stat(self.fd).map_or(u64::MAX, |stat| stat.inherited);
            let own = PATHS | FD_READDIR | FD_SYNC | FD_FILESTAT_GET;
            (own & have, (own | READS | WRITES) & have)
        } else {
            let reads = if what.has(DescriptorFlags::READ) { READS } else { 0 };
            let writes = if what.has(DescriptorFlags::WRITE) { WRITES } else { 0 };
            (reads | writes, 0)
        };
        let opening = Opening { how: follow.0, open: how.0, rights, inherited, flags };
        sys::open(self.fd, way, &opening).map(|fd| Self { fd, is_given: false })
    }

    pub(crate) fn stat(&self) -> Result<DescriptorStat, ErrorCode> {
        sys::stat(self.fd).map(Into::into)
    }

    pub(crate) fn stat_at(
        &self,
        follow: PathFlags,
        way: &str,
    ) -> Result<DescriptorStat, ErrorCode> {
        sys::stat_at(self.fd, follow.0, way).map(Into::into)
    }

    /// Whether both are of one file or folder, as far as the host numbers them.
    pub(crate) fn is_same_object(&self, other: &Self) -> bool {
        let number = |of: &Self| sys::stat(of.fd).ok().map(|stat| (stat.device, stat.inode));
        let own = number(self);
        own.is_some_and(|(_, inode)| inode != 0) && own == number(other)
    }

    pub(crate) fn write(&self, bytes: &[u8], at: u64) -> Result<u64, ErrorCode> {
        sys::write_at(self.fd, at, bytes).map(|len| len as u64)
    }

    pub(crate) fn set_size(&self, size: u64) -> Result<(), ErrorCode> {
        sys::set_size(self.fd, size)
    }

    pub(crate) fn sync(&self) -> Result<(), ErrorCode> {
        sys::sync(self.fd)
    }

    pub(crate) fn create_directory_at(&self, way: &str) -> Result<(), ErrorCode> {
        sys::create_folder(self.fd, way)
    }

    pub(crate) fn rename_at(&self, from: &str, folder: &Self, to: &str) -> Result<(), ErrorCode> {
        sys::rename(self.fd, from, folder.fd, to)
    }

    pub(crate) fn unlink_file_at(&self, way: &str) -> Result<(), ErrorCode> {
        sys::remove(self.fd, way)
    }
}

/// The folders that the host gave, with their names.
pub(crate) fn given_folders() -> Vec<(Descriptor, String)> {
    let all = (FIRST..FIRST + FOLDERS).map_while(|fd| Some((fd, sys::given(fd)?)));
    all.map(|(fd, name)| (Descriptor { fd, is_given: true }, name)).collect()
}

/// Preview 1 knows of no working folder.
pub(crate) fn working_folder() -> Option<String> {
    None
}

/// Reads from `offset` on until `into` is full or the file ends.
pub(crate) fn read_full(
    file: &Descriptor,
    offset: u64,
    into: &mut [u8],
) -> Result<usize, ErrorCode> {
    let mut done = 0;
    while let Some(rest @ [_, ..]) = into.get_mut(done..) {
        match sys::read_at(file.fd, offset.saturating_add(done as u64), rest)? {
            0 => break,
            len => done += len,
        }
    }
    Ok(done)
}

/// The names in a folder that begin so, in any order, until they have more than [`NAMES`] bytes. One
/// that is no UTF-8 is passed over.
pub(crate) fn names(folder: &Descriptor, prefix: &str) -> Result<Vec<String>, ErrorCode> {
    let (mut names, mut bytes) = (Vec::new(), 0);
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(ENTRIES).map_err(|_| ErrorCode::InsufficientMemory)?;
    buffer.resize(ENTRIES, 0);
    let mut cookie = 0;
    loop {
        let len = sys::read_folder(folder.fd, cookie, &mut buffer)?;
        let before = cookie;
        let mut rest = buffer.get(..len).unwrap_or_default();
        // What is cut is read again, from the cookie before it.
        while let Some((entry, after)) = rest.split_first_chunk::<ENTRY>() {
            let next = entry.first_chunk().map_or(0, |next| u64::from_le_bytes(*next));
            let name = entry.get(16..).and_then(<[u8]>::first_chunk);
            let name = name.map_or(0, |len| u32::from_le_bytes(*len) as usize);
            let Some((name, after)) = after.split_at_checked(name) else { break };
            if let Ok(name) = core::str::from_utf8(name)
                && !matches!(name, "." | "..")
                && name.starts_with(prefix)
            {
                bytes += add(&mut names, name)?;
            }
            cookie = next;
            rest = after;
        }
        if len < buffer.len() || cookie == before || bytes > NAMES {
            return Ok(names);
        }
    }
}

/// Opens a file whose bytes are read anywhere and written at its end.
pub(crate) fn open_to_append(
    folder: &Descriptor,
    name: &str,
    how: OpenFlags,
    is_read_only: bool,
) -> Result<Descriptor, ErrorCode> {
    let (what, flags) = match is_read_only {
        true => (DescriptorFlags::READ, 0),
        false => (DescriptorFlags::READ | DescriptorFlags::WRITE, APPEND),
    };
    folder.open_with(PathFlags::SYMLINK_FOLLOW, name, how, what, flags)
}

/// Writes to the end of a file of [`open_to_append`].
pub(crate) fn append(file: &Descriptor, bytes: &[u8]) -> Result<(), ErrorCode> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match sys::write(file.fd, rest)? {
            0 => return Err(ErrorCode::Io),
            len => rest = rest.get(len..).unwrap_or_default(),
        }
    }
    Ok(())
}
