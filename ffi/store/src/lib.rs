//! The memory through the C ABI: records, words, tiers and the durable file.
//!
//! What: the functions of `clawft_store.h`, beside those of `clawft.h`, natively over a storage of
//! function pointers, and as the exports of `clawft-store.wasm`, a module whose only imports are
//! the storage (`clawft_storage`). `docs/abi-memory.md` is the page for users.
//!
//! Why: a crate of its own, as the kernel imports nothing and has its own budget. Pointers, the
//! last error and the arena are those of `clawft-ffi`; what is here is what a memory needs on top:
//! strings ([`mod@text`]), handles of its own ([`handle`]), a storage ([`storage`]), and Rust's
//! allocator over the arena (`clawft-ffi`, feature `parts`), so that its limit holds for the memory too.
//!
//! | file | what |
//! |---|---|
//! | `open` | the exports that open and close a memory |
//! | `write` | those that change it |
//! | `read` | those that read records |
//! | `recall` | those that find records by vector, by words, or by both |
//! | `tiers` | those about tiers |
//! | `report` | those that tell how a memory is |
//! | `tensor` | those of tensors over time |
//! | `storage` | the host's storage: imports in WebAssembly, function pointers natively |
//! | `handle` | checked numbers for what is open |
//! | `input`, `text` | what a host passes, checked before use: numbers and structs, texts |
//! | `error` | error codes and sentences |
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
#[cfg(feature = "memory")]
mod open;
#[cfg(feature = "memory")]
mod read;
#[cfg(feature = "memory")]
mod recall;
#[cfg(feature = "memory")]
mod report;
#[cfg(feature = "memory")]
mod storage;
#[cfg(feature = "tensor")]
mod tensor;
#[cfg(feature = "memory")]
mod text;
#[cfg(feature = "memory")]
mod tiers;
#[cfg(feature = "memory")]
mod write;

/// The functions of the kernel: linked here, exported beside these.
pub use clawft as kernel;

pub use error::ClawftMemoryStatus;
#[cfg(feature = "memory")]
pub use open::{
    CLAWFT_CREATE, CLAWFT_READ_ONLY, CLAWFT_SALVAGE, ClawftMemoryOptions, clawft_memory_close,
    clawft_memory_open, clawft_memory_options_init,
};
#[cfg(feature = "memory")]
pub use read::{
    CLAWFT_KIND, CLAWFT_METADATA, CLAWFT_SESSION, CLAWFT_TEXT, ClawftFields,
    clawft_record_contains, clawft_record_fields, clawft_record_next, clawft_record_string,
    clawft_record_vector,
};
#[cfg(feature = "memory")]
pub use recall::{ClawftFound, ClawftRecall, clawft_recall, clawft_recall_init};
#[cfg(feature = "memory")]
pub use report::{
    ClawftMemoryReport, clawft_memory_damage, clawft_memory_report, clawft_memory_verify,
};
#[cfg(feature = "memory")]
pub use storage::ClawftStorage;
#[cfg(feature = "tensor")]
pub use tensor::{
    ClawftTensorParams, ClawftTensorStats, clawft_tensor_append, clawft_tensor_bytes,
    clawft_tensor_close, clawft_tensor_create, clawft_tensor_error_bound, clawft_tensor_get,
    clawft_tensor_open, clawft_tensor_params_init, clawft_tensor_stats,
};
#[cfg(feature = "memory")]
pub use text::{ClawftPair, ClawftText};
#[cfg(feature = "memory")]
pub use tiers::{ClawftTick, clawft_tick, clawft_tiers, clawft_touch};
#[cfg(feature = "memory")]
pub use write::{
    ClawftRecord, clawft_commit, clawft_compact, clawft_forget, clawft_remember, clawft_rollback,
    clawft_save,
};
