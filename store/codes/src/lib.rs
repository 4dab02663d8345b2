//! Encodings of vectors, and the distance kernels over them.
//!
//! A stored vector has a *full code* (`f32`, `f16` or `i8`, see [`FullCode`]) that
//! answers exactly enough to rank results, and a *short code* of one bit a dimension
//! (see [`short`]) that a graph walk can compare by the thousand. Both kinds sit in the
//! caller's bytes: this crate owns no memory and knows nothing of the layout around a code.
//!
//! [`Kernels`] compares one query with a batch of codes, by the best instruction set
//! the machine has. What it must never do: give different bits on different machines. Integer
//! kernels are exact; float kernels add in one fixed tree of 32 lanes without fused
//! multiply-add. A store built here answers identically everywhere.
//!
//! | file | what |
//! |---|---|
//! | `full` | full codes: what is kept of a vector, and how far it may be from the original |
//! | `f32_code`, `f16_code`, `i8_code` | the three of them: exact, of half precision, of 8 bits |
//! | `short` | short codes: one bit a dimension, with factors |
//! | `sketch` | the beginnings of short codes, laid out for scans |
//! | `tiered` | codes of 8, 7, 5 or 3 bits, for records by their use |
//! | `pack` | levels packed to so many bits |
//! | `tensor` | a tensor over time: frames in segments that share their scales |
//! | `rotation` | a seeded random rotation without a matrix |
//! | `kernel` | one query against a batch of codes, by instruction set |
//! | `four` | four floats at a time, for what is computed once a vector |
//! | `arith` | float functions that `core` lacks |
//!
//! All `unsafe` code of this crate lives in `kernel` and `four`, which have a file for each
//! instruction set: the instructions need it. Every public function is safe to call with any
//! arguments; a broken promise about lengths gives a poor number (and an assertion in debug
//! builds), never undefined behaviour.

#![no_std]

#[cfg(test)]
extern crate std;

#[cfg(target_endian = "big")]
compile_error!(
    "codes are little-endian and read in place: a big-endian target needs byte swaps first"
);

pub mod arith;
mod f16_code;
mod f32_code;
mod four;
mod full;
mod i8_code;
mod kernel;
mod pack;
mod rotation;
pub mod short;
pub mod sketch;
pub mod tensor;
mod tiered;

pub use f16_code::F16Code;
pub use f32_code::F32Code;
pub use full::{Encoding, FullCode};
pub use i8_code::{I8Code, encode_query_i8};
pub use kernel::Kernels;
pub use pack::{GROUP, Width};
pub use rotation::Rotation;
pub use short::{PLANES, ShortQuery, ShortSide, encode_short, short_bytes};
pub use sketch::SketchQuery;
pub use tiered::{
    decode_tiered, dot_tiered, encode_tiered, tiered_bytes, tiered_error, tiered_error_bound,
};

/// The largest number of dimensions a vector may have.
///
/// With it an `i8` sum of products stays below 2^31, and a rotation's window below 2^13.
pub const MAX_DIM: usize = 8192;

/// `dim` rounded up to a multiple of 64, the length of every rotated vector.
///
/// 64 components are one word of short code and a whole number of every kernel's vectors.
pub const fn padded(dim: usize) -> usize {
    dim.div_ceil(64) * 64
}

/// How many cases a property is tried on, natively and in Miri, which is a thousand times slower.
///
/// Failing seeds are kept in files only where there are files.
#[cfg(test)]
fn cases(native: u32, miri: u32) -> proptest::test_runner::Config {
    let mut config =
        proptest::test_runner::Config::with_cases(if cfg!(miri) { miri } else { native });
    if cfg!(any(miri, target_arch = "wasm32")) {
        config.failure_persistence = None;
    }
    config
}
