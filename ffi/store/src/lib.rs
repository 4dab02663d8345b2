//! The memory through the C ABI: records, words, tiers and the durable file.
//!
//! What: the functions of `clawft_store.h`, beside those of `clawft.h`, natively over a storage of
//! function pointers, and as the exports of `clawft-store.wasm`, a module whose only imports are
//! the storage (`clawft_storage`). `docs/abi.md` is the page for users.
//!
//! Why so: a crate of its own, as the kernel imports nothing and has its own budget. Pointers, the
//! last error and the arena are those of `clawft-ffi`; what is here is what a memory needs on top:
//! strings ([`mod@input`]), handles of its own ([`handle`]), a storage ([`storage`]), and Rust's
//! allocator over the arena (`clawft-ffi`, feature `parts`), so that its limit holds for the memory too.
//!
//! What it must never do: panic or trap on a host's mistake; write an output when it returns an
//! error; give a host's bytes to the store before they were checked; call the host's storage while
//! the arena or the last error is in use.
#![no_std]

extern crate alloc;
#[cfg(not(target_family = "wasm"))]
extern crate std;

// One thread at a time is what the WebAssembly side of `handle` rests on.
#[cfg(all(target_family = "wasm", target_feature = "atomics"))]
compile_error!("clawft runs one thread in a WebAssembly instance: build it without `atomics`");

mod error;
mod handle;
mod input;
mod open;
mod recall;
mod storage;
mod write;

/// The functions of the kernel: linked here, exported beside these.
pub use clawft as kernel;

pub use error::ClawftMemoryStatus;
pub use input::{ClawftPair, ClawftText};
pub use open::{
    CLAWFT_CREATE, CLAWFT_READ_ONLY, CLAWFT_SALVAGE, ClawftMemoryOptions, clawft_memory_close,
    clawft_memory_open, clawft_memory_options_init,
};
pub use recall::{ClawftFound, ClawftRecall, clawft_recall, clawft_recall_init};
pub use storage::ClawftStorage;
pub use write::{
    ClawftRecord, clawft_commit, clawft_compact, clawft_forget, clawft_remember, clawft_rollback,
    clawft_save, clawft_touch,
};
