//! Sieves and walks under filters and marks: as many as match, none outside, and the nearest of them.

use std::collections::BTreeSet;

use clawft_vectors::Metric::{Cosine, InnerProduct, L2};
use clawft_vectors::{Mode, Params, SearchOptions};

use crate::data::Topics;
use crate::store::Store;

const K: usize = 10;
const QUERIES: usize = 50;

/// Share of what the full codes of all that match find. As many as match are found, and none else.
#[track_caller]
fn recall(
    store: &Store,
    queries: &[Vec<f32>],
    options: &SearchOptions<'_>,
    may: &BTreeSet<u64>,
) -> f64 {
    let mut right = 0;
    for query in queries {
        let found = store.find(query, options);
        let exact = store.find(query, &SearchOptions { mode: Mode::Exact, ..*options });
        for ids in [&found, &exact] {
            assert_eq!(ids.len(), options.k.min(may.len()), "{:?}", options.mode);
            assert!(ids.iter().all(|id| may.contains(id)), "{:?}", options.mode);
        }
        right += found.iter().filter(|id| exact.contains(id)).count();
    }
    right as f64 / (options.k.min(may.len()) * queries.len()) as f64
}

#[test]
fn the_sieves_keep_to_filters_and_marks() {
    // Sketches that are the whole short code, and ones that are its beginning. Half of so many
    // rows are enough for the sketches to be looked at first, whatever `ef` is.
    for (dim, count) in [(160, 4_000), (400, 12_000)] {
        let rows = Topics::new(dim, 60, 0.8, 1).points(count + QUERIES, 2);
        let (base, queries) = rows.split_at(count);
        for metric in [Cosine, InnerProduct, L2] {
            // Nothing walks here, so the graph need not be good.
            let params = Params {
                metric,
                m: 4,
                ef_construction: 8,
                scan_limit: Some(u32::MAX),
                ..Params::new(dim as u32, count as u32)
            };
            let mut store = Store::built(params, base);
            let ids = store.ids();
            let hidden: BTreeSet<u64> = ids.iter().copied().step_by(12).collect();
            hidden.iter().for_each(|&id| store.hide(id));
            for tenths in [5, 9, 10] {
                let chosen = ids.iter().copied().filter(|id| id * 7 % 10 < tenths);
                let filter: Vec<u64> = chosen.collect();
                let may = filter.iter().copied().filter(|id| !hidden.contains(id)).collect();
                let filter = (tenths < 10).then_some(&*filter);
                // Sixteen candidates for ten places leave little room for the error of one bit.
                for (ef, least) in [(16, 0.85), (64, 0.97), (200, 0.99)] {
                    for mode in [Mode::Auto, Mode::Scan] {
                        let options = SearchOptions { ef, mode, filter, ..SearchOptions::new(K) };
                        let recall = recall(&store, queries, &options, &may);
                        let name = format!("{dim} {metric:?}, {tenths} of 10, ef {ef}, {mode:?}");
                        assert!(recall >= least, "{name}: recall {recall:.4}, expected {least}");
                    }
                }
            }
            // Fewer match than are wanted: all of them.
            let few: Vec<u64> = ids.iter().copied().take(40).collect();
            let may = few.iter().copied().filter(|id| !hidden.contains(id)).collect();
            let options = SearchOptions { filter: Some(&few), ..SearchOptions::new(100) };
            assert_eq!(recall(&store, queries, &options, &may), 1.0);
        }
    }
}

/// Of more than four times what a walk keeps none is scanned at once: they are walked to, and where
/// they lie too far away for that, scanned after all.
#[test]
fn walks_keep_to_filters() {
    let (count, ef) = (3_000, 200);
    let near = Topics::new(128, 60, 0.8, 1).points(count + QUERIES, 2);
    let (base, queries) = near.split_at(count);
    // The last third lies elsewhere.
    let mut base = base.to_vec();
    base[2_000..].iter_mut().flatten().for_each(|x| *x += 5.0);
    let store = Store::built(Params { metric: L2, ..Params::new(128, count as u32) }, &base);
    let ids = store.ids();
    let far: Vec<u64> = ids[2_000..].to_vec();
    let mixed: Vec<u64> = ids.iter().copied().filter(|id| id % 3 != 0).collect();
    // Short codes tell little of what lies far away from a query.
    for (name, filter, least) in [("far", far, 0.8), ("mixed", mixed, 0.95)] {
        assert!(filter.len() > 4 * ef);
        let may = filter.iter().copied().collect();
        let filter = Some(&*filter);
        let options = SearchOptions { ef, mode: Mode::Walk, filter, ..SearchOptions::new(K) };
        let recall = recall(&store, queries, &options, &may);
        assert!(recall >= least, "{name}: recall {recall:.4}");
    }
}
