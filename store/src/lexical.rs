//! Words: an index over texts, and results that words and vectors share.
//!
//! | file | what |
//! |---|---|
//! | `tokens.rs` | the words of a text |
//! | `fold.rs`, `stop.rs`, `stem.rs` | what of a word a search should not see |
//! | `page.rs`, `postings.rs` | which word is in which text, packed into pages |
//! | `index.rs` | texts go in and out, within a limit of bytes |
//! | `saved.rs` | the index as bytes |
//! | `bm25.rs`, `search.rs` | scores, and the best texts |
//! | `fuse.rs` | vectors and words as one order |
//!
//! What it must never do: keep a word of a text that was removed, take more memory than its
//! limit, panic on any text or any saved bytes, or order results differently on another
//! machine.

mod bm25;
mod fold;
mod fuse;
mod index;
mod page;
mod postings;
mod saved;
mod search;
mod stem;
mod stop;
mod tokens;

pub use bm25::Bm25;
pub use fold::{fold, is_dropped};
pub use fuse::{Fused, Fusion, by_slot, fuse};
pub use index::{Index, MAX_WORDS};
pub use saved::OpenError;
pub use search::{Hit, MAX_QUERY_WORDS, Scratch};
pub use tokens::{MAX_WORD, RULES, Word, Words, words};

/// Why a call was refused. The index finds what it found before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The text needs more memory than the limit leaves.
    Full {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The slot has a text.
    Occupied(u32),
    /// A search could not allocate its scratch.
    Memory,
}
