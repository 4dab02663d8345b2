//! One writer natively, by the system's lock. Processes, files and `rvf-runtime`: neither
//! WebAssembly nor Miri have them.
#![cfg(not(any(target_family = "wasm", miri)))]

#[path = "support/folder.rs"]
mod folder;
mod support;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clawft_store::storage::Storage;
use clawft_store::storage::native::{LockError, NativeFolder, WriterLock};
use clawft_store::{DurableFile, Error, Lease};
use folder::Folder;
use rvf_runtime::RvfStore;
use rvf_runtime::options::RvfOptions;
use support::{DIM, Model, NAME, Owned, Random, all, options};

const CHILD: &str = "CLAWFT_TEST_CHILD";

fn open_in(folder: &Path) -> DurableFile {
    let storage = Box::new(NativeFolder::new(folder).unwrap());
    DurableFile::open(storage, NAME, &options()).unwrap()
}

/// The same records in parent and child.
fn record(id: u64) -> Owned {
    Owned::random(&mut Random(id), DIM, 100)
}

/// Not a test by itself: the writer that the next test kills.
#[test]
fn child_that_commits_until_it_is_killed() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    let folder = PathBuf::from(folder);
    let _lock = WriterLock::acquire(&folder.join(NAME)).unwrap();
    let mut file = open_in(&folder);
    for id in file.len() as u64.. {
        record(id).put(&mut file, id).unwrap();
        file.commit(0).unwrap();
        println!("committed {id}");
    }
}

#[test]
fn a_killed_writer_loses_nothing_and_blocks_nobody() {
    let folder = Folder::new("kill");
    let path = folder.0.join(NAME);
    let mut seen = 0;
    for round in 0..5 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_commits_until_it_is_killed", "--nocapture"])
            .env(CHILD, &folder.0)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let numbers = lines.map_while(Result::ok).filter_map(|line| {
            let (_, number) = line.split_once("committed ")?;
            number.trim().parse::<u64>().ok()
        });
        for id in numbers.take(20 + 13 * round) {
            seen = id;
        }
        // While it lives, it has the lock; so rvf-runtime sees it, too.
        let held = WriterLock::acquire(&path).unwrap_err();
        assert!(matches!(held, LockError::Held(id) if id == child.id()), "{held}");
        assert_eq!(
            held.to_string(),
            format!("no other writer expected, found process {} writing", child.id())
        );
        assert!(RvfStore::open(&path).is_err());
        child.kill().unwrap();
        child.wait().unwrap();
        // At once, not after rvf-runtime's thirty seconds.
        let lock = WriterLock::acquire(&path).unwrap();
        let file = open_in(&folder.0);
        assert!(file.len() as u64 > seen, "{} records, {seen} seen", file.len());
        let model: Model = (0..file.len() as u64).map(|id| (id, record(id))).collect();
        assert_eq!(all(&file).unwrap(), model);
        assert_eq!(file.verify(1).unwrap(), []);
        drop((file, lock));
    }
    println!("five writers killed, {} commits seen, none lost", seen + 1);
}

/// Not a test by itself: takes the lock and a lease under it, and waits to be killed.
#[test]
fn child_that_holds_a_lease_until_it_is_killed() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    let folder = PathBuf::from(folder);
    let lock = WriterLock::acquire(&folder.join(NAME)).unwrap();
    let storage = NativeFolder::new(&folder).unwrap();
    let _lease = Lease::take(&storage, NAME, lock.nonce(), 0, u64::MAX).unwrap();
    println!("committed 0");
    std::thread::sleep(std::time::Duration::from_secs(60));
}

#[test]
fn the_lease_of_a_killed_writer_goes_and_no_other_one_does() {
    let folder = Folder::new("lease");
    let path = folder.0.join(NAME);
    let storage = NativeFolder::new(&folder.0).unwrap();
    let kill = || {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_holds_a_lease_until_it_is_killed", "--nocapture"])
            .env(CHILD, &folder.0)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("committed 0")));
        child.kill().unwrap();
        child.wait().unwrap();
    };
    let take = |nonce| Lease::take(&storage, NAME, nonce, 1, 1000);
    kill();
    assert!(matches!(take(7), Err(Error::LeaseHeld { .. })), "it is still there");
    let lock = WriterLock::acquire(&path).unwrap();
    take(lock.nonce()).unwrap().release(&storage).unwrap();
    drop(lock);

    // A program without the lock has taken the lease over meanwhile.
    kill();
    let left = storage.list("memory.rvf.lease.").unwrap();
    left.iter().for_each(|name| storage.remove(name).unwrap());
    let theirs = take(7).unwrap();
    let lock = WriterLock::acquire(&path).unwrap();
    assert!(matches!(take(lock.nonce()), Err(Error::LeaseHeld { .. })), "it is theirs");
    theirs.release(&storage).unwrap();
    // One that is ended from outside under its lease leaves none: nobody could tell whose it was.
    let ended = take(lock.nonce()).unwrap();
    drop(lock);
    take(7).unwrap().release(&storage).unwrap();
    drop(ended);
}

#[test]
fn a_lock_is_free_when_it_is_dropped_and_rvf_runtime_respects_it() {
    let folder = Folder::new("lock");
    let path = folder.0.join(NAME);
    let lock_path = folder.0.join("memory.rvf.lock");
    let theirs = RvfOptions { dimension: 3, ..RvfOptions::default() };
    RvfStore::create(&path, theirs).unwrap().close().unwrap();
    let lock = WriterLock::acquire(&path).unwrap();
    assert!(
        matches!(WriterLock::acquire(&path), Err(LockError::Held(id)) if id == std::process::id())
    );
    assert!(RvfStore::open(&path).is_err(), "it sees ours");
    assert!(RvfStore::open_readonly(&path).is_ok(), "readers may");
    drop(lock);
    assert!(!lock_path.exists());
    let store = RvfStore::open(&path).unwrap();
    let held = WriterLock::acquire(&path).unwrap_err();
    assert!(matches!(held, LockError::Held(_)), "we see theirs: {held}");
    store.close().unwrap();
    // Theirs of a process that is gone, and files that are no locks.
    for left in [&b""[..], b"no lock"] {
        std::fs::write(&lock_path, left).unwrap();
        drop(WriterLock::acquire(&path).unwrap());
    }
    let store = RvfStore::open(&path).unwrap();
    let mut bytes = std::fs::read(&lock_path).unwrap();
    bytes[4..8].copy_from_slice(&999_999_999_u32.to_le_bytes());
    drop(store);
    std::fs::write(&lock_path, bytes).unwrap();
    drop(WriterLock::acquire(&path).unwrap());
}
