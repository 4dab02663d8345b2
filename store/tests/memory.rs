//! The memory against a naive one: what is remembered is found, by vector, by words and by both,
//! under every filter, and after every way to end and begin again.

#[path = "support/naive.rs"]
mod naive;
mod support;

use clawft_store::memory::{Derived, Error, Memory, MemoryOptions, Recall};
use clawft_store::storage::simulated::SimulatedDisk;
use clawft_store::{Options, Part};
use naive::{Model, check, closed, memory_options, open};
use support::{DIM, NAME, Owned, Random, options, remember};

#[test]
fn is_what_the_naive_one_is() {
    for seed in 0..if cfg!(miri) { 1 } else { 25 } {
        let mut random = Random(seed);
        let disk = SimulatedDisk::new(seed);
        let mut memory = open(&disk, 60);
        let (mut committed, mut model) = (Model::new(), Model::new());
        for step in 0..if cfg!(miri) { 30 } else { 120 } {
            let id = random.id(40);
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
    // One that can be used twice more, and later.
    let can = |&(_, (uses, last)): &(u64, (u32, u64))| uses < 100 && last < 1 << 50;
    let known = (0..60).filter_map(|id| Some((id, memory.uses(id)?)));
    let (id, (uses, last)) = known.into_iter().find(can).unwrap();
    memory.touch(&[id, id, 999], last + 100);
    assert_eq!(memory.uses(id), Some((uses + 2, last + 100)));
    memory.close(0).unwrap();
    let memory = open(&disk, 60);
    assert_eq!((memory.derived(), memory.uses(id)), (Derived::Read, Some((uses + 2, last + 100))));
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

/// Neither by a use that seemed to come later than all others, nor by when it seemed to be made.
#[test]
fn a_clock_that_ran_ahead_keeps_nothing_in_use() {
    const HOUR: u64 = 3_600_000;
    let (now, later, ahead) = (400_000 * HOUR, 401_010 * HOUR, 900_000 * HOUR);
    let disk = SimulatedDisk::new(1);
    let mut memory = open(&disk, 8);
    for (id, created) in [(1, now), (2, now), (3, ahead), (4, now)] {
        let owned =
            Owned { created, uses: 0, pinned: false, ..Owned::random(&mut Random(id), DIM, 9) };
        remember(&mut memory, id, &owned).unwrap();
    }
    memory.touch(&[1], ahead);
    let used = now + 1000 * HOUR;
    memory.touch(&[2], used);
    memory.touch(&[1, 2, 3, 4], used);
    assert_eq!(memory.heat(1, later), memory.heat(2, later));
    assert_eq!(memory.heat(3, later), memory.heat(4, later));
    assert!(memory.heat(1, later) < memory.heat(1, used));
    // One that is a moment ahead is as new as it can be.
    assert_eq!(memory.heat(1, used - 1000), memory.heat(1, used));
}
