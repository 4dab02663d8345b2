//! One damaged record is one record lost: the file goes on being written, folded and opened.

#[path = "support/naive.rs"]
mod naive;
mod support;

use clawft_store::memory::{Derived, Error as MemoryError, Memory, MemoryOptions, Recall};
use clawft_store::storage::simulated::SimulatedDisk;
use clawft_store::{DamageKind, DurableFile, Error, Limits, Options};
use clawft_vectors::{Encoding, Params, required_bytes};
use support::{DIM, Model, NAME, Owned, Random, all, options};

/// Each commit of one [`record`] is folded; nothing is compacted.
const FOLDS: Limits = Limits { fold: 900, compact_times: 100, compact_slack: 1 << 30 };
/// Each commit is folded, and the base compacted before the fold takes anything in.
const COMPACTS: Limits = Limits { fold: 900, compact_times: 1, compact_slack: 4000 };

/// The last one, so that all others are read before it.
const HURT: u64 = 1000;

fn opened(disk: &SimulatedDisk, limits: Limits) -> DurableFile {
    let options = Options { limits, ..options() };
    DurableFile::open(Box::new(disk.clone()), NAME, &options).unwrap()
}

fn record(id: u64) -> Owned {
    let text = format!("the text of {id} ").repeat(90);
    Owned { text, ..Owned::random(&mut Random(id), DIM, 0) }
}

/// Flips a bit in what stands first behind `before`.
fn flip(disk: &SimulatedDisk, before: &[u8]) {
    let mut bytes = disk.bytes(NAME).unwrap();
    let at = bytes.windows(before.len()).position(|window| window == before).unwrap();
    bytes[at + before.len()] ^= 1;
    disk.put(NAME, bytes);
}

#[test]
fn folding_goes_on_where_a_record_is_damaged() {
    for limits in [FOLDS, COMPACTS] {
        let disk = SimulatedDisk::new(1);
        let mut model = Model::new();
        let mut put = |file: &mut DurableFile, id: u64| {
            record(id).put(file, id).unwrap();
            model.insert(id, record(id));
            file.commit(0).unwrap();
        };
        let mut file = opened(&disk, limits);
        for id in [0, 1, 2, 3, HURT] {
            put(&mut file, id);
        }
        drop(file);
        flip(&disk, b"the text of 1000");

        let mut file = opened(&disk, limits);
        // The same ids, so that most of the base is of no more use.
        for id in (0..55).map(|id| 4 + id % 3) {
            put(&mut file, id);
            assert!(file.sizes().journal < 900, "{id}: {:?}", file.deferred());
        }
        assert!(matches!(file.deferred(), Some(Error::Damaged(_))), "which is said");
        let before = disk.read();
        put(&mut file, 7);
        let read = disk.read() - before;
        assert!(read < 8000, "{read} bytes read: nothing is tried again");
        file.close(0).unwrap();

        let mut file = opened(&disk, limits);
        let found = file.verify(9).unwrap();
        assert!(found.iter().any(|damage| damage.kind == DamageKind::Text), "{found:?}");
        for (id, expected) in &model {
            match Owned::get(&file, *id) {
                Ok(found) => assert_eq!(found, *expected),
                Err(error) => assert!(*id == HURT && matches!(error, Error::Damaged(_)), "{error}"),
            }
        }
        // Once it is gone, all is as it was before.
        file.remove(HURT).unwrap();
        model.remove(&HURT);
        file.commit(0).unwrap();
        file.compact(0).unwrap();
        assert_eq!((file.deferred(), file.verify(1).unwrap()), (None, Vec::new()));
        assert_eq!(all(&file).unwrap(), model);
    }
}

/// As another program's file may have it, or one that was written without a memory.
#[test]
fn a_vector_that_nothing_can_be_compared_with_is_kept_and_noted() {
    let zero = [0.0; DIM];
    // By metric: L2, inner product, cosine.
    for (metric, vector) in [(0, [1e19; DIM]), (1, [1e19; DIM]), (2, zero)] {
        let disk = SimulatedDisk::new(1);
        let file = Options { metric, ..options() };
        let options = MemoryOptions { file, ..naive::memory_options(60) };
        let open = || Memory::open(Box::new(disk.clone()), NAME, &options, &mut |_, _| {}).unwrap();
        let mut file = DurableFile::open(Box::new(disk.clone()), NAME, &file).unwrap();
        let odd = Owned { vector: vector.to_vec(), ..record(1) };
        odd.put(&mut file, 1).unwrap();
        record(2).put(&mut file, 2).unwrap();
        file.commit(0).unwrap();
        // In the journal, in the base, and beside what was saved.
        drop(file);
        for round in 0..3 {
            let derived = if round < 2 { Derived::Missing } else { Derived::Read };
            let mut memory = open();
            let report = memory.file().report();
            let noted: Vec<_> = report.damaged.iter().map(|damage| damage.kind).collect();
            assert_eq!((memory.derived(), &noted[..]), (derived, &[DamageKind::Incomparable][..]));
            assert_eq!(Owned::get(memory.file(), 1).unwrap(), odd, "it is as it was");
            assert_eq!(memory.file().verify(1).unwrap(), []);
            let found = |memory: &mut Memory, text| {
                let recall = Recall { vector: Some(&[1.0; DIM]), text, ..Recall::default() };
                memory.recall(&recall).unwrap().iter().map(|one| one.id).collect::<Vec<_>>()
            };
            assert_eq!(found(&mut memory, None), [2]);
            assert_eq!(found(&mut memory, Some("text")), [2]);
            memory.forget(1).unwrap();
            memory.rollback().unwrap();
            assert_eq!(memory.file().report().damaged.len(), 1, "once");
            if round < 2 {
                memory.close(0).unwrap();
                if round == 0 {
                    disk.take(&format!("{NAME}.image"));
                }
                continue;
            }
            support::remember(&mut memory, 1, &record(1)).unwrap();
            memory.commit(0).unwrap();
            assert_eq!(found(&mut memory, None).len(), 2);
            memory.close(0).unwrap();
            assert_eq!(open().file().report().damaged, []);
        }
    }
}

/// It takes no slot of the image, but the next opening needs room for it: one more would make an image
/// that is larger than its limit, and the memory would not be opened again.
#[test]
fn a_record_that_is_not_in_the_image_takes_its_room_all_the_same() {
    const ROOM: u32 = 4;
    let disk = SimulatedDisk::new(1);
    let file = Options { metric: 2, ..options() };
    let params = Params { encoding: Encoding::I8, hot: Some(0), ..Params::new(DIM as u32, ROOM) };
    let options = MemoryOptions {
        file,
        encoding: Some(Encoding::I8),
        image: Some(required_bytes(&params).unwrap()),
        ..naive::memory_options(ROOM)
    };
    let open = || Memory::open(Box::new(disk.clone()), NAME, &options, &mut |_, _| {}).unwrap();
    let mut file = DurableFile::open(Box::new(disk.clone()), NAME, &file).unwrap();
    Owned { vector: vec![0.0; DIM], ..record(0) }.put(&mut file, 0).unwrap();
    file.commit(0).unwrap();
    drop(file);

    let mut memory = open();
    for id in 1..4 {
        support::remember(&mut memory, id, &record(id)).unwrap();
    }
    // Those that are pending count, and those that are not.
    for _ in 0..2 {
        let bad = Owned { vector: vec![0.0; DIM], ..record(4) };
        let zero = support::remember(&mut memory, 4, &bad).unwrap_err();
        assert_eq!(zero, MemoryError::Vectors(clawft_vectors::Error::ZeroVector));
        let full = support::remember(&mut memory, 4, &record(4)).unwrap_err();
        let expected = clawft_vectors::Error::Full { len: ROOM, capacity: ROOM };
        assert_eq!(full, MemoryError::Vectors(expected));
        assert!(!memory.contains(4));
        memory.commit(0).unwrap();
    }
    memory.close(0).unwrap();

    let mut memory = open();
    assert_eq!((memory.derived(), memory.len()), (Derived::Read, 4));
    // Another version of what there is, and the one that was left out.
    support::remember(&mut memory, 3, &record(5)).unwrap();
    support::remember(&mut memory, 0, &record(6)).unwrap();
    memory.commit(0).unwrap();
    memory.close(0).unwrap();
    let mut memory = open();
    assert_eq!((memory.len(), &memory.file().report().damaged[..]), (4, &[][..]));
    let recall = Recall { vector: Some(&[1.0; DIM]), ..Recall::default() };
    assert_eq!(memory.recall(&recall).unwrap().len(), 4);
    assert!(support::remember(&mut memory, 4, &record(4)).is_err());
}
