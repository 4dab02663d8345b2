//! The few float functions that `core` lacks, with the same bits on every target.
//!
//! The platform's own `sqrt` and `round` live in `std` and may come from a C library. These
//! are short, exact, and made of operations that IEEE 754 fixes to the last bit.

/// The number of lanes that every float sum is spread over, see [`sum_by`].
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

/// The nearest integer as an `i32`, ties to even, for `|x| <= 2^22`.
///
/// Reads the integer out of the low mantissa bits, which spares the conversion (slow and
/// saturating on WebAssembly). Outside the range, and for NaN, the result is meaningless.
#[inline(always)]
pub fn round_to_i32(x: f32) -> i32 {
    (x + NO_FRACTION).to_bits().wrapping_sub(NO_FRACTION.to_bits()) as i32
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

/// The largest magnitude in `v`; 0 if it is empty, and NaNs are passed over.
pub fn max_abs(v: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (blocks, tail) = v.as_chunks::<LANES>();
    for block in blocks {
        for (lane, x) in lanes.iter_mut().zip(block) {
            *lane = larger(*lane, x.abs());
        }
    }
    for (lane, x) in lanes.iter_mut().zip(tail) {
        *lane = larger(*lane, x.abs());
    }
    lanes.iter().fold(0.0, |a, &b| larger(a, b))
}

#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

/// The sum of `term(x)` over `v`, in the crate's one order of addition.
///
/// Lane `j` adds the terms `32i + j` in order of `i`; then the lanes fold in halves, lane `j`
/// taking lane `j + half`. The kernels add in the same order, so that a norm computed here
/// equals a dot product computed there, to the bit.
#[inline(always)]
pub fn sum_by(v: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (blocks, tail) = v.as_chunks::<LANES>();
    for block in blocks {
        for (lane, &x) in lanes.iter_mut().zip(block) {
            *lane += term(x);
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(tail) {
        *lane += term(x);
    }
    fold(lanes)
}

/// `|v|^2`, added as by [`sum_by`].
pub fn norm2(v: &[f32]) -> f32 {
    sum_by(v, |x| x * x)
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
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 16 } else { 20_000 }))]

        #[test]
        fn sqrt_is_correctly_rounded(bits in 0u32..0x7f80_0000) {
            let x = f32::from_bits(bits);
            prop_assert_eq!(sqrt(x).to_bits(), x.sqrt().to_bits());
        }

        #[test]
        fn round_ties_to_even(x in -4_194_304.0f32..4_194_304.0, halves in -1000i32..1000) {
            for x in [x, halves as f32 / 2.0] {
                prop_assert_eq!(round(x), x.round_ties_even());
                prop_assert_eq!(round_to_i32(x), x.round_ties_even() as i32);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 256 }))]

        #[test]
        fn sums_and_maxima(v in proptest::collection::vec(-100.0f32..100.0, 0..200)) {
            let exact: f64 = v.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
            prop_assert!((f64::from(norm2(&v)) - exact).abs() <= 1e-5 * exact);
            prop_assert_eq!(max_abs(&v), v.iter().fold(0.0, |a, x| x.abs().max(a)));
        }
    }
}
