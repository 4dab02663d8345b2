//! Everything that can go wrong with records and the durable file, each with a number that
//! never changes and a sentence that says what was expected and what was found.
//!
//! The sentence comes in parts, for the reason given in `ffi/src/error.rs`: `core::fmt` stays
//! out of the module. [`Display`](fmt::Display) puts the parts together for everyone else.

use alloc::boxed::Box;
use core::fmt;

pub use clawft_vectors::Sentence;

use crate::memory;
use crate::storage::StorageError;

/// Why a call was refused. Unless it says otherwise, nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The storage refused.
    Storage(StorageError),
    /// A part of a record is beyond its limit.
    Limit {
        /// Which part.
        part: Part,
        /// The most that it may have.
        limit: u32,
        /// What it has.
        found: u32,
    },
    /// A part of a record is not what it may be.
    Record(&'static str),
    /// A vector has another number of components than the file, or the file another than was
    /// asked for.
    Dimension {
        /// Components expected.
        expected: u32,
        /// Components found.
        found: u32,
    },
    /// A component is NaN or infinite.
    NotFinite {
        /// Which one.
        index: u32,
    },
    /// The id is not in the file.
    UnknownId(u64),
    /// The changes since the last commit take all the room there is for them: commit first.
    BatchFull {
        /// Bytes that one commit may have.
        limit: u32,
        /// Bytes that it would have.
        found: u32,
    },
    /// There is no such file.
    NoFile,
    /// The file is not RVF.
    NotRvf,
    /// The file is of a version that this crate does not know.
    Version {
        /// The version known.
        expected: u32,
        /// The version found.
        found: u32,
    },
    /// The file is RVF, but of a kind that is not served here.
    Unsupported(&'static str),
    /// The file is damaged.
    Damaged(Damage),
    /// The file was opened for reading only.
    ReadOnly,
    /// Another writer changed the file, or took the lease. Open again and repeat the changes.
    Conflict,
    /// Another writer has the lease.
    LeaseHeld {
        /// When it runs out, in ms.
        until: u64,
    },
    /// An earlier write failed in a way that leaves open what is on the disk. Committed records
    /// can be read; to write, open again.
    Stopped,
    /// There is not enough memory for the call. Nothing was begun.
    Memory {
        /// Bytes that it may need.
        needed: u64,
    },
}

/// A part of a record that has a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// Components of a vector.
    Components,
    /// Bytes of a text.
    Text,
    /// Bytes of a kind.
    Kind,
    /// Bytes of a session.
    Session,
    /// Pairs of metadata.
    Pairs,
    /// Bytes of a metadata key.
    Key,
    /// Bytes of a metadata value.
    Value,
    /// Bytes of all metadata.
    Metadata,
}

impl Part {
    // Alone it is a look into a table, and not a jump for each.
    #[inline(never)]
    fn text(self) -> &'static str {
        match self {
            Self::Components => "components",
            Self::Text => "bytes of text",
            Self::Kind => "bytes of kind",
            Self::Session => "bytes of session",
            Self::Pairs => "pairs of metadata",
            Self::Key => "bytes of a metadata key",
            Self::Value => "bytes of a metadata value",
            Self::Metadata => "bytes of metadata",
        }
    }
}

/// What is wrong with a file, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// What is wrong.
    pub kind: DamageKind,
    /// Where, in bytes from the beginning of the file that the kind names.
    pub offset: u64,
}

/// Kinds of damage. `docs/format-file.md` has the table of how they are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DamageKind {
    /// The journal is there, the base is not.
    BaseLost,
    /// The base ends before what the journal builds on.
    BaseCut,
    /// The base goes on behind its newest manifest, and there is no journal.
    TailWithoutJournal,
    /// The base has no sound manifest.
    NoManifest,
    /// The newest manifest's bytes are not those that were written.
    Manifest,
    /// A segment that holds records' fields.
    Records,
    /// A segment's header or padding.
    Segment,
    /// A vector.
    Vector,
    /// A vector that nothing can be compared with: of length 0 where the metric needs a direction, or
    /// not finite. It is as it was written; the record is not found.
    Incomparable,
    /// A text.
    Text,
    /// Metadata written by another program.
    Meta,
    /// The journal's header.
    JournalHeader,
    /// A commit in the journal that others follow.
    Journal,
}

impl DamageKind {
    const fn text(self) -> &'static str {
        match self {
            Self::BaseLost => "the file is missing, and its journal is not",
            Self::BaseCut => "the file was cut: committed records behind byte # are missing",
            Self::TailWithoutJournal => {
                "the file was cut, or copied without its journal: unfinished from byte # on"
            }
            Self::NoManifest => "the file was cut or damaged: it has no sound manifest",
            Self::Manifest => "the newest manifest, at byte # or behind it, is damaged",
            Self::Records => "the records at byte # are damaged",
            Self::Segment => "the segment at byte # is damaged",
            Self::Vector => "the vector at byte # is damaged",
            Self::Incomparable => "the vector at byte # is zero, or too large to be compared",
            Self::Text => "the text at byte # is damaged",
            Self::Meta => "the metadata at byte # is damaged",
            Self::JournalHeader => "the journal's header is damaged",
            Self::Journal => "the journal is damaged at byte #, and commits follow",
        }
    }

    /// The damage of this kind at `offset`, as an error.
    #[cold]
    #[inline(never)]
    pub(crate) fn at(self, offset: u64) -> Fault {
        Error::Damaged(Damage { kind: self, offset }).into()
    }
}

impl Error {
    /// The number of the error, negative and stable. Numbers of retired errors are not used
    /// again.
    #[must_use]
    pub const fn code(&self) -> i32 {
        match self {
            Error::Storage(error) => error.code(),
            Error::Limit { .. } => -211,
            Error::Record(_) => -212,
            Error::Dimension { .. } => -1,
            Error::NotFinite { .. } => -2,
            Error::UnknownId(_) => -6,
            Error::BatchFull { .. } => -213,
            Error::NoFile => -214,
            Error::NotRvf => -215,
            Error::Version { .. } => -216,
            Error::Unsupported(_) => -217,
            Error::Damaged(_) => -218,
            Error::ReadOnly => -219,
            Error::Conflict => -220,
            Error::LeaseHeld { .. } => -221,
            Error::Stopped => -222,
            Error::Memory { .. } => -232,
        }
    }

    /// The sentence in parts. [`Display`](fmt::Display) writes the same.
    #[must_use]
    pub fn sentence(&self) -> Sentence {
        // As in clawft-vectors: text, numbers and detail each by themselves, which is half the code.
        let text = match *self {
            Error::Storage(_) => "the storage refused: ",
            Error::Dimension { .. } => "vectors of # components expected, # found",
            Error::NotFinite { .. } => "finite components expected, component # is not",
            Error::UnknownId(_) => "a stored id expected, # is not stored",
            Error::Damaged(Damage { kind, .. }) => kind.text(),
            Error::Memory { .. } => "memory for # more bytes expected, found less",
            _ => TEXTS.get((FIRST_TEXT - self.code()) as usize).copied().unwrap_or_default(),
        };
        let numbers = match *self {
            Error::Limit { limit: first, found, .. }
            | Error::BatchFull { limit: first, found }
            | Error::Dimension { expected: first, found }
            | Error::Version { expected: first, found } => [first.into(), found.into()],
            Error::NotFinite { index } => [index.into(), 0],
            Error::UnknownId(number)
            | Error::Damaged(Damage { offset: number, .. })
            | Error::LeaseHeld { until: number }
            | Error::Memory { needed: number } => [number, 0],
            _ => [0, 0],
        };
        let detail = match *self {
            Error::Storage(error) => error.text(),
            Error::Limit { part, .. } => part.text(),
            Error::Record(what) | Error::Unsupported(what) => what,
            _ => "",
        };
        Sentence { text, numbers, detail }
    }
}

/// The texts of the errors from [`FIRST_TEXT`] on, in the order of their numbers; that of a damage
/// is its kind's.
const TEXTS: [&str; 12] = [
    "at most # expected, # found: ",
    "the record cannot be stored: ",
    "at most # bytes between two commits expected, # found",
    "an existing file expected, none found",
    "an RVF file expected, the file begins with other bytes",
    "format version # expected, # found",
    "the file is RVF, but not of the kind that is stored here: ",
    "",
    "a file opened for writing expected, found it read-only",
    "another writer changed the file: open it again and repeat the change",
    "no other writer expected, found one with a lease until #",
    "an earlier write failed half way: open the file again to write",
];
const FIRST_TEXT: i32 = -211;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.sentence(), f)
    }
}

impl core::error::Error for Error {}

impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        Error::Storage(error)
    }
}

/// An [`Error`] on its way through this crate, behind a pointer: what a call gives is then one
/// register. Copies of the error itself, at each `?`, were a tenth of the module. It is boxed as the
/// memory has it, so that on its way there it stays the same pointer.
#[derive(Debug, PartialEq)]
pub(crate) struct Fault(pub(crate) Box<memory::Error>);

impl Fault {
    /// What went wrong.
    pub(crate) fn error(&self) -> Error {
        match *self.0 {
            memory::Error::File(error) => error,
            // Never: faults are made of errors of the file.
            _ => Error::Stopped,
        }
    }

    pub(crate) fn is_damage(&self) -> bool {
        matches!(self.error(), Error::Damaged(_))
    }

    /// A file that is RVF, but of a kind that is not served here.
    #[cold]
    #[inline(never)]
    pub(crate) fn unsupported(why: &'static str) -> Self {
        Error::Unsupported(why).into()
    }
}

impl From<Error> for Fault {
    #[cold]
    #[inline(never)]
    fn from(error: Error) -> Self {
        Fault(Box::new(memory::Error::File(error)))
    }
}

impl From<StorageError> for Fault {
    #[cold]
    #[inline(never)]
    fn from(error: StorageError) -> Self {
        Error::Storage(error).into()
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        fault.error()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn sentences_say_what_was_expected_and_found() {
        for (error, sentence) in [
            (Error::Storage(StorageError::NoSpace), "the storage refused: no space is left"),
            (
                Error::Limit { part: Part::Text, limit: 5, found: 6 },
                "at most 5 expected, 6 found: bytes of text",
            ),
            (
                DamageKind::BaseCut.at(640).error(),
                "the file was cut: committed records behind byte 640 are missing",
            ),
            (
                Error::Dimension { expected: 3, found: 4 },
                "vectors of 3 components expected, 4 found",
            ),
            (
                Error::BatchFull { limit: 5, found: 6 },
                "at most 5 bytes between two commits expected, 6 found",
            ),
            (Error::NoFile, "an existing file expected, none found"),
            (Error::NotRvf, "an RVF file expected, the file begins with other bytes"),
            (Error::Version { expected: 1, found: 2 }, "format version 1 expected, 2 found"),
            (
                Error::Unsupported("it is signed"),
                "the file is RVF, but not of the kind that is stored here: it is signed",
            ),
            (Error::ReadOnly, "a file opened for writing expected, found it read-only"),
            (
                Error::Conflict,
                "another writer changed the file: open it again and repeat the change",
            ),
            (
                Error::LeaseHeld { until: 7 },
                "no other writer expected, found one with a lease until 7",
            ),
            (Error::Stopped, "an earlier write failed half way: open the file again to write"),
            (Error::Memory { needed: 8 }, "memory for 8 more bytes expected, found less"),
            (Error::Record("torn"), "the record cannot be stored: torn"),
        ] {
            assert_eq!(error.to_string(), sentence);
        }
    }
}
