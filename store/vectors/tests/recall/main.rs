//! Recall: does a search find what comparing every vector finds?
//!
//! | file | what |
//! |---|---|
//! | `data.rs` | seeded vectors of many kinds: uniform, clustered, positive, of all lengths |
//! | `store.rs` | an image with its buffers, the exact answer, and recall between them |
//! | `kinds.rs` | recall of at least 0.95 whatever the dimension, the data and the metric |
//! | `filters.rs` | scans in sieves under filters and marks |
//! | `order.rs` | the order of insertion must not matter |
//! | `churn.rs` | removing and inserting again and again must not matter |
//!
//! Every test but that of `filters.rs` runs with the automatic choice and once more with the scan forced
//! off: at such sizes a scan would hide a broken graph. Sizes are those of the gate; what takes minutes
//! is ignored there and run by `cargo xtask test --all`. So are these tests in WebAssembly, in the build with SIMD:
//! all builds give the same bytes (`tests/bytes.rs`). Miri is left out: recall of few vectors
//! says nothing, and `tests/image.rs` makes the same calls.

#![cfg(all(
    any(
        not(target_family = "wasm"),
        all(target_feature = "simd128", not(target_feature = "relaxed-simd"))
    ),
    not(miri)
))]

mod churn;
mod data;
mod filters;
mod kinds;
mod order;
mod store;
#[path = "../store_of_bytes/mod.rs"]
mod store_of_bytes;
