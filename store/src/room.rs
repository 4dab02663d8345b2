//! Is there memory for what a call will need? Asked before it begins.
//!
//! Why so: Rust's collections end the process, in WebAssembly the instance, when memory runs out.
//! What is durable survives that as it survives a power cut, but who has a limit wants to hear of
//! it while it can still read and commit. So whatever grows with what was given or found asks for
//! as much as it will allocate, and for [`LEAST`] more, which serves all that is small: what
//! allocates and can refuse by itself asks afterwards whether that much is left.
//!
//! What it must never do: keep a block, or write to one.

use alloc::vec::Vec;

use crate::Error;
use crate::error::Fault;

/// What any call may need, errors on their way included, and what must be left after it.
const LEAST: usize = 64 << 10;
/// What is written is put together in segments of this many bytes: so much must be in one piece.
const PIECE: usize = 1 << 20;
const PIECES: usize = 5;
/// Folding and compaction need at most this, however large the file is...
const MOST_TO_WRITE: u64 = 3 << 20;
/// ...and at most this many times what they write.
const TIMES_WRITTEN: u64 = 3;
/// Bytes that each record takes in the lists of what is written.
const LISTED: usize = 128;

/// There must be `bytes` more than any call may need: in pieces of 1 MiB, but for the last one.
///
/// # Errors
/// [`Error::Memory`].
#[inline(never)]
pub(crate) fn ask(bytes: usize) -> Result<(), Fault> {
    match are_there(bytes.saturating_add(LEAST)) {
        true => Ok(()),
        false => Err(Error::Memory { needed: bytes as u64 }.into()),
    }
}

/// Are there so many bytes? The pieces are given back before anything else is allocated.
fn are_there(mut left: usize) -> bool {
    let mut pieces = [const { Vec::<u8>::new() }; PIECES];
    pieces.iter_mut().enumerate().all(|(i, piece)| {
        let len = if i + 1 < PIECES { left.min(PIECE) } else { left };
        left -= len;
        piece.try_reserve_exact(len).is_ok()
    })
}

/// For writing so many bytes of records into segments, of a file with so many records.
///
/// # Errors
/// As [`ask`].
pub(crate) fn to_write(bytes: u64, records: usize) -> Result<(), Fault> {
    let segments = bytes.saturating_mul(TIMES_WRITTEN).min(MOST_TO_WRITE) as usize;
    ask(segments.saturating_add(records.saturating_mul(LISTED)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_there_can_be_is_refused() {
        assert_eq!(ask(1 << 20), Ok(()));
        assert_eq!(to_write(u64::MAX, 0), Ok(()));
        let needed = usize::MAX as u64;
        assert_eq!(ask(usize::MAX), Err(Error::Memory { needed }.into()));
    }
}
