//! Writing beside others that write: the lease decides who may, and nothing committed is lost.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use clawft_store::{DurableFile, Error, Lease, Limits, Options};

use super::{NAME, Outcome, content, record, storage};

const DIM: usize = 8;
/// How long a lease lasts, ms: longer than a guest may be kept waiting between its look at the
/// lease and the write that follows.
const LEASE: u64 = 3000;
/// How long who was refused waits.
const PATIENCE: Duration = Duration::from_millis(3);
/// How long at most: many times a lease, so that a failure is none of a slow machine.
const LIMIT: Duration = Duration::from_secs(60);

fn options() -> Options {
    Options {
        dim: Some(DIM as u16),
        file_id: *b"a file of guests",
        create: true,
        // So that these few commits see folds and compactions too.
        limits: Limits { fold: 4000, compact_times: 2, compact_slack: 8000 },
        ..Options::default()
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

/// A number that no other guest has.
fn nonce() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Becomes the writer, as soon as it can be.
fn begin(folder: &Path, refused: &mut u32) -> Result<DurableFile, Box<dyn std::error::Error>> {
    let (start, nonce) = (Instant::now(), nonce());
    loop {
        let storage = storage(folder)?;
        match Lease::take(&storage, NAME, nonce, now(), LEASE) {
            Ok(lease) => {
                let mut file = DurableFile::open(Box::new(storage), NAME, &options())?;
                file.set_lease(lease);
                return Ok(file);
            }
            Err(Error::LeaseHeld { .. }) if start.elapsed() < LIMIT => {
                *refused += 1;
                std::thread::sleep(PATIENCE);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// With `nap` the guest sleeps through its lease once, before it commits.
pub(super) fn write(folder: &Path, [first, count, hold, nap]: [u64; 4]) -> Outcome {
    let (mut refused, mut conflicts) = (0, 0);
    let mut file: Option<DurableFile> = None;
    let mut id = first;
    while id < first + count {
        let writer = match &mut file {
            Some(writer) => writer,
            None => file.insert(begin(folder, &mut refused)?),
        };
        let (vector, text) = content(id, DIM);
        writer.put(&record(id, &vector, &text))?;
        if id == first + count / 2 && nap > 0 && conflicts == 0 {
            std::thread::sleep(Duration::from_millis(LEASE + nap));
        }
        match writer.commit(now()) {
            Ok(()) => {
                println!("committed {id}");
                id += 1;
            }
            Err(Error::Conflict) => {
                conflicts += 1;
                file = None;
                continue;
            }
            Err(error) => return Err(error.into()),
        }
        if (id - first).is_multiple_of(hold) || id == first + count {
            match file.take().map(|file| file.close(now())) {
                None | Some(Ok(())) => {}
                // What was committed is in the journal that the other one took over.
                Some(Err(Error::Conflict)) => conflicts += 1,
                Some(Err(error)) => return Err(error.into()),
            }
            // The other one has its turn.
            std::thread::sleep(PATIENCE);
        }
    }
    println!("refused {refused} times, {conflicts} conflicts");
    Ok(())
}

pub(super) fn second(folder: &Path) -> Outcome {
    match Lease::take(&storage(folder)?, NAME, nonce(), now(), LEASE) {
        Ok(_) => return Err("another writer expected, found none".into()),
        Err(error @ Error::LeaseHeld { .. }) => println!("refused: {error}"),
        Err(error) => return Err(error.into()),
    }
    check(folder)
}

pub(super) fn check(folder: &Path) -> Outcome {
    let reading = Options { read_only: true, ..options() };
    let file = DurableFile::open(Box::new(storage(folder)?), NAME, &reading)?;
    let mut from = file.next(0);
    let mut found = vec![0.0; DIM];
    while let Some(id) = from {
        let (vector, text) = content(id, DIM);
        file.vector(id, &mut found)?;
        if found != vector || file.text(id)? != text {
            return Err(format!("record {id} is not what was written").into());
        }
        println!("found {id}");
        from = file.next(id + 1);
    }
    let damaged = file.verify(1)?;
    if damaged.is_empty() { Ok(()) } else { Err(format!("damage: {damaged:?}").into()) }
}
