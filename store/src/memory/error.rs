//! What can go wrong with a memory: what its parts refuse, and little else.
//!
//! What the file or the image refuses keeps its number and its sentence, as whoever stands
//! behind the C ABI sees one list of them.
//!
//! What it must never do: give a number a second meaning: -232 is want of memory here and in
//! the file.

use alloc::boxed::Box;
use core::fmt;
use core::ops::Deref;

use crate::error::{Fault, Sentence};
use crate::lexical;
use crate::storage::StorageError;

/// Why a call was refused. Unless it says otherwise, nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The durable file refused.
    File(crate::Error),
    /// The image refused.
    Vectors(clawft_vectors::Error),
    /// The index of words has reached its limit.
    WordsFull {
        /// The limit, in bytes.
        limit: usize,
    },
    /// There is not enough memory for this call.
    Memory,
    /// A recall asks neither for a vector nor for words.
    NothingAsked,
}

impl Error {
    /// The number of the error, negative and stable.
    #[must_use]
    pub const fn code(&self) -> i32 {
        match self {
            Error::File(error) => error.code(),
            Error::Vectors(error) => error.code(),
            Error::WordsFull { .. } => -231,
            Error::Memory => -232,
            Error::NothingAsked => -233,
        }
    }

    /// The sentence in parts. [`Display`](fmt::Display) writes the same.
    #[must_use]
    pub fn sentence(&self) -> Sentence {
        let (text, number) = match self {
            Error::File(error) => return error.sentence(),
            Error::Vectors(error) => return error.sentence(),
            Error::WordsFull { limit } => {
                ("the index of words may take # bytes, and this text needs more", *limit as u64)
            }
            Error::Memory => ("there is not enough memory for this call", 0),
            Error::NothingAsked => ("a vector or a text expected to recall by", 0),
        };
        Sentence { text, numbers: [number, 0], detail: "" }
    }
}

impl From<crate::Error> for Error {
    fn from(error: crate::Error) -> Self {
        Error::File(error)
    }
}

impl From<clawft_vectors::Error> for Error {
    fn from(error: clawft_vectors::Error) -> Self {
        Error::Vectors(error)
    }
}

impl From<lexical::Error> for Error {
    fn from(error: lexical::Error) -> Self {
        match error {
            lexical::Error::Full { limit } => Error::WordsFull { limit },
            // A slot is occupied only where the memory mistook it for free: build it anew.
            lexical::Error::Occupied(_) | lexical::Error::Memory => Error::Memory,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.sentence(), f)
    }
}

impl core::error::Error for Error {}

/// An [`Error`] behind a pointer: what a call gives is then one register, and not copied on its
/// way. The `try_` methods of a memory give it, to whoever makes of it a number or a sentence at
/// once; all others give the error itself.
#[derive(Debug)]
pub struct Refusal(Box<Error>);

impl Deref for Refusal {
    type Target = Error;

    fn deref(&self) -> &Error {
        &self.0
    }
}

impl Refusal {
    #[cold]
    #[inline(never)]
    fn of(error: &clawft_vectors::Error) -> Self {
        Error::Vectors(*error).into()
    }

    /// There is not enough memory for this call.
    #[cold]
    #[inline(never)]
    pub(super) fn memory() -> Self {
        Error::Memory.into()
    }
}

impl From<crate::Error> for Refusal {
    fn from(error: crate::Error) -> Self {
        Fault::from(error).into()
    }
}

impl From<Error> for Refusal {
    #[cold]
    #[inline(never)]
    fn from(error: Error) -> Self {
        Refusal(Box::new(error))
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Refusal(fault.0)
    }
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        Fault::from(error).into()
    }
}

/// What the image gave, or its error kept: read where it is, as a copy of it at each call would weigh
/// more than the call.
#[inline(always)]
pub(super) fn kept<T>(result: Result<T, clawft_vectors::Error>) -> Result<T, Refusal> {
    match result {
        Ok(value) => Ok(value),
        Err(ref error) => Err(Refusal::of(error)),
    }
}

impl From<clawft_vectors::Error> for Refusal {
    #[cold]
    #[inline(never)]
    fn from(error: clawft_vectors::Error) -> Self {
        Error::Vectors(error).into()
    }
}

impl From<lexical::Error> for Refusal {
    #[cold]
    #[inline(never)]
    fn from(error: lexical::Error) -> Self {
        Error::from(error).into()
    }
}

impl From<Refusal> for Error {
    #[cold]
    #[inline(never)]
    fn from(refusal: Refusal) -> Self {
        *refusal.0
    }
}
