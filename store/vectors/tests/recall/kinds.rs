//! Recall@10 of at least 0.95 whatever the dimension, the data and the metric.

use clawft_vectors::Metric::{self, Cosine, InnerProduct, L2};
use clawft_vectors::{Encoding, Mode, Params};

use crate::data::{Topics, of_all_lengths, positive, uniform};
use crate::store::Store;
use crate::store_of_bytes::Random;

const COUNT: usize = 3_000;
const QUERIES: usize = 100;
/// That of `SearchOptions::new`.
const EF: usize = 200;

/// Builds a store of the rows but the last `QUERIES`, which are the queries, and holds the
/// recall of both modes to `least`.
#[track_caller]
fn holds(name: &str, metric: Metric, rows: &[Vec<f32>], least: f64) {
    let (base, queries) = rows.split_at(rows.len() - QUERIES);
    let mut params = Params::new(rows[0].len() as u32, base.len() as u32);
    params.metric = metric;
    let store = Store::built(params, base);
    store.is_sound();
    for mode in [Mode::Walk, Mode::Auto] {
        let recall = store.recall(queries, EF, mode);
        if recall < least {
            let (scan, exact) =
                (store.recall(queries, EF, Mode::Scan), store.recall(queries, EF, Mode::Exact));
            panic!(
                "{name}, {metric:?}, {mode:?}: recall@10 {recall:.4}, expected {least}; \
                 a scan has {scan:.4}, the full codes {exact:.4}"
            );
        }
    }
}

/// Points of 60 topics, whose clouds overlap.
fn texts(dim: usize) -> Vec<Vec<f32>> {
    Topics::new(dim, 60, 0.8, 5).points(COUNT + QUERIES, 6)
}

#[test]
fn uniform_in_16_dimensions() {
    let rows = uniform(16, COUNT + QUERIES, 1);
    for metric in [Cosine, InnerProduct, L2] {
        holds("uniform 16", metric, &rows, 0.95);
    }
}

#[test]
fn two_dimensions() {
    let rows = uniform(2, COUNT + QUERIES, 2);
    for metric in [Cosine, InnerProduct, L2] {
        holds("uniform 2", metric, &rows, 0.95);
    }
    holds("texts 2", L2, &texts(2), 0.95);
}

#[test]
fn a_hundred_dimensions() {
    for metric in [Cosine, InnerProduct, L2] {
        holds("texts 100", metric, &texts(100), 0.95);
    }
    for metric in [Cosine, InnerProduct, L2] {
        holds("uniform 100", metric, &uniform(100, COUNT / 2, 3), 0.95);
    }
}

#[test]
fn dimensions_384() {
    for metric in [Cosine, InnerProduct, L2] {
        holds("texts 384", metric, &texts(384), 0.95);
    }
}

#[test]
fn dimensions_768() {
    for metric in [Cosine, InnerProduct, L2] {
        holds("texts 768", metric, &texts(768), 0.95);
    }
}

#[test]
fn uniform_in_384_and_768_dimensions() {
    for dim in [384, 768] {
        for metric in [Cosine, InnerProduct, L2] {
            holds(&format!("uniform {dim}"), metric, &uniform(dim, 1_000 + QUERIES, 4), 0.95);
        }
    }
}

#[test]
fn all_positive_vectors() {
    for dim in [16, 100, 384] {
        for metric in [Cosine, InnerProduct, L2] {
            holds(&format!("positive {dim}"), metric, &positive(texts(dim)), 0.95);
        }
    }
}

/// What lies as near as two wordings of one sentence is told apart as far as its code tells anything:
/// under the cosine no worse than by Euclidean distances.
#[test]
fn near_duplicates() {
    for dim in [128, 384, 768] {
        let rows = Topics::new(dim, 20, 0.05, 8).points(1_000 + QUERIES, 9);
        let (base, queries) = rows.split_at(1_000);
        for (metric, encoding, least) in
            [(Cosine, Encoding::I8, 0.8), (L2, Encoding::I8, 0.8), (Cosine, Encoding::F16, 0.98)]
        {
            let params = Params { metric, encoding, ..Params::new(dim as u32, 1_000) };
            let store = Store::built(params, base);
            for mode in [Mode::Exact, Mode::Auto] {
                let recall = store.recall(queries, EF, mode);
                let name = format!("{dim}, {metric:?}, {encoding:?}, {mode:?}");
                assert!(recall >= least, "{name}: recall@10 {recall:.4}");
            }
        }
    }
}

/// As the vectors of some models do, whatever the text. The first ones have a centre, too, that is among them.
#[test]
fn few_that_lie_to_one_side() {
    for (dim, count) in [(128, 60), (384, 200), (768, 300)] {
        let mut random = Random(3);
        let mut around = |centre: &[f32], spread: f32| -> Vec<f32> {
            let size = spread / (dim as f32).sqrt();
            centre.iter().map(|x| x + size * random.normal()).collect()
        };
        let side = around(&vec![0.0; dim], 1.0);
        let rows: Vec<Vec<f32>> = (0..count + QUERIES).map(|_| around(&side, 0.05)).collect();
        let (base, queries) = rows.split_at(count);
        let params = Params { encoding: Encoding::I8, ..Params::new(dim as u32, 1_000) };
        let recall = Store::built(params, base).recall(queries, EF, Mode::Exact);
        assert!(recall >= 0.96, "{dim}: recall@10 {recall:.4}");
    }
}

#[test]
fn vectors_of_all_lengths() {
    // By a factor of eight, and over four decades.
    for (dim, doublings) in [(16, 3.0), (100, 3.0), (384, 3.0), (384, 13.3)] {
        let rows = of_all_lengths(texts(dim), doublings, 7);
        for metric in [InnerProduct, L2] {
            holds(&format!("{doublings} doublings {dim}"), metric, &rows, 0.95);
        }
    }
    // Far from zero, as raw readings are: about 5, give or take 2.
    let mut rows = texts(384);
    rows.iter_mut().flatten().for_each(|x| *x = 5.0 + 20.0 * *x);
    holds("far from zero 384", L2, &rows, 0.95);
}

/// A few that lie far away come first: the codes of those after them are as if they had not.
#[test]
fn vectors_after_outliers() {
    for (outliers, count) in [(1, 300), (2, 300), (40, 300), (40, COUNT)] {
        let mut rows = texts(384).split_off(COUNT - count);
        rows[..outliers].iter_mut().flatten().for_each(|x| *x += 50.0);
        let (base, queries) = rows.split_at(rows.len() - QUERIES);
        let params = Params { metric: L2, ..Params::new(384, base.len() as u32) };
        let recall = Store::built(params, base).recall(queries, EF, Mode::Exact);
        assert!(recall >= 0.99, "after {outliers}: {recall}");
        holds(&format!("{count} after {outliers}"), L2, &rows, 0.95);
    }
}

/// Sketches show a part of the short codes only, and the less the longer these are. Still they lose little
/// of what the codes find that are looked at whole, as in an image too large for sketches.
#[test]
fn sketches_of_long_codes() {
    let mut random = Random(12);
    let count = 4_000;
    let rows: Vec<Vec<f32>> =
        (0..count + QUERIES).map(|_| (0..1536).map(|_| random.normal()).collect()).collect();
    let (base, queries) = rows.split_at(count);
    let recall = |capacity: usize| {
        // Nothing walks here, so the graph need not be good.
        let params = Params { m: 4, ef_construction: 8, ..Params::new(1536, capacity as u32) };
        Store::built(params, base).recall(queries, 64, Mode::Scan)
    };
    let (sketched, whole) = (recall(count), recall(32_769));
    assert!(whole >= 0.65, "recall by whole codes {whole}");
    assert!(sketched >= whole - 0.1, "recall {sketched}, by whole codes {whole}");
}

/// However long a query is, its products have the same order.
#[test]
fn queries_of_all_lengths_by_inner_product() {
    for encoding in [Encoding::I8, Encoding::F32] {
        // About three times as long as their mean is.
        let mut rows = texts(128);
        rows.iter_mut().flatten().for_each(|x| *x = *x * 2.2 + 1.0 / 128.0_f32.sqrt());
        let (base, queries) = rows.split_at(COUNT);
        let params =
            Params { metric: InnerProduct, encoding, ..Params::new(128, base.len() as u32) };
        let store = Store::built(params, base);
        for times in [1.0, 30.0, 0.1, 0.03, 0.001] {
            let mut queries = queries.to_vec();
            queries.iter_mut().flatten().for_each(|x| *x *= times);
            for mode in [Mode::Walk, Mode::Scan] {
                let recall = store.recall(&queries, EF, mode);
                assert!(recall >= 0.95, "{encoding:?} {mode:?} x {times}: {recall}");
            }
        }
    }
}

/// Where hundreds are wanted, one bit a dimension must not be what decides which.
#[test]
fn hundreds_of_results() {
    let rows = texts(128);
    let (base, queries) = rows.split_at(COUNT);
    for metric in [Cosine, InnerProduct, L2] {
        let params = Params { metric, ..Params::new(128, COUNT as u32) };
        let store = Store::built(params, base);
        for k in [200, 500] {
            for mode in [Mode::Walk, Mode::Scan] {
                let recall = store.recall_at(k, queries, EF, mode);
                assert!(recall >= 0.95, "{metric:?} {mode:?}: recall@{k} {recall}");
            }
        }
        let range = store.recall_of_range(500, queries);
        assert!(range >= 0.95, "{metric:?}: range {range}");
    }
}

/// Codes that told only how far away all of them are would be noise among the few first, for good.
#[test]
fn vectors_that_are_much_farther_away_than_apart() {
    for (far, count) in [(100.0, 200), (1000.0, 200), (1000.0, COUNT)] {
        let mut rows = texts(384).split_off(COUNT - count);
        rows.iter_mut().flatten().for_each(|x| *x = far + 20.0 * *x);
        for metric in [InnerProduct, L2] {
            holds(&format!("{count} at {far}"), metric, &rows, 0.95);
        }
    }
}
