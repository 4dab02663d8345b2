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

use crate::four::Four;
use crate::padded;
use core::array::from_fn;
use core::hint::black_box;
use core::mem::take;

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
    #[inline(never)]
    pub fn apply(&self, x: &mut [f32]) {
        debug_assert_eq!(x.len(), self.len);
        if x.len() != self.len || self.is_empty() {
            return;
        }
        for round in 0..self.rounds() {
            self.flip(round, x);
            self.transform(round, x);
        }
    }

    /// Undoes [`Self::apply`], up to rounding.
    #[inline(never)]
    pub fn invert(&self, x: &mut [f32]) {
        debug_assert_eq!(x.len(), self.len);
        if x.len() != self.len || self.is_empty() {
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
    #[inline(never)]
    fn flip(&self, round: u32, x: &mut [f32]) {
        for (word, block) in x.as_chunks_mut::<64>().0.iter_mut().enumerate() {
            let bits = random_word(self.seed, round, word as u32);
            let groups = from_fn(|j| f32::from_bits(((bits >> (16 * j)) as u32) << 16));
            let mut signs = Four::load(&groups);
            // A number that the compiler cannot see keeps it from writing the loop out: 500 bytes.
            let turns = if cfg!(target_arch = "wasm32") { black_box(16) } else { 16 };
            for four in block.as_chunks_mut::<4>().0.iter_mut().take(turns) {
                Four::load(four).flip(signs).store(four);
                signs = signs.shift();
            }
        }
    }

    /// The Hadamard transform of this round's window, scaled to keep lengths.
    #[inline(never)]
    fn transform(&self, round: u32, x: &mut [f32]) {
        let start = if round.is_multiple_of(2) { 0 } else { self.len - self.window };
        let scale = inverse_sqrt_of_power(self.window.ilog2());
        hadamard(x[start..start + self.window].as_chunks_mut().0, scale);
    }
}

/// `2^(-log2 / 2)`, the scale of a transform of `2^log2` components.
fn inverse_sqrt_of_power(log2: u32) -> f32 {
    let whole = f32::from_bits((127 - log2 / 2) << 23);
    if log2.is_multiple_of(2) { whole } else { whole * core::f32::consts::FRAC_1_SQRT_2 }
}

/// The Walsh-Hadamard transform of at least 16 fours, a power of two, small strides first; then
/// everything times `scale`.
///
/// Three strides at a time, so that memory is passed over a third as often.
fn hadamard(x: &mut [[f32; 4]], scale: f32) {
    for eight in x.as_chunks_mut::<8>().0 {
        let fours = butterflies(eight.each_ref().map(|four| Four::load(four).hadamard()));
        for (four, sum) in eight.iter_mut().zip(fours) {
            sum.store(four);
        }
    }
    let mut stride = 8;
    while stride * 8 < x.len() {
        pass::<8>(x, stride, 1.0);
        stride *= 8;
    }
    if x.len() / stride == 8 {
        return pass::<8>(x, stride, scale);
    }
    while stride < x.len() {
        let is_last = stride * 2 >= x.len();
        pass::<2>(x, stride, if is_last { scale } else { 1.0 });
        stride *= 2;
    }
}

/// The butterflies of `log2(N)` strides from `stride` on, then everything times `scale`.
fn pass<const N: usize>(x: &mut [[f32; 4]], stride: usize, scale: f32) {
    let scale = Four::splat(scale);
    for mut block in x.chunks_exact_mut(N * stride) {
        let rows: [&mut [[f32; 4]]; N] = from_fn(|_| {
            let (row, rest) = take(&mut block).split_at_mut(stride);
            block = rest;
            row
        });
        #[expect(clippy::needless_range_loop, reason = "`i` indexes all N rows")]
        for i in 0..stride {
            let fours = butterflies(from_fn::<Four, N, _>(|row| Four::load(&rows[row][i])));
            for row in 0..N {
                (fours[row] * scale).store(&mut rows[row][i]);
            }
        }
    }
}

/// The Hadamard transform across `N` registers.
#[inline(always)]
fn butterflies<const N: usize>(mut x: [Four; N]) -> [Four; N] {
    let mut stride = 1;
    while stride < N {
        for i in 0..N {
            if i & stride == 0 {
                (x[i], x[i + stride]) = (x[i] + x[i + stride], x[i] - x[i + stride]);
            }
        }
        stride *= 2;
    }
    x
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arith;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn longest() -> usize {
        if cfg!(miri) { 200 } else { 3000 }
    }

    /// The rotation as the module's doc describes it, one component at a time.
    fn model(seed: u64, x: &mut [f32]) {
        let window = 1 << x.len().ilog2();
        let rounds = if window == x.len() { 2 } else { 4 };
        for round in 0..rounds {
            for (i, x) in x.iter_mut().enumerate() {
                let word = random_word(seed, round, i as u32 / 64);
                let (group, step) = (i % 4, i % 64 / 4);
                if word >> (16 * group + 15 - step) & 1 == 1 {
                    *x = -*x;
                }
            }
            let start = if round.is_multiple_of(2) { 0 } else { x.len() - window };
            let x = &mut x[start..start + window];
            let mut stride = 1;
            while stride < window {
                for i in 0..window {
                    if i & stride == 0 {
                        (x[i], x[i + stride]) = (x[i] + x[i + stride], x[i] - x[i + stride]);
                    }
                }
                stride *= 2;
            }
            for x in x {
                *x *= inverse_sqrt_of_power(window.ilog2());
            }
        }
    }

    #[test]
    fn scales_are_the_nearest_floats() {
        for log2 in 6..14 {
            let exact = f64::from(1 << log2).sqrt().recip() as f32;
            assert_eq!(inverse_sqrt_of_power(log2), exact);
        }
    }

    #[test]
    fn the_empty_rotation_does_nothing() {
        let rotation = Rotation::new(1, 0);
        rotation.apply(&mut []);
        rotation.invert(&mut []);
        assert!(rotation.is_empty());
    }

    #[test]
    fn bits_are_pinned() {
        // Stored codes depend on them: a change here is a change of format.
        let mut x: Vec<f32> = (0..192).map(|i| i as f32).collect();
        Rotation::new(42, 192).apply(&mut x);
        let hash = x.iter().fold(0u32, |h, x| (h ^ x.to_bits()).wrapping_mul(0x0100_0193));
        assert_eq!(hash, PINNED, "{hash:#010x}");
    }

    const PINNED: u32 = 0x851d_72d8;

    proptest! {
        #![proptest_config(crate::cases(200, 3))]

        #[test]
        fn equals_the_model(seed in any::<u64>(), dim in 1..longest()) {
            let mut x: Vec<f32> = (0..padded(dim) as u64)
                .map(|i| random_word(seed, 9, i as u32) as i32 as f32 / 1e9)
                .collect();
            let mut expected = x.clone();
            model(seed, &mut expected);
            Rotation::new(seed, dim).apply(&mut x);
            let bits = |v: &[f32]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&x), bits(&expected));
        }

        #[test]
        fn keeps_products_and_inverts(seed in any::<u64>(), dim in 1..longest()) {
            let rotation = Rotation::new(seed, dim);
            let random = |round| -> Vec<f32> {
                (0..rotation.len() as u32)
                    .map(|i| random_word(seed, round, i) as i32 as f32 / 1e9)
                    .collect()
            };
            let dot = |a: &[f32], b: &[f32]| -> f64 {
                a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
            };
            let (a, b) = (random(7), random(8));
            let (mut ra, mut rb) = (a.clone(), b.clone());
            rotation.apply(&mut ra);
            rotation.apply(&mut rb);
            let size = (dot(&a, &a) * dot(&b, &b)).sqrt();
            prop_assert!((dot(&a, &b) - dot(&ra, &rb)).abs() <= 1e-5 * size);
            prop_assert!((dot(&a, &a) - dot(&ra, &ra)).abs() <= 1e-5 * dot(&a, &a));
            rotation.invert(&mut ra);
            let error: f64 = a.iter().zip(&ra).map(|(a, b)| f64::from(a - b).powi(2)).sum();
            prop_assert!(error <= 1e-11 * dot(&a, &a));
        }

        #[test]
        fn spreads_a_lone_component(seed in any::<u64>(), dim in 64..longest(), at in any::<prop::sample::Index>()) {
            let rotation = Rotation::new(seed, dim);
            let mut x = std::vec![0.0; rotation.len()];
            x[at.index(dim)] = 1.0;
            rotation.apply(&mut x);
            // The largest of n Gaussians of variance 1 / n, with room to spare.
            let n = x.len() as f32;
            prop_assert!(arith::max_abs(&x) < 2.0 * (2.0 * n.ln() / n).sqrt());
        }
    }
}
