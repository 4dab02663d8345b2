//! The exports about tiers: what was used is kept well, what was not takes less room.
//!
//! Why: the library has no thread and no clock. A use is only counted, and nothing moves
//! before the host, when it has time, calls for a tick and says how many records and bytes it
//! may take.
//!
//! What it must never do: write to the file. A record that has cooled is whole there, which is
//! how it comes back.

use core::mem::size_of;

use clawft_store::memory::Budget;

use crate::error::status;
use crate::input::{self, Output};
use crate::open::memory;

/// What a tick did.
#[repr(C)]
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct ClawftTick {
    /// Size of this struct; the library sets it.
    pub size: u32,
    /// Places of records that it looked at, empty ones too.
    pub looked: u32,
    /// Records that went to a colder tier.
    pub cooled: u32,
    /// Records that came back to a hotter one.
    pub restored: u32,
    /// Records that should have come back, but whose vectors cannot be read.
    pub unreadable: u32,
    /// Nothing; 0.
    pub reserved: u32,
    /// Bytes of codes written and of vectors read.
    pub bytes: u64,
}

/// Counts a use of each of these `n` records at `now`, in ms; unknown ids do no harm. A hint: it is
/// kept with what is derived, and lost with it.
///
/// Errors: `BadHandle`; those of pointers.
///
/// # Safety
/// Natively `ids` is valid for reads of `n`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_touch(handle: u32, ids: *const u64, n: u32, now: u64) -> i32 {
    let touch = || {
        // SAFETY: the caller's promise.
        let ids = unsafe { input::input("ids", ids, n as usize) }?;
        memory(handle)?.0.touch(ids, now);
        Ok(())
    };
    status(touch())
}

/// Looks at the next `records` in turn, at `now`, in ms: idle ones go to a colder tier, used ones
/// come back from the file, as far as there is room; no more than `bytes` of codes and vectors are
/// written and read. What it did goes to `out`. A memory that was opened without `image_bytes` has
/// no tiers, and nothing to do.
///
/// Where `bytes` are fewer than a vector and its hot code take, some 5 a component, it looks at
/// nothing.
///
/// Errors: `BadHandle`, `NoMemory`; those of pointers. A vector that cannot be read is none.
///
/// # Safety
/// Natively `out` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_tick(
    handle: u32,
    now: u64,
    records: u32,
    bytes: u64,
    out: *mut ClawftTick,
) -> i32 {
    let tick = || {
        // SAFETY: the caller's promise.
        let out = unsafe { Output::one("out", out) }?;
        let work = memory(handle)?.0.try_tick(now, Budget { records, bytes })?;
        out.set(
            0,
            ClawftTick {
                size: size_of::<ClawftTick>() as u32,
                looked: work.looked,
                cooled: work.cooled,
                restored: work.restored,
                unreadable: work.unreadable,
                reserved: 0,
                bytes: work.bytes,
            },
        );
        Ok(())
    };
    status(tick())
}

/// Writes how many records are in each tier, the hottest first, to the four numbers at `out`: 8, 7,
/// 5 and 3 bits a component. Without tiers all are in the first. Looks at every record.
///
/// Errors: `BadHandle`; those of pointers.
///
/// # Safety
/// Natively `out` is valid for writes of four numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_tiers(handle: u32, out: *mut u32) -> i32 {
    let count = || {
        // SAFETY: the caller's promise.
        let out = unsafe { Output::new("out", out, 4) }?;
        out.copy(&memory(handle)?.0.tier_counts());
        Ok(())
    };
    status(count())
}
