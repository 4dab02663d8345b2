//! A hierarchical navigable small world graph in a buffer that the caller owns.
//!
//! The graph knows slots and distances, nothing else: vectors, ids and files are
//! the business of its callers. It works in any 64-byte aligned `&mut [u8]`,
//! never allocates and never panics on what a buffer or a caller may hold, so that
//! it serves a sandbox of a few hundred kilobytes and a native process alike. A byte
//! copy of the buffer is a snapshot of the graph.
//!
//! Source: Yu. A. Malkov and D. A. Yashunin, *Efficient and robust approximate nearest
//! neighbor search using Hierarchical Navigable Small World graphs*, arXiv:1603.09320,
//! algorithms 1 to 5. Three things differ from the paper:
//!
//! - **Reachability is an invariant**, not a likelihood. Each slot but one has a parent;
//!   the links between the two are never pruned. The tree of these links keeps level 0
//!   strongly connected, whatever is inserted and removed (see [`tree`](mod@tree)).
//! - **Diversity is kept up, not recomputed.** A list of links holds the diverse ones
//!   first and the fillers behind; a new back-link is judged against them with two batches
//!   of distances (see [`diversity`](mod@diversity)).
//! - **Removal repairs** the lists that pointed to the removed slot at once, so that no
//!   link ever points to a free slot.
//!
//! | file | what |
//! |---|---|
//! | `graph` | the graph over its buffer: fields of the header and of the slots |
//! | `layout` | from parameters to the sections of the buffer, and the header |
//! | `links` | a slot's neighbours on a level, read and written |
//! | `level` | how high a new slot stands |
//! | `insert` | insertion |
//! | `remove` | removal with repair |
//! | `search` | the walk from the top, a scan where that is cheaper, or both |
//! | `beam` | the walk on one level |
//! | `diversity` | which links a slot keeps |
//! | `tree` | the protected links, which keep every slot reachable |
//! | `grow` | a graph copied into a larger one |
//! | `verify` | checks of the invariants, and how many slots are unreachable |
//! | `scratch` | memory that a walk works in |
//! | `sort` | keys and ranks sorted |
//!
//! What this crate must never do: hold a pointer in the buffer, read a clock, draw
//! randomness from anywhere but its header, or use `unsafe`.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

#[cfg(target_endian = "big")]
compile_error!(
    "clawft-hnsw reads its buffer in place, little-endian: a big-endian target needs a conversion that nobody has written yet"
);

pub mod beam;
pub mod diversity;
pub mod graph;
pub mod grow;
pub mod insert;
pub mod layout;
pub mod level;
pub mod links;
pub mod remove;
pub mod scratch;
pub mod search;
mod sort;
pub mod tree;
pub mod verify;

pub use graph::Graph;
pub use layout::{Layout, OpenError, Params, required_bytes};
pub use scratch::Scratch;
pub use search::{Mode, Request};
pub use verify::Report;

/// A place in the graph: `0..capacity`. Which record lives there is the caller's business.
pub type Slot = u32;

/// No slot. Stored as `0xFFFF` in graphs of 16-bit slots.
pub const EMPTY: Slot = u32::MAX;

/// Distances between stored slots. Smaller is nearer; NaN counts as farthest.
pub trait Space {
    /// Writes to `out[i]` the distance from `slot` to `others[i]`.
    ///
    /// Links are chosen by these distances, so they should be the best that the caller has.
    fn between(&mut self, slot: Slot, others: &[Slot], out: &mut [f32]);
}

/// Distances from one query to stored slots. They steer the walk and may be estimates.
pub trait Probe {
    /// Writes to `out[i]` the distance from the query to `slots[i]`.
    fn distances(&mut self, slots: &[Slot], out: &mut [f32]);
}
