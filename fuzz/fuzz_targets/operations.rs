//! Any sequence of operations on an image, beside a `BTreeMap` that is searched
//! by brute force.
#![no_main]

mod common;

use std::collections::BTreeMap;

use arbitrary::Arbitrary;
use clawft_vectors::{Error, Hit, Image, Metric, Mode, Params, SearchOptions};
use libfuzzer_sys::fuzz_target;

/// `Fill` is so many at once: inputs are short, and what is beyond the first 64 slots would never be reached.
#[derive(Arbitrary, Debug)]
enum Operation {
    Insert { id: u8, seed: u16 },
    Upsert { id: u8, seed: u16 },
    Remove { id: u8 },
    Mark { id: u8, hidden: bool },
    Search { seed: u16, k: u8, ef: u8, mode: u8, filter: Option<(u8, u8)> },
    Range { seed: u16, k: u8, radius: f32 },
    Get { id: u8 },
    Grow { by: u8 },
    Reopen,
    Fill { count: u8, seed: u16 },
}

#[derive(Arbitrary, Debug)]
struct Case {
    kind: u8,
    capacity: u8,
    operations: Vec<Operation>,
}

/// Seed of the vector, and whether it is marked as deleted.
type Model = BTreeMap<u64, (u16, bool)>;

fuzz_target!(|case: Case| {
    let params = common::params(case.kind, case.capacity);
    let dim = params.dim;
    let mut image = common::create(&params);
    let mut model = Model::new();
    for operation in case.operations.into_iter().take(300) {
        let layout = *image.layout();
        let capacity = image.capacity();
        let full = model.len() == capacity as usize;
        common::with_scratch(&layout, capacity, |scratch| match operation {
            Operation::Insert { id, seed } => {
                let id = u64::from(id);
                let result = image.insert(id, &common::vector(seed, dim), scratch);
                match (model.contains_key(&id), full) {
                    (true, _) => assert_eq!(result, Err(Error::DuplicateId(id))),
                    (false, true) => assert!(matches!(result, Err(Error::Full { .. }))),
                    (false, false) => {
                        result.expect("there is room for a new id");
                        model.insert(id, (seed, false));
                    }
                }
            }
            Operation::Upsert { id, seed } => {
                let id = u64::from(id);
                let result = image.upsert(id, &common::vector(seed, dim), scratch);
                if full && !model.contains_key(&id) {
                    assert!(matches!(result, Err(Error::Full { .. })));
                } else {
                    result.expect("there is room");
                    model.insert(id, (seed, false));
                }
            }
            Operation::Remove { id } => {
                let id = u64::from(id);
                let result = image.remove(id, scratch);
                assert_eq!(result.is_ok(), model.remove(&id).is_some());
            }
            Operation::Mark { id, hidden } => {
                let id = u64::from(id);
                let result = image.mark(id, hidden);
                assert_eq!(result.is_ok(), model.contains_key(&id));
                model.entry(id).and_modify(|entry| entry.1 = hidden);
            }
            Operation::Search { seed, k, ef, mode, filter } => {
                let filter: Option<Vec<u64>> = filter.map(|(modulus, remainder)| {
                    let modulus = u64::from(modulus).max(1);
                    (0..256).filter(|id| id % modulus == u64::from(remainder) % modulus).collect()
                });
                let mode = [Mode::Auto, Mode::Walk, Mode::Scan, Mode::Exact][mode as usize % 4];
                let options = SearchOptions {
                    k: usize::from(k).min(capacity as usize),
                    ef: usize::from(ef).min(capacity as usize),
                    mode,
                    filter: filter.as_deref(),
                    slots: None,
                };
                let mut hits = vec![Hit::default(); capacity as usize];
                let result = image.search(&common::vector(seed, dim), &options, scratch, &mut hits);
                if options.k == 0 {
                    assert_eq!(result, Err(Error::ZeroK));
                    return;
                }
                let found = &hits[..result.expect("the query is sound")];
                check(&image, &model, &options, found, &common::vector(seed, dim));
            }
            Operation::Range { seed, k, radius } => {
                let options = SearchOptions {
                    k: usize::from(k).clamp(1, capacity as usize),
                    ef: capacity as usize,
                    mode: if seed % 2 == 0 { Mode::Exact } else { Mode::Auto },
                    ..SearchOptions::new(1)
                };
                // Most numbers are beyond any distance, or so near 0 that nothing is within.
                let radius = if radius.is_finite() { radius % farthest(&params) } else { radius };
                let mut hits = vec![Hit::default(); capacity as usize];
                let vector = common::vector(seed, dim);
                match image.search_range(&vector, radius, &options, scratch, &mut hits) {
                    Ok(n) => {
                        assert!(n <= options.k && !radius.is_nan());
                        assert!(hits[..n].iter().all(|hit| hit.distance <= radius));
                        if options.mode == Mode::Exact {
                            let (radius, error) = (f64::from(radius), error(&params));
                            let within = |radius: f64| {
                                let shown = model.values().filter(|entry| !entry.1);
                                let truth = shown.map(|e| distance(&params, e.0, &vector));
                                truth.filter(|&d| d <= radius).count().min(options.k)
                            };
                            let (least, most) = (within(radius - error), within(radius + error));
                            assert!((least..=most).contains(&n), "{n} of {least} to {most}");
                        }
                    }
                    Err(error) => assert!(radius.is_nan() && error == Error::Radius),
                }
            }
            Operation::Get { id } => {
                let id = u64::from(id);
                let mut row = vec![0.0; dim as usize];
                let result = image.get(id, &mut row, scratch);
                assert_eq!(result.is_ok(), model.contains_key(&id));
                assert!(row.iter().all(|x| x.is_finite()));
            }
            Operation::Grow { by } => {
                let larger = capacity + u32::from(by % 20);
                if larger <= 200 {
                    let params = Params { capacity: larger, ..*image.params() };
                    let bytes = clawft_vectors::required_bytes(&params).expect("sound");
                    let buffer = common::Buffer::new(bytes);
                    image = image.grow_into(larger, buffer).expect("larger is allowed");
                }
            }
            Operation::Reopen => {
                image.seal();
                let mut copy = common::Buffer::new(image.bytes().len());
                copy.copy_from_slice(image.bytes());
                image = Image::open(copy).expect("a sealed image opens");
            }
            Operation::Fill { count, seed } => {
                let free = (0..256).filter(|id| !model.contains_key(id));
                let room = usize::from(count).min(capacity as usize - model.len());
                let ids: Vec<u64> = free.take(room).collect();
                for (id, seed) in ids.into_iter().zip((0..).map(|i| seed.wrapping_add(i))) {
                    let vector = common::vector(seed, dim);
                    image.insert(id, &vector, scratch).expect("there is room for a new id");
                    model.insert(id, (seed, false));
                }
            }
        });
        assert_eq!(image.len() as usize, model.len());
        assert_eq!(image.stats().hidden as usize, model.values().filter(|entry| entry.1).count());
    }
    let capacity = image.capacity();
    let report = common::with_scratch(image.layout(), capacity, |scratch| image.verify(scratch));
    let report = report.expect("the scratch fits");
    assert!(report.is_sound(), "{report:?}");
});

/// By definition over the vector as it was given, in f64.
fn distance(params: &Params, seed: u16, query: &[f32]) -> f64 {
    let stored = common::vector(seed, params.dim);
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum()
    };
    let (aa, bb, ab) = (dot(&stored, &stored), dot(query, query), dot(&stored, query));
    match params.metric {
        Metric::Cosine => 1.0 - ab / (aa * bb).sqrt(),
        Metric::InnerProduct => 1.0 - ab,
        Metric::L2 => aa + bb - 2.0 * ab,
    }
}

/// A distance that no two of [`common::vector`] have.
fn farthest(params: &Params) -> f32 {
    match params.metric {
        Metric::Cosine => 2.1,
        Metric::InnerProduct | Metric::L2 => 1.0 + 16.0 * params.dim as f32,
    }
}

/// What the encodings allow: it grows with the lengths.
fn error(params: &Params) -> f64 {
    match params.metric {
        Metric::Cosine => 0.02,
        Metric::InnerProduct | Metric::L2 => 0.02 * (1.0 + 8.0 * f64::from(params.dim)),
    }
}

/// `min(k, matching)` results, none outside, in order, none twice; exact ones the nearest.
fn check(
    image: &Image<common::Buffer>,
    model: &Model,
    options: &SearchOptions<'_>,
    found: &[Hit],
    query: &[f32],
) {
    let may = |id: u64| options.filter.is_none_or(|filter| filter.contains(&id));
    let matching = model.iter().filter(|&(&id, entry)| !entry.1 && may(id)).count();
    assert_eq!(found.len(), options.k.min(matching), "{:?}", options);
    assert!(found.is_sorted_by(|a, b| a.distance <= b.distance));
    let mut ids: Vec<u64> = found.iter().map(|hit| hit.id).collect();
    assert!(ids.iter().all(|&id| may(id) && model.get(&id).is_some_and(|entry| !entry.1)));
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), found.len());

    if options.mode == Mode::Exact {
        let mut truth: Vec<f64> = model
            .iter()
            .filter(|&(&id, entry)| !entry.1 && may(id))
            .map(|(_, entry)| distance(image.params(), entry.0, query))
            .collect();
        truth.sort_by(f64::total_cmp);
        for (hit, expected) in found.iter().zip(truth) {
            let off = (f64::from(hit.distance) - expected).abs();
            assert!(off <= error(image.params()), "{hit:?} where {expected} is the truth");
        }
    }
}
