//! The kernels: one query against a batch of codes.
//!
//! | file | what |
//! |---|---|
//! | `kernel.rs` | [`Kernels`], the public face, and what it promises |
//! | `kernel/dispatch.rs` | which instruction sets there are here, and the jump to the right one |
//! | `kernel/vector.rs` | [`Vector`](vector::Vector), what an instruction set must offer |
//! | `kernel/algorithm.rs` | every distance, once, over that trait |
//! | `kernel/scalar.rs`, `simd128.rs`, `relaxed.rs`, `avx2.rs`, `avx512.rs` | instruction sets |
//!
//! A batch goes through one call: range checks, the choice of instruction set and the query's
//! preparation are paid once, and the processor can fetch the next code while it works on this one.
//!
//! What it must never do: let a result depend on the instruction set, or on the batch around a
//! code; or read a byte outside the buffer of codes.

mod algorithm;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod dispatch;
#[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
mod relaxed;
#[cfg(any(test, not(all(target_arch = "wasm32", target_feature = "simd128"))))]
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
#[cfg(test)]
mod tests;
mod vector;

use crate::{ShortQuery, SketchQuery};
use algorithm::{Batch, Kind};
use dispatch::Isa;

/// An instruction set, chosen once and passed along.
///
/// Every method takes a batch: code `j` begins at byte `at[j] * unit` of `codes`, and its
/// result goes to `out[j]`. A code that does not lie wholly inside `codes`, and an `out` shorter
/// than `at`, are the caller's bugs: debug builds assert; otherwise such a code gets the worst value
/// ([`Kernels::WORST_FLOAT`], [`Kernels::WORST_INT`]) and results without a place are left out.
/// Memory outside `codes` is never read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernels(Isa);

impl Kernels {
    /// What a float kernel gives for a code outside the buffer: as a distance, the farthest.
    pub const WORST_FLOAT: f32 = f32::MAX;
    /// What an integer kernel gives for a code outside the buffer: as a similarity, the least.
    pub const WORST_INT: i32 = i32::MIN;

    /// The best instruction set of this machine.
    ///
    /// On WebAssembly it is fixed when the module is compiled: there is no way to ask.
    pub fn detect() -> Self {
        Kernels(Isa::detect())
    }

    /// The portable code. (In a WebAssembly artifact, the one instruction set it was compiled
    /// for: it carries no other.)
    pub fn generic() -> Self {
        Kernels(Isa::generic())
    }

    /// Every instruction set this machine can run, the portable one first, the best one last.
    pub fn available() -> impl Iterator<Item = Kernels> {
        Isa::available().map(Kernels)
    }

    /// The name: `scalar`, `simd128`, `relaxed`, `avx2`, `avx512` or `avx512vnni`.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Inner products of an integer query with `i8` codes, modulo 2^32.
    ///
    /// A query of [`crate::encode_query_i8`] never wraps.
    #[inline(never)]
    pub fn dot_i8_query(self, q: &[i16], codes: &[u8], unit: usize, at: &[u32], out: &mut [i32]) {
        dispatch::words(self.0, q, Batch::new(codes, q.len(), unit, at), out);
    }

    /// Inner products of an `i8` code with other `i8` codes, modulo 2^32.
    ///
    /// Codes of up to [`crate::MAX_DIM`] components never wrap.
    #[inline(never)]
    pub fn dot_i8(self, a: &[i8], codes: &[u8], unit: usize, at: &[u32], out: &mut [i32]) {
        dispatch::bytes(self.0, a, Batch::new(codes, a.len(), unit, at), out);
    }

    /// The sums `S` of the query's levels where a short code has a one; see [`crate::short`].
    #[inline(never)]
    pub fn dot_short(
        self,
        q: &ShortQuery<'_>,
        codes: &[u8],
        unit: usize,
        at: &[u32],
        out: &mut [i32],
    ) {
        let bytes = q.planes().len() / crate::PLANES;
        dispatch::short(self.0, q.planes(), Batch::new(codes, bytes, unit, at), out);
    }

    /// The estimates of whole blocks of sketches, 64 for each block; see [`crate::sketch`].
    ///
    /// As many as there are whole blocks, and room for.
    #[inline(never)]
    pub fn sketch(self, q: &SketchQuery, blocks: &[u8], out: &mut [f32]) {
        dispatch::sketch(self.0, q, blocks, out);
    }

    /// Inner products with `f32` codes.
    pub fn dot_f32(self, q: &[f32], codes: &[u8], unit: usize, at: &[u32], out: &mut [f32]) {
        self.floats(Kind { squared: false, half: false }, q, codes, unit, at, out);
    }

    /// Squared Euclidean distances to `f32` codes.
    pub fn l2_f32(self, q: &[f32], codes: &[u8], unit: usize, at: &[u32], out: &mut [f32]) {
        self.floats(Kind { squared: true, half: false }, q, codes, unit, at, out);
    }

    /// Inner products with `f16` codes, computed in `f32`.
    pub fn dot_f16(self, q: &[f32], codes: &[u8], unit: usize, at: &[u32], out: &mut [f32]) {
        self.floats(Kind { squared: false, half: true }, q, codes, unit, at, out);
    }

    /// Squared Euclidean distances to `f16` codes, computed in `f32`.
    pub fn l2_f16(self, q: &[f32], codes: &[u8], unit: usize, at: &[u32], out: &mut [f32]) {
        self.floats(Kind { squared: true, half: true }, q, codes, unit, at, out);
    }

    /// One function for all four: each compiles to a kilobyte or more.
    #[inline(never)]
    fn floats(self, kind: Kind, q: &[f32], codes: &[u8], unit: usize, at: &[u32], out: &mut [f32]) {
        let bytes = if kind.half { 2 } else { 4 };
        dispatch::floats(self.0, q, kind, Batch::new(codes, bytes * q.len(), unit, at), out);
    }
}
