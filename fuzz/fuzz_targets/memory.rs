//! Any sequence of calls on a memory, its power cut at any of them, beside a map that is searched
//! by brute force: vectors by definition, words by whether a text has them.
#![no_main]

mod common;

use std::collections::BTreeMap;

use arbitrary::Arbitrary;
use clawft_store::memory::{Budget, Derived, Error, Filter, Memory, MemoryOptions, Recall};
use clawft_store::storage::simulated::SimulatedDisk;
use clawft_store::{Limits, Options, Record};
use clawft_vectors::tier_policy::Tier;
use clawft_vectors::{Encoding, Mode};
use libfuzzer_sys::fuzz_target;

const NAME: &str = "file";
const HOUR: u64 = 3_600_000;
const WORDS: [&str; 4] = ["rain", "müde", "Straße", "oboe"];
/// More than there are slots.
const IDS: u8 = 120;
const KINDS: [&str; 3] = ["", "fact", "message"];

/// `Fill` is so many at once: inputs are short, and what is beyond the first 64 slots would never be reached.
#[derive(Arbitrary, Debug)]
enum Operation {
    Remember { id: u8, seed: u16, text: u8, kind: u8, importance: u8, pinned: bool },
    Forget { id: u8 },
    Commit,
    Rollback,
    Compact,
    Save,
    Touch { ids: [u8; 2] },
    Wait { hours: u8 },
    Tick { records: u8, bytes: u16 },
    Reopen { clean: bool, lose: bool, flip: Option<u16> },
    Cut { after: u8 },
    Recall { seed: u16, word: u8, by: u8, k: u8, ef: u8, mode: u8, filter: u8, ids: [u8; 2] },
    Fill { count: u8, seed: u16 },
}

#[derive(Arbitrary, Debug)]
struct Case {
    capacity: u8,
    tiered: bool,
    /// Which part of the room for all hot vectors the image has, beyond the least.
    room: u8,
    seed: u64,
    operations: Vec<Operation>,
}

#[derive(Clone, PartialEq)]
struct Known {
    seed: u16,
    /// A bit for each word.
    text: u8,
    kind: u8,
    created: u64,
    uses: u32,
}

impl Known {
    fn text(&self) -> String {
        let has = |i: &usize| self.text >> i & 1 == 1;
        (0..WORDS.len()).filter(has).map(|i| format!("the {} ", WORDS[i])).collect()
    }
}

type Model = BTreeMap<u64, Known>;

struct Place {
    disk: SimulatedDisk,
    options: MemoryOptions,
    dim: u32,
}

impl Place {
    /// Opens it, again where the power is cut meanwhile.
    fn open(&self) -> Memory {
        loop {
            let storage = Box::new(self.disk.clone());
            match Memory::open(storage, NAME, &self.options, &mut |_, _| {}) {
                Ok(memory) if !self.disk.is_off() => return memory,
                Err(error) if !self.disk.is_off() => panic!("{error}"),
                _ => self.disk.crash(0),
            }
        }
    }

    fn holds(&self, memory: &Memory, model: &Model) -> bool {
        let same = |(id, known): (&u64, &Known)| {
            let mut vector = vec![0.0; self.dim as usize];
            memory.vector(*id, &mut vector).is_ok()
                && vector == common::vector(known.seed, self.dim)
                && memory.text(*id).is_ok_and(|text| text == known.text())
                && memory.fields(*id).is_ok_and(|fields| {
                    fields.kind() == KINDS[usize::from(known.kind)]
                        && fields.created() == known.created
                })
        };
        memory.len() == model.len() && model.iter().all(same)
    }
}

/// Uses are hints: no more than were counted.
fn recount(memory: &Memory, model: &mut Model) {
    for (id, known) in model {
        known.uses = memory.uses(*id).expect("it is there").0;
    }
}

fuzz_target!(|case: Case| {
    let dim = if case.tiered { 130 } else { 3 };
    let capacity = u32::from(case.capacity % 100) + 1;
    let file = Options {
        dim: Some(dim as u16),
        file_id: [7; 16],
        create: true,
        limits: Limits { fold: 900, compact_times: 2, compact_slack: 3000 },
        ..Options::default()
    };
    let encoding = Some(if case.tiered { Encoding::I8 } else { Encoding::F32 });
    let mut options =
        MemoryOptions { file, capacity, encoding, words: 1 << 18, ..MemoryOptions::default() };
    if case.tiered {
        let bytes = |hot| {
            let params = clawft_vectors::Params::new(dim, capacity);
            let params = clawft_vectors::Params { hot: Some(hot), ..params };
            clawft_vectors::required_bytes(&params).expect("sound parameters")
        };
        let (least, most) = (bytes(0), bytes(capacity));
        options.image = Some(least + (most - least) * usize::from(case.room) / 255);
    }
    let disk = SimulatedDisk::new(case.seed);
    let place = Place { disk: disk.clone(), options, dim };
    let mut memory = place.open();
    let (mut model, mut committed) = (Model::new(), Model::new());
    let (mut now, mut touches) = (400_000 * HOUR, [0; IDS as usize]);
    for (step, operation) in (0..).zip(case.operations.into_iter().take(120)) {
        // What a commit that is cut may have made durable.
        let before = model.clone();
        let mut done: Result<(), Error> = Ok(());
        match operation {
            Operation::Remember { id, seed, text, kind, importance, pinned } => {
                let id = u64::from(id % IDS);
                let kind = kind % 3;
                let known = Known { seed, text: text % 16, kind, created: now, uses: 0 };
                done = memory.remember(&Record {
                    id,
                    vector: &common::vector(seed, dim),
                    text: &known.text(),
                    kind: KINDS[usize::from(kind)],
                    session: ["", "s", "s1"][usize::from(text) % 3],
                    created: now,
                    last_used: now,
                    uses: 0,
                    importance: f32::from(importance) / 255.0,
                    pinned,
                    metadata: &[("seed", &seed.to_string())],
                });
                if model.len() == capacity as usize && !model.contains_key(&id) {
                    let error = core::mem::replace(&mut done, Ok(()));
                    let full =
                        Error::Vectors(clawft_vectors::Error::Full { len: capacity, capacity });
                    assert!(error == Err(full) || disk.is_off(), "{error:?}");
                } else if done.is_ok() {
                    model.insert(id, known);
                }
            }
            Operation::Fill { count, seed } => {
                let room = usize::from(count).min(capacity as usize - model.len());
                let free = (0..u64::from(IDS)).filter(|id| !model.contains_key(id));
                let ids: Vec<u64> = free.take(room).collect();
                for (id, i) in ids.into_iter().zip(0..) {
                    let seed = seed.wrapping_add(i);
                    let (text, kind) = (i as u8 % 16, i as u8 % 3);
                    let known = Known { seed, text, kind, created: now, uses: 0 };
                    done = memory.remember(&Record {
                        id,
                        vector: &common::vector(seed, dim),
                        text: &known.text(),
                        kind: KINDS[usize::from(kind)],
                        session: "",
                        created: now,
                        last_used: now,
                        uses: 0,
                        importance: 0.5,
                        pinned: false,
                        metadata: &[],
                    });
                    if done.is_err() {
                        break;
                    }
                    model.insert(id, known);
                }
            }
            Operation::Forget { id } => {
                let id = u64::from(id % IDS);
                let forgotten = memory.forget(id);
                match model.remove(&id) {
                    Some(_) => done = forgotten,
                    None => assert!(forgotten.is_err()),
                }
            }
            Operation::Commit => {
                done = memory.commit(now);
                if done.is_ok() {
                    committed = model.clone();
                }
            }
            Operation::Rollback => {
                done = memory.rollback();
                if done.is_ok() {
                    model = committed.clone();
                    recount(&memory, &mut model);
                }
            }
            Operation::Compact => {
                done = memory.commit(now);
                if done.is_ok() {
                    committed = model.clone();
                    done = memory.compact(now);
                }
            }
            Operation::Save => done = memory.save(),
            Operation::Touch { ids } => {
                let ids = ids.map(|id| u64::from(id % IDS));
                memory.touch(&ids, now);
                for id in ids {
                    touches[id as usize] += 1;
                    model.entry(id).and_modify(|known| known.uses += 1);
                }
            }
            Operation::Wait { hours } => now += u64::from(hours) * HOUR,
            Operation::Tick { records, bytes } => {
                let budget = Budget { records: records.into(), bytes: u64::from(bytes) };
                match memory.tick(now, budget) {
                    Ok(work) => {
                        assert!(work.looked <= budget.records && work.bytes <= budget.bytes);
                        assert!(work.unreadable == 0 || disk.is_off());
                    }
                    Err(error) => done = Err(error),
                }
            }
            Operation::Reopen { clean, lose, flip } => {
                let mut saved = clean;
                if clean {
                    let closed = memory.close(now);
                    assert!(closed.is_ok() || disk.is_off());
                    saved &= closed.is_ok();
                } else {
                    drop(memory);
                }
                if disk.is_off() {
                    disk.crash(case.seed.wrapping_add(step));
                    saved = false;
                }
                let image = format!("{NAME}.image");
                if let Some(mut bytes) = disk.bytes(&image).filter(|_| lose || flip.is_some()) {
                    disk.take(&image);
                    if let (false, Some(at)) = (lose, flip) {
                        let at = usize::from(at) * 17 % bytes.len();
                        bytes[at] ^= 1;
                        disk.put(&image, bytes);
                    }
                    saved = false;
                }
                if saved {
                    disk.cut_after(None);
                }
                memory = place.open();
                model = committed.clone();
                if saved {
                    assert!(model.is_empty() || memory.derived() == Derived::Read);
                }
                for id in model.keys() {
                    let (uses, _) = memory.uses(*id).expect("it is there");
                    assert!(uses <= touches[*id as usize], "hints, but no inventions");
                }
                recount(&memory, &mut model);
                committed = model.clone();
                assert!(place.holds(&memory, &model));
            }
            Operation::Cut { after } => disk.cut_after(Some(after.into())),
            Operation::Recall { seed, word, by, k, ef, mode, filter, ids } => {
                let mode = [Mode::Auto, Mode::Walk, Mode::Scan, Mode::Exact][mode as usize % 4];
                let k = usize::from(k % 50);
                let ids = ids.map(|id| u64::from(id % IDS));
                let filter = match filter % 4 {
                    0 => Filter { kinds: Some(&KINDS[1..]), ..Filter::default() },
                    1 => Filter { ids: Some(&ids), ..Filter::default() },
                    2 => Filter { created: Some((0, now)), ..Filter::default() },
                    _ => Filter::default(),
                };
                let query = common::vector(seed, dim);
                let recall = Recall {
                    vector: (by % 3 != 0).then_some(&query),
                    text: (by % 3 != 1).then_some(WORDS[usize::from(word % 4)]),
                    k,
                    ef: ef.into(),
                    mode,
                    filter,
                    ..Recall::default()
                };
                check(&mut memory, &model, &recall, word % 4, case.tiered);
            }
        }
        if disk.is_off() {
            drop(memory);
            disk.crash(case.seed.wrapping_add(step));
            memory = place.open();
            // All that was committed, and of a commit that was cut all or nothing.
            if place.holds(&memory, &committed) {
                model = committed;
            } else {
                assert!(place.holds(&memory, &before), "a commit is there in part");
                model = before;
            }
            recount(&memory, &mut model);
            committed = model.clone();
        } else {
            done.expect("nothing stands in its way");
        }
        assert_eq!(memory.len(), model.len());
    }
    disk.cut_after(None);
    assert!(place.holds(&memory, &model));
    for (id, known) in &model {
        assert_eq!(memory.uses(*id).expect("it is there").0, known.uses);
        let tier = memory.tier(*id).expect("it is there");
        assert_eq!(memory.is_lossy(*id), Ok(tier != Tier::Hot));
        let (mut found, mut vector) = (vec![0.0; dim as usize], common::vector(known.seed, dim));
        memory.compared(*id, &mut found).expect("it is there");
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        vector.iter_mut().for_each(|x| *x /= length);
        let lost = vector.iter().zip(&found).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
        assert!(lost < [0.012, 0.024, 0.09, 0.4][tier as usize], "{tier:?} has lost {lost}");
    }
});

fn check(memory: &mut Memory, model: &Model, recall: &Recall<'_>, word: u8, tiered: bool) {
    let result = memory.recall(recall);
    if recall.k == 0 {
        return assert!(result.is_err());
    }
    let found = result.expect("a sound query");
    let may = |id: u64, known: &Known| {
        let Filter { kinds, ids, created, .. } = recall.filter;
        kinds.is_none_or(|kinds| kinds.contains(&KINDS[usize::from(known.kind)]))
            && ids.is_none_or(|ids| ids.contains(&id))
            && created.is_none_or(|(from, to)| (from..to).contains(&known.created))
    };
    let has = |known: &Known| known.text >> word & 1 == 1;
    let matching =
        |&(id, known): &(&u64, &Known)| may(*id, known) && (recall.vector.is_some() || has(known));
    let matching = model.iter().filter(matching).count();
    assert_eq!(found.len(), recall.k.min(matching), "{recall:?}");
    assert!(found.is_sorted_by(|a, b| a.score >= b.score));
    let mut ids: Vec<u64> = found.iter().map(|one| one.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), found.len());
    for one in &found {
        let known = model.get(&one.id).expect("what is found is there");
        assert!(may(one.id, known));
        assert_eq!(one.words > 0.0, recall.text.is_some() && has(known), "{one:?}");
        if let Some(query) = recall.vector {
            let stored = common::vector(known.seed, query.len() as u32);
            let dot = |a: &[f32], b: &[f32]| -> f64 {
                a.iter().zip(b).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum()
            };
            let cosine = dot(query, &stored) / (dot(query, query) * dot(&stored, &stored)).sqrt();
            let bound = if tiered { 0.4 } else { 1e-5 };
            assert!((f64::from(one.similarity) - cosine).abs() < bound, "{one:?} {cosine}");
        }
    }
}
