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

use clawft_store::Error as File;
use clawft_store::memory::{Error as Refused, Refusal};
use clawft_store::storage::StorageError;

use super::bindings::exports::clawft::memory::errors::{Error, Kind};
use crate::failure::{Exit, Failure};
use crate::platform::FileError;

impl From<Refusal> for Error {
    #[cold]
    #[inline(never)]
    fn from(refusal: Refusal) -> Self {
        let kind = match &*refusal {
            Refused::File(error) => of_file(error),
            Refused::Vectors(clawft_vectors::Error::Full { .. })
            | Refused::WordsFull { .. }
            | Refused::Memory => Kind::Full,
            Refused::Vectors(_) | Refused::NothingAsked => Kind::Invalid,
            _ => Kind::Failed,
        };
        Error { kind, code: refusal.code(), sentence: refusal.to_string() }
    }
}

fn of_file(error: &File) -> Kind {
    match error {
        File::Storage(StorageError::NotFound) | File::NoFile | File::UnknownId(_) => Kind::NotFound,
        File::Storage(StorageError::NoSpace) | File::BatchFull { .. } | File::Memory { .. } => {
            Kind::Full
        }
        File::Storage(StorageError::ReadOnly) | File::ReadOnly => Kind::ReadOnly,
        File::Storage(StorageError::BadHandle)
        | File::Limit { .. }
        | File::Record(_)
        | File::Dimension { .. }
        | File::NotFinite { .. } => Kind::Invalid,
        File::NotRvf | File::Version { .. } | File::Unsupported(_) | File::Damaged(_) => {
            Kind::Damaged
        }
        File::Conflict | File::LeaseHeld { .. } => Kind::Conflict,
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
