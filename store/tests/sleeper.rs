//! A writer that sleeps through its lease at any look of its own, while another one takes over,
//! writes, and ends: when it wakes, nothing of the other one's is lost, and nothing that it was told
//! is committed.
//!
//! Looks are all calls but those that put something in place: between the look at the lease and
//! the step after it nothing can be done, as `docs/format-file.md` says.

mod support;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use clawft_store::memory::{Error as MemoryError, Memory, MemoryOptions};
use clawft_store::storage::simulated::SimulatedDisk;
use clawft_store::storage::{Handle, Outcome, Storage};
use clawft_store::{DurableFile, Error, Lease, Options};
use support::{DIM, NAME, Owned, Random, open, options, remember};

/// Written by whoever takes over.
const THEIRS: u64 = 1000;

/// Counts down to a call before which something happens; `None`: not any more.
type Until = Rc<Cell<Option<usize>>>;

/// A disk of a program that sleeps before one of its looks, or before one of its appends.
#[derive(Clone)]
struct Sleeps {
    disk: SimulatedDisk,
    looks: Until,
    appends: Until,
    happens: Rc<RefCell<dyn FnMut()>>,
}

impl Sleeps {
    fn look(&self) -> &SimulatedDisk {
        self.call(&self.looks)
    }

    fn call(&self, until: &Until) -> &SimulatedDisk {
        let left = until.get();
        until.set(left.and_then(|left| left.checked_sub(1)));
        if left == Some(0) {
            (self.happens.borrow_mut())();
        }
        &self.disk
    }
}

impl Storage for Sleeps {
    fn open(&self, name: &str) -> Outcome<Handle> {
        self.look().open(name)
    }

    fn create(&self, name: &str) -> Outcome<Handle> {
        self.look().create(name)
    }

    fn close(&self, file: Handle) {
        self.disk.close(file);
    }

    fn len(&self, file: Handle) -> Outcome<u64> {
        self.look().len(file)
    }

    fn read_at(&self, file: Handle, offset: u64, into: &mut [u8]) -> Outcome<usize> {
        self.look().read_at(file, offset, into)
    }

    fn append(&self, file: Handle, bytes: &[u8]) -> Outcome<()> {
        self.call(&self.appends).append(file, bytes)
    }

    fn truncate(&self, file: Handle, len: u64) -> Outcome<()> {
        self.disk.truncate(file, len)
    }

    fn sync(&self, file: Handle) -> Outcome<()> {
        self.look().sync(file)
    }

    fn sync_folder(&self) -> Outcome<()> {
        self.look().sync_folder()
    }

    fn rename(&self, from: &str, to: &str) -> Outcome<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> Outcome<()> {
        self.disk.remove(name)
    }

    fn list(&self, prefix: &str) -> Outcome<Vec<String>> {
        self.look().list(prefix)
    }
}

fn memory_options() -> MemoryOptions {
    MemoryOptions { file: options(), capacity: 64, ..MemoryOptions::default() }
}

fn opened(storage: impl Storage + 'static, lease: Lease) -> Result<Memory, MemoryError> {
    let storage = Box::new(storage);
    Ok(Memory::open_leased(storage, NAME, &memory_options(), Some(lease), &mut |_, _| {})?)
}

/// Takes over from whoever sleeps, writes one record, and ends, or is killed.
fn take_over(disk: &SimulatedDisk, closes: bool) {
    let lease = Lease::take(disk, NAME, 2, 1_000_000, 100).unwrap();
    let mut memory = opened(disk.clone(), lease).unwrap();
    remember(&mut memory, THEIRS, &Owned::random(&mut Random(9), DIM, 60)).unwrap();
    memory.commit(1_000_000).unwrap();
    if closes {
        memory.close(1_000_000).unwrap();
    }
}

/// What a program does that may fall asleep; ids that it was told are committed.
type Work = fn(&mut Memory) -> Vec<u64>;

fn commits(memory: &mut Memory) -> Vec<u64> {
    let mut told = Vec::new();
    // So many that some of them are folded, and that it is compacted.
    for id in 0..12 {
        let owned = Owned::random(&mut Random(id), DIM, 90);
        match remember(memory, id % 8, &owned).and_then(|()| memory.commit(10)) {
            Ok(()) => told.push(id % 8),
            Err(MemoryError::File(Error::Conflict | Error::Stopped)) => return told,
            Err(error) => panic!("{error}"),
        }
    }
    told
}

fn compacts(memory: &mut Memory) -> Vec<u64> {
    match memory.compact(10) {
        Ok(()) | Err(MemoryError::File(Error::Conflict | Error::Stopped)) => Vec::new(),
        Err(error) => panic!("{error}"),
    }
}

/// Does the work, from opening on or behind it, and sleeps before look number `look`. Gives whether
/// it did.
fn sleeps(
    begin: &dyn Fn() -> SimulatedDisk,
    from_opening: bool,
    work: Work,
    look: usize,
    closes: bool,
) -> bool {
    let disk = begin();
    let slept = Rc::new(Cell::new(false));
    let happens = {
        let (disk, slept) = (disk.clone(), slept.clone());
        move || {
            take_over(&disk, closes);
            slept.set(true);
        }
    };
    let lease = Lease::take(&disk, NAME, 1, 0, 100).unwrap();
    let looks = Rc::new(Cell::new(from_opening.then_some(look)));
    let storage = Sleeps {
        disk: disk.clone(),
        looks: looks.clone(),
        appends: Rc::default(),
        happens: Rc::new(RefCell::new(happens)),
    };
    let told = match opened(storage, lease) {
        Ok(mut memory) => {
            if !from_opening {
                looks.set(Some(look));
            }
            let told = work(&mut memory);
            let _ = memory.close(20);
            told
        }
        Err(MemoryError::File(_)) => Vec::new(),
        Err(error) => panic!("{error}"),
    };
    looks.set(None);
    let reading = Options { read_only: true, ..options() };
    let read = DurableFile::open(Box::new(disk.clone()), NAME, &reading).unwrap();
    let file = open(&disk).unwrap();
    for file in [&read, &file] {
        assert_eq!(file.verify(1).unwrap(), [], "look {look}");
        assert!(!slept.get() || file.contains(THEIRS), "look {look}: theirs is lost");
        assert!(told.iter().all(|&id| file.contains(id)), "look {look}: {told:?} were told");
    }
    slept.get()
}

fn at_every_look(begin: &dyn Fn() -> SimulatedDisk, from_opening: bool, work: Work) {
    for closes in [true, false] {
        let slept = |&look: &usize| sleeps(begin, from_opening, work, look, closes);
        let looks = (0..).take_while(slept).count();
        println!("{looks} looks");
        assert!(looks > 10);
    }
}

/// What the loser still has may be forgotten by now.
#[test]
fn who_lost_its_lease_leaves_no_image_behind() {
    let disk = SimulatedDisk::new(3);
    let lease = Lease::take(&disk, NAME, 1, 0, 100).unwrap();
    let mut loser = opened(disk.clone(), lease).unwrap();
    for id in 0..8 {
        remember(&mut loser, id, &Owned::random(&mut Random(id), DIM, 80)).unwrap();
    }
    loser.commit(0).unwrap();
    loser.compact(0).unwrap();
    loser.touch(&[1], 5);

    let lease = Lease::take(&disk, NAME, 2, 1_000_000, 100).unwrap();
    let mut winner = opened(disk.clone(), lease).unwrap();
    winner.forget(1).unwrap();
    winner.compact(1_000_000).unwrap();
    winner.close(1_000_000).unwrap();
    let names = disk.names();
    assert!(loser.close(20).is_err());
    assert_eq!(disk.names(), names);
}

/// One who outlived its lease appends to the base, before any append of whoever has the lease now.
#[test]
fn what_another_one_appends_late_costs_no_commit() {
    let mut append = 0;
    loop {
        let disk = some();
        let appends = Rc::new(Cell::new(Some(append)));
        let late = {
            let disk = disk.clone();
            move || {
                let base = disk.open(NAME).unwrap();
                disk.append(base, &[7; 64]).unwrap();
                disk.close(base);
            }
        };
        let storage = Sleeps {
            disk: disk.clone(),
            looks: Rc::default(),
            appends: appends.clone(),
            happens: Rc::new(RefCell::new(late)),
        };
        let mut file = DurableFile::open(Box::new(storage), NAME, &options()).unwrap();
        let mut told = Vec::new();
        for id in 100..108 {
            let done = Owned::random(&mut Random(id), DIM, 200)
                .put(&mut file, id)
                .and_then(|()| file.commit(0));
            match done {
                Ok(()) => told.push(id),
                Err(Error::Conflict | Error::Stopped) => break,
                Err(error) => panic!("append {append}: {error}"),
            }
        }
        drop(file);
        let file = open(&disk).unwrap();
        assert_eq!(file.verify(1).unwrap(), [], "append {append}");
        assert!((0..8).chain(told).all(|id| file.contains(id)), "append {append}");
        if appends.get().is_some() {
            break;
        }
        append += 1;
    }
    assert!(append > 8, "{append} appends");
}

/// A file of some records, the newest of them in the journal.
fn some() -> SimulatedDisk {
    let disk = SimulatedDisk::new(3);
    let mut file = open(&disk).unwrap();
    for id in 0..8 {
        Owned::random(&mut Random(id), DIM, 80).put(&mut file, id).unwrap();
        file.commit(0).unwrap();
    }
    disk
}

#[test]
fn while_it_makes_the_memory() {
    at_every_look(&|| SimulatedDisk::new(3), true, |_| Vec::new());
}

#[test]
fn while_it_opens_one_that_broke_off() {
    // A fold that was not finished, and a journal that was not put in place.
    let torn = || {
        let disk = some();
        let mut bytes = disk.bytes(NAME).unwrap();
        bytes.extend([7; 100]);
        disk.put(NAME, bytes);
        let mut bytes = disk.bytes("memory.rvf.journal").unwrap();
        bytes.extend([7; 90]);
        disk.put("memory.rvf.journal", bytes);
        disk.put("memory.rvf.compact", b"left".to_vec());
        disk
    };
    at_every_look(&torn, true, |_| Vec::new());
}

#[test]
fn while_it_commits_and_folds() {
    at_every_look(&some, false, commits);
}

#[test]
fn while_it_compacts() {
    at_every_look(&some, false, compacts);
}
