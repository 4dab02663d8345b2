//! The calls on an image, each with what it must refuse, against a naive model.

mod store_of_bytes;

use std::collections::BTreeMap;

use clawft_vectors::{Encoding, Error, Hit, Image, Metric, Mode, Params, SearchOptions};
use proptest::prelude::*;
use store_of_bytes::{Buffer, Random, Store, Words, row};

fn small(metric: Metric) -> Params {
    Params { metric, ef_construction: 40, ..Params::new(8, 50) }
}

#[test]
fn bad_input_has_its_error_and_changes_nothing() {
    let mut store = Store::new(&small(Metric::Cosine));
    let good = [1.0; 8];
    store.insert(7, &good).unwrap();
    let before = store.image.bytes().to_vec();
    assert_eq!(store.insert(8, &[1.0; 7]), Err(Error::Dimension { expected: 8, found: 7 }));
    let mut nan = good;
    nan[3] = f32::NAN;
    assert_eq!(store.insert(8, &nan), Err(Error::NotFinite { index: 3 }));
    nan[3] = f32::NEG_INFINITY;
    assert_eq!(store.upsert(7, &nan), Err(Error::NotFinite { index: 3 }));
    assert_eq!(store.insert(8, &[0.0; 8]), Err(Error::ZeroVector));
    assert_eq!(store.insert(7, &good), Err(Error::DuplicateId(7)));
    assert_eq!(store.remove(8), Err(Error::UnknownId(8)));
    assert_eq!(store.get(8), Err(Error::UnknownId(8)));
    assert_eq!(store.image.mark(8, true), Err(Error::UnknownId(8)));
    assert_eq!(store.find(&good, &SearchOptions::new(0)), Err(Error::ZeroK));
    assert_eq!(store.find(&[0.0; 8], &SearchOptions::new(1)), Err(Error::ZeroVector));
    assert_eq!(store.find(&nan, &SearchOptions::new(1)), Err(Error::NotFinite { index: 3 }));
    let huge = [f32::MAX; 8];
    let mut l2 = Store::new(&small(Metric::L2));
    assert_eq!(l2.insert(1, &huge), Err(Error::NotFinite { index: 8 }));
    let mut long = good;
    long[5] = -65_505.0;
    let halves = Params { encoding: Encoding::F16, ..small(Metric::L2) };
    assert_eq!(Store::new(&halves).insert(1, &long), Err(Error::NotFinite { index: 5 }));
    assert_eq!(Store::new(&halves).insert(1, &[65_504.0; 8]), Ok(()));
    let unit = Params { encoding: Encoding::F16, ..small(Metric::Cosine) };
    assert_eq!(Store::new(&unit).insert(1, &long), Ok(()));
    assert_eq!(store.image.bytes(), before);
    for error in [Error::ZeroK, Error::UnknownId(8), Error::NotFinite { index: 3 }] {
        assert!(error.code() < 0 && !error.to_string().is_empty());
    }
}

#[test]
fn an_image_that_is_full_says_so_and_goes_on() {
    let mut store = Store::new(&small(Metric::L2));
    let mut random = Random(1);
    for id in 0..50 {
        store.insert(id, &row(8, &mut random)).unwrap();
    }
    let before = store.image.bytes().to_vec();
    assert_eq!(store.insert(50, &[0.5; 8]), Err(Error::Full { len: 50, capacity: 50 }));
    assert_eq!(store.image.bytes(), before);
    assert_eq!(store.search(&[0.5; 8], 100, Mode::Auto).len(), 50);
    store.remove(3).unwrap();
    store.insert(50, &[0.5; 8]).unwrap();
    assert_eq!(store.search(&[0.5; 8], 1, Mode::Walk)[0], Hit { id: 50, distance: 0.0 });
}

/// With less than it needs a search would find less, and say nothing.
#[test]
fn a_scratch_of_another_image_is_refused() {
    let small = Params { capacity: 40, ..Params::new(64, 40) };
    let large = Params { capacity: 60, ..small };
    let tiered = Params { hot: Some(10), ..Params::new(384, 40) };
    let flat = Params { hot: None, ..tiered };
    for (made, used) in [(small, large), (flat, tiered), (tiered, flat)] {
        let mut store = Store::new(&used);
        store.scratch = Words::of(Store::new(&made).image.layout());
        let refused = store.insert(1, &vec![1.0; used.dim as usize]);
        assert!(matches!(refused, Err(Error::Scratch { .. })), "{refused:?}");
        let refused = store.find(&vec![1.0; used.dim as usize], &SearchOptions::new(1));
        assert!(matches!(refused, Err(Error::Scratch { .. })), "{refused:?}");
        assert_eq!(store.image.len(), 0);
    }
}

/// Codes are rounded, and 1 - cos has an end all the same.
#[test]
fn no_cosine_is_beyond_one() {
    let mut random = Random(9);
    let params = Params { metric: Metric::Cosine, encoding: Encoding::I8, ..Params::new(128, 60) };
    let mut store = Store::new(&params);
    let rows: Vec<Vec<f32>> = (0..60).map(|_| row(128, &mut random)).collect();
    for (id, row) in (0..).zip(&rows) {
        store.insert(id, row).unwrap();
    }
    for row in &rows {
        let hits = store.search(row, 60, Mode::Exact);
        assert!(hits.iter().all(|hit| (0.0..=2.0).contains(&hit.distance)), "{hits:?}");
        // So nothing is within less than nothing, and all within the most.
        for (radius, count) in [(-1e-9, 0), (2.0, 60)] {
            let (options, mut hits) = (SearchOptions::new(60), [Hit::default(); 60]);
            let mut scratch = store.scratch.get();
            let found =
                store.image.search_range(row, radius, &options, &mut scratch, &mut hits).unwrap();
            assert_eq!(found, count, "within {radius}");
        }
    }
}

#[test]
fn a_search_may_be_as_wide_as_it_likes() {
    let mut store = Store::new(&small(Metric::L2));
    store.insert(1, &[0.5; 8]).unwrap();
    let wide = SearchOptions { ef: usize::MAX, ..SearchOptions::new(usize::MAX) };
    assert_eq!(store.find(&[0.5; 8], &wide).map(|hits| hits.len()), Ok(1));
}

#[test]
fn an_empty_image_finds_nothing() {
    let mut store = Store::new(&small(Metric::InnerProduct));
    for mode in [Mode::Auto, Mode::Walk, Mode::Scan, Mode::Exact] {
        assert_eq!(store.search(&[1.0; 8], 5, mode), []);
    }
}

#[test]
fn what_was_stored_comes_back_within_the_error_of_its_encoding() {
    let mut random = Random(2);
    let count = if cfg!(miri) { 6 } else { 400 };
    for dim in [5, 64, 200] {
        for (encoding, tolerance) in
            [(Encoding::F32, 0.0), (Encoding::F16, 0.001), (Encoding::I8, 0.02)]
        {
            let params = Params { encoding, metric: Metric::L2, ..Params::new(dim, count) };
            let mut store = Store::new(&params);
            let rows: Vec<Vec<f32>> = (0..count).map(|_| row(dim, &mut random)).collect();
            for (id, row) in (0..).zip(&rows) {
                store.insert(id, row).unwrap();
            }
            for (id, row) in (0..).zip(&rows) {
                let found = store.get(id).unwrap();
                let worst = row.iter().zip(&found).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(worst <= tolerance, "{dim} {encoding:?}: {worst}");
            }
        }
    }
}

#[test]
fn hidden_vectors_are_not_found_until_they_are_shown_again() {
    let mut store = Store::new(&small(Metric::L2));
    let mut random = Random(3);
    let rows: Vec<Vec<f32>> = (0..40).map(|_| row(8, &mut random)).collect();
    for (id, row) in (0..).zip(&rows) {
        store.insert(id, row).unwrap();
    }
    store.image.mark(5, true).unwrap();
    assert_eq!(store.image.first_hidden(), Some(5));
    for mode in [Mode::Walk, Mode::Scan, Mode::Exact] {
        let found = store.search(&rows[5], 40, mode);
        assert_eq!(found.len(), 39);
        assert!(found.iter().all(|hit| hit.id != 5));
    }
    store.image.mark(5, false).unwrap();
    assert_eq!(store.search(&rows[5], 1, Mode::Walk)[0].id, 5);
    assert_eq!(store.image.first_hidden(), None);
}

#[test]
fn a_larger_image_holds_the_same_and_more() {
    // An interpreter would hash for minutes what tells slots of 32 bits from those of 16: of the
    // two, the graph's tests have both there.
    let (few, many) = if cfg!(miri) { (6, 20) } else { (100, 70_000) };
    let params = Params { ef_construction: 40, ..Params::new(130, few) };
    let mut store = Store::new(&params);
    let mut random = Random(4);
    for id in 0..u64::from(few) {
        store.insert(id * 3, &row(130, &mut random)).unwrap();
    }
    store.image.mark(9, true).unwrap();
    let larger = Params { capacity: many, ..params };
    let bytes = clawft_vectors::required_bytes(&larger).unwrap();
    assert!(matches!(
        store.image.grow_into(few - 1, Buffer::new(bytes)).map(|_| ()),
        Err(Error::Shrink { expected, found }) if (expected, found) == (few, few - 1)
    ));
    let mut grown = Store::over(store.image.grow_into(many, Buffer::new(bytes)).unwrap());
    // What nobody chose is the larger image's own, and what somebody chose stays.
    assert_eq!(grown.image.params().scan_limit, Some(larger.scan_limit_in_force()));
    assert!(cfg!(miri) || grown.image.params().scan_limit < store.image.params().scan_limit);
    // The next look at the centres comes when it would have come.
    for at in [36, 108] {
        let (old, new) = (&store.image.bytes()[at..at + 4], &grown.image.bytes()[at..at + 4]);
        assert!(old == new && (cfg!(miri) || old != [0; 4]));
    }
    for _ in 0..few / 5 {
        let query = row(130, &mut random);
        for mode in [Mode::Walk, Mode::Exact] {
            assert_eq!(store.search(&query, 10, mode), grown.search(&query, 10, mode));
        }
    }
    for id in 1000..1000 + 2 * u64::from(few) {
        grown.insert(id, &row(130, &mut random)).unwrap();
    }
    assert_eq!(grown.image.len(), 3 * few);
    assert!(grown.image.verify(&mut grown.scratch.get()).unwrap().is_sound());
    grown.image.seal();
    assert!(Image::open(Buffer::copy(grown.image.bytes())).is_ok());

    store.image.set_scan_limit(77);
    let grown = store.image.grow_into(many, Buffer::new(bytes)).unwrap();
    assert_eq!(grown.params().scan_limit, Some(77));
}

/// Rows that are asked for together find what each finds alone, under one filter.
#[test]
fn rows_together_find_what_each_finds() {
    let count = if cfg!(miri) { 10 } else { 300 };
    let params = Params { ef_construction: 40, ..Params::new(130, count) };
    let mut store = Store::new(&params);
    let mut random = Random(11);
    for id in 0..count.into() {
        store.insert(id, &row(130, &mut random)).unwrap();
    }
    let queries: Vec<_> = (0..3).map(|_| row(130, &mut random)).collect();
    let ids: Vec<u64> = (0..count.into()).step_by(2).collect();
    for hidden in [false, true] {
        store.image.mark(4, hidden).unwrap();
        for filter in [None, Some(&*ids)] {
            for radius in [f32::INFINITY, 0.3] {
                let options = SearchOptions { filter, ..SearchOptions::new(100) };
                let (mut hits, mut at) = ([Hit::default(); 100], 0);
                let mut alone = Vec::new();
                for query in &queries {
                    let scratch = &mut store.scratch.get();
                    let n = store
                        .image
                        .search_range(query, radius, &options, scratch, &mut hits)
                        .unwrap();
                    alone.push(hits[..n].to_vec());
                }
                let rows = queries.iter().map(Vec::as_slice);
                let take = |found: &[Hit]| {
                    assert_eq!(found, alone[at]);
                    at += 1;
                };
                let scratch = &mut store.scratch.get();
                store.image.search_rows(rows, radius, &options, scratch, &mut hits, take).unwrap();
                assert_eq!(at, 3);
            }
        }
    }
}

fn distance(metric: Metric, a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
    };
    match metric {
        Metric::Cosine => 1.0 - dot(a, b) / (dot(a, a) * dot(b, b)).sqrt(),
        Metric::InnerProduct => 1.0 - dot(a, b),
        Metric::L2 => dot(a, a) + dot(b, b) - 2.0 * dot(a, b),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 60 }, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any calls, then a search of every kind: the ids are the model's, filters hold, and an
    /// exact search over exact codes is the model's own.
    #[test]
    fn the_image_holds_what_the_model_holds(
        ops in prop::collection::vec((0u64..60, 0u8..4), 1..if cfg!(miri) { 30 } else { 150 }),
        metric in prop::sample::select(vec![Metric::Cosine, Metric::InnerProduct, Metric::L2]),
        modulus in 1u64..5, k in 1usize..70, seed: u64,
    ) {
        let params = Params { encoding: Encoding::F32, ..small(metric) };
        let mut store = Store::new(&params);
        let mut model: BTreeMap<u64, Vec<f32>> = BTreeMap::new();
        let mut random = Random(seed);
        for (id, op) in ops {
            let vector = row(8, &mut random);
            let (fits, known) = (model.len() < 50, model.contains_key(&id));
            match op {
                0 => {
                    let done = store.remove(id);
                    prop_assert_eq!(done.is_ok(), model.remove(&id).is_some());
                }
                1 => {
                    let done = store.upsert(id, &vector);
                    prop_assert_eq!(done.is_ok(), fits || known);
                    if done.is_ok() {
                        model.insert(id, vector);
                    }
                }
                _ => {
                    let done = store.insert(id, &vector);
                    prop_assert_eq!(done.is_ok(), fits && !known);
                    if done.is_ok() {
                        model.insert(id, vector);
                    }
                }
            }
        }
        prop_assert!(store.image.verify(&mut store.scratch.get()).unwrap().is_sound());
        let query = row(8, &mut random);
        let ids: Vec<u64> = model.keys().copied().filter(|id| id % modulus == 0).chain([999]).collect();
        let mut expected: Vec<(f64, u64)> = ids
            .iter()
            .filter_map(|id| model.get(id).map(|v| (distance(metric, &query, v), *id)))
            .collect();
        expected.sort_by(|a, b| a.0.total_cmp(&b.0));
        for mode in [Mode::Auto, Mode::Walk, Mode::Scan, Mode::Exact] {
            let options = SearchOptions { mode, filter: Some(&ids), ..SearchOptions::new(k) };
            let found = store.find(&query, &options).unwrap();
            prop_assert_eq!(found.len(), k.min(expected.len()));
            prop_assert!(found.iter().all(|hit| hit.id % modulus == 0 && model.contains_key(&hit.id)));
            prop_assert!(found.windows(2).all(|w| w[0].distance <= w[1].distance));
            // The same by slots, those too that the image does not have or that are free.
            let mut slots = vec![0; 9];
            for slot in ids.iter().filter_map(|&id| store.image.slot(id)) {
                slots[slot as usize / 64] |= 1 << (slot % 64);
            }
            slots[8] = u64::MAX;
            let by_slot = SearchOptions { filter: None, slots: Some(&slots), ..options };
            prop_assert_eq!(&store.find(&query, &by_slot).unwrap(), &found);
            let slots: Vec<u32> = found.iter().filter_map(|hit| store.image.slot(hit.id)).collect();
            let mut distances = vec![0.0; slots.len()];
            store.image.distances(&query, &slots, &mut store.scratch.get(), &mut distances).unwrap();
            prop_assert!(found.iter().map(|hit| hit.distance).eq(distances));
            if mode == Mode::Exact {
                for (hit, (distance, _)) in found.iter().zip(&expected) {
                    prop_assert!((f64::from(hit.distance) - distance).abs() < 1e-5);
                }
            }
        }
        // Everything within a radius that lies between two of them, in the middle and at the end: a
        // search begins with a few.
        let places = if expected.len() < 2 { vec![] } else { vec![expected.len() / 2, expected.len() - 1] };
        for place in places {
            let radius = f64::midpoint(expected[place - 1].0, expected[place].0) as f32;
            let sure = expected.iter().filter(|(d, _)| *d < f64::from(radius) - 1e-5).count();
            let most = expected.iter().filter(|(d, _)| *d < f64::from(radius) + 1e-5).count();
            for mode in [Mode::Auto, Mode::Walk, Mode::Scan, Mode::Exact] {
                let options = SearchOptions { mode, filter: Some(&ids), ..SearchOptions::new(100) };
                let mut hits = vec![Hit::default(); 100];
                let n = store.image.search_range(&query, radius, &options, &mut store.scratch.get(), &mut hits).unwrap();
                prop_assert!(n >= sure && n <= most, "{:?}: {} of {} to {}", mode, n, sure, most);
            }
        }
    }
}
