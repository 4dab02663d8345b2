//! What helped before makes later questions lean its way.
//!
//! A person whose questions were answered by some memories will mostly ask about what lies near
//! them. So a question's vector is moved a little towards those memories that were marked good, each
//! as far as it is near to the question:
//!
//! ```text
//! q' = q + s / max(1, |s| / longest),   s = pull · Σ max(0, (q·x - floor) / (1 - floor)) · x
//! ```
//!
//! over the unit vectors `x` of those memories, at most [`MOST`] of them. A question that is near to
//! none of them stays as it is: hence what was learned of one matter hardly touches another.
//! Which other ways were tried, and what each gains and loses, stands in `docs/adr/0023`.
//!
//! Nothing is trained, and nothing is stored but the verdicts, which stand with the records. So a
//! memory that is forgotten, or marked bad, has no say any more, the order of verdicts does not
//! matter, and new vectors of another embedder need nothing.
//!
//! What it must never do: grow with use, or give a vector that is not finite.

use alloc::vec::Vec;

use clawft_codes::arith;
use xxhash_rust::xxh64::xxh64;

/// Most memories that pull.
pub const MOST: usize = 128;

/// How far questions lean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lean {
    /// How much a memory pulls that says just what the question says.
    pub pull: f32,
    /// Cosine up to which a memory does not pull: so near are unrelated texts. Below 1.
    pub floor: f32,
    /// The longest way that a question goes; its own length is 1.
    pub longest: f32,
}

impl Default for Lean {
    /// Chosen on other texts than it is reported on.
    fn default() -> Self {
        Self { pull: 0.15, floor: 0.1, longest: 1.0 }
    }
}

/// The vectors of memories that were marked good.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Interest {
    dim: usize,
    vectors: Vec<f32>,
    how: Lean,
}

/// Of more than [`MOST`] memories, those that pull: by a hash of the id, so that each matter keeps
/// its share and the choice is the same in whatever order they come.
pub fn choose(ids: &mut Vec<u64>) {
    ids.sort_unstable_by_key(|id| (xxh64(&id.to_le_bytes(), 0), *id));
    ids.dedup();
    ids.truncate(MOST);
}

impl Interest {
    /// Nothing learned yet, of vectors with `dim` components.
    #[must_use]
    pub fn new(dim: usize, how: Lean) -> Self {
        Self { dim, vectors: Vec::new(), how }
    }

    /// Components of a vector.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Memories that pull.
    #[must_use]
    pub fn len(&self) -> usize {
        self.vectors.len() / self.dim.max(1)
    }

    /// Is nothing learned?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.vectors.is_empty()
    }

    /// Takes a memory's vector in. One of another dimension, or that has no direction, is left out.
    pub fn add(&mut self, vector: &[f32]) {
        let mut unit = Vec::from(vector);
        if vector.len() == self.dim && normalise(&mut unit) {
            self.vectors.extend_from_slice(&unit);
        }
    }

    /// Moves a question's vector. One of another dimension, or without a direction, stays.
    pub fn lean(&self, question: &mut [f32]) {
        if question.len() != self.dim || self.is_empty() {
            return;
        }
        let mut moved = Vec::from(&*question);
        if !normalise(&mut moved) {
            return;
        }
        let mut shift = alloc::vec![0.0; self.dim];
        for vector in self.vectors.chunks_exact(self.dim) {
            let near = (dot(&moved, vector) - self.how.floor) / (1.0 - self.how.floor);
            if near > 0.0 {
                for (sum, x) in shift.iter_mut().zip(vector) {
                    *sum += self.how.pull * near * x;
                }
            }
        }
        let length = arith::sqrt(arith::norm2(&shift));
        let scale = if length > self.how.longest { self.how.longest / length } else { 1.0 };
        for (q, s) in moved.iter_mut().zip(&shift) {
            *q += scale * s;
        }
        if normalise(&mut moved) {
            question.copy_from_slice(&moved);
        }
    }
}

/// Makes a vector's length 1; false where it has none that can be told.
fn normalise(vector: &mut [f32]) -> bool {
    let squares = arith::norm2(vector);
    // Below that the squares lose their digits, above they overflow; what is not a number is neither.
    if !(squares > 1e-20 && squares < 1e30) {
        return false;
    }
    let length = arith::sqrt(squares);
    vector.iter_mut().for_each(|x| *x /= length);
    true
}

/// The dot product; sums side by side, which the compiler puts into one register.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; 4];
    for (a, b) in a.chunks(4).zip(b.chunks(4)) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    sums[0] + sums[1] + (sums[2] + sums[3])
}
