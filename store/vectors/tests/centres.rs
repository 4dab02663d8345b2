//! The centres that codes are relative to, as vectors come far from zero, go and come again.

mod store_of_bytes;

use clawft_codes::arith;
use clawft_vectors::{Encoding, Metric, Mode, Params, SearchOptions};
use store_of_bytes::{Random, Store, row};

/// The first vector is the centre of the codes, and stands there as it came.
#[test]
fn nothing_stays_of_a_first_vector_that_is_removed() {
    for metric in [Metric::Cosine, Metric::InnerProduct, Metric::L2] {
        let params = Params { metric, encoding: Encoding::I8, ..Params::new(128, 20) };
        let mut random = Random(4);
        let mut far = || row(128, &mut random).iter().map(|x| 100.0 + x).collect::<Vec<f32>>();
        let rows = [far(), far(), far()];
        let mut store = Store::new(&params);
        for (id, row) in (0..).zip(&rows) {
            store.insert(id, row).unwrap();
        }
        let mut first = rows[0].clone();
        let mut length = 1.0;
        if metric == Metric::Cosine {
            length = arith::sqrt(arith::norm2(&first));
            first.iter_mut().for_each(|x| *x /= length);
        }
        clawft_codes::Rotation::new(params.seed, 128).apply(&mut first);
        let first: Vec<u8> = first.iter().flat_map(|x| x.to_le_bytes()).collect();
        let has_it =
            |store: &Store| store.image.bytes().windows(16).any(|part| part == &first[..16]);
        assert!(has_it(&store));
        store.remove(0).unwrap();
        assert!(!has_it(&store));
        for id in [1, 2] {
            let found = store.get(id).unwrap();
            let row = &rows[id as usize];
            assert!(found.iter().zip(row).all(|(a, b)| (a * length - b).abs() < 0.05));
        }
        store.remove(1).unwrap();
        store.remove(2).unwrap();
        // Once more from the beginning.
        store.insert(0, &rows[0]).unwrap();
        assert!(has_it(&store));
    }
}

/// `count` rows around a point that is `far` away.
fn around(far: f32, count: usize, random: &mut Random) -> Vec<Vec<f32>> {
    let one = |_| row(128, random).iter().map(|x| far + x).collect();
    (0..count).map(one).collect()
}

/// The largest error of a component of what is stored under `ids`, which count `rows`.
fn error(store: &mut Store, rows: &[Vec<f32>], ids: core::ops::Range<u64>) -> f32 {
    let mut most = 0.0_f32;
    for id in ids {
        let found = store.get(id).unwrap();
        for (a, b) in found.iter().zip(&rows[id as usize]) {
            most = most.max((a - b).abs());
        }
    }
    most
}

const FAR: [Params; 2] = [
    Params { metric: Metric::InnerProduct, encoding: Encoding::I8, ..Params::new(128, 400) },
    Params { metric: Metric::L2, encoding: Encoding::I8, ..Params::new(128, 400) },
];

#[test]
fn an_outlier_is_not_the_centre_that_comes_after_the_first() {
    for params in FAR {
        let mut rows = around(10.0, 30, &mut Random(2));
        rows[1] = around(1000.0, 1, &mut Random(3)).remove(0);
        for replaces in [true, false] {
            let mut store = Store::new(&params);
            for (id, row) in (0..).zip(&rows) {
                store.insert(id, row).unwrap();
            }
            if replaces {
                store.upsert(0, &rows[0]).unwrap();
            } else {
                store.remove(0).unwrap();
            }
            let error = error(&mut store, &rows, 2..30);
            assert!(error < 0.05, "{error}");
        }
    }
}

#[test]
fn codes_outlive_the_removal_of_what_came_before_them() {
    for params in FAR {
        // Zero is no vector that the others must give way to.
        for zero in [false, true] {
            let mut rows = around(100.0, 250, &mut Random(5));
            if zero {
                rows[249].fill(0.0);
            }
            let mut store = Store::new(&params);
            for (id, row) in (0..).zip(&rows) {
                store.insert(id, row).unwrap();
            }
            for id in 0..200 {
                store.remove(id).unwrap();
            }
            let error = error(&mut store, &rows, 200..249);
            assert!(error < 0.03, "{error}");
        }
    }
}

#[test]
fn a_mean_does_not_give_way_to_one_vector() {
    for params in FAR {
        let mut store = Store::new(&params);
        let rows = around(100.0, 300, &mut Random(6));
        for (id, row) in (0..).zip(&rows) {
            store.insert(id, row).unwrap();
        }
        for id in 250..300 {
            store.remove(id).unwrap();
        }
        store.insert(300, &row(128, &mut Random(7))).unwrap();
        let error = error(&mut store, &rows, 0..250);
        assert!(error < 0.05, "{error}");
    }
}

#[test]
fn an_emptied_image_is_as_a_new_one() {
    let rows = around(0.0, 300, &mut Random(8));
    for metric in [Metric::Cosine, Metric::InnerProduct] {
        for encoding in [Encoding::I8, Encoding::F32] {
            let params = Params { metric, encoding, ..FAR[0] };
            let (mut used, mut fresh) = (Store::new(&params), Store::new(&params));
            for (id, row) in (0..).zip(&rows) {
                used.insert(id, row).unwrap();
            }
            for id in 0..300 {
                used.remove(id).unwrap();
            }
            for store in [&mut used, &mut fresh] {
                for (id, row) in (0..100).zip(&rows) {
                    store.insert(id, row).unwrap();
                }
            }
            // Slots are taken anew in another order, so bytes may differ; what vectors are compared by does not.
            for id in 0..100 {
                assert_eq!(used.get(id), fresh.get(id));
            }
            for row in &rows[..10] {
                assert_eq!(used.search(row, 5, Mode::Scan), fresh.search(row, 5, Mode::Scan));
            }
        }
    }
}

/// Of so long ones the sum of squares is beyond what a float holds.
#[test]
#[cfg_attr(miri, ignore = "hundreds of inserts")]
fn the_longest_vectors_have_a_centre_too() {
    for params in FAR {
        let mut store = Store::new(&params);
        let mut random = Random(9);
        let mut long = || row(128, &mut random).iter().map(|x| 3e17 + 1e16 * x).collect();
        let rows: Vec<Vec<f32>> = (0..300).map(|_| long()).collect();
        for (id, row) in (0..).zip(&rows) {
            store.insert(id, row).unwrap();
        }
        let (mut found, mut all) = (0, 0);
        for row in &rows[..20] {
            let few = SearchOptions { ef: 60, mode: Mode::Scan, ..SearchOptions::new(10) };
            let near: Vec<u64> = store.find(row, &few).unwrap().iter().map(|hit| hit.id).collect();
            let exact = store.search(row, 10, Mode::Exact);
            found += exact.iter().filter(|hit| near.contains(&hit.id)).count();
            all += exact.len();
        }
        assert!(found * 10 >= all * 8, "{found} of {all}");
    }
}
