//! A file larger than the memory that opens it.

use std::path::Path;

use clawft_store::memory::{Derived, Memory, MemoryOptions, Recall};
use clawft_store::{DurableFile, Options};

use super::{NAME, Outcome, content, record, storage};

const DIM: usize = 512;
/// Records of one commit.
const BATCH: u64 = 100;
/// Records that are asked for after opening.
const ASKED: u64 = 20;
/// What the index of words may take, bytes.
const WORDS: usize = 2 << 20;

fn options() -> Options {
    Options {
        dim: Some(DIM as u16),
        file_id: *b"a file that is l",
        create: true,
        ..Options::default()
    }
}

pub(super) fn make(folder: &Path, count: u64) -> Outcome {
    let mut file = DurableFile::open(Box::new(storage(folder)?), NAME, &options())?;
    for id in 0..count {
        let (vector, text) = content(id, DIM);
        file.put(&record(id, &vector, &text))?;
        if id % BATCH == BATCH - 1 {
            file.commit(0)?;
        }
    }
    file.commit(0)?;
    file.settle(0)?;
    println!("made a file of {} bytes", file.sizes().base);
    Ok(file.close(0)?)
}

#[cfg(not(target_family = "wasm"))]
pub(super) fn make_foreign(folder: &Path, count: u64) -> Outcome {
    use rvf_runtime::RvfStore;
    use rvf_runtime::options::{DistanceMetric, RvfOptions};
    let (ids, vectors): (Vec<u64>, Vec<Vec<f32>>) =
        (0..count).map(|id| (id, content(id, DIM).0)).unzip();
    let options = RvfOptions {
        dimension: DIM as u16,
        metric: DistanceMetric::Cosine,
        ..RvfOptions::default()
    };
    let path = folder.join(NAME);
    let say = |error| format!("rvf-runtime: {error}");
    let mut store = RvfStore::create(&path, options).map_err(say)?;
    let rows: Vec<&[f32]> = vectors.iter().map(Vec::as_slice).collect();
    store.ingest_batch(&rows, &ids, None).map_err(say)?;
    store.close().map_err(say)?;
    println!("made a file of {} bytes in one batch", path.metadata()?.len());
    Ok(())
}

/// Another program's file `has_texts` not: ours must have each one.
pub(super) fn open(folder: &Path, count: u64, has_texts: bool) -> Outcome {
    let options = MemoryOptions {
        file: options(),
        capacity: count as u32 + 1,
        words: WORDS,
        ..MemoryOptions::default()
    };
    let mut reported = 0;
    let mut progress = |done: usize, all: usize| {
        if done * 10 / all > reported {
            reported = done * 10 / all;
            println!("{done} of {all}");
        }
    };
    let mut memory = Memory::open(Box::new(storage(folder)?), NAME, &options, &mut progress)?;
    println!("opened: {:?}, {} records", memory.derived(), memory.len());
    if memory.len() as u64 != count {
        return Err(format!("{count} records expected").into());
    }
    if !memory.contains(count) {
        try_out(&mut memory, count, has_texts)?;
        let (vector, text) = content(count, DIM);
        memory.remember(&record(count, &vector, &text))?;
        memory.commit(0)?;
        memory.forget(count)?;
        memory.commit(0)?;
    }
    memory.close(0)?;

    // With the image that was saved.
    let mut again =
        Memory::open(Box::new(storage(folder)?), NAME, &options, &mut |_, _| println!("rebuilt"))?;
    println!("opened: {:?}, {} records", again.derived(), again.len());
    if again.derived() != Derived::Read || again.len() as u64 != count {
        return Err("the same records and an image expected".into());
    }
    try_out(&mut again, count, has_texts)?;
    #[cfg(target_family = "wasm")]
    println!("linear memory: {} bytes", core::arch::wasm32::memory_size::<0>() << 16);
    Ok(())
}

/// Records by their id, by their vectors and by their words.
fn try_out(memory: &mut Memory, count: u64, has_texts: bool) -> Outcome {
    let mut found = vec![0.0; DIM];
    for i in 0..ASKED {
        let id = i * (count - 1) / (ASKED - 1);
        let (vector, text) = content(id, DIM);
        memory.vector(id, &mut found)?;
        let expected = if has_texts { text.as_str() } else { "" };
        if found != vector || memory.text(id)? != expected {
            return Err(format!("record {id} is not what was written").into());
        }
        let by_vector = Recall { vector: Some(&vector), ..Recall::default() };
        let first = memory.recall(&by_vector)?.first().map(|first| first.id);
        if first != Some(id) {
            return Err(format!("record {id} is nearest to itself, found {first:?}").into());
        }
        if has_texts {
            let named = format!("{id}");
            let by_words = Recall { text: Some(&named), ..Recall::default() };
            let first = memory.recall(&by_words)?.first().map(|first| first.id);
            if first != Some(id) {
                return Err(format!("record {id} has its number, found {first:?}").into());
            }
        }
    }
    Ok(())
}
