//! Short codes: one bit a dimension, with factors that make the estimate unbiased (RaBitQ,
//! Gao and Long, arXiv:2405.12497).
//!
//! The code of a vector `o` is the sign of each component of its rotated residual
//! `r = R(o - c)`, where `c` is the store's centroid. Seen as a vector `b` of ±1, its inner
//! product with any `y` estimates that of `r`: `<r, y> ≈ <b, y> * |r|^2 / <b, r>`, and
//! `<b, r>` is the sum of the magnitudes of `r`. The error falls with the square root of the
//! dimension.
//!
//! The rotated query residual `y` is rounded to four bits, kept as bit planes in two's
//! complement, so that [`crate::Kernels::dot_short`] needs only AND and popcount. With `S` the
//! sum of the query's levels where the code has a one:
//! `<r, y> ≈ (norm2 / sum_abs) * delta * (2 S - sum)`.
//!
//! So the comparison is of integers, exact and the same everywhere; floats come in with the
//! factors.
//!
//! What it must never do: change the order of the bits. A sketch is the first bytes of a code,
//! and an image holds both.

use crate::four::Four;
use crate::{arith, i8_code, padded};

/// Bit planes of a query: four bits a component.
pub const PLANES: usize = 4;

/// Bytes of the short code of a vector of `dim` dimensions: a bit for each, padded to 64.
pub const fn short_bytes(dim: usize) -> usize {
    padded(dim) / 8
}

/// What a short code needs beside its bits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ShortSide {
    /// `|r|^2`.
    pub norm2: f32,
    /// The sum of the magnitudes of `r`'s components: `<b, r>`.
    pub sum_abs: f32,
}

/// Writes the short code of the rotated residual `r` (padded, a multiple of 64 components).
///
/// Bit `i % 8` of byte `i / 8` says that `r[i] >= 0`.
#[inline(never)]
pub fn encode_short(r: &[f32], code: &mut [u8]) -> ShortSide {
    debug_assert!(r.len().is_multiple_of(64) && code.len() >= r.len() / 8);
    for (byte, eight) in code.iter_mut().zip(r.as_chunks::<8>().0) {
        let [low, high] = [0, 1].map(|k| Four::load(&eight.as_chunks().0[k]).not_negative());
        *byte = low | high << 4;
    }
    ShortSide { norm2: arith::norm2(r), sum_abs: arith::sum_abs(r) }
}

/// A rotated query residual in four-bit levels, as bit planes.
#[derive(Clone, Copy, Debug)]
pub struct ShortQuery<'a> {
    /// `PLANES` planes of equal length, the lowest bit first.
    planes: &'a [u8],
    /// The step between levels: `y[i] ≈ delta * level`.
    pub delta: f32,
    /// The sum of all levels.
    pub sum: i32,
}

/// What a one in each plane counts: two's complement.
const WEIGHTS: [i32; PLANES] = [1, 2, 4, -8];

/// The largest level; -8 stays unused, so that levels are symmetric.
const MOST: f32 = 7.0;

/// Step in standard deviations. A Gaussian rounded to 15 levels loses least near this step, and
/// components are Gaussian after the rotation.
const STEP: f32 = 0.4;

impl<'a> ShortQuery<'a> {
    /// Codes `rq` (rotated and padded, a multiple of 64 components) into `planes`, which holds
    /// `PLANES * rq.len() / 8` bytes.
    ///
    /// Levels are to nearest, ties to even, and at most 7 in size.
    #[inline(never)]
    pub fn encode(rq: &[f32], planes: &'a mut [u8]) -> ShortQuery<'a> {
        debug_assert!(rq.len().is_multiple_of(64) && planes.len() >= PLANES * rq.len() / 8);
        // What does not fit is left out: a shorter query, and kernels that agree with it.
        let words = (rq.len() / 64).min(planes.len() / (8 * PLANES));
        let planes = &mut planes[..words * 8 * PLANES];
        let rq = &rq[..words * 64];
        let (delta, inverse) = steps(rq);
        let mut sum = 0;
        for (at, v) in rq.as_chunks::<16>().0.iter().enumerate() {
            let bits = Four::low_bits(i8_code::levels(v, inverse, MOST));
            for (plane, (bits, weight)) in bits.into_iter().zip(WEIGHTS).enumerate() {
                sum += weight * bits.count_ones() as i32;
                planes.as_chunks_mut().0[plane * words * 4 + at] = bits.to_le_bytes();
            }
        }
        ShortQuery { planes, delta, sum }
    }

    /// A query of planes written by hand.
    #[cfg(test)]
    pub(crate) fn from_planes(planes: &'a [u8]) -> Self {
        ShortQuery { planes, delta: 1.0, sum: 0 }
    }

    /// The query's planes, one after the other.
    pub fn planes(&self) -> &'a [u8] {
        self.planes
    }
}

/// The step between levels, and its reciprocal; zero for a vector too short or too long to tell.
fn steps(rq: &[f32]) -> (f32, f32) {
    let norm2 = arith::norm2(rq);
    if norm2 > f32::MIN_POSITIVE && norm2 < f32::INFINITY {
        let delta = STEP * arith::sqrt(norm2 / rq.len() as f32);
        (delta, 1.0 / delta)
    } else {
        (0.0, 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kernels, Rotation};
    use proptest::prelude::*;
    use std::vec::Vec;

    const LONGEST: usize = if cfg!(miri) { 150 } else { 1600 };

    /// Numbers roughly Gaussian: sums of four uniform ones.
    fn random(seed: u64, len: usize) -> Vec<f32> {
        let mut state = seed | 1;
        let mut uniform = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / 16_777_216.0 - 0.5
        };
        (0..len).map(|_| uniform() + uniform() + uniform() + uniform()).collect()
    }

    fn dot(a: &[f32], b: &[f32]) -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    }

    /// The estimate of `<r, y>` from codes, as the module's doc gives it.
    fn estimate(r: &[f32], y: &[f32]) -> f64 {
        let mut code = std::vec![0; r.len() / 8];
        let mut planes = std::vec![0; PLANES * r.len() / 8];
        let side = encode_short(r, &mut code);
        let query = ShortQuery::encode(y, &mut planes);
        let mut s = [0];
        Kernels::detect().dot_short(&query, &code, code.len(), &[0], &mut s);
        let factor = side.norm2 / side.sum_abs * query.delta;
        f64::from(factor) * f64::from(2 * s[0] - query.sum)
    }

    #[test]
    fn nothing_estimates_nothing() {
        let mut planes = [0xff; 4 * 8];
        let query = ShortQuery::encode(&[0.0; 64], &mut planes);
        assert_eq!((query.delta, query.sum, query.planes()), (0.0, 0, &[0u8; 32][..]));
        assert_eq!(ShortQuery::encode(&[], &mut []).planes(), &[0u8; 0]);
        ShortQuery::encode(&[f32::NAN; 64], &mut planes);
        ShortQuery::encode(&[f32::MAX; 64], &mut planes);
    }

    /// Over many pairs at a known angle, errors must average out and stay as small as RaBitQ
    /// promises: a standard deviation near `sqrt(pi / 2 - 1)`, 0.76, over the root of the
    /// dimension, and a little for the query's rounding.
    #[test]
    fn estimates_without_bias() {
        let (dims, rounds): (&[usize], _) =
            if cfg!(miri) { (&[64], 4) } else { (&[128, 512, 768], 2000) };
        for &dim in dims {
            for angle in [0.0f32, 0.5, 0.9] {
                let mut sum = 0.0;
                let mut squares = 0.0;
                for round in 0..rounds {
                    let rotation = Rotation::new(round, dim);
                    let mut r = random(0x1234_5678_9abc * (2 * round + 1), rotation.len());
                    let noise = random(0x9e37_79b9_7f4a * (2 * round + 1), rotation.len());
                    let across = (1.0 - angle * angle).sqrt();
                    let mut y: Vec<f32> =
                        r.iter().zip(&noise).map(|(r, n)| angle * r + across * n).collect();
                    // A strong component, as embeddings have: the rotation must deal with it.
                    r[3] += 8.0;
                    rotation.apply(&mut r);
                    rotation.apply(&mut y);
                    let size = (dot(&r, &r) * dot(&y, &y)).sqrt();
                    let error = (estimate(&r, &y) - dot(&r, &y)) / size;
                    sum += error;
                    squares += error * error;
                }
                let n = rounds as f64;
                let deviation = (squares / n).sqrt();
                assert!(deviation * (dim as f64).sqrt() < 0.9, "{dim} {angle}: {deviation}");
                let bias = (sum / n).abs();
                assert!(bias < 4.0 * deviation / n.sqrt() + 0.002, "{dim} {angle}: {bias}");
            }
        }
    }

    proptest! {
        #![proptest_config(crate::cases(300, 4))]

        #[test]
        fn bits_and_levels_are_as_documented(
            seed in any::<u64>(), dim in 1..LONGEST, power in -20i32..20,
        ) {
            let scale = 2f32.powi(power);
            let v: Vec<f32> = random(seed, padded(dim)).iter().map(|x| x * scale).collect();
            let mut code = std::vec![0; short_bytes(dim)];
            let side = encode_short(&v, &mut code);
            for (i, &x) in v.iter().enumerate() {
                prop_assert_eq!(code[i / 8] >> (i % 8) & 1 == 1, x >= 0.0);
            }
            prop_assert!((f64::from(side.norm2) / dot(&v, &v) - 1.0).abs() < 1e-5);

            let mut planes = std::vec![0; PLANES * short_bytes(dim)];
            let query = ShortQuery::encode(&v, &mut planes);
            let delta = 0.4 * (dot(&v, &v) / v.len() as f64).sqrt();
            prop_assert!((f64::from(query.delta) / delta - 1.0).abs() < 1e-5);
            let mut sum = 0;
            for (i, &x) in v.iter().enumerate() {
                let bit = |plane: usize| {
                    i32::from(query.planes()[plane * short_bytes(dim) + i / 8] >> (i % 8) & 1)
                };
                let level = bit(0) + 2 * bit(1) + 4 * bit(2) - 8 * bit(3);
                let wanted = (x / query.delta).clamp(-7.0, 7.0);
                prop_assert!((level as f32 - wanted).abs() <= 0.500_01, "{} for {}", level, wanted);
                sum += level;
            }
            prop_assert_eq!(sum, query.sum);
        }
    }
}
