//! One writer: the lock of the durable file, held around every command that may write.
//!
//! The component itself has no locks. It keeps a lease, which is enough to lose nothing, but a
//! lease of a killed writer must first run out; the system's lock ends with the process. So
//! the lock says who writes, and its file which nonce the component's leases have: the next one
//! takes away what a killed one has left. A lease with another nonce is one of a program outside
//! this host, and respected.
//!
//! What it must never do: take a command that it does not know for one that only reads.

use crate::failure::{Failed, failed};
use clawft_agent::memory::NAME;
use clawft_store::storage::native::{LockError, WriterLock};
use std::path::Path;

/// Commands that only read. What is not known here may write.
const READERS: [&str; 9] =
    ["recall", "sessions", "stats", "export", "config", "help", "version", "--help", "--version"];
/// What the component answers, too, when another program writes.
const BUSY: i32 = 6;

/// Whether a command may write.
pub(crate) fn writes(command: Option<&str>) -> bool {
    command.is_some_and(|command| !READERS.contains(&command) && command != "-h")
}

/// Takes the lock; `None` where no lock file can be written. Nothing much else can be then, and the
/// component says so, after an answer that it can give all the same; its lease guards what it writes.
///
/// # Errors
/// Who has it.
pub(crate) fn lock(folder: &Path) -> Result<Option<WriterLock>, Failed> {
    match WriterLock::acquire(&folder.join(NAME)) {
        Ok(lock) => Ok(Some(lock)),
        Err(LockError::Held(process)) => Err(failed(
            BUSY,
            format!(
                "process {process} is writing to the memory in {}: end it, or wait for it",
                folder.display()
            ),
        )),
        Err(LockError::System(error)) if takes_nothing(&error) => Ok(None),
        Err(error) => Err(failed(1, format!("{}: {error}", folder.display()))),
    }
}

/// Whether the folder takes no file: it may only be read, or has no room.
pub(crate) fn takes_nothing(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{
        FileTooLarge, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull,
    };
    matches!(
        error.kind(),
        FileTooLarge | PermissionDenied | QuotaExceeded | ReadOnlyFilesystem | StorageFull
    )
}
