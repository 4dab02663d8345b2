//! A full disk and a read-only one: an error, nothing lost, still readable.

mod support;

use clawft_store::storage::StorageError;
use clawft_store::storage::simulated::SimulatedDisk;
use clawft_store::{DurableFile, Error, Options};
use support::{DIM, Model, NAME, Owned, Random, all, copy, open, options};

#[test]
fn a_full_disk_loses_nothing_and_is_written_again_once_there_is_room() {
    // Room that ends anywhere: in a commit, in a fold, in a manifest, in a compaction.
    for room in (0..14_000).step_by(if cfg!(miri) { 3700 } else { 37 }) {
        let disk = SimulatedDisk::new(room);
        let mut file = open(&disk).unwrap();
        disk.set_space(Some(room));
        let mut random = Random(room);
        let mut model = Model::new();
        let mut refused = 0;
        for _ in 0..40 {
            let id = random.below(9);
            let record = Owned::random(&mut random, DIM, 100);
            record.put(&mut file, id).unwrap();
            match file.commit(0) {
                Ok(()) => drop(model.insert(id, record)),
                Err(error) => {
                    assert_eq!(error, Error::Storage(StorageError::NoSpace));
                    file.rollback();
                    refused += 1;
                }
            }
            assert_eq!(all(&file).unwrap(), model, "room {room}");
        }
        if refused > 0 {
            assert_eq!(all(&open(&copy(&disk)).unwrap()).unwrap(), model, "room {room}");
        }
        disk.set_space(None);
        let record = Owned::random(&mut random, DIM, 100);
        record.put(&mut file, 5).unwrap();
        file.commit(0).unwrap();
        model.insert(5, record);
        file.compact(0).unwrap();
        assert_eq!(file.verify(1).unwrap(), []);
        file.close(0).unwrap();
        disk.crash(room);
        assert_eq!(all(&open(&disk).unwrap()).unwrap(), model, "room {room}");
    }
}

#[test]
fn a_sync_that_finds_no_space_stops_the_writer() {
    // In a commit, in a fold before its manifest and behind it, in a new journal, in a compaction.
    let mut stopped = 0;
    for at in 0..if cfg!(miri) { 5 } else { 40 } {
        let disk = SimulatedDisk::new(at);
        let mut file = open(&disk).unwrap();
        disk.refuse_sync(Some(at));
        let mut random = Random(at);
        let (mut committed, mut pending) = (Model::new(), Model::new());
        for id in 0..40 {
            let record = Owned::random(&mut random, DIM, 100);
            if record.put(&mut file, id % 9).is_err() {
                stopped += 1;
                break;
            }
            pending.insert(id % 9, record);
            if file.commit(0).is_ok() {
                committed.clone_from(&pending);
            }
            if let Some(error) = file.deferred() {
                assert_eq!(error, Error::Storage(StorageError::NoSpace));
                // There is room for a commit or two, and for no fold that would make up for it.
                disk.set_space(Some(900));
            }
        }
        assert_eq!(all(&file).unwrap(), pending);
        // What no sync promised may be there, what one did must be.
        for seed in 0..if cfg!(miri) { 2 } else { 10 } {
            let disk = disk.fork();
            disk.crash(seed);
            let found = all(&open(&disk).unwrap()).unwrap();
            assert!(found == committed || found == pending, "sync {at}, seed {seed}: {found:?}");
        }
    }
    assert!(stopped > 2, "{stopped}");
}

#[test]
fn a_read_only_disk_can_be_read() {
    let disk = SimulatedDisk::new(1);
    let mut file = open(&disk).unwrap();
    let record = Owned::random(&mut Random(1), DIM, 50);
    record.put(&mut file, 1).unwrap();
    file.commit(0).unwrap();
    drop(file);
    disk.set_read_only(true);
    let refused = open(&disk).map(drop).unwrap_err();
    assert_eq!(refused.to_string(), "the storage refused: it is read-only");

    let reading = Options { read_only: true, ..options() };
    let mut file = DurableFile::open(Box::new(disk.clone()), NAME, &reading).unwrap();
    assert_eq!(all(&file).unwrap(), Model::from([(1, record.clone())]));
    for refused in [record.put(&mut file, 2), file.remove(1), file.commit(0), file.compact(0)] {
        assert_eq!(refused, Err(Error::ReadOnly));
    }
    file.close(0).unwrap();
    // It turns read-only while it is open.
    disk.set_read_only(false);
    let mut file = open(&disk).unwrap();
    disk.set_read_only(true);
    record.put(&mut file, 2).unwrap();
    let error = Error::Storage(StorageError::ReadOnly);
    assert_eq!(file.commit(0), Err(error));
    assert_eq!(file.text(1).unwrap(), record.text);
}

#[test]
fn a_sync_that_failed_stops_the_writer() {
    let disk = SimulatedDisk::new(1);
    let mut file = open(&disk).unwrap();
    let record = Owned::random(&mut Random(1), DIM, 50);
    record.put(&mut file, 1).unwrap();
    file.commit(0).unwrap();
    record.put(&mut file, 2).unwrap();
    disk.cut_after(Some(1));
    assert_eq!(file.commit(0), Err(Error::Storage(StorageError::Failed)));
    disk.cut_after(None);
    assert_eq!(file.commit(0), Err(Error::Stopped));
    assert_eq!(
        Error::Stopped.to_string(),
        "an earlier write failed half way: open the file again to write"
    );
}

#[test]
#[cfg_attr(miri, ignore = "megabytes, which an interpreter writes for hours")]
fn records_at_their_limits_fit() {
    let disk = SimulatedDisk::new(1);
    let wide = Options { dim: Some(8192), ..options() };
    let mut file = DurableFile::open(Box::new(disk.clone()), NAME, &wide).unwrap();
    let mut random = Random(1);
    let mut record = Owned::random(&mut random, 8192, 0);
    record.text = "x".repeat(clawft_store::MAX_TEXT);
    record.kind = "k".repeat(clawft_store::MAX_KIND);
    record.session = "s".repeat(clawft_store::MAX_SESSION);
    record.metadata = (0..16).map(|i| (format!("key{i:02}"), "v".repeat(4000))).collect();
    let mut model = Model::new();
    for id in [0, u64::MAX - 1, 1 << 40] {
        record.put(&mut file, id).unwrap();
        model.insert(id, record.clone());
    }
    let full = record.put(&mut file, 7).unwrap_err();
    assert!(matches!(full, Error::BatchFull { limit: 4_194_304, .. }), "{full}");
    file.commit(0).unwrap();
    assert_eq!(file.deferred(), None);
    assert_eq!(all(&file).unwrap(), model);
    file.compact(0).unwrap();
    file.close(0).unwrap();
    let base = disk.bytes(NAME).unwrap();
    let file = DurableFile::open(Box::new(disk.clone()), NAME, &wide).unwrap();
    assert_eq!(all(&file).unwrap(), model);
    // No segment is above 1 MiB: their headers follow each other.
    let (mut at, mut segments) = (0, 0);
    while at < base.len() {
        let payload = u64::from_le_bytes(base[at + 16..at + 24].try_into().unwrap()) as usize;
        assert!(payload <= 1 << 20);
        at += (64 + payload).next_multiple_of(64);
        segments += 1;
    }
    assert!(segments > 4 && at == base.len());
}
