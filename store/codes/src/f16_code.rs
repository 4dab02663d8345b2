//! The half-precision full code: little-endian IEEE `binary16`.
//!
//! Half the bytes of `f32`, eleven bits of mantissa. No rotation: each component carries its own
//! exponent.
//!
//! Both ways are plain arithmetic, as WebAssembly has no conversion of halves and not every
//! x86-64 has. Widening is exact, so a kernel may use an instruction for it where there is one.
//!
//! What it must never do: make an infinity of a finite number. What is too large saturates, and
//! the bound counts what is cut off.

use crate::{FullCode, arith};

/// Two bytes a dimension. Components beyond ±65504, the largest `f16`, saturate.
#[derive(Clone, Copy, Debug)]
pub struct F16Code;

const LARGEST: f32 = 65_504.0;

impl FullCode for F16Code {
    const ROTATED: bool = false;

    fn bytes(dim: usize) -> usize {
        2 * dim
    }

    #[inline(never)]
    fn encode(v: &[f32], code: &mut [u8]) -> f32 {
        debug_assert!(code.len() >= 2 * v.len());
        for (x, bytes) in v.iter().zip(code.as_chunks_mut().0) {
            *bytes = narrow(*x).to_le_bytes();
        }
        1.0
    }

    #[inline(never)]
    fn decode(code: &[u8], _scale: f32, out: &mut [f32]) {
        debug_assert!(code.len() >= 2 * out.len());
        for (x, bytes) in out.iter_mut().zip(code.as_chunks().0) {
            *x = widen(u16::from_le_bytes(*bytes));
        }
    }

    /// Half a step a component: 2^-11 of the component, or 2^-25 where it is subnormal, and
    /// what saturation cuts off.
    fn error_bound(max_abs: f32, dim: usize) -> f32 {
        let rounding = max_abs * (1.0 / 2048.0) + 1.0 / 33_554_432.0;
        let cut = if max_abs > LARGEST { max_abs - LARGEST } else { 0.0 };
        (rounding + cut) * arith::sqrt(dim as f32) * 1.000_001
    }
}

/// The `f32` with the value of these `f16` bits, exactly; infinities and NaNs stay such.
///
/// Moving the exponent and mantissa to their place in an `f32` divides the value by 2^112; the
/// multiplication undoes it, and normalises subnormals by the way.
#[inline(always)]
pub(crate) fn widen(half: u16) -> f32 {
    let moved = (u32::from(half) & 0x7fff) << 13;
    let value = f32::from_bits(moved) * f32::from_bits((112 + 127) << 23);
    let special = if moved >= 31 << 23 { 0x7f80_0000 } else { 0 };
    f32::from_bits(value.to_bits() | special | (u32::from(half) & 0x8000) << 16)
}

/// The bits of the `f16` nearest to `x`, ties to even, no larger than the largest finite one.
///
/// A number that is normal as an `f16` is rounded in its bits: half a step less one, and one more
/// if the last bit kept is odd. Below 2^-14 the steps are all 2^-24, as those of an `f32` between
/// a half and one are: adding a half rounds, and leaves the count of steps in the low bits.
#[inline(always)]
fn narrow(x: f32) -> u16 {
    let size = x.abs();
    let size = if size > LARGEST { LARGEST } else { size };
    let bits = size.to_bits();
    let normal = (bits.wrapping_sub(112 << 23).wrapping_add(0xfff + (bits >> 13 & 1))) >> 13;
    let subnormal = (size + 0.5).to_bits().wrapping_sub(0.5f32.to_bits());
    let half = if size >= SMALLEST_NORMAL { normal } else { subnormal };
    let half = if size.is_nan() { 0x7e00 } else { half };
    half as u16 | (x.to_bits() >> 16 & 0x8000) as u16
}

/// 2^-14.
const SMALLEST_NORMAL: f32 = 1.0 / 16_384.0;

#[cfg(test)]
mod tests {
    use super::*;
    use half::f16;
    use proptest::prelude::*;

    #[test]
    fn widens_every_half() {
        for bits in (0..=u16::MAX).step_by(if cfg!(miri) { 251 } else { 1 }) {
            let (ours, theirs) = (widen(bits), f16::from_bits(bits).to_f32_const());
            assert!(
                ours.to_bits() == theirs.to_bits() || (ours.is_nan() && theirs.is_nan()),
                "{bits:#06x} gave {ours}, expected {theirs}"
            );
        }
    }

    #[test]
    fn narrows_halves_their_neighbours_and_their_middles() {
        // Every boundary of rounding lies at a half or in the middle between two.
        for bits in (0..0x7bffu16).step_by(if cfg!(miri) { 251 } else { 1 }) {
            let (low, high) = (widen(bits), widen(bits + 1));
            let middle = low + (high - low) / 2.0;
            for x in [low, middle, middle.next_up(), middle.next_down(), high.next_down()] {
                assert_eq!(narrow(x), f16::from_f32_const(x).to_bits(), "of {x:e}");
                assert_eq!(narrow(-x), f16::from_f32_const(-x).to_bits(), "of -{x:e}");
            }
        }
        for (x, bits) in [(65_520.0, 0x7bff), (f32::INFINITY, 0x7bff), (-1e30, 0xfbff)] {
            assert_eq!(narrow(x), bits);
        }
        assert!(f16::from_bits(narrow(f32::NAN)).is_nan());
    }

    proptest! {
        #![proptest_config(crate::cases(500, 4))]

        #[test]
        fn holds_its_error_bound(
            v in proptest::collection::vec(-1.0f32..1.0, 1..100),
            power in -140i32..18,
        ) {
            let v: std::vec::Vec<f32> = v.iter().map(|x| x * 2f32.powi(power)).collect();
            let mut code = std::vec![0; F16Code::bytes(v.len())];
            let scale = F16Code::encode(&v, &mut code);
            let mut out = std::vec![0.0; v.len()];
            F16Code::decode(&code, scale, &mut out);
            let error: f64 =
                v.iter().zip(&out).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
            let bound = F16Code::error_bound(arith::max_abs(&v), v.len());
            prop_assert!(error.sqrt() <= f64::from(bound), "{} > {}", error.sqrt(), bound);
        }
    }
}
