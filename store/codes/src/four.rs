//! Four floats at a time, for what is computed once a vector: encoding, norms, the rotation.
//!
//! The kernels choose their instruction set when they run; this code is not hot enough for
//! that, but on WebAssembly, where compilers turn such loops into scalar instructions, it is too
//! hot to leave alone. So it is written over one register of four: `simd128` there, an array
//! elsewhere. Every operation is exact or rounds once: same bits everywhere.

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

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
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

#[cfg(any(test, not(all(target_arch = "wasm32", target_feature = "simd128"))))]
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

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
use portable as register;

#[cfg(test)]
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
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 16 } else { 2000 }))]

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
