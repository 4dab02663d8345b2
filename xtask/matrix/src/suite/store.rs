//! Records with texts: what the kernel's checks ask, asked of a memory, whatever way it is called.

use super::{EXACT_RECALL, K, Sample, recall};
use crate::memory::{Memories, NOW, Options, Question, Record, Records, Stored};
use crate::scratch::Scratch;
use crate::seen::{Digest, Outcome, Seen, hold, refused};
use std::path::Path;

/// Records that are stored.
pub(super) const ROWS: usize = 200;
/// Records of a commit.
const BATCH: usize = 50;
pub(super) const UNKNOWN_ID: i32 = -6;
/// Kinds, taken in turn.
pub(super) const KINDS: [&str; 3] = ["fact", "note", "talk"];
/// Sessions, taken in turn.
pub(super) const SESSIONS: [&str; 5] = ["s0", "s1", "s2", "s3", "s4"];
/// Ms between the last uses of two records.
pub(super) const STEP: u64 = 7;
/// Pairs of metadata, taken in turn.
const METADATA: [[(&str, &str); 2]; 4] = [
    [("part", "0"), ("side", "left")],
    [("part", "1"), ("side", "right")],
    [("part", "2"), ("side", "left")],
    [("part", "3"), ("side", "right")],
];

/// What a memory of the sample is opened with.
pub(super) fn options(sample: &Sample) -> Options {
    let (dim, capacity) = (sample.base.dim as u16, ROWS as u32);
    Options { create: true, dim, capacity, ..Options::default() }
}

/// A record of the sample.
pub(super) fn record(sample: &Sample, row: usize) -> Record<'_> {
    Record {
        id: row as u64,
        vector: sample.base.row(row),
        text: &sample.texts[row],
        kind: KINDS[row % KINDS.len()],
        session: SESSIONS[row % SESSIONS.len()],
        created: NOW + row as u64,
        used: NOW + STEP * row as u64,
        importance: 0.25,
        metadata: &METADATA[row % METADATA.len()],
    }
}

/// A memory with the first rows, all committed.
pub(super) fn filled(
    memories: &mut dyn Memories,
    folder: &Path,
    sample: &Sample,
) -> Result<Box<dyn Records>, String> {
    let mut memory = memories.open(folder, &options(sample))?;
    for row in 0..ROWS {
        memory.remember(&record(sample, row))?;
        if row % BATCH == BATCH - 1 {
            memory.commit()?;
        }
    }
    Ok(memory)
}

/// The answers to all queries by vector.
pub(super) fn answers(
    memory: &mut dyn Records,
    sample: &Sample,
    asked: Question<'_>,
) -> Result<Vec<Vec<(u64, f32)>>, String> {
    let query = |row| Question { vector: Some(sample.queries.row(row)), ..asked };
    (0..sample.queries.rows).map(|row| Ok(memory.recall(query(row))?)).collect()
}

/// A row, and what was found that answers best to its text.
type Answered = (usize, Vec<(u64, f32)>);

/// What the words of some rows find, alone and beside the row's vector.
pub(super) fn by_words(memory: &mut dyn Records, sample: &Sample) -> Result<Vec<Answered>, String> {
    let mut found = Vec::new();
    for row in (0..ROWS).step_by(7) {
        let text = Some(sample.texts[row].as_str());
        for vector in [None, Some(sample.base.row(row))] {
            let asked = Question { k: 3, text, vector, ..Question::default() };
            found.push((row, memory.recall(asked)?));
        }
    }
    Ok(found)
}

/// Whether a record is as it went in.
pub(super) fn is_whole(
    memory: &mut dyn Records,
    sample: &Sample,
    row: usize,
) -> Result<(), String> {
    let (expected, found) = (Stored::from(&record(sample, row)), memory.get(row as u64)?);
    hold(found == expected, || {
        let [expected, found] = [expected, found].map(|one| Stored { vector: Vec::new(), ..one });
        format!("{row} is not as it went in: {expected:?} expected, found {found:?}, or its vector")
    })
}

pub(super) fn insert_search(memories: &mut dyn Memories, sample: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let mut memory = filled(memories, folder.path(), sample)?;
    let all: Vec<u64> = (0..ROWS as u64).collect();
    let asked = Question { k: K, ..Question::default() };
    let by_vector = answers(&mut *memory, sample, asked)?;
    let found = recall(sample, &all, &by_vector)?;
    hold(found >= EXACT_RECALL, || format!("recall {EXACT_RECALL} expected, found {found:.4}"))?;
    let mut digest = Digest::default();
    by_vector.iter().for_each(|hits| digest.hits(hits));
    for (row, hits) in by_words(&mut *memory, sample)? {
        hold(hits.first().is_some_and(|hit| hit.0 == row as u64), || {
            format!("the text of {row} asked for: found {hits:?}")
        })?;
        // Without the scores: words are added up in an order that follows from the file's id, which
        // the component draws, so their last bit is another one in each file.
        hits.iter().for_each(|hit| digest.bytes(&hit.0.to_le_bytes()));
        is_whole(&mut *memory, sample, row)?;
    }
    let ids = [memory.next(0)?, memory.next(7)?, memory.next(ROWS as u64)?];
    hold(ids == [Some(0), Some(7), None], || format!("the next ids are {ids:?}"))?;
    Ok(Seen::new(format!("recall@{K} {found:.3}, and each text by its words"), digest))
}

pub(super) fn remove(memories: &mut dyn Memories, sample: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let memory = filled(memories, folder.path(), sample)?;
    // The texts are in the file itself, and no longer in its journal.
    memory.close()?;
    let mut memory = memories.open(folder.path(), &options(sample))?;
    let (gone, left): (Vec<u64>, Vec<u64>) = (0..ROWS as u64).partition(|id| id % 4 == 1);
    for id in &gone {
        memory.forget(*id)?;
    }
    memory.commit()?;
    refused("a second removal", UNKNOWN_ID, memory.forget(gone[0]))?;
    refused("what was removed", UNKNOWN_ID, memory.get(gone[0]))?;
    let are_there = [memory.contains(gone[0])?, memory.contains(left[0])?];
    hold(are_there == [false, true], || format!("one gone, one there expected: {are_there:?}"))?;
    let next = memory.next(gone[0])?;
    hold(next == Some(gone[0] + 1), || format!("behind {} comes {next:?}", gone[0]))?;
    let asked = Question { k: K, ..Question::default() };
    let found = answers(&mut *memory, sample, asked)?;
    let share = recall(sample, &left, &found)?;
    hold(share >= EXACT_RECALL, || format!("recall {EXACT_RECALL} expected, found {share:.4}"))?;
    let text = Some(sample.texts[gone[0] as usize].as_str());
    let by_words = memory.recall(Question { k: ROWS as u32, text, ..asked })?;
    hold(by_words.iter().all(|hit| !gone.contains(&hit.0)), || {
        format!("by its words something removed was found: {by_words:?}")
    })?;
    memory.compact()?;
    memory.close()?;
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
