//! The exact full code: little-endian `f32`.
//!
//! It is not rotated, as that would round.
//!
//! What it must never do: compute with a component on its way in or out: every bit comes back,
//! those of a NaN too.

use crate::FullCode;

/// Four bytes a dimension; decoding gives back the same bits.
#[derive(Clone, Copy, Debug)]
pub struct F32Code;

impl FullCode for F32Code {
    const ROTATED: bool = false;

    fn bytes(dim: usize) -> usize {
        4 * dim
    }

    #[inline(never)]
    fn encode(v: &[f32], code: &mut [u8]) -> f32 {
        debug_assert!(code.len() >= 4 * v.len());
        for (x, bytes) in v.iter().zip(code.as_chunks_mut().0) {
            *bytes = x.to_le_bytes();
        }
        1.0
    }

    #[inline(never)]
    fn decode(code: &[u8], _scale: f32, out: &mut [f32]) {
        debug_assert!(code.len() >= 4 * out.len());
        for (x, bytes) in out.iter_mut().zip(code.as_chunks().0) {
            *x = f32::from_le_bytes(*bytes);
        }
    }

    /// Zero: nothing is lost.
    fn error_bound(_max_abs: f32, _dim: usize) -> f32 {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(crate::cases(256, 4))]

        #[test]
        fn comes_back_bit_for_bit(bits in proptest::collection::vec(any::<u32>(), 0..70)) {
            let v: std::vec::Vec<f32> = bits.iter().map(|&b| f32::from_bits(b)).collect();
            let mut code = std::vec![0; F32Code::bytes(v.len())];
            prop_assert_eq!(F32Code::encode(&v, &mut code), 1.0);
            let mut out = std::vec![0.0; v.len()];
            F32Code::decode(&code, 1.0, &mut out);
            let back: std::vec::Vec<u32> = out.iter().map(|x| x.to_bits()).collect();
            prop_assert_eq!(back, bits);
        }
    }
}
