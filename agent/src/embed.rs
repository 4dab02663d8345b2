//! Texts to vectors.
//!
//! | file | what |
//! |---|---|
//! | `table` | `static`: the vectors of a text's pieces out of a file, added up |
//! | `wordpiece` | the pieces of a text |
//! | `hashed` | words and their pieces, hashed: no file, blind to paraphrase |
//! | `direction` | directions out of hashes, for what has no vector |
//!
//! What an embedder must never do: give a vector of another length than it said, or one with a
//! component that is not finite.

use alloc::string::String;

mod direction;
mod hashed;
mod table;
mod wordpiece;

pub use hashed::Hashed;
pub use table::Table;

use crate::platform::Platform;

/// Why a text has no vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// A sentence for a person, without secrets.
    pub sentence: String,
}

impl Error {
    fn new(sentence: String) -> Self {
        Self { sentence }
    }
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl core::error::Error for Error {}

/// Texts to vectors of length 1.
pub trait Embedder {
    /// What a memory keeps to know its embedder again: kind and version, or model.
    fn id(&self) -> &str;

    /// Components of a vector.
    fn dim(&self) -> usize;

    /// The vectors of `texts`, one after the other into `into` (`texts.len() * dim`). A text in
    /// which nothing is known gets a vector too, always the same.
    ///
    /// # Errors
    /// [`Error`]: no answer from an endpoint. `into` may then have any content.
    fn embed(&self, platform: &Platform<'_>, texts: &[&str], into: &mut [f32])
    -> Result<(), Error>;
}
