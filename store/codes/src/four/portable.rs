//! An array, for targets without such a register, and what the registers are tested against.
//!
//! `core` has no square root, so there is one here, by whole numbers.
//!
//! What it must never do: be changed to agree with a register. Where the two differ, the
//! register's file is wrong.

use core::array::from_fn;

/// Four `f32`.
#[derive(Clone, Copy)]
pub(crate) struct Four([f32; 4]);

impl Four {
    #[inline(always)]
    pub(crate) fn load(from: &[f32; 4]) -> Self {
        Four(*from)
    }

    /// Four integers as floats, exactly.
    #[inline(always)]
    pub(crate) fn from_words(from: &[u16; 4]) -> Self {
        Four(from.map(f32::from))
    }

    #[inline(always)]
    pub(crate) fn store(self, to: &mut [f32; 4]) {
        *to = self.0;
    }

    #[inline(always)]
    pub(super) fn plus(self, b: Self) -> Self {
        Four(from_fn(|j| self.0[j] + b.0[j]))
    }

    #[inline(always)]
    pub(super) fn minus(self, b: Self) -> Self {
        Four(from_fn(|j| self.0[j] - b.0[j]))
    }

    #[inline(always)]
    pub(super) fn times(self, b: Self) -> Self {
        Four(from_fn(|j| self.0[j] * b.0[j]))
    }

    /// `if self < b { self } else { b }`.
    #[inline(always)]
    pub(crate) fn smaller(self, b: Self) -> Self {
        Four(from_fn(|j| if self.0[j] < b.0[j] { self.0[j] } else { b.0[j] }))
    }

    /// `if self > b { self } else { b }`.
    #[inline(always)]
    pub(crate) fn larger(self, b: Self) -> Self {
        Four(from_fn(|j| if self.0[j] > b.0[j] { self.0[j] } else { b.0[j] }))
    }

    /// The bits that are also in `mask`.
    #[inline(always)]
    pub(super) fn mask(self, mask: u32) -> Self {
        Four(self.0.map(|x| f32::from_bits(x.to_bits() & mask)))
    }

    /// Flips the signs of the lanes whose highest bit is set in `bits`.
    #[inline(always)]
    pub(crate) fn flip(self, bits: Self) -> Self {
        Four(from_fn(|j| f32::from_bits(self.0[j].to_bits() ^ (bits.0[j].to_bits() & 0x8000_0000))))
    }

    /// The lanes' bits, one place higher.
    #[inline(always)]
    pub(crate) fn shift(self) -> Self {
        Four(self.0.map(|x| f32::from_bits(x.to_bits() << 1)))
    }

    /// Bit `j` says that lane `j` is at least zero.
    #[inline(always)]
    pub(crate) fn not_negative(self) -> u8 {
        (0..4).fold(0, |bits, j| bits | u8::from(self.0[j] >= 0.0) << j)
    }

    /// Integer lanes: one more where `x` is at most `bound`.
    #[inline(always)]
    pub(crate) fn count_at_most(self, x: Self, bound: Self) -> Self {
        let count = |j: usize| self.0[j].to_bits() + u32::from(x.0[j] <= bound.0[j]);
        Four(from_fn(|j| f32::from_bits(count(j))))
    }

    /// The lowest byte of each lane of four, in order.
    #[inline(always)]
    pub(crate) fn low_bytes(four: [Self; 4]) -> [u8; 16] {
        from_fn(|i| four[i / 4].0[i % 4].to_bits() as u8)
    }

    /// The low 16 bits of each lane of four, in order.
    #[inline(always)]
    pub(crate) fn low_words(four: [Self; 4]) -> [i16; 16] {
        from_fn(|i| four[i / 4].0[i % 4].to_bits() as i16)
    }

    /// Bits 0 to 3 of the lanes of four: one word for each, the first lane's bit lowest.
    #[inline(always)]
    pub(crate) fn low_bits(four: [Self; 4]) -> [u16; 4] {
        let bytes = Self::low_bytes(four);
        let [low, high]: [u64; 2] = from_fn(|half| u64::from_le_bytes(bytes.as_chunks().0[half]));
        from_fn(|bit| gather_bits(low >> bit) | gather_bits(high >> bit) << 8)
    }

    /// The square root of `x`, correctly rounded, for finite `x > 0`.
    ///
    /// A digit of the root at a time, by whole numbers: the root of a 24-bit mantissa scaled
    /// to 50 bits has 25 bits, one more than is kept, and a remainder that settles every tie.
    pub(crate) fn sqrt(x: f32) -> f32 {
        let bits = x.to_bits();
        let (exponent, mantissa) = match bits >> 23 {
            0 => {
                let shift = bits.leading_zeros() as i32 - 8;
                (-149 - shift, bits << shift)
            }
            exponent => (exponent as i32 - 150, bits & 0x7f_ffff | 0x80_0000),
        };
        // x = mantissa * 2^exponent; an even exponent has a whole root.
        let shift = if exponent % 2 == 0 { 26 } else { 25 };
        let wide = u64::from(mantissa) << shift;
        let mut root = 0u64;
        for bit in (0..25).rev() {
            let larger = root | 1 << bit;
            if larger * larger <= wide {
                root = larger;
            }
        }
        // "Something remains" as a 26th bit: the conversion rounds them right.
        let sticky = (root << 1 | u64::from(root * root != wide)) as f32;
        sticky * f32::from_bits((((exponent - shift) / 2 - 1 + 127) as u32) << 23)
    }

    /// The Hadamard transform of the lanes `a b c d`: `a + b`, `a - b`, `c + d`, `c - d`, and
    /// the same again with stride two.
    #[inline(always)]
    pub(crate) fn hadamard(self) -> Self {
        let [a, b, c, d] = self.0;
        let (a, b, c, d) = (a + b, a - b, c + d, c - d);
        Four([a + c, b + d, a - c, b - d])
    }
}

/// The lowest bit of each of eight bytes, as one byte.
///
/// The multiplication moves byte `i`'s bit to bit `56 + i`; no two terms meet below.
#[inline(always)]
fn gather_bits(eight: u64) -> u16 {
    ((eight & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u16
}
