//! One register of WebAssembly's SIMD.
//!
//! Minima and maxima are `pmin` and `pmax` with the operands exchanged: these compare and
//! select, as SSE2 does, where `min` and `max` pass NaN on and order the zeros. Narrowing
//! saturates, so lanes are cut to their low bits before it.
//!
//! What it must never do: use an instruction of relaxed SIMD, also where a module has it: with
//! floats an engine may choose what comes of it.

use core::arch::wasm32::*;

/// Four `f32`.
#[derive(Clone, Copy)]
pub(crate) struct Four(v128);

impl Four {
    #[inline(always)]
    pub(crate) fn load(from: &[f32; 4]) -> Self {
        // SAFETY: `from` is 16 bytes; loads need no alignment.
        Four(unsafe { v128_load(from.as_ptr().cast()) })
    }

    /// Four integers as floats, exactly.
    #[inline(always)]
    pub(crate) fn from_words(from: &[u16; 4]) -> Self {
        // SAFETY: `from` is 8 bytes; loads need no alignment.
        Four(f32x4_convert_i32x4(unsafe { i32x4_load_extend_u16x4(from.as_ptr().cast()) }))
    }

    #[inline(always)]
    pub(crate) fn store(self, to: &mut [f32; 4]) {
        // SAFETY: `to` is 16 bytes; stores need no alignment.
        unsafe { v128_store(to.as_mut_ptr().cast(), self.0) }
    }

    #[inline(always)]
    pub(super) fn plus(self, b: Self) -> Self {
        Four(f32x4_add(self.0, b.0))
    }

    #[inline(always)]
    pub(super) fn minus(self, b: Self) -> Self {
        Four(f32x4_sub(self.0, b.0))
    }

    #[inline(always)]
    pub(super) fn times(self, b: Self) -> Self {
        Four(f32x4_mul(self.0, b.0))
    }

    /// `if self < b { self } else { b }`.
    #[inline(always)]
    pub(crate) fn smaller(self, b: Self) -> Self {
        Four(f32x4_pmin(b.0, self.0))
    }

    /// `if self > b { self } else { b }`.
    #[inline(always)]
    pub(crate) fn larger(self, b: Self) -> Self {
        Four(f32x4_pmax(b.0, self.0))
    }

    /// The bits that are also in `mask`.
    #[inline(always)]
    pub(super) fn mask(self, mask: u32) -> Self {
        Four(v128_and(self.0, u32x4_splat(mask)))
    }

    /// Flips the signs of the lanes whose highest bit is set in `bits`.
    #[inline(always)]
    pub(crate) fn flip(self, bits: Self) -> Self {
        Four(v128_xor(self.0, v128_and(bits.0, u32x4_splat(0x8000_0000))))
    }

    /// The lanes' bits, one place higher.
    #[inline(always)]
    pub(crate) fn shift(self) -> Self {
        Four(u32x4_shl(self.0, 1))
    }

    /// Bit `j` says that lane `j` is at least zero.
    #[inline(always)]
    pub(crate) fn not_negative(self) -> u8 {
        i32x4_bitmask(f32x4_ge(self.0, f32x4_splat(0.0)))
    }

    /// Integer lanes: one more where `x` is at most `bound`.
    #[inline(always)]
    pub(crate) fn count_at_most(self, x: Self, bound: Self) -> Self {
        Four(i32x4_sub(self.0, f32x4_le(x.0, bound.0)))
    }

    #[inline(always)]
    fn narrow([a, b, c, d]: [Self; 4]) -> v128 {
        let low = |x: Four| v128_and(x.0, u32x4_splat(0xff));
        let words = (i16x8_narrow_i32x4(low(a), low(b)), i16x8_narrow_i32x4(low(c), low(d)));
        u8x16_narrow_i16x8(words.0, words.1)
    }

    /// The lowest byte of each lane of four, in order.
    #[inline(always)]
    pub(crate) fn low_bytes(four: [Self; 4]) -> [u8; 16] {
        let mut out = [0; 16];
        // SAFETY: `out` is 16 bytes.
        unsafe { v128_store(out.as_mut_ptr().cast(), Self::narrow(four)) };
        out
    }

    /// The low 16 bits of each lane of four, in order.
    #[inline(always)]
    pub(crate) fn low_words([a, b, c, d]: [Self; 4]) -> [i16; 16] {
        let two = |a: Four, b: Four| i16x8_shuffle::<0, 2, 4, 6, 8, 10, 12, 14>(a.0, b.0);
        let mut out = [0; 16];
        // SAFETY: `out` is 32 bytes.
        unsafe {
            v128_store(out.as_mut_ptr().cast(), two(a, b));
            v128_store(out.as_mut_ptr().add(8).cast(), two(c, d));
        }
        out
    }

    /// Bits 0 to 3 of the lanes of four: one word for each, the first lane's bit lowest.
    #[inline(always)]
    pub(crate) fn low_bits(four: [Self; 4]) -> [u16; 4] {
        let bytes = Self::narrow(four);
        [7, 6, 5, 4].map(|shift| i8x16_bitmask(i8x16_shl(bytes, shift)))
    }

    /// The square root of `x`, correctly rounded.
    #[inline(always)]
    pub(crate) fn sqrt(x: f32) -> f32 {
        f32x4_extract_lane::<0>(f32x4_sqrt(f32x4_splat(x)))
    }

    /// The Hadamard transform of the lanes `a b c d`: `a + b`, `a - b`, `c + d`, `c - d`, and
    /// the same again with stride two.
    #[inline(always)]
    pub(crate) fn hadamard(self) -> Self {
        let minus = u32x4_splat(0x8000_0000);
        let zero = u32x4_splat(0);
        let odd = i32x4_shuffle::<1, 1, 3, 3>(self.0, self.0);
        let odd = v128_xor(odd, i32x4_shuffle::<0, 4, 0, 4>(zero, minus));
        let x = f32x4_add(i32x4_shuffle::<0, 0, 2, 2>(self.0, self.0), odd);
        let high = i64x2_shuffle::<1, 1>(x, x);
        let high = v128_xor(high, i32x4_shuffle::<0, 0, 4, 4>(zero, minus));
        Four(f32x4_add(i64x2_shuffle::<0, 0>(x, x), high))
    }
}
