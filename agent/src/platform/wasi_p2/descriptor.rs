//! Files and folders of `wasi:filesystem`, and what is done with them besides its own functions.
//!
//! Why: the types of the bindings go through as they are, and `wasi_p1/descriptor.rs` has
//! the same names, so that the code over both is one.
//!
//! What it must never do: say that bytes were appended before their stream was flushed: a
//! stream takes what it has room for, and fails later.

use alloc::string::String;
use alloc::vec::Vec;

use wasip2::cli::environment::initial_cwd;
use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::filesystem_error_code;
pub(crate) use wasip2::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, ErrorCode, OpenFlags, PathFlags,
};
use wasip2::io::streams::StreamError;

use crate::platform::wasi::{NAMES, add};

/// Bytes that are read at once: the host's copy of them is in our memory too.
const PART: usize = 64 << 10;

/// The folders that the host gave, with their names.
pub(crate) fn given_folders() -> Vec<(Descriptor, String)> {
    get_directories()
}

/// Where relative paths begin, as far as the host says so.
pub(crate) fn working_folder() -> Option<String> {
    initial_cwd()
}

/// Reads from `offset` on until `into` is full or the file ends.
pub(crate) fn read_full(
    file: &Descriptor,
    offset: u64,
    into: &mut [u8],
) -> Result<usize, ErrorCode> {
    let mut done = 0;
    while done < into.len() {
        let most = (into.len() - done).min(PART);
        let (part, _) = file.read(most as u64, offset.saturating_add(done as u64))?;
        let len = part.len().min(most);
        if len == 0 {
            break;
        }
        into[done..done + len].copy_from_slice(&part[..len]);
        done += len;
    }
    Ok(done)
}

/// The names in a folder that begin so, in any order, until they have more than [`NAMES`] bytes. One
/// that is no UTF-8 is passed over.
pub(crate) fn names(folder: &Descriptor, prefix: &str) -> Result<Vec<String>, ErrorCode> {
    let stream = folder.read_directory()?;
    let (mut names, mut bytes) = (Vec::new(), 0);
    while bytes <= NAMES {
        match stream.read_directory_entry() {
            Ok(Some(entry)) if !entry.name.starts_with(prefix) => {}
            Ok(Some(entry)) => bytes += add(&mut names, entry.name)?,
            Ok(None) => break,
            Err(ErrorCode::IllegalByteSequence) => {}
            Err(code) => return Err(code),
        }
    }
    Ok(names)
}

/// Opens a file whose bytes are read anywhere and written at its end.
pub(crate) fn open_to_append(
    folder: &Descriptor,
    name: &str,
    how: OpenFlags,
    is_read_only: bool,
) -> Result<Descriptor, ErrorCode> {
    let read = DescriptorFlags::READ;
    let flags = if is_read_only { read } else { read | DescriptorFlags::WRITE };
    folder.open_at(PathFlags::SYMLINK_FOLLOW, name, how, flags)
}

/// What a stream says; one that closed took not all.
fn stream_error(why: StreamError) -> ErrorCode {
    match why {
        StreamError::LastOperationFailed(why) => {
            filesystem_error_code(&why).unwrap_or(ErrorCode::Io)
        }
        StreamError::Closed => ErrorCode::Io,
    }
}

/// Writes to the end of a file of [`open_to_append`].
pub(crate) fn append(file: &Descriptor, bytes: &[u8]) -> Result<(), ErrorCode> {
    let stream = file.append_via_stream()?;
    let mut rest = bytes;
    while !rest.is_empty() {
        let room = stream.check_write().map_err(stream_error)?;
        let (part, more) = rest.split_at(rest.len().min(room as usize));
        if part.is_empty() {
            stream.subscribe().block();
        } else {
            stream.write(part).map_err(stream_error)?;
        }
        rest = more;
    }
    stream.blocking_flush().map_err(stream_error)
}
