//! The exports about memory: set it up, allocate, free, count.
//!
//! Why: where memory comes from can be said once, before its first use. A block does not
//! know its origin: natively, after a change, it would go back to an allocator that it is not
//! from. A region is checked before the arena hears of it, which writes to what it claims.
//!
//! What it must never do: give the arena a region that was not checked, or that holds the
//! module's own stack and data; take a block back by its address alone, without finding it
//! among those that were lent.

use core::ffi::c_void;

use crate::arena::{self, Block, Loan};
use crate::error::{ClawftStatus, Failed, status};
use crate::pointer::{self, Output};

/// What memory is claimed, used and lost. All in bytes but `blocks`.
#[repr(C)]
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct ClawftMemory {
    /// Size of this struct; the library sets it.
    pub size: u32,
    /// Blocks in use: two for each store, one for each `clawft_alloc`.
    pub blocks: u32,
    /// The size of the region, or the limit of growth; 0: none was set.
    pub limit: u64,
    /// Bytes under the allocator's control.
    pub claimed: u64,
    /// Bytes asked for and in use.
    pub asked: u64,
    /// Claimed bytes that are free.
    pub free: u64,
    /// The allocator's own part: `claimed - free - asked`.
    pub overhead: u64,
    /// Size of linear memory, stack and data included; 0 natively.
    pub linear_memory: u64,
}

/// Says once where memory comes from. Optional, and only before the first use
/// of memory.
///
/// `base` not null: everything lives in the `size` bytes from there, which are
/// the library's for good. In WebAssembly that are pages that the host grew, or
/// bytes from `__heap_base` on. `base` null: memory grows as needed, up to
/// `size` bytes (in WebAssembly of linear memory in all, stack and data
/// included; natively of blocks). Without this call memory grows without a limit
/// of this library's; a limit of 0 is refused.
///
/// Errors: `MemoryInUse`, `RegionTooSmall`, `RegionTaken`, `LimitTooSmall`,
/// `OutOfRange`.
///
/// # Safety
/// Natively the region is valid for reads and writes, and nobody else uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_init_memory(base: *mut c_void, size: usize) -> i32 {
    let set_up = || {
        if base.is_null() {
            arena::use_growth(size)?;
        } else {
            pointer::region("base", base.cast_const().cast(), size)?;
            arena::check_free(base as usize)?;
            // SAFETY: checked; the rest is the caller's promise.
            unsafe { arena::use_region(base.cast(), size) }?;
        }
        Ok(())
    };
    status(set_up())
}

/// A block of `size` zero bytes, aligned to 64; null when no memory is left
/// (`clawft_last_error` says so). The caller owns it, until `clawft_free` or
/// `clawft_adopt`. In WebAssembly linear memory may grow: views of it must be
/// taken anew; the last 64 KiB of a module that has memories are the module's.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_alloc(size: usize) -> *mut c_void {
    match Block::for_host(size as u64) {
        Ok(block) => block.lend().cast(),
        Err(_) => core::ptr::null_mut(),
    }
}

/// Gives back a block of `clawft_alloc`. Null is allowed and does nothing. Takes
/// time in proportion to the blocks that are lent.
///
/// Errors: `NotAllocated`.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_free(block: *mut c_void) -> i32 {
    let free = || {
        if !block.is_null() {
            let (block, loan) = lent(block)?;
            // SAFETY: the block is dropped after this.
            unsafe { loan.end() };
            drop(block);
        }
        Ok(())
    };
    status(free())
}

/// Takes back the block that begins at `block`.
pub(crate) fn lent(block: *mut c_void) -> Result<(Block, Loan), Failed> {
    Block::take_back(block.cast_const().cast())
        .ok_or_else(|| Failed::new(ClawftStatus::NotAllocated, "block", block as u64, 0))
}

/// Writes the counts of memory to `out`.
///
/// Errors: those of pointers.
///
/// # Safety
/// Natively `out` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_memory_stats(out: *mut ClawftMemory) -> i32 {
    let count = || {
        // SAFETY: the caller's promise.
        let out = unsafe { Output::one("out", out) }?;
        let usage = arena::usage();
        out.set(
            0,
            ClawftMemory {
                size: size_of::<ClawftMemory>() as u32,
                blocks: usage.blocks,
                limit: usage.limit,
                claimed: usage.claimed,
                asked: usage.asked,
                free: usage.free,
                overhead: usage.claimed - usage.free - usage.asked,
                linear_memory: arena::linear_memory_bytes(),
            },
        );
        Ok(())
    };
    status(count())
}
