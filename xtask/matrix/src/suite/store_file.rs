//! The durable file: what was committed survives the loss of the instance, and a disk, a memory or a
//! store without room loses nothing.

use super::store::{ROWS, answers, filled, options, record};
use super::{K, Sample};
use crate::abi::Refused;
use crate::guest::Engine;
use crate::records::{Memory, NAME, Options, Question, READ_ONLY, Record};
use crate::scratch::Scratch;
use crate::seen::{Digest, Outcome, Seen, hold, refused};
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;

const FULL: i32 = -7;
const NO_SPACE: i32 = -203;
const DAMAGED: i32 = -218;
const MAY_NOT_WRITE: i32 = -219;
const NO_FILE: i32 = -214;
const NO_MEMORY: i32 = -232;
/// What opening found of what is derived.
const READ: u32 = 1;
/// Bytes of linear memory that the full memory has.
const LIMIT: u32 = 1 << 20;
/// Texts are as many times as long there.
const LONG: usize = 100;

fn question() -> Question<'static> {
    Question { k: K, ..Question::default() }
}

/// What was saved beside the file is read, and answers the same.
pub(super) fn snapshot(engine: &mut dyn Engine, sample: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let mut memory = filled(engine, folder.path(), sample)?;
    let before = answers(&mut memory, sample, question())?;
    memory.at_now("clawft_memory_close")?;
    let mut memory = Memory::open(engine, folder.path(), &options(sample))?;
    let report = memory.report()?;
    hold(report.derived == READ, || format!("the image was built anew: {report:?}"))?;
    hold(answers(&mut memory, sample, question())? == before, || "other answers".into())?;
    memory.at_now("clawft_memory_close")?;
    let mut digest = Digest::default();
    for (name, bytes) in super::store::files(folder.path())? {
        digest.bytes(name.as_bytes());
        digest.bytes(&bytes);
    }
    Ok(Seen::new("the image beside the file", digest))
}

/// An instance that is gone in the middle, a journal that is cut, a file that is damaged.
pub(super) fn durable(engine: &mut dyn Engine, sample: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let path = folder.path();
    let none = Memory::open(engine, path, &Options { flags: 0, ..options(sample) });
    refused("no file", NO_FILE, none)?;
    let mut memory = filled(engine, path, sample)?;
    memory.forget(7)?;
    memory.at_now("clawft_commit")?;
    // Not committed, so it must not be there afterwards.
    memory.forget(9)?;
    // As if the process had been killed: nothing is closed.
    drop(memory);
    whole(engine, path, sample, ROWS as u32 - 1)?;

    // A commit that the power cut in two: the ones before it count.
    let mut memory = Memory::open(engine, path, &options(sample))?;
    memory.forget(11)?;
    memory.at_now("clawft_commit")?;
    drop(memory);
    let journal = path.join(format!("{NAME}.journal"));
    let len = std::fs::metadata(&journal).map_err(|why| format!("the journal: {why}"))?.len();
    let cut = std::fs::File::options().write(true).open(&journal);
    // More than the zeros behind a batch.
    cut.and_then(|file| file.set_len(len - 16)).map_err(|why| format!("the journal: {why}"))?;
    let report = whole(engine, path, sample, ROWS as u32 - 1)?;
    hold(report.torn > 0, || format!("a torn journal expected: {report:?}"))?;

    let mut memory = Memory::open(engine, path, &options(sample))?;
    memory.at_now("clawft_memory_close")?;
    let file = path.join(NAME);
    let sound = std::fs::read(&file).map_err(|why| format!("{NAME}: {why}"))?;
    let write = |bytes: &[u8]| std::fs::write(&file, bytes).map_err(|why| format!("{NAME}: {why}"));
    write(&sound[..sound.len() / 2])?;
    let opened = Memory::open(engine, path, &options(sample));
    refused("half of a file", DAMAGED, opened)?;
    write(&sound)?;
    let reader = Options { flags: READ_ONLY, ..options(sample) };
    let mut memory = Memory::open(engine, path, &reader)?;
    refused("a reader that forgets", MAY_NOT_WRITE, memory.forget(1))?;
    memory.plain("clawft_memory_verify")?;
    let mut digest = Digest::default();
    digest.bytes(&sound);
    Ok(Seen::new(format!("{} committed, {} bytes", ROWS - 1, sound.len()), digest))
}

/// Opens a memory and looks whether it has what it must have.
fn whole(
    engine: &mut dyn Engine,
    path: &Path,
    sample: &Sample,
    records: u32,
) -> Result<crate::records::Report, String> {
    let mut memory = Memory::open(engine, path, &options(sample))?;
    let report = memory.report()?;
    hold(report.records == records, || format!("{records} records expected: {report:?}"))?;
    for row in [0, 9, 11, ROWS - 1] {
        let text = memory.text(row as u64)?;
        hold(text == sample.texts[row], || format!("{row} has another text: {text}"))?;
        let found = memory.recall(Question { vector: Some(sample.base.row(row)), ..question() })?;
        hold(found.first().is_some_and(|hit| hit.0 == row as u64), || {
            format!("the vector of {row} asked for: found {found:?}")
        })?;
    }
    Ok(report)
}

/// No place, no memory, no disk: each a number, and everything committed stays.
pub(super) fn full(engine: &mut dyn Engine, sample: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let few = Options { capacity: 5, ..options(sample) };
    let mut memory = Memory::open(engine, folder.path(), &few)?;
    let stored = until_refused(&mut memory, sample, 1)?;
    hold(stored.0 == 5, || format!("5 records fit, {} went in", stored.0))?;
    refused::<u32>("a record more", FULL, Err(stored.1))?;
    memory.at_now("clawft_commit")?;

    let folder = Scratch::new()?;
    let small = Options { limit: Some(LIMIT), ..options(sample) };
    let mut memory = Memory::open(engine, folder.path(), &small)?;
    let (fitted, why) = until_refused(&mut memory, sample, LONG)?;
    refused::<u32>("texts beyond the memory", NO_MEMORY, Err(why))?;
    let size = memory.abi.size();
    hold(size <= LIMIT as usize, || format!("{LIMIT} bytes expected, it has {size}"))?;
    let found = memory.recall(Question { vector: Some(sample.base.row(3)), ..question() })?;
    hold(found.first().is_some_and(|hit| hit.0 == 3), || format!("found {found:?}"))?;

    let folder = Scratch::new()?;
    let options = options(sample);
    let mut memory = Memory::open(engine, folder.path(), &options)?;
    memory.remember(&record(sample, 0))?;
    memory.at_now("clawft_commit")?;
    options.space.store(100, Relaxed);
    memory.remember(&record(sample, 1))?;
    refused("a disk that is full", NO_SPACE, memory.at_now("clawft_commit"))?;
    options.space.store(u64::MAX, Relaxed);
    memory.at_now("clawft_commit")?;
    drop(memory);
    let mut memory = Memory::open(engine, folder.path(), &options)?;
    let records = memory.report()?.records;
    hold(records == 2, || format!("2 records expected, found {records}"))?;
    Ok(Seen::new(format!("5 places; {fitted} long texts; a disk"), Digest::default()))
}

/// Stores rows with their texts so many times, and commits, until one is refused.
fn until_refused(
    memory: &mut Memory,
    sample: &Sample,
    times: usize,
) -> Result<(usize, Refused), String> {
    for row in 0..ROWS {
        let text = sample.texts[row].repeat(times);
        let whole = Record { text: text.as_bytes(), ..record(sample, row) };
        if let Err(why) = memory.remember(&whole) {
            return Ok((row, why));
        }
        if row % 10 == 9 {
            memory.at_now("clawft_commit")?;
        }
    }
    Err(format!("{ROWS} records went in, and none was refused"))
}

/// What a caller may get wrong.
pub(super) fn bad_input(engine: &mut dyn Engine, sample: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let mut memory = Memory::open(engine, folder.path(), &options(sample))?;
    memory.remember(&record(sample, 0))?;
    memory.at_now("clawft_commit")?;
    let good = record(sample, 1);
    let zero = vec![0.0; sample.base.dim];
    let odd = [&[f32::NAN][..], &zero[1..]].concat();
    let records = [
        ("another dimension", -1, Record { vector: &zero[1..], ..good }),
        ("not a number", -2, Record { vector: &odd, ..good }),
        ("a vector without a direction", -3, Record { vector: &zero, ..good }),
        ("bytes that are no text", -115, Record { text: b"caf\xe9", ..good }),
        ("an importance of 2", -212, Record { importance: 2.0, ..good }),
    ];
    let questions = [
        ("nothing asked", -233, question()),
        ("k of 0", -4, Question { k: 0, text: Some("tea"), ..question() }),
        ("a vector that is too short", -1, Question { vector: Some(&zero[1..]), ..question() }),
    ];
    for (what, code, record) in &records {
        refused(what, *code, memory.remember(record))?;
    }
    for (what, code, asked) in &questions {
        refused(what, *code, memory.recall(*asked))?;
    }
    refused("an unknown id", -6, memory.forget(99))?;
    let null = memory.abi.call("clawft_forget", &[0u32.into(), 0u64.into()]);
    refused("no memory", -101, null)?;
    let number = 4 + records.len() + questions.len();
    let wrong = memory.abi.size() as u32;
    refused("a record behind the memory", -104, memory.plain_at("clawft_remember", wrong))?;
    refused("a record at a null address", -102, memory.plain_at("clawft_remember", 0))?;
    let records = memory.report()?.records;
    hold(records == 1, || format!("one record expected after all that, found {records}"))?;
    Ok(Seen::new(format!("{number} refusals"), Digest::default()))
}
