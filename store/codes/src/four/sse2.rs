//! One register of SSE2, which every x86-64 has.
//!
//! Packing saturates, so lanes are cut to their low bits before it, or sign-extended from them.
//!
//! What it must never do: use what came after SSE2. Nobody asks the processor here, as the
//! kernels do.

use core::arch::x86_64::*;

/// Four `f32`.
#[derive(Clone, Copy)]
pub(crate) struct Four(__m128);

// SSE2 is part of x86-64: its instructions are always there.
impl Four {
    #[inline(always)]
    pub(crate) fn load(from: &[f32; 4]) -> Self {
        // SAFETY: `from` is 16 bytes; this load needs no alignment.
        Four(unsafe { _mm_loadu_ps(from.as_ptr()) })
    }

    /// Four integers as floats, exactly.
    #[inline(always)]
    pub(crate) fn from_words(from: &[u16; 4]) -> Self {
        // SAFETY: `from` is 8 bytes; this load needs no alignment. SSE2.
        Four(unsafe {
            let words = _mm_loadl_epi64(from.as_ptr().cast());
            _mm_cvtepi32_ps(_mm_unpacklo_epi16(words, _mm_setzero_si128()))
        })
    }

    #[inline(always)]
    pub(crate) fn store(self, to: &mut [f32; 4]) {
        // SAFETY: `to` is 16 bytes; this store needs no alignment.
        unsafe { _mm_storeu_ps(to.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    pub(super) fn plus(self, b: Self) -> Self {
        // SAFETY: SSE2.
        Four(unsafe { _mm_add_ps(self.0, b.0) })
    }

    #[inline(always)]
    pub(super) fn minus(self, b: Self) -> Self {
        // SAFETY: SSE2.
        Four(unsafe { _mm_sub_ps(self.0, b.0) })
    }

    #[inline(always)]
    pub(super) fn times(self, b: Self) -> Self {
        // SAFETY: SSE2.
        Four(unsafe { _mm_mul_ps(self.0, b.0) })
    }

    /// `if self < b { self } else { b }`.
    #[inline(always)]
    pub(crate) fn smaller(self, b: Self) -> Self {
        // SAFETY: SSE2.
        Four(unsafe { _mm_min_ps(self.0, b.0) })
    }

    /// `if self > b { self } else { b }`.
    #[inline(always)]
    pub(crate) fn larger(self, b: Self) -> Self {
        // SAFETY: SSE2.
        Four(unsafe { _mm_max_ps(self.0, b.0) })
    }

    /// The bits that are also in `mask`.
    #[inline(always)]
    pub(super) fn mask(self, mask: u32) -> Self {
        // SAFETY: SSE2.
        Four(unsafe { _mm_and_ps(self.0, _mm_castsi128_ps(_mm_set1_epi32(mask as i32))) })
    }

    /// Flips the signs of the lanes whose highest bit is set in `bits`.
    #[inline(always)]
    pub(crate) fn flip(self, bits: Self) -> Self {
        // SAFETY: SSE2.
        Four(unsafe { _mm_xor_ps(self.0, _mm_and_ps(bits.0, _mm_set1_ps(-0.0))) })
    }

    /// The lanes' bits, one place higher.
    #[inline(always)]
    pub(crate) fn shift(self) -> Self {
        // SAFETY: SSE2.
        Four(unsafe { _mm_castsi128_ps(_mm_slli_epi32::<1>(_mm_castps_si128(self.0))) })
    }

    /// Bit `j` says that lane `j` is at least zero.
    #[inline(always)]
    pub(crate) fn not_negative(self) -> u8 {
        // SAFETY: SSE2.
        unsafe { _mm_movemask_ps(_mm_cmpge_ps(self.0, _mm_setzero_ps())) as u8 }
    }

    /// Integer lanes: one more where `x` is at most `bound`.
    #[inline(always)]
    pub(crate) fn count_at_most(self, x: Self, bound: Self) -> Self {
        // SAFETY: SSE2.
        Four(unsafe {
            let ones = _mm_castps_si128(_mm_cmple_ps(x.0, bound.0));
            _mm_castsi128_ps(_mm_sub_epi32(_mm_castps_si128(self.0), ones))
        })
    }

    #[inline(always)]
    fn narrow([a, b, c, d]: [Self; 4]) -> __m128i {
        // SAFETY: SSE2.
        unsafe {
            let low = |x: Four| _mm_and_si128(_mm_castps_si128(x.0), _mm_set1_epi32(0xff));
            let words = (_mm_packs_epi32(low(a), low(b)), _mm_packs_epi32(low(c), low(d)));
            _mm_packus_epi16(words.0, words.1)
        }
    }

    /// The lowest byte of each lane of four, in order.
    #[inline(always)]
    pub(crate) fn low_bytes(four: [Self; 4]) -> [u8; 16] {
        let mut out = [0; 16];
        // SAFETY: SSE2; `out` is 16 bytes.
        unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), Self::narrow(four)) };
        out
    }

    /// The low 16 bits of each lane of four, in order.
    #[inline(always)]
    pub(crate) fn low_words([a, b, c, d]: [Self; 4]) -> [i16; 16] {
        let mut out = [0; 16];
        // SAFETY: SSE2; `out` is 32 bytes.
        unsafe {
            let low = |x: Four| _mm_srai_epi32::<16>(_mm_slli_epi32::<16>(_mm_castps_si128(x.0)));
            _mm_storeu_si128(out.as_mut_ptr().cast(), _mm_packs_epi32(low(a), low(b)));
            _mm_storeu_si128(out.as_mut_ptr().add(8).cast(), _mm_packs_epi32(low(c), low(d)));
        }
        out
    }

    /// Bits 0 to 3 of the lanes of four: one word for each, the first lane's bit lowest.
    #[inline(always)]
    pub(crate) fn low_bits(four: [Self; 4]) -> [u16; 4] {
        let bytes = Self::narrow(four);
        // What crosses from byte to byte stays below the highest bit.
        [7, 6, 5, 4].map(|shift| {
            // SAFETY: SSE2.
            unsafe { _mm_movemask_epi8(_mm_sll_epi16(bytes, _mm_cvtsi32_si128(shift))) as u16 }
        })
    }

    /// The square root of `x`, correctly rounded.
    #[inline(always)]
    pub(crate) fn sqrt(x: f32) -> f32 {
        // SAFETY: SSE2.
        unsafe { _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x))) }
    }

    /// The Hadamard transform of the lanes `a b c d`: `a + b`, `a - b`, `c + d`, `c - d`, and
    /// the same again with stride two.
    #[inline(always)]
    pub(crate) fn hadamard(self) -> Self {
        // SAFETY: SSE2.
        unsafe {
            let odd = _mm_shuffle_ps::<0b11_11_01_01>(self.0, self.0);
            let odd = _mm_xor_ps(odd, _mm_setr_ps(0.0, -0.0, 0.0, -0.0));
            let x = _mm_add_ps(_mm_shuffle_ps::<0b10_10_00_00>(self.0, self.0), odd);
            let high = _mm_xor_ps(_mm_movehl_ps(x, x), _mm_setr_ps(0.0, 0.0, -0.0, -0.0));
            Four(_mm_add_ps(_mm_movelh_ps(x, x), high))
        }
    }
}
