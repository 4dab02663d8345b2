//! Sketches: the beginning of each short code, laid out so that a scan compares 64 at a time.
//!
//! The first bits of a short code are a short code too, a rougher one: after a random rotation
//! no dimension says more than another. A scan looks at the sketches of all vectors, then at the
//! short codes of the few that came near. For that the sketches of a block stand side by side, a
//! register of codes for each byte of the query, and counts need no sum across lanes:
//!
//! ```text
//! row 0     64 B   byte 0 of each code; that of lane l at 2 (l % 32) + l / 32
//! row 1     64 B   byte 1 of each code
//! ...              as many rows as a sketch has bytes
//! offsets   256 B  64 f32: of the estimated distance, the part that the vector alone decides
//! slopes    256 B  64 f32: |r|^2 / sum |r_i| over the components i that the sketch shows
//! ```
//!
//! (The lanes' order lets the kernels add bytes as the halves of 16-bit words.)
//!
//! The estimate is the short code's, `offset - slope <b, y>`, and as unbiased, with `b` zero where
//! the sketch shows nothing. The query's levels are ±1/2 and ±3/2, a sign and a bit for the large
//! ones: of equal work, more bits of the code with two of the query find more than fewer with
//! four. (256 bits by four, looked up by shuffles, took half as long again, and 320 bits by two
//! let more of the nearest pass.)
//!
//! What it must never do: let pass an estimate that is no number, or decide what is nearest. A
//! sieve only says what is looked at next.

use crate::arith;
use crate::four::Four;
use crate::short_bytes;

/// Codes in a block.
pub const LANES: usize = 64;
/// Bytes of a sketch, where the short code has so many.
pub const MOST_BYTES: usize = 40;

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

/// Step of the query's levels in standard deviations: with it a Gaussian rounded to four levels
/// loses least (Max, "Quantizing for minimum distortion", 1960, table I).
const STEP: f32 = 0.996;

/// A query's sketch.
#[derive(Clone, Copy, Debug)]
pub struct SketchQuery {
    /// For each byte of a sketch two: the signs (set where not negative), and what is large.
    planes: [u8; 2 * MOST_BYTES],
    /// Bytes of a sketch.
    bytes: usize,
    /// `<b, y>`, weighed, of a code that nowhere differs in its sign,
    pub(crate) most: f32,
    /// and what it is less by for each difference; thrice for the large ones.
    pub(crate) step: f32,
}

impl SketchQuery {
    /// Codes the first `8 * bytes` components of the rotated query residual `rq`; estimates
    /// change by `weight` times `<r, y>`. At most [`MOST_BYTES`] count.
    #[inline(never)]
    pub fn encode(rq: &[f32], bytes: usize, weight: f32) -> Self {
        let norm2 = arith::norm2(rq);
        let delta = STEP * arith::sqrt(norm2 / rq.len().max(1) as f32);
        let mut planes = [0; 2 * MOST_BYTES];
        let mut large = 0;
        let rows = planes.as_chunks_mut::<2>().0.iter_mut().take(bytes);
        for (row, eight) in rows.zip(rq.as_chunks::<8>().0) {
            let fours = [0, 1].map(|k| Four::load(&eight.as_chunks().0[k]));
            let bits = |[low, high]: [Four; 2]| low.not_negative() | high.not_negative() << 4;
            *row = [bits(fours), bits(fours.map(|x| x.abs() - Four::splat(delta)))];
            large += row[1].count_ones();
        }
        let bytes = bytes.min(MOST_BYTES);
        let step = weight * delta;
        let most = step * (4 * bytes as u32 + large) as f32;
        SketchQuery { planes, bytes, most, step }
    }

    /// The two bytes for each byte of a sketch, one after the other.
    pub(crate) fn planes(&self) -> &[u8] {
        &self.planes[..2 * self.bytes]
    }
}

/// How often [`bound`] halves the range of the estimates; twice as often where far too many are left,
/// as a few outliers make the range.
const HALVINGS: u32 = 12;

/// A bound that about `rank` of the `estimates` do not exceed, at least so many; infinite where there
/// are no more.
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
    for four in fours {
        let four = Four::load(four);
        (lows, highs) = (four.smaller(lows), four.larger(highs));
    }
    for x in rest {
        let four = Four::splat(*x);
        (lows, highs) = (four.smaller(lows), four.larger(highs));
    }
    let (mut ends, mut tops) = ([0.0; 4], [0.0; 4]);
    lows.store(&mut ends);
    highs.store(&mut tops);
    let mut low = ends.into_iter().fold(f32::INFINITY, f32::min);
    let mut high = tops.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let mut most = estimates.len();
    for halving in 0..2 * HALVINGS {
        if halving >= HALVINGS && most <= rank + rank / 4 {
            break;
        }
        let middle = low * 0.5 + high * 0.5;
        let mut counts = Four::splat(0.0);
        let (pairs, odd) = fours.as_chunks::<2>();
        for [a, b] in pairs {
            counts = counts.count_at_most(Four::load(a), Four::splat(middle));
            counts = counts.count_at_most(Four::load(b), Four::splat(middle));
        }
        for four in odd {
            counts = counts.count_at_most(Four::load(four), Four::splat(middle));
        }
        let mut lanes = [0.0f32; 4];
        counts.store(&mut lanes);
        let within = lanes.iter().map(|count| count.to_bits() as usize).sum::<usize>()
            + rest.iter().filter(|x| **x <= middle).count();
        if within < rank {
            low = middle;
        } else {
            (high, most) = (middle, within);
        }
    }
    high
}

/// How many of the `estimates` are equal to the largest one within `bound`.
///
/// More than one is no chance: they are copies of one vector, most likely.
#[inline(never)]
pub fn ties(estimates: &[f32], bound: f32) -> usize {
    let (mut largest, mut ties) = (f32::NEG_INFINITY, 0);
    for &x in estimates {
        if x <= bound && x >= largest {
            ties = if x > largest { 1 } else { ties + 1 };
            largest = x;
        }
    }
    ties
}

/// Copies the estimates of a part of the slots in `filter`, spread evenly, to `sample`; returns how
/// many. `matching` bits are set.
#[inline(never)]
pub fn choose(filter: &[u64], matching: usize, estimates: &[f32], sample: &mut [f32]) -> usize {
    let stride = matching.div_ceil(sample.len().max(1)).next_power_of_two().min(LANES) as u32;
    // Every `stride`th bit; each word begins elsewhere, so that no period of the input is hit.
    let comb = if stride == 64 { 1 } else { u64::MAX / ((1 << stride) - 1) };
    let mut n = 0;
    for (i, &word) in filter.iter().enumerate() {
        let mut rest = word & comb.rotate_left(i as u32 * 29);
        while rest != 0 {
            let slot = i * LANES + rest.trailing_zeros() as usize;
            let (Some(place), Some(&estimate)) = (sample.get_mut(n), estimates.get(slot)) else {
                return n;
            };
            *place = estimate;
            n += 1;
            rest &= rest - 1;
        }
    }
    n
}

/// Writes those slots in `filter` whose estimates are at most `bound` over the first of the
/// estimates, as bits, in order; returns how many.
#[inline(never)]
pub fn pass(filter: &[u64], bound: f32, estimates: &mut [f32]) -> usize {
    let mut passed = 0;
    for (at, &word) in filter.iter().enumerate() {
        let Some(block) = estimates.as_chunks().0.get(at) else { break };
        let mut rest = word & within(block, bound);
        while rest != 0 {
            // As many were looked at already.
            estimates[passed] = f32::from_bits(at as u32 * LANES as u32 + rest.trailing_zeros());
            rest &= rest - 1;
            passed += 1;
        }
    }
    passed
}

/// Moves those `slots` and their `estimates` that are at most `bound` to the front, in order;
/// returns how many.
#[inline(never)]
pub fn keep(bound: f32, slots: &mut [u32], estimates: &mut [f32]) -> usize {
    let mut kept = 0;
    for i in 0..slots.len().min(estimates.len()) {
        // Without a branch that nobody could foretell.
        (slots[kept], estimates[kept]) = (slots[i], estimates[i]);
        kept += usize::from(estimates[kept] <= bound);
    }
    kept
}

/// Bit `l` says that estimate `l` is at most `bound`.
#[inline(always)]
fn within(estimates: &[f32; LANES], bound: f32) -> u64 {
    let bound = Four::splat(bound);
    let mut bits = 0;
    for sixteen in estimates.as_chunks::<16>().0.iter().rev() {
        let [a, b, c, d] = [0, 1, 2, 3]
            .map(|k| u64::from((bound - Four::load(&sixteen.as_chunks().0[k])).not_negative()));
        bits = bits << 16 | a | b << 4 | c << 8 | d << 12;
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::vec::Vec;

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
        fn a_few_outliers_do_not_let_all_pass(
            estimates in vec(-1.0f32..1.0, 400..700), far in 1e2f32..1e5, rank in 40usize..80,
        ) {
            let mut estimates = estimates;
            estimates[17] = far;
            let bound = bound(&estimates, rank);
            let passed = estimates.iter().filter(|x| **x <= bound).count();
            prop_assert!((rank..=rank + rank / 4).contains(&passed), "{}", passed);
        }

        #[test]
        fn what_passes_is_at_most_the_bound(
            estimates in vec(-2.0f32..2.0, 0..300), words in vec(any::<u64>(), 5),
            bound in -2.0f32..2.0,
        ) {
            let whole = estimates.len() / LANES * LANES;
            let wanted: Vec<u32> = (0..whole)
                .filter(|&slot| words[slot / 64] >> (slot % 64) & 1 == 1 && estimates[slot] <= bound)
                .map(|slot| slot as u32)
                .collect();
            let mut passed = estimates.clone();
            let n = pass(&words, bound, &mut passed);
            let slots: Vec<u32> = passed[..n].iter().map(|slot| slot.to_bits()).collect();
            prop_assert_eq!(&slots, &wanted);
            prop_assert_eq!(&passed[n..], &estimates[n..]);

            let mut slots: Vec<u32> = (0..estimates.len() as u32).collect();
            let mut kept = estimates.clone();
            let n = keep(bound, &mut slots, &mut kept);
            let wanted: Vec<u32> =
                (0..).zip(&estimates).filter(|(_, x)| **x <= bound).map(|(i, _)| i).collect();
            prop_assert_eq!(&slots[..n], &wanted);
            for (slot, x) in slots.iter().zip(&kept[..n]) {
                prop_assert_eq!(*x, estimates[*slot as usize]);
            }
        }

        #[test]
        fn a_sample_is_spread(words in vec(any::<u64>(), 1..40), places in 1usize..700) {
            let estimates: Vec<f32> = (0..words.len() * LANES).map(|slot| slot as f32).collect();
            let matching = words.iter().map(|word| word.count_ones() as usize).sum();
            let mut sample = std::vec![-1.0; places];
            let n = choose(&words, matching, &estimates, &mut sample);
            let sample = &sample[..n];
            prop_assert!(sample.is_sorted_by(|a, b| a < b));
            for x in sample {
                let slot = *x as usize;
                prop_assert!(words[slot / 64] >> (slot % 64) & 1 == 1);
            }
            prop_assert!(matching > places || n == matching);
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
        assert_eq!(ties(&estimates, 1.0), 0);
        assert_eq!(ties(&[1.0, 3.0, 2.0, 1.0, 2.0, 2.0, 9.0], 2.5), 3);
        bound(&estimates, 3);
        assert_eq!(bound(&[], 0), f32::INFINITY);
    }
}
