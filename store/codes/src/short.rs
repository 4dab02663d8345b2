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

use crate::{arith, padded};

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
pub fn encode_short(r: &[f32], code: &mut [u8]) -> ShortSide {
    debug_assert!(r.len() % 64 == 0 && code.len() >= r.len() / 8);
    for (byte, eight) in code.iter_mut().zip(r.as_chunks::<8>().0) {
        *byte = eight.iter().enumerate().fold(0, |byte, (i, &x)| byte | u8::from(x >= 0.0) << i);
    }
    ShortSide { norm2: arith::norm2(r), sum_abs: arith::sum_by(r, f32::abs) }
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
    pub fn encode(rq: &[f32], planes: &'a mut [u8]) -> ShortQuery<'a> {
        debug_assert!(rq.len() % 64 == 0 && planes.len() >= PLANES * rq.len() / 8);
        // What does not fit is left out: a shorter query, and kernels that agree with it.
        let words = (rq.len() / 64).min(planes.len() / (8 * PLANES));
        let planes = &mut planes[..words * 8 * PLANES];
        let rq = &rq[..words * 64];
        let delta = STEP * arith::sqrt(arith::norm2(rq) / rq.len() as f32);
        let inverse = if delta > 0.0 && delta < f32::INFINITY { 1.0 / delta } else { 0.0 };
        let mut sum = 0;
        for (word, block) in rq.as_chunks::<64>().0.iter().enumerate() {
            let levels = block.map(|x| level(x, inverse) as u8);
            sum += levels.iter().map(|&u| i32::from(u as i8)).sum::<i32>();
            for (byte, eight) in levels.as_chunks::<8>().0.iter().enumerate() {
                let eight = u64::from_le_bytes(*eight);
                for plane in 0..PLANES {
                    planes[(plane * words + word) * 8 + byte] = gather_bits(eight >> plane);
                }
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

/// The level nearest to `x / delta`; NaN becomes a level too.
#[inline(always)]
fn level(x: f32, inverse: f32) -> i32 {
    let x = x * inverse;
    let x = if x < MOST { x } else { MOST };
    let x = if x > -MOST { x } else { -MOST };
    arith::round_to_i32(x)
}

/// The lowest bit of each of eight bytes, as one byte.
///
/// The multiplication moves byte `i`'s bit to bit `56 + i`; no two terms meet below.
#[inline(always)]
fn gather_bits(eight: u64) -> u8 {
    ((eight & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8
}
