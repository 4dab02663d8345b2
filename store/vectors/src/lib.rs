//! The image: a searchable store of vectors in one buffer.
//!
//! An [`Image`] puts a graph (`clawft-hnsw`), short codes to walk it by, full codes to rank
//! by, ids and an id table into one 64-byte aligned buffer of fixed size. It never allocates
//! and never grows: what does not fit is refused with [`Error::Full`], and nothing changes. A
//! byte copy of a sealed image is a snapshot (see [`Image::seal`]).
//!
//! A search takes two stages. The walk compares one bit a dimension by estimates that are
//! unbiased but rough (RaBitQ, arXiv:2405.12497); what it finds is ranked by the full codes.
//! Below [`SHORT_FROM`] dimensions a bit says too little, and the walk uses the full codes.
//! Links are always chosen by full codes. These may be of several widths: see [`tiers`].
//!
//! | file | what |
//! |---|---|
//! | `image` | the image itself: creating, and what can be asked without a search |
//! | `params` | what it is made for |
//! | `layout`, `header` | its sections, and its first 256 bytes |
//! | `view` | its bytes, to read and to change |
//! | `codes` | what it holds of a slot's vector |
//! | `centre` | the centres that codes are relative to |
//! | `ids` | from the caller's ids to slots |
//! | `pages` | the pool where full codes live |
//! | `write` | insert, upsert, remove and mark |
//! | `search` | candidates by the graph, results by the full codes |
//! | `range` | everything within a radius |
//! | `scan` | scans: three sieves, each finer than the one before |
//! | `query` | a query in every form that codes are compared with |
//! | `measure` | distances by full codes |
//! | `tiers` | full codes of several widths |
//! | `tier_policy` | which width a record deserves |
//! | `grow` | the same vectors and graph in a larger image |
//! | `snapshot` | the bytes of a sealed image, and opening them without trust |
//! | `scratch` | memory that a call works in |
//! | `error` | what can go wrong, each with a number and a sentence |
//!
//! What this crate must never do: know a file or a clock, draw randomness, give other results
//! on another machine, or let any bytes that it opens make it panic.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod centre;
mod codes;
mod error;
mod grow;
mod header;
mod ids;
mod image;
mod layout;
mod measure;
mod pages;
mod params;
mod query;
mod range;
mod scan;
mod scratch;
mod search;
mod snapshot;
pub mod tier_policy;
pub mod tiers;
mod view;
mod write;

pub use clawft_codes::{Encoding, Kernels};
pub use clawft_hnsw::Report;
pub use error::{Error, Sentence};
pub use image::{Image, Stats};
pub use layout::{Layout, required_bytes};
pub use params::{Metric, Params};
pub use scratch::{Scratch, scratch_words};
pub use search::{Hit, Mode, SearchOptions};

/// From this many dimensions on, walks use short codes.
pub const SHORT_FROM: usize = 128;
/// Does this build know tiers? If not, none of their code is in it.
const TIERS: bool = cfg!(feature = "tiers");
/// The largest dimension.
pub const MAX_DIM: usize = clawft_codes::MAX_DIM;
