//! The second half of the demo: the sample in a durable memory, and a writer killed half-way.
//!
//! A process of its own imports texts and vectors, and says so after each commit. Once half of
//! them are in, it is killed as `kill -9` does. What it had committed must be there, whole; the
//! import goes on from there, and the known items are asked for by vector, by words and by both.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clawft_sample::Metric;
use clawft_sample::arrays::{self, Matrix};
use clawft_sample::scratch::Scratch;
use clawft_sample::texts;
use clawft_store::memory::{Derived, Found, Memory, MemoryOptions, Recall};
use clawft_store::storage::native::{NativeFolder, WriterLock};
use clawft_store::{Options as FileOptions, Record};

use crate::Failure;
use crate::options::Options;
use crate::progress::Progress;
use crate::run::Inputs;

const NAME: &str = "demo.rvf";
/// Records of a commit.
const BATCH: usize = 100;
/// Results of a question.
const K: usize = 10;

fn wrong(what: &str, why: impl std::fmt::Display) -> Failure {
    Failure::new(format!("{what}: {why}"))
}

/// The memory in `folder`, with the right to write it.
fn open(options: &Options, base: &Matrix, folder: &Path) -> Result<(Memory, WriterLock), Failure> {
    let lock = WriterLock::acquire(&folder.join(NAME)).map_err(|why| wrong("the lock", why))?;
    let storage = NativeFolder::new(folder).map_err(|why| wrong("the folder", why.text()))?;
    let file = FileOptions {
        dim: Some(base.dim as u16),
        metric: match options.metric {
            Metric::L2 => 0,
            Metric::InnerProduct => 1,
            Metric::Cosine => 2,
        },
        file_id: *b"the clawft demo.",
        create: true,
        ..FileOptions::default()
    };
    let capacity = base.rows as u32;
    let options = MemoryOptions { file, capacity, ..MemoryOptions::default() };
    let mut bar = None;
    let memory = Memory::open(Box::new(storage), NAME, &options, &mut |done, all| {
        bar.get_or_insert_with(|| Progress::new("rebuilding the index", all)).at(done);
    });
    let memory = memory.map_err(|why| wrong("the memory", why))?;
    if let Some(bar) = bar {
        bar.finish(memory.len());
    }
    Ok((memory, lock))
}

/// Remembers the rows that are missing, in order; says after each commit how many there are.
fn import(
    memory: &mut Memory,
    inputs: &Inputs,
    mut committed: impl FnMut(usize),
) -> Result<(), Failure> {
    let texts = inputs.texts.as_deref().unwrap_or(&[]);
    let rows = inputs.base.rows;
    for row in memory.len()..rows {
        let record = Record {
            id: row as u64,
            vector: inputs.base.row(row),
            text: texts.get(row).map_or("", String::as_str),
            kind: "sample",
            session: "",
            created: row as u64,
            last_used: row as u64,
            uses: 0,
            importance: 0.5,
            pinned: false,
            metadata: &[],
        };
        memory.remember(&record).map_err(|why| wrong("a record", why))?;
        if (row + 1) % BATCH == 0 || row + 1 == rows {
            memory.commit(0).map_err(|why| wrong("a commit", why))?;
            committed(row + 1);
        }
    }
    Ok(())
}

/// The child: imports into `folder` until it is killed.
pub(crate) fn child(options: &Options, folder: &Path) -> Result<(), Failure> {
    let inputs = Inputs::read(options)?;
    let (mut memory, _lock) = open(options, &inputs.base, folder)?;
    import(&mut memory, &inputs, |rows| {
        println!("{rows}");
        // Whoever reads this may be gone.
        let _ = std::io::stdout().flush();
    })
}

/// How well the known items were found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Quality {
    pub(crate) first: f64,
    pub(crate) ten: f64,
    pub(crate) mrr: f64,
}

/// What happened.
pub(crate) struct Story {
    pub(crate) rows: usize,
    /// Rows committed when the writer was killed, as it said.
    pub(crate) said: usize,
    /// Rows there were after that.
    pub(crate) found: usize,
    /// Were all of them as they went in?
    pub(crate) whole: bool,
    pub(crate) reopened: Duration,
    pub(crate) derived: Derived,
    /// The same after a clean close.
    pub(crate) opened: Duration,
    pub(crate) opened_from: Derived,
    pub(crate) file_bytes: u64,
    /// By vector, by words, by both; none without known items.
    pub(crate) quality: Option<[Quality; 3]>,
}

/// Runs the whole of it.
pub(crate) fn run(options: &Options, inputs: &Inputs) -> Result<Story, Failure> {
    let folder = Scratch::new()?;
    let rows = inputs.base.rows;
    let said = kill_half_way(folder.path(), rows)?;

    let start = Instant::now();
    let (mut memory, lock) = open(options, &inputs.base, folder.path())?;
    let (reopened, derived, found) = (start.elapsed(), memory.derived(), memory.len());
    let whole = is_whole(&memory, inputs)?;
    let mut bar = Progress::new("the rest of the import", rows);
    import(&mut memory, inputs, |rows| bar.at(rows))?;
    bar.finish(memory.len());
    memory.close(0).map_err(|why| wrong("closing", why))?;
    drop(lock);

    let start = Instant::now();
    let (mut memory, _lock) = open(options, &inputs.base, folder.path())?;
    let (opened, opened_from) = (start.elapsed(), memory.derived());
    let known = options.base.is_none().then(|| options.data.join("known_item.jsonl"));
    let quality = match known {
        Some(path) => Some(ask(&mut memory, options, &path)?),
        None => None,
    };
    let file_bytes = memory.file().sizes().base;
    Ok(Story {
        rows,
        said,
        found,
        whole,
        reopened,
        derived,
        opened,
        opened_from,
        file_bytes,
        quality,
    })
}

/// Starts the import in a process of its own and kills it; returns how many rows it had committed.
fn kill_half_way(folder: &Path, rows: usize) -> Result<usize, Failure> {
    let program = std::env::current_exe().map_err(|why| wrong("this program", why))?;
    let mut child = Command::new(program)
        .args(std::env::args_os().skip(1))
        .arg("--import-into")
        .arg(folder)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|why| wrong("the import", why))?;
    let mut said = 0;
    let mut bar = Progress::new("import, to be killed", rows);
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            said = line.ok().and_then(|line| line.parse().ok()).unwrap_or(said);
            bar.at(said);
            if said >= rows / 2 {
                break;
            }
        }
    }
    // On Unix this is SIGKILL: nothing of the process runs any more.
    child.kill().map_err(|why| wrong("killing the import", why))?;
    child.wait().map_err(|why| wrong("the killed import", why))?;
    bar.finish(said);
    if said < rows / 2 {
        return Err(Failure::new(format!(
            "the import ended by itself after {said} of {rows} rows"
        )));
    }
    Ok(said)
}

/// Are the first rows there as they went in, and nothing else?
fn is_whole(memory: &Memory, inputs: &Inputs) -> Result<bool, Failure> {
    let texts = inputs.texts.as_deref().unwrap_or(&[]);
    let mut vector = vec![0.0; inputs.base.dim];
    for row in 0..memory.len() {
        let id = row as u64;
        if !memory.contains(id) {
            return Ok(false);
        }
        memory.vector(id, &mut vector).map_err(|why| wrong("a vector", why))?;
        let text = memory.text(id).map_err(|why| wrong("a text", why))?;
        if vector != inputs.base.row(row) || text != texts.get(row).map_or("", String::as_str) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Asks for the known items in three ways.
fn ask(memory: &mut Memory, options: &Options, path: &Path) -> Result<[Quality; 3], Failure> {
    let vectors = arrays::read(&options.data.join("known_item_queries.f16.npy"))?;
    let questions = texts::read(path)?;
    let relevant = texts::numbers(path, "relevant")?;
    let mut all = [Quality::default(); 3];
    for (row, (question, id)) in questions.iter().zip(&relevant).enumerate() {
        let ways = [(true, false), (false, true), (true, true)];
        for (quality, (by_vector, by_words)) in all.iter_mut().zip(ways) {
            let recall = Recall {
                vector: by_vector.then(|| vectors.row(row)),
                text: by_words.then_some(question.as_str()),
                k: K,
                ..Recall::default()
            };
            let found: Vec<Found> =
                memory.recall(&recall).map_err(|why| wrong("a question", why))?;
            if let Some(rank) = found.iter().position(|one| one.id == *id) {
                quality.first += f64::from(u8::from(rank == 0));
                quality.ten += 1.0;
                quality.mrr += 1.0 / (rank + 1) as f64;
            }
        }
    }
    let count = relevant.len().max(1) as f64;
    Ok(all.map(|q| Quality { first: q.first / count, ten: q.ten / count, mrr: q.mrr / count }))
}

/// Tells the story.
pub(crate) fn tell(story: &Story) {
    let Story { rows, said, found, .. } = story;
    println!("\nThe same in a durable memory (a native process, one file):");
    println!(
        "  killed with SIGKILL after it had said that {said} of {rows} records were committed"
    );
    println!(
        "  reopened in {:.2} s (index rebuilt from the records): {found} records there, {}",
        story.reopened.as_secs_f64(),
        if story.whole { "each as it went in" } else { "NOT all as they went in" }
    );
    println!(
        "  the rest imported, closed: {:.1} MB; opened again in {:.1} ms",
        story.file_bytes as f64 / 1e6,
        story.opened.as_secs_f64() * 1e3
    );
    if let Some(quality) = &story.quality {
        println!("  known items, one right answer each:   hit@1   hit@10   MRR@10");
        for (name, q) in ["by vector", "by words", "by both"].into_iter().zip(quality) {
            println!("    {name:<34} {:>6.3}   {:>6.3}   {:>6.3}", q.first, q.ten, q.mrr);
        }
    }
}
