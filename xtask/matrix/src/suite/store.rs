//! Records with texts: what the kernel's checks ask, asked of the memory over a storage.

use super::{EXACT_RECALL, K, Sample, recall};
use crate::guest::Engine;
use crate::records::{CREATE, Memory, Options, Question, Record};
use crate::scratch::Scratch;
use crate::seen::{Digest, Outcome, Seen, hold, refused};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Records that are stored.
pub(super) const ROWS: usize = 200;
/// Records of a commit.
const BATCH: usize = 50;
const UNKNOWN_ID: i32 = -6;
/// Kinds, taken in turn.
const KINDS: [&str; 3] = ["fact", "note", "talk"];

/// What a memory of the sample is opened with.
pub(super) fn options(sample: &Sample) -> Options {
    Options {
        flags: CREATE,
        dim: sample.base.dim as u32,
        capacity: ROWS as u32,
        limit: None,
        space: Arc::new(AtomicU64::new(u64::MAX)),
    }
}

/// A record of the sample.
pub(super) fn record(sample: &Sample, row: usize) -> Record<'_> {
    Record {
        id: row as u64,
        vector: sample.base.row(row),
        text: sample.texts[row].as_bytes(),
        kind: KINDS[row % KINDS.len()],
        importance: 0.5,
    }
}

/// A memory with the first rows, all committed.
pub(super) fn filled(
    engine: &mut dyn Engine,
    folder: &Path,
    sample: &Sample,
) -> Result<Memory, String> {
    let mut memory = Memory::open(engine, folder, &options(sample))?;
    for row in 0..ROWS {
        memory.remember(&record(sample, row))?;
        if (row + 1) % BATCH == 0 {
            memory.at_now("clawft_commit")?;
        }
    }
    Ok(memory)
}

/// The answers to all queries by vector.
pub(super) fn answers(
    memory: &mut Memory,
    sample: &Sample,
    asked: Question<'_>,
) -> Result<Vec<Vec<(u64, f32)>>, String> {
    let query = |row| Question { vector: Some(sample.queries.row(row)), ..asked };
    (0..sample.queries.rows).map(|row| Ok(memory.recall(query(row))?)).collect()
}

pub(super) fn insert_search(engine: &mut dyn Engine, sample: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let mut memory = filled(engine, folder.path(), sample)?;
    let all: Vec<u64> = (0..ROWS as u64).collect();
    let asked = Question { k: K, ..Question::default() };
    let by_vector = answers(&mut memory, sample, asked)?;
    let found = recall(sample, &all, &by_vector)?;
    hold(found >= EXACT_RECALL, || format!("recall {EXACT_RECALL} expected, found {found:.4}"))?;
    let mut digest = Digest::default();
    by_vector.iter().for_each(|hits| digest.hits(hits));
    for row in (0..ROWS).step_by(7) {
        let text = Some(sample.texts[row].as_str());
        for vector in [None, Some(sample.base.row(row))] {
            let hits = memory.recall(Question { k: 3, text, vector, ..Question::default() })?;
            hold(hits.first().is_some_and(|hit| hit.0 == row as u64), || {
                format!("the text of {row} asked for: found {hits:?}")
            })?;
            digest.hits(&hits);
        }
        let text = memory.text(row as u64)?;
        hold(text == sample.texts[row], || format!("{row} has another text: {text}"))?;
    }
    Ok(Seen::new(format!("recall@{K} {found:.3}, and each text by its words"), digest))
}

pub(super) fn filters(engine: &mut dyn Engine, sample: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let mut memory = filled(engine, folder.path(), sample)?;
    let mut digest = Digest::default();
    for (at, kind) in KINDS.into_iter().enumerate() {
        let all: Vec<u64> =
            (0..ROWS as u64).filter(|id| *id as usize % KINDS.len() == at).collect();
        for ids in [None, Some([1, 3, 5, 6, 7].as_slice())] {
            let allowed: Vec<u64> =
                all.iter().copied().filter(|id| ids.is_none_or(|ids| ids.contains(id))).collect();
            let asked = Question { k: K, kind: Some(kind), ids, ..Question::default() };
            let found = answers(&mut memory, sample, asked)?;
            let wanted = allowed.len().min(K as usize);
            hold(found.iter().all(|hits| hits.len() == wanted), || {
                format!("{kind}: {wanted} of each query expected, one has another number")
            })?;
            let share = recall(sample, &allowed, &found).map_err(|why| format!("{kind}: {why}"))?;
            hold(share >= EXACT_RECALL, || format!("{kind}: recall {share:.4}"))?;
            found.iter().for_each(|hits| digest.hits(hits));
        }
    }
    let none = Question { k: K, kind: Some("nothing"), text: Some("the"), ..Question::default() };
    let found = memory.recall(none)?;
    hold(found.is_empty(), || format!("no record is of that kind: found {found:?}"))?;
    Ok(Seen::new("by kind and by ids", digest))
}

pub(super) fn remove(engine: &mut dyn Engine, sample: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let mut memory = filled(engine, folder.path(), sample)?;
    // The texts are in the file itself, and no longer in its journal.
    memory.at_now("clawft_memory_close")?;
    let mut memory = Memory::open(engine, folder.path(), &options(sample))?;
    let (gone, left): (Vec<u64>, Vec<u64>) = (0..ROWS as u64).partition(|id| id % 4 == 1);
    for id in &gone {
        memory.forget(*id)?;
    }
    memory.at_now("clawft_commit")?;
    refused("a second removal", UNKNOWN_ID, memory.forget(gone[0]))?;
    refused("its text", UNKNOWN_ID, memory.text(gone[0]))?;
    let asked = Question { k: K, ..Question::default() };
    let found = answers(&mut memory, sample, asked)?;
    let share = recall(sample, &left, &found)?;
    hold(share >= EXACT_RECALL, || format!("recall {EXACT_RECALL} expected, found {share:.4}"))?;
    memory.at_now("clawft_compact")?;
    memory.at_now("clawft_memory_close")?;
    for id in &gone {
        let words = &sample.texts[*id as usize].as_bytes()[..40];
        for file in files(folder.path())? {
            let is_there = file.1.windows(words.len()).any(|part| part == words);
            hold(!is_there, || format!("the text of {id} is still in {}", file.0))?;
        }
    }
    let mut digest = Digest::default();
    found.iter().for_each(|hits| digest.hits(hits));
    Ok(Seen::new(format!("{} of {ROWS}, none left in a file", gone.len()), digest))
}

/// Names and bytes of the files of a folder, and of those in it.
///
/// # Errors
/// What the system says.
pub fn files(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, String> {
    let named = |why: std::io::Error| format!("{}: {why}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(named)? {
        let entry = entry.map_err(named)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            let within = self::files(&entry.path())?;
            files.extend(within.into_iter().map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
            continue;
        }
        files.push((name, std::fs::read(entry.path()).map_err(named)?));
    }
    files.sort();
    Ok(files)
}
