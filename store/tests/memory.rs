//! The memory against a naive one: what is remembered is found, by vector, by words and by both,
//! under every filter, and after every way to end and begin again.

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use clawft_store::memory::{Derived, Error, Filter, Memory, MemoryOptions, Recall};
use clawft_store::storage::simulated::SimulatedDisk;
use clawft_store::{DamageKind, Options, Part, Record};
use clawft_vectors::{Encoding, Mode};
use support::{DIM, NAME, Owned, Random, copy, options};

type Model = BTreeMap<u64, Owned>;

/// Records of a memory that was closed.
const COUNT: u64 = if cfg!(miri) { 12 } else { 30 };

fn memory_options(capacity: u32) -> MemoryOptions {
    // Exact vectors, so that the naive order is the right one.
    MemoryOptions {
        file: options(),
        capacity,
        encoding: Some(Encoding::F32),
        words: 1 << 20,
        ..MemoryOptions::default()
    }
}

fn open(disk: &SimulatedDisk, capacity: u32) -> Memory {
    Memory::open(Box::new(disk.clone()), NAME, &memory_options(capacity), &mut |_, _| {}).unwrap()
}

fn remember(memory: &mut Memory, id: u64, owned: &Owned) -> Result<(), Error> {
    let metadata: Vec<(&str, &str)> =
        owned.metadata.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    memory.remember(&Record {
        id,
        vector: &owned.vector,
        text: &owned.text,
        kind: &owned.kind,
        session: &owned.session,
        created: owned.created,
        last_used: owned.created + 5,
        uses: owned.uses,
        importance: 0.25,
        pinned: owned.pinned,
        metadata: &metadata,
    })
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// A filter and the same as a function.
type Case = (Filter<'static>, fn(u64, &Owned) -> bool);

fn filters() -> Vec<Case> {
    vec![
        (Filter::default(), |_, _| true),
        (Filter { kinds: Some(&["fact"]), ..Filter::default() }, |_, r| r.kind == "fact"),
        (Filter { kinds: Some(&["fact", ""]), ..Filter::default() }, |_, r| r.kind != "message"),
        (Filter { sessions: Some(&["s1"]), ..Filter::default() }, |_, r| r.session == "s1"),
        (Filter { created: Some((1 << 37, 1 << 39)), ..Filter::default() }, |_, r| {
            (1 << 37..1 << 39).contains(&r.created)
        }),
        (
            Filter {
                last_used: Some((1 << 38, u64::MAX)),
                sessions: Some(&[""]),
                ..Filter::default()
            },
            |_, r| r.created + 5 >= 1 << 38 && r.session.is_empty(),
        ),
        (Filter { metadata: &[("key0", "value 7")], ..Filter::default() }, |_, r| {
            r.metadata.contains(&("key0".into(), "value 7".into()))
        }),
        (Filter { ids: Some(&[3, 1, 1, 900, 17]), ..Filter::default() }, |id, _| {
            [1, 3, 17, 900].contains(&id)
        }),
        (Filter { kinds: Some(&[]), ..Filter::default() }, |_, _| false),
    ]
}

/// Everything that can be asked is answered as the model says.
fn check(memory: &mut Memory, model: &Model, random: &mut Random) {
    assert_eq!(memory.len(), model.len());
    for (id, owned) in model {
        assert_eq!(&Owned::get(memory.file(), *id).unwrap(), owned);
    }
    let query: Vec<f32> = (0..DIM).map(|_| random.float() + 0.001).collect();
    // An interpreter takes every fourth.
    for (filter, matches) in filters().into_iter().step_by(if cfg!(miri) { 4 } else { 1 }) {
        let mut near: Vec<(f64, u64)> = model
            .iter()
            .filter(|(id, owned)| matches(**id, owned))
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
            .filter(|(id, owned)| matches(**id, owned) && owned.text.contains("rain"))
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

#[test]
fn is_what_the_naive_one_is() {
    for seed in 0..if cfg!(miri) { 1 } else { 25 } {
        let mut random = Random(seed);
        let disk = SimulatedDisk::new(seed);
        let mut memory = open(&disk, 60);
        let (mut committed, mut model) = (Model::new(), Model::new());
        for step in 0..if cfg!(miri) { 30 } else { 120 } {
            let id = random.below(40);
            match random.below(14) {
                0..8 => {
                    let owned = Owned::random(&mut random, DIM, 30);
                    remember(&mut memory, id, &owned).unwrap();
                    model.insert(id, owned);
                }
                8..10 => {
                    assert_eq!(memory.forget(id).is_ok(), model.remove(&id).is_some());
                }
                10 => {
                    memory.commit(step).unwrap();
                    committed = model.clone();
                }
                11 => {
                    memory.rollback().unwrap();
                    model = committed.clone();
                }
                12 => {
                    memory.commit(step).unwrap();
                    committed = model.clone();
                    memory.compact(step).unwrap();
                }
                _ => {
                    let clean = random.below(2) == 0;
                    if clean {
                        memory.close(step).unwrap();
                    } else {
                        drop(memory);
                    }
                    memory = open(&disk, 60);
                    model = committed.clone();
                    let derived = memory.derived();
                    assert!(!clean || model.is_empty() || derived == Derived::Read, "{derived:?}");
                }
            }
            if step % 15 == 0 {
                check(&mut memory, &model, &mut random);
            }
        }
        check(&mut memory, &model, &mut random);
    }
}

/// A memory of 30 records, closed.
fn closed(seed: u64) -> (SimulatedDisk, Model) {
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

#[test]
fn what_is_derived_is_never_taken_for_the_truth() {
    let (disk, model) = closed(1);
    let image = format!("{NAME}.image");
    let bytes = disk.bytes(&image).unwrap();
    let mut random = Random(5);

    let missing = copy(&disk);
    missing.take(&image);
    let mut done = Vec::new();
    let mut memory = Memory::open(Box::new(missing), NAME, &memory_options(60), &mut |n, all| {
        done.push((n, all))
    })
    .unwrap();
    assert_eq!(memory.derived(), Derived::Missing);
    assert_eq!((done.len() as u64, done.last()), (COUNT, Some(&(COUNT as usize, COUNT as usize))));
    check(&mut memory, &model, &mut random);

    // Whatever bit flips and wherever it is cut, the records are right.
    for at in (0..bytes.len()).step_by(bytes.len() / if cfg!(miri) { 2 } else { 150 }) {
        let (flipped, cut) = (copy(&disk), copy(&disk));
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        flipped.take(&image);
        flipped.put(&image, changed);
        cut.take(&image);
        cut.put(&image, bytes[..at].to_vec());
        for disk in [flipped, cut] {
            let mut memory = open(&disk, 60);
            assert_ne!(memory.derived(), Derived::Read, "byte {at}");
            let recall = Recall { text: Some("rain tea five"), k: 99, ..Recall::default() };
            let words = model.values().filter(|r| !r.text.replace("nothing ", "").is_empty());
            assert!(memory.recall(&recall).unwrap().len() <= words.count());
        }
    }

    // Made for another capacity or under a larger limit, or of another version of the records.
    assert_eq!(open(&copy(&disk), 61).derived(), Derived::Stale);
    let tight = MemoryOptions { words: 100, ..memory_options(60) };
    let storage = Box::new(copy(&disk));
    let refused = Memory::open(storage, NAME, &tight, &mut |_, _| {}).err();
    assert_eq!(refused, Some(Error::WordsFull { limit: 100 }));
    let mut memory = open(&disk, 60);
    assert_eq!(memory.derived(), Derived::Read);
    memory.forget(3).unwrap();
    memory.commit(1).unwrap();
    drop(memory);
    let mut memory = open(&disk, 60);
    assert_eq!(memory.derived(), Derived::Stale);
    let mut model = model;
    model.remove(&3);
    check(&mut memory, &model, &mut random);
}

#[test]
fn what_is_derived_is_of_these_records_and_not_of_as_many_commits() {
    // In the journal, and long enough to be folded into the base by the commit.
    for len in [3, 300] {
        let (disk, mut model) = closed(11);
        let change = |disk: &SimulatedDisk, word: &str, x: f32| {
            let mut memory = open(disk, 60);
            let owned =
                Owned { text: word.repeat(len), vector: vec![x, 1.0, 0.5], ..model[&3].clone() };
            remember(&mut memory, 3, &owned).unwrap();
            memory.commit(1).unwrap();
            (memory, owned)
        };
        let backup = copy(&disk);
        let (mut memory, _) = change(&disk, "five ", 1.0);
        memory.save().unwrap();
        let version = memory.file().version();
        assert_eq!(memory.file().sizes().journal > 64, len == 3);
        // Killed; file and journal come from the backup, the image stays.
        drop(memory);
        for name in [NAME.to_string(), format!("{NAME}.journal")] {
            disk.take(&name);
            disk.put(&name, backup.bytes(&name).unwrap());
        }
        let (memory, owned) = change(&disk, "rain ", -1.0);
        assert_eq!((memory.derived(), memory.file().version()), (Derived::Stale, version));
        drop(memory);
        let mut memory = open(&disk, 60);
        assert_eq!(memory.derived(), Derived::Stale);
        model.insert(3, owned);
        check(&mut memory, &model, &mut Random(12));
        let recall = Recall { text: Some("rain"), k: 99, ..Recall::default() };
        assert!(memory.recall(&recall).unwrap().iter().any(|found| found.id == 3));
    }
}

#[test]
fn no_string_passes_for_another() {
    // XXH64 takes the first two for the same, and the other two under every seed.
    let forged = [
        ("alice", "00000008\r\x12H\x18{k\u{506}"),
        ("d>(|%*15:sH%#!E|", "DK)\x14#\u{7e8}\x14:sH%t\u{577}e"),
    ];
    for seed in [0, 1, 0x9E37_79B9_7F4A_7C15] {
        let hash = |text: &str| xxhash_rust::xxh64::xxh64(text.as_bytes(), seed);
        for (name, other) in &forged[usize::from(seed != 0)..] {
            assert_eq!(hash(name), hash(other), "{seed}");
        }
    }
    let mut random = Random(13);
    let mut memory = open(&SimulatedDisk::new(13), 60);
    let texts = forged.iter().flat_map(|&(name, other)| [name, other]);
    for (id, text) in (0..).zip(texts) {
        let metadata = vec![("key".into(), text.into())];
        let (kind, session) = (text.into(), text.into());
        let owned = Owned { kind, session, metadata, ..Owned::random(&mut random, DIM, 30) };
        remember(&mut memory, id, &owned).unwrap();
    }
    for (id, (name, _)) in (0..).step_by(2).zip(forged) {
        let (names, pairs) = ([name], [("key", name)]);
        let filters = [
            Filter { kinds: Some(&names), ..Filter::default() },
            Filter { sessions: Some(&names), ..Filter::default() },
            Filter { metadata: &pairs, ..Filter::default() },
        ];
        for filter in filters {
            let vector = Some(&[1.0, 0.0, 0.0][..]);
            let found = memory.recall(&Recall { vector, filter, ..Recall::default() }).unwrap();
            assert_eq!(found.iter().map(|one| one.id).collect::<Vec<_>>(), [id], "{filter:?}");
        }
    }
}

#[test]
fn what_is_refused_leaves_everything_as_it_was() {
    let disk = SimulatedDisk::new(3);
    let mut memory = open(&disk, 4);
    let mut random = Random(3);
    let mut model = Model::new();
    for id in 0..4 {
        let owned = Owned::random(&mut random, DIM, 30);
        remember(&mut memory, id, &owned).unwrap();
        model.insert(id, owned);
    }
    let good = Owned::random(&mut random, DIM, 30);
    let with = |change: fn(&mut Owned)| {
        let mut owned = good.clone();
        change(&mut owned);
        owned
    };
    let full = remember(&mut memory, 9, &good).unwrap_err();
    assert_eq!(full.code(), -7, "{full}");
    let bad = [
        with(|r| r.vector.push(1.0)),
        with(|r| r.vector[1] = f32::NAN),
        with(|r| r.vector.fill(0.0)),
        with(|r| r.kind = "k".repeat(256)),
        with(|r| r.metadata = vec![("a".into(), "1".into()), ("a".into(), "2".into())]),
        with(|r| r.text = "x".repeat((1 << 20) + 1)),
    ];
    for bad in &bad {
        let error = remember(&mut memory, 2, bad).unwrap_err();
        assert!(error.code() < 0 && !error.to_string().is_empty());
        check(&mut memory, &model, &mut random);
    }
    assert_eq!(memory.forget(77).unwrap_err(), Error::File(clawft_store::Error::UnknownId(77)));
    assert_eq!(memory.recall(&Recall::default()).unwrap_err(), Error::NothingAsked);
    let zero = Recall { text: Some("x"), k: 0, ..Recall::default() };
    assert!(memory.recall(&zero).is_err());

    // A text beyond the words' limit.
    let (limit, words) = if cfg!(miri) { (20_000, 2_000) } else { (50_000, 40_000) };
    let tight = MemoryOptions { words: limit, ..memory_options(4) };
    let disk = SimulatedDisk::new(4);
    let mut memory = Memory::open(Box::new(disk), NAME, &tight, &mut |_, _| {}).unwrap();
    remember(&mut memory, 1, &model[&1]).unwrap();
    let long: String = (0..words).map(|i| format!("w{i} ")).collect();
    let error =
        remember(&mut memory, 1, &Owned { text: long.clone(), ..good.clone() }).unwrap_err();
    assert_eq!(error, Error::WordsFull { limit });
    // One that the file refuses is not read at all.
    let long = long.repeat((1 << 20) / long.len() + 1);
    let part = Part::Text;
    let (limit, found) = (1 << 20, long.len() as u32);
    let error = remember(&mut memory, 1, &Owned { text: long, ..good }).unwrap_err();
    assert_eq!(error, Error::File(clawft_store::Error::Limit { part, limit, found }));
    check(&mut memory, &Model::from([(1, model[&1].clone())]), &mut random);
}

/// A memory in which a bit of record 50 is flipped: of its text, or of its vector.
fn damaged(in_text: bool) -> (SimulatedDisk, Model) {
    let (disk, model) = closed(10);
    let mut memory = open(&disk, 60);
    let mut owned = Owned::random(&mut Random(12), DIM, 30);
    owned.text = "a xylophone in the attic".into();
    remember(&mut memory, 50, &owned).unwrap();
    memory.commit(0).unwrap();
    memory.close(0).unwrap();
    let mut part: Vec<u8> = owned.vector.iter().flat_map(|x| x.to_le_bytes()).collect();
    if in_text {
        part = owned.text.into();
    }
    let mut bytes = disk.bytes(NAME).unwrap();
    let at = bytes.windows(part.len()).position(|window| window == part).unwrap();
    bytes[at + 3] ^= 1;
    disk.put(NAME, bytes);
    (disk, model)
}

#[test]
fn a_damaged_record_can_be_forgotten_and_replaced() {
    for (in_text, replaced) in [(true, false), (true, true), (false, false), (false, true)] {
        let (disk, mut model) = damaged(in_text);
        let mut memory = open(&disk, 60);
        assert_eq!(memory.derived(), Derived::Read);
        assert!(memory.compact(0).is_err(), "it would write what it cannot read");
        let owned = Owned::random(&mut Random(11), DIM, 30);
        if replaced {
            remember(&mut memory, 50, &owned).unwrap();
            model.insert(50, owned);
        } else {
            memory.forget(50).unwrap();
            // In the slot that was left.
            remember(&mut memory, 51, &owned).unwrap();
            model.insert(51, owned);
        }
        for _ in 0..2 {
            check(&mut memory, &model, &mut Random(1));
            let recall = Recall { text: Some("xylophone attic"), ..Recall::default() };
            assert_eq!(memory.recall(&recall).unwrap(), []);
            memory.commit(0).unwrap();
            memory.compact(0).unwrap();
            assert_eq!(memory.file().verify(1).unwrap(), []);
            memory.close(0).unwrap();
            memory = open(&disk, 60);
            assert_eq!(memory.derived(), Derived::Read);
        }
    }
}

#[test]
fn with_salvage_a_damaged_record_is_noted_and_all_others_are_found() {
    for in_text in [true, false] {
        let (disk, model) = damaged(in_text);
        let kind = if in_text { DamageKind::Text } else { DamageKind::Vector };
        disk.take(&format!("{NAME}.image"));
        let open = |salvage| {
            let file = Options { salvage, ..options() };
            let options = MemoryOptions { file, ..memory_options(60) };
            Memory::open(Box::new(copy(&disk)), NAME, &options, &mut |_, _| {})
        };
        let refused = open(false).err().unwrap();
        assert!(matches!(refused, Error::File(clawft_store::Error::Damaged(_))), "{refused}");
        let mut memory = open(true).unwrap();
        let damaged: Vec<_> =
            memory.file().report().damaged.iter().map(|damage| damage.kind).collect();
        assert_eq!(damaged, [kind]);
        for (id, owned) in &model {
            let (vector, ids) = (Some(&owned.vector[..]), Some(&[*id][..]));
            let filter = Filter { ids, ..Filter::default() };
            let found = memory.recall(&Recall { vector, filter, ..Recall::default() }).unwrap();
            assert_eq!((found.len(), found[0].id), (1, *id));
            assert_eq!(&memory.text(*id).unwrap(), &owned.text);
        }
        // What of it can be read: its fields, and its text or its vector.
        assert_eq!(memory.fields(50).unwrap().id(), 50);
        let mut vector = vec![0.0; DIM];
        let read = (memory.text(50).is_ok(), memory.vector(50, &mut vector).is_ok());
        assert_eq!(read, (!in_text, in_text));
        let recall = Recall { vector: Some(&[1.0; DIM]), k: 99, ..Recall::default() };
        let found = memory.recall(&recall).unwrap();
        assert_eq!(found.iter().any(|one| one.id == 50), in_text);
        let recall = Recall { text: Some("xylophone"), ..Recall::default() };
        assert_eq!(memory.recall(&recall).unwrap(), []);
    }
}

#[test]
fn nothing_of_what_was_forgotten_is_left_in_a_file() {
    let disk = SimulatedDisk::new(6);
    let mut memory = open(&disk, 60);
    let mut random = Random(6);
    for id in 0..20 {
        remember(&mut memory, id, &Owned::random(&mut random, DIM, 30)).unwrap();
    }
    let mut secret = Owned::random(&mut random, DIM, 30);
    secret.text = "the password is xylophone".into();
    secret.metadata = vec![("code".into(), "zyzzyva".into())];
    remember(&mut memory, 50, &secret).unwrap();
    memory.commit(0).unwrap();
    memory.save().unwrap();
    let image = format!("{NAME}.image");
    memory.forget(50).unwrap();
    memory.commit(1).unwrap();
    // With a change pending nothing is saved, and what was saved before goes.
    remember(&mut memory, 60, &Owned::random(&mut random, DIM, 30)).unwrap();
    memory.compact(2).unwrap();
    assert!(!disk.names().contains(&image));
    memory.rollback().unwrap();
    memory.save().unwrap();
    assert!(disk.names().contains(&image));
    let vector: Vec<u8> = secret.vector.iter().flat_map(|x| x.to_le_bytes()).collect();
    let length = secret.vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    let unit: Vec<u8> = secret.vector.iter().flat_map(|x| (x / length).to_le_bytes()).collect();
    for name in disk.names() {
        let bytes = disk.bytes(&name).unwrap();
        for trace in [b"xylophone".as_slice(), b"password", b"zyzzyva", &vector[..8], &unit[..8]] {
            let left = bytes.windows(trace.len()).any(|window| window == trace);
            assert!(!left, "{name} still has {:?}", String::from_utf8_lossy(trace));
        }
    }
}

#[test]
fn uses_are_counted_and_kept() {
    let (disk, _) = closed(8);
    let mut memory = open(&disk, 60);
    let (uses, last) = memory.uses(5).unwrap();
    memory.touch(&[5, 5, 999], last + 100);
    assert_eq!(memory.uses(5), Some((uses + 2, last + 100)));
    memory.close(0).unwrap();
    let memory = open(&disk, 60);
    assert_eq!((memory.derived(), memory.uses(5)), (Derived::Read, Some((uses + 2, last + 100))));
}

#[test]
fn readers_may_read_and_do_not_write() {
    let (disk, model) = closed(9);
    let names = disk.names();
    let read_only = Options { read_only: true, ..options() };
    let options = MemoryOptions { file: read_only, ..memory_options(60) };
    let mut memory = Memory::open(Box::new(disk.clone()), NAME, &options, &mut |_, _| {}).unwrap();
    check(&mut memory, &model, &mut Random(1));
    let refused = remember(&mut memory, 1, &model[&1]).unwrap_err();
    assert_eq!(refused, Error::File(clawft_store::Error::ReadOnly));
    check(&mut memory, &model, &mut Random(2));
    memory.close(0).unwrap();
    assert_eq!(disk.names(), names);
}
