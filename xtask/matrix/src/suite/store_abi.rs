//! What only the C ABI of the memory has: addresses and handles, a disk that ends, a report, and files
//! that are the same bytes in every engine.

use super::store::{by_words, filled, options, record};
use super::store_file::{self, cut_journal};
use super::{K, Sample, store_full, store_input};
use crate::guest::Engine;
use crate::memory::{NAME, Question, Records};
use crate::records::ByAbi;
use crate::scratch::Scratch;
use crate::seen::{Digest, Outcome, Seen, hold, refused};
use std::sync::atomic::Ordering::Relaxed;

const UNKNOWN_HANDLE: i32 = -101;
const NULL_POINTER: i32 = -102;
const OUT_OF_RANGE: i32 = -104;
const INVALID_TEXT: i32 = -115;
const NO_SPACE: i32 = -203;
/// What opening found of what is derived.
const READ: u32 = 1;

/// The image beside the file is read, and not built anew; the files are the same everywhere, and so are
/// the scores of words.
pub(super) fn snapshot(engine: &mut dyn Engine, sample: &Sample) -> Outcome {
    let mut memories = ByAbi::new(engine);
    let seen = store_file::saved(&mut memories, sample)?;
    let folder = Scratch::new()?;
    filled(&mut memories, folder.path(), sample)?.close()?;
    let mut digest = Digest::default();
    for (name, bytes) in super::store::files(folder.path())? {
        digest.bytes(name.as_bytes());
        digest.bytes(&bytes);
    }
    let mut memory = memories.memory(folder.path(), &options(sample))?;
    let report = memory.report()?;
    hold(report.derived == READ, || format!("the image was built anew: {report:?}"))?;
    by_words(&mut memory, sample)?.iter().for_each(|(_, hits)| digest.hits(hits));
    Ok(Seen { digest, ..seen })
}

pub(super) fn bad_input(engine: &mut dyn Engine, sample: &Sample) -> Outcome {
    let mut memories = ByAbi::new(engine);
    let seen = store_input::check(&mut memories, sample)?;
    let folder = Scratch::new()?;
    let mut memory = memories.memory(folder.path(), &options(sample))?;
    let no_text = memory.remember_bytes(&record(sample, 1), b"caf\xe9");
    refused("bytes that are no text", INVALID_TEXT, no_text)?;
    let null = memory.abi.call("clawft_forget", &[0u32.into(), 0u64.into()]);
    refused("no memory", UNKNOWN_HANDLE, null)?;
    let end = memory.abi.size() as u32;
    refused("a record behind the memory", OUT_OF_RANGE, memory.plain_at("clawft_remember", end))?;
    refused("a record at a null address", NULL_POINTER, memory.plain_at("clawft_remember", 0))?;
    let count = memory.count()?;
    hold(count == 0, || format!("no record expected after all that, found {count}"))?;
    Ok(Seen { note: format!("{}, and 4 of addresses and bytes", seen.note), ..seen })
}

/// A disk without room beside the rest: what was to be committed is still there to be.
pub(super) fn full(engine: &mut dyn Engine, sample: &Sample) -> Outcome {
    let mut memories = ByAbi::new(engine);
    let seen = store_full::check(&mut memories, sample)?;
    let folder = Scratch::new()?;
    let mut memory = memories.memory(folder.path(), &options(sample))?;
    memory.remember(&record(sample, 0))?;
    memory.commit()?;
    memories.space.store(100, Relaxed);
    memory.remember(&record(sample, 1))?;
    refused("a disk that is full", NO_SPACE, memory.commit())?;
    memories.space.store(u64::MAX, Relaxed);
    memory.commit()?;
    drop(memory);
    let count = memories.memory(folder.path(), &options(sample))?.count()?;
    hold(count == 2, || format!("2 records expected, found {count}"))?;
    Ok(Seen { note: format!("{}; a disk", seen.note), ..seen })
}

/// What was torn is reported, all that counts can be verified.
pub(super) fn durable(engine: &mut dyn Engine, sample: &Sample) -> Outcome {
    let mut memories = ByAbi::new(engine);
    let seen = store_file::durable(&mut memories, sample)?;
    let folder = Scratch::new()?;
    let mut memory = filled(&mut memories, folder.path(), sample)?;
    memory.forget(11)?;
    memory.commit()?;
    drop(memory);
    cut_journal(folder.path())?;
    let mut memory = memories.memory(folder.path(), &options(sample))?;
    let report = memory.report()?;
    hold(report.torn > 0, || format!("a torn journal expected: {report:?}"))?;
    memory.plain("clawft_memory_verify")?;
    let vector = Some(sample.base.row(11));
    let found = memory.recall(Question { k: K, vector, ..Question::default() })?;
    hold(found.first().is_some_and(|hit| hit.0 == 11), || format!("found {found:?}"))?;
    Box::new(memory).close()?;
    let sound = std::fs::read(folder.path().join(NAME)).map_err(|why| format!("{NAME}: {why}"))?;
    let mut digest = Digest::default();
    digest.bytes(&sound);
    Ok(Seen { digest, note: format!("{}; {} bytes", seen.note, sound.len()) })
}
