//! The exact answer, by comparing every row: what recall is measured against.

use crate::sample::Rows;

/// The `k` rows nearest to the query by squared L2 distance, nearest first, ties to the lower row.
/// Distances are sums in f32 over 16 lanes: exact enough to rank, and quick enough for 100,000 rows.
pub fn nearest(rows: &Rows, query: &[f32], k: usize) -> Vec<(f32, u32)> {
    let mut all: Vec<_> =
        rows.iter().zip(0u32..).map(|(row, id)| (squared_l2(row, query), id)).collect();
    let k = k.min(all.len());
    if k > 0 && k < all.len() {
        all.select_nth_unstable_by(k - 1, by_distance);
    }
    all.truncate(k);
    all.sort_unstable_by(by_distance);
    all
}

/// The share of the true ids that were found.
pub fn recall(truth: &[(f32, u32)], found: impl IntoIterator<Item = u64>) -> f64 {
    let found: Vec<u64> = found.into_iter().collect();
    let hits = truth.iter().filter(|(_, id)| found.contains(&u64::from(*id))).count();
    hits as f64 / truth.len() as f64
}

fn by_distance(a: &(f32, u32), b: &(f32, u32)) -> std::cmp::Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}

fn squared_l2(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<16>();
    let (b, b_rest) = b.as_chunks::<16>();
    let mut lanes = [0.0f32; 16];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..16 {
            let d = a[lane] - b[lane];
            lanes[lane] += d * d;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| (a - b) * (a - b)).sum();
    lanes.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_nearest_with_ties_to_the_lower_row() {
        let flat = [3.0, 1.0, -1.0, 1.0, 7.0].iter().flat_map(|&x| [x; 18]).collect();
        let rows = Rows { dim: 18, flat };
        let found = nearest(&rows, &[1.0; 18], 4);
        assert_eq!(found.iter().map(|hit| hit.1).collect::<Vec<_>>(), [1, 3, 0, 2]);
        assert_eq!(found[2].0, 72.0);
        assert_eq!(nearest(&rows, &[1.0; 18], 9).len(), 5);
        assert!(nearest(&rows, &[1.0; 18], 0).is_empty());
    }

    #[test]
    fn recall_counts_the_true_ones_among_the_found() {
        let truth = [(0.0, 4), (0.1, 2), (0.2, 9), (0.3, 1)];
        assert_eq!(recall(&truth, [9, 4, 5]), 0.5);
        assert_eq!(recall(&truth, []), 0.0);
    }
}
