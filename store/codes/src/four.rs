//! Four floats at a time, for what is computed once a vector: encoding, norms, the rotation.
//!
//! The kernels choose their instruction set when they run; this code is not hot enough for
//! that, but too hot to leave to compilers, which turn such loops into scalar instructions. So it
//! is written over one register of what each target always has: `simd128` on WebAssembly, SSE2
//! on x86-64, an array elsewhere. Every operation is exact or rounds once: same bits everywhere.
//!
//! What it must never do: offer what some target rounds otherwise: no fused multiply-add, no
//! estimate of a reciprocal, no minimum that treats NaN or zeros in a way of its own.

pub(crate) use register::Four;

use core::ops::{Add, Mul, Sub};

impl Four {
    /// Four times `x`.
    #[inline(always)]
    pub(crate) fn splat(x: f32) -> Self {
        Four::load(&[x; 4])
    }

    /// Each `x` brought into `-most..=most`; NaN becomes one of the ends.
    #[inline(always)]
    pub(crate) fn clamp(self, most: f32) -> Self {
        self.smaller(Four::splat(most)).larger(Four::splat(-most))
    }

    /// The magnitudes.
    #[inline(always)]
    pub(crate) fn abs(self) -> Self {
        self.mask(0x7fff_ffff)
    }
}

macro_rules! operators {
    ($($trait:ident $name:ident $method:ident;)*) => {$(
        impl $trait for Four {
            type Output = Four;
            #[inline(always)]
            fn $name(self, other: Four) -> Four {
                Four::$method(self, other)
            }
        }
    )*};
}

operators! {
    Add add plus;
    Sub sub minus;
    Mul mul times;
}

#[cfg(target_feature = "simd128")]
mod simd128;
#[cfg(target_feature = "simd128")]
use simd128 as register;

#[cfg(target_arch = "x86_64")]
mod sse2;
#[cfg(target_arch = "x86_64")]
use sse2 as register;

#[cfg(any(test, not(any(target_arch = "x86_64", target_feature = "simd128"))))]
mod portable;

#[cfg(not(any(target_arch = "x86_64", target_feature = "simd128")))]
use portable as register;

#[cfg(all(test, any(target_arch = "x86_64", target_feature = "simd128")))]
mod tests;
