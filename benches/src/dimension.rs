//! How hard a data set is: its local intrinsic dimension.
//!
//! The maximum likelihood estimator of Levina and Bickel (NIPS 2004): around a
//! point, with distances T_1 <= ... <= T_k to its neighbours, the dimension is
//! (k - 1) / sum over j < k of ln(T_k / T_j). Here it is the mean over some
//! probes, with k = 100, as for the figures of the sample in `data/README.md`.

use crate::{exact, sample::Rows};

/// Neighbours that an estimate uses.
pub const K: usize = 100;

/// The mean local dimension of `rows` around the probes, which must not be among the rows: a
/// distance of 0 says nothing of a dimension and is left out. `None` where no probe has two
/// different distances.
pub fn intrinsic<'a>(rows: &Rows, probes: impl Iterator<Item = &'a [f32]>) -> Option<f64> {
    let estimates: Vec<f64> = probes
        .filter_map(|probe| {
            let near = exact::nearest(rows, probe, K);
            let distances: Vec<f64> =
                near.iter().map(|hit| f64::from(hit.0).sqrt()).filter(|&d| d > 0.0).collect();
            let (farthest, nearer) = distances.split_last()?;
            let sum: f64 = nearer.iter().map(|d| (farthest / d).ln()).sum();
            (sum > 0.0).then(|| nearer.len() as f64 / sum)
        })
        .collect();
    (!estimates.is_empty()).then(|| estimates.iter().sum::<f64>() / estimates.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{random::Random, sample};

    /// Uniform points of a cube of `inner` dimensions, in a space of `dim`.
    fn cube(inner: usize, dim: usize, count: usize, seed: u64) -> Rows {
        let mut random = Random::new(seed);
        let mut flat = vec![0.0; count * dim];
        for row in flat.chunks_exact_mut(dim) {
            row[..inner].fill_with(|| random.unit());
        }
        Rows { dim, flat }
    }

    #[test]
    fn a_cube_has_its_own_dimension_and_not_that_of_the_space() {
        for (inner, low, high) in [(2, 1.8, 2.2), (5, 4.2, 5.3)] {
            let (rows, probes) = (cube(inner, 40, 20_000, 1), cube(inner, 40, 200, 2));
            let found = intrinsic(&rows, probes.iter()).unwrap();
            assert!((low..high).contains(&found), "{inner} dimensions, estimated {found}");
        }
    }

    #[test]
    fn the_sample_has_the_dimension_that_its_readme_says() {
        let base = sample::base().unwrap();
        for (probes, said) in [(sample::queries(), 28.0), (sample::known_item_queries(), 36.0)] {
            let found = intrinsic(&base, probes.unwrap().iter().take(200)).unwrap();
            assert!((found - said).abs() < 2.0, "estimated {found}, said {said}");
        }
    }

    #[test]
    fn equal_points_have_no_dimension() {
        let rows = Rows { dim: 3, flat: vec![1.0; 30] };
        assert_eq!(intrinsic(&rows, [[1.0; 3].as_slice()].into_iter()), None);
        assert_eq!(intrinsic(&rows, [[2.0; 3].as_slice()].into_iter()), None);
    }
}
