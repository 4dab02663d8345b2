//! `static`: a vector for each piece out of a file; a text's vector is their sum.
//!
//! The file is distilled from a sentence model (`models/README.md`; format:
//! `docs/format-model.md`). How much a piece says is in the length of its vector, so the sum needs
//! no other weights. The file's bytes stay as they were read: four bits a component, no copy, no
//! table beside them.
//!
//! A word of another script has no vector there. It gets a direction of its own, from its hash, so
//! that texts in that script are told apart and found again by the same words.
//!
//! What it must never do: give a text another vector by the same file. A memory knows the file
//! by its checksum, and the words of other scripts by their `RULES`. Neither says anything of
//! this code: other cuts, or another order of the sum, need another version of the format.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use clawft_store::lexical::RULES;
use xxhash_rust::xxh64::xxh64;

use super::direction;
use super::wordpiece::{Part, Pieces, cut, parts};
use super::{Embedder, refused};
use crate::failure::Failure;
use crate::platform::Platform;

/// Most bytes of a model file.
pub(super) const MOST: u64 = 4 << 20;
/// What such a file begins with.
const MAGIC: &[u8; 8] = b"CFTABLE\0";
/// The version of the format.
const VERSION: u32 = 1;
/// Bytes before the directory.
const HEADER: usize = 24;
/// Bytes behind the codes.
const CHECKSUM: usize = 8;
/// Bytes of the longest piece that a file may have.
const MOST_PIECE: usize = 32;
/// Components that a file may have.
const DIMS: core::ops::RangeInclusive<usize> = 8..=1024;

/// Pieces of one length and kind: they stand one after the other, in order.
#[derive(Clone, Copy, Debug)]
struct Group {
    /// Number of the first.
    first: usize,
    count: usize,
    /// Where the first one's bytes begin in the file.
    begin: usize,
}

/// The embedder `static`: a model file, and where its parts begin.
pub struct Table {
    bytes: Vec<u8>,
    id: String,
    dim: usize,
    longest: usize,
    /// By length from 1, first those that begin a word, then those that continue one.
    groups: Vec<Group>,
    /// Where the scales begin.
    scales: usize,
    /// Where the codes begin.
    codes: usize,
    /// What a scale of 1 stands for.
    unit: f32,
    /// Length of the direction of a word of another script.
    other: f32,
}

impl Table {
    /// Reads a model file.
    ///
    /// # Errors
    /// [`Exit::Embedder`](crate::failure::Exit::Embedder): there is none, or it is no such file, cut
    /// short, damaged, of another version.
    pub fn load(platform: &Platform<'_>, path: &str) -> Result<Self, Failure> {
        let unread = |error| refused(format!("{path}: {error}"));
        let bytes = platform.files.read(path, MOST).map_err(unread)?;
        Self::open(bytes).map_err(|failure| failure.of(path))
    }

    /// Takes the bytes of a model file.
    ///
    /// # Errors
    /// As [`load`](Self::load), without the path.
    pub fn open(bytes: Vec<u8>) -> Result<Self, Failure> {
        let wrong = |sentence: String| Err(refused(sentence));
        if bytes.len() < HEADER + CHECKSUM || !bytes.starts_with(MAGIC) {
            return wrong("this is no model file of clawft".to_string());
        }
        let version = word(&bytes, 8);
        if version != VERSION {
            return wrong(format!("a model file of version {VERSION} expected, found {version}"));
        }
        let body = bytes.len() - CHECKSUM;
        let checksum = xxh64(&bytes[..body], 0);
        if bytes[body..] != checksum.to_le_bytes() {
            return wrong(
                "the model file is damaged or cut short: its checksum differs".to_string(),
            );
        }
        // A sound checksum says that the file is as it was written, not who wrote it.
        let (dim, longest) = (half(&bytes, 12), half(&bytes, 14));
        let (unit, other) = (f32::from_bits(word(&bytes, 16)), f32::from_bits(word(&bytes, 20)));
        let fine = |length: f32| (1e-9..1e3).contains(&length);
        if !DIMS.contains(&dim)
            || dim % 2 == 1
            || longest > MOST_PIECE
            || !fine(unit)
            || !fine(other)
        {
            return wrong("the model file's header says what cannot be".to_string());
        }
        let mut begin = HEADER + 4 * longest;
        let mut groups = Vec::with_capacity(2 * longest);
        let mut first = 0;
        for at in 0..2 * longest {
            let count = if begin <= body { half(&bytes, HEADER + 2 * at) } else { 0 };
            groups.push(Group { first, count, begin });
            first += count;
            begin += count * (at % longest + 1);
        }
        let codes = begin + 2 * first;
        let end = codes + first * dim / 2;
        if end != body {
            return wrong(format!("{} bytes of model expected, found {body}", end));
        }
        let id = format!("static:{checksum:016x}:{RULES}");
        Ok(Self { bytes, id, dim, longest, groups, scales: begin, codes, unit, other })
    }

    /// How many pieces have a vector.
    #[must_use]
    pub fn pieces(&self) -> usize {
        (self.codes - self.scales) / 2
    }

    /// The vector of a text into `vector`, which has as many components as the file says.
    pub fn vector(&self, text: &str, vector: &mut [f32]) {
        vector.fill(0.0);
        parts(text, &mut |part| match part {
            Part::Word(word) => cut(word, self, &mut |number| self.add(number, vector)),
            Part::Other(word) => direction::add(direction::hash(word), self.other, vector),
        });
        direction::finish(text, vector);
    }

    fn add(&self, number: usize, vector: &mut [f32]) {
        let scale = self.unit * half(&self.bytes, self.scales + 2 * number) as f32;
        let begin = self.codes + number * self.dim / 2;
        let codes = self.bytes.get(begin..begin + self.dim / 2).unwrap_or(&[]);
        for (two, code) in vector.chunks_exact_mut(2).zip(codes) {
            two[0] += scale * (f32::from(code & 15) - 7.5);
            two[1] += scale * (f32::from(code >> 4) - 7.5);
        }
    }
}

impl Pieces for Table {
    fn longest(&self) -> usize {
        self.longest
    }

    fn find(&self, begins: bool, piece: &[u8]) -> Option<usize> {
        let kind = if begins { 0 } else { self.longest };
        let group = self.groups.get(kind + piece.len().checked_sub(1)?)?;
        let (mut low, mut high) = (0, group.count);
        while low < high {
            let middle = low + (high - low) / 2;
            let at = group.begin + middle * piece.len();
            match self.bytes.get(at..at + piece.len())?.cmp(piece) {
                core::cmp::Ordering::Less => low = middle + 1,
                core::cmp::Ordering::Greater => high = middle,
                core::cmp::Ordering::Equal => return Some(group.first + middle),
            }
        }
        None
    }
}

impl Embedder for Table {
    fn id(&self) -> &str {
        &self.id
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

/// A u32; 0 beyond the end.
fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |some| u32::from_le_bytes(*some))
}

/// A u16; 0 beyond the end.
fn half(bytes: &[u8], at: usize) -> usize {
    let some = bytes.get(at..).and_then(<[u8]>::first_chunk);
    some.map_or(0, |some| usize::from(u16::from_le_bytes(*some)))
}
