//! Remove-and-insert churn of 20 times the capacity: recall within 0.02 of a fresh build of the
//! same vectors, and no slot that a walk cannot reach.

use clawft_vectors::{Encoding, Metric, Mode, Params};

use crate::data::Topics;
use crate::store::Store;
use crate::store_of_bytes::Random;

const TIMES: usize = 20;
const QUERIES: usize = 100;

/// That of the gate.
const CAPACITY: usize = 600;

/// Small beside the store, so that a walk looks at a part of it only.
fn ef(capacity: usize) -> usize {
    if capacity == CAPACITY { 32 } else { 128 }
}

/// Which vector goes next, of those in the store.
#[derive(Clone, Copy, Debug)]
enum Leaves {
    Oldest,
    Any,
}

/// Fills a store, replaces its vectors one by one, and compares it with a fresh one.
fn churn(capacity: usize, dim: usize, leaves: Leaves, topic: impl Fn(usize, &mut Random) -> usize) {
    let (topics, mut random) = (Topics::new(dim, 40, 0.8, 1), Random(2));
    let params = Params::new(dim as u32, capacity as u32);
    let mut store = Store::new(params);
    for round in 0..capacity * (TIMES + 1) {
        if round >= capacity {
            let place = match leaves {
                Leaves::Oldest => 0,
                Leaves::Any => random.below(capacity),
            };
            store.remove_at(place);
        }
        let topic = topic(round, &mut random);
        store.insert(topics.point(topic, &mut random));
    }
    store.is_sound();

    let rows: Vec<_> = store.rows().cloned().collect();
    assert_eq!(rows.len(), capacity);
    let (fresh, queries) = (Store::built(params, &rows), topics.points(QUERIES, 3));
    for mode in [Mode::Walk, Mode::Auto] {
        let ef = ef(capacity);
        let (old, new) = (store.recall(&queries, ef, mode), fresh.recall(&queries, ef, mode));
        let name = format!("{dim} dimensions, {leaves:?}, {mode:?}");
        assert!(old >= new - 0.02, "{name}: recall {old:.4}, a fresh build {new:.4}");
        println!("{name}: recall {old:.4}, a fresh build {new:.4}");
        // A fresh build that is as bad would prove nothing. (Most queries are about topics that
        // have left the store by then: these are hard.)
        assert!(new >= 0.85, "{name}: a fresh build has recall {new:.4}");
    }
}

#[test]
fn any_vector_leaves() {
    for dim in [64, 256] {
        churn(CAPACITY, dim, Leaves::Any, |_, random| random.below(40));
    }
}

#[test]
fn the_oldest_leaves() {
    for dim in [64, 256] {
        churn(CAPACITY, dim, Leaves::Oldest, |_, random| random.below(40));
    }
}

/// The store forgets one subject wholly while it learns the next: the graph moves house.
#[test]
fn the_oldest_leaves_topic_after_topic() {
    for dim in [64, 256] {
        churn(CAPACITY, dim, Leaves::Oldest, |round, _| round / 150);
    }
}

/// What comes in later lies elsewhere, as the vectors of another model do: the centres go along.
#[test]
fn what_comes_later_lies_elsewhere() {
    let capacity = CAPACITY;
    for (encoding, least) in [(Encoding::I8, 0.02), (Encoding::F32, 0.02)] {
        let (topics, mut random) = (Topics::new(256, 40, 0.8, 1), Random(2));
        let params = Params { metric: Metric::L2, encoding, ..Params::new(256, capacity as u32) };
        let mut store = Store::new(params);
        let mut later = |store: &mut Store, offset: f32| {
            let mut row = topics.point(random.below(40), &mut random);
            row.iter_mut().for_each(|x| *x += offset);
            store.insert(row);
        };
        (0..capacity).for_each(|_| later(&mut store, 0.0));
        // All are replaced, and once more: the next look comes that late.
        for _ in 0..capacity * 2 {
            store.remove_at(0);
            later(&mut store, 2.0);
        }
        store.is_sound();
        let rows: Vec<_> = store.rows().cloned().collect();
        let mut queries = topics.points(QUERIES, 3);
        queries.iter_mut().flatten().for_each(|x| *x += 2.0);
        let fresh = Store::built(params, &rows);
        for mode in [Mode::Walk, Mode::Auto, Mode::Exact] {
            let ef = ef(capacity);
            let (old, new) = (store.recall(&queries, ef, mode), fresh.recall(&queries, ef, mode));
            assert!(old >= new - least, "{encoding:?} {mode:?}: recall {old:.4}, fresh {new:.4}");
        }
    }
}

#[test]
#[ignore = "takes minutes: run by cargo xtask test --all"]
fn churn_of_a_large_store() {
    for dim in [64, 256] {
        churn(5_000, dim, Leaves::Any, |_, random| random.below(40));
        churn(5_000, dim, Leaves::Oldest, |round, _| round / 1_000);
    }
}
