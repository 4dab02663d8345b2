//! A memory without room: a refusal, nothing lost, and the next call works.

use super::store::{ROWS, is_whole, options, record};
use super::{K, Sample};
use crate::abi::Refused;
use crate::memory::{Memories, Options, Question, Record, Records};
use crate::scratch::Scratch;
use crate::seen::{Digest, Outcome, Seen, hold, refused};

const FULL: i32 = -7;
const NO_MEMORY: i32 = -232;
/// Records that fit.
const PLACES: usize = 5;
/// Bytes of linear memory that a memory has who runs out of it.
const LIMIT: u32 = 1 << 20;
/// Texts are as many times as long there.
const LONG: usize = 100;
/// Records for which that is too little from the beginning.
const TOO_MANY: u32 = 100_000;

pub(super) fn check(memories: &mut dyn Memories, sample: &Sample) -> Outcome {
    places(memories, sample)?;
    let fitted = linear_memory(memories, sample)?;
    Ok(Seen::new(format!("{PLACES} places; {fitted} long texts"), Digest::default()))
}

/// No place for a record more, until one is forgotten.
fn places(memories: &mut dyn Memories, sample: &Sample) -> Result<(), String> {
    let folder = Scratch::new()?;
    let few = Options { capacity: PLACES as u32, ..options(sample) };
    let mut memory = memories.open(folder.path(), &few)?;
    let (stored, why) = until_refused(&mut *memory, sample, 1)?;
    hold(stored == PLACES, || format!("{PLACES} records fit, {stored} went in"))?;
    refused::<()>("a record more", FULL, Err(why))?;
    memory.commit()?;
    goes_on(&mut *memory, sample, PLACES)?;
    memory.forget(0)?;
    memory.remember(&record(sample, PLACES))?;
    memory.commit()?;
    is_whole(&mut *memory, sample, PLACES)
}

/// No memory for a text more, or for the memory itself.
fn linear_memory(memories: &mut dyn Memories, sample: &Sample) -> Result<usize, String> {
    let folder = Scratch::new()?;
    let limit = LIMIT + memories.taken();
    let small = Options { limit: Some(limit), ..options(sample) };
    let large = memories.open(folder.path(), &Options { capacity: TOO_MANY, ..small });
    refused("more places than memory", NO_MEMORY, large.map(|_| ()))?;
    // The next one asks for less.
    let mut memory = memories.open(folder.path(), &small)?;
    let (fitted, why) = until_refused(&mut *memory, sample, LONG)?;
    hold(fitted > 0, || format!("not one text went in: {why:?}"))?;
    refused::<()>("texts beyond the memory", NO_MEMORY, Err(why))?;
    let size = memory.size();
    hold(size <= limit as usize, || format!("{limit} bytes expected, it has {size}"))?;
    goes_on(&mut *memory, sample, fitted)?;
    memory.commit()?;
    memory.remember(&record(sample, ROWS - 1))?;
    memory.commit()?;
    is_whole(&mut *memory, sample, ROWS - 1)?;
    drop(memory);
    // Whoever has more memory has all of it.
    let mut memory = memories.open(folder.path(), &options(sample))?;
    let count = memory.count()?;
    hold(count == fitted as u64 + 1, || format!("{} expected, found {count}", fitted + 1))?;
    Ok(fitted)
}

/// What is there is found after a refusal.
fn goes_on(memory: &mut dyn Records, sample: &Sample, stored: usize) -> Result<(), String> {
    let count = memory.count()?;
    hold(count == stored as u64, || format!("{stored} records went in, {count} count"))?;
    for row in 0..stored {
        let vector = Some(sample.base.row(row));
        let found = memory.recall(Question { k: K, vector, ..Question::default() })?;
        hold(found.len() == stored.min(K as usize) && found[0].0 == row as u64, || {
            format!("after a refusal the vector of {row} found {found:?}")
        })?;
    }
    Ok(())
}

/// Stores rows with their texts so many times, and commits, until one is refused.
fn until_refused(
    memory: &mut dyn Records,
    sample: &Sample,
    times: usize,
) -> Result<(usize, Refused), String> {
    for row in 0..ROWS {
        let text = sample.texts[row].repeat(times);
        if let Err(why) = memory.remember(&Record { text: &text, ..record(sample, row) }) {
            return Ok((row, why));
        }
        if row % 10 == 9 {
            memory.commit()?;
        }
    }
    Err(format!("{ROWS} records went in, and none was refused"))
}
