//! Is there memory for the next step of a turn?
//!
//! Why: an instance whose allocator has nothing left ends, as it says in the store's
//! `room.rs`. What is kept of an answer, a file or a session has a limit each; their sum is more than
//! 16 MiB have left beside a large store. So a step that makes copies of long texts asks before it
//! begins, for as many bytes as they take; what grows as it comes (JSON, a stream, an answer) refuses
//! by itself.
//!
//! What it must never do: keep a block, or write to one.

#[cfg(not(all(target_os = "wasi", feature = "component", not(test))))]
use alloc::vec::Vec;

use crate::failure::{Exit, Failure};

/// For what is small, and is not asked for: sentences, names, short lists.
const LEFT: usize = 128 << 10;

/// There must be so many bytes in one piece, and some for what is small.
///
/// # Errors
/// [`Exit::Failed`].
#[inline(never)]
pub(crate) fn ask(bytes: usize) -> Result<(), Failure> {
    match is_there(bytes.saturating_add(LEFT)) {
        true => Ok(()),
        false => Err(Failure::new(Exit::Failed, NONE)),
    }
}

/// What is said where there is none.
pub(crate) const NONE: &str = "not enough memory";

#[cfg(all(target_os = "wasi", feature = "component", not(test)))]
fn is_there(bytes: usize) -> bool {
    crate::component::heap::has_memory(bytes, bytes, 1)
}

#[cfg(not(all(target_os = "wasi", feature = "component", not(test))))]
fn is_there(bytes: usize) -> bool {
    let mut block = Vec::<u8>::new();
    let is_there = block.try_reserve_exact(bytes).is_ok();
    // Otherwise the compiler may hold that a block which nobody uses is always there.
    core::hint::black_box(&block);
    is_there
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_there_can_be_is_refused() {
        assert_eq!(ask(1 << 20), Ok(()));
        assert_eq!(ask(usize::MAX).unwrap_err().exit, Exit::Failed);
    }
}
