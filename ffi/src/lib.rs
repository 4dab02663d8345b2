//! The C ABI of clawft.
//!
//! What: every function that a host in another language calls, natively
//! (`libclawft.a`, `libclawft.so` and `clawft.h`) or as the exports of a
//! WebAssembly module without imports. `docs/abi.md` is the page for users.
//!
//! Why: a host can get everything wrong, so this is the only layer that
//! takes a pointer, and each one is checked before use ([`mod@pointer`]). Stores are
//! named by checked numbers ([`handle`]), never by address. A store's image is
//! one allocation and its scratch another ([`arena`]), so that the cost of the
//! allocator does not depend on how many vectors are in it.
//!
//! | file | what |
//! |---|---|
//! | `store` | a store behind a handle: opened, closed, made larger |
//! | `params` | its parameters, from the host's struct |
//! | `write` | the exports that change its vectors |
//! | `read` | those that read vectors and ids |
//! | `search` | those that search, and the settings of a search |
//! | `snapshot` | those that save and open a store |
//! | `report` | those that tell how a store is |
//! | `memory` | those about memory: set up, allocate, free, count |
//! | `handle` | checked numbers for open stores |
//! | `pointer` | every pointer of a host, checked before it is used |
//! | `arena` | the memory of all stores and of `clawft_alloc` |
//! | `scratch` | memory that searches and inserts work in |
//! | `error` | error codes and sentences |
//! | `lock` | locks natively, nothing in WebAssembly |
//! | `parts` | with the feature `parts`: what `clawft-ffi-store` builds on |
//!
//! What it must never do: panic or trap on a host's mistake; write an output
//! when it returns an error; pass a Rust type across the boundary; know how a
//! vector is stored or found (that is `clawft-vectors`).
#![no_std]

// Natively the standard library gives the panic handler, the system allocator,
// locks and one error buffer a thread. The module in WebAssembly has none of it.
#[cfg(not(target_family = "wasm"))]
extern crate std;

// One thread at a time is what the WebAssembly side of `lock` rests on.
#[cfg(all(target_family = "wasm", target_feature = "atomics"))]
compile_error!("clawft runs one thread in a WebAssembly instance: build it without `atomics`");

mod arena;
mod error;
mod handle;
mod lock;
mod memory;
mod params;
#[cfg(feature = "parts")]
#[doc(hidden)]
pub mod parts;
mod pointer;
mod read;
mod report;
mod scratch;
mod search;
mod snapshot;
mod store;
mod write;

pub use error::{ClawftStatus, clawft_last_error};
pub use memory::{
    ClawftMemory, clawft_alloc, clawft_free, clawft_init_memory, clawft_memory_stats,
};
pub use params::{ClawftParams, clawft_params_init, clawft_required_bytes};
pub use read::{clawft_contains, clawft_get, clawft_get_batch, clawft_ids};
pub use report::{ClawftReport, ClawftStats, clawft_stats, clawft_verify};
pub use search::{
    ClawftQuery, clawft_query_init, clawft_search, clawft_search_batch, clawft_search_range,
    clawft_set_ef, clawft_set_scan_limit,
};
pub use snapshot::{
    clawft_adopt, clawft_open, clawft_snapshot, clawft_snapshot_bytes, clawft_snapshot_view,
};
pub use store::{clawft_create, clawft_destroy, clawft_resize};
pub use write::{
    clawft_insert, clawft_insert_batch, clawft_mark_deleted, clawft_remove,
    clawft_set_replace_deleted, clawft_unmark_deleted, clawft_upsert, clawft_upsert_batch,
};

/// The version of this ABI. It changes when a function, a struct or the meaning
/// of a number changes; functions and error codes may be added without.
pub const CLAWFT_ABI_VERSION: u32 = 1;

/// The version of the ABI that this library speaks: `CLAWFT_ABI_VERSION`.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_abi_version() -> u32 {
    CLAWFT_ABI_VERSION
}

/// What a module without `std` must define for itself.
#[cfg(all(target_family = "wasm", feature = "standalone"))]
mod standalone {
    #[cfg(not(feature = "parts"))]
    use core::alloc::{GlobalAlloc, Layout};

    /// With more functions beside these, there is an allocator.
    #[cfg(feature = "parts")]
    #[global_allocator]
    static HEAP: crate::arena::Heap = crate::arena::Heap;

    /// A bug in this library ends the call in a trap, which the host sees.
    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        core::arch::wasm32::unreachable()
    }

    /// Nothing here allocates through `alloc`, but a dependency of `talc` links
    /// it, and then the linker wants an allocator. This one has nothing.
    #[cfg(not(feature = "parts"))]
    struct Nothing;

    #[cfg(not(feature = "parts"))]
    // SAFETY: no block is ever given out.
    unsafe impl GlobalAlloc for Nothing {
        unsafe fn alloc(&self, _: Layout) -> *mut u8 {
            core::ptr::null_mut()
        }

        unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
    }

    #[cfg(not(feature = "parts"))]
    #[global_allocator]
    static NOTHING: Nothing = Nothing;
}
