//! The few float functions that `core` lacks, with the same bits on every target.
//!
//! The platform's own `sqrt` and `round` live in `std` and may come from a C library. These
//! are short, exact, and made of operations that IEEE 754 fixes to the last bit.

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
///
/// Integer arithmetic: the root of a 24-bit mantissa scaled to 50 bits has 25 bits, one
/// more than is kept, and a remainder that settles every tie.
pub fn sqrt(x: f32) -> f32 {
    if x == 0.0 || x.is_nan() || x == f32::INFINITY {
        return x;
    }
    if x < 0.0 {
        return f32::NAN;
    }
    let bits = x.to_bits();
    let mut exponent = (bits >> 23) as i32 - 150;
    let mut mantissa = u64::from(bits & 0x7f_ffff);
    if exponent == -150 {
        exponent = -149;
        let shift = mantissa.leading_zeros() as i32 - 40;
        mantissa <<= shift;
        exponent -= shift;
    } else {
        mantissa |= 0x80_0000;
    }
    // x = mantissa * 2^exponent with a mantissa of 24 bits; an even exponent has a whole root.
    let shift = if exponent % 2 == 0 { 26 } else { 25 };
    let wide = mantissa << shift;
    let root = wide.isqrt();
    // 25 bits of root and "something remains" as a 26th: the conversion rounds them right.
    let sticky = (root << 1) | u64::from(root * root != wide);
    scale_by_power(sticky as f32, (exponent - shift) / 2 - 1)
}

/// `x * 2^power` for a power that a normal `f32` can hold.
fn scale_by_power(x: f32, power: i32) -> f32 {
    x * f32::from_bits(((power + 127) as u32) << 23)
}

/// Calls `visit` with a number below 8 and four components: number `k` gets the lanes `4k..4k + 4`
/// of each 32 components, in order. The last block is filled with zeros.
#[inline(always)]
fn for_lanes(v: &[f32], mut visit: impl FnMut(usize, Four)) {
    let (blocks, tail) = v.as_chunks::<LANES>();
    let mut last = [0.0; LANES];
    last[..tail.len()].copy_from_slice(tail);
    let last = if tail.is_empty() { &[][..] } else { core::slice::from_ref(&last) };
    for block in blocks.iter().chain(last) {
        for (k, four) in block.as_chunks::<4>().0.iter().enumerate() {
            visit(k, Four::load(four));
        }
    }
}

/// The largest magnitude in `v`; 0 if it is empty, and NaNs are passed over.
pub fn max_abs(v: &[f32]) -> f32 {
    let mut lanes = [Four::splat(0.0); LANES / 4];
    for_lanes(v, |k, x| lanes[k] = x.abs().larger(lanes[k]));
    let most = lanes.into_iter().fold(Four::splat(0.0), |a, b| b.larger(a));
    let mut four = [0.0; 4];
    most.store(&mut four);
    four.into_iter().fold(0.0, |a, b| if b > a { b } else { a })
}

/// The sum of `term(x)` over `v`, in the crate's one order of addition; `term(0)` must be 0.
///
/// Lane `j` adds the terms `32i + j` in order of `i`; then the lanes fold in halves, lane `j`
/// taking lane `j + half`. The kernels add in the same order, so that a norm computed here
/// equals a dot product computed there, to the bit.
#[inline(always)]
fn sum_by(v: &[f32], term: impl Fn(Four) -> Four) -> f32 {
    let mut fours = [Four::splat(0.0); LANES / 4];
    for_lanes(v, |k, x| fours[k] = fours[k] + term(x));
    let mut lanes = [0.0; LANES];
    for (four, lanes) in fours.into_iter().zip(lanes.as_chunks_mut().0) {
        four.store(lanes);
    }
    fold(lanes)
}

/// `|v|^2`, added as the kernels add.
pub fn norm2(v: &[f32]) -> f32 {
    sum_by(v, |x| x * x)
}

/// The sum of the magnitudes, added as the kernels add.
pub fn sum_abs(v: &[f32]) -> f32 {
    sum_by(v, Four::abs)
}

/// Folds lanes in halves: lane `j` takes lane `j + half`, until one is left.
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
