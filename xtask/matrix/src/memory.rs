//! A memory of records, however it is called: through the C ABI ([`crate::records`]) or through WIT (the
//! runner over Wasmtime).
//!
//! The suite of the memory is written over this alone, so that a check means the same in every row. What
//! one way offers and the other does not stands beside its implementation, with checks of its own.

use crate::abi::Call;
use std::path::Path;

/// The file.
pub const NAME: &str = "memory.rvf";
/// Ms of the first record: the suite has no clock.
pub const NOW: u64 = 1_700_000_000_000;

/// How a memory is opened.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// The file is made if there is none.
    pub create: bool,
    /// Only to read.
    pub read_only: bool,
    /// Only to read, without what is damaged.
    pub salvage: bool,
    /// Components; 0: as many as the file has.
    pub dim: u16,
    /// Records that fit.
    pub capacity: u32,
    /// Bytes of linear memory.
    pub limit: Option<u32>,
}

/// A record that goes in.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Its id.
    pub id: u64,
    /// Its vector.
    pub vector: &'a [f32],
    /// Its text.
    pub text: &'a str,
    /// Its kind.
    pub kind: &'a str,
    /// Its session.
    pub session: &'a str,
    /// When it was made, ms.
    pub created: u64,
    /// When it was last used, ms.
    pub used: u64,
    /// 0 to 1.
    pub importance: f32,
    /// By rising keys.
    pub metadata: &'a [(&'a str, &'a str)],
}

/// A record that came out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stored {
    /// As in [`Record`], each of them.
    pub vector: Vec<f32>,
    /// The same.
    pub text: String,
    /// The same.
    pub kind: String,
    /// The same.
    pub session: String,
    /// The same.
    pub created: u64,
    /// The same.
    pub used: u64,
    /// The same.
    pub importance: f32,
    /// The same.
    pub metadata: Vec<(String, String)>,
}

impl From<&Record<'_>> for Stored {
    fn from(record: &Record<'_>) -> Self {
        let own = |(key, value): &(&str, &str)| ((*key).to_string(), (*value).to_string());
        Stored {
            vector: record.vector.to_vec(),
            text: record.text.into(),
            kind: record.kind.into(),
            session: record.session.into(),
            created: record.created,
            used: record.used,
            importance: record.importance,
            metadata: record.metadata.iter().map(own).collect(),
        }
    }
}

/// Conditions on records. All that are set must hold.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter<'a> {
    /// One of these kinds.
    pub kinds: Option<&'a [&'a str]>,
    /// One of these sessions.
    pub sessions: Option<&'a [&'a str]>,
    /// Made from the first moment on, before the second.
    pub created: Option<(u64, u64)>,
    /// Used then.
    pub used: Option<(u64, u64)>,
    /// All of these pairs.
    pub metadata: &'a [(&'a str, &'a str)],
    /// One of these ids.
    pub ids: Option<&'a [u64]>,
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
    /// Only these.
    pub filter: Filter<'a>,
}

/// Where memories are opened, each in an instance of its own.
pub trait Memories {
    /// Opens the one of a folder.
    ///
    /// # Errors
    /// What the engine says, or the memory.
    fn open(&mut self, folder: &Path, options: &Options) -> Call<Box<dyn Records>>;

    /// Bytes of linear memory that an instance takes beside the memory in it.
    fn taken(&self) -> u32;
}

/// An open memory. An error of each call is the engine's, or a code with its sentence.
#[expect(clippy::missing_errors_doc, reason = "said above, once for all")]
pub trait Records {
    /// Stores a record.
    fn remember(&mut self, record: &Record<'_>) -> Call<()>;
    /// Takes one out.
    fn forget(&mut self, id: u64) -> Call<()>;
    /// The ids that answer best, with their scores.
    fn recall(&mut self, question: Question<'_>) -> Call<Vec<(u64, f32)>>;
    /// A record as it was given.
    fn get(&mut self, id: u64) -> Call<Stored>;
    /// Whether there is such a record.
    fn contains(&mut self, id: u64) -> Call<bool>;
    /// The smallest id from this one on.
    fn next(&mut self, from: u64) -> Call<Option<u64>>;
    /// How many there are.
    fn count(&mut self) -> Call<u64>;
    /// Makes the changes durable.
    fn commit(&mut self) -> Call<()>;
    /// Drops them.
    fn rollback(&mut self) -> Call<()>;
    /// Saves what is derived.
    fn save(&mut self) -> Call<()>;
    /// Writes the file anew.
    fn compact(&mut self) -> Call<()>;
    /// Closes it.
    fn close(self: Box<Self>) -> Call<()>;
    /// Bytes of linear memory.
    fn size(&mut self) -> usize;
}
