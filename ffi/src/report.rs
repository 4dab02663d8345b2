//! The exports that tell how a store is: its counts, and whether it is sound.

use crate::error::status;
use crate::handle;
use crate::pointer::Output;
use crate::store::Store;

/// A store in numbers.
#[repr(C)]
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct ClawftStats {
    /// Size of this struct; the library sets it.
    pub size: u32,
    /// Vectors in it, those marked as deleted as well.
    pub count: u32,
}

/// What `clawft_verify` found. All zero but `size` and `count`: the store is sound.
#[repr(C)]
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct ClawftReport {
    /// Size of this struct; the library sets it.
    pub size: u32,
    /// Vectors that no search by the graph can reach.
    pub unreachable: u32,
}

/// Writes the numbers of a store to `out`.
///
/// Errors: `BadHandle`; those of pointers.
///
/// # Safety
/// Natively `out` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_stats(handle: u32, out: *mut ClawftStats) -> i32 {
    let count = |store: &Store| {
        // SAFETY: the caller's promise.
        let out = unsafe { Output::one("out", out) }?;
        out.set(0, ClawftStats { size: size_of::<ClawftStats>() as u32, count: store.image.len() });
        Ok(())
    };
    status(handle::read(handle, count))
}

/// Walks the whole store and counts what is broken, to `out`. Takes time in
/// proportion to its size.
///
/// Errors: `BadHandle`; those of pointers.
///
/// # Safety
/// Natively `out` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_verify(handle: u32, out: *mut ClawftReport) -> i32 {
    let verify = |store: &Store| {
        // SAFETY: the caller's promise.
        let out = unsafe { Output::one("out", out) }?;
        let report = store.image.verify();
        out.set(
            0,
            ClawftReport {
                size: size_of::<ClawftReport>() as u32,
                unreachable: report.unreachable,
            },
        );
        Ok(())
    };
    status(handle::read(handle, verify))
}
