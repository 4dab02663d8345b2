//! The memory of all stores and of `clawft_alloc`.
//!
//! What: blocks, each aligned to 64 bytes. They come from one of three origins,
//! chosen once, by `clawft_init_memory` or by the first allocation: a region
//! given by the host; linear memory, grown up to a limit (WebAssembly); the
//! system's allocator up to a limit (native).
//!
//! Why: a store takes two blocks, its image and its scratch, whatever the
//! number of its vectors, so the allocator's part stays far below 1 KiB. Every
//! block has a header of one cache line before it, which keeps the payload
//! aligned and lets a block that was lent to the host be recognised when it
//! comes back: `clawft_free` of anything else is an error, not a crash. Blocks are
//! few, so `talc` keeps the free ones in one list (`OneList`) and not in many by
//! size: less code, and no table of lists in the region. Where Rust's own allocator
//! stands on the arena too, blocks are many, and there are lists by size.
//!
//! ```text
//!        64 bytes      len bytes
//!   ┌──────────────┬──────────────────┐
//!   │ header       │ payload          │   both 64-aligned
//!   └──────────────┴──────────────────┘
//! ```
//!
//! What it must never do: move a block; take memory that the host did not give;
//! trust a pointer from the host before it is found in the list of lent blocks.

use core::alloc::Layout;
use core::ops::{Deref, DerefMut};
use core::ptr::{self, NonNull};

use talc::base::Talc;
#[cfg(not(feature = "parts"))]
use talc::base::binning::Binning;
#[cfg(feature = "parts")]
use talc::wasm::WasmBinning as Lists;

use crate::error::{ClawftStatus, Failed};
use crate::lock::Exclusive;
use growth::Growth;

mod growth;
#[cfg(all(feature = "parts", feature = "standalone", target_family = "wasm"))]
mod heap;
#[cfg(all(feature = "parts", feature = "standalone", target_family = "wasm"))]
pub(crate) use heap::{Heap, has_room};

/// Alignment of every block: what an image asks of its base.
pub(crate) const ALIGN: usize = 64;

/// Bytes before each payload. A multiple of `ALIGN`, so that both are aligned.
const HEADER_BYTES: usize = ALIGN;

/// Bytes of the smallest region: the allocator's own part and one small block, wherever the
/// region begins.
const LEAST: usize = talc::min_first_heap_size::<Lists>() + 4 * ALIGN;

/// Bytes that a host cannot have.
#[cfg(all(feature = "reserve", feature = "standalone", target_family = "wasm"))]
const OURS: usize = 64 << 10;

/// Before the payload of each block.
struct Header {
    /// The next block in the list of those lent to the host.
    next: *mut Header,
    /// Bytes of payload.
    len: usize,
    /// When its owner drops it, the block is the host's again and not free.
    is_loan: bool,
}

/// One list for free blocks of every size. An allocation takes the first that is large
/// enough, in time in proportion to the free blocks, as `clawft_free` does to the lent ones.
#[cfg(not(feature = "parts"))]
struct OneList;
#[cfg(not(feature = "parts"))]
use OneList as Lists;

#[cfg(not(feature = "parts"))]
impl Binning for OneList {
    type AvailabilityBitField = u32;
    const BIN_COUNT: u32 = 1;

    fn size_to_bin(_: usize) -> u32 {
        0
    }

    fn size_to_bin_ceil(_: usize) -> u32 {
        0
    }
}

/// Where memory comes from.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Origin {
    /// Nothing was asked yet.
    Unset,
    /// The region of `clawft_init_memory`.
    Region,
    /// Linear memory or the system's allocator.
    Grown,
}

/// Counts for `clawft_memory_stats`, in bytes.
pub(crate) struct Usage {
    /// At most this much may be claimed; 0: no limit was set.
    pub(crate) limit: u64,
    /// Bytes that the allocator has under its control.
    pub(crate) claimed: u64,
    /// Bytes asked for and in use.
    pub(crate) asked: u64,
    /// Bytes claimed and free.
    pub(crate) free: u64,
    /// Blocks in use.
    pub(crate) blocks: u32,
}

struct Arena {
    talc: Talc<Growth, Lists>,
    origin: Origin,
    limit: usize,
    asked: usize,
    blocks: usize,
    lent: *mut Header,
}

// SAFETY: the pointers in it lead to memory that the arena alone owns, and
// nothing in it belongs to a thread.
unsafe impl Send for Arena {}

static ARENA: Exclusive<Arena> = Exclusive::new(Arena {
    talc: Talc::new(Growth::new()),
    origin: Origin::Unset,
    limit: 0,
    asked: 0,
    blocks: 0,
    lent: ptr::null_mut(),
});

/// Gives the arena its one region, `size` bytes from `base`.
///
/// # Safety
/// The region is valid for reads and writes, and nobody else uses it from now on.
pub(crate) unsafe fn use_region(base: *mut u8, size: usize) -> Result<(), Failed> {
    let arena = &mut *ARENA.lock();
    arena.must_be_unset()?;
    // SAFETY: the caller hands the region over for good. One that is not used is not claimed.
    if size < LEAST || unsafe { arena.talc.claim(base, size) }.is_none() {
        let (least, found) = (LEAST as u64, size as u64);
        return Err(Failed::new(ClawftStatus::RegionTooSmall, "size", least, found));
    }
    arena.origin = Origin::Region;
    arena.limit = size;
    Ok(())
}

/// In WebAssembly a region may not begin in the module's own stack and data.
pub(crate) fn check_free(address: usize) -> Result<(), Failed> {
    #[cfg(target_family = "wasm")]
    if address < growth::heap_base() {
        return Err(Failed::new(
            ClawftStatus::RegionTaken,
            "base",
            growth::heap_base() as u64,
            address as u64,
        ));
    }
    let _ = address;
    Ok(())
}

/// Lets the arena grow up to `limit` bytes: of linear memory in all (stack and
/// data included) in WebAssembly, of blocks natively.
pub(crate) fn use_growth(limit: usize) -> Result<(), Failed> {
    let arena = &mut *ARENA.lock();
    arena.must_be_unset()?;
    let present = linear_memory_bytes();
    // Natively nothing is present, and a limit of 0 would say that there is none.
    let least = if cfg!(target_family = "wasm") { present } else { 1 };
    if (limit as u64) < least {
        return Err(Failed::new(ClawftStatus::LimitTooSmall, "size", least, limit as u64));
    }
    arena.origin = Origin::Grown;
    arena.limit = limit;
    arena.talc.source.allow(limit);
    Ok(())
}

/// What is claimed, used and free now.
pub(crate) fn usage() -> Usage {
    ARENA.lock().usage()
}

/// The size of linear memory; 0 natively.
pub(crate) fn linear_memory_bytes() -> u64 {
    #[cfg(target_family = "wasm")]
    return core::arch::wasm32::memory_size::<0>() as u64 * growth::PAGE_BYTES as u64;
    #[cfg(not(target_family = "wasm"))]
    0
}

impl Arena {
    fn must_be_unset(&self) -> Result<(), Failed> {
        match self.origin {
            Origin::Unset => Ok(()),
            _ => Err(Failed::new(ClawftStatus::MemoryInUse, "memory", 0, 0)),
        }
    }

    fn usage(&self) -> Usage {
        let (asked, blocks) = (self.asked as u64, self.blocks as u32);
        let limit = if self.limit == usize::MAX { 0 } else { self.limit as u64 };
        let (claimed, free) = if self.is_system() {
            (asked + (self.blocks * HEADER_BYTES) as u64, 0)
        } else {
            let counters = self.talc.counters();
            (counters.claimed_bytes as u64, counters.available_bytes as u64)
        };
        Usage { limit, claimed, asked, free, blocks }
    }

    /// The error of a request for `asked` bytes.
    fn lacks(&self, asked: u64) -> Failed {
        let usage = self.usage();
        // Where there is no limit, it is 0.
        let free = usage.limit.saturating_sub(usage.claimed) + usage.free;
        Failed::new(ClawftStatus::OutOfMemory, "memory", asked, free)
    }

    /// Natively memory that is not of a region comes from the system.
    fn is_system(&self) -> bool {
        cfg!(not(target_family = "wasm")) && self.origin != Origin::Region
    }

    fn allocate(&mut self, len: usize) -> Option<NonNull<Header>> {
        if self.origin == Origin::Unset {
            self.origin = Origin::Grown;
            self.limit = usize::MAX;
            self.talc.source.allow(usize::MAX);
        }
        let layout = layout_for(len)?;
        let block = if self.is_system() {
            let claimed = self.asked + self.blocks * HEADER_BYTES;
            if claimed.checked_add(layout.size())? > self.limit {
                return None;
            }
            system::allocate(layout)?
        } else {
            // SAFETY: the size is not zero: it holds a header. The bytes are set
            // because they are lent out as `[u8]`.
            unsafe {
                let block = self.talc.allocate(layout)?;
                block.write_bytes(0, layout.size());
                block
            }
        };
        let header = block.cast::<Header>();
        // SAFETY: the block is ours, aligned, and longer than a header.
        unsafe { header.write(Header { next: ptr::null_mut(), len, is_loan: false }) };
        self.asked += len;
        self.blocks += 1;
        Some(header)
    }

    /// # Safety
    /// `header` is that of a live block that nobody uses any more.
    unsafe fn release(&mut self, header: NonNull<Header>) {
        // SAFETY: the block is live, so its header is.
        let len = unsafe { header.as_ref() }.len;
        let Some(layout) = layout_for(len) else { return };
        self.asked -= len;
        self.blocks -= 1;
        let block = header.cast::<u8>().as_ptr();
        if self.is_system() {
            // SAFETY: it came from there with this layout.
            unsafe { system::release(block, layout) };
        } else {
            // SAFETY: as above, and by the caller's promise nobody uses it any more.
            unsafe {
                // A host's block held texts and vectors, as those of the heap do.
                #[cfg(feature = "parts")]
                block.write_bytes(0, layout.size());
                self.talc.deallocate(block, layout);
            }
        }
    }

    /// Takes the block with this payload out of the list of lent blocks.
    fn take_back(&mut self, payload: *const u8) -> Option<NonNull<Header>> {
        let mut link: *mut *mut Header = &raw mut self.lent;
        // SAFETY: `link` leads to the head of the list or to the `next` of a
        // live header, and only this file writes these.
        unsafe {
            while let Some(header) = NonNull::new(*link) {
                if payload_of(header).as_ptr().cast_const() == payload {
                    *link = header.as_ref().next;
                    return Some(header);
                }
                link = &raw mut (*header.as_ptr()).next;
            }
        }
        None
    }
}

fn layout_for(len: usize) -> Option<Layout> {
    Layout::from_size_align(len.checked_add(HEADER_BYTES)?, ALIGN).ok()
}

fn payload_of(header: NonNull<Header>) -> NonNull<u8> {
    // SAFETY: every block is longer than its header.
    unsafe { header.cast::<u8>().add(HEADER_BYTES) }
}

/// The system's allocator, natively.
mod system {
    use core::alloc::Layout;
    use core::ptr::NonNull;

    #[cfg(not(target_family = "wasm"))]
    pub(super) fn allocate(layout: Layout) -> Option<NonNull<u8>> {
        // SAFETY: the size is not zero: it holds a header.
        NonNull::new(unsafe { std::alloc::alloc_zeroed(layout) })
    }

    /// # Safety
    /// `block` came from [`allocate`] with this layout.
    #[cfg(not(target_family = "wasm"))]
    pub(super) unsafe fn release(block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { std::alloc::dealloc(block, layout) };
    }

    #[cfg(target_family = "wasm")]
    pub(super) fn allocate(_: Layout) -> Option<NonNull<u8>> {
        None
    }

    #[cfg(target_family = "wasm")]
    pub(super) unsafe fn release(_: *mut u8, _: Layout) {}
}

/// One allocation, its bytes set, given back when dropped.
pub(crate) struct Block {
    header: NonNull<Header>,
}

// SAFETY: the block is its owner's alone; the arena has its own lock.
unsafe impl Send for Block {}
// SAFETY: through `&Block` its bytes can only be read.
unsafe impl Sync for Block {}

impl Block {
    /// A block of `len` zero bytes.
    #[inline(never)]
    pub(crate) fn new(len: u64) -> Result<Self, Failed> {
        let arena = &mut *ARENA.lock();
        match usize::try_from(len).ok().and_then(|len| arena.allocate(len)) {
            Some(header) => Ok(Self { header }),
            None => Err(arena.lacks(len)),
        }
    }

    /// A block of `len` zero bytes for the host. In a module with memories `OURS` stay there: what is
    /// small is allocated without a question, and would trap.
    pub(crate) fn for_host(len: u64) -> Result<Self, Failed> {
        #[cfg(all(feature = "reserve", feature = "standalone", target_family = "wasm"))]
        if !has_room((len as usize).saturating_add(OURS), len as usize, 2) {
            return Err(ARENA.lock().lacks(len + OURS as u64));
        }
        Self::new(len)
    }

    /// Lends the block to the host, until [`Block::take_back`].
    pub(crate) fn lend(mut self) -> *mut u8 {
        // SAFETY: the block is live and ours.
        unsafe { self.header.as_mut() }.is_loan = true;
        payload_of(self.header).as_ptr()
    }

    /// The lent block that begins at `payload`; nothing if none does. Dropped before
    /// [`Loan::end`] it is lent again, at the same address.
    pub(crate) fn take_back(payload: *const u8) -> Option<(Self, Loan)> {
        let header = ARENA.lock().take_back(payload)?;
        Some((Self { header }, Loan { header }))
    }

    fn len(&self) -> usize {
        // SAFETY: the block is live, so its header is.
        unsafe { self.header.as_ref() }.len
    }
}

/// The host's claim on a block that it gave back.
pub(crate) struct Loan {
    header: NonNull<Header>,
}

impl Loan {
    /// Ends it: the block is its owner's alone. It must not be dropped yet.
    ///
    /// # Safety
    /// The block that this loan came with is live.
    pub(crate) unsafe fn end(mut self) {
        // SAFETY: the caller's promise; nobody else looks at the header meanwhile.
        unsafe { self.header.as_mut() }.is_loan = false;
    }
}

impl Drop for Block {
    #[inline(never)]
    fn drop(&mut self) {
        let arena = &mut *ARENA.lock();
        // SAFETY: this was the only owner, and the block is live.
        unsafe {
            let header = self.header.as_mut();
            if header.is_loan {
                header.next = arena.lent;
                arena.lent = header;
            } else {
                arena.release(self.header);
            }
        }
    }
}

impl Deref for Block {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the payload has `len` bytes, all set, and is borrowed with `self`.
        unsafe { core::slice::from_raw_parts(payload_of(self.header).as_ptr(), self.len()) }
    }
}

impl DerefMut for Block {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and the borrow is exclusive.
        unsafe { core::slice::from_raw_parts_mut(payload_of(self.header).as_ptr(), self.len()) }
    }
}
