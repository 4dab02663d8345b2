//! WebAssembly's relaxed SIMD: `simd128`, and where it is exact and pays, a dot product of bytes.
//!
//! Of the relaxed instructions only the products of `i8` with 7-bit integers may be used here:
//! fused multiply-adds and relaxed minima give different bits on different processors. The
//! counts of a short code are such 7-bit integers, at most `4 * 8 * 3` in a byte, and their weights
//! are bytes.
//!
//! Rejected: `dot_i8_query` with the query in two 7-bit digits. The biased query needs the sum of
//! the code as a third product, and where the engine lowers a product to three instructions, as
//! Wasmtime does on x86-64, that is nine for 16 components against six of plain `simd128`.
//!
//! What it must never do: give that product a second operand with the highest bit set. What
//! comes of it is the engine's choice.

use super::simd128::Simd128;
use super::vector::Vector;
use core::arch::wasm32::*;

/// The relaxed-simd instruction set.
#[derive(Clone, Copy)]
pub(super) struct Relaxed;

/// Passes these methods on to [`Simd128`].
macro_rules! as_simd128 {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {$(
        #[inline(always)]
        unsafe fn $name($($arg: $type),*) -> $out {
            // SAFETY: the same promise of the caller's.
            unsafe { Simd128::$name($($arg),*) }
        }
    )*};
}

impl Vector for Relaxed {
    type Floats = [v128; 8];
    type Ints = v128;
    type Bits = v128;
    /// Counts by byte.
    type Counts = v128;
    type Bytes = v128;
    type Sums = [v128; 2];

    const WORDS: usize = Simd128::WORDS;
    const LANES: usize = Simd128::LANES;

    as_simd128! {
        fn zero_floats() -> [v128; 8];
        fn load_f32(p: *const u8) -> [v128; 8];
        fn widen(p: *const u8, to: &mut [f32; 32]) -> ();
        fn add(a: [v128; 8], b: [v128; 8]) -> [v128; 8];
        fn sub(a: [v128; 8], b: [v128; 8]) -> [v128; 8];
        fn mul(a: [v128; 8], b: [v128; 8]) -> [v128; 8];
        fn fold(a: [v128; 8]) -> f32;
        fn zero_ints() -> v128;
        fn add_words(sum: v128, q: *const u8, code: *const u8) -> v128;
        fn add_bytes(sum: v128, q: *const u8, code: *const u8) -> v128;
        fn add_ints(a: v128, b: v128) -> v128;
        fn sum4(a: [v128; 4]) -> [i32; 4];
        fn sum(a: v128) -> i32;
        fn load_bits(p: *const u8) -> v128;
        fn load_bits_part(p: *const u8, words: usize) -> v128;
        fn zero_counts() -> v128;
        fn count(counts: v128, code: v128, plane: v128) -> v128;
        fn load_bytes(p: *const u8) -> v128;
        fn splat_byte(p: *const u8) -> v128;
        fn zero_bytes() -> v128;
        fn differ(counts: [v128; 2], code: v128, signs: v128, large: v128) -> [v128; 2];
        fn zero_sums() -> [v128; 2];
        fn add_to_sums(sums: [v128; 2], counts: [v128; 2]) -> [v128; 2];
        fn store_sums(sums: [v128; 2], even: *mut u16, odd: *mut u16) -> ();
    }

    #[inline(always)]
    unsafe fn weigh([a, b, c, d]: [v128; 4]) -> v128 {
        let ab = i8x16_add(a, i8x16_add(b, b));
        let low = i16x8_relaxed_dot_i8x16_i7x16(i8x16_splat(1), ab);
        let middle = i16x8_relaxed_dot_i8x16_i7x16(i8x16_splat(4), c);
        let high = i16x8_relaxed_dot_i8x16_i7x16(i8x16_splat(-8), d);
        i32x4_extadd_pairwise_i16x8(i16x8_add(i16x8_add(low, middle), high))
    }
}
