//! `hashed`: vectors without any file.
//!
//! A text's words, stemmed and without stop words, and the pieces of three to five characters of
//! each word, are hashed to a component and a sign (feature hashing: Weinberger et al.,
//! arXiv:0902.2206). So a word is found with a slip of the pen in it; the same thing said in other
//! words is not found.
//!
//! A word that comes again and again counts less each time: at the end the root of each component
//! is taken, as is done with Fisher vectors (Perronnin et al., "Improving the Fisher kernel",
//! ECCV 2010), which needs no memory for counts.
//!
//! What it must never do: give a text another vector under the same id, as a memory holds
//! those from before. Whoever changes something here, or what `lexical` takes for a word,
//! has to change `hashed:2` with it; a test holds its number equal to `RULES`.

use clawft_codes::arith;
use clawft_store::lexical::{MAX_WORD, words};

use super::Embedder;
use super::direction::{self, hash};
use crate::failure::Failure;
use crate::platform::Platform;

/// Components where nothing else is said.
pub(super) const DIM: usize = 512;
/// What of a word's weight its pieces carry together; the word as a whole has 1.
const PIECES: f32 = 1.0;

/// The embedder `hashed`: adds up hashes of words and of their pieces.
#[derive(Clone, Debug)]
pub struct Hashed {
    dim: usize,
}

impl Hashed {
    /// One with vectors of `dim` components, at least 1.
    #[must_use]
    pub fn new(dim: usize) -> Self {
        Self { dim: dim.max(1) }
    }

    /// The vector of a text into `vector`.
    pub fn vector(&self, text: &str, vector: &mut [f32]) {
        vector.fill(0.0);
        for word in words(text) {
            add_word(word.as_str(), vector);
        }
        for component in vector.iter_mut() {
            *component = arith::sqrt(component.abs()).copysign(*component);
        }
        direction::finish(text, vector);
    }
}

impl Embedder for Hashed {
    fn id(&self) -> &str {
        "hashed:2"
    }

    fn dim(&self) -> usize {
        self.dim
    }

    fn embed(&self, _: &Platform<'_>, texts: &[&str], into: &mut [f32]) -> Result<(), Failure> {
        for (text, vector) in texts.iter().zip(into.chunks_exact_mut(self.dim)) {
            self.vector(text, vector);
        }
        Ok(())
    }
}

/// Adds a word and its pieces.
fn add_word(word: &str, vector: &mut [f32]) {
    add(hash(word.as_bytes()), 1.0, vector);
    // The word between two marks, so that its ends are told from its middle.
    let mut marked = [b' '; MAX_WORD + 2];
    let Some(room) = marked.get_mut(1..=word.len()) else { return };
    room.copy_from_slice(word.as_bytes());
    let Some(Ok(marked)) = marked.get(..word.len() + 2).map(core::str::from_utf8) else { return };
    let count = marked.chars().count();
    let pieces: usize = (3..=5).map(|len| (count + 1).saturating_sub(len)).sum();
    let weight = PIECES / arith::sqrt(pieces as f32);
    for (begin, _) in marked.char_indices() {
        let rest = marked.get(begin..).unwrap_or("");
        let mut end = 0;
        for (len, c) in (1..=5).zip(rest.chars()) {
            end += c.len_utf8();
            if len >= 3 {
                let piece = rest.get(..end).unwrap_or("");
                // Pieces are told from words, or a word of three letters would count double.
                add(!hash(piece.as_bytes()), weight, vector);
            }
        }
    }
}

/// Adds `weight`, with a sign, to one component.
fn add(hash: u64, weight: f32, vector: &mut [f32]) {
    let at = (hash >> 1) % vector.len() as u64;
    if let Some(component) = vector.get_mut(at as usize) {
        *component += if hash & 1 == 0 { weight } else { -weight };
    }
}
