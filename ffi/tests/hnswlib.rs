//! All that hnswlib's Python classes do, through the C ABI, in their order:
//! `init_index`, `add_items`, `set_ef`, `knn_query` with and without a filter,
//! `mark_deleted`, `unmark_deleted`, `replace_deleted`, `resize_index`,
//! `save_index`, `load_index`, `get_items`, `get_ids_list`, `get_max_elements`,
//! `get_current_count`, and `BFIndex`.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "pointers lead to live locals of the length that is passed, unless a test says otherwise"
)]

mod support;

use clawft::ClawftStatus as S;
use clawft::*;
use support::*;

const DIM: usize = 32;

/// A query that walks, so that the scan hides nothing.
fn walk(k: u32) -> ClawftQuery {
    ClawftQuery { mode: 1, ef: 200, ..query(k) }
}

fn exact(k: u32) -> ClawftQuery {
    ClawftQuery { mode: 3, ..query(k) }
}

fn all_ids(handle: u32) -> Vec<u64> {
    let mut ids = vec![0; stats(handle).count as usize];
    let mut count = 0;
    ok(unsafe { clawft_ids(handle, ids.as_mut_ptr(), ids.len() as u32, &mut count) });
    assert_eq!(count as usize, ids.len());
    ids.sort_unstable();
    ids
}

fn add_items(handle: u32, ids: std::ops::Range<u64>) -> u32 {
    let rows: Vec<f32> = ids.clone().flat_map(|id| vector(id, DIM)).collect();
    let ids: Vec<u64> = ids.collect();
    let mut done = 0;
    ok(unsafe {
        let (n, dim) = (ids.len() as u32, DIM as u32);
        clawft_insert_batch(handle, ids.as_ptr(), rows.as_ptr(), n, dim, &mut done)
    });
    done
}

/// The nearest by definition, over the vectors as they were given.
fn nearest(ids: &[u64], to: &[f32], metric: u32, k: usize) -> Vec<u64> {
    let distance = |id: u64| -> f64 {
        let v = vector(id, DIM);
        let dot = |a: &[f32], b: &[f32]| -> f64 {
            a.iter().zip(b).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum()
        };
        match metric {
            0 => 1.0 - dot(&v, to) / (dot(&v, &v) * dot(to, to)).sqrt(),
            1 => 1.0 - dot(&v, to),
            _ => dot(&v, &v) + dot(to, to) - 2.0 * dot(&v, to),
        }
    };
    let mut ranked: Vec<(f64, u64)> = ids.iter().map(|&id| (distance(id), id)).collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    ranked.iter().take(k).map(|&(_, id)| id).collect()
}

#[test]
fn the_whole_class_in_each_space() {
    for metric in 0..3 {
        let store = create(&ClawftParams { metric, encoding: 0, seed: 42, ..params(32, 400) });
        assert_eq!(add_items(store, 0..300), 300);
        let found = stats(store);
        assert_eq!((found.dim, found.capacity, found.count, found.metric), (32, 400, 300, metric));
        assert_eq!((found.m, found.ef_construction, found.seed), (16, 200, 42));
        let ids: Vec<u64> = (0..300).collect();
        assert_eq!(all_ids(store), ids);

        // knn_query, with ef of the index and of the query, against brute force.
        ok(clawft_set_ef(store, 150));
        assert_eq!(stats(store).ef, 150);
        let mut hits = 0;
        for probe in 1000..1050 {
            let v = vector(probe, DIM);
            let truth = nearest(&ids, &v, metric, 10);
            assert_eq!(ids_of(&search(store, &v, &exact(10))), truth, "BFIndex");
            let found = search(store, &v, &ClawftQuery { ef: 0, ..walk(10) });
            assert!(found.is_sorted_by(|a, b| a.1 <= b.1));
            hits += ids_of(&found).iter().filter(|&id| truth.contains(id)).count();
        }
        assert!(hits >= 490, "recall {hits} of 500 in space {metric}");

        // A filter: min(k, matching) results, none outside.
        let few: Vec<u64> = vec![5, 17, 250, 99_999];
        let half: Vec<u64> = (0..150).map(|i| 2 * i).collect();
        for (allowed, k, expected) in [(&few, 10, 3), (&half, 10, 10), (&half, 400, 150)] {
            let filtered = ClawftQuery {
                filter_ids: allowed.as_ptr(),
                filter_len: allowed.len() as u32,
                ..walk(k)
            };
            let found = ids_of(&search(store, &vector(2000, DIM), &filtered));
            assert_eq!(found.len(), expected);
            assert!(found.iter().all(|id| allowed.contains(id)));
        }
        let none = ClawftQuery { filter_ids: few.as_ptr(), filter_len: 0, ..walk(10) };
        assert_eq!(search(store, &vector(2000, DIM), &none), []);

        // get_items: what was given; of length 1 under cosine.
        let mut rows = vec![0.0; 2 * DIM];
        ok(unsafe { clawft_get_batch(store, [7, 299].as_ptr(), 2, rows.as_mut_ptr(), 32) });
        for (row, id) in rows.chunks(DIM).zip([7, 299]) {
            let given = vector(id, DIM);
            let length = given.iter().map(|x| x * x).sum::<f32>().sqrt();
            let scale = if metric == 0 { length } else { 1.0 };
            assert!(row.iter().zip(&given).all(|(a, b)| (a * scale - b).abs() < 1e-5));
        }
        ok(clawft_destroy(store));
    }
}

#[test]
fn marks_and_replacement_of_the_marked() {
    let store = create(&params(32, 100));
    add_items(store, 0..100);
    let v = vector(42, DIM);
    assert_eq!(search(store, &v, &walk(5))[0].0, 42);
    ok(clawft_mark_deleted(store, 42));
    ok(clawft_mark_deleted(store, 42));
    for mode in 0..4 {
        let found = ids_of(&search(store, &v, &ClawftQuery { mode, ..query(100) }));
        assert_eq!(found.len(), 99);
        assert!(!found.contains(&42));
    }
    assert_eq!((stats(store).count, stats(store).deleted), (100, 1));
    assert_eq!(clawft_contains(store, 42), 1);
    ok(clawft_unmark_deleted(store, 42));
    assert_eq!(search(store, &v, &walk(5))[0].0, 42);
    assert_eq!(stats(store).deleted, 0);

    // Marked ones keep their places until replacement is switched on.
    for id in 0..10 {
        ok(clawft_mark_deleted(store, id));
    }
    assert_eq!(insert(store, 500, &vector(500, DIM)), S::Full as i32);
    ok(clawft_set_replace_deleted(store, 1));
    assert_eq!(stats(store).replace_deleted, 1);
    // A vector that is refused replaces nothing.
    assert_eq!(insert(store, 500, &[0.0; DIM]), S::ZeroVector as i32);
    assert_eq!(insert(store, 50, &vector(500, DIM)), S::DuplicateId as i32);
    assert_eq!(stats(store).deleted, 10);
    ok(insert(store, 500, &vector(500, DIM)));
    assert_eq!((stats(store).count, stats(store).deleted), (100, 9), "one makes room for one");
    assert_eq!(add_items(store, 501..510), 9);
    assert_eq!((stats(store).count, stats(store).deleted), (100, 0));
    assert_eq!(all_ids(store), (10..100).chain(500..510).collect::<Vec<u64>>());
    assert_eq!(insert(store, 600, &vector(600, DIM)), S::Full as i32, "none is marked any more");
    for id in 500..510 {
        assert_eq!(search(store, &vector(id, DIM), &walk(1))[0].0, id);
    }
    // Also with room to spare: the count stays.
    ok(clawft_resize(store, 200));
    ok(clawft_mark_deleted(store, 10));
    ok(insert(store, 700, &vector(700, DIM)));
    assert_eq!((stats(store).count, clawft_contains(store, 10)), (100, 0));
    assert_eq!(report(store).unreachable, 0);
}

/// `add_items(replace_deleted=True)` by upserts.
#[test]
fn an_upsert_replaces_the_marked_as_an_insert_does() {
    let upsert =
        |handle, id, v: &[f32]| unsafe { clawft_upsert(handle, id, v.as_ptr(), DIM as u32) };
    let store = create(&params(32, 2));
    add_items(store, 1..3);
    ok(clawft_mark_deleted(store, 1));
    ok(clawft_set_replace_deleted(store, 1));
    // What is there already takes no place, and what is refused replaces nothing.
    ok(upsert(store, 2, &vector(20, DIM)));
    assert_eq!(upsert(store, 3, &[0.0; DIM]), S::ZeroVector as i32);
    assert_eq!((all_ids(store), stats(store).deleted), (vec![1, 2], 1));
    ok(upsert(store, 3, &vector(3, DIM)));
    assert_eq!((all_ids(store), stats(store).deleted), (vec![2, 3], 0));
    assert_eq!(upsert(store, 4, &vector(4, DIM)), S::Full as i32, "none is marked any more");
    // One that is marked itself comes back.
    ok(clawft_mark_deleted(store, 2));
    ok(upsert(store, 2, &vector(2, DIM)));
    assert_eq!((all_ids(store), stats(store).deleted), (vec![2, 3], 0));
    // Also with room to spare, and in batches.
    ok(clawft_resize(store, 9));
    ok(clawft_mark_deleted(store, 2));
    let (rows, mut done) = ([vector(5, DIM), vector(6, DIM)].concat(), 0);
    ok(unsafe {
        let ids = [5, 6].as_ptr();
        clawft_upsert_batch(store, ids, rows.as_ptr(), 2, DIM as u32, &mut done)
    });
    assert_eq!((all_ids(store), done), (vec![3, 5, 6], 2));
    assert_eq!(report(store).unreachable, 0);
}

#[test]
fn resize_save_and_load() {
    let store = create(&params(32, 50));
    add_items(store, 0..50);
    assert_eq!(insert(store, 50, &vector(50, DIM)), S::Full as i32);
    let v = vector(1234, DIM);
    let before = search(store, &v, &walk(20));
    ok(clawft_resize(store, 120));
    assert_eq!(search(store, &v, &walk(20)), before);
    assert_eq!(stats(store).capacity, 120);
    assert_eq!(add_items(store, 50..120), 70);
    assert_eq!(clawft_resize(store, 119), S::Shrink as i32);
    assert_eq!(stats(store).capacity, 120);

    let loaded = open(&snapshot(store)).unwrap();
    ok(clawft_destroy(store));
    assert_eq!(all_ids(loaded), (0..120).collect::<Vec<u64>>());
    // load_index(max_elements)
    ok(clawft_resize(loaded, 150));
    assert_eq!(add_items(loaded, 120..150), 30);
    let found = ids_of(&search(loaded, &v, &exact(10)));
    assert_eq!(found, nearest(&(0..150).collect::<Vec<u64>>(), &v, 0, 10));
    let sound = report(loaded);
    assert_eq!((sound.live, sound.unreachable, sound.broken), (150, 0, 0));
}

#[test]
fn batches_and_ranges_agree_with_single_searches() {
    let store = create(&ClawftParams { metric: 2, ..params(32, 200) });
    add_items(store, 0..200);
    let rows: Vec<f32> = (300..310).flat_map(|id| vector(id, DIM)).collect();
    let query = walk(7);
    let (mut ids, mut distances, mut counts) = (vec![0; 70], vec![0.0; 70], vec![0; 10]);
    ok(unsafe {
        let (ids, distances) = (ids.as_mut_ptr(), distances.as_mut_ptr());
        clawft_search_batch(
            store,
            rows.as_ptr(),
            10,
            32,
            &query,
            ids,
            distances,
            counts.as_mut_ptr(),
        )
    });
    for (i, row) in rows.chunks(DIM).enumerate() {
        let single = search(store, row, &query);
        assert_eq!(counts[i], 7);
        assert_eq!(ids_of(&single), ids[7 * i..][..7]);
        let same = single.iter().zip(&distances[7 * i..]).all(|(a, &b)| a.1 == b);
        assert!(same);

        // A radius between the fourth and the fifth finds four.
        let radius = (single[3].1 + single[4].1) / 2.0;
        let (mut found, mut far, mut count) = ([0; 7], [0.0; 7], 0);
        ok(unsafe {
            let (ids, distances) = (found.as_mut_ptr(), far.as_mut_ptr());
            clawft_search_range(store, row.as_ptr(), 32, radius, &query, ids, distances, &mut count)
        });
        assert_eq!((count, &found[..4]), (4, &ids[7 * i..][..4]));
    }
}
