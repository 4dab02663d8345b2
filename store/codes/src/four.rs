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

        /// Flips the sign of lane `j` if bit `31 - shift` of `bits[j]` is set.
        #[inline(always)]
        pub(crate) fn flip(self, bits: &[u32; 4], shift: u32) -> Self {
            let bits = u32x4(bits[0], bits[1], bits[2], bits[3]);
            let signs = v128_and(u32x4_shl(bits, shift), u32x4_splat(0x8000_0000));
            Four(v128_xor(self.0, signs))
        }

        /// Bit `j` says that lane `j` is at least zero.
        #[inline(always)]
        pub(crate) fn not_negative(self) -> u8 {
            i32x4_bitmask(f32x4_ge(self.0, f32x4_splat(0.0)))
        }

        /// The lowest byte of each lane of four, in order.
        #[inline(always)]
        pub(crate) fn low_bytes([a, b, c, d]: [Self; 4]) -> [u8; 16] {
            let [a, b, c, d] = [a, b, c, d].map(|x| v128_and(x.0, u32x4_splat(0xff)));
            let bytes = u8x16_narrow_i16x8(i16x8_narrow_i32x4(a, b), i16x8_narrow_i32x4(c, d));
            let mut out = [0; 16];
            // SAFETY: `out` is 16 bytes.
            unsafe { v128_store(out.as_mut_ptr().cast(), bytes) };
            out
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

        /// Flips the sign of lane `j` if bit `31 - shift` of `bits[j]` is set.
        #[inline(always)]
        pub(crate) fn flip(self, bits: &[u32; 4], shift: u32) -> Self {
            // SAFETY: SSE2; `bits` is 16 bytes.
            unsafe {
                let bits = _mm_loadu_si128(bits.as_ptr().cast());
                let bits = _mm_sll_epi32(bits, _mm_cvtsi32_si128(shift as i32));
                Four(_mm_xor_ps(self.0, _mm_and_ps(_mm_castsi128_ps(bits), _mm_set1_ps(-0.0))))
            }
        }

        /// Bit `j` says that lane `j` is at least zero.
        #[inline(always)]
        pub(crate) fn not_negative(self) -> u8 {
            // SAFETY: SSE2.
            unsafe { _mm_movemask_ps(_mm_cmpge_ps(self.0, _mm_setzero_ps())) as u8 }
        }

        /// The lowest byte of each lane of four, in order.
        #[inline(always)]
        pub(crate) fn low_bytes([a, b, c, d]: [Self; 4]) -> [u8; 16] {
            let mut out = [0; 16];
            // SAFETY: SSE2; `out` is 16 bytes.
            unsafe {
                let low = |x: Four| _mm_and_si128(_mm_castps_si128(x.0), _mm_set1_epi32(0xff));
                let words = (_mm_packs_epi32(low(a), low(b)), _mm_packs_epi32(low(c), low(d)));
                _mm_storeu_si128(out.as_mut_ptr().cast(), _mm_packus_epi16(words.0, words.1));
            }
            out
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

        /// Flips the sign of lane `j` if bit `31 - shift` of `bits[j]` is set.
        #[inline(always)]
        pub(crate) fn flip(self, bits: &[u32; 4], shift: u32) -> Self {
            Four(from_fn(|j| {
                f32::from_bits(self.0[j].to_bits() ^ ((bits[j] << shift) & 0x8000_0000))
            }))
        }

        /// Bit `j` says that lane `j` is at least zero.
        #[inline(always)]
        pub(crate) fn not_negative(self) -> u8 {
            (0..4).fold(0, |bits, j| bits | u8::from(self.0[j] >= 0.0) << j)
        }

        /// The lowest byte of each lane of four, in order.
        #[inline(always)]
        pub(crate) fn low_bytes(four: [Self; 4]) -> [u8; 16] {
            from_fn(|i| four[i / 4].0[i % 4].to_bits() as u8)
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
        ($four:ty, $a:expr, $b:expr, $signs:expr, $shift:expr) => {{
            let (a, b) = (<$four>::load(&$a), <$four>::load(&$b));
            let results = [
                a.plus(b),
                a.minus(b),
                a.times(b),
                a.smaller(b),
                a.larger(b),
                a.mask(0x7fff_ffff),
                a.flip(&$signs, $shift),
                a.hadamard(),
            ];
            let floats = results.map(|x| {
                let mut out = [0.0; 4];
                x.store(&mut out);
                bits(out)
            });
            (floats, a.not_negative(), <$four>::low_bytes([a, b, b, a]))
        }};
    }

    proptest! {
        #![proptest_config(crate::cases(2000, 16))]

        #[test]
        fn equals_the_portable_one(
            a in [any_float(), any_float(), any_float(), any_float()],
            b in [any_float(), any_float(), any_float(), any_float()],
            signs in any::<[u32; 4]>(),
            shift in 0u32..32,
        ) {
            let ours = all!(Four, a, b, signs, shift);
            prop_assert_eq!(ours, all!(portable::Four, a, b, signs, shift));
        }
    }
}
