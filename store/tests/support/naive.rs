//! A naive memory beside the real one: what it was given, filters as functions, and the check that all
//! that can be asked is answered alike.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part of this")]

use std::collections::BTreeMap;

use clawft_store::memory::{Filter, Memory, MemoryOptions, Recall};
use clawft_store::storage::simulated::SimulatedDisk;
use clawft_vectors::{Encoding, Mode};

use crate::support::{DIM, NAME, Owned, Random, options, remember};

pub type Model = BTreeMap<u64, Owned>;

/// Records of a memory that was closed.
pub const COUNT: u64 = if cfg!(miri) { 12 } else { 30 };

pub fn memory_options(capacity: u32) -> MemoryOptions {
    // Exact vectors, so that the naive order is the right one.
    MemoryOptions {
        file: options(),
        capacity,
        encoding: Some(Encoding::F32),
        words: 1 << 20,
        ..MemoryOptions::default()
    }
}

pub fn open(disk: &SimulatedDisk, capacity: u32) -> Memory {
    Memory::open(Box::new(disk.clone()), NAME, &memory_options(capacity), &mut |_, _| {}).unwrap()
}

pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// A filter and the same as a function of the id, the record and when it was last used.
pub type Case = (Filter<'static>, fn(u64, &Owned, u64) -> bool);

pub fn filters() -> Vec<Case> {
    vec![
        (Filter::default(), |_, _, _| true),
        (Filter { kinds: Some(&["fact"]), ..Filter::default() }, |_, r, _| r.kind == "fact"),
        (Filter { kinds: Some(&["fact", ""]), ..Filter::default() }, |_, r, _| {
            ["fact", ""].contains(&r.kind.as_str())
        }),
        (Filter { sessions: Some(&["s1"]), ..Filter::default() }, |_, r, _| r.session == "s1"),
        (Filter { created: Some((1 << 37, 1 << 39)), ..Filter::default() }, |_, r, _| {
            (1 << 37..1 << 39).contains(&r.created)
        }),
        (
            Filter {
                last_used: Some((1 << 38, u64::MAX)),
                sessions: Some(&[""]),
                ..Filter::default()
            },
            |_, r, used| used >= 1 << 38 && r.session.is_empty(),
        ),
        (
            Filter {
                created: Some((0, 1 << 39)),
                last_used: Some((1 << 38, 1 << 39)),
                ..Filter::default()
            },
            |_, r, used| r.created < 1 << 39 && (1 << 38..1 << 39).contains(&used),
        ),
        (Filter { metadata: &[("key0", "value 7")], ..Filter::default() }, |_, r, _| {
            r.metadata.contains(&("key0".into(), "value 7".into()))
        }),
        (Filter { ids: Some(&[3, 1, 1, 900, 17]), ..Filter::default() }, |id, _, _| {
            [1, 3, 17, 900].contains(&id)
        }),
        (Filter { kinds: Some(&[]), ..Filter::default() }, |_, _, _| false),
    ]
}

/// Everything that can be asked is answered as the model says.
pub fn check(memory: &mut Memory, model: &Model, random: &mut Random) {
    assert_eq!(memory.len(), model.len());
    for (id, owned) in model {
        assert_eq!(&Owned::get(memory.file(), *id).unwrap(), owned);
    }
    // Some are used, at times that have nothing to do with when they were made.
    let mut used = BTreeMap::new();
    for &id in model.keys() {
        let (uses, mut last) = memory.uses(id).unwrap();
        if random.below(2) == 0 {
            last = random.below(1 << 40);
            memory.touch(&[id], last);
            assert_eq!(memory.uses(id), Some((uses.saturating_add(1), last)));
        }
        used.insert(id, last);
    }
    let matches = |matches: fn(u64, &Owned, u64) -> bool, id: u64, owned: &Owned| {
        matches(id, owned, used[&id])
    };
    let query: Vec<f32> = (0..DIM).map(|_| random.float() + 0.001).collect();
    // An interpreter takes every fourth.
    for (filter, may) in filters().into_iter().step_by(if cfg!(miri) { 4 } else { 1 }) {
        let mut near: Vec<(f64, u64)> = model
            .iter()
            .filter(|(id, owned)| matches(may, **id, owned))
            .map(|(id, owned)| (-cosine(&query, &owned.vector), *id))
            .collect();
        near.sort_by(|a, b| a.partial_cmp(b).unwrap());
        for mode in [Mode::Auto, Mode::Walk, Mode::Exact] {
            let recall = Recall { vector: Some(&query), k: 7, mode, filter, ..Recall::default() };
            let found = memory.recall(&recall).unwrap();
            assert_eq!(found.len(), near.len().min(7), "{filter:?}");
            for (found, (distance, _)) in found.iter().zip(&near) {
                assert!((f64::from(found.score) + distance).abs() < 1e-5);
                assert_eq!(found.words, 0.0);
            }
        }
        let with_word: Vec<u64> = model
            .iter()
            .filter(|(id, owned)| matches(may, **id, owned) && owned.text.contains("rain"))
            .map(|(id, _)| *id)
            .collect();
        let recall = Recall { text: Some("Rain"), k: 1000, filter, ..Recall::default() };
        let found = memory.recall(&recall).unwrap();
        let mut ids: Vec<u64> = found.iter().map(|one| one.id).collect();
        assert!(found.iter().all(|one| one.words > 0.0 && one.score == one.words));
        ids.sort_unstable();
        assert_eq!(ids, with_word, "{filter:?}");

        let both = Recall { vector: Some(&query), text: Some("rain"), filter, ..Recall::default() };
        let found = memory.recall(&both).unwrap();
        assert_eq!(found.len(), near.len().min(10), "{filter:?} {found:?} {near:?}");
        assert!(found.is_sorted_by(|a, b| a.score >= b.score));
        for one in &found {
            let owned = &model[&one.id];
            let wanted = cosine(&query, &owned.vector);
            assert!((f64::from(one.similarity) - wanted).abs() < 1e-5, "{one:?} {wanted}");
            assert_eq!(one.words > 0.0, owned.text.contains("rain"));
        }
    }
}

/// A memory of 30 records, closed.
pub fn closed(seed: u64) -> (SimulatedDisk, Model) {
    let mut random = Random(seed);
    let disk = SimulatedDisk::new(seed);
    let mut memory = open(&disk, 60);
    let mut model = Model::new();
    for id in 0..COUNT {
        let owned = Owned::random(&mut random, DIM, 30);
        remember(&mut memory, id, &owned).unwrap();
        model.insert(id, owned);
    }
    memory.commit(0).unwrap();
    memory.close(0).unwrap();
    (disk, model)
}
