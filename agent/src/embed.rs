//! Texts to vectors.
//!
//! | file | what |
//! |---|---|
//! | `table` | `static`: the vectors of a text's pieces out of a file, added up |
//! | `wordpiece` | the pieces of a text |
//! | `hashed` | words and their pieces, hashed: no file, blind to paraphrase |
//! | `direction` | directions out of hashes, for what has no vector |
//!
//! A third embedder, `openai`, asks an endpoint: [`Embeddings`], which stands beside the
//! providers as it speaks as they do.
//!
//! What an embedder must never do: give a vector of another length than it said, or one with a
//! component that is not finite.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

mod direction;
mod hashed;
mod table;
mod wordpiece;

pub use hashed::Hashed;
pub use table::Table;

use crate::failure::{Exit, Failure};
use crate::platform::Platform;
use crate::provider::{Embeddings, Endpoint};

/// Why a text has no vector.
#[cold]
pub(crate) fn refused(sentence: impl Into<String>) -> Failure {
    Failure::new(Exit::Embedder, sentence)
}

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
    /// [`Exit::Embedder`]: no answer from an endpoint. `into` may then have any content.
    fn embed(
        &self,
        platform: &Platform<'_>,
        texts: &[&str],
        into: &mut [f32],
    ) -> Result<(), Failure>;
}

/// Which embedder, as a config says it.
pub enum Choice<'a> {
    /// `static`: the model file at this path.
    Static(&'a str),
    /// `hashed`, with so many components; 0: the usual number.
    Hashed(usize),
    /// `openai`.
    OpenAi {
        /// Where it is.
        endpoint: Endpoint,
        /// Name of the model; empty: [`MODEL`].
        model: &'a str,
        /// Components; 0: the model's own.
        dim: usize,
        /// Whether the server is asked for so many, which not all models can give; otherwise it is
        /// what the model gives.
        shortened: bool,
    },
}

/// The model of an endpoint where none is named.
pub const MODEL: &str = "text-embedding-3-small";
/// Where the file of `static` lies in the data folder.
pub const TABLE: &str = "models/static.table";
/// Components that hashed vectors may have.
const HASHED_DIMS: core::ops::RangeInclusive<usize> = 64..=4096;

/// Opens an embedder.
///
/// # Errors
/// [`Exit::Embedder`]: the model file is missing or damaged, the endpoint does not answer, or `dim` is none
/// that the embedder can have.
pub fn open(platform: &Platform<'_>, choice: Choice<'_>) -> Result<Box<dyn Embedder>, Failure> {
    Ok(match choice {
        Choice::Static(path) => Box::new(Table::load(platform, path)?),
        Choice::Hashed(0) => Box::new(Hashed::new(hashed::DIM)),
        Choice::Hashed(dim) if HASHED_DIMS.contains(&dim) => Box::new(Hashed::new(dim)),
        Choice::Hashed(dim) => {
            let (least, most) = (HASHED_DIMS.start(), HASHED_DIMS.end());
            return Err(refused(format!(
                "hashed vectors of {least} to {most} components expected, found {dim}"
            )));
        }
        Choice::OpenAi { endpoint, model, dim, shortened } => {
            let model = if model.is_empty() { MODEL } else { model };
            Box::new(Embeddings::open(platform, endpoint, model, dim, shortened)?)
        }
    })
}

/// Whether a memory made by embedder `id` with `dim` components can be used with `embedder`.
///
/// # Errors
/// [`Exit::Embedder`]: it cannot; the sentence says how to make its vectors anew.
pub fn check(embedder: &dyn Embedder, id: &str, dim: usize) -> Result<(), Failure> {
    if embedder.id() == id && embedder.dim() == dim {
        return Ok(());
    }
    Err(refused(format!(
        "this memory has vectors of the embedder {id} with {dim} components, the config asks for \
         {} with {}: put the config back, or make all vectors anew with `clawft reembed`",
        embedder.id(),
        embedder.dim()
    )))
}

#[cfg(test)]
mod tests;
