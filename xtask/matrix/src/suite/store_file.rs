//! The durable file: what was committed survives the loss of the instance, and what was not is as if it
//! had never been said; a file that is damaged is told, and never taken for an empty one.

use super::store::{ROWS, answers, filled, is_whole, options, record};
use super::{K, Sample};
use crate::memory::{Memories, NAME, Options, Question, Record, Records};
use crate::scratch::Scratch;
use crate::seen::{Digest, Outcome, Seen, hold, refused};
use std::path::Path;

const WRONG_DIMENSION: i32 = -1;
const NOT_RVF: i32 = -215;
const DAMAGED: i32 = -218;
const READ_ONLY: i32 = -219;
/// Records after one was forgotten.
const LEFT: usize = ROWS - 1;

fn question() -> Question<'static> {
    Question { k: K, ..Question::default() }
}

/// What was saved beside the file answers the same, and so does the file without it.
pub(super) fn saved(memories: &mut dyn Memories, sample: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let path = folder.path();
    let mut memory = filled(memories, path, sample)?;
    let before = answers(&mut *memory, sample, question())?;
    memory.save()?;
    hold(path.join(format!("{NAME}.image")).exists(), || "nothing was saved".into())?;
    // Nothing is closed.
    drop(memory);
    let mut memory = memories.open(path, &options(sample))?;
    hold(answers(&mut *memory, sample, question())? == before, || "other answers".into())?;
    memory.close()?;
    let mut images = 0;
    for (name, _) in super::store::files(path)? {
        if name != NAME {
            std::fs::remove_file(path.join(&name)).map_err(|why| format!("{name}: {why}"))?;
            images += 1;
        }
    }
    hold(images > 0, || "closed, it has nothing beside its file".into())?;
    let mut memory = memories.open(path, &options(sample))?;
    hold(answers(&mut *memory, sample, question())? == before, || {
        "other answers of the file alone".into()
    })?;
    Ok(Seen::new("what is beside the file, and without it", Digest::default()))
}

pub(super) fn durable(memories: &mut dyn Memories, sample: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let path = folder.path();
    lost(memories, path, sample)?;
    rolled_back(memories, path, sample)?;
    torn(memories, path, sample)?;
    compacted(memories, path, sample)?;
    read(memories, path, sample)?;
    damaged(memories, path, sample)?;
    let note = format!("{LEFT} committed; rolled back, torn, compacted, read, damaged");
    Ok(Seen::new(note, Digest::default()))
}

/// An instance that is gone with changes in it.
fn lost(memories: &mut dyn Memories, path: &Path, sample: &Sample) -> Result<(), String> {
    let mut memory = filled(memories, path, sample)?;
    memory.forget(7)?;
    memory.commit()?;
    // Not committed, so it must not be there afterwards.
    memory.forget(9)?;
    // As if the process had been killed: nothing is closed.
    drop(memory);
    whole(&mut *memories.open(path, &options(sample))?, sample)
}

/// Changes that are dropped.
fn rolled_back(memories: &mut dyn Memories, path: &Path, sample: &Sample) -> Result<(), String> {
    let mut memory = memories.open(path, &options(sample))?;
    memory.forget(11)?;
    memory.remember(&Record { text: "something else", ..record(sample, 9) })?;
    memory.remember(&record(sample, 7))?;
    memory.rollback()?;
    whole(&mut *memory, sample)?;
    memory.commit()?;
    drop(memory);
    whole(&mut *memories.open(path, &options(sample))?, sample)
}

/// A commit that the power cut in two: the ones before it count.
fn torn(memories: &mut dyn Memories, path: &Path, sample: &Sample) -> Result<(), String> {
    let mut memory = memories.open(path, &options(sample))?;
    memory.forget(11)?;
    memory.commit()?;
    drop(memory);
    cut_journal(path)?;
    whole(&mut *memories.open(path, &options(sample))?, sample)
}

/// Takes the end of the journal away.
pub(super) fn cut_journal(path: &Path) -> Result<(), String> {
    let said = |why| format!("the journal: {why}");
    let journal = path.join(format!("{NAME}.journal"));
    let len = std::fs::metadata(&journal).map_err(said)?.len();
    let cut = std::fs::File::options().write(true).open(&journal);
    // More than the zeros behind a batch.
    cut.and_then(|file| file.set_len(len - 16)).map_err(said)
}

/// Written anew: the file alone has all of it.
fn compacted(memories: &mut dyn Memories, path: &Path, sample: &Sample) -> Result<(), String> {
    let mut memory = memories.open(path, &options(sample))?;
    memory.compact()?;
    whole(&mut *memory, sample)?;
    drop(memory);
    let alone = Scratch::new()?;
    let copied = std::fs::copy(path.join(NAME), alone.path().join(NAME));
    copied.map_err(|why| format!("{NAME}: {why}"))?;
    whole(&mut *memories.open(alone.path(), &options(sample))?, sample)?;
    let memory = memories.open(path, &options(sample))?;
    Ok(memory.close()?)
}

/// A reader sees all of it, and changes nothing.
fn read(memories: &mut dyn Memories, path: &Path, sample: &Sample) -> Result<(), String> {
    let other = Options { dim: options(sample).dim - 1, ..options(sample) };
    let other = memories.open(path, &other);
    refused("another dimension", WRONG_DIMENSION, other.map(|_| ()))?;
    // What the file says is enough.
    let reader = Options { read_only: true, create: false, dim: 0, ..options(sample) };
    let mut memory = memories.open(path, &reader)?;
    refused("a reader that forgets", READ_ONLY, memory.forget(1))?;
    refused("a reader that remembers", READ_ONLY, memory.remember(&record(sample, 1)))?;
    whole(&mut *memory, sample)
}

/// Half of a file, or another one, is refused; where a bit of a record is another, that record is, and no
/// record is wrong.
fn damaged(memories: &mut dyn Memories, path: &Path, sample: &Sample) -> Result<(), String> {
    let file = path.join(NAME);
    let sound = std::fs::read(&file).map_err(|why| format!("{NAME}: {why}"))?;
    let write = |bytes: &[u8]| {
        // What is derived has vectors and words of its own.
        let _ = std::fs::remove_file(path.join(format!("{NAME}.image")));
        std::fs::write(&file, bytes).map_err(|why| format!("{NAME}: {why}"))
    };
    for (what, code, bytes) in [
        ("half of a file", DAMAGED, &sound[..sound.len() / 2]),
        ("a file of something else", NOT_RVF, b"Ada drinks oolong tea".as_slice()),
    ] {
        write(bytes)?;
        refused(what, code, memories.open(path, &options(sample)).map(|_| ()))?;
        let left = std::fs::read(&file).map_err(|why| format!("{NAME}: {why}"))?;
        hold(left == bytes, || format!("{what}: opening it changed it"))?;
    }
    let mut flipped = sound.clone();
    flipped[sound.len() / 3] ^= 4;
    let salvage = Options { salvage: true, create: false, ..options(sample) };
    for how in [options(sample), salvage] {
        write(&flipped)?;
        let mut memory = memories.open(path, &how)?;
        let mut lost = 0;
        for row in (0..ROWS).filter(|row| *row != 7) {
            match memory.get(row as u64) {
                Err(why) if why.code == DAMAGED => lost += 1,
                _ => is_whole(&mut *memory, sample, row)?,
            }
        }
        hold((1..LEFT).contains(&lost), || format!("{lost} of {LEFT} records are damaged"))?;
        if how.salvage {
            refused("a salvager that forgets", READ_ONLY, memory.forget(0))?;
        }
    }
    write(&sound)?;
    whole(&mut *memories.open(path, &options(sample))?, sample)
}

/// Whether a memory has what it must have.
fn whole(memory: &mut dyn Records, sample: &Sample) -> Result<(), String> {
    let count = memory.count()?;
    hold(count == LEFT as u64, || format!("{LEFT} records expected, found {count}"))?;
    let gone = memory.contains(7)?;
    hold(!gone, || "what was forgotten is there again".into())?;
    for row in [0, 9, 11, ROWS - 1] {
        is_whole(memory, sample, row)?;
        let found = memory.recall(Question { vector: Some(sample.base.row(row)), ..question() })?;
        hold(found.first().is_some_and(|hit| hit.0 == row as u64), || {
            format!("the vector of {row} asked for: found {found:?}")
        })?;
    }
    Ok(())
}
