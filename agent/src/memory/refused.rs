//! What the store refuses: which kind it is, and as a sentence for a person.
//!
//! Why: who changes a memory tries again, makes room or passes over by the kind; who asked gets a
//! sentence that says what to do.
//!
//! What it must never do: put the text of a memory into a sentence.

use alloc::format;

use clawft_store::memory::{Error, Refusal};

use super::identity::NAME;
use crate::failure::{Exit, Failure};

/// Whether it says that something is damaged.
pub(super) fn is_damage(error: &Error) -> bool {
    matches!(error, Error::File(clawft_store::Error::Damaged(_)))
}

/// Whether it says that another writer was faster: then the change is made again.
pub(super) fn is_conflict(error: &Error) -> bool {
    matches!(error, Error::File(clawft_store::Error::Conflict))
}

/// Whether it says that there is no room, of vectors or of words.
pub(super) fn is_full(error: &Error) -> bool {
    matches!(error, Error::Vectors(clawft_vectors::Error::Full { .. }) | Error::WordsFull { .. })
}

impl From<Refusal> for Failure {
    #[cold]
    #[inline(never)]
    fn from(refusal: Refusal) -> Self {
        failure(&refusal)
    }
}

impl From<clawft_store::Error> for Failure {
    #[cold]
    #[inline(never)]
    fn from(error: clawft_store::Error) -> Self {
        failure(&error.into())
    }
}

/// An error of the store as a sentence for a person.
fn failure(error: &Error) -> Failure {
    use clawft_store::Error as File;
    let exit = match error {
        Error::File(File::LeaseHeld { .. } | File::Conflict) => Exit::Busy,
        Error::File(
            File::Damaged(_) | File::NotRvf | File::Version { .. } | File::Unsupported(_),
        ) => Exit::Damaged,
        Error::File(File::UnknownId(_)) => Exit::Nothing,
        _ => Exit::Failed,
    };
    let sentence = match error {
        Error::File(File::LeaseHeld { .. } | File::Conflict) => {
            "another program is writing the memory: try again".into()
        }
        Error::Vectors(clawft_vectors::Error::Full { len, .. }) => format!(
            "the memory is full ({len} records): forget some, or raise memory.capacity and \
             memory.image_kib in the config"
        ),
        Error::WordsFull { limit } => format!(
            "the index of words is full ({limit} bytes): forget some memories, or raise \
             memory.words_kib in the config"
        ),
        other => format!("{NAME}: {other}"),
    };
    Failure::new(exit, sentence)
}
