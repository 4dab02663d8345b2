//! The agent's memory: texts that are found again by meaning and by words.
//!
//! Over [`clawft_store::memory::Memory`], which keeps vectors and records, this adds what an agent
//! needs: an embedder that the memory knows again, secrets taken out, near-duplicates merged,
//! memories forgotten for good, files imported, and one writer among several programs.
//!
//! ```text
//! DATA/memory.rvf      the records (docs/format-file.md), with .journal, .image, .lease.…
//! DATA/memory.json     which embedder made the vectors
//! ```
//!
//! | file | what |
//! |---|---|
//! | `access` | opening to read; changes under a lease, again on a conflict |
//! | `refused` | what the store refuses, by kind and in words |
//! | `identity` | `memory.json` |
//! | `write` | remember, correct, pin, forget |
//! | `feedback` | what became of a memory that was given |
//! | `recall` | search, and what a record says |
//! | `alike` | whether two texts say the same |
//! | `gated` | with the feature `coherence`: what may be written, and the quarantine |
//! | `redact`, `names`, `pem` | secrets |
//! | `chunk`, `import` | files into memories |
//! | `evict` | room in a full memory |
//! | `export` | memories as lines of JSON |
//! | `reembed` | the same texts under another embedder |
//!
//! All of it fits 16 MiB of linear memory: texts stay in the file, and the limits of vectors and
//! words are those of the config.
//!
//! What it must never do: store a secret that it can tell, merge what contradicts, or write
//! without the lease.

mod access;
mod alike;
mod chunk;
mod evict;
mod export;
mod feedback;
#[cfg_attr(not(feature = "coherence"), path = "memory/ungated.rs")]
mod gated;
mod identity;
mod import;
mod names;
mod pem;
mod recall;
mod redact;
mod reembed;
mod refused;
mod write;

use alloc::string::String;
use alloc::vec::Vec;

use crate::config::Config;
use crate::embed::Embedder;
use crate::failure::Failure;
use crate::json::Json;
use crate::platform::Platform;

pub use access::WRITER;
use access::{Open, nonce};
pub use alike::alike;
pub(crate) use alike::telling;
pub use feedback::Verdict;
pub use identity::{Identity, NAME};
pub use import::{Format, Imported, Progress};
pub use recall::Memo;
pub use redact::redact;
pub use write::{MOST_TEXT, New, Remembered, Stays};

/// Limits of a memory.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Records that fit; fewer where their vectors would not fit [`image`](Self::image).
    pub capacity: u32,
    /// Bytes that the vectors may take in memory.
    pub image: usize,
    /// Bytes that the index of words may take in memory.
    pub words: usize,
    /// Whether a full memory forgets what is in use least, instead of refusing what is new.
    pub evict: bool,
    /// What the gate goes by.
    #[cfg(feature = "coherence")]
    pub gate: crate::gate::Settings,
}

impl From<&Config> for Limits {
    fn from(config: &Config) -> Self {
        Self {
            capacity: config.capacity,
            image: (config.image_kib as usize) << 10,
            words: (config.words_kib as usize) << 10,
            evict: config.when_full == "evict",
            #[cfg(feature = "coherence")]
            gate: config.gate,
        }
    }
}

/// The memory of a data folder. Nothing is read before it is asked for something.
pub struct Memory<'a> {
    platform: Platform<'a>,
    data: String,
    embedder: Result<&'a dyn Embedder, Failure>,
    limits: Limits,
    open: Option<Open>,
    /// Of all its leases, so that it knows its own again.
    nonce: u64,
    /// Memories that were taken away, and not yet spoken of.
    evicted: usize,
    /// Why bytes of what was forgotten stay, where that was not asked for yet.
    stays: Option<Stays>,
    /// Ids of memories that were used since the last change.
    used: Vec<u64>,
}

/// Sizes, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Records.
    pub records: u64,
    /// Records that fit.
    pub capacity: u32,
    /// Components of a vector.
    pub dim: usize,
    /// Bytes of the vectors in memory.
    pub image: usize,
    /// Bytes of the file, of its live records, and of its journal.
    pub file: u64,
    /// Bytes that live records take in the file.
    pub live: u64,
    /// Bytes of the journal.
    pub journal: u64,
    /// Records in each tier, the hottest first.
    pub tiers: [u32; 4],
}

impl Stats {
    /// Members about bytes, for programs.
    pub(crate) fn write_bytes(&self, json: &mut Json) {
        json.count("image_bytes", self.image as u64);
        json.count("file_bytes", self.file);
        json.count("live_bytes", self.live);
        json.count("journal_bytes", self.journal);
    }
}

impl<'a> Memory<'a> {
    /// The memory of the folder `data`. Without an embedder, it can be read and things be
    /// forgotten; what needs vectors gives that failure.
    #[must_use]
    pub fn new(
        platform: &Platform<'a>,
        data: &str,
        embedder: Result<&'a dyn Embedder, Failure>,
        limits: Limits,
    ) -> Self {
        Self {
            platform: *platform,
            data: data.into(),
            embedder,
            limits,
            open: None,
            nonce: nonce(platform),
            evicted: 0,
            stays: None,
            used: Vec::new(),
        }
    }

    /// Sizes; all zero where nothing was ever remembered.
    ///
    /// # Errors
    /// Those of opening.
    pub fn stats(&mut self) -> Result<Stats, Failure> {
        let Some(store) = self.reading()? else { return Ok(Stats::default()) };
        let sizes = store.file().sizes();
        Ok(Stats {
            records: store.len() as u64,
            capacity: store.capacity(),
            dim: store.dim(),
            image: store.image_bytes(),
            file: sizes.base,
            live: sizes.live,
            journal: sizes.journal,
            tiers: store.tier_counts(),
        })
    }
}
