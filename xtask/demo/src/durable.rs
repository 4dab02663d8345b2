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
use clawft_store::memory::{Derived, Error, Found, Memory, MemoryOptions, Recall};
use clawft_store::storage::native::{NativeFolder, WriterLock};
use clawft_store::{Error as FileError, Options as FileOptions, Record};

use crate::Failure;
use crate::inputs::Inputs;
use crate::options::Options;
use crate::progress::Progress;
use crate::sweep::K;

const NAME: &str = "demo.rvf";
/// Records of a commit, at most...
const BATCH: usize = 100;
/// ...and commits of an import of few records: some must be left when half of them are in.
const COMMITS: usize = 20;
/// Bytes that the index of words may take. It takes what its texts need and nothing up front, so
/// the limit is far beyond them: a person's own texts may be many.
const WORDS: usize = 1 << 30;

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
    let options = MemoryOptions { file, capacity, words: WORDS, ..MemoryOptions::default() };
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

/// How many records of so many are committed at once.
fn batch(rows: usize) -> usize {
    (rows / COMMITS).clamp(1, BATCH)
}

/// Remembers the rows that are missing, in order; says after each commit how many there are.
fn import(
    memory: &mut Memory,
    inputs: &Inputs,
    mut committed: impl FnMut(usize),
) -> Result<(), Failure> {
    let texts = inputs.texts.as_deref().unwrap_or(&[]);
    let rows = inputs.base.rows;
    let batch = batch(rows);
    for row in memory.len()..rows {
        let record = Record {
            id: row as u64,
            vector: inputs.base.row(row),
            text: texts.get(row).map_or("", String::as_str),
            kind: "sample",
            created: row as u64,
            last_used: row as u64,
            importance: 0.5,
            ..Record::default()
        };
        let mut outcome = memory.remember(&record);
        // A commit has a limit in bytes too: of large records fewer go into one.
        if matches!(outcome, Err(Error::File(FileError::BatchFull { .. }))) {
            commit(memory)?;
            committed(row);
            outcome = memory.remember(&record);
        }
        outcome.map_err(|why| wrong("a record", why))?;
        if (row + 1) % batch == 0 || row + 1 == rows {
            commit(memory)?;
            committed(row + 1);
        }
    }
    Ok(())
}

fn commit(memory: &mut Memory) -> Result<(), Failure> {
    memory.commit(0).map_err(|why| wrong("a commit", why))
}

/// The child: imports into `folder` until it is killed.
pub(crate) fn child(options: &Options, folder: &Path) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    // Kept open: at the kill it is as a writer has it.
    let _open = write(options, folder, |rows| {
        // Whoever reads this may be gone.
        let _ = writeln!(out, "{rows}").and_then(|()| out.flush());
    })?;
    // A few records are all in before the signal comes: it is waited for. Where the parent is gone
    // none will come, but then standard input ends.
    let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
    Ok(())
}

/// Imports into `folder` what the files have, up to the capacity: the files may have more rows
/// than went into the parent's store.
fn write(
    options: &Options,
    folder: &Path,
    committed: impl FnMut(usize),
) -> Result<(Memory, WriterLock), Failure> {
    let mut inputs = Inputs::read(options)?;
    if let Some(capacity) = options.capacity {
        inputs.base.truncate(capacity as usize);
    }
    let (mut memory, lock) = open(options, &inputs.base, folder)?;
    import(&mut memory, &inputs, committed)?;
    Ok((memory, lock))
}

/// How well the known items were found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Quality {
    pub(crate) first: f64,
    pub(crate) ten: f64,
    pub(crate) mrr: f64,
}

/// What became of the known items.
pub(crate) struct Known {
    /// By vector, by words, by both.
    pub(crate) quality: [Quality; 3],
    /// Asked: those whose answer is among the rows.
    pub(crate) asked: usize,
    /// Of so many.
    pub(crate) all: usize,
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
    /// None without known items.
    pub(crate) known: Option<Known>,
}

impl Story {
    /// That every committed record was there, as it went in.
    pub(crate) fn judge(&self) -> Result<(), Failure> {
        let Story { said, found, whole, .. } = self;
        if found < said {
            return Err(Failure::new(format!("of {said} committed records {found} are there")));
        }
        match whole {
            true => Ok(()),
            false => Err(Failure::new("the committed records are not as they went in")),
        }
    }
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
    let known = match options.base {
        None => {
            let vectors = arrays::read(&options.data.join("known_item_queries.f16.npy"))?;
            Some(ask(&mut memory, &vectors, &options.data.join("known_item.jsonl"))?)
        }
        Some(_) => None,
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
        known,
    })
}

/// Starts the import in a process of its own and kills it; returns how many rows it had committed.
fn kill_half_way(folder: &Path, rows: usize) -> Result<usize, Failure> {
    let program = std::env::current_exe().map_err(|why| wrong("this program", why))?;
    let mut child = Command::new(program)
        .args(std::env::args_os().skip(1))
        .arg("--import-into")
        .arg(folder)
        // Of two capacities the last one counts.
        .arg("--capacity")
        .arg(rows.to_string())
        // Open for as long as this process lives: see `child`.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|why| wrong("the import", why))?;
    let output = child.stdout.take().ok_or_else(|| Failure::new("the import has no output"))?;
    let mut lines = BufReader::new(output).lines();
    // One record has no half: it is killed when that one is in.
    let half = rows.div_ceil(2);
    let mut said = 0;
    let mut bar = Progress::new("import, to be killed", rows);
    while said < half
        && let Some(Ok(line)) = lines.next()
    {
        said = line.parse().unwrap_or(said);
        bar.at(said);
    }
    // On Unix this is SIGKILL: nothing of the process runs any more.
    child.kill().map_err(|why| wrong("killing the import", why))?;
    let status = child.wait().map_err(|why| wrong("the killed import", why))?;
    bar.finish(said);
    // There, a process that a signal ended has no exit code.
    let is_killed = !cfg!(unix) || status.code().is_none();
    if said < half || !is_killed {
        return Err(Failure::new(format!(
            "the import ended by itself after {said} of {rows} rows"
        )));
    }
    Ok(said)
}

/// Are the first rows there as they went in, and nothing else?
fn is_whole(memory: &Memory, inputs: &Inputs) -> Result<bool, Failure> {
    if memory.len() > inputs.base.rows {
        return Ok(false);
    }
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

/// Asks for the known items in three ways: for those whose answer was stored, as under a small capacity
/// the others would count as misses.
fn ask(memory: &mut Memory, vectors: &Matrix, path: &Path) -> Result<Known, Failure> {
    let questions = texts::read(path)?;
    let relevant = texts::numbers(path, "relevant")?;
    let mut all = [Quality::default(); 3];
    let mut asked = 0;
    for (row, (question, id)) in questions.iter().zip(&relevant).enumerate() {
        if !memory.contains(*id) {
            continue;
        }
        asked += 1;
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
    let count = asked.max(1) as f64;
    let quality =
        all.map(|q| Quality { first: q.first / count, ten: q.ten / count, mrr: q.mrr / count });
    Ok(Known { quality, asked, all: relevant.len() })
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
    if found == rows {
        println!("  so few that all were in before the signal came: none was left to cut off");
    }
    println!(
        "  {}, closed: {:.1} MB; opened again in {:.1} ms",
        if found < rows { "the rest imported" } else { "nothing left to import" },
        story.file_bytes as f64 / 1e6,
        story.opened.as_secs_f64() * 1e3
    );
    if let Some(Known { quality, asked, all }) = &story.known {
        if asked < all {
            println!(
                "  of {all} known items {asked} have their answer among the rows: these are asked"
            );
        }
        if *asked == 0 {
            return;
        }
        println!("  known items, one right answer each:   hit@1   hit@10   MRR@10");
        for (name, q) in ["by vector", "by words", "by both"].into_iter().zip(quality) {
            println!("    {name:<34} {:>6.3}   {:>6.3}   {:>6.3}", q.first, q.ten, q.mrr);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clawft_store::MAX_TEXT;

    /// Options that name files in `folder`, of a row for each of these texts.
    fn own_data(folder: &Path, texts: &[String], capacity: u32) -> Options {
        let vector = |row: usize| {
            let values = [row as f32 + 1.0, 1.0].map(f32::to_le_bytes);
            [2i32.to_le_bytes(), values[0], values[1]].concat()
        };
        let vectors = |rows: usize| (0..rows).flat_map(vector).collect::<Vec<u8>>();
        let lines: String = texts.iter().map(|text| format!("\"{text}\"\n")).collect();
        let file = |name: &str, bytes: Vec<u8>| {
            let path = folder.join(name);
            std::fs::write(&path, bytes).unwrap();
            Some(path)
        };
        Options {
            base: file("base.fvecs", vectors(texts.len())),
            queries: file("queries.fvecs", vectors(1)),
            texts: file("texts.jsonl", lines.into_bytes()),
            capacity: Some(capacity),
            ..Options::default()
        }
    }

    fn short(rows: usize) -> Vec<String> {
        (0..rows).map(|row| format!("the text of row {row}")).collect()
    }

    #[test]
    fn large_records_go_in_by_fewer_at_once() {
        let (data, folder) = (Scratch::new().unwrap(), Scratch::new().unwrap());
        let mut texts = short(100);
        texts[..5].fill("x".repeat(MAX_TEXT));
        // One that is too long, cut within a letter.
        texts[5] = format!("{}ä", "x".repeat(MAX_TEXT - 1));
        let options = own_data(data.path(), &texts, 100);
        let inputs = Inputs::read(&options).unwrap();
        let mut said = Vec::new();
        let (memory, _lock) = write(&options, folder.path(), |rows| said.push(rows)).unwrap();
        assert_eq!(said[..3], [3, 5, 10], "five of 1 MiB are more than a commit takes");
        assert_eq!(memory.text(5).unwrap().len(), MAX_TEXT - 1);
        assert!(memory.len() == 100 && is_whole(&memory, &inputs).unwrap());
    }

    #[test]
    fn a_committed_record_that_is_lost_is_a_failure() {
        let story = |said, found, whole| Story {
            rows: 100,
            said,
            found,
            whole,
            reopened: Duration::ZERO,
            derived: Derived::Read,
            opened: Duration::ZERO,
            opened_from: Derived::Read,
            file_bytes: 0,
            known: None,
        };
        assert!(story(50, 50, true).judge().is_ok() && story(50, 53, true).judge().is_ok());
        assert!(story(50, 49, true).judge().unwrap_err().0.contains("of 50 committed"));
        assert!(story(50, 50, false).judge().unwrap_err().0.contains("not as they went in"));
    }

    #[test]
    fn only_items_whose_answer_is_stored_are_asked() {
        let (data, folder) = (Scratch::new().unwrap(), Scratch::new().unwrap());
        let options = own_data(data.path(), &short(9), 5);
        let (mut memory, _lock) = write(&options, folder.path(), |_| {}).unwrap();
        let path = data.path().join("known_item.jsonl");
        let line =
            |id: usize| format!("{{\"query\":\"the text of row {id}\",\"relevant\":{id}}}\n");
        std::fs::write(&path, [1, 4, 7].map(line).concat()).unwrap();
        let vectors = Matrix { rows: 3, dim: 2, values: vec![1.0; 6] };
        let known = ask(&mut memory, &vectors, &path).unwrap();
        assert_eq!((known.asked, known.all), (2, 3));
        assert_eq!(known.quality[1].ten, 1.0, "by words");
    }

    #[test]
    fn the_child_imports_the_rows_that_fit() {
        for fit in [1_usize, 2, 5] {
            let (data, folder) = (Scratch::new().unwrap(), Scratch::new().unwrap());
            let options = own_data(data.path(), &short(9), fit as u32);
            let mut said = Vec::new();
            // Let go without a close, as by a kill.
            drop(write(&options, folder.path(), |rows| said.push(rows)).unwrap());
            assert_eq!(said, (1..=fit).collect::<Vec<usize>>());

            let mut inputs = Inputs::read(&options).unwrap();
            assert_eq!(inputs.base.rows, 9);
            inputs.base.truncate(fit);
            let (memory, _lock) = open(&options, &inputs.base, folder.path()).unwrap();
            assert_eq!(memory.len(), fit);
            assert!(is_whole(&memory, &inputs).unwrap());
            inputs.base.truncate(fit - 1);
            assert!(!is_whole(&memory, &inputs).unwrap(), "one more than there should be");
        }
    }

    #[test]
    fn few_records_are_committed_one_by_one() {
        let rows = [1, 2, 39, 40, 50, 1_999, 2_000, 10_000];
        assert_eq!(rows.map(batch), [1, 1, 1, 2, 2, 99, 100, 100]);
    }
}
