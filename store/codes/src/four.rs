//! Four floats at a time, for what is computed once a vector: encoding, norms, the rotation.
//!
//! The kernels choose their instruction set when they run; this code is not hot enough for
//! that, but too hot to leave to compilers, which turn such loops into scalar instructions. So it
//! is written over one register of what each target always has: `simd128` on WebAssembly, SSE2
//! on x86-64, an array elsewhere. Every operation is exact or rounds once: same bits everywhere.

pub(crate) use register::Four;

use core::ops::{Add, Mul, Sub};

impl Four {
    /// Four times `x`.
    #[inline(always)]
    pub(crate) fn splat(x: f32) -> Self {
        Four::load(&[x; 4])
    }

    /// Each `x` brought into `-most..=most`; NaN becomes one of the ends.
    #[inline(always)]
    pub(crate) fn clamp(self, most: f32) -> Self {
        self.smaller(Four::splat(most)).larger(Four::splat(-most))
    }

    /// The magnitudes.
    #[inline(always)]
    pub(crate) fn abs(self) -> Self {
        self.mask(0x7fff_ffff)
    }
}

macro_rules! operators {
    ($($trait:ident $name:ident $method:ident;)*) => {$(
        impl $trait for Four {
            type Output = Four;
            #[inline(always)]
            fn $name(self, other: Four) -> Four {
                Four::$method(self, other)
            }
        }
    )*};
}

operators! {
    Add add plus;
    Sub sub minus;
    Mul mul times;
}

#[cfg(target_feature = "simd128")]
mod register {
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
}

#[cfg(target_arch = "x86_64")]
mod register {
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
                let low =
                    |x: Four| _mm_srai_epi32::<16>(_mm_slli_epi32::<16>(_mm_castps_si128(x.0)));
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
}

#[cfg(any(test, not(any(target_arch = "x86_64", target_feature = "simd128"))))]
mod portable {
    use core::array::from_fn;

    /// Four `f32`.
    #[derive(Clone, Copy)]
    pub(crate) struct Four([f32; 4]);

    impl Four {
        #[inline(always)]
        pub(crate) fn load(from: &[f32; 4]) -> Self {
            Four(*from)
        }

        /// Four integers as floats, exactly.
        #[inline(always)]
        pub(crate) fn from_words(from: &[u16; 4]) -> Self {
            Four(from.map(f32::from))
        }

        #[inline(always)]
        pub(crate) fn store(self, to: &mut [f32; 4]) {
            *to = self.0;
        }

        #[inline(always)]
        pub(super) fn plus(self, b: Self) -> Self {
            Four(from_fn(|j| self.0[j] + b.0[j]))
        }

        #[inline(always)]
        pub(super) fn minus(self, b: Self) -> Self {
            Four(from_fn(|j| self.0[j] - b.0[j]))
        }

        #[inline(always)]
        pub(super) fn times(self, b: Self) -> Self {
            Four(from_fn(|j| self.0[j] * b.0[j]))
        }

        /// `if self < b { self } else { b }`.
        #[inline(always)]
        pub(crate) fn smaller(self, b: Self) -> Self {
            Four(from_fn(|j| if self.0[j] < b.0[j] { self.0[j] } else { b.0[j] }))
        }

        /// `if self > b { self } else { b }`.
        #[inline(always)]
        pub(crate) fn larger(self, b: Self) -> Self {
            Four(from_fn(|j| if self.0[j] > b.0[j] { self.0[j] } else { b.0[j] }))
        }

        /// The bits that are also in `mask`.
        #[inline(always)]
        pub(super) fn mask(self, mask: u32) -> Self {
            Four(self.0.map(|x| f32::from_bits(x.to_bits() & mask)))
        }

        /// Flips the signs of the lanes whose highest bit is set in `bits`.
        #[inline(always)]
        pub(crate) fn flip(self, bits: Self) -> Self {
            Four(from_fn(|j| {
                f32::from_bits(self.0[j].to_bits() ^ (bits.0[j].to_bits() & 0x8000_0000))
            }))
        }

        /// The lanes' bits, one place higher.
        #[inline(always)]
        pub(crate) fn shift(self) -> Self {
            Four(self.0.map(|x| f32::from_bits(x.to_bits() << 1)))
        }

        /// Bit `j` says that lane `j` is at least zero.
        #[inline(always)]
        pub(crate) fn not_negative(self) -> u8 {
            (0..4).fold(0, |bits, j| bits | u8::from(self.0[j] >= 0.0) << j)
        }

        /// Integer lanes: one more where `x` is at most `bound`.
        #[inline(always)]
        pub(crate) fn count_at_most(self, x: Self, bound: Self) -> Self {
            let count = |j: usize| self.0[j].to_bits() + u32::from(x.0[j] <= bound.0[j]);
            Four(from_fn(|j| f32::from_bits(count(j))))
        }

        /// The lowest byte of each lane of four, in order.
        #[inline(always)]
        pub(crate) fn low_bytes(four: [Self; 4]) -> [u8; 16] {
            from_fn(|i| four[i / 4].0[i % 4].to_bits() as u8)
        }

        /// The low 16 bits of each lane of four, in order.
        #[inline(always)]
        pub(crate) fn low_words(four: [Self; 4]) -> [i16; 16] {
            from_fn(|i| four[i / 4].0[i % 4].to_bits() as i16)
        }

        /// Bits 0 to 3 of the lanes of four: one word for each, the first lane's bit lowest.
        #[inline(always)]
        pub(crate) fn low_bits(four: [Self; 4]) -> [u16; 4] {
            let bytes = Self::low_bytes(four);
            let [low, high]: [u64; 2] =
                from_fn(|half| u64::from_le_bytes(bytes.as_chunks().0[half]));
            from_fn(|bit| gather_bits(low >> bit) | gather_bits(high >> bit) << 8)
        }

        /// The square root of `x`, correctly rounded, for finite `x > 0`.
        ///
        /// A digit of the root at a time, by whole numbers: the root of a 24-bit mantissa scaled
        /// to 50 bits has 25 bits, one more than is kept, and a remainder that settles every tie.
        pub(crate) fn sqrt(x: f32) -> f32 {
            let bits = x.to_bits();
            let (exponent, mantissa) = match bits >> 23 {
                0 => {
                    let shift = bits.leading_zeros() as i32 - 8;
                    (-149 - shift, bits << shift)
                }
                exponent => (exponent as i32 - 150, bits & 0x7f_ffff | 0x80_0000),
            };
            // x = mantissa * 2^exponent; an even exponent has a whole root.
            let shift = if exponent % 2 == 0 { 26 } else { 25 };
            let wide = u64::from(mantissa) << shift;
            let mut root = 0u64;
            for bit in (0..25).rev() {
                let larger = root | 1 << bit;
                if larger * larger <= wide {
                    root = larger;
                }
            }
            // "Something remains" as a 26th bit: the conversion rounds them right.
            let sticky = (root << 1 | u64::from(root * root != wide)) as f32;
            sticky * f32::from_bits((((exponent - shift) / 2 - 1 + 127) as u32) << 23)
        }

        /// The Hadamard transform of the lanes `a b c d`: `a + b`, `a - b`, `c + d`, `c - d`, and
        /// the same again with stride two.
        #[inline(always)]
        pub(crate) fn hadamard(self) -> Self {
            let [a, b, c, d] = self.0;
            let (a, b, c, d) = (a + b, a - b, c + d, c - d);
            Four([a + c, b + d, a - c, b - d])
        }
    }

    /// The lowest bit of each of eight bytes, as one byte.
    ///
    /// The multiplication moves byte `i`'s bit to bit `56 + i`; no two terms meet below.
    #[inline(always)]
    fn gather_bits(eight: u64) -> u16 {
        ((eight & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u16
    }
}

#[cfg(not(any(target_arch = "x86_64", target_feature = "simd128")))]
use portable as register;

#[cfg(all(test, any(target_arch = "x86_64", target_feature = "simd128")))]
mod tests {
    use super::{Four, portable};
    use proptest::prelude::*;

    fn any_float() -> impl Strategy<Value = f32> {
        prop_oneof![4 => -9.0f32..9.0, 1 => Just(0.0), 1 => Just(-0.0), 1 => Just(f32::NAN)]
    }

    /// Bits, with one NaN for all: their payloads are nobody's promise.
    fn bits(x: [f32; 4]) -> [u32; 4] {
        x.map(|x| if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() })
    }

    macro_rules! all {
        ($four:ty, $a:expr, $b:expr, $signs:expr) => {{
            let (a, b) = (<$four>::load(&$a), <$four>::load(&$b));
            let results = [
                a.plus(b),
                a.minus(b),
                a.times(b),
                a.smaller(b),
                a.larger(b),
                a.mask(0x7fff_ffff),
                a.flip(<$four>::load(&$signs.map(f32::from_bits))),
                a.shift(),
                a.hadamard(),
                <$four>::from_words(&$signs.map(|x| x as u16)),
                <$four>::load(&[f32::from_bits(41); 4]).count_at_most(a, b),
            ];
            let floats = results.map(|x| {
                let mut out = [0.0; 4];
                x.store(&mut out);
                bits(out)
            });
            (
                floats,
                a.not_negative(),
                <$four>::low_bytes([a, b, b, a]),
                <$four>::low_words([a, b, b, a]),
                <$four>::low_bits([a, b, b, a]),
            )
        }};
    }

    proptest! {
        #![proptest_config(crate::cases(2000, 16))]

        #[test]
        fn equals_the_portable_one(
            a in [any_float(), any_float(), any_float(), any_float()],
            b in [any_float(), any_float(), any_float(), any_float()],
            signs in any::<[u32; 4]>(),
        ) {
            let ours = all!(Four, a, b, signs);
            prop_assert_eq!(ours, all!(portable::Four, a, b, signs));
        }
    }

    proptest! {
        #![proptest_config(crate::cases(2000, 16))]

        #[test]
        fn equals_the_portable_root(bits in 1u32..0x7f80_0000) {
            let x = f32::from_bits(bits);
            prop_assert_eq!(Four::sqrt(x).to_bits(), portable::Four::sqrt(x).to_bits());
        }
    }
}
