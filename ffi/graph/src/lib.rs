//! The graph alone: an index over f32 vectors with squared Euclidean distances.
//!
//! What: [`Index`] keeps a graph and its vectors in one buffer; in WebAssembly
//! `module` exports it as `init`, `open`, `insert`, `search`, `remove` and
//! `verify`, without imports. Its budget is 10 KB; `cargo xtask size hnsw` says what it weighs.
//!
//! Why: it shows what the graph weighs by itself, and serves hosts that want
//! slots and distances and nothing more: no ids, no codes, no errors in sentences.
//!
//! What it must never do: be the way into a store (that is `clawft-ffi`); trap on
//! what a host passes.
#![no_std]

// Natively there is no module, only the index for its tests, and `std` for panics.
#[cfg(not(target_family = "wasm"))]
extern crate std;

pub mod index;
#[cfg(target_family = "wasm")]
pub mod module;

pub use index::{Fault, Index, Shape};
