//! Bytes: how many are written, how many are left, and that none is left of what was removed.

mod support;

use clawft_store::storage::simulated::SimulatedDisk;
use clawft_store::{DurableFile, Limits, Options};
use support::{NAME, Owned, Random, all, open};

fn options(dim: u16) -> Options {
    Options { dim: Some(dim), limits: Limits::default(), ..support::options() }
}

fn open_real(disk: &SimulatedDisk, dim: u16) -> DurableFile {
    DurableFile::open(Box::new(disk.clone()), NAME, &options(dim)).unwrap()
}

/// Bytes of all files.
fn on_disk(disk: &SimulatedDisk) -> u64 {
    disk.names().iter().map(|name| disk.bytes(name).unwrap().len() as u64).sum()
}

/// Bytes of a record beside what was given.
const COSTS: u64 = 105;

#[test]
#[cfg_attr(miri, ignore = "megabytes, which an interpreter writes for hours")]
fn ten_thousand_commits_write_less_than_ten_times_the_live_bytes() {
    let disk = SimulatedDisk::new(1);
    let mut random = Random(1);
    let mut file = open_real(&disk, 512);
    let mut live = 0;
    for id in 0..10_000 {
        let record = Owned::random(&mut random, 512, 200);
        live += record.bytes();
        record.put(&mut file, id).unwrap();
        file.commit(0).unwrap();
        assert_eq!(file.deferred(), None);
    }
    file.close(0).unwrap();
    let times = disk.written() as f64 / live as f64;
    let (written, syncs, base) = (disk.written(), disk.syncs(), on_disk(&disk));
    println!(
        "10,000 commits of one record: {live} live bytes, {written} written, {times:.2} times; \
         {base} on the disk, {syncs} syncs"
    );
    assert!(times <= 10.0, "{times}");
    let file = open_real(&disk, 512);
    assert_eq!(file.len(), 10_000);
    assert_eq!(file.verify(1).unwrap(), []);
}

/// A file whose mirrors fill more META segments than a compaction leaves room for is not written
/// anew by each fold.
#[test]
#[cfg_attr(miri, ignore = "megabytes, which an interpreter writes for hours")]
fn many_mirrors_do_not_make_every_fold_a_compaction() {
    const RECORDS: u64 = 8_000;
    let disk = SimulatedDisk::new(1);
    let mut file = open_real(&disk, 2);
    let put = |file: &mut DurableFile, id: u64| {
        let mut record = Owned::random(&mut Random(id), 2, 1);
        record.metadata = vec![("key".into(), "v".repeat(4000))];
        record.put(file, id).unwrap();
    };
    for id in 0..RECORDS {
        put(&mut file, id);
        if file.pending() > 1 << 20 {
            file.commit(0).unwrap();
        }
    }
    file.commit(0).unwrap();
    file.compact(0).unwrap();
    let (before, written) = (on_disk(&disk), disk.written());
    for fold in 0..8 {
        put(&mut file, RECORDS + fold);
        file.commit(0).unwrap();
        file.settle(0).unwrap();
    }
    let written = disk.written() - written;
    println!("{before} bytes of file, 8 folds of one record: {written} written");
    assert!(before > 40_000_000 && written < before / 4, "{written} of {before}");
    assert_eq!(all(&file).unwrap().len() as u64, RECORDS + 8);
    drop(file);
    assert_eq!(open_real(&disk, 2).verify(1).unwrap(), []);
}

/// The worst habit: a clean close after each commit.
fn commits_with_a_close_after_each(count: u64) -> f64 {
    let disk = SimulatedDisk::new(1);
    let mut random = Random(1);
    let mut live = 0;
    for id in 0..count {
        let mut file = open_real(&disk, 512);
        let record = Owned::random(&mut random, 512, 200);
        live += record.bytes();
        record.put(&mut file, id).unwrap();
        file.commit(0).unwrap();
        file.close(0).unwrap();
    }
    let times = disk.written() as f64 / live as f64;
    println!("{count} commits, each one closed: {times:.2} times the live bytes written");
    times
}

#[test]
#[cfg_attr(miri, ignore = "megabytes, which an interpreter writes for hours")]
fn a_close_after_each_commit_writes_little_too() {
    assert!(commits_with_a_close_after_each(1000) <= 12.0);
}

#[test]
#[ignore = "minutes: part of cargo xtask test --all"]
fn ten_thousand_commits_each_one_closed() {
    assert!(commits_with_a_close_after_each(10_000) <= 16.0);
}

#[test]
#[cfg_attr(miri, ignore = "megabytes, which an interpreter writes for hours")]
fn a_file_stays_near_its_live_bytes_after_any_churn() {
    for (dim, text) in [(512, 200), (64, 200), (512, 0), (64, 2000), (64, 0), (16, 20), (3, 0)] {
        let disk = SimulatedDisk::new(2);
        let mut random = Random(2);
        let mut file = open_real(&disk, dim);
        let mut largest = 0;
        for i in 0..6000_u64 {
            let id = random.id(700);
            if random.below(3) == 0 {
                let _ = file.remove(id);
            } else {
                Owned::random(&mut random, dim.into(), text).put(&mut file, id).unwrap();
            }
            if i % 7 == 0 {
                file.commit(0).unwrap();
                let sizes = file.sizes();
                largest = largest.max(sizes.base.saturating_sub(2 * sizes.live));
            }
        }
        file.commit(0).unwrap();
        // Compaction comes by itself, at the ratio that has a name. It is looked for with each
        // fold; until the next one removals can make as many bytes dead as a journal has.
        let Limits { compact_slack, fold, .. } = Limits::default();
        assert!(largest <= compact_slack + 2 * fold, "{largest} above twice the live bytes");
        file.compact(0).unwrap();
        let live: u64 = all(&file).unwrap().values().map(Owned::bytes).sum();
        let (records, bytes) = (file.len(), on_disk(&disk));
        let times = bytes as f64 / live as f64;
        println!("{dim} components, {text} bytes of text: {records} records, {times:.3} times");
        // What a record costs beside what was given is the same for all: it tells where they are small.
        let costs = (bytes - live) / records as u64;
        assert!(times <= 1.2 || costs <= COSTS, "{dim} components, {text} bytes of text: {times}");
    }
}

#[test]
fn limits_beyond_all_numbers_are_never_reached() {
    let disk = SimulatedDisk::new(4);
    let mut random = Random(4);
    // With the slack added it is no number any more.
    let limits = Limits { compact_times: u64::MAX, fold: 900, ..Limits::default() };
    let options = Options { limits, ..support::options() };
    let mut file = DurableFile::open(Box::new(disk), NAME, &options).unwrap();
    let mut largest = 0;
    for _ in 0..60 {
        Owned::random(&mut random, 3, 200).put(&mut file, 1).unwrap();
        file.commit(0).unwrap();
        let base = file.sizes().base;
        assert!(base >= largest, "it was compacted");
        largest = base;
    }
    assert!(largest > 10 * file.sizes().live);
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn what_was_removed_is_gone_after_compaction() {
    let disk = SimulatedDisk::new(3);
    let mut random = Random(3);
    let mut file = open(&disk).unwrap();
    let mut secret = Owned::random(&mut random, 3, 0);
    secret.text = "the password is xyzzy".into();
    secret.metadata = vec![("secretkey".into(), "secretvalue".into())];
    let vector: Vec<u8> = secret.vector.iter().flat_map(|x| x.to_le_bytes()).collect();
    let traces = [secret.text.as_bytes(), b"secretkey", b"secretvalue", &vector];
    let somewhere = |disk: &SimulatedDisk| {
        disk.names().iter().any(|name| {
            let bytes = disk.bytes(name).unwrap();
            traces.iter().any(|trace| holds(&bytes, trace))
        })
    };
    // In the journal only, in the base, and taken in by several folds.
    for rounds in [0, 1, 12, 70] {
        secret.put(&mut file, 77).unwrap();
        file.commit(0).unwrap();
        for i in 0..rounds {
            Owned::random(&mut random, 3, 600).put(&mut file, i).unwrap();
            file.commit(0).unwrap();
        }
        assert!(somewhere(&disk));
        file.remove(77).unwrap();
        file.commit(0).unwrap();
        file.compact(0).unwrap();
        assert!(!somewhere(&disk), "after {rounds} more commits");
    }
}
