//! The few float functions that `core` lacks, with the same bits on every target.
//!
//! The platform's own `sqrt` and `round` live in `std` and may come from a C library. These
//! are short, exact, and made of operations that IEEE 754 fixes to the last bit.
//!
//! What it must never do: call the platform's mathematics, or add in another order than the
//! kernels, whose products its norms must equal to the bit.

use crate::four::Four;

/// The number of lanes that every float sum is spread over.
pub const LANES: usize = 32;

/// Adding it to a number of at most 2^22 in size leaves no room for a fraction.
const NO_FRACTION: f32 = 12_582_912.0;

/// The nearest integer, ties to even, for `|x| <= 2^22`; NaN stays NaN.
///
/// Adding 1.5 * 2^23 pushes the fraction out of the mantissa, so the addition itself
/// rounds; two operations, which compilers turn into vector code.
#[inline(always)]
pub fn round(x: f32) -> f32 {
    (x + NO_FRACTION) - NO_FRACTION
}

/// For each `x`, the nearest integer in two's complement in the low 22 bits, ties to even.
///
/// As [`round`], without the way back: the integer stands in the low bits of the mantissa, which
/// spares the conversion (slow and saturating on WebAssembly).
#[inline(always)]
pub(crate) fn round_into_low_bits(x: Four) -> Four {
    x + Four::splat(NO_FRACTION)
}

/// The square root, correctly rounded; NaN below zero.
#[inline(never)]
pub fn sqrt(x: f32) -> f32 {
    if x > 0.0 && x < f32::INFINITY {
        Four::sqrt(x)
    } else if x < 0.0 {
        f32::NAN
    } else {
        x
    }
}

/// Calls `visit` with each `N` components; the last block is filled with zeros.
#[inline(always)]
fn for_blocks<const N: usize>(v: &[f32], mut visit: impl FnMut(&[[f32; 4]])) {
    let (blocks, tail) = v.as_chunks::<N>();
    let last = last_block(tail);
    for i in 0..v.len().div_ceil(N) {
        let block = blocks.get(i).map_or(&last[..N], |block| block);
        visit(block.as_chunks().0);
    }
}

/// The last components of a vector, at most 32, then zeros.
#[inline(never)]
pub(crate) fn last_block(tail: &[f32]) -> [f32; LANES] {
    let mut block = [0.0; LANES];
    for (x, tail) in block.iter_mut().zip(tail) {
        *x = *tail;
    }
    block
}

/// The largest magnitude in `v`; 0 if it is empty, and NaNs are passed over.
#[inline(never)]
pub fn max_abs(v: &[f32]) -> f32 {
    let mut most = [Four::splat(0.0); 4];
    for_blocks::<16>(v, |block| {
        for (most, x) in most.iter_mut().zip(block) {
            *most = Four::load(x).abs().larger(*most);
        }
    });
    let [a, b, c, d] = most;
    let mut four = [0.0; 4];
    a.larger(b).larger(c.larger(d)).store(&mut four);
    four.into_iter().fold(0.0, |a, b| if b > a { b } else { a })
}

/// The sum of the squares or of the magnitudes of `v`, in the crate's one order of addition.
///
/// Lane `j` adds the terms `32i + j` in order of `i`; then the lanes fold in halves, lane `j`
/// taking lane `j + half`. The kernels add in the same order, so that a norm computed here
/// equals a dot product computed there, to the bit.
#[inline(never)]
fn sum(v: &[f32], is_square: bool) -> f32 {
    let mut sums = [Four::splat(0.0); LANES / 4];
    for_blocks::<LANES>(v, |block| {
        for (sum, x) in sums.iter_mut().zip(block) {
            let x = Four::load(x).abs();
            *sum = *sum + x * if is_square { x } else { Four::splat(1.0) };
        }
    });
    let [a, b, c, d, e, f, g, h] = sums;
    let mut four = [0.0; 4];
    (((a + e) + (c + g)) + ((b + f) + (d + h))).store(&mut four);
    (four[0] + four[2]) + (four[1] + four[3])
}

/// `|v|^2`, added as the kernels add.
#[inline]
pub fn norm2(v: &[f32]) -> f32 {
    sum(v, true)
}

/// The sum of the magnitudes, added as the kernels add.
#[inline]
pub fn sum_abs(v: &[f32]) -> f32 {
    sum(v, false)
}

/// Folds lanes in halves: lane `j` takes lane `j + half`, until one is left.
#[cfg(any(test, not(target_feature = "simd128")))]
#[inline(always)]
pub(crate) fn fold(mut lanes: [f32; LANES]) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for j in 0..half {
            lanes[j] += lanes[j + half];
        }
        half /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sqrt_of_edges() {
        for x in [0.0, -0.0, 1.0, 4.0, f32::MIN_POSITIVE, f32::MAX, f32::INFINITY, 1e-45] {
            assert_eq!(sqrt(x).to_bits(), x.sqrt().to_bits(), "of {x}");
        }
        assert!(sqrt(-1.0).is_nan() && sqrt(f32::NAN).is_nan());
    }

    proptest! {
        #![proptest_config(crate::cases(20_000, 16))]

        #[test]
        fn sqrt_is_correctly_rounded(bits in 0u32..0x7f80_0000) {
            let x = f32::from_bits(bits);
            prop_assert_eq!(sqrt(x).to_bits(), x.sqrt().to_bits());
        }

        #[test]
        fn round_ties_to_even(x in -4_194_304.0f32..4_194_304.0, halves in -1000i32..1000) {
            for x in [x, halves as f32 / 2.0] {
                prop_assert_eq!(round(x), x.round_ties_even());
                let mut low = [0.0; 4];
                round_into_low_bits(Four::splat(x)).store(&mut low);
                let low = (low[3].to_bits() << 10) as i32 >> 10;
                prop_assert_eq!(low & 0x3f_ffff, x.round_ties_even() as i32 & 0x3f_ffff);
            }
        }
    }

    proptest! {
        #![proptest_config(crate::cases(256, 4))]

        #[test]
        fn sums_and_maxima(v in proptest::collection::vec(-100.0f32..100.0, 0..200)) {
            let exact: f64 = v.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
            prop_assert!((f64::from(norm2(&v)) - exact).abs() <= 1e-5 * exact);
            let exact: f64 = v.iter().map(|&x| f64::from(x.abs())).sum();
            prop_assert!((f64::from(sum_abs(&v)) - exact).abs() <= 1e-5 * exact);
            prop_assert_eq!(max_abs(&v), v.iter().fold(0.0, |a, x| x.abs().max(a)));
        }
    }
}
