//! `clawft_*` in the core module: for hosts that unpack the component and speak to its core.
//!
//! A component cannot export C functions; these stay in the core module, where component hosts do
//! not see them. What it must never do: take a pointer that leads outside of memory.

use super::heap::{Unsettled, settle};

/// As in `clawft.h`.
const MEMORY_IN_USE: i32 = -109;
const REGION_TOO_SMALL: i32 = -110;

/// Gives the module its memory: the region of `size` bytes from `base` on, or, with a `base` of 0,
/// linear memory up to `size` bytes in all. Once, before anything else is called.
#[unsafe(no_mangle)]
extern "C" fn clawft_init_memory(base: usize, size: usize) -> i32 {
    // SAFETY: the host, whose memory it is, says so.
    match unsafe { settle(base, size) } {
        Ok(()) => 0,
        Err(Unsettled::InUse) => MEMORY_IN_USE,
        Err(Unsettled::Region) => REGION_TOO_SMALL,
    }
}
