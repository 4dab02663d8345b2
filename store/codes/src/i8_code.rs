//! The 8-bit full code: symmetric, one `f32` scale a vector, over the rotated vector.
//!
//! After the rotation the components of any vector look Gaussian, so one scale a vector serves
//! all of them; scales per group would cost bytes and gain little. The query keeps 14 bits: its
//! rounding is then negligible beside the code's, and sums of products still fit in an `i32`.
//!
//! What it must never do: give a query so many levels that a sum of products leaves an `i32`.
//! The kernels wrap, and what is near would seem far.

use crate::four::Four;
use crate::{FullCode, arith, padded};

/// One byte a dimension of the rotated, padded vector; `x = scale * byte`.
#[derive(Clone, Copy, Debug)]
pub struct I8Code;

/// Vectors that reach no further than this count as zero: the reciprocal of their step would
/// overflow.
const NOTHING: f32 = f32::from_bits((127 - 100) << 23);

/// The codes use -127 to 127: one more negative step would gain nothing and break the symmetry.
const STEPS: f32 = 127.0;

impl FullCode for I8Code {
    const ROTATED: bool = true;

    fn bytes(dim: usize) -> usize {
        padded(dim)
    }

    /// The scale is the largest magnitude / 127; rounding is to nearest, ties to even.
    #[inline(never)]
    fn encode(v: &[f32], code: &mut [u8]) -> f32 {
        debug_assert!(code.len() >= v.len());
        let (scale, inverse) = steps(v, STEPS);
        for_levels(v, code, |v| Four::low_bytes(levels(v, inverse, STEPS)));
        scale
    }

    #[inline(never)]
    fn decode(code: &[u8], scale: f32, out: &mut [f32]) {
        debug_assert!(code.len() >= out.len());
        for (x, &byte) in out.iter_mut().zip(code) {
            *x = f32::from(byte as i8) * scale;
        }
    }

    /// Half a step a component, a hair more for the rounding of the scale, and 2^-100 because
    /// smaller vectors count as zero.
    fn error_bound(scale: f32, dim: usize) -> f32 {
        (scale * 0.500_1 + NOTHING) * arith::sqrt(dim as f32) * 1.000_001
    }
}

/// Codes a rotated, padded query for [`crate::Kernels::dot_i8_query`]; returns its scale.
///
/// `out` is as long as `v`. Levels go up to 8191, less above 2048 dimensions, so that no sum
/// over `i8` codes overflows an `i32`.
#[inline(never)]
pub fn encode_query_i8(v: &[f32], out: &mut [i16]) -> f32 {
    debug_assert!(out.len() >= v.len());
    let most = query_levels(v.len()) as f32;
    let (scale, inverse) = steps(v, most);
    for_levels(v, out, |v| Four::low_words(levels(v, inverse, most)));
    scale
}

/// The largest level of a query of `len` components: 14 bits with the sign, or what keeps
/// `len` products with a code of -128 inside an `i32`.
const fn query_levels(len: usize) -> i32 {
    match (i32::MAX as usize / 128).checked_div(len) {
        Some(most) if most < 8191 => most as i32,
        _ => 8191,
    }
}

/// The step that makes the largest magnitude `most` levels, and its reciprocal.
fn steps(v: &[f32], most: f32) -> (f32, f32) {
    let max = arith::max_abs(v);
    if max > NOTHING && max < f32::INFINITY { (max / most, most / max) } else { (0.0, 0.0) }
}

/// Fills `out` with what `levels` gives for each 16 components; the last ones are filled with zeros.
#[inline(always)]
fn for_levels<T: Copy>(v: &[f32], out: &mut [T], levels: impl Fn(&[f32; 16]) -> [T; 16]) {
    let (blocks, tail) = v.as_chunks::<16>();
    let last = arith::last_block(tail);
    let len = v.len().min(out.len());
    for (i, out) in out[..len].chunks_mut(16).enumerate() {
        let levels = levels(blocks.get(i).unwrap_or(&last.as_chunks().0[0]));
        match out.as_mut_array() {
            Some(out) => *out = levels,
            // A copy, not a loop: that one is written out sixteen times.
            None => out.copy_from_slice(levels.get(..out.len()).unwrap_or_default()),
        }
    }
}

/// The nearest levels of 16 components, in the low bits of each lane.
///
/// The clamp comes before the rounding, so a NaN becomes a level too.
#[inline(always)]
pub(crate) fn levels(v: &[f32; 16], inverse: f32, most: f32) -> [Four; 4] {
    let (inverse, fours) = (Four::splat(inverse), v.as_chunks().0);
    let level =
        |k: usize| arith::round_into_low_bits((Four::load(&fours[k]) * inverse).clamp(most));
    [level(0), level(1), level(2), level(3)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAX_DIM;
    use proptest::prelude::*;
    use std::vec;

    #[test]
    fn no_query_overflows() {
        for len in (64..=MAX_DIM).step_by(64) {
            assert!(i64::from(query_levels(len)) * 128 * len as i64 <= i64::from(i32::MAX));
        }
        assert_eq!((query_levels(512), query_levels(8192)), (8191, 2047));
    }

    #[test]
    fn nothing_and_nonsense_stay_in_range() {
        let mut code = [7u8; 3];
        assert_eq!(I8Code::encode(&[0.0; 3], &mut code), 0.0);
        assert_eq!(code, [0; 3]);
        I8Code::encode(&[f32::NAN, f32::INFINITY, -1.0], &mut code);
        assert!(code.iter().all(|&b| b as i8 >= -127));
    }

    proptest! {
        #![proptest_config(crate::cases(500, 4))]

        #[test]
        fn holds_its_error_bound(
            v in proptest::collection::vec(-1.0f32..1.0, 1..200),
            power in -120i32..60,
            shift in -3.0f32..3.0,
        ) {
            let v: vec::Vec<f32> = v.iter().map(|x| (x + shift) * 2f32.powi(power)).collect();
            let mut code = vec![0; v.len()];
            let scale = I8Code::encode(&v, &mut code);
            let mut out = vec![0.0; v.len()];
            I8Code::decode(&code, scale, &mut out);
            let error: f64 =
                v.iter().zip(&out).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
            let bound = I8Code::error_bound(scale, v.len());
            prop_assert!(error.sqrt() <= f64::from(bound), "{} > {}", error.sqrt(), bound);
        }

        #[test]
        fn query_is_fine_grained(v in proptest::collection::vec(-9.0f32..9.0, 1..200)) {
            let mut q = vec![0i16; v.len()];
            let scale = encode_query_i8(&v, &mut q);
            for (&x, &q) in v.iter().zip(&q) {
                prop_assert!((f32::from(q) * scale - x).abs() <= scale * 0.51);
                prop_assert!(q.abs() <= 8191);
            }
        }
    }
}
