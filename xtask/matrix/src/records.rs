//! Records through the C ABI: the functions of `clawft_store.h` that the suite needs.

use crate::abi::{Abi, Call};
use crate::guest::{Engine, Outside};
use crate::memory::{Filter, Memories, NAME, Options, Question, Record, Records, Stored};
use crate::storage::Folder;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Sizes of the ABI's structs where pointers have 32 bits.
const OPTIONS: u32 = 104;
const RECORD: u32 = 80;
const RECALL: u32 = 112;
const FOUND: u32 = 24;
const FIELDS: u32 = 56;
const REPORT: u32 = 104;
/// Flags of the options.
const CREATE: u32 = 1;
const READ_ONLY: u32 = 2;
const SALVAGE: u32 = 4;
/// Which string of a record.
const TEXT: u32 = 0;
const KIND: u32 = 1;
const SESSION: u32 = 2;
const METADATA: u32 = 3;
/// Ms of all calls.
const NOW: u64 = crate::memory::NOW;

/// Memories in an engine's instances, on a disk with so many bytes left.
pub struct ByAbi<'a> {
    /// What has loaded the module.
    pub engine: &'a mut dyn Engine,
    /// Bytes that the disk still takes.
    pub space: Arc<AtomicU64>,
}

impl<'a> ByAbi<'a> {
    /// Those on a disk that does not end.
    pub fn new(engine: &'a mut dyn Engine) -> Self {
        ByAbi { engine, space: Arc::new(AtomicU64::new(u64::MAX)) }
    }

    /// Opens one in a new instance.
    ///
    /// # Errors
    /// What the engine says, or the library.
    pub fn memory(&mut self, folder: &Path, options: &Options) -> Call<Memory> {
        let storage = Folder::new(folder.to_path_buf(), self.space.clone());
        let outside = Outside { imports: Box::new(storage), wasi: None };
        Memory::of(Abi::new(self.engine, outside, options.limit)?, options)
    }
}

impl Memories for ByAbi<'_> {
    fn open(&mut self, folder: &Path, options: &Options) -> Call<Box<dyn Records>> {
        Ok(Box::new(self.memory(folder, options)?))
    }

    fn taken(&self) -> u32 {
        0
    }
}

/// What `clawft_memory_report` says.
#[derive(Debug, PartialEq, Eq)]
pub struct Report {
    /// Records.
    pub records: u32,
    /// 0 new, 1 read, from 2 on built anew.
    pub derived: u32,
    /// Bytes of the journal's end that no commit had written whole.
    pub torn: u64,
}

/// An instance with a memory open in it.
pub struct Memory {
    /// The instance.
    pub abi: Abi,
    handle: u32,
}

fn text(abi: &mut Abi, text: &[u8]) -> Call<[u32; 2]> {
    if text.is_empty() { Ok([0, 0]) } else { Ok([abi.put(text)?, text.len() as u32]) }
}

/// Texts one behind the other, at a place that is not null also where there are none.
fn texts<'a>(abi: &mut Abi, all: impl Iterator<Item = &'a str>) -> Call {
    let mut list = Vec::new();
    for one in all {
        list.extend(text(abi, one.as_bytes())?);
    }
    list.push(0);
    abi.put(&bytes(&list))
}

fn pairs(abi: &mut Abi, pairs: &[(&str, &str)]) -> Call {
    texts(abi, pairs.iter().flat_map(|pair| [pair.0, pair.1]))
}

fn bytes(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// Writes conditions into a `ClawftRecall`.
fn restrict(abi: &mut Abi, asked: u32, filter: &Filter<'_>) -> Call<()> {
    for (at, len_at, list) in [(44, 60, filter.kinds), (48, 64, filter.sessions)] {
        if let Some(list) = list {
            let place = texts(abi, list.iter().copied())?;
            abi.write(asked + at, &place.to_le_bytes());
            abi.write(asked + len_at, &(list.len() as u32).to_le_bytes());
        }
    }
    let place = pairs(abi, filter.metadata)?;
    abi.write(asked + 52, &place.to_le_bytes());
    abi.write(asked + 68, &(filter.metadata.len() as u32).to_le_bytes());
    if let Some(ids) = filter.ids {
        let place = abi.put_ids(&[ids, &[0]].concat())?;
        abi.write(asked + 56, &place.to_le_bytes());
        abi.write(asked + 72, &(ids.len() as u32).to_le_bytes());
    }
    for (at, period) in [(80, filter.created), (96, filter.used)] {
        if let Some((from, until)) = period {
            abi.write(asked + at, &[from, until].map(u64::to_le_bytes).concat());
        }
    }
    Ok(())
}

impl Memory {
    /// Opens one in an instance that is there.
    ///
    /// # Errors
    /// Those of the library.
    pub fn of(mut abi: Abi, options: &Options) -> Call<Self> {
        let handle = abi.within(|abi| {
            let settings = abi.room(OPTIONS)?;
            abi.call("clawft_memory_options_init", &[settings.into()])?;
            let flags = [
                (options.create, CREATE),
                (options.read_only, READ_ONLY),
                (options.salvage, SALVAGE),
            ];
            let flags = flags.iter().filter(|flag| flag.0).map(|flag| flag.1).sum();
            let fields = [flags, u32::from(options.dim), options.capacity];
            abi.write(settings + 4, &bytes(&fields));
            abi.write(settings + 24, b"the matrix' file");
            let [name, len] = text(abi, NAME.as_bytes())?;
            let out = abi.room(4)?;
            let arguments = [name, len, settings, 0, out].map(Into::into);
            abi.call("clawft_memory_open", &arguments)?;
            Ok(abi.number(out))
        })?;
        Ok(Memory { abi, handle })
    }

    /// Stores a record whose text is these bytes, so that some can be wrong.
    ///
    /// # Errors
    /// Those of the library.
    pub fn remember_bytes(&mut self, record: &Record<'_>, words: &[u8]) -> Call {
        let handle = self.handle;
        self.abi.within(|abi| {
            let vector = abi.put_floats(record.vector)?;
            let mut places = vec![vector];
            for one in [words, record.kind.as_bytes(), record.session.as_bytes()] {
                places.extend(text(abi, one)?);
            }
            places.extend([pairs(abi, record.metadata)?, record.metadata.len() as u32, 0]);
            let mut whole = bytes(&[RECORD, record.vector.len() as u32]);
            whole.extend(record.id.to_le_bytes());
            whole.extend(bytes(&places));
            whole.extend([record.created, record.used].map(u64::to_le_bytes).concat());
            whole.extend(record.importance.to_le_bytes());
            whole.extend(0u32.to_le_bytes());
            let record = abi.put(&whole)?;
            abi.call("clawft_remember", &[handle.into(), record.into()])
        })
    }

    /// A string of a record.
    fn string(&mut self, id: u64, which: u32) -> Call<String> {
        let handle = self.handle;
        self.abi.within(|abi| {
            let len = abi.room(4)?;
            let place = |out: u32, cap: u32| {
                [handle.into(), id.into(), which.into(), out.into(), cap.into(), len.into()]
            };
            abi.call("clawft_record_string", &place(0, 0))?;
            let bytes = abi.number(len);
            let out = abi.room(bytes)?;
            abi.call("clawft_record_string", &place(out, bytes))?;
            Ok(String::from_utf8_lossy(&abi.read(out, bytes)).into_owned())
        })
    }

    /// Calls a function of a handle and a time: commit, compact, close.
    fn at_now(&mut self, name: &str) -> Call<()> {
        self.abi.call(name, &[self.handle.into(), NOW.into()]).map(|_| ())
    }

    /// Calls a function of a handle and an address.
    ///
    /// # Errors
    /// Those of the library.
    pub fn plain_at(&mut self, name: &str, at: u32) -> Call {
        self.abi.call(name, &[self.handle.into(), at.into()])
    }

    /// Calls a function of a handle.
    ///
    /// # Errors
    /// Those of the library.
    pub fn plain(&mut self, name: &str) -> Call<()> {
        self.abi.call(name, &[self.handle.into()]).map(|_| ())
    }

    /// The memory in numbers.
    ///
    /// # Errors
    /// Those of the library.
    pub fn report(&mut self) -> Call<Report> {
        let handle = self.handle;
        self.abi.within(|abi| {
            let out = abi.room(REPORT)?;
            abi.call("clawft_memory_report", &[handle.into(), out.into()])?;
            let (records, derived) = (abi.number(out + 8), abi.number(out + 60));
            Ok(Report { records, derived, torn: abi.ids(out + 72, 1)[0] })
        })
    }
}

impl Records for Memory {
    fn remember(&mut self, record: &Record<'_>) -> Call<()> {
        self.remember_bytes(record, record.text.as_bytes()).map(|_| ())
    }

    fn forget(&mut self, id: u64) -> Call<()> {
        self.abi.call("clawft_forget", &[self.handle.into(), id.into()]).map(|_| ())
    }

    fn recall(&mut self, question: Question<'_>) -> Call<Vec<(u64, f32)>> {
        let handle = self.handle;
        self.abi.within(|abi| {
            let asked = abi.room(RECALL)?;
            abi.call("clawft_recall_init", &[asked.into(), question.k.into()])?;
            if let Some(vector) = question.vector {
                let at = abi.put_floats(vector)?;
                abi.write(asked + 8, &at.to_le_bytes());
                abi.write(asked + 20, &(vector.len() as u32).to_le_bytes());
            }
            if let Some(words) = question.text {
                let place = text(abi, words.as_bytes())?;
                abi.write(asked + 12, &bytes(&place));
            }
            restrict(abi, asked, &question.filter)?;
            let (out, count) = (abi.room(FOUND * question.k.max(1))?, abi.room(4)?);
            let arguments = [handle, asked, out, count].map(Into::into);
            abi.call("clawft_recall", &arguments)?;
            let count = abi.number(count);
            let found =
                |at| (abi.ids(out + FOUND * at, 1)[0], abi.floats(out + FOUND * at + 8, 1)[0]);
            Ok((0..count).map(found).collect())
        })
    }

    fn get(&mut self, id: u64) -> Call<Stored> {
        let handle = self.handle;
        let (created, used, importance, number) = self.abi.within(|abi| {
            let out = abi.room(FIELDS)?;
            abi.call("clawft_record_fields", &[handle.into(), id.into(), out.into()])?;
            let times = abi.ids(out + 8, 2);
            Ok((times[0], times[1], abi.floats(out + 24, 1)[0], abi.number(out + 44)))
        })?;
        let vector = self.abi.within(|abi| {
            let out = abi.room(REPORT)?;
            abi.call("clawft_memory_report", &[handle.into(), out.into()])?;
            let dim = abi.number(out + 4);
            let out = abi.room(4 * dim)?;
            let arguments = [handle.into(), id.into(), out.into(), dim.into()];
            abi.call("clawft_record_vector", &arguments)?;
            Ok(abi.floats(out, dim))
        })?;
        let mut metadata = Vec::new();
        for pair in 0..number {
            let key = METADATA + 2 * pair;
            metadata.push((self.string(id, key)?, self.string(id, key + 1)?));
        }
        let (text, kind) = (self.string(id, TEXT)?, self.string(id, KIND)?);
        let session = self.string(id, SESSION)?;
        Ok(Stored { vector, text, kind, session, created, used, importance, metadata })
    }

    fn contains(&mut self, id: u64) -> Call<bool> {
        let arguments = [self.handle.into(), id.into()];
        self.abi.call("clawft_record_contains", &arguments).map(|is_there| is_there == 1)
    }

    fn next(&mut self, from: u64) -> Call<Option<u64>> {
        let handle = self.handle;
        self.abi.within(|abi| {
            let out = abi.room(8)?;
            let arguments = [handle.into(), from.into(), out.into()];
            let is_there = abi.call("clawft_record_next", &arguments)?;
            Ok((is_there == 1).then(|| abi.ids(out, 1)[0]))
        })
    }

    fn count(&mut self) -> Call<u64> {
        self.report().map(|report| report.records.into())
    }

    fn commit(&mut self) -> Call<()> {
        self.at_now("clawft_commit")
    }

    fn rollback(&mut self) -> Call<()> {
        self.plain("clawft_rollback")
    }

    fn save(&mut self) -> Call<()> {
        self.plain("clawft_save")
    }

    fn compact(&mut self) -> Call<()> {
        self.at_now("clawft_compact")
    }

    fn close(mut self: Box<Self>) -> Call<()> {
        self.at_now("clawft_memory_close")
    }

    fn size(&mut self) -> usize {
        self.abi.size()
    }
}
