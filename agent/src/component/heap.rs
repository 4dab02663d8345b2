//! The allocator: `talc` over a region of the host's, or over linear memory as it grows.
//!
//! What is freed is cleared first: blocks here held texts, vectors and keys, and of what was
//! forgotten nothing is to stay in memory.
//!
//! Where memory ends, Rust's collections can only trap, so calls ask `has_memory` beforehand.
//! It goes past Rust's allocator: its blocks are not written to, so they need no clearing.
//!
//! What it must never do: give back uncleared what somebody wrote to, or grow linear memory
//! where the host gave a region.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr::NonNull;

use talc::base::Talc;
use talc::base::binning::Binning;
use talc::source::Source;
use talc::wasm::WasmBinning;

const PAGE: usize = 64 << 10;
/// Bytes of the smallest region: in less even the sentence that there is too little has no room.
const LEAST: usize = PAGE;
/// The end of the page behind them would be address 0.
const MOST_PAGES: usize = 65_535;

/// Linear memory, page after page, up to a limit.
#[derive(Debug)]
struct Growth {
    /// Bytes that linear memory may have.
    limit: usize,
    /// The end of the heap, where it can go on.
    end: Option<NonNull<u8>>,
}

// SAFETY: it uses no other allocator, and only the `talc` that it is given.
unsafe impl Source for Growth {
    fn acquire<B: Binning>(talc: &mut Talc<Self, B>, layout: Layout) -> Result<(), ()> {
        let chunk = talc::base::CHUNK_UNIT;
        let most = layout.size().checked_add(layout.align() + 3 * chunk).ok_or(())?;
        let pages = most.div_ceil(PAGE);
        let before = core::arch::wasm32::memory_size::<0>();
        if before + pages > MOST_PAGES.min(talc.source.limit / PAGE)
            || core::arch::wasm32::memory_grow::<0>(pages) == usize::MAX
        {
            return Err(());
        }
        let (base, bytes) = ((before * PAGE) as *mut u8, pages * PAGE);
        talc.source.end = match talc.source.end {
            // SAFETY: the pages follow the heap and are new, so nobody's.
            Some(end) if end.as_ptr() == base => Some(unsafe { talc.extend(end, base.add(bytes)) }),
            // SAFETY: the pages are new, so nobody's.
            _ => unsafe { talc.claim(base, bytes) },
        };
        talc.source.end.map(|_| ()).ok_or(())
    }
}

struct Heap(UnsafeCell<Inside>);

struct Inside {
    talc: Talc<Growth, WasmBinning>,
    /// Something was allocated: where memory comes from is settled.
    is_used: bool,
}

// SAFETY: an instance has one thread, and none of the functions here calls another one while it
// has the inside.
unsafe impl Sync for Heap {}

#[global_allocator]
static HEAP: Heap = Heap(UnsafeCell::new(Inside {
    talc: Talc::new(Growth { limit: usize::MAX, end: None }),
    is_used: false,
}));

impl Heap {
    /// # Safety
    /// The one before is not used any more.
    #[allow(clippy::mut_from_ref, reason = "that there is one alone is the caller's promise")]
    unsafe fn inside(&self) -> &mut Inside {
        // SAFETY: the caller's promise.
        unsafe { &mut *self.0.get() }
    }
}

// SAFETY: `talc` gives out each block once, and keeps to layouts.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: it is not used beyond this function; the size is the caller's promise.
        unsafe {
            let inside = self.inside();
            inside.is_used = true;
            inside.talc.allocate(layout).map_or(core::ptr::null_mut(), NonNull::as_ptr)
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise: the block is its own, and of that size.
        unsafe {
            block.write_bytes(0, layout.size());
            self.inside().talc.deallocate(block, layout);
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise. What it gives up at the end is cleared; in place only
        // growing fails, so the copy fits.
        unsafe {
            if let Some(less) = layout.size().checked_sub(size) {
                block.add(size).write_bytes(0, less);
            }
            if self.inside().talc.try_realloc_in_place(block, layout, size) {
                return block;
            }
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                block.copy_to_nonoverlapping(moved, layout.size());
                self.dealloc(block, layout);
            }
            moved
        }
    }
}

/// Is there memory for `bytes` in so many blocks, all at once, of at most `piece` bytes but for the
/// last one? Unlike through Rust's allocator, nothing of them is written.
pub(crate) fn has_memory(bytes: usize, piece: usize, blocks: u32) -> bool {
    let size = if blocks > 1 { bytes.min(piece) } else { bytes };
    let Ok(layout) = Layout::from_size_align(size.max(1), 1) else { return false };
    // SAFETY: the size is not 0, and what is lent is not used beyond the line.
    let Some(block) = (unsafe { HEAP.inside().talc.allocate(layout) }) else { return false };
    // Memory may have grown for it.
    // SAFETY: nothing is allocated while it is lent.
    unsafe { HEAP.inside() }.is_used = true;
    let has_all = bytes == size || has_memory(bytes - size, piece, blocks - 1);
    // SAFETY: allocated above, with that layout.
    unsafe { HEAP.inside().talc.deallocate(block.as_ptr(), layout) };
    has_all
}

/// Why memory was not settled.
pub(super) enum Unsettled {
    /// Something was allocated already.
    InUse,
    /// The region begins in the module's own data, is too small or ends outside of memory.
    Region,
}

/// Settles where memory comes from: a region, or, with a base of 0, linear memory up to so many
/// bytes in all.
///
/// # Safety
/// Nobody else uses the region from now on.
pub(super) unsafe fn settle(base: usize, size: usize) -> Result<(), Unsettled> {
    // SAFETY: nothing is allocated in this function.
    let inside = unsafe { HEAP.inside() };
    if inside.is_used {
        return Err(Unsettled::InUse);
    }
    let present = core::arch::wasm32::memory_size::<0>() * PAGE;
    if base == 0 {
        if size < present {
            return Err(Unsettled::Region);
        }
        inside.talc.source.limit = size;
    } else {
        let own = &raw const __heap_base as usize;
        let fits = size >= LEAST
            && base >= own
            && base.checked_add(size).is_some_and(|end| end <= present);
        // SAFETY: it lies in memory, behind our own data, and the caller hands it over.
        if !fits || unsafe { inside.talc.claim(base as *mut u8, size) }.is_none() {
            return Err(Unsettled::Region);
        }
        inside.talc.source.limit = 0;
    }
    inside.is_used = true;
    Ok(())
}

// The linker's: where the module's own stack and data end.
unsafe extern "C" {
    static __heap_base: u8;
}

/// Memory for what the host gives; how the canonical ABI asks for it.
#[cfg(target_env = "p2")]
#[unsafe(no_mangle)]
unsafe extern "C" fn cabi_realloc(
    block: *mut u8,
    before: usize,
    align: usize,
    size: usize,
) -> *mut u8 {
    // SAFETY: the canonical ABI gives alignments of its types, and blocks that it got here.
    let given = unsafe {
        if before == 0 {
            if size == 0 {
                return align as *mut u8;
            }
            HEAP.alloc(Layout::from_size_align_unchecked(size, align))
        } else {
            HEAP.realloc(block, Layout::from_size_align_unchecked(before, align), size)
        }
    };
    if given.is_null() {
        // The host has no other way to be told.
        core::arch::wasm32::unreachable();
    }
    given
}
