//! How the arena gets more linear memory in WebAssembly.
//!
//! Why: the heap begins where the module's own stack and data end, and is
//! extended at its end by whole pages, by no more than an allocation lacks: the
//! free bytes at the end of the heap count. So a store that is asked for first
//! costs at most one page beyond its size. When the host has grown the memory
//! in between, those pages are the host's, and a new heap begins after them.
//!
//! What it must never do: grow beyond the limit; claim pages that it did not
//! grow itself, the module's first pages apart.

use core::alloc::Layout;

use talc::base::Talc;
use talc::base::binning::Binning;
use talc::source::Source;

/// A page of linear memory.
#[cfg(target_family = "wasm")]
pub(super) const PAGE_BYTES: usize = 65_536;

/// The source of `talc`: nothing natively and for a fixed region.
#[derive(Debug)]
pub(super) struct Growth {
    /// Linear memory may have so many bytes in all.
    limit: usize,
    /// End of the heap, once there is one.
    #[cfg(target_family = "wasm")]
    end: Option<core::ptr::NonNull<u8>>,
}

impl Growth {
    pub(super) const fn new() -> Self {
        Self {
            limit: 0,
            #[cfg(target_family = "wasm")]
            end: None,
        }
    }

    /// From now on linear memory may grow to `limit` bytes.
    pub(super) fn allow(&mut self, limit: usize) {
        self.limit = limit;
    }
}

// SAFETY: `acquire` uses no other allocator and nothing but the `talc` it is given.
unsafe impl Source for Growth {
    #[cfg(not(target_family = "wasm"))]
    fn acquire<B: Binning>(talc: &mut Talc<Self, B>, _: Layout) -> Result<(), ()> {
        // Natively growth is the system allocator's business.
        let _ = talc.source.limit;
        Err(())
    }

    #[cfg(target_family = "wasm")]
    fn acquire<B: Binning>(talc: &mut Talc<Self, B>, layout: Layout) -> Result<(), ()> {
        use core::arch::wasm32::{memory_grow, memory_size};
        use core::ptr::NonNull;

        if talc.source.limit == 0 {
            return Err(()); // a fixed region
        }
        if talc.source.end.is_none() && !talc.is_metadata_established() {
            let (base, len) = first_heap();
            // SAFETY: the linker keeps these bytes for a heap, and this is it.
            talc.source.end = unsafe { talc.claim(base, len) };
            if talc.source.end.is_some() {
                return Ok(());
            }
        }

        // `talc` asks for whole chunks and a tag word; alignment may cost as
        // much again as it asks for.
        let chunk = talc::base::CHUNK_UNIT;
        let most = layout.size().checked_add(layout.align() + 2 * chunk).ok_or(())?;
        let pages_now = memory_size::<0>();
        let memory_end = pages_now.wrapping_mul(PAGE_BYTES);
        let contiguous = talc.source.end.filter(|end| end.as_ptr() as usize == memory_end);
        let spare = match contiguous {
            // SAFETY: `end` is what `claim` or `extend` last gave.
            Some(end) => memory_end - unsafe { talc.reserved(end) }.up_to.as_ptr() as usize,
            None => 0,
        };
        let pages = most.saturating_sub(spare).div_ceil(PAGE_BYTES).max(1);
        if pages_now + pages > (talc.source.limit / PAGE_BYTES).min(65_535)
            || memory_grow::<0>(pages) == usize::MAX
        {
            return Err(());
        }
        let added = pages * PAGE_BYTES;
        talc.source.end = match contiguous {
            // SAFETY: the pages follow the heap and are new, so nobody's.
            Some(end) => Some(unsafe { talc.extend(end, (memory_end + added) as *mut u8) }),
            // SAFETY: the pages are new, so nobody's.
            None => unsafe { talc.claim(memory_end as *mut u8, added) },
        };
        talc.source.end.map(|_: NonNull<u8>| ()).ok_or(())
    }
}

/// The bytes between the module's data and the end of its first pages.
#[cfg(target_family = "wasm")]
fn first_heap() -> (*mut u8, usize) {
    let base = heap_base();
    let end = &raw const symbols::__heap_end as usize;
    (base as *mut u8, end.saturating_sub(base))
}

/// Where the module's own stack and data end.
#[cfg(target_family = "wasm")]
pub(super) fn heap_base() -> usize {
    &raw const symbols::__heap_base as usize
}

#[cfg(target_family = "wasm")]
mod symbols {
    // The linker defines both. Only their addresses mean something.
    unsafe extern "C" {
        pub(super) static __heap_base: u8;
        pub(super) static __heap_end: u8;
    }
}
