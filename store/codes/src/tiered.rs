//! Tiered codes: 8, 7, 5 or 3 bits a component, for records by their use.
//!
//! Symmetric levels in groups of 64 components, each group with a scale of its own. A group's
//! scale is an `f16` relative to one `f32` of the whole vector, a power of two: so vectors of
//! any length keep the precision of their groups.
//!
//! ```text
//! 0                               0  factor - 1: f16
//! group g, at 2 + g * (2 + 8 bits)   0  scale: f16    2  levels, packed (see `pack`)
//! ```
//!
//! A component is `scale of the vector * scale of its group * level`. The largest level reaches
//! the largest component, so each lies within half a step of its level. With three bits a
//! smaller step that cuts the largest components off is often nearer to the group as a whole,
//! and then taken: so the bound is one of the whole vector's distance, not of each component's.
//!
//! The factor is for inner products. A rounded vector `x'` is not quite as long as `x` along
//! `x`, so that `<q, x'>` is too small by a part that differs from vector to vector; with
//! `|x|^2 / <x, x'>` it is right on average over queries (as in RaBitQ, arXiv:2405.12497).
//! Among vectors of three bits this found two in a hundred more of the true nearest.
//!
//! The codes take vectors as they come, rotated or not. The last group is filled with zeros.
//!
//! What it must never do: cut a component off where there are more than three bits, or make a
//! code that lies further from its vector than `tiered_error` tells from the code alone.

use crate::arith;
use crate::f16_code::widen;
use crate::pack::{GROUP, Width, pack, unpack};
use crate::{F16Code, FullCode};

/// Bytes of a group's scale.
const SCALE: usize = 2;
/// Bytes of the factor.
const FACTOR: usize = 2;
/// Steps that are tried with three bits, in eighths of the one that reaches every component.
const TRIED: [u8; 5] = [8, 7, 6, 5, 4];
/// Vectors that reach no further than 2^-100 count as zero, as those of `I8Code` do.
const NOTHING: f32 = f32::from_bits((127 - 100) << 23);

/// Bytes of the code of a vector of `dim` components.
pub const fn tiered_bytes(width: Width, dim: usize) -> usize {
    FACTOR + dim.div_ceil(GROUP) * (SCALE + width.group_bytes())
}

/// Writes the code of `v` into the first [`tiered_bytes`] of `code`; returns the vector's scale.
///
/// The scale is 0 for zeros, for vectors that reach no further than 2^-100, and for those with
/// an infinite component. What does not fit into `code` is left out, as a NaN is.
#[inline(never)]
pub fn encode_tiered(width: Width, v: &[f32], code: &mut [u8]) -> f32 {
    debug_assert!(code.len() >= tiered_bytes(width, v.len()));
    let scale = power_of_two(arith::max_abs(v));
    let Some((factor, groups)) = code.split_first_chunk_mut::<FACTOR>() else { return scale };
    let (mut along, mut length) = (0.0, 0.0);
    for (v, group) in v.chunks(GROUP).zip(groups.chunks_exact_mut(SCALE + width.group_bytes())) {
        let (place, packed) = group.split_at_mut(SCALE);
        let bits = best_scale(width, v, scale, packed);
        place.copy_from_slice(&bits.to_le_bytes());
        let decoded = round_trip(width, v, scale, bits, packed);
        for (&x, x_) in v.iter().zip(decoded) {
            // Relative to the scale, so that no square is too small or too large.
            let (x, x_) = if scale > 0.0 { (x / scale, x_ / scale) } else { (0.0, 0.0) };
            along += x * x_;
            length += x * x;
        }
    }
    let excess = if along > 0.0 { (length / along - 1.0).clamp(-0.5, 1.0) } else { 0.0 };
    F16Code::encode(&[excess], factor);
    scale
}

/// The bits of the group scale with which the codes are nearest to `v`.
fn best_scale(width: Width, v: &[f32], scale: f32, packed: &mut [u8]) -> u16 {
    if scale == 0.0 {
        return 0;
    }
    let most = arith::max_abs(v) / scale;
    let mut best = (f32::MAX, 0);
    let tried = if width == Width::Three { &TRIED[..] } else { &TRIED[..1] };
    for &eighths in tried {
        let bits = scale_bits(width, most * (f32::from(eighths) / 8.0));
        let decoded = round_trip(width, v, scale, bits, packed);
        let error = v.iter().zip(decoded).map(|(x, x_)| (x - x_) / scale);
        let squares = error.fold(0.0, |sum, e| sum + e * e);
        if squares < best.0 || eighths == 8 {
            best = (squares, bits);
        }
    }
    best.1
}

/// Packs a group, and gives what it stands for.
fn round_trip(width: Width, v: &[f32], scale: f32, bits: u16, packed: &mut [u8]) -> [f32; GROUP] {
    let mut decoded = [0.0; GROUP];
    encode_group(width, v, scale * widen(bits), packed);
    decode_group(width, packed, scale * widen(bits), &mut decoded);
    decoded
}

/// The largest power of two that is not above `most`; 0 where it would not be a normal number
/// with a normal reciprocal.
pub(crate) fn power_of_two(most: f32) -> f32 {
    if (NOTHING..f32::INFINITY).contains(&most) {
        f32::from_bits(most.to_bits() & 0x7f80_0000)
    } else {
        0.0
    }
}

/// The bits of the smallest `f16` step with which `most`, at most 65504, is no higher than the
/// highest level.
pub(crate) fn scale_bits(width: Width, most: f32) -> u16 {
    let step = most / width.most() as f32;
    let mut bytes = [0; SCALE];
    F16Code::encode(&[step], &mut bytes);
    let nearest = u16::from_le_bytes(bytes);
    nearest + u16::from(widen(nearest) * (width.most() as f32) < most)
}

/// Packs the levels of at most 64 components, `step` apart.
pub(crate) fn encode_group(width: Width, v: &[f32], step: f32, packed: &mut [u8]) {
    let most = width.most() as f32;
    let mut levels = [0; GROUP];
    for (level, x) in levels.iter_mut().zip(v) {
        // A division, as the reciprocal of a small step may be infinite. NaN becomes 0.
        let exact = if step > 0.0 { (x / step).clamp(-most, most) } else { 0.0 };
        *level = arith::round(exact) as i8;
    }
    pack(width, &levels, packed);
}

/// Writes at most 64 components from their packed levels.
pub(crate) fn decode_group(width: Width, packed: &[u8], step: f32, out: &mut [f32]) {
    for (x, level) in out.iter_mut().zip(unpack(width, packed)) {
        *x = f32::from(level) * step;
    }
}

/// The scale and the packed levels of each group.
fn groups(width: Width, code: &[u8]) -> impl Iterator<Item = (f32, &[u8])> {
    let groups = code.get(FACTOR..).unwrap_or_default();
    groups.chunks_exact(SCALE + width.group_bytes()).filter_map(|group| {
        let (scale, levels) = group.split_first_chunk()?;
        Some((widen(u16::from_le_bytes(*scale)), levels))
    })
}

/// Writes what `code` stands for.
#[inline(never)]
pub fn decode_tiered(width: Width, code: &[u8], scale: f32, out: &mut [f32]) {
    debug_assert!(code.len() >= tiered_bytes(width, out.len()));
    for (out, (step, levels)) in out.chunks_mut(GROUP).zip(groups(width, code)) {
        decode_group(width, levels, scale * step, out);
    }
}

/// Estimates the inner product of an integer query (see [`crate::encode_query_i8`]) with the
/// vector that was coded; the caller multiplies by the query's scale and the vector's.
///
/// One group at a time is unpacked; its sum of products is exact, and the groups
/// are added in their order: the same bits on every machine.
#[inline(never)]
pub fn dot_tiered(width: Width, query: &[i16], code: &[u8]) -> f32 {
    debug_assert!(code.len() >= tiered_bytes(width, query.len()));
    let (whole, last) = query.as_chunks::<GROUP>();
    let mut filled = [0; GROUP];
    for (filled, level) in filled.iter_mut().zip(last) {
        *filled = *level;
    }
    let mut sum = 0.0;
    for (query, (step, packed)) in whole.iter().chain([&filled]).zip(groups(width, code)) {
        let levels = unpack(width, packed);
        let products = query.iter().zip(&levels).map(|(&q, &l)| i32::from(q) * i32::from(l));
        sum += step * products.sum::<i32>() as f32;
    }
    let excess = code.first_chunk().map_or(0.0, |bytes| widen(u16::from_le_bytes(*bytes)));
    sum + sum * excess
}

/// Bound on the Euclidean distance between a vector and its decoded code: half a step a
/// component, by the scales in the code; with three bits half of the longest step that was
/// tried. Components are numbers up to 2^110.
pub fn tiered_error(width: Width, code: &[u8], scale: f32, dim: usize) -> f32 {
    let mut squares = 0.0;
    for (begin, (step, _)) in (0..dim).step_by(GROUP).zip(groups(width, code)) {
        squares += step * step * (dim - begin).min(GROUP) as f32;
    }
    half_a_step(scale * longest(width) * arith::sqrt(squares), dim)
}

/// How much longer than a group's step the one that reaches all its components may be; a hair
/// more for its rounding.
fn longest(width: Width) -> f32 {
    match width {
        Width::Three => f32::from(TRIED[0]) / f32::from(TRIED[TRIED.len() - 1]) * 1.001,
        _ => 1.0,
    }
}

/// The same bound for any vector of so many components and this scale, before there is a code.
pub fn tiered_error_bound(width: Width, scale: f32, dim: usize) -> f32 {
    // Components are below twice the scale; an `f16` scale is at most 2^-10 too large, or 2^-24.
    let step = 2.0 / width.most() as f32 * (1.0 + 1.0 / 1024.0) + 1.0 / 16_777_216.0;
    half_a_step(scale * step * arith::sqrt(dim as f32), dim)
}

/// Half of it, a hair more for the rounding of all that went into it, and what is lost where a
/// vector counts as zero.
pub(crate) fn half_a_step(steps: f32, dim: usize) -> f32 {
    steps * 0.500_1 + NOTHING * arith::sqrt(dim as f32) * 1.000_001
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode_query_i8;
    use proptest::prelude::*;
    use std::{vec, vec::Vec};

    /// 2^110.
    const MOST: f32 = f32::from_bits((110 + 127) << 23);

    fn error(a: &[f32], b: &[f32]) -> f64 {
        a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>().sqrt()
    }

    #[test]
    fn bytes_of_512_dimensions() {
        assert_eq!(Width::ALL.map(|width| tiered_bytes(width, 512)), [530, 466, 338, 210]);
        assert_eq!(tiered_bytes(Width::Three, 65), 2 + 2 * 26);
        assert_eq!(tiered_bytes(Width::Three, 0), 2);
    }

    #[test]
    fn nothing_and_nonsense() {
        for width in Width::ALL {
            let mut code = vec![7; tiered_bytes(width, 3)];
            for v in [[0.0; 3], [1e-31, 0.0, -1e-31], [f32::INFINITY, 1.0, 2.0]] {
                assert_eq!(encode_tiered(width, &v, &mut code), 0.0);
                let mut out = [9.0; 3];
                decode_tiered(width, &code, 0.0, &mut out);
                assert_eq!(out, [0.0; 3]);
            }
            let scale = encode_tiered(width, &[f32::NAN, 1.5, MOST], &mut code);
            let mut out = [9.0; 3];
            decode_tiered(width, &code, scale, &mut out);
            assert!(out.iter().all(|x| x.is_finite()) && out[0] == 0.0, "{out:?}");
        }
    }

    #[test]
    fn the_largest_component_is_not_cut() {
        for width in Width::ALL {
            for i in 0..2000u32 {
                let x = f32::from_bits(1f32.to_bits() + i * 4219);
                let bits = scale_bits(width, x);
                let step = widen(bits);
                assert!(step * width.most() as f32 >= x);
                assert!(widen(bits - 1) * (width.most() as f32) < x, "a step too large");
            }
        }
    }

    /// One constant for every machine: of codes, scales and inner products.
    #[test]
    fn the_same_vectors_give_the_same_bits() {
        let fnv = |bytes: &[u8], from: u64| {
            bytes.iter().fold(from, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01B3))
        };
        let mut state = 1u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 16_777_216.0 - 0.4
        };
        let mut all = 0xCBF2_9CE4_8422_2325;
        for dim in [1, 64, 100, 512] {
            let v: Vec<f32> = (0..dim).map(|_| random()).collect();
            let mut query = vec![0; dim];
            encode_query_i8(&v, &mut query);
            for width in Width::ALL {
                let mut code = vec![0; tiered_bytes(width, dim)];
                let scale = encode_tiered(width, &v, &mut code);
                all = fnv(&code, all);
                let mut out = vec![0.0; dim];
                decode_tiered(width, &code, scale, &mut out);
                for x in out.iter().chain([
                    &scale,
                    &dot_tiered(width, &query, &code),
                    &tiered_error(width, &code, scale, dim),
                ]) {
                    all = fnv(&x.to_bits().to_le_bytes(), all);
                }
            }
        }
        assert_eq!(all, DIGEST);
    }
    const DIGEST: u64 = 7_162_819_340_234_529_978;

    proptest! {
        #![proptest_config(crate::cases(1500, 4))]

        #[test]
        fn each_width_holds_its_error_bound(
            v in proptest::collection::vec(-1.0f32..1.0, 1..300),
            power in -120i32..120,
            shift in -3.0f32..3.0,
            slope in -0.2f32..0.2,
        ) {
            // Not centred, of any length, and of different sizes along the way.
            let v: Vec<f32> = v
                .iter()
                .enumerate()
                .map(|(i, x)| (x + shift) * (slope * i as f32).exp2() * 2f32.powi(power))
                .map(|x| x.clamp(-MOST, MOST))
                .collect();
            for width in Width::ALL {
                let mut code = vec![0; tiered_bytes(width, v.len())];
                let scale = encode_tiered(width, &v, &mut code);
                let mut out = vec![0.0; v.len()];
                decode_tiered(width, &code, scale, &mut out);
                let found = error(&v, &out);
                let bound = f64::from(tiered_error(width, &code, scale, v.len()));
                let before = f64::from(tiered_error_bound(width, scale, v.len()));
                prop_assert!(found <= bound && found <= before, "{found} > {bound}, {width:?}");
                prop_assert!(bound <= before * f64::from(longest(width)) * 1.001, "{bound} > {before}, {width:?}");
            }
        }

        #[test]
        fn what_was_decoded_is_coded_the_same(v in proptest::collection::vec(-1.0f32..1.0, 1..200)) {
            for width in Width::ALL {
                let mut code = vec![0; tiered_bytes(width, v.len())];
                let scale = encode_tiered(width, &v, &mut code);
                let mut out = vec![0.0; v.len()];
                decode_tiered(width, &code, scale, &mut out);
                let (mut again, mut twice) = (code.clone(), out.clone());
                let scale = encode_tiered(width, &out, &mut again);
                decode_tiered(width, &again, scale, &mut twice);
                // The largest level may stand for a number that rounds to another scale.
                let bound = f64::from(tiered_error(width, &again, scale, v.len()));
                prop_assert!(error(&out, &twice) <= bound);
            }
        }

        #[test]
        fn dot_is_that_of_what_is_decoded_times_the_factor(
            v in proptest::collection::vec(-1.0f32..1.0, 1..300),
            seed in any::<u32>(),
        ) {
            let q: Vec<f32> = (0..v.len() as u32)
                .map(|i| (i.wrapping_mul(2_654_435_761) ^ seed) as i32 as f32 / 2e9)
                .collect();
            let mut query = vec![0; q.len()];
            let query_scale = encode_query_i8(&q, &mut query);
            for width in Width::ALL {
                let mut code = vec![0; tiered_bytes(width, v.len())];
                let scale = encode_tiered(width, &v, &mut code);
                let mut out = vec![0.0; v.len()];
                decode_tiered(width, &code, scale, &mut out);
                let exact: f64 = out
                    .iter()
                    .zip(&query)
                    .map(|(x, q)| f64::from(*x) * f64::from(*q) * f64::from(query_scale))
                    .sum();
                // What makes the product with the vector itself right, rounded to 16 bits.
                let dot = |a: &[f32], b: &[f32]| -> f64 {
                    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
                };
                let along = dot(&v, &out);
                let excess = if along > 0.0 { dot(&v, &v) / along - 1.0 } else { 0.0 };
                let rounded = exact.abs() * excess.abs() / 2048.0;
                let exact = exact * (1.0 + excess);
                let found = f64::from(dot_tiered(width, &query, &code) * scale * query_scale);
                let sizes: f64 = out.iter().zip(&q).map(|(x, q)| f64::from((x * q).abs())).sum();
                let most = 1e-5 * sizes + rounded + 1e-9;
                prop_assert!((found - exact).abs() <= most, "{found}, not {exact}");
            }
        }
    }
}
