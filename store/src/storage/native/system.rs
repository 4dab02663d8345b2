//! Where operating systems differ: reading at a place, and making names durable.
//!
//! | | reads at a place | syncs a folder |
//! |---|---|---|
//! | Unix | `pread` | `fsync` of the folder |
//! | WASI 0.2 | seek, then read | `sync` of the folder's descriptor |
//! | WASI preview 1 | seek, then read | refused (`badf` from Wasmtime 49): see [`sync_folder`] |
//! | Windows | `seek_read` | there is none |
//!
//! Appending needs no place: what is opened to append goes to the end on all of them, wherever
//! the last read was.
//!
//! What it must never do: take a sync that failed for one that cannot be asked for.

use std::fs::File;
use std::io::{Error, ErrorKind};
use std::path::Path;

#[cfg(unix)]
pub(super) fn read_at(file: &File, offset: u64, into: &mut [u8]) -> Result<usize, Error> {
    std::os::unix::fs::FileExt::read_at(file, into, offset)
}

#[cfg(windows)]
pub(super) fn read_at(file: &File, offset: u64, into: &mut [u8]) -> Result<usize, Error> {
    std::os::windows::fs::FileExt::seek_read(file, into, offset)
}

/// The position belongs to the file, so that two threads must not read one at the same time: a
/// WASI guest has one thread.
#[cfg(not(any(unix, windows)))]
pub(super) fn read_at(mut file: &File, offset: u64, into: &mut [u8]) -> Result<usize, Error> {
    use std::io::{Read, Seek, SeekFrom};
    file.seek(SeekFrom::Start(offset))?;
    file.read(into)
}

/// WASI's `badf`: what a host answers that syncs files only.
const BADF: i32 = 8;

/// Makes the names in `folder` durable. False where that cannot be asked for: then the caller
/// syncs the files whose names changed, which takes their names along on the usual file systems.
pub(super) fn sync_folder(folder: &Path) -> Result<bool, Error> {
    if cfg!(windows) {
        return Ok(false);
    }
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Ok(()) => Ok(true),
        Err(error) if cfg!(target_os = "wasi") && is_refusal(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether the host said that it cannot, not that it failed.
fn is_refusal(error: &Error) -> bool {
    let kinds = [ErrorKind::Unsupported, ErrorKind::InvalidInput, ErrorKind::IsADirectory];
    error.raw_os_error() == Some(BADF) || kinds.contains(&error.kind())
}
