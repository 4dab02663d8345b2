//! Recall against brute force, on inputs of every temper. The graph has no scan below a
//! size here: every search walks.

mod points;

use clawft_hnsw::{Mode, Params, Slot};
use points::{Index, Points, bitmap};
use proptest::prelude::*;

const SCALE: usize = if cfg!(miri) { 200 } else { 1 };

#[test]
fn uniform_points_are_found() {
    let points = Points::uniform(4000 / SCALE, 16, 1);
    let queries = Points::uniform(200 / SCALE, 16, 2);
    let mut index = Index::of(&points, &Params::new(4000));
    index.assert_sound();
    let recall = index.recall(&points, &queries, 10, 96);
    assert!(recall >= 0.97, "{recall}");
}

#[test]
fn every_live_slot_is_its_own_nearest() {
    let points = Points::uniform(2000 / SCALE, 8, 3);
    let mut index = Index::of(&points, &Params::new(2000));
    for slot in 0..points.len() as Slot {
        let found = index.search(&points, points.row(slot), 1, 32, Mode::Walk, None);
        assert_eq!(found[0], (slot, 0.0));
    }
}

/// Ordered input may cost at most 0.02 of the recall of the same points shuffled.
fn order_does_not_matter(ordered: &Points, queries: &Points) {
    let params = Params::new(ordered.len() as u32);
    let shuffled = ordered.shuffled(9);
    let mut a = Index::of(ordered, &params);
    let mut b = Index::of(&shuffled, &params);
    a.assert_sound();
    b.assert_sound();
    for ef in [32, 64] {
        let (a, b) = (a.recall(ordered, queries, 10, ef), b.recall(&shuffled, queries, 10, ef));
        assert!(a >= b - 0.02, "ef {ef}: ordered {a}, shuffled {b}");
        assert!(b >= 0.9, "ef {ef}: shuffled {b}");
    }
}

#[test]
fn topics_in_order_do_not_hurt() {
    let points = Points::clustered(4000 / SCALE, 16, 40, 0.5, 4);
    let queries = Points::clustered(200 / SCALE, 16, 40, 0.5, 4).shuffled(5);
    order_does_not_matter(&points, &queries);
}

#[test]
#[cfg_attr(miri, ignore = "the same calls as for topics in order")]
fn tight_clusters_do_not_hurt() {
    let points = Points::clustered(4000 / SCALE, 16, 20, 0.05, 6);
    let queries = Points::uniform(200 / SCALE, 16, 7);
    order_does_not_matter(&points, &queries);
}

#[test]
#[cfg_attr(miri, ignore = "the same calls as for topics in order")]
fn sorted_points_do_not_hurt() {
    let mut points = Points::uniform(3000 / SCALE, 6, 8);
    let mut rows: Vec<Vec<f32>> = points.values.chunks(6).map(<[f32]>::to_vec).collect();
    rows.sort_by(|a, b| a[0].total_cmp(&b[0]));
    points.values = rows.concat();
    order_does_not_matter(&points, &Points::uniform(200 / SCALE, 6, 9));
}

#[test]
fn duplicates_do_not_hurt() {
    let points = Points::duplicated(4000 / SCALE, 12, 25, 10);
    order_does_not_matter(&points, &Points::uniform(200 / SCALE, 12, 11));
}

#[test]
fn a_thousand_times_the_same_point() {
    let mut points = Points::uniform(2000 / SCALE, 8, 12);
    let first = points.row(0).to_vec();
    for i in 0..points.len() / 2 {
        points.values[i * 8..][..8].copy_from_slice(&first);
    }
    let mut index = Index::of(&points, &Params::new(2000));
    index.assert_sound();
    let recall =
        index.recall(&points, &Points::uniform(if cfg!(miri) { 2 } else { 100 }, 8, 13), 10, 64);
    assert!(recall >= 0.95, "{recall}");
    let all = points.len();
    let wanted = all.min(512);
    assert!(index.search(&points, &first, wanted, 512, Mode::Walk, None).len() >= wanted);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 60 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn always_as_many_results_as_match(
        n in 0usize..300, dim in 1usize..6, copies in 1usize..40, m in 4u16..20,
        k in 1usize..400, modulus in 1u32..60, seed: u64,
    ) {
        let n = if cfg!(miri) { n / 8 } else { n };
        let points = Points::duplicated(n, dim, copies, seed);
        let params = Params { m, ef_construction: 40, seed, ..Params::new(300) };
        let mut index = Index::of(&points, &params);
        index.assert_sound();
        let query = vec![0.5; dim];
        for mode in [Mode::Walk, Mode::Scan, Mode::Auto] {
            let all = index.search(&points, &query, k, 1, mode, None);
            prop_assert!(all.len() >= k.min(n) && all.len() <= n);
            let filter = bitmap(300, |s| s % modulus == 0);
            let some = index.search(&points, &query, k, 1, mode, Some(&filter));
            let matching = n.div_ceil(modulus as usize);
            prop_assert!(some.len() >= k.min(matching) && some.len() <= matching);
            prop_assert!(some.iter().all(|(s, _)| s % modulus == 0));
            for found in [all, some] {
                prop_assert!(found.windows(2).all(|w| (w[0].1, w[0].0) < (w[1].1, w[1].0)));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 1 } else { 40 }, failure_persistence: None, ..ProptestConfig::default() })]

    /// More match than are scanned at once, and all of them lie so far away that a walk among what matches
    /// ends before it has come there.
    #[test]
    fn as_many_as_match_from_far_away(
        n in 400usize..1000, dim in 1usize..6, heaps in 3usize..8, m in 4u16..20,
        k in 1usize..20, seed: u64,
    ) {
        let n = if cfg!(miri) { n / 8 } else { n };
        let points = Points::clustered(n, dim, heaps, 0.01, seed);
        let params = Params { m, ef_construction: 40, seed, ..Params::new(1000) };
        let mut index = Index::of(&points, &params);
        let mut random = points::Random(seed);
        let (near, far) = (random.below(heaps), random.below(heaps));
        let is_of = |slot: Slot, heap| slot as usize * heaps / n == heap;
        let filter = bitmap(n as u32, |s| is_of(s, far));
        let matching = (0..n as Slot).filter(|&s| is_of(s, far)).count();
        let query = points.row((0..n as Slot).find(|&s| is_of(s, near)).unwrap()).to_vec();
        let found = index.search(&points, &query, k, 1, Mode::Walk, Some(&filter));
        prop_assert!(found.len() >= k.min(matching) && found.len() <= matching);
        prop_assert!(found.iter().all(|&(s, _)| is_of(s, far)));
    }
}

#[test]
fn filtered_walks_keep_their_recall() {
    // Of one in six, ten.
    let points = Points::uniform(if cfg!(miri) { 60 } else { 6000 }, 12, 20);
    let queries = Points::uniform(100_usize.div_ceil(SCALE), 12, 21);
    let n = points.len() as u32;
    let mut index = Index::of(&points, &Params::new(n));
    for modulus in [2, 3, 6] {
        let filter = bitmap(n, |s| s % modulus == 0);
        let (mut hits, mut all) = (0, 0);
        for q in 0..queries.len() as Slot {
            let query = queries.row(q);
            let matching = (0..n).filter(|s| s % modulus == 0);
            let (kth, _) = points.kth(query, matching, 10);
            let found = index.search(&points, query, 10, 96, Mode::Walk, Some(&filter));
            hits += found.iter().take(10).filter(|&&(_, d)| d <= kth).count();
            all += 10;
        }
        let recall = f64::from(hits as u32) / f64::from(all);
        assert!(recall >= 0.95, "one in {modulus}: {recall}");
    }
}

/// More starts are tied than a walk brings down, and the filter lets none of them through: what
/// came behind them must be found all the same.
#[test]
fn copies_outside_the_filter_hide_nothing() {
    let mut points = Points::uniform(if cfg!(miri) { 60 } else { 5000 }, 8, 40);
    let n = points.len() as u32;
    let is_copy = |s: Slot| s.is_multiple_of(12);
    let copied = points.row(0).to_vec();
    for slot in (0..n).filter(|&s| is_copy(s)) {
        points.values[slot as usize * 8..][..8].copy_from_slice(&copied);
    }
    let mut index = Index::of(&points, &Params::new(n));
    let filter = bitmap(n, |s| !is_copy(s));
    let (mut random, mut hits, mut all) = (points::Random(41), 0, 0);
    for _ in 0..100_usize.div_ceil(SCALE) {
        let query: Vec<f32> = copied.iter().map(|x| x + 0.02 * random.unit()).collect();
        let (kth, _) = points.kth(&query, (0..n).filter(|&s| !is_copy(s)), 100);
        let found = index.search(&points, &query, 100, 200, Mode::Walk, Some(&filter));
        hits += found.iter().take(100).filter(|&&(_, d)| d <= kth).count();
        all += 100;
    }
    std::println!("{hits} of {all}");
    assert!(hits * 100 >= all * 99, "{hits} of {all}");
}

#[test]
fn wide_slots_walk_as_narrow_ones_do() {
    let points = Points::uniform(1500 / SCALE, 8, 30);
    let mut narrow = Index::of(&points, &Params::new(60_000 / SCALE as u32));
    let mut wide = Index::of(&points, &Params::new(70_000));
    if !cfg!(miri) {
        wide.assert_sound();
    }
    for slot in 0..points.len() as Slot {
        let query = points.row(slot);
        let a = narrow.search(&points, query, 10, 32, Mode::Walk, None);
        assert_eq!(a, wide.search(&points, query, 10, 32, Mode::Walk, None));
    }
}
