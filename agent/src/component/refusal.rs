//! The store's errors as `clawft:memory/errors` has them.
//!
//! Why: a kind says what can be done about it, a code which error it was. The codes are two
//! series: those of `memory` are the store's, those of `agent` and `gate` the command's exit
//! codes, so -1 is a wrong dimension in the one and the system's refusal in the other. An
//! error that nobody sorted here yet is `failed`.
//!
//! What it must never do: give a code another meaning, or call a conflict what repeating does
//! not mend.

use alloc::string::ToString;

use clawft_store::memory::Error as MemoryError;
use clawft_store::storage::StorageError;
use clawft_store::{Error as FileErr, memory};

use super::bindings::exports::clawft::memory::errors::{Error, Kind};
use crate::failure::{Exit, Failure};
use crate::platform::FileError;

impl From<memory::Error> for Error {
    fn from(error: MemoryError) -> Self {
        let kind = match &error {
            MemoryError::File(error) => of_file(error),
            MemoryError::Vectors(clawft_vectors::Error::Full { .. })
            | MemoryError::WordsFull { .. }
            | MemoryError::Memory => Kind::Full,
            MemoryError::Vectors(_) | MemoryError::NothingAsked => Kind::Invalid,
            _ => Kind::Failed,
        };
        Error { kind, code: error.code(), sentence: error.to_string() }
    }
}

fn of_file(error: &FileErr) -> Kind {
    match error {
        FileErr::Storage(StorageError::NotFound) | FileErr::NoFile | FileErr::UnknownId(_) => {
            Kind::NotFound
        }
        FileErr::Storage(StorageError::NoSpace)
        | FileErr::BatchFull { .. }
        | FileErr::Memory { .. } => Kind::Full,
        FileErr::Storage(StorageError::ReadOnly) | FileErr::ReadOnly => Kind::ReadOnly,
        FileErr::Storage(StorageError::BadHandle)
        | FileErr::Limit { .. }
        | FileErr::Record(_)
        | FileErr::Dimension { .. }
        | FileErr::NotFinite { .. } => Kind::Invalid,
        FileErr::NotRvf
        | FileErr::Version { .. }
        | FileErr::Unsupported(_)
        | FileErr::Damaged(_) => Kind::Damaged,
        FileErr::Conflict | FileErr::LeaseHeld { .. } => Kind::Conflict,
        _ => Kind::Failed,
    }
}

/// A folder that could not be had; the codes are those of the storage.
pub(super) fn of_folder(error: FileError) -> Error {
    let (kind, code) = match error {
        FileError::NotFound => (Kind::NotFound, StorageError::NotFound),
        FileError::ReadOnly => (Kind::ReadOnly, StorageError::ReadOnly),
        FileError::Outside => (Kind::Invalid, StorageError::BadHandle),
        _ => (Kind::Failed, StorageError::Failed),
    };
    Error { kind, code: code.code(), sentence: error.to_string() }
}

impl From<Failure> for Error {
    /// The codes are the exit codes of the command, negative.
    fn from(failure: Failure) -> Self {
        let kind = match failure.exit {
            Exit::Usage | Exit::Config | Exit::Embedder => Kind::Invalid,
            Exit::Nothing => Kind::NotFound,
            Exit::Busy => Kind::Conflict,
            Exit::Damaged => Kind::Damaged,
            _ => Kind::Failed,
        };
        Error { kind, code: -(failure.exit as i32), sentence: failure.into_sentence() }
    }
}
