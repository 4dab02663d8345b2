//! Removing and inserting for long leaves a graph as good as a fresh one.

mod points;

use clawft_hnsw::{Mode, Params, Slot};
use points::{Index, Points, Random, bitmap};
use proptest::prelude::*;

/// Twenty times the capacity in removals and inserts; the points are new each time.
fn churn(capacity: usize, dim: usize, m: u16) {
    let rounds = if cfg!(miri) { 1 } else { 20 };
    let params = Params { m, ..Params::new(capacity as u32) };
    let mut points = Points::uniform(capacity, dim, 1);
    let mut index = Index::of(&points, &params);
    let mut random = Random(2);
    for round in 0..rounds {
        for _ in 0..capacity {
            let slot = random.below(capacity) as Slot;
            index.remove(&points, slot);
            for x in &mut points.values[slot as usize * dim..][..dim] {
                *x = random.unit();
            }
            index.insert(&points, slot);
        }
        let report = index.verify();
        assert!(report.is_sound(), "round {round}: {report:?}");
    }
    let queries = Points::uniform(if cfg!(miri) { 4 } else { 200 }, dim, 3);
    let mut fresh = Index::of(&points, &params);
    for ef in [16, 32, 64] {
        let old = index.recall(&points, &queries, 10, ef);
        let new = fresh.recall(&points, &queries, 10, ef);
        std::println!("{capacity} x {dim}, ef {ef}: churned {old:.4}, fresh {new:.4}");
        assert!(old >= new - 0.02, "ef {ef}: churned {old}, fresh {new}");
    }
}

#[test]
fn churn_keeps_recall() {
    churn(if cfg!(miri) { 12 } else { 1000 }, 16, 16);
}

#[test]
fn churn_keeps_recall_with_few_links() {
    churn(if cfg!(miri) { 12 } else { 1000 }, 8, 6);
}

/// Minutes: for `cargo xtask test --all`.
#[test]
#[ignore = "takes minutes: run by cargo xtask test --all"]
fn churn_keeps_recall_at_ten_thousand() {
    churn(10_000, 16, 16);
}

#[test]
fn emptying_and_filling_again() {
    let points = Points::uniform(if cfg!(miri) { 12 } else { 600 }, 6, 5);
    let n = points.len();
    let mut index = Index::of(&points, &Params::new(n as u32));
    for round in 0..3 {
        for slot in 0..n as Slot {
            index.remove(&points, if round == 1 { n as Slot - 1 - slot } else { slot });
            if slot % 50 == 0 {
                index.assert_sound();
            }
        }
        assert!(index.graph().is_empty());
        index.assert_sound();
        for slot in 0..n as Slot {
            index.insert(&points, slot);
        }
        index.assert_sound();
    }
}

/// Slots of 16 bits end at 65,534, where those of 32 bits begin to be needed: the last ones of both
/// are linked, found, filtered and removed as any other.
#[test]
#[cfg_attr(miri, ignore = "megabytes of empty slots")]
fn the_last_slots_of_either_width() {
    for capacity in [65_534, 65_535, 65_536, 65_537] {
        let points = Points::uniform(capacity as usize, 4, 6);
        let mut index = Index::new(&Params::new(capacity));
        let live: Vec<Slot> = (capacity - 40..capacity).chain([0, 1, 300]).collect();
        for &slot in &live {
            index.insert(&points, slot);
        }
        index.assert_sound();
        let (last, query) = (capacity - 1, points.row(capacity - 1));
        let matching = bitmap(capacity, |slot| slot >= capacity - 3);
        for mode in [Mode::Walk, Mode::Scan] {
            assert_eq!(index.search(&points, query, 1, 50, mode, None)[0], (last, 0.0));
            let found = index.search(&points, query, 43, 50, mode, None);
            assert_eq!(found.len(), live.len(), "{capacity}, {mode:?}");
            let mut found: Vec<Slot> = index
                .search(&points, query, 43, 50, mode, Some(&matching))
                .into_iter()
                .map(|hit| hit.0)
                .collect();
            found.sort_unstable();
            assert_eq!(found, [capacity - 3, capacity - 2, last], "{capacity}, {mode:?}");
        }
        index.remove(&points, last);
        index.assert_sound();
        assert_ne!(index.search(&points, query, 1, 50, Mode::Walk, None)[0].0, last);
        index.insert(&points, last);
        assert_eq!(index.search(&points, query, 1, 50, Mode::Walk, None)[0].0, last);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 60 }, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any order of inserts and removals: the slots in use are those of the model, each is
    /// reachable, and each is found.
    #[test]
    fn the_graph_holds_what_the_model_holds(
        ops in prop::collection::vec(0u32..80, 0..if cfg!(miri) { 40 } else { 600 }),
        dim in 1usize..4, distinct in 1usize..80, m in 4u16..9, seed: u64,
    ) {
        let mut points = Points::uniform(distinct, dim, seed);
        points.values = points.values.iter().copied().cycle().take(80 * dim).collect();
        let params = Params { m, ef_construction: 20, seed, ..Params::new(80) };
        let mut index = Index::new(&params);
        let mut model = std::collections::BTreeSet::new();
        for slot in ops {
            if model.remove(&slot) {
                index.remove(&points, slot);
            } else {
                model.insert(slot);
                index.insert(&points, slot);
            }
            let report = index.verify();
            prop_assert!(report.is_sound(), "{:?}", report);
        }
        let found = index.search(&points, &vec![0.5; dim], 80, 80, Mode::Walk, None);
        let found: std::collections::BTreeSet<u32> = found.iter().map(|&(s, _)| s).collect();
        prop_assert_eq!(found, model);
    }
}
