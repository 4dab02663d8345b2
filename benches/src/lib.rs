//! Data for measurements: the sample, larger sets made from it, and how hard they are.
//!
//! The benches themselves are in `benches/`, the native peers in `peers/`.
//! Figures need data whose neighbourhoods look like those of real embeddings:
//! the cost of a graph walk follows the intrinsic dimension, and random
//! Gaussians of 512 dimensions have about 120 of it where texts have about 30.
//! So [`mixture`] makes larger sets out of sample rows, and [`dimension`]
//! measures what came out, which is printed beside every figure made from it.
//!
//! Nothing here is part of the product, and no crate of the product may depend
//! on it.

#![forbid(unsafe_code)]

pub mod aligned;
pub mod dimension;
pub mod exact;
pub mod json_lines;
pub mod mixture;
pub mod random;
pub mod ranks;
pub mod sample;
pub mod streams;
