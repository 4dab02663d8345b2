//! One writer where there is no lock, by a lease, and any number of readers.

mod support;

use std::cell::RefCell;

use clawft_store::memory::{Memory, MemoryOptions};
use clawft_store::storage::simulated::SimulatedDisk;
use clawft_store::storage::{Handle, Outcome, Storage, StorageError};
use clawft_store::{DurableFile, Error, Lease, Options};
use support::{DIM, Model, NAME, Owned, Random, all, open, options};

#[test]
fn two_guests_that_write_by_turns_lose_no_commit() {
    let disk = SimulatedDisk::new(1);
    drop(open(&disk).unwrap());
    let mut model = Model::new();
    let mut random = Random(7);
    let (mut conflicts, mut held) = (0, 0);
    let mut now = 1000;
    // Each guest keeps its handle for as long as it can, and begins anew when it must.
    let mut guests: [Option<DurableFile>; 3] = [None, None, None];
    for nonce in 1..if cfg!(miri) { 40 } else { 600_u64 } {
        now += random.below(120);
        let guest = &mut guests[random.below(3) as usize];
        let file = match guest {
            Some(file) => file,
            None => match Lease::take(&disk, NAME, nonce, now, 100) {
                Ok(lease) => {
                    let mut file = open(&disk).unwrap();
                    file.set_lease(lease);
                    guest.insert(file)
                }
                Err(Error::LeaseHeld { until }) => {
                    assert!(until > now);
                    held += 1;
                    continue;
                }
                Err(error) => panic!("{error}"),
            },
        };
        let id = random.id(30);
        let record = Owned::random(&mut random, DIM, 50);
        record.put(file, id).unwrap();
        match file.commit(now) {
            Ok(()) => drop(model.insert(id, record)),
            Err(Error::Conflict) => {
                conflicts += 1;
                *guest = None;
            }
            Err(error) => panic!("{error}"),
        }
        let leaves = random.below(6) == 0;
        match guest.take_if(|_| leaves).map(|file| file.close(now)) {
            None | Some(Ok(()) | Err(Error::Conflict)) => {}
            Some(Err(error)) => panic!("{error}"),
        }
    }
    println!("{conflicts} conflicts, {held} times held");
    assert!(cfg!(miri) || (conflicts > 20 && held > 20));
    assert_eq!(all(&open(&disk).unwrap()).unwrap(), model);
}

#[test]
fn a_lease_runs_out_and_is_taken_by_one() {
    let disk = SimulatedDisk::new(1);
    let mut first = Lease::take(&disk, NAME, 1, 0, 100).unwrap();
    assert_eq!(
        Lease::take(&disk, NAME, 2, 99, 100).unwrap_err().to_string(),
        "no other writer expected, found one with a lease until 100"
    );
    first.renew(&disk, 10).unwrap();
    first.renew(&disk, 60).unwrap();
    assert_eq!(
        Lease::take(&disk, NAME, 2, 120, 100),
        Err(Error::LeaseHeld { until: 160 }),
        "it was renewed"
    );
    let mut second = Lease::take(&disk, NAME, 2, 160, 100).unwrap();
    assert_eq!(first.renew(&disk, 161), Err(Error::Conflict));
    assert_eq!(first.clone().release(&disk), Ok(()), "which leaves the other's alone");
    second.renew(&disk, 161).unwrap();
    second.release(&disk).unwrap();
    assert!(disk.names().is_empty());
    // What has such a name and is no lease says nothing, and stays.
    for name in ["", "0", "x", "0000000000000001.000000000000000x", "éé0000000000000000000000000é"]
    {
        disk.create(&format!("memory.rvf.lease.{name}")).unwrap();
    }
    let third = Lease::take(&disk, NAME, 3, 0, 100).unwrap();
    third.release(&disk).unwrap();
    assert_eq!(disk.names().len(), 5);
}

#[test]
fn readers_may_open_while_a_writer_writes() {
    let disk = SimulatedDisk::new(1);
    let mut file = open(&disk).unwrap();
    let reading = Options { read_only: true, ..options() };
    let mut model = Model::new();
    for id in 0..if cfg!(miri) { 4 } else { 40 } {
        let record = Owned::random(&mut Random(id), DIM, 100);
        record.put(&mut file, id).unwrap();
        file.commit(0).unwrap();
        model.insert(id, record);
        let reader = DurableFile::open(Box::new(disk.clone()), NAME, &reading).unwrap();
        assert_eq!(all(&reader).unwrap(), model);
    }
}

/// A disk where something happens before the next file is created.
struct Interrupted<'a>(SimulatedDisk, RefCell<Option<Box<dyn FnOnce() + 'a>>>);

impl Storage for Interrupted<'_> {
    fn create(&self, name: &str) -> Outcome<Handle> {
        if let Some(happens) = self.1.take() {
            happens();
        }
        self.0.create(name)
    }

    fn open(&self, name: &str) -> Outcome<Handle> {
        self.0.open(name)
    }

    fn close(&self, file: Handle) {
        self.0.close(file);
    }

    fn len(&self, file: Handle) -> Outcome<u64> {
        self.0.len(file)
    }

    fn read_at(&self, file: Handle, offset: u64, into: &mut [u8]) -> Outcome<usize> {
        self.0.read_at(file, offset, into)
    }

    fn append(&self, file: Handle, bytes: &[u8]) -> Outcome<()> {
        self.0.append(file, bytes)
    }

    fn truncate(&self, file: Handle, len: u64) -> Outcome<()> {
        self.0.truncate(file, len)
    }

    fn sync(&self, file: Handle) -> Outcome<()> {
        self.0.sync(file)
    }

    fn sync_folder(&self) -> Outcome<()> {
        self.0.sync_folder()
    }

    fn rename(&self, from: &str, to: &str) -> Outcome<()> {
        self.0.rename(from, to)
    }

    fn remove(&self, name: &str) -> Outcome<()> {
        self.0.remove(name)
    }

    fn list(&self, prefix: &str) -> Outcome<Vec<String>> {
        self.0.list(prefix)
    }
}

#[test]
fn of_two_that_take_it_at_once_one_has_it() {
    let disk = SimulatedDisk::new(1);
    let second = RefCell::new(None);
    // The second comes after the first has looked.
    let takes = || drop(second.replace(Some(Lease::take(&disk, NAME, 2, 10, 100).unwrap())));
    let interrupted = Interrupted(disk.clone(), RefCell::new(Some(Box::new(takes))));
    assert_eq!(Lease::take(&interrupted, NAME, 1, 10, 100), Err(Error::LeaseHeld { until: 110 }));
    drop(interrupted);
    let mut second = second.into_inner().unwrap();
    second.renew(&disk, 20).unwrap();
    second.release(&disk).unwrap();
    assert!(disk.names().is_empty());
}

/// The file renews its copy, and whoever took the lease gives it back.
#[test]
fn copies_of_a_lease_are_one() {
    let disk = SimulatedDisk::new(1);
    let mut lease = Lease::take(&disk, NAME, 1, 0, 100).unwrap();
    let mut copy = lease.clone();
    copy.renew(&disk, 60).unwrap();
    lease.renew(&disk, 130).unwrap();
    assert_eq!(Lease::take(&disk, NAME, 2, 229, 100), Err(Error::LeaseHeld { until: 230 }));
    copy.renew(&disk, 200).unwrap();
    lease.release(&disk).unwrap();
    assert!(disk.names().is_empty());
    assert_eq!(copy.renew(&disk, 201), Err(Error::Conflict));
}

/// One that slept for longer than its lease lasts before it had created it, or before it looked again.
#[test]
fn who_slept_while_it_took_a_lease_has_none() {
    let disk = SimulatedDisk::new(1);
    let second = RefCell::new(None);
    let takes = || drop(second.replace(Some(Lease::take(&disk, NAME, 2, 500, 100).unwrap())));
    let interrupted = Interrupted(disk.clone(), RefCell::new(Some(Box::new(takes))));
    assert_eq!(Lease::take(&interrupted, NAME, 1, 10, 100), Err(Error::LeaseHeld { until: 600 }));
    drop(interrupted);
    second.into_inner().unwrap().renew(&disk, 510).unwrap();
}

/// Opening puts nothing in place once another writer has the lease.
#[test]
fn who_slept_while_it_opened_changes_nothing() {
    let disk = SimulatedDisk::new(1);
    let lease = Lease::take(&disk, NAME, 1, 0, 100).unwrap();
    let theirs = disk.clone();
    let sleeps = move || {
        let lease = Lease::take(&theirs, NAME, 2, 200, 100).unwrap();
        let mut file = open(&theirs).unwrap();
        file.set_lease(lease);
        Owned::random(&mut Random(1), DIM, 50).put(&mut file, 1).unwrap();
        file.commit(200).unwrap();
        file.close(200).unwrap();
    };
    // The first file that it creates is what is to become the new memory.
    let interrupted = Interrupted(disk.clone(), RefCell::new(Some(Box::new(sleeps))));
    let options = MemoryOptions { file: options(), ..MemoryOptions::default() };
    let storage = Box::new(interrupted);
    let opened = Memory::open_leased(storage, NAME, &options, Some(lease), &mut |_, _| {});
    let refused = opened.err().map(clawft_store::memory::Error::from);
    assert_eq!(refused.unwrap().to_string(), Error::Conflict.to_string());
    assert_eq!(all(&open(&disk).unwrap()).unwrap().len(), 1);
}

/// Nothing keeps them apart, and yet no commit is lost in silence.
#[test]
fn of_two_writers_without_a_lease_the_later_one_is_refused() {
    let record = |id| Owned::random(&mut Random(id), DIM, 50);
    // What the earlier one does meanwhile; compacting alone leaves the later one's journal as it was.
    for (way, first_commits) in
        [("", true), ("settles", true), ("compacts", true), ("compacts", false)]
    {
        let disk = SimulatedDisk::new(1);
        let mut model = Model::new();
        let [mut first, mut second] = [(); 2].map(|()| open(&disk).unwrap());
        if first_commits {
            record(1).put(&mut first, 1).unwrap();
            model.insert(1, record(1));
            first.commit(0).unwrap();
        }
        match way {
            "settles" => first.settle(0).unwrap(),
            "compacts" => first.compact(0).unwrap(),
            _ => {}
        }
        record(2).put(&mut second, 2).unwrap();
        let before = (second.pending(), disk.written());
        assert_eq!(second.commit(0), Err(Error::Conflict), "{way}");
        assert_eq!(second.compact(0), Err(Error::Conflict), "{way}");
        assert_eq!((second.pending(), disk.written()), before, "{way}");
        assert_eq!(Owned::get(&second, 2).unwrap(), record(2), "it is still there");
        record(3).put(&mut first, 3).unwrap();
        model.insert(3, record(3));
        first.commit(0).unwrap();
        drop((first, second));
        assert_eq!(all(&open(&disk).unwrap()).unwrap(), model, "{way}");
    }
}

/// A fold is durable, and there is no space for the new journal: whoever opens then begins one.
#[test]
fn a_journal_that_is_due_takes_no_other_ones_place() {
    let record = |id| Owned::random(&mut Random(id), DIM, 50);
    let long = Owned { text: "x".repeat(1000), ..record(1) };
    let fold = |space| {
        let disk = SimulatedDisk::new(1);
        let mut file = open(&disk).unwrap();
        disk.set_space(space);
        let before = disk.written();
        long.put(&mut file, 1).unwrap();
        file.commit(0).unwrap();
        let written = disk.written() - before;
        disk.set_space(None);
        (disk, file, written)
    };
    let (.., written) = fold(None);
    for other in ["commits", "settles", "compacts", ""] {
        for own in ["commits", "compacts", "closes"] {
            let context = format!("{other:?}, then it {own}");
            let (disk, mut first, _) = fold(Some(written - 64));
            assert_eq!(first.deferred(), Some(Error::Storage(StorageError::NoSpace)));
            assert_eq!(first.sizes().journal, 0, "all but the journal is there");
            let mut model = Model::from([(1, long.clone())]);
            let mut second = open(&disk).unwrap();
            let mut put = |file: &mut DurableFile, id| {
                record(id).put(file, id).unwrap();
                let done = file.commit(0);
                if done.is_ok() {
                    model.insert(id, record(id));
                }
                done
            };
            let comes_first = !other.is_empty();
            for id in (2..5).filter(|_| comes_first) {
                put(&mut second, id).unwrap();
            }
            match other {
                "settles" => second.settle(0).unwrap(),
                "compacts" => second.compact(0).unwrap(),
                _ => {}
            }
            let done = match own {
                "commits" => put(&mut first, 5),
                "compacts" => first.compact(0),
                _ => first.settle(0),
            };
            let refused = |is| if is { Err(Error::Conflict) } else { Ok(()) };
            assert_eq!(done, refused(comes_first), "{context}");
            // Of one empty journal they hear of each other.
            let hears = !comes_first && own != "closes";
            assert_eq!(put(&mut second, 6), refused(hears), "{context}");
            assert_eq!(first.deferred().is_some(), comes_first, "{context}");
            drop((first, second));
            assert_eq!(all(&open(&disk).unwrap()).unwrap(), model, "{context}");
        }
    }
}

/// The journal is as it was, but what it builds on is not.
#[test]
fn a_commit_beside_another_ones_fold_is_refused() {
    let record = |id| Owned::random(&mut Random(id), DIM, 50);
    let settle = |space: u64| {
        let disk = SimulatedDisk::new(1);
        let mut first = open(&disk).unwrap();
        record(1).put(&mut first, 1).unwrap();
        first.commit(0).unwrap();
        let second = open(&disk).unwrap();
        let before = disk.written();
        disk.set_space(Some(space));
        let settled = first.settle(0);
        disk.set_space(None);
        (disk.written() - before, settled, disk, second)
    };
    let (written, ..) = settle(1 << 20);
    let (_, settled, disk, mut second) = settle(written - 64);
    assert_eq!(settled, Err(Error::Storage(StorageError::NoSpace)), "of the new journal");
    record(2).put(&mut second, 2).unwrap();
    assert_eq!(second.commit(0), Err(Error::Conflict));
    drop(second);
    assert_eq!(all(&open(&disk).unwrap()).unwrap(), Model::from([(1, record(1))]));
}

#[test]
fn a_lease_that_ran_out_is_its_holders_until_another_takes_it() {
    let disk = SimulatedDisk::new(1);
    let mut first = Lease::take(&disk, NAME, 1, 0, 100).unwrap();
    first.renew(&disk, 1000).unwrap();
    assert_eq!(Lease::take(&disk, NAME, 2, 1099, 100), Err(Error::LeaseHeld { until: 1100 }));
    assert_eq!(disk.names(), ["memory.rvf.lease.0000000000000001.000000000000044c"]);
    let second = Lease::take(&disk, NAME, 2, 1100, 100).unwrap();
    assert_eq!(first.clone().renew(&disk, 1101), Err(Error::Conflict), "another has it");
    assert_eq!(first.clone().renew(&disk, 9000), Err(Error::Conflict), "it ran out for both");
    second.release(&disk).unwrap();
    // What the other did meanwhile the first does not know.
    assert_eq!(first.renew(&disk, 1101), Err(Error::Conflict));
    assert!(disk.names().is_empty());
}

/// Both find that the lease ran out, and the other one is faster.
#[test]
fn of_its_holder_and_another_one_takes_a_lease_that_ran_out() {
    let disk = SimulatedDisk::new(1);
    let mut first = Lease::take(&disk, NAME, 1, 0, 100).unwrap();
    let second = RefCell::new(None);
    let takes = || drop(second.replace(Some(Lease::take(&disk, NAME, 2, 200, 100).unwrap())));
    let interrupted = Interrupted(disk.clone(), RefCell::new(Some(Box::new(takes))));
    // The other one is there before the first has created its new one.
    assert_eq!(first.renew(&interrupted, 200), Err(Error::Conflict));
    drop(interrupted);
    let mut second = second.into_inner().unwrap();
    second.renew(&disk, 210).unwrap();
    second.release(&disk).unwrap();
    assert!(disk.names().is_empty());
}

/// A device without a battery for its clock begins anew: a lease of before would end in years.
#[test]
fn a_lease_of_a_clock_that_was_set_back_keeps_nobody_out() {
    const HOUR: u64 = 3_600_000;
    let (disk, now) = (SimulatedDisk::new(1), 100_000 * HOUR);
    drop(Lease::take(&disk, NAME, 1, now, 5000).unwrap());
    // So little back it may be that of a writer whose clock is right.
    let held = Lease::take(&disk, NAME, 2, now - HOUR, 5000).unwrap_err();
    assert_eq!(held, Error::LeaseHeld { until: now + 5000 });
    Lease::take(&disk, NAME, 3, 0, 5000).unwrap().release(&disk).unwrap();
    // None lasts longer than that.
    drop(Lease::take(&disk, NAME, 4, 0, u64::MAX).unwrap());
    assert!(Lease::take(&disk, NAME, 5, 24 * HOUR - 1, 1).is_err());
    Lease::take(&disk, NAME, 6, 24 * HOUR, 1).unwrap();
}
