//! Full codes: what is kept of a vector, and how far it may be from the original.
//!
//! One trait over three zero-sized types, so that the code around a full code is written once
//! and compiled once per encoding. The kernels that compare full codes are in [`crate::Kernels`].
//!
//! What it must never do: give an encoding another number, as it stands in headers, or name a
//! bound that a finite vector exceeds.

use crate::{F16Code, F32Code, I8Code};

/// Which full code a store keeps; the number stands in its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Encoding {
    /// Four bytes a dimension, exact.
    F32 = 0,
    /// Two bytes a dimension, eleven bits of mantissa.
    F16 = 1,
    /// One byte a dimension of the rotated vector, and one scale a vector.
    I8 = 2,
}

impl Encoding {
    /// The encoding with this number in a header, if there is one.
    pub const fn from_u8(number: u8) -> Option<Self> {
        match number {
            0 => Some(Encoding::F32),
            1 => Some(Encoding::F16),
            2 => Some(Encoding::I8),
            _ => None,
        }
    }

    /// Bytes of the full code of a vector of `dim` dimensions.
    pub fn bytes(self, dim: usize) -> usize {
        match self {
            Encoding::F32 => F32Code::bytes(dim),
            Encoding::F16 => F16Code::bytes(dim),
            Encoding::I8 => I8Code::bytes(dim),
        }
    }

    /// Whether the code is made of the rotated vector, padded to a multiple of 64.
    pub const fn rotated(self) -> bool {
        match self {
            Encoding::F32 => F32Code::ROTATED,
            Encoding::F16 => F16Code::ROTATED,
            Encoding::I8 => I8Code::ROTATED,
        }
    }
}

/// One full code: how a vector becomes bytes and comes back.
///
/// Lengths are the caller's promise: where a slice is too short, what fits is coded (and an
/// assertion fails in debug builds). Nothing here panics in release builds.
pub trait FullCode {
    /// Whether vectors must be rotated and padded (see [`crate::Rotation`]) before `encode`.
    ///
    /// A per-vector scale wastes its steps on one large component; the rotation spreads it.
    const ROTATED: bool;

    /// Bytes of one code of `dim` dimensions (before padding).
    fn bytes(dim: usize) -> usize;

    /// Writes the code of `v` and returns its scale (1 for floats).
    fn encode(v: &[f32], code: &mut [u8]) -> f32;

    /// Writes what `code` stands for, in the space that `encode` read.
    fn decode(code: &[u8], scale: f32, out: &mut [f32]);

    /// Bound on the Euclidean distance between a finite vector and its decoded code.
    ///
    /// Takes the largest magnitude of the components for floats, the scale for `i8`, and the
    /// number of components.
    fn error_bound(max_abs_or_scale: f32, dim: usize) -> f32;
}
