//! Larger data about as hard as the sample: mixtures of its rows, with noise.
//!
//! A vector is the sum of [`PARTS`] random rows with uniform random weights, set to length 1, plus
//! normal noise, set to length 1 again. The two constants come from measuring
//! the intrinsic dimension of the result, which must lie in 25 to 40 at 1,000,
//! 10,000 and 100,000 vectors (a test holds the first two, the generator
//! prints it each time). Seen there, k = 100, 200 probes:
//!
//! | rows, noise | 1,000 | 10,000 | 100,000 |
//! |---|---|---|---|
//! | 2, 0.4 | 38 | 38 | 18 |
//! | 3, 0.1 | 32 | 33 | 17 |
//! | 5, 0.05 | 32 | 39 | 29 |
//! | 6, 0.1 | 33 | 42 | 36 |
//!
//! Few rows a mixture, and a large set falls into small heaps around single rows; many, and all
//! that the rows had of neighbourhoods is averaged away. Plain Gaussians are no substitute: in 512
//! dimensions their intrinsic dimension is about 120.

use crate::{
    random::Random,
    sample::{Rows, normalise},
};

/// Rows that a mixture is made of.
pub const PARTS: usize = 5;

/// The noise's length beside that of the mixed rows.
pub const NOISE: f32 = 0.05;

/// `count` vectors of length 1 mixed from `rows`, of which there is at least one; the seed fixes
/// every number.
pub fn mixture(rows: &Rows, count: usize, seed: u64) -> Rows {
    let mut random = Random::new(seed);
    let level = NOISE / (rows.dim as f32).sqrt();
    let mut flat = vec![0.0; count * rows.dim];
    for v in flat.chunks_exact_mut(rows.dim) {
        for _ in 0..PARTS {
            let (row, weight) = (rows.row(random.below(rows.len())), random.unit());
            v.iter_mut().zip(row).for_each(|(x, r)| *x += weight * r);
        }
        normalise(v);
        v.iter_mut().for_each(|x| *x += level * random.normal());
        normalise(v);
    }
    Rows { dim: rows.dim, flat }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dimension, sample};

    #[test]
    fn mixtures_are_as_hard_as_texts() {
        let base = sample::base().unwrap();
        let probes = mixture(&base, 200, 2);
        for count in [1_000, 10_000] {
            let found = dimension::intrinsic(&mixture(&base, count, 1), probes.iter()).unwrap();
            assert!((25.0..=40.0).contains(&found), "{count} vectors: dimension {found}");
        }
    }

    #[test]
    fn the_seed_fixes_every_number_and_all_are_of_length_one() {
        let rows = Rows { dim: 4, flat: (0..40).map(|i| (i % 7) as f32 - 3.0).collect() };
        let made = mixture(&rows, 50, 9);
        assert_eq!(made.len(), 50);
        assert_eq!(made.flat, mixture(&rows, 50, 9).flat);
        assert_ne!(made.flat, mixture(&rows, 50, 10).flat);
        for row in made.iter() {
            assert!((row.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }
}
