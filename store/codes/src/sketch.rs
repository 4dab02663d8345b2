//! Sketches: the beginning of each short code, laid out so that a scan compares 64 at a time.
//!
//! The first bits of a short code are a short code too, a rougher one: after a random rotation
//! no dimension says more than another. A scan looks at the sketches of all vectors, then at the
//! short codes of the few that came near. Bits are compared in groups of four, by a table of
//! the sixteen sums that four of the query's levels can have, and one shuffle of bytes looks up
//! as many codes as a register has bytes (André, Kermarrec and Le Scouarnec, "Cache locality is
//! not enough", VLDB 2015, as RaBitQ uses it, arXiv:2405.12497, section 3.3.2). For that the
//! codes of a block stand side by side:
//!
//! ```text
//! row 0     64 B   byte 0 of each code; that of lane l at 2 (l % 32) + l / 32
//! row 1     64 B   byte 1 of each code
//! ...              as many rows as a sketch has bytes
//! offsets   256 B  64 f32: of the estimated distance, the part that the vector alone decides
//! slopes    256 B  64 f32: |r|^2 / sum |r_i| over the components i that the sketch shows
//! ```
//!
//! (The lanes' order lets the kernels add bytes as the halves of 16-bit words.) The estimate is
//! the short code's, `offset - slope <b, y>`, and as unbiased, with `b` zero where the sketch
//! shows nothing.

use crate::four::Four;
use crate::{PLANES, ShortQuery, short_bytes};

/// Codes in a block.
pub const LANES: usize = 64;
/// Bytes of a sketch, where the short code has so many.
pub const MOST_BYTES: usize = 32;

/// Bytes of the sketch of a vector of `dim` dimensions: a multiple of 8.
pub const fn sketch_bytes(dim: usize) -> usize {
    let all = short_bytes(dim);
    if all < MOST_BYTES { all } else { MOST_BYTES }
}

/// Bytes of a block of sketches of `bytes` bytes each.
pub const fn block_bytes(bytes: usize) -> usize {
    LANES * (bytes + 8)
}

/// Writes lane `lane` of a block: the beginning of the short code `code`, and its factors.
///
/// All zero for what is to leave no trace. Bytes that do not fit into the block are left out.
pub fn put(block: &mut [u8], lane: usize, code: &[u8], offset: f32, slope: f32) {
    let bytes = (block.len() / LANES).saturating_sub(8);
    let (rows, factors) = block.split_at_mut(bytes * LANES);
    let place = 2 * (lane % 32) + lane / 32 % 2;
    for (row, &byte) in rows.as_chunks_mut::<LANES>().0.iter_mut().zip(code) {
        row[place] = byte;
    }
    let (offsets, slopes) = factors.split_at_mut(factors.len() / 2);
    for (all, one) in [(offsets, offset), (slopes, slope)] {
        if let Some(place) = all.as_chunks_mut().0.get_mut(lane) {
            *place = one.to_le_bytes();
        }
    }
}

/// Bytes of a table entry's sixteen sums.
const SUMS: usize = 16;
/// What every sum is raised by, so that none is below zero: four levels of -7.
const RAISED: i32 = 28;

/// Bytes of the table for sketches of `bytes` bytes.
pub const fn table_bytes(bytes: usize) -> usize {
    2 * SUMS * bytes
}

/// A query as a table of sums.
#[derive(Clone, Copy, Debug)]
pub struct SketchQuery<'a> {
    /// For each four bits of a sketch the sums of the levels that they choose, raised.
    pub(crate) table: &'a [u8],
    /// From a sum of table entries to `<b, y>`: times this,
    pub(crate) scale: f32,
    /// and plus this.
    pub(crate) shift: f32,
}

impl<'a> SketchQuery<'a> {
    /// Makes the table for the first `table.len() / 32` bytes of codes; estimates change by
    /// `weight` times `<r, y>`.
    pub fn new(query: &ShortQuery<'_>, weight: f32, table: &'a mut [u8]) -> Self {
        let stride = query.planes().len() / PLANES;
        let mut sum = 0;
        for (at, sums) in table.as_chunks_mut::<SUMS>().0.iter_mut().enumerate() {
            let four = |plane: usize| {
                let byte = query.planes().get(plane * stride + at / 2).copied().unwrap_or(0);
                u32::from(byte >> (4 * (at % 2)))
            };
            // Two's complement, with the fourth plane's bit as the sign.
            let planes = [0, 1, 2, 3].map(four);
            let mut len = 1;
            sums[0] = RAISED as u8;
            for bit in 0..4 {
                let [a, b, c, d] = planes.map(|plane| plane >> bit & 1);
                let level = (a + 2 * b + 4 * c).wrapping_sub(8 * d);
                sum += level as i32;
                for i in 0..len {
                    sums[len + i] = sums[i].wrapping_add(level as u8);
                }
                len *= 2;
            }
        }
        let raised = RAISED * (table.len() / SUMS) as i32;
        let step = weight * query.delta;
        SketchQuery { table, scale: 2.0 * step, shift: -step * (2 * raised + sum) as f32 }
    }
}

/// How often [`bound`] halves the range of the estimates.
const HALVINGS: u32 = 12;

/// A bound that about `rank` of the `estimates` do not exceed, at least so many where their
/// spread is not extreme; infinite where there are no more.
///
/// By halving their range: a sort would take longer, and more code.
#[inline(never)]
pub fn bound(estimates: &[f32], rank: usize) -> f32 {
    if rank >= estimates.len() {
        return f32::INFINITY;
    }
    let (fours, rest) = estimates.as_chunks::<4>();
    let infinite = Four::splat(f32::INFINITY);
    let (mut lows, mut highs) = (infinite, Four::splat(f32::NEG_INFINITY));
    for four in fours.iter().map(Four::load).chain(rest.iter().map(|x| Four::splat(*x))) {
        (lows, highs) = (four.smaller(lows), four.larger(highs));
    }
    let (mut ends, mut tops) = ([0.0; 4], [0.0; 4]);
    lows.store(&mut ends);
    highs.store(&mut tops);
    let mut low = ends.into_iter().fold(f32::INFINITY, f32::min);
    let mut high = tops.into_iter().fold(f32::NEG_INFINITY, f32::max);
    for _ in 0..HALVINGS {
        let middle = low * 0.5 + high * 0.5;
        let mut within = rest.iter().filter(|x| **x <= middle).count();
        for four in fours {
            within += (Four::splat(middle) - Four::load(four)).not_negative().count_ones() as usize;
        }
        if within < rank {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// Bit `l` says that estimate `l` is at most `bound`.
#[inline(never)]
pub fn within(estimates: &[f32; LANES], bound: f32) -> u64 {
    let bound = Four::splat(bound);
    let mut bits = 0;
    for four in estimates.as_chunks::<4>().0.iter().rev() {
        bits = bits << 4 | u64::from((bound - Four::load(four)).not_negative());
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(crate::cases(200, 4))]

        #[test]
        fn a_bound_lets_so_many_pass(
            estimates in vec(-100.0f32..100.0, 0..700), rank in 0usize..800,
        ) {
            let bound = bound(&estimates, rank);
            let passed = estimates.iter().filter(|x| **x <= bound).count();
            prop_assert!(passed >= rank.min(estimates.len()));
            // Beyond the rank pass only those that the halvings cannot tell apart.
            let least = 201.0 / (1 << HALVINGS) as f32;
            let apart = estimates.iter().filter(|x| **x < bound - least).count();
            prop_assert!(rank >= estimates.len() || apart <= rank.max(1));
        }

        #[test]
        fn bits_say_what_is_within(estimates in vec(-2.0f32..2.0, LANES), bound in -2.0f32..2.0) {
            let estimates = estimates.as_slice().try_into().unwrap();
            let bits = within(estimates, bound);
            for (lane, x) in estimates.iter().enumerate() {
                prop_assert_eq!(bits >> lane & 1 == 1, *x <= bound);
            }
        }
    }

    #[test]
    fn what_is_no_number_does_not_pass() {
        let mut estimates = [f32::NAN; LANES];
        estimates[3] = f32::INFINITY;
        assert_eq!(within(&estimates, 1.0), 0);
        assert_eq!(within(&[0.0; LANES], f32::INFINITY), u64::MAX);
        bound(&estimates, 3);
        assert_eq!(bound(&[], 0), f32::INFINITY);
    }
}
