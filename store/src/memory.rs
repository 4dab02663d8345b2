//! The memory: records with vectors and words, found again by either, and kept in a file.
//!
//! A [`Memory`] puts four parts together. The [`DurableFile`] is the truth: what it has committed
//! survives. Three parts are derived from it and kept in memory: the image (vectors, by meaning),
//! the index of words, and the catalog (what filters ask). They are saved beside the file, bound
//! to what was committed, so that opening is one read; missing, stale or damaged, they are built
//! anew from the records.
//!
//! | file | what |
//! |---|---|
//! | `open.rs` | opening, and building anew |
//! | `write.rs` | remember, forget; commit, rollback, compact |
//! | `uses.rs` | touch, tick: what was used comes near, what was not takes less room |
//! | `recall.rs` | by vector, by words, or by both |
//! | `filter.rs` | what a recall may find |
//! | `catalog.rs` | what of a record is kept in memory |
//! | `saved.rs` | the derived parts as a file |
//! | `buffer.rs` | a buffer aligned as the image wants it |
//! | `error.rs` | what can go wrong |
//!
//! Nearly each function that refuses is there twice: `recall` gives an [`Error`] by value, to match
//! on; `try_recall` gives it boxed, as a [`Refusal`], for the C ABI, which hands on one pointer.
//!
//! What it must never do: find what was forgotten, show a change in one part and not in the
//! others, or take what is derived for the truth.

mod buffer;
mod catalog;
mod error;
mod filter;
mod open;
mod recall;
mod saved;
mod uses;
mod write;

use alloc::string::String;
use alloc::vec::Vec;

use clawft_vectors::Image;
use clawft_vectors::tier_policy::Policy;

use crate::DurableFile;
use crate::lexical::{self, Index};
use crate::record::Fields;
use crate::sorted::Sorted;
use buffer::Buffer;
use catalog::{Catalog, Entry};

pub use error::{Error, Refusal};
pub use filter::Filter;
pub use open::{Derived, MemoryOptions};
pub use recall::{Found, Recall};
pub use uses::{Budget, Work};

/// An open memory.
pub struct Memory {
    file: DurableFile,
    image: Image<Buffer>,
    words: Index,
    catalog: Catalog,
    policy: Policy,
    /// Ids changed since the last commit.
    changed: Sorted<u64>,
    /// What the derived file beside stands for is no longer what is here.
    stale: bool,
    /// A change could not be undone in what is derived: it is not saved any more.
    unsound: bool,
    /// A rollback was refused half way: the next one makes it, but for changes that were committed.
    half_undone: bool,
    /// Working memory of the image.
    scratch: Vec<u64>,
    word_scratch: lexical::Scratch,
    derived: Derived,
}

impl Memory {
    /// Records, those not yet committed too.
    #[must_use]
    pub fn len(&self) -> usize {
        self.file.len()
    }

    /// Is nothing remembered?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Records that fit.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.image.capacity()
    }

    /// Bytes of the image: all that the vectors take in memory.
    #[must_use]
    pub fn image_bytes(&self) -> usize {
        self.image.bytes().len()
    }

    /// Components of a vector.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.file.dim()
    }

    /// The durable file, to ask it for sizes and reports.
    #[must_use]
    pub fn file(&self) -> &DurableFile {
        &self.file
    }

    /// Holds a lease, taken before the memory was opened: each commit looks at it.
    pub fn set_lease(&mut self, lease: crate::Lease) {
        self.file.set_lease(lease);
    }

    /// Where the derived parts came from when the memory was opened.
    #[must_use]
    pub fn derived(&self) -> Derived {
        self.derived
    }

    /// Whether a record has this id.
    #[must_use]
    pub fn contains(&self, id: u64) -> bool {
        self.file.contains(id)
    }

    /// The fields of a record as they were given; [`uses`](Self::uses) has what was counted since.
    ///
    /// # Errors
    /// [`crate::Error::UnknownId`], and those of reading the file.
    pub fn fields(&self, id: u64) -> Result<Fields, Error> {
        Ok(self.try_fields(id)?)
    }

    /// As [`fields`](Self::fields).
    ///
    /// # Errors
    /// Those of [`fields`](Self::fields).
    pub fn try_fields(&self, id: u64) -> Result<Fields, Refusal> {
        Ok(self.file.try_fields(id)?)
    }

    /// The text of a record.
    ///
    /// # Errors
    /// As [`fields`](Self::fields).
    pub fn text(&self, id: u64) -> Result<String, Error> {
        Ok(self.try_text(id)?)
    }

    /// As [`text`](Self::text).
    ///
    /// # Errors
    /// Those of [`text`](Self::text).
    pub fn try_text(&self, id: u64) -> Result<String, Refusal> {
        Ok(self.file.try_text(id)?)
    }

    /// The vector of a record as it was given.
    ///
    /// # Errors
    /// As [`fields`](Self::fields), and [`crate::Error::Dimension`].
    pub fn vector(&self, id: u64, into: &mut [f32]) -> Result<(), Error> {
        Ok(self.try_vector(id, into)?)
    }

    /// As [`vector`](Self::vector).
    ///
    /// # Errors
    /// Those of [`vector`](Self::vector).
    pub fn try_vector(&self, id: u64, into: &mut [f32]) -> Result<(), Refusal> {
        Ok(self.file.try_vector(id, into)?)
    }

    /// How often a record was used, and when last (ms), uses not yet saved included.
    #[must_use]
    pub fn uses(&self, id: u64) -> Option<(u32, u64)> {
        let entry = self.entry(id)?;
        Some((entry.uses, entry.last_used))
    }

    #[inline(never)]
    fn entry(&self, id: u64) -> Option<&Entry> {
        self.catalog.at(self.image.slot(id)?)
    }

    #[inline(never)]
    fn entry_mut(&mut self, id: u64) -> Option<&mut Entry> {
        self.catalog.at_mut(self.image.slot(id)?)
    }

    /// The smallest id from `id` on.
    #[must_use]
    pub fn next(&self, id: u64) -> Option<u64> {
        self.file.next(id)
    }
}
