//! Products and directions of vectors and queries of any length: what tells them apart must not be
//! rounded away.

mod store_of_bytes;

use clawft_vectors::{Encoding, Metric, Mode, Params};
use store_of_bytes::{Random, Store, row};

/// An inner product is as exact beside a long query as beside a short one.
#[test]
fn inner_products_with_long_queries_keep_their_error() {
    const DIM: u32 = 128;
    let mut random = Random(3);
    let count = if cfg!(miri) { 70 } else { 300 };
    let params =
        Params { metric: Metric::InnerProduct, encoding: Encoding::I8, ..Params::new(DIM, 400) };
    let mut store = Store::new(&params);
    let mut rows = Vec::new();
    for id in 0..count {
        let near = row(DIM, &mut random).iter().map(|x| 0.088 + 0.004 * x).collect::<Vec<f32>>();
        store.insert(id, &near).unwrap();
        rows.push(near);
    }
    for length in [1.0, 1e4, 1e7] {
        let query = vec![length / (DIM as f32).sqrt(); DIM as usize];
        for mode in [Mode::Walk, Mode::Exact] {
            for hit in store.search(&query, 10, mode) {
                let products = rows[hit.id as usize].iter().zip(&query);
                let expected = 1.0 - products.map(|(a, b)| f64::from(a * b)).sum::<f64>();
                let error = (f64::from(hit.distance) - expected).abs();
                assert!(error < 1e-4 * f64::from(length), "{length}: {hit:?}, not {expected}");
            }
        }
    }
}

/// Share of the ten nearest by `distance` that a search finds by the full codes.
fn recall(
    params: Params,
    rows: &[Vec<f32>],
    queries: &[Vec<f32>],
    distance: fn(&[f32], &[f32]) -> f64,
) -> f64 {
    let mut store = Store::new(&params);
    for (id, row) in (0..).zip(rows) {
        store.insert(id, row).unwrap();
    }
    let mut right = 0;
    for query in queries {
        let mut all: Vec<f64> = rows.iter().map(|row| distance(query, row)).collect();
        let found = store.search(query, 10, Mode::Exact);
        assert_eq!(found.len(), 10);
        let near: Vec<f64> = found.iter().map(|hit| all[hit.id as usize]).collect();
        all.sort_by(f64::total_cmp);
        right += near.iter().filter(|&&near| near <= all[9]).count();
    }
    right as f64 / (10 * queries.len()) as f64
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

/// So many random directions, of this length.
fn directions(count: usize, dim: u32, length: f64, random: &mut Random) -> Vec<Vec<f32>> {
    let one = |_| {
        let v: Vec<f32> = row(dim, random).iter().map(|x| x - 0.25).collect();
        let times = (length / dot(&v, &v).sqrt()) as f32;
        v.iter().map(|x| x * times).collect()
    };
    (0..count).map(one).collect()
}

/// 1 less a small product would be 1.
#[test]
fn short_vectors_are_ranked_by_their_inner_products() {
    let (count, asked) = if cfg!(miri) { (12, 1) } else { (300, 30) };
    for encoding in [Encoding::F32, Encoding::I8] {
        for dim in if cfg!(miri) { [32, 64] } else { [32, 384] } {
            for (length, of_queries) in [(1e-3, 1e-3), (1e-4, 1e-4), (1.0, 1e-7)] {
                let mut random = Random(13);
                let rows = directions(count, dim, length, &mut random);
                let queries = directions(asked, dim, of_queries, &mut random);
                let metric = Metric::InnerProduct;
                let params = Params { metric, encoding, ..Params::new(dim, count as u32) };
                let recall = recall(params, &rows, &queries, |a, b| -dot(a, b));
                let name = format!("{encoding:?} {dim}, {length} and {of_queries}");
                assert!(recall >= 0.95, "{name}: recall@10 {recall}");
            }
        }
    }
}

/// Their cosines differ by less than a number near 1 is rounded by.
#[test]
fn near_duplicates_are_told_apart_by_the_cosine() {
    let (count, asked) = if cfg!(miri) { (12, 1) } else { (300, 30) };
    let mut random = Random(14);
    let centre = directions(1, 64, 1.0, &mut random).remove(0);
    let mut near = |count| -> Vec<Vec<f32>> {
        let others = directions(count, 64, 1.0, &mut random);
        let add = |other: &Vec<f32>| centre.iter().zip(other).map(|(c, x)| c + 0.001 * x).collect();
        others.iter().map(add).collect()
    };
    let (rows, queries) = (near(count), near(asked));
    let params =
        Params { metric: Metric::Cosine, encoding: Encoding::F32, ..Params::new(64, count as u32) };
    let recall =
        recall(params, &rows, &queries, |a, b| -dot(a, b) / (dot(a, a) * dot(b, b)).sqrt());
    assert!(recall >= 0.95, "recall@10 {recall}");
}
