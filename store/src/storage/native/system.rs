//! Where operating systems differ: reading at a place, and making names durable.
//!
//! | | reads at a place | syncs a folder |
//! |---|---|---|
//! | Unix | `pread` | `fsync` of the folder; some shared folders refuse it: see [`sync_folder`] |
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

/// `EBADF`, WASI's `badf`: what a host answers that syncs files only.
const BADF: i32 = if cfg!(target_os = "wasi") { 8 } else { 9 };

/// Makes the names in `folder` durable. False where that cannot be asked for: then the caller
/// syncs the files whose names changed, which takes their names along on the usual file systems.
pub(super) fn sync_folder(folder: &Path) -> Result<bool, Error> {
    if cfg!(windows) {
        return Ok(false);
    }
    let opened = File::open(folder);
    // A WASI host may refuse to open it. Natively that says nothing of syncing.
    let opened = if cfg!(target_os = "wasi") { opened } else { Ok(opened?) };
    was_synced(opened.and_then(|folder| folder.sync_all()))
}

/// False where the system said that it cannot, not that it failed.
fn was_synced(synced: Result<(), Error>) -> Result<bool, Error> {
    let kinds = [ErrorKind::Unsupported, ErrorKind::InvalidInput, ErrorKind::IsADirectory];
    match synced {
        Ok(()) => Ok(true),
        Err(error) if error.raw_os_error() == Some(BADF) => Ok(false),
        Err(error) if kinds.contains(&error.kind()) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_cannot_be_synced_is_told_from_one_that_failed() {
        let synced = |number| was_synced(Err(Error::from_raw_os_error(number))).ok();
        // As a VirtualBox share says it, and what others may say.
        let [einval, ebadf, eopnotsupp] =
            [22, 9, if cfg!(target_vendor = "apple") { 102 } else { 95 }];
        for number in [einval, ebadf, eopnotsupp] {
            assert_eq!(synced(number), Some(false), "{number}");
        }
        let [eintr, eio, eacces, enospc, erofs] = [4, 5, 13, 28, 30];
        for number in [eintr, eio, eacces, enospc, erofs] {
            assert_eq!(synced(number), None, "{number}");
        }
        // An `InvalidInput` too, but of opening it.
        assert!(sync_folder(Path::new("no\0folder")).is_err());
    }
}
