//! The allocator of tests under a cap: what goes beyond it is refused. For processes of their own.
#![allow(unreachable_pub, reason = "tests of two crates include this file")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The system's allocator, up to a cap.
pub struct Capped;

/// Bytes in use.
pub static IN_USE: AtomicUsize = AtomicUsize::new(0);
/// Bytes that may be.
pub static CAP: AtomicUsize = AtomicUsize::new(usize::MAX);

// SAFETY: what it gives and takes is the system's.
unsafe impl GlobalAlloc for Capped {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let before = IN_USE.fetch_add(layout.size(), Relaxed);
        if before + layout.size() > CAP.load(Relaxed) {
            IN_USE.fetch_sub(layout.size(), Relaxed);
            return std::ptr::null_mut();
        }
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
pub static ALLOCATOR: Capped = Capped;
