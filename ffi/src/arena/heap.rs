//! Rust's own allocator over the arena, for modules that need one.
//!
//! Why: one region has one owner, so that its limit holds for everything: stores, blocks of
//! the host, and what a memory keeps in vectors and strings. These blocks have no header; they
//! count as asked for, like all others.
//!
//! What is freed is cleared first: blocks here held texts and vectors, and of a record that was
//! forgotten nothing is to stay in memory.
//!
//! What it must never do: put a block among the free ones before it is cleared; clear what
//! `has_room` only asks for, as a question about megabytes is to cost next to nothing.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr;

use super::{ARENA, Arena, Origin};

fn begin(arena: &mut Arena) {
    if arena.origin == Origin::Unset {
        arena.origin = Origin::Grown;
        arena.limit = usize::MAX;
        arena.talc.source.allow(usize::MAX);
    }
}

/// Is there room for `bytes` in so many blocks, all at once, of at most `piece` bytes but for the last
/// one? Nothing is written to them.
pub(crate) fn has_room(bytes: usize, piece: usize, blocks: u32) -> bool {
    let arena = &mut *ARENA.lock();
    begin(arena);
    holds(arena, bytes, piece, blocks)
}

fn holds(arena: &mut Arena, bytes: usize, piece: usize, blocks: u32) -> bool {
    let size = if blocks > 1 { bytes.min(piece) } else { bytes };
    // A size beyond any memory has no layout.
    let Ok(layout) = Layout::from_size_align(size.max(1), 1) else { return false };
    // SAFETY: the size is not 0.
    let Some(block) = (unsafe { arena.talc.allocate(layout) }) else { return false };
    let rest = bytes - size;
    let all = rest == 0 || holds(arena, rest, piece, blocks - 1);
    // SAFETY: allocated above, with that layout.
    unsafe { arena.talc.deallocate(block.as_ptr(), layout) };
    all
}

/// The arena, whose limit holds for what is allocated through `alloc` too.
pub(crate) struct Heap;

// SAFETY: the arena gives out each block once, and keeps to layouts.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let arena = &mut *ARENA.lock();
        begin(arena);
        // SAFETY: the caller's promise: the size is not 0.
        match unsafe { arena.talc.allocate(layout) } {
            Some(block) => {
                arena.asked += layout.size();
                block.as_ptr()
            }
            None => ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let arena = &mut *ARENA.lock();
        arena.asked -= layout.size();
        // SAFETY: the caller's promise: the block is its own, and of that size.
        unsafe {
            block.write_bytes(0, layout.size());
            arena.talc.deallocate(block, layout);
        }
    }

    /// In place where that is possible: what grows last is at the end of the heap.
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        {
            let arena = &mut *ARENA.lock();
            if let Some(less) = layout.size().checked_sub(size) {
                // SAFETY: the end of the block, which its owner gives up.
                unsafe { block.add(size).write_bytes(0, less) };
            }
            // SAFETY: the caller's promise.
            if unsafe { arena.talc.try_realloc_in_place(block, layout, size) } {
                arena.asked = arena.asked - layout.size() + size;
                return block;
            }
        }
        // SAFETY: the caller's promise; in place only growing fails, so the copy fits.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                block.copy_to_nonoverlapping(moved, layout.size());
                self.dealloc(block, layout);
            }
            moved
        }
    }
}
