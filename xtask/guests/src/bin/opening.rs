//! How long a memory of the sample takes to open: 10,000 records with their texts, and an image
//! beside the file that is valid.
//!
//!     cargo xtask guests opening        in Wasmtime, as a WASI guest compiled beforehand
//!     cargo run --release -p clawft-guests --bin opening -- FOLDER [TURNS]       natively
//!
//! What it asks of the storage is counted and timed apart: the rest is validation. Where FOLDER
//! has no memory it is made first.

#![forbid(unsafe_code)]

use std::cell::Cell;
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use clawft_benches::sample;
use clawft_store::memory::{Derived, Memory, MemoryOptions};
use clawft_store::storage::native::NativeFolder;
use clawft_store::storage::{Handle, Outcome, Storage, StorageError};
use clawft_store::{Options, Record};

const NAME: &str = "opening.rvf";
const COUNT: u32 = 10_000;
/// What it may take in Wasmtime. It is said beside the figure and fails nothing: a time depends on the
/// machine and on what else runs there.
const BUDGET: Duration = Duration::from_millis(20);

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| ".".into());
    let turns = arguments.next().and_then(|turns| turns.parse().ok()).unwrap_or(21);
    match measure(Path::new(&folder), turns) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("opening: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(folder: &Path, turns: usize) -> Result<(), Box<dyn std::error::Error>> {
    if !folder.join(NAME).exists() {
        make(folder)?;
    }
    let mut times = Vec::new();
    for _ in 0..turns.max(1) {
        let spent = Spent::default();
        let start = Instant::now();
        let memory = open(folder, &spent, &mut |_, _| {})?;
        let all = start.elapsed();
        if memory.derived() != Derived::Read || memory.len() != COUNT as usize {
            return Err(format!("an image expected, found {:?}", memory.derived()).into());
        }
        times.push((all, spent.time.get(), spent.bytes.get(), spent.calls.get()));
    }
    times.sort_unstable();
    let (all, files, bytes, calls) = times[times.len() / 2];
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "open of {COUNT} x 512 with an image: {:.1} ms, of it {:.1} ms in the storage ({calls} calls, {bytes} bytes read); median of {}, {:.1} to {:.1} ms; budget {} ms: {}",
        ms(all),
        ms(files),
        times.len(),
        ms(times[0].0),
        ms(times[times.len() - 1].0),
        BUDGET.as_millis(),
        if all <= BUDGET { "held" } else { "NOT HELD" }
    );
    Ok(())
}

fn open(
    folder: &Path,
    spent: &Spent,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Memory, Box<dyn std::error::Error>> {
    let storage = NativeFolder::new(folder).map_err(StorageError::text)?;
    let storage = Timed { storage, spent: spent.clone() };
    let file = Options { dim: Some(512), create: true, ..Options::default() };
    let options = MemoryOptions { file, capacity: COUNT, ..MemoryOptions::default() };
    Ok(Memory::open(Box::new(storage), NAME, &options, progress)?)
}

fn make(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    std::fs::create_dir_all(folder)?;
    let (base, texts) = (sample::base()?, sample::texts()?);
    let mut memory = open(folder, &Spent::default(), &mut |_, _| {})?;
    for (id, (vector, text)) in (0..).zip(base.iter().zip(&texts)) {
        memory.remember(&Record {
            id,
            vector,
            text,
            kind: "fact",
            created: id,
            last_used: id,
            importance: 0.5,
            metadata: &[("source", "sample")],
            ..Record::default()
        })?;
        if id % 1000 == 999 {
            memory.commit(0)?;
        }
    }
    memory.close(0)?;
    println!("made a memory of {COUNT} records");
    Ok(())
}

/// What was asked of a storage.
#[derive(Clone, Default)]
struct Spent {
    time: Rc<Cell<Duration>>,
    bytes: Rc<Cell<u64>>,
    calls: Rc<Cell<u32>>,
}

impl Spent {
    fn on<T>(&self, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let done = work();
        self.time.set(self.time.get() + start.elapsed());
        self.calls.set(self.calls.get() + 1);
        done
    }
}

/// A storage whose calls are timed.
struct Timed {
    storage: NativeFolder,
    spent: Spent,
}

impl Storage for Timed {
    fn open(&self, name: &str) -> Outcome<Handle> {
        self.spent.on(|| self.storage.open(name))
    }

    fn create(&self, name: &str) -> Outcome<Handle> {
        self.spent.on(|| self.storage.create(name))
    }

    fn close(&self, file: Handle) {
        self.spent.on(|| self.storage.close(file));
    }

    fn len(&self, file: Handle) -> Outcome<u64> {
        self.spent.on(|| self.storage.len(file))
    }

    fn read_at(&self, file: Handle, offset: u64, into: &mut [u8]) -> Outcome<usize> {
        let read = self.spent.on(|| self.storage.read_at(file, offset, into));
        self.spent.bytes.set(self.spent.bytes.get() + *read.as_ref().unwrap_or(&0) as u64);
        read
    }

    fn append(&self, file: Handle, bytes: &[u8]) -> Outcome<()> {
        self.spent.on(|| self.storage.append(file, bytes))
    }

    fn truncate(&self, file: Handle, len: u64) -> Outcome<()> {
        self.spent.on(|| self.storage.truncate(file, len))
    }

    fn sync(&self, file: Handle) -> Outcome<()> {
        self.spent.on(|| self.storage.sync(file))
    }

    fn sync_folder(&self) -> Outcome<()> {
        self.spent.on(|| self.storage.sync_folder())
    }

    fn rename(&self, from: &str, to: &str) -> Outcome<()> {
        self.spent.on(|| self.storage.rename(from, to))
    }

    fn remove(&self, name: &str) -> Outcome<()> {
        self.spent.on(|| self.storage.remove(name))
    }

    fn list(&self, prefix: &str) -> Outcome<Vec<String>> {
        self.spent.on(|| self.storage.list(prefix))
    }
}
