//! Is there memory for what a call will need? Asked before it begins.
//!
//! Why: Rust's collections end the process, in WebAssembly the instance, when memory runs out.
//! What is durable survives that as it survives a power cut, but what has a limit has to hear
//! of it while it can still read and commit. So whatever grows with what was given or found asks for
//! as much as it will allocate, and for [`LEAST`] more, which serves all that is small: what
//! allocates and can refuse by itself asks afterwards whether that much is left.
//!
//! What it must never do: keep a block, or write to one.

use alloc::vec::Vec;

use crate::Error;
use crate::error::Fault;
use crate::storage::Storage;

/// What any call may need, errors on their way included, and what must be left after it.
const LEAST: usize = 64 << 10;
/// What is written is put together in segments of this many bytes: so much must be in one piece.
const PIECE: usize = 1 << 20;
const PIECES: u32 = 5;
/// Folding and compaction need at most this, however large the file is...
const MOST_TO_WRITE: u64 = 4 << 20;
/// ...and where there are more META segments than these, and the next ones hence are larger, as much
/// more;
const FEW_METAS: usize = 24;
const MORE_TO_WRITE: usize = 2 << 20;
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
    match storage.has_memory(bytes.saturating_add(LEAST), PIECE, PIECES) {
        true => Ok(()),
        false => Err(Error::Memory { needed: bytes as u64 }.into()),
    }
}

/// A table that grows is one block: where it has more than a piece, there must be room for all of it
/// in one place.
///
/// # Errors
/// As [`ask`].
#[inline(never)]
pub(crate) fn whole(storage: &dyn Storage, bytes: usize) -> Result<(), Fault> {
    match bytes <= PIECE || storage.has_memory(bytes.saturating_add(LEAST), usize::MAX, 1) {
        true => Ok(()),
        false => Err(Error::Memory { needed: bytes as u64 }.into()),
    }
}

/// Is as much left as any call may need? For what can refuse by itself, and knows no storage.
#[inline(never)]
pub(crate) fn is_left() -> bool {
    is_there(LEAST, LEAST, 1)
}

/// Allocates so many bytes, in so many blocks of at most `piece` bytes but for the last one, and frees
/// them again, before anything else is allocated.
pub(crate) fn is_there(bytes: usize, piece: usize, blocks: u32) -> bool {
    let size = if blocks > 1 { bytes.min(piece) } else { bytes };
    let mut block = Vec::<u8>::new();
    let is_there = block.try_reserve_exact(size).is_ok()
        && (bytes == size || is_there(bytes - size, piece, blocks - 1));
    // Otherwise the compiler may hold that a block which nobody uses is always there.
    core::hint::black_box(&block);
    is_there
}

/// For writing so many bytes of records into segments, of a file with so many records, which has
/// so many META segments.
///
/// # Errors
/// As [`ask`].
pub(crate) fn to_write(
    storage: &dyn Storage,
    bytes: u64,
    records: usize,
    metas: usize,
) -> Result<(), Fault> {
    let segments = bytes.saturating_mul(TIMES_WRITTEN).min(MOST_TO_WRITE) as usize;
    let larger = if metas > FEW_METAS { MORE_TO_WRITE } else { 0 };
    ask(storage, (segments + larger).saturating_add(records.saturating_mul(LISTED)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::simulated::SimulatedDisk;

    #[test]
    fn more_than_there_can_be_is_refused() {
        let disk = SimulatedDisk::new(0);
        assert_eq!(ask(&disk, 6 << 20), Ok(()));
        assert_eq!(to_write(&disk, u64::MAX, 0, 0), Ok(()));
        let needed = usize::MAX as u64;
        assert_eq!(ask(&disk, usize::MAX), Err(Error::Memory { needed }.into()));
        assert!(is_left());
    }
}
