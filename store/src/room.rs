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
use crate::storage::{BLOCKS, Storage};

/// What any call may need, errors on their way included, and what must be left after it.
const LEAST: usize = 64 << 10;
/// What is written is put together in segments of this many bytes: so much must be in one piece.
const PIECE: usize = 1 << 20;
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
pub(crate) fn ask(storage: &dyn Storage, bytes: usize) -> Result<(), Fault> {
    let mut left = bytes.saturating_add(LEAST);
    let mut sizes = [0; BLOCKS];
    for size in &mut sizes {
        *size = left.min(PIECE);
        left -= *size;
    }
    sizes[BLOCKS - 1] += left;
    match storage.has_memory(sizes) {
        true => Ok(()),
        false => Err(Error::Memory { needed: bytes as u64 }.into()),
    }
}

/// Is as much left as any call may need? For what can refuse by itself, and knows no storage.
#[inline(never)]
pub(crate) fn is_left() -> bool {
    are_there([LEAST, 0, 0, 0, 0])
}

/// Allocates blocks of these sizes, and frees them again, before anything else is allocated.
pub(crate) fn are_there(sizes: [usize; BLOCKS]) -> bool {
    let mut blocks = [const { Vec::<u8>::new() }; BLOCKS];
    blocks.iter_mut().zip(sizes).all(|(block, size)| block.try_reserve_exact(size).is_ok())
}

/// For writing so many bytes of records into segments, of a file with so many records.
///
/// # Errors
/// As [`ask`].
pub(crate) fn to_write(storage: &dyn Storage, bytes: u64, records: usize) -> Result<(), Fault> {
    let segments = bytes.saturating_mul(TIMES_WRITTEN).min(MOST_TO_WRITE) as usize;
    ask(storage, segments.saturating_add(records.saturating_mul(LISTED)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::simulated::SimulatedDisk;

    #[test]
    fn more_than_there_can_be_is_refused() {
        let disk = SimulatedDisk::new(0);
        assert_eq!(ask(&disk, 6 << 20), Ok(()));
        assert_eq!(to_write(&disk, u64::MAX, 0), Ok(()));
        let needed = usize::MAX as u64;
        assert_eq!(ask(&disk, usize::MAX), Err(Error::Memory { needed }.into()));
        assert!(is_left());
    }
}
