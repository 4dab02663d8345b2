//! The exact answer, from the data alone.
//!
//! Candidates are found with quick sums over all rows, on every core; the last
//! word is a sum in order, the one that results are held against. Both are in
//! f64: in f32 hundreds of rows can be as far as each other, and those kept
//! would be any of them. A result counts as found when it is no farther than
//! the exact k-th neighbour, so that equal distances (duplicates in the data)
//! are not held against an engine that names another one of them.

use crate::Metric;
use crate::arrays::Matrix;
use std::num::NonZero;

/// Candidates kept for the last pass beyond k: a quick sum would have to be off
/// by as much as this many ranks to lose a true neighbour.
const SPARE: usize = 54;
/// Rows that are compared with all of a thread's queries before the next ones
/// are fetched: at 512 dimensions half a MiB, which the cache holds.
const BLOCK_BYTES: usize = 1 << 19;
const LANES: usize = 16;

/// For each query the k nearest rows.
pub struct Exact<'a> {
    base: &'a Matrix,
    queries: &'a Matrix,
    metric: Metric,
    base_norms: Vec<f64>,
    query_norms: Vec<f64>,
    /// Neighbours asked for: k, or all rows where there are fewer.
    pub k: usize,
    /// `k` rows for each query, nearest first.
    rows: Vec<u32>,
    /// Distance of each query's last one.
    last: Vec<f64>,
}

impl<'a> Exact<'a> {
    /// Compares every query with every row.
    pub fn compute(base: &'a Matrix, queries: &'a Matrix, metric: Metric, k: usize) -> Exact<'a> {
        assert_eq!(base.dim, queries.dim, "the caller checks the dimensions");
        let k = k.min(base.rows);
        let mut exact = Exact {
            base,
            queries,
            metric,
            base_norms: norms(base),
            query_norms: norms(queries),
            k,
            rows: Vec::with_capacity(queries.rows * k),
            last: Vec::with_capacity(queries.rows),
        };
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        let share = queries.rows.div_ceil(threads);
        let parts: Vec<Vec<Vec<(f64, u32)>>> = std::thread::scope(|scope| {
            let exact = &exact;
            let starts = (0..queries.rows).step_by(share);
            let running: Vec<_> = starts
                .map(|from| {
                    let to = (from + share).min(queries.rows);
                    scope.spawn(move || exact.nearest(from..to))
                })
                .collect();
            running.into_iter().map(|one| one.join().expect("plain arithmetic")).collect()
        });
        for best in parts.into_iter().flatten() {
            exact.rows.extend(best[..k].iter().map(|(_, row)| *row));
            exact.last.push(best[k - 1].0);
        }
        exact
    }

    /// How many of `found` are among the k nearest of `query`; naming a row
    /// twice, or one that does not exist, finds nothing.
    pub fn count(&self, query: usize, found: &[u64]) -> usize {
        let exact = &self.rows[query * self.k..][..self.k];
        let is_near = |(at, id): (usize, &u64)| {
            let row = u32::try_from(*id).unwrap_or(u32::MAX);
            (row as usize) < self.base.rows
                && !found[..at].contains(id)
                && (exact.contains(&row) || self.is_as_near(query, row as usize))
        };
        found.iter().enumerate().filter(|one| is_near(*one)).count().min(self.k)
    }

    /// The share of the true neighbours in answers to all queries, one after the
    /// other: `ids` holds them, `counts` how many each query got.
    pub fn recall(&self, ids: &[u64], counts: &[u32]) -> f64 {
        let (mut from, mut hits) = (0, 0);
        for (query, count) in counts.iter().enumerate() {
            let to = from + *count as usize;
            hits += self.count(query, &ids[from..to]);
            from = to;
        }
        hits as f64 / (self.queries.rows * self.k) as f64
    }

    /// Whether a row is no farther than the last of the exact answer, but for what sums round away: of
    /// squares in proportion to themselves, of products to their terms, and what is left of these near
    /// 0 may be nothing else.
    fn is_as_near(&self, query: usize, row: usize) -> bool {
        let last_row = self.rows[query * self.k + self.k - 1] as usize;
        let terms = match self.metric {
            Metric::L2 => 0.0,
            Metric::Cosine => 1.0,
            Metric::InnerProduct => {
                self.query_norms[query] * self.base_norms[row].max(self.base_norms[last_row])
            }
        };
        let rounded = terms * (self.base.dim + 4) as f64 * f64::EPSILON;
        let last = self.last[query];
        self.distance(query, row) <= last + rounded.max(last.abs() * 1e-12)
    }

    /// The distance in f64: smaller is nearer.
    fn distance(&self, query: usize, row: usize) -> f64 {
        let pairs = self.queries.row(query).iter().zip(self.base.row(row));
        let pairs = pairs.map(|(a, b)| (f64::from(*a), f64::from(*b)));
        match self.metric {
            Metric::L2 => pairs.map(|(a, b)| (a - b) * (a - b)).sum(),
            Metric::InnerProduct => -pairs.map(|(a, b)| a * b).sum::<f64>(),
            Metric::Cosine => {
                let dot: f64 = pairs.map(|(a, b)| a * b).sum();
                1.0 - dot / (self.query_norms[query] * self.base_norms[row])
            }
        }
    }

    /// The k nearest rows of each query of a range, by f64 distance and row.
    fn nearest(&self, range: std::ops::Range<usize>) -> Vec<Vec<(f64, u32)>> {
        let keep = (self.k + SPARE).min(self.base.rows);
        // Kept sorted; the worst is the last.
        let mut best = vec![Vec::<(f64, u32)>::with_capacity(keep + 1); range.len()];
        let block = (BLOCK_BYTES / 4 / self.base.dim).max(1);
        for from in (0..self.base.rows).step_by(block) {
            let to = (from + block).min(self.base.rows);
            for (query, best) in range.clone().zip(&mut best) {
                let values = self.queries.row(query);
                for row in from..to {
                    let far = match self.metric {
                        Metric::L2 => difference(values, self.base.row(row)),
                        Metric::InnerProduct => -dot(values, self.base.row(row)),
                        Metric::Cosine => -dot(values, self.base.row(row)) / self.base_norms[row],
                    };
                    if best.len() == keep {
                        if far >= best[keep - 1].0 {
                            continue;
                        }
                        best.pop();
                    }
                    let at = best.partition_point(|(other, _)| *other <= far);
                    best.insert(at, (far, row as u32));
                }
            }
        }
        let refine = |(query, best): (usize, Vec<(f64, u32)>)| {
            let mut best: Vec<(f64, u32)> =
                best.iter().map(|(_, row)| (self.distance(query, *row as usize), *row)).collect();
            best.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            best
        };
        range.zip(best).map(refine).collect()
    }
}

fn norms(matrix: &Matrix) -> Vec<f64> {
    let norm = |row: usize| {
        matrix.row(row).iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>().sqrt()
    };
    (0..matrix.rows).map(norm).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    fold(a, b, |a, b| a * b)
}

fn difference(a: &[f32], b: &[f32]) -> f64 {
    fold(a, b, |a, b| (a - b) * (a - b))
}

/// A sum of `term` over pairs, in lanes so that the compiler uses SIMD.
#[inline(always)]
fn fold(a: &[f32], b: &[f32], term: impl Fn(f64, f64) -> f64) -> f64 {
    let mut lanes = [0.0f64; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let tail = a_chunks.remainder().iter().zip(b_chunks.remainder());
    let rest: f64 = tail.map(|(a, b)| term(f64::from(*a), f64::from(*b))).sum();
    for (a, b) in a_chunks.zip(b_chunks) {
        for lane in 0..LANES {
            lanes[lane] += term(f64::from(a[lane]), f64::from(b[lane]));
        }
    }
    lanes.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers without pattern, from a fixed seed (xorshift).
    fn matrix(rows: usize, dim: usize, mut seed: u64) -> Matrix {
        let mut next = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed >> 40) as f32 / (1u64 << 24) as f32 - 0.3
        };
        Matrix { rows, dim, values: (0..rows * dim).map(|_| next()).collect() }
    }

    fn plain_distance(metric: Metric, a: &[f32], b: &[f32]) -> f64 {
        let dot = |a: &[f32], b: &[f32]| {
            a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>()
        };
        match metric {
            Metric::L2 => dot(a, a) - 2.0 * dot(a, b) + dot(b, b),
            Metric::InnerProduct => -dot(a, b),
            Metric::Cosine => 1.0 - dot(a, b) / (dot(a, a) * dot(b, b)).sqrt(),
        }
    }

    #[test]
    fn agrees_with_sorting_all_distances() {
        for dim in [1, 2, 19, 64] {
            let (base, queries) = (matrix(300, dim, 7), matrix(9, dim, 11));
            for metric in [Metric::Cosine, Metric::InnerProduct, Metric::L2] {
                let exact = Exact::compute(&base, &queries, metric, 10);
                for query in 0..queries.rows {
                    let mut all: Vec<f64> = (0..base.rows)
                        .map(|row| plain_distance(metric, queries.row(query), base.row(row)))
                        .collect();
                    all.sort_by(f64::total_cmp);
                    assert!((all[9] - exact.last[query]).abs() < 1e-9, "{metric:?} {dim}");
                }
            }
        }
    }

    /// By a sum in f32 all of them are as far as each other: their distances are a hundredth of what it
    /// rounds away.
    #[test]
    fn near_copies_are_told_from_each_other() {
        let centre = matrix(1, 64, 3);
        let near = |rows, seed| {
            let noise = matrix(rows, 64, seed);
            let pairs = noise.values.iter().zip(centre.values.iter().cycle());
            let values = pairs.map(|(noise, value)| value + (noise - 0.2) * 2e-5).collect();
            Matrix { rows, dim: 64, values }
        };
        let (base, queries) = (near(500, 7), near(5, 11));
        let exact = Exact::compute(&base, &queries, Metric::Cosine, 10);
        for query in 0..queries.rows {
            let mut all: Vec<f64> = (0..base.rows)
                .map(|row| plain_distance(Metric::Cosine, queries.row(query), base.row(row)))
                .collect();
            all.sort_by(f64::total_cmp);
            let (wanted, found) = (all[9], exact.last[query]);
            assert!((wanted - found).abs() < 1e-13, "{wanted:e} wanted, found {found:e}");
        }
    }

    #[test]
    fn counts_what_was_found_once() {
        let base = Matrix { rows: 5, dim: 1, values: vec![0.0, 1.0, 1.0, 1.0, 9.0] };
        let queries = Matrix { rows: 1, dim: 1, values: vec![0.0] };
        let exact = Exact::compute(&base, &queries, Metric::L2, 2);
        assert_eq!(exact.count(0, &[0, 1]), 2);
        assert_eq!(exact.count(0, &[0, 3]), 2, "row 3 is as near as row 1");
        assert_eq!(exact.count(0, &[0, 0]), 1, "named twice");
        assert_eq!(exact.count(0, &[4, 0]), 1);
        assert_eq!(exact.count(0, &[0, 5]), 1, "no such row");
        assert_eq!(exact.count(0, &[u64::MAX, 1 << 32]), 0);
        assert_eq!(exact.count(0, &[]), 0);
    }

    /// All are as near as the first, 0 or what is left of it.
    #[test]
    fn rows_at_no_distance_are_as_near_as_each_other() {
        for (metric, query, row) in [
            (Metric::Cosine, &[1.0, 2.0][..], &[1.0, 2.0][..]),
            (Metric::InnerProduct, &[0.1, 0.7, 0.7, 0.1], &[1e-5, 0.9, -0.9, -1e-5]),
        ] {
            let queries = Matrix { rows: 1, dim: query.len(), values: query.into() };
            let values = (1..=30).flat_map(|by| row.iter().map(move |v| v * by as f32)).collect();
            let base = Matrix { rows: 30, dim: row.len(), values };
            let exact = Exact::compute(&base, &queries, metric, 10);
            for from in [0, 10, 20] {
                let found: Vec<u64> = (from..from + 10).collect();
                assert_eq!(exact.count(0, &found), 10, "{metric:?}, from row {from}");
            }
        }
        // One that is farther by what f32 can tell is none of them.
        let base = Matrix { rows: 3, dim: 2, values: vec![1.0, 2.0, 2.0, 4.0, 1.0, 2.000_001] };
        let queries = Matrix { rows: 1, dim: 2, values: vec![1.0, 2.0] };
        let exact = Exact::compute(&base, &queries, Metric::Cosine, 1);
        assert_eq!([0, 1, 2].map(|row| exact.count(0, &[row])), [1, 1, 0]);
    }

    #[test]
    fn recall_is_the_share_over_all_queries() {
        let base = Matrix { rows: 4, dim: 1, values: vec![0.0, 1.0, 5.0, 9.0] };
        let queries = Matrix { rows: 2, dim: 1, values: vec![0.0, 9.0] };
        let exact = Exact::compute(&base, &queries, Metric::L2, 2);
        assert_eq!(exact.recall(&[0, 1, 3, 2], &[2, 2]), 1.0);
        assert_eq!(exact.recall(&[0, 3, 2], &[1, 2]), 0.75);
        assert_eq!(exact.recall(&[], &[0, 0]), 0.0);
    }

    #[test]
    fn asks_for_no_more_than_there_is() {
        let (base, queries) = (matrix(3, 4, 5), matrix(2, 4, 6));
        let exact = Exact::compute(&base, &queries, Metric::L2, 10);
        assert_eq!(exact.k, 3);
        assert_eq!(exact.count(1, &[2, 0, 1]), 3);
    }
}
