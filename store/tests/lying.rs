//! A medium that says of a file that it is longer than it is: opening it comes to an end, and soon.

mod support;

use std::cell::Cell;

use clawft_store::storage::simulated::SimulatedDisk;
use clawft_store::storage::{Handle, Outcome, Storage, StorageError};
use clawft_store::{DurableFile, Error, Options};
use support::{DIM, Model, NAME, Owned, Random, all, open, options};

const JOURNAL: &str = "memory.rvf.journal";

/// A disk that says `len` of one file, so many times.
struct Liar {
    disk: SimulatedDisk,
    name: &'static str,
    file: Cell<Option<Handle>>,
    len: u64,
    times: Cell<u32>,
}

impl Storage for Liar {
    fn open(&self, name: &str) -> Outcome<Handle> {
        let file = self.disk.open(name)?;
        if name == self.name {
            self.file.set(Some(file));
        }
        Ok(file)
    }

    fn len(&self, file: Handle) -> Outcome<u64> {
        if self.file.get() == Some(file) && self.times.get() > 0 {
            self.times.set(self.times.get() - 1);
            return Ok(self.len);
        }
        self.disk.len(file)
    }

    fn create(&self, name: &str) -> Outcome<Handle> {
        self.disk.create(name)
    }

    fn close(&self, file: Handle) {
        self.disk.close(file);
    }

    fn read_at(&self, file: Handle, offset: u64, into: &mut [u8]) -> Outcome<usize> {
        self.disk.read_at(file, offset, into)
    }

    fn append(&self, file: Handle, bytes: &[u8]) -> Outcome<()> {
        self.disk.append(file, bytes)
    }

    fn truncate(&self, file: Handle, len: u64) -> Outcome<()> {
        self.disk.truncate(file, len)
    }

    fn sync(&self, file: Handle) -> Outcome<()> {
        self.disk.sync(file)
    }

    fn sync_folder(&self) -> Outcome<()> {
        self.disk.sync_folder()
    }

    fn rename(&self, from: &str, to: &str) -> Outcome<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> Outcome<()> {
        self.disk.remove(name)
    }

    fn list(&self, prefix: &str) -> Outcome<Vec<String>> {
        self.disk.list(prefix)
    }
}

/// A file with a commit in its base and one in its journal.
fn sample() -> (SimulatedDisk, Model) {
    let disk = SimulatedDisk::new(1);
    let mut model = Model::new();
    for id in 0..2 {
        let mut file = open(&disk).unwrap();
        let record = Owned::random(&mut Random(id), DIM, 100);
        record.put(&mut file, id).unwrap();
        file.commit(0).unwrap();
        model.insert(id, record);
        if id == 0 {
            file.close(0).unwrap();
        }
    }
    (disk, model)
}

fn opened(name: &'static str, len: u64, times: u32) -> (Result<DurableFile, Error>, Model) {
    let (disk, model) = sample();
    let (file, times) = (Cell::default(), Cell::new(times));
    let reading = Options { read_only: true, ..options() };
    let liar = Liar { disk, name, file, len, times };
    (DurableFile::open(Box::new(liar), NAME, &reading), model)
}

#[test]
fn a_base_that_is_said_to_be_longer_is_refused() {
    for len in [1 << 20, 1 << 62, u64::MAX >> 1] {
        let (file, _) = opened(NAME, len, u32::MAX);
        assert_eq!(file.err(), Some(Error::Storage(StorageError::Failed)), "{len}");
    }
}

#[test]
fn one_that_a_writer_cut_off_meanwhile_is_read() {
    let (file, model) = opened(NAME, 1 << 20, 1);
    assert_eq!(all(&file.unwrap()).unwrap(), model);
}

#[test]
fn of_a_journal_that_is_said_to_be_longer_all_commits_are_read() {
    for len in [1 << 20, 1 << 62, u64::MAX >> 1] {
        let (file, model) = opened(JOURNAL, len, u32::MAX);
        let file = file.unwrap();
        assert_eq!(all(&file).unwrap(), model);
        assert!(file.report().torn_journal.is_some_and(|(at, more)| at + more == len));
    }
}
