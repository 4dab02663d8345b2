//! Of writers that come for the lease at the same time never do two have it, whatever each of
//! them does between two steps of another: every order with at most two switches that no writer
//! asked for, and thousands of random ones.

#![cfg(not(any(target_family = "wasm", miri)))]

mod support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Condvar, Mutex};

use clawft_store::storage::{Handle, Outcome, Storage, StorageError};
use clawft_store::{Error, Lease};
use support::{NAME, Random};

const WRITERS: usize = 3;

/// Who may take the next step, as the order has it: one writer at a time.
struct Turns {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    current: usize,
    step: usize,
    done: [bool; WRITERS],
    /// At which steps it is another one's turn, and how many further that one is.
    switches: Vec<(usize, usize)>,
}

impl State {
    /// The next one behind `current` that is not done.
    fn advance(&mut self, by: usize) {
        for _ in 0..by {
            for _ in 0..WRITERS {
                self.current = (self.current + 1) % WRITERS;
                if !self.done[self.current] {
                    break;
                }
            }
        }
    }
}

impl Turns {
    /// One step: waits until it is `writer`'s turn.
    fn step<T>(&self, writer: usize, step: impl FnOnce() -> T) -> T {
        let mut state =
            self.changed.wait_while(self.state.lock().unwrap(), |s| s.current != writer).unwrap();
        let done = step();
        state.step += 1;
        let now = state.step;
        let by = state.switches.iter().find(|(at, _)| *at == now).map_or(0, |&(_, by)| by);
        state.advance(by);
        self.changed.notify_all();
        done
    }

    fn leave(&self, writer: usize) {
        let mut state = self.state.lock().unwrap();
        state.done[writer] = true;
        if state.current == writer {
            state.advance(1);
        }
        self.changed.notify_all();
    }
}

/// A folder in which each call is a step.
struct Folder<'a> {
    turns: &'a Turns,
    writer: usize,
    files: &'a Mutex<Files>,
}

#[derive(Default)]
struct Files {
    names: BTreeMap<String, usize>,
    contents: Vec<Vec<u8>>,
}

impl Folder<'_> {
    fn files<T>(&self, call: impl FnOnce(&mut Files) -> T) -> T {
        self.turns.step(self.writer, || call(&mut self.files.lock().unwrap()))
    }
}

impl Storage for Folder<'_> {
    fn open(&self, name: &str) -> Outcome<Handle> {
        let found = |files: &mut Files| files.names.get(name).map(|&file| file as Handle);
        self.files(found).ok_or(StorageError::NotFound)
    }

    fn create(&self, name: &str) -> Outcome<Handle> {
        self.files(|files| {
            if files.names.contains_key(name) {
                return Err(StorageError::Exists);
            }
            files.contents.push(Vec::new());
            files.names.insert(name.into(), files.contents.len() - 1);
            Ok((files.contents.len() - 1) as Handle)
        })
    }

    fn close(&self, _: Handle) {}

    fn len(&self, file: Handle) -> Outcome<u64> {
        Ok(self.files(|files| files.contents[file as usize].len() as u64))
    }

    fn read_at(&self, file: Handle, offset: u64, into: &mut [u8]) -> Outcome<usize> {
        self.files(|files| {
            let content = files.contents[file as usize].get(offset as usize..).unwrap_or_default();
            let len = content.len().min(into.len());
            into[..len].copy_from_slice(&content[..len]);
            Ok(len)
        })
    }

    fn append(&self, file: Handle, bytes: &[u8]) -> Outcome<()> {
        self.files(|files| files.contents[file as usize].extend_from_slice(bytes));
        Ok(())
    }

    fn truncate(&self, _: Handle, _: u64) -> Outcome<()> {
        Err(StorageError::Failed)
    }

    fn sync(&self, _: Handle) -> Outcome<()> {
        Ok(())
    }

    fn sync_folder(&self) -> Outcome<()> {
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> Outcome<()> {
        self.files(|files| {
            let file = files.names.remove(from).ok_or(StorageError::NotFound)?;
            files.names.insert(to.into(), file);
            Ok(())
        })
    }

    fn remove(&self, name: &str) -> Outcome<()> {
        self.files(|files| files.names.remove(name)).map(drop).ok_or(StorageError::NotFound)
    }

    fn list(&self, prefix: &str) -> Outcome<Vec<String>> {
        let named = |name: &&String| name.starts_with(prefix);
        Ok(self.files(|files| files.names.keys().filter(named).cloned().collect()))
    }
}

/// Runs the writers in an order, and gives how many steps and how many leases there were. Each
/// tries twice, and looks at its lease once while it holds it. With `expired` one lies there
/// that ran out.
fn run(first: usize, switches: Vec<(usize, usize)>, expired: bool) -> (usize, usize) {
    let described = format!("{first} {switches:?} {expired}");
    let files = Mutex::new(Files::default());
    let turns = |current, switches| Turns {
        state: Mutex::new(State { current, step: 0, done: [false; WRITERS], switches }),
        changed: Condvar::new(),
    };
    if expired {
        let alone = turns(0, Vec::new());
        let folder = Folder { turns: &alone, writer: 0, files: &files };
        drop(Lease::take(&folder, NAME, 99, 0, 10).unwrap());
    }
    let turns = turns(first, switches);
    let (holders, leases) = (AtomicUsize::new(0), AtomicUsize::new(0));
    // A writer that panics would be waited for.
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (turns, files, holders, leases) = (&turns, &files, &holders, &leases);
            let wrong = &wrong;
            scope.spawn(move || {
                let folder = Folder { turns, writer, files };
                for _ in 0..2 {
                    match Lease::take(&folder, NAME, writer as u64 + 1, 50, 100) {
                        Ok(mut lease) => {
                            let others = holders.fetch_add(1, SeqCst);
                            leases.fetch_add(1, SeqCst);
                            let renewed = lease.renew(&folder, 60);
                            if (others, renewed) != (0, Ok(())) {
                                let found = format!("beside {others} others, {renewed:?}");
                                wrong.lock().unwrap().push(found);
                            }
                            holders.fetch_sub(1, SeqCst);
                            let _ = lease.release(&folder);
                        }
                        Err(Error::LeaseHeld { .. }) => {}
                        Err(error) => wrong.lock().unwrap().push(error.to_string()),
                    }
                }
                turns.leave(writer);
            });
        }
    });
    assert_eq!(wrong.into_inner().unwrap(), [""; 0], "{described}");
    assert!(files.lock().unwrap().names.is_empty(), "left: {described}");
    (turns.state.into_inner().unwrap().step, leases.into_inner())
}

#[test]
fn never_have_two_the_lease() {
    let (mut orders, mut refused) = (0, 0);
    let mut tried = |(_, leases): (usize, usize)| {
        orders += 1;
        refused += 2 * WRITERS - leases;
    };
    for expired in [false, true] {
        // As many steps as there are when nobody is in the way of another.
        let (steps, leases) = run(0, Vec::new(), expired);
        assert_eq!(leases, 2 * WRITERS);
        for one in 1..steps {
            for two in one + 1..steps {
                for (by, then) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
                    tried(run(0, vec![(one, by), (two, then)], expired));
                }
            }
        }
    }
    let mut random = Random(5);
    for _ in 0..3000 {
        let expired = random.below(2) == 1;
        let often = 2 + random.below(4);
        let mut switches = Vec::new();
        for step in 1..90 {
            if random.below(often) == 0 {
                switches.push((step, 1 + random.below(2) as usize));
            }
        }
        tried(run(random.below(3) as usize, switches, expired));
    }
    println!("{orders} orders, {refused} times refused");
    assert!(refused > orders, "else nobody was in anybody's way");
}
