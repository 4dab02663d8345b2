//! A full disk and a read-only one: an error, nothing lost, still readable.

mod support;

use clawft_store::memory::{Derived, Memory, MemoryOptions};
use clawft_store::storage::StorageError;
use clawft_store::storage::simulated::SimulatedDisk;
use clawft_store::{DurableFile, Error, Limits, Options};
use support::{DIM, EARLY, Model, NAME, Owned, Random, all, copy, open, options, remember};

const NO_SPACE: Option<Error> = Some(Error::Storage(StorageError::NoSpace));

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
            let id = random.id(9);
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

/// So many bytes of text, and little else.
fn of_bytes(text: usize) -> Owned {
    Owned { text: "x".repeat(text), metadata: Vec::new(), ..Owned::random(&mut Random(1), DIM, 0) }
}

/// Commits a record on a disk that has so much space again. Gives what was written.
fn commit(disk: &SimulatedDisk, file: &mut DurableFile, id: u64, text: usize, space: u64) -> u64 {
    disk.set_space(Some(space));
    let before = disk.written();
    of_bytes(text).put(file, id).unwrap();
    file.commit(0).unwrap();
    disk.written() - before
}

fn opened(disk: &SimulatedDisk, limits: Limits) -> DurableFile {
    DurableFile::open(Box::new(disk.clone()), NAME, &Options { limits, ..options() }).unwrap()
}

/// Seven groups of seven or eight records and seven of one, all of which the next fold would take in.
#[test]
fn where_groups_do_not_fit_fewer_are_taken_in() {
    let disk = SimulatedDisk::new(1);
    let mut file = opened(&disk, Limits { compact_slack: 1 << 30, ..EARLY });
    for id in 0..62 {
        commit(&disk, &mut file, id, 1500, 1 << 30);
    }
    let mut written = 0;
    for id in 62..82 {
        written += commit(&disk, &mut file, id, 1500, 40_000);
        assert_eq!((file.deferred(), file.sizes().journal), (None, 64), "{id}");
    }
    println!("20 commits of some 1,600 bytes beside 100,000 that do not fit: {written} written");
    assert!(written < 300_000, "{written}");
    file.close(0).unwrap();
    let file = open(&disk).unwrap();
    assert_eq!((file.len(), file.verify(1).unwrap()), (82, Vec::new()));
}

#[test]
fn a_fold_that_has_no_space_is_not_tried_again_with_each_commit() {
    let disk = SimulatedDisk::new(1);
    let mut file = opened(&disk, Limits { fold: 4000, ..EARLY });
    let (mut id, mut tries) = (0, 0);
    while file.sizes().journal < 11_000 {
        tries += u32::from(commit(&disk, &mut file, id, 100, 3000) > 2500);
        let due = file.sizes().journal > 4000;
        assert_eq!(file.deferred(), NO_SPACE.filter(|_| due), "{id}");
        id += 1;
    }
    assert_eq!(tries, 2, "beyond 4,000 bytes, and 4,000 later");
    let journal = file.sizes().journal;
    while file.deferred().is_some() {
        commit(&disk, &mut file, id, 100, 1 << 30);
        id += 1;
    }
    assert!(id < 100 && file.sizes().journal < journal, "once there is space it is made");
    // Whoever asks for it is not put off.
    while file.deferred().is_none() {
        commit(&disk, &mut file, id, 100, 3000);
        id += 1;
    }
    disk.set_space(None);
    file.settle(0).unwrap();
    assert_eq!((file.deferred(), file.sizes().journal), (None, 64));
    assert_eq!(file.len() as u64, id);
}

/// What was repaired is in memory: that it finds no room on the disk keeps nobody from what is committed.
#[test]
fn a_flipped_bit_on_a_full_disk_keeps_no_writer_out() {
    let disk = SimulatedDisk::new(1);
    let mut file = open(&disk).unwrap();
    let first = of_bytes(100);
    first.put(&mut file, 1).unwrap();
    file.commit(0).unwrap();
    drop(file);
    let journal = "memory.rvf.journal";
    let mut bytes = disk.bytes(journal).unwrap();
    let end = bytes.len();
    bytes[end - 40] ^= 4;
    disk.put(journal, bytes);
    disk.set_space(Some(0));
    let mut file = open(&disk).unwrap();
    assert_eq!((file.report().repaired, file.deferred()), (1, NO_SPACE));
    assert_eq!(Owned::get(&file, 1).unwrap(), first);
    disk.set_space(None);
    let second = of_bytes(50);
    second.put(&mut file, 2).unwrap();
    file.commit(0).unwrap();
    file.close(0).unwrap();
    assert_eq!(all(&open(&disk).unwrap()).unwrap(), Model::from([(1, first), (2, second)]));
}

/// All of a fold was durable but the new journal: it was not put off.
#[test]
fn a_journal_that_had_no_space_is_begun_by_the_next_commit() {
    let fresh = || {
        let disk = SimulatedDisk::new(1);
        let file = opened(&disk, EARLY);
        (disk, file)
    };
    let (disk, mut file) = fresh();
    let whole = commit(&disk, &mut file, 0, 1500, 1 << 30);
    let (disk, mut file) = fresh();
    commit(&disk, &mut file, 0, 1500, whole - 64);
    assert_eq!((file.deferred(), file.sizes().journal), (NO_SPACE, 0));
    commit(&disk, &mut file, 1, 100, 1 << 30);
    assert_eq!(file.deferred(), None);
    commit(&disk, &mut file, 2, 800, 1 << 30);
    assert_eq!((file.deferred(), file.sizes().journal), (None, 64), "it is folded as ever");
}

#[test]
fn a_compaction_that_has_no_space_is_said_and_not_tried_again_with_each_fold() {
    let disk = SimulatedDisk::new(1);
    let mut file = opened(&disk, EARLY);
    for id in 0..20 {
        commit(&disk, &mut file, id, 1500, 1 << 30);
    }
    let (mut folds, mut tries) = (0, 0);
    for id in 0..80 {
        let written = commit(&disk, &mut file, id % 20, 1500, 25_000);
        let due = file.sizes().base > 2 * file.sizes().live + 3000;
        assert_eq!(file.deferred(), NO_SPACE.filter(|_| due), "{id}");
        assert_eq!(file.sizes().journal, 64, "it is folded all the same");
        folds += u32::from(due);
        tries += u32::from(due && written >= 25_000);
        // One that is not folded says it too.
        commit(&disk, &mut file, 20, 0, 25_000);
        assert_eq!(file.deferred(), NO_SPACE.filter(|_| due), "{id}");
    }
    println!("{folds} folds with a compaction due, {tries} that filled the disk");
    assert!(folds > 30 && (2..folds / 2).contains(&tries), "{tries} of {folds}");
    file.settle(0).unwrap();
    assert_eq!(file.deferred(), NO_SPACE, "it is folded, and not compacted");
    let base = file.sizes().base;
    let more = (0..9).find(|id| {
        commit(&disk, &mut file, *id, 1500, 1 << 30);
        file.deferred().is_none()
    });
    assert!(more.is_some() && file.sizes().base < base / 2, "once there is space it is made");
    file.close(0).unwrap();
    assert_eq!(open(&disk).unwrap().verify(1).unwrap(), []);
}

#[test]
fn a_memory_that_cannot_be_folded_is_closed_with_what_is_derived() {
    let disk = SimulatedDisk::new(1);
    let file = Options { limits: Limits::default(), ..options() };
    let options = MemoryOptions { file, capacity: 60, ..MemoryOptions::default() };
    let open = || Memory::open(Box::new(disk.clone()), NAME, &options, &mut |_, _| {}).unwrap();
    let mut memory = open();
    for id in 0..3 {
        remember(&mut memory, id, &of_bytes(60_000)).unwrap();
    }
    memory.commit(0).unwrap();
    disk.set_space(Some(150_000));
    let before = disk.written();
    let refused = memory.close(0).unwrap_err();
    assert_eq!(refused.code(), StorageError::NoSpace.code(), "the journal remains, which is said");
    assert!(disk.written() - before < 250_000, "it is tried once");
    assert!(disk.bytes("memory.rvf.journal").unwrap().len() > 180_000);
    disk.set_space(None);
    let memory = open();
    assert_eq!((memory.derived(), memory.len()), (Derived::Read, 3));
    memory.close(0).unwrap();
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
    let each = clawft_store::MAX_METADATA / clawft_store::MAX_PAIRS;
    record.metadata = (0..clawft_store::MAX_PAIRS)
        .map(|i| (format!("key{i:03}"), "v".repeat(each - 6)))
        .collect();
    let mut model = Model::new();
    for id in [0, u64::MAX, 1 << 40] {
        record.put(&mut file, id).unwrap();
        model.insert(id, record.clone());
    }
    let full = record.put(&mut file, 7).unwrap_err();
    assert!(matches!(full, Error::BatchFull { limit: 4_194_304, .. }), "{full}");
    // The last byte of a batch is there, and none behind it.
    let (mut last, before) = (Owned::random(&mut random, 8192, 0), file.pending());
    last.text.clear();
    last.put(&mut file, 8).unwrap();
    let left = (4 << 20) - file.pending() - (file.pending() - before);
    last.text = "y".repeat(left + 1);
    let full = last.put(&mut file, 8).unwrap_err();
    assert_eq!(full, Error::BatchFull { limit: 4_194_304, found: 4_194_305 });
    last.text.pop();
    last.put(&mut file, 8).unwrap();
    assert_eq!(file.pending(), 4 << 20);
    model.insert(8, last);
    // Into a journal alone, and read from there.
    file.commit(0).unwrap();
    assert_eq!(file.deferred(), None);
    assert_eq!(all(&file).unwrap(), model);
    drop(file);
    let mut file = DurableFile::open(Box::new(disk.clone()), NAME, &wide).unwrap();
    assert_eq!(*file.report(), Default::default());
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
