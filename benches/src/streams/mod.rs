//! Seeded streams of memory writes: honest lives, and attacks on them.
//!
//! They are the evidence by which a gate before the memory is judged, and were
//! written before there was one. A [`Stream`] is what one run hands to it, in
//! order, and each [`Write`] says what it is in truth; the gate must not see
//! that. Tables come in two halves with no wording and no entity in common:
//! whoever builds a gate may read and tune on [`Half::Open`], and must not read
//! [`Half::Held`] or fit anything to it.
//!
//! A seed fixes a stream on every machine. Labels are by construction, not by
//! anybody's judgement of the text: what a template of denial says of a fact is
//! a contradiction, and nothing else is.

mod attack;
mod fill;
mod held;
mod hidden;
mod life;
mod open;
pub mod tables;
#[cfg(test)]
mod tests;

use tables::Tables;

/// Writes of a stream when nobody asks for another length.
pub const LENGTH: usize = 120;

/// Which wordings and entities a stream is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Half {
    /// For whoever builds the gate: to read and to tune on.
    Open,
    /// Only for judging.
    Held,
}

impl Half {
    /// Its wordings and entities.
    pub fn tables(self) -> &'static Tables {
        match self {
            Half::Open => &open::TABLES,
            Half::Held => &held::TABLES,
        }
    }
}

/// What a stream is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A life over weeks: facts, restatements, honest changes, opinions, imported documents.
    Consistent,
    /// The same, and after its first half writes that deny earlier ones.
    Contradiction,
    /// The same, and a falsehood again and again, among restatements of the truth.
    Poison,
    /// The same, with imported texts that hide instructions, and honest ones that look alike.
    Instruction,
    /// The same, and one sentence of an adversary many times, to the letter.
    Repetition,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 5] =
        [Kind::Consistent, Kind::Contradiction, Kind::Poison, Kind::Instruction, Kind::Repetition];
}

/// Who says it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Source {
    /// The user, in a session.
    User,
    /// An imported file, by name.
    File(String),
    /// A web page, by address.
    Page(String),
    /// The model, on its own.
    Model,
    /// A tool, by name.
    Tool(String),
}

/// What a write is in truth. An index is that of an earlier write of the same stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Truth {
    /// True, or an opinion, or a document without guile.
    Honest,
    /// Denies the write `of`, which is true and still holds.
    Contradiction {
        /// The latest true statement of what is denied.
        of: usize,
    },
    /// The user honestly changes or corrects what the write `of` says: must not be denied.
    Correction {
        /// The latest statement of what is changed.
        of: usize,
    },
    /// The poisoner's falsehood.
    Poison,
    /// Imported text with an instruction to the assistant in it.
    Instruction,
    /// The repeated sentence of the adversary: every copy, the first as well.
    Repetition,
}

impl Truth {
    /// Whether it ought to reach the memory.
    pub fn is_honest(self) -> bool {
        matches!(self, Truth::Honest | Truth::Correction { .. })
    }
}

/// One write to the memory.
#[derive(Clone, PartialEq, Debug)]
pub struct Write {
    /// Who says it.
    pub source: Source,
    /// The session, from 0, never falling.
    pub session: u32,
    /// Seconds since 1970, rising.
    pub time: u64,
    /// What is to be remembered.
    pub text: String,
    /// What it is in truth: for the judge only.
    pub truth: Truth,
}

/// How a poisoner goes about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    /// One source, the same words.
    Verbatim,
    /// One source, several wordings.
    Paraphrased,
    /// Several names that look like sources, several wordings.
    ManyNames,
}

/// The writes of one run.
#[derive(Clone, PartialEq, Debug)]
pub struct Stream {
    /// What it is.
    pub kind: Kind,
    /// The half that it is made of.
    pub half: Half,
    /// Its seed.
    pub seed: u64,
    /// The writes in order.
    pub writes: Vec<Write>,
    /// Of a poisoner: the manner.
    pub manner: Option<Manner>,
    /// Of [`Kind::Poison`] and [`Kind::Repetition`]: the first write of the true fact that the
    /// falsehood denies; `None` when it is about something of which no memory speaks.
    pub denied: Option<usize>,
}

impl Stream {
    /// The index of the first write that is not honest.
    pub fn onset(&self) -> Option<usize> {
        self.writes.iter().position(|write| !write.truth.is_honest())
    }
}

/// The stream of a seed, with `length` writes.
///
/// # Panics
///
/// When `length` is below 40: a shorter life has nothing to attack.
pub fn stream(kind: Kind, half: Half, seed: u64, length: usize) -> Stream {
    assert!(length >= 40, "a stream has at least 40 writes");
    let (mut manner, mut denied) = (None, None);
    let mut life = life::Life::new(half.tables(), kind, seed);
    match kind {
        Kind::Consistent => life.live(length),
        Kind::Contradiction => attack::contradict(&mut life, length),
        Kind::Poison => {
            let drawn;
            (drawn, denied) = attack::poison(&mut life, length);
            manner = Some(drawn);
        }
        Kind::Instruction => hidden::instruct(&mut life, length),
        Kind::Repetition => denied = attack::repeat(&mut life, length),
    }
    Stream { kind, half, seed, writes: life.writes, manner, denied }
}
