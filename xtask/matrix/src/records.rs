//! Records through the C ABI: the functions of `clawft_store.h` that the suite needs.

use crate::abi::{Abi, Call};
use crate::guest::{Engine, Outside};
use crate::storage::Folder;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Sizes of the ABI's structs where pointers have 32 bits.
const OPTIONS: u32 = 104;
const RECORD: u32 = 80;
const RECALL: u32 = 112;
const FOUND: u32 = 24;
const REPORT: u32 = 104;
/// The file.
pub const NAME: &str = "memory.rvf";
/// Flags of the options.
pub const CREATE: u32 = 1;
/// The same.
pub const READ_ONLY: u32 = 2;
/// Ms of all records: the suite has no clock.
const NOW: u64 = 1_700_000_000_000;

/// How a memory is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// [`CREATE`], [`READ_ONLY`].
    pub flags: u32,
    /// Components.
    pub dim: u32,
    /// Records that fit.
    pub capacity: u32,
    /// Bytes of linear memory.
    pub limit: Option<u32>,
    /// Bytes that the disk still takes.
    pub space: Arc<AtomicU64>,
}

/// A record that goes in.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Its id.
    pub id: u64,
    /// Its vector.
    pub vector: &'a [f32],
    /// Its text: bytes, so that some can be wrong.
    pub text: &'a [u8],
    /// Its kind.
    pub kind: &'a str,
    /// 0 to 1.
    pub importance: f32,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Question<'a> {
    /// Results wanted.
    pub k: u32,
    /// By vector.
    pub vector: Option<&'a [f32]>,
    /// By words.
    pub text: Option<&'a str>,
    /// Only this kind.
    pub kind: Option<&'a str>,
    /// Only these ids.
    pub ids: Option<&'a [u64]>,
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

impl Memory {
    /// Opens one in a new instance.
    ///
    /// # Errors
    /// What the engine says, or the library.
    pub fn open(engine: &mut dyn Engine, folder: &Path, options: &Options) -> Call<Self> {
        let storage = Folder::new(folder.to_path_buf(), options.space.clone());
        let outside = Outside { imports: Box::new(storage), wasi: None };
        Memory::of(Abi::new(engine, outside, options.limit)?, options)
    }

    /// Opens one in an instance that is there.
    ///
    /// # Errors
    /// Those of the library.
    pub fn of(mut abi: Abi, options: &Options) -> Call<Self> {
        let handle = abi.within(|abi| {
            let settings = abi.room(OPTIONS)?;
            abi.call("clawft_memory_options_init", &[settings.into()])?;
            let fields = [options.flags, options.dim, options.capacity];
            abi.write(settings + 4, &fields.map(u32::to_le_bytes).concat());
            abi.write(settings + 24, b"the matrix' file");
            let [name, len] = text(abi, NAME.as_bytes())?;
            let out = abi.room(4)?;
            let arguments = [name, len, settings, 0, out].map(Into::into);
            abi.call("clawft_memory_open", &arguments)?;
            Ok(abi.number(out))
        })?;
        Ok(Memory { abi, handle })
    }

    /// Stores a record.
    ///
    /// # Errors
    /// Those of the library.
    pub fn remember(&mut self, record: &Record<'_>) -> Call {
        let handle = self.handle;
        self.abi.within(|abi| {
            let vector = abi.put_floats(record.vector)?;
            let [text_at, text_len] = text(abi, record.text)?;
            let [kind, kind_len] = text(abi, record.kind.as_bytes())?;
            let mut bytes = [RECORD, record.vector.len() as u32].map(u32::to_le_bytes).concat();
            bytes.extend(record.id.to_le_bytes());
            let places = [vector, text_at, text_len, kind, kind_len, 0, 0, 0, 0, 0];
            bytes.extend(places.map(u32::to_le_bytes).concat());
            bytes.extend([NOW + record.id, NOW].map(u64::to_le_bytes).concat());
            bytes.extend(record.importance.to_le_bytes());
            bytes.extend(0u32.to_le_bytes());
            let record = abi.put(&bytes)?;
            abi.call("clawft_remember", &[handle.into(), record.into()])
        })
    }

    /// The ids that answer best, with their scores.
    ///
    /// # Errors
    /// Those of the library.
    pub fn recall(&mut self, question: Question<'_>) -> Call<Vec<(u64, f32)>> {
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
                abi.write(asked + 12, &place.map(u32::to_le_bytes).concat());
            }
            if let Some(kind) = question.kind {
                let place = text(abi, kind.as_bytes())?;
                let list = abi.put(&place.map(u32::to_le_bytes).concat())?;
                abi.write(asked + 44, &list.to_le_bytes());
                abi.write(asked + 60, &1u32.to_le_bytes());
            }
            if let Some(ids) = question.ids {
                let list = abi.put_ids(&[ids, &[0]].concat())?;
                abi.write(asked + 56, &list.to_le_bytes());
                abi.write(asked + 72, &(ids.len() as u32).to_le_bytes());
            }
            let (out, count) = (abi.room(FOUND * question.k.max(1))?, abi.room(4)?);
            let arguments = [handle, asked, out, count].map(Into::into);
            abi.call("clawft_recall", &arguments)?;
            let count = abi.number(count);
            let found =
                |at| (abi.ids(out + FOUND * at, 1)[0], abi.floats(out + FOUND * at + 8, 1)[0]);
            Ok((0..count).map(found).collect())
        })
    }

    /// A record's text.
    ///
    /// # Errors
    /// Those of the library.
    pub fn text(&mut self, id: u64) -> Call<String> {
        let handle = self.handle;
        self.abi.within(|abi| {
            let len = abi.room(4)?;
            let place = |out: u32, cap: u32| {
                [handle.into(), id.into(), 0u32.into(), out.into(), cap.into(), len.into()]
            };
            abi.call("clawft_record_string", &place(0, 0))?;
            let bytes = abi.number(len);
            let out = abi.room(bytes)?;
            abi.call("clawft_record_string", &place(out, bytes))?;
            Ok(String::from_utf8_lossy(&abi.read(out, bytes)).into_owned())
        })
    }

    /// Takes a record out.
    ///
    /// # Errors
    /// Those of the library.
    pub fn forget(&mut self, id: u64) -> Call {
        self.abi.call("clawft_forget", &[self.handle.into(), id.into()])
    }

    /// Calls a function of a handle and a time: commit, compact, close.
    ///
    /// # Errors
    /// Those of the library.
    pub fn at_now(&mut self, name: &str) -> Call {
        self.abi.call(name, &[self.handle.into(), NOW.into()])
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
    pub fn plain(&mut self, name: &str) -> Call {
        self.abi.call(name, &[self.handle.into()])
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
