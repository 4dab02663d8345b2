//! A seeded random rotation without a matrix: signs and Hadamard transforms.
//!
//! Short codes and the `i8` code need components of like size and no preferred axis. A random
//! orthonormal matrix would give that at `d^2` multiplications and `4 d^2` bytes; a Hadamard
//! transform after random sign flips gives nearly the same in `d log d` additions and no memory
//! (Ailon and Chazelle, "The fast Johnson-Lindenstrauss transform", 2009).
//!
//! The transform wants a power of two, so each round works on a window of that length: the first
//! and the last `p` components in turn. Where `p` is the whole length two rounds suffice,
//! otherwise four let every component meet every other.
//!
//! It must never give different bits on different targets: each round is additions and
//! subtractions in the order written here, and one multiplication a component.

use crate::padded;

/// A rotation of vectors of `padded(dim)` components, the same for the same seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    seed: u64,
    /// Components of a rotated vector.
    len: usize,
    /// Components in one round's window, a power of two.
    window: usize,
}

impl Rotation {
    /// The rotation of vectors of `dim` dimensions (padded with zeros by the caller).
    pub const fn new(seed: u64, dim: usize) -> Self {
        let len = padded(dim);
        let window = if len == 0 { 0 } else { 1 << len.ilog2() };
        Rotation { seed, len, window }
    }

    /// Components of a rotated vector: `padded(dim)`.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is nothing to rotate.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Rotates `x` in place. A slice of another length than [`Self::len`] is left as it is.
    pub fn apply(&self, x: &mut [f32]) {
        debug_assert_eq!(x.len(), self.len);
        if x.len() != self.len {
            return;
        }
        for round in 0..self.rounds() {
            self.flip(round, x);
            self.transform(round, x);
        }
    }

    /// Undoes [`Self::apply`], up to rounding.
    pub fn invert(&self, x: &mut [f32]) {
        debug_assert_eq!(x.len(), self.len);
        if x.len() != self.len {
            return;
        }
        for round in (0..self.rounds()).rev() {
            self.transform(round, x);
            self.flip(round, x);
        }
    }

    const fn rounds(&self) -> u32 {
        if self.len == self.window { 2 } else { 4 }
    }

    /// Flips the signs of all components, by one word of random bits for each 64.
    ///
    /// Component `i` of a block takes bit `i / 4` (from the top) of 16-bit group `i % 4`, so that
    /// vectors of four need only a shift and a mask.
    fn flip(&self, round: u32, x: &mut [f32]) {
        for (word, block) in x.as_chunks_mut::<64>().0.iter_mut().enumerate() {
            let bits = random_word(self.seed, round, word as u32);
            let groups: [u32; 4] = core::array::from_fn(|j| ((bits >> (16 * j)) as u32) << 16);
            for (step, four) in block.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                for (x, group) in four.iter_mut().zip(groups) {
                    *x = f32::from_bits(x.to_bits() ^ ((group << step) & 0x8000_0000));
                }
            }
        }
    }

    /// The Hadamard transform of this round's window, scaled to keep lengths.
    fn transform(&self, round: u32, x: &mut [f32]) {
        let start = if round % 2 == 0 { 0 } else { self.len - self.window };
        let window = &mut x[start..start + self.window];
        hadamard(window);
        let scale = inverse_sqrt_of_power(self.window.ilog2());
        for x in window {
            *x *= scale;
        }
    }
}

/// `2^(-log2 / 2)`, the scale of a transform of `2^log2` components.
fn inverse_sqrt_of_power(log2: u32) -> f32 {
    let whole = f32::from_bits((127 - log2 / 2) << 23);
    if log2 % 2 == 0 { whole } else { whole * core::f32::consts::FRAC_1_SQRT_2 }
}

/// The Walsh-Hadamard transform of a power of two of components, unscaled, small strides first.
fn hadamard(x: &mut [f32]) {
    for four in x.as_chunks_mut::<4>().0 {
        let [a, b, c, d] = *four;
        let (a, b, c, d) = (a + b, a - b, c + d, c - d);
        *four = [a + c, b + d, a - c, b - d];
    }
    let mut stride = 4;
    while stride < x.len() {
        for pair in x.chunks_exact_mut(2 * stride) {
            let (low, high) = pair.split_at_mut(stride);
            for (a, b) in low.iter_mut().zip(high) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        stride *= 2;
    }
}

/// 64 random bits for a block of components (the output function of SplitMix64, Steele, Lea and
/// Flood 2014).
#[inline(always)]
fn random_word(seed: u64, round: u32, word: u32) -> u64 {
    let counter = (u64::from(round) << 32 | u64::from(word)) + 1;
    let mut z = seed.wrapping_add(counter.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
