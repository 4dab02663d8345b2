//! The same properties for every instruction set, against one naive model.

use super::Kernels;
use crate::sketch::{self, LANES};
use crate::{PLANES, ShortQuery, SketchQuery, f16_code};
use proptest::collection::vec;
use proptest::prelude::*;
use std::vec::Vec;

/// A few codes in a buffer, their order shuffled, at a unit that leaves gaps.
#[derive(Clone, Debug)]
struct Codes {
    bytes: Vec<u8>,
    unit: usize,
    at: Vec<u32>,
}

impl Codes {
    fn get(&self, at: u32) -> &[u8] {
        &self.bytes[at as usize * self.unit..]
    }
}

const MOST_CODES: usize = if cfg!(miri) { 6 } else { 11 };
const LONGEST: usize = if cfg!(miri) { 150 } else { 1200 };

/// Lengths: all small ones, the usual ones, and now and then the largest.
fn dims() -> impl Strategy<Value = usize> {
    let largest = if cfg!(miri) { 150 } else { crate::MAX_DIM };
    prop_oneof![
        8 => 1..LONGEST,
        4 => prop_oneof![Just(64), Just(128), Just(100)],
        4 => if cfg!(miri) { Just(64) } else { Just(512) },
        1 => Just(largest),
    ]
}

/// `len` bytes from a seed: random ones, with runs of the extremes.
///
/// A strategy for each byte would shrink better and take a minute.
fn bytes(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        let word = next();
        match word % 16 {
            0 => bytes.extend([0x80; 8]),
            1 => bytes.extend([0x7f; 8]),
            2 => bytes.extend([0xff; 8]),
            3 => bytes.extend([0; 8]),
            _ => bytes.extend((word >> 3 ^ next()).to_le_bytes()),
        }
    }
    bytes.truncate(len);
    bytes
}

/// Codes of `need` bytes at random places, some twice.
fn codes(need: usize, unit: usize) -> impl Strategy<Value = Codes> {
    let stride = need.div_ceil(unit) as u32 + 1;
    let len = need + (MOST_CODES - 1) * stride as usize * unit;
    (any::<u64>(), vec(0..MOST_CODES as u32, 0..MOST_CODES)).prop_map(move |(seed, at)| Codes {
        bytes: bytes(len, seed),
        unit,
        at: at.iter().map(|at| at * stride).collect(),
    })
}

/// The model of all float kernels: the documented tree, element by element.
fn model_float(q: &[f32], code: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; 32];
    for (i, (&a, &b)) in q.iter().zip(code).enumerate() {
        lanes[i % 32] += term(a, b);
    }
    for half in [16, 8, 4, 2, 1] {
        for j in 0..half {
            lanes[j] += lanes[j + half];
        }
    }
    lanes[0]
}

fn product(a: f32, b: f32) -> f32 {
    a * b
}

fn squared_difference(a: f32, b: f32) -> f32 {
    (a - b) * (a - b)
}

fn model_int(q: &[i64], code: &[u8]) -> i32 {
    q.iter().zip(code).map(|(&a, &b)| a * i64::from(b as i8)).sum::<i64>() as i32
}

fn model_short(levels: &[i64], code: &[u8]) -> i32 {
    let set = |i: usize| code[i / 8] >> (i % 8) & 1 == 1;
    levels.iter().enumerate().filter(|(i, _)| set(*i)).map(|(_, &u)| u).sum::<i64>() as i32
}

/// The planes of these levels, written bit by bit.
fn planes(levels: &[i64]) -> Vec<u8> {
    let bytes = levels.len() / 8;
    let mut planes = std::vec![0; PLANES * bytes];
    for (i, level) in levels.iter().enumerate() {
        for plane in 0..PLANES {
            planes[plane * bytes + i / 8] |= ((level >> plane & 1) as u8) << (i % 8);
        }
    }
    planes
}

/// Finite floats of all sizes whose products stay finite.
fn float() -> impl Strategy<Value = f32> {
    prop_oneof![8 => -2.0f32..2.0, 1 => -1e15f32..1e15, 1 => -1e-30f32..1e-30, 1 => Just(-0.0)]
}

/// Runs one kernel and compares with the model, bit for bit.
fn check<T: Copy + PartialEq + std::fmt::Debug, B: PartialEq + std::fmt::Debug>(
    codes: &Codes,
    run: impl Fn(&[u32], &mut [T]),
    empty: T,
    model: impl Fn(&[u8]) -> T,
    bits: impl Fn(T) -> B,
) -> Result<(), TestCaseError> {
    // One place more than results: it must stay untouched.
    let mut out = std::vec![empty; codes.at.len() + 1];
    run(&codes.at, &mut out);
    for (&at, &got) in codes.at.iter().zip(&out) {
        prop_assert_eq!(bits(got), bits(model(codes.get(at))), "code at {}", at);
    }
    prop_assert_eq!(bits(out[codes.at.len()]), bits(empty));
    Ok(())
}

/// The properties of one instruction set, as a module of tests.
macro_rules! properties {
    ($($module:ident = $name:literal;)*) => {$(
        mod $module {
            use super::*;

            /// The instruction set, if this machine has it.
            fn kernels() -> Option<Kernels> {
                Kernels::available().find(|kernels| kernels.name() == $name)
            }

            proptest! {
                #![proptest_config(crate::cases(200, 6))]

                #[test]
                fn dot_i8_query(
                    (q, codes) in dims().prop_flat_map(|dim| {
                        (any::<u64>(), codes(dim, 8)).prop_map(move |(seed, codes)| {
                            let q = bytes(2 * dim, seed);
                            let q = q.as_chunks().0.iter().map(|b| i16::from_le_bytes(*b));
                            (q.collect::<Vec<i16>>(), codes)
                        })
                    })
                ) {
                    let Some(kernels) = kernels() else { return Ok(()) };
                    let wide: Vec<i64> = q.iter().map(|&x| x.into()).collect();
                    check(
                        &codes,
                        |at, out| kernels.dot_i8_query(&q, &codes.bytes, codes.unit, at, out),
                        -1,
                        |code| model_int(&wide, code),
                        |x| x,
                    )?;
                }

                #[test]
                fn dot_i8(
                    (q, codes) in dims().prop_flat_map(|dim| {
                        (any::<u64>().prop_map(move |seed| bytes(dim, seed)), codes(dim, 8))
                    })
                ) {
                    let Some(kernels) = kernels() else { return Ok(()) };
                    let q: Vec<i8> = q.iter().map(|&x| x as i8).collect();
                    let wide: Vec<i64> = q.iter().map(|&x| x.into()).collect();
                    check(
                        &codes,
                        |at, out| kernels.dot_i8(&q, &codes.bytes, codes.unit, at, out),
                        -1,
                        |code| model_int(&wide, code),
                        |x| x,
                    )?;
                }

                #[test]
                fn dot_short(
                    (levels, codes) in dims().prop_flat_map(|dim| {
                        let dim = crate::padded(dim);
                        let levels = any::<u64>().prop_map(move |seed| {
                            let level = |&b: &u8| i64::from(b as i8 >> 4);
                            bytes(dim, seed).iter().map(level).collect::<Vec<i64>>()
                        });
                        (levels, codes(dim / 8, 8))
                    })
                ) {
                    let Some(kernels) = kernels() else { return Ok(()) };
                    let planes = planes(&levels);
                    let query = ShortQuery::from_planes(&planes);
                    check(
                        &codes,
                        |at, out| kernels.dot_short(&query, &codes.bytes, codes.unit, at, out),
                        -1,
                        |code| model_short(&levels, code),
                        |x| x,
                    )?;
                }

                #[test]
                fn sketches(
                    dim in 1..600usize, count in 1..150usize, seed in any::<u64>(), weight in 1..3u8,
                ) {
                    let Some(kernels) = kernels() else { return Ok(()) };
                    let (width, shown) = (crate::short_bytes(dim), sketch::sketch_bytes(dim));
                    // Half and one and a half, so that the step is near 1 and all levels occur.
                    let level = |&b: &u8| [-0.5, -1.5, 0.5, 1.5f32][usize::from(b % 4)];
                    let rq: Vec<f32> = bytes(8 * width, seed).iter().map(level).collect();
                    let query = SketchQuery::encode(&rq, shown, f32::from(weight));
                    let delta = query.step / f32::from(weight);
                    let level = |x: &f32| {
                        let size = if x.abs() >= delta { 3 } else { 1 };
                        if *x < 0.0 { -size } else { size }
                    };
                    let levels: Vec<i64> = rq[..8 * shown].iter().map(level).collect();
                    let codes = bytes(count * width, !seed);
                    let factor = |lane: usize| f32::from(codes[lane * width]) / 7.0 - 9.0;
                    let size = sketch::block_bytes(shown);
                    let mut blocks = std::vec![0; count.div_ceil(LANES) * size];
                    for (lane, code) in codes.chunks(width).enumerate() {
                        let block = &mut blocks[lane / LANES * size..][..size];
                        sketch::put(block, lane % LANES, code, factor(lane), -factor(lane));
                    }
                    let mut out = std::vec![-1.0; blocks.len() / size * LANES + 1];
                    kernels.sketch(&query, &blocks, &mut out);
                    prop_assert_eq!(out.pop(), Some(-1.0));
                    let whole = levels.iter().map(|x| x.abs()).sum::<i64>() as i32;
                    let set = |code: &[u8], i: usize| code[i / 8] >> (i % 8) & 1 == 1;
                    for (lane, code) in codes.chunks(width).enumerate() {
                        let sign = |i: usize| if set(code, i) { 1 } else { -1 };
                        let product: i64 =
                            levels.iter().enumerate().map(|(i, x)| sign(i) * x).sum();
                        // In halves; exact until the factors come.
                        let (most, less) = (whole, (whole - product as i32) / 2);
                        prop_assert_eq!(query.most, query.step * (most as f32 / 2.0));
                        let product = query.most - query.step * less as f32;
                        let wanted = factor(lane) + factor(lane) * product;
                        prop_assert_eq!(out[lane].to_bits(), wanted.to_bits());
                    }
                    // What is struck out leaves nothing.
                    for lane in 0..count {
                        let block = &mut blocks[lane / LANES * size..][..size];
                        sketch::put(block, lane % LANES, &[0; 40], 0.0, 0.0);
                    }
                    prop_assert!(blocks.iter().all(|&byte| byte == 0));
                }

                #[test]
                fn f32_codes(
                    (q, mut codes, fill) in dims().prop_flat_map(|dim| {
                        (vec(float(), dim), codes(4 * dim, 4), vec(float(), 64))
                    })
                ) {
                    let Some(kernels) = kernels() else { return Ok(()) };
                    for (i, bytes) in codes.bytes.as_chunks_mut().0.iter_mut().enumerate() {
                        *bytes = (fill[i % 64] + fill[i / 64 % 64]).to_le_bytes();
                    }
                    let read = |code: &[u8]| -> Vec<f32> {
                        code.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
                    };
                    check(
                        &codes,
                        |at, out| kernels.dot_f32(&q, &codes.bytes, codes.unit, at, out),
                        -1.0,
                        |code| model_float(&q, &read(code), product),
                        f32::to_bits,
                    )?;
                    check(
                        &codes,
                        |at, out| kernels.l2_f32(&q, &codes.bytes, codes.unit, at, out),
                        -1.0,
                        |code| model_float(&q, &read(code), squared_difference),
                        f32::to_bits,
                    )?;
                }

                #[test]
                fn f16_codes(
                    (q, mut codes) in dims().prop_flat_map(|dim| {
                        (vec(-4.0f32..4.0, dim), codes(2 * dim, 4))
                    })
                ) {
                    let Some(kernels) = kernels() else { return Ok(()) };
                    // Every finite half, subnormals included; infinities have their own test.
                    for bytes in codes.bytes.as_chunks_mut::<2>().0 {
                        if bytes[1] & 0x7c == 0x7c {
                            bytes[1] ^= 0x40;
                        }
                    }
                    let read = |code: &[u8]| -> Vec<f32> {
                        let widen = |b: &[u8; 2]| f16_code::widen(u16::from_le_bytes(*b));
                        code.as_chunks().0.iter().map(widen).collect()
                    };
                    check(
                        &codes,
                        |at, out| kernels.dot_f16(&q, &codes.bytes, codes.unit, at, out),
                        -1.0,
                        |code| model_float(&q, &read(code), product),
                        f32::to_bits,
                    )?;
                    check(
                        &codes,
                        |at, out| kernels.l2_f16(&q, &codes.bytes, codes.unit, at, out),
                        -1.0,
                        |code| model_float(&q, &read(code), squared_difference),
                        f32::to_bits,
                    )?;
                }
            }

            #[test]
            fn every_half_widens() {
                let Some(kernels) = kernels() else { return };
                for bits in (0..=u16::MAX).step_by(if cfg!(miri) { 97 } else { 1 }) {
                    let code = bits.to_le_bytes();
                    let mut got = [0.0];
                    kernels.dot_f16(&[1.0], &code, 2, &[0], &mut got);
                    // The sum begins at +0, so a lone -0 comes out positive.
                    let expected = f16_code::widen(bits) + 0.0;
                    assert!(
                        got[0].to_bits() == expected.to_bits()
                            || got[0].is_nan() && expected.is_nan(),
                        "{bits:#06x}: {} and {expected}", got[0]
                    );
                }
            }

            #[cfg(not(debug_assertions))]
            #[test]
            fn codes_outside_get_the_worst() {
                let Some(kernels) = kernels() else { return };
                let codes = [1u8; 64 * 4 - 1];
                for (at, unit) in [([3, 2, 1, 4, 0, u32::MAX], 64), ([0, 1, 2, 3, 4, 192], 1)] {
                    let inside = |at: u32| u64::from(at) * unit + 64 <= codes.len() as u64;
                    let mut ints = [0; 6];
                    kernels.dot_i8(&[1; 64], &codes, unit as usize, &at, &mut ints);
                    let mut floats = [0.0; 6];
                    kernels.dot_f32(&[0.0; 16], &codes, unit as usize, &at, &mut floats);
                    for ((at, int), float) in at.into_iter().zip(ints).zip(floats) {
                        assert_eq!(int, if inside(at) { 64 } else { Kernels::WORST_INT });
                        assert_eq!(float, if inside(at) { 0.0 } else { Kernels::WORST_FLOAT });
                    }
                }
                let mut out = [0; 2];
                kernels.dot_i8(&[1; 64], &codes[..63], 1, &[0, 0], &mut out);
                assert_eq!(out, [Kernels::WORST_INT; 2]);
                kernels.dot_i8(&[1; 64], &codes, 0, &[u32::MAX, 0], &mut out);
                assert_eq!(out, [64; 2]);
            }

            #[cfg(not(debug_assertions))]
            #[test]
            fn a_short_output_takes_what_fits() {
                let Some(kernels) = kernels() else { return };
                for places in 0..10 {
                    let mut out = std::vec![0; places];
                    kernels.dot_i8(&[1; 64], &[2; 64], 64, &[0; 9], &mut out);
                    let full = places.min(9);
                    assert!(out[..full].iter().all(|&x| x == 128) && out[full..] == [0][..places - full]);
                }
            }
        }
    )*};
}

properties! {
scalar = "scalar";
}

#[cfg(target_feature = "simd128")]
properties! {
    simd128 = "simd128";
}

#[cfg(target_feature = "relaxed-simd")]
properties! {
    relaxed = "relaxed";
}

#[cfg(target_arch = "x86_64")]
properties! {
    avx2 = "avx2";
    avx512 = "avx512";
    avx512vnni = "avx512vnni";
}

/// A processor's missing instruction set passes its tests silently: this says which ones ran.
#[test]
fn available_begins_portable_and_ends_best() {
    let names: Vec<_> = Kernels::available().map(Kernels::name).collect();
    std::println!("tested: {names:?}");
    assert_eq!(names[0], "scalar");
    assert_eq!(Kernels::generic().name(), "scalar");
    assert_eq!(Kernels::detect().name(), *names.last().unwrap());
    #[cfg(target_feature = "relaxed-simd")]
    assert_eq!(names, ["scalar", "simd128", "relaxed"]);
    #[cfg(all(target_feature = "simd128", not(target_feature = "relaxed-simd")))]
    assert_eq!(names, ["scalar", "simd128"]);
}
