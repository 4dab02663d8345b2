//! One writer: the lock of the durable file, held around every command that may write.
//!
//! The component itself has no locks. It keeps a lease, which is enough to lose nothing, but a
//! lease of a killed writer must first run out; the system's lock ends with the process. So
//! the lock says who writes, and the lease does not get into the way.

use crate::failure::{Failed, failed};
use clawft_store::storage::native::{LockError, WriterLock};
use std::path::Path;

/// The durable file in the data folder.
pub(crate) const MEMORY: &str = "memory.rvf";
/// Commands that only read. What is not known here may write.
const READERS: [&str; 9] =
    ["recall", "sessions", "stats", "export", "config", "help", "version", "--help", "--version"];
/// What the component answers, too, when another program writes.
const BUSY: i32 = 6;

/// Whether a command may write.
pub(crate) fn writes(command: Option<&str>) -> bool {
    command.is_some_and(|command| !READERS.contains(&command) && command != "-h")
}

/// Takes the lock.
///
/// # Errors
/// Who has it.
pub(crate) fn lock(folder: &Path) -> Result<WriterLock, Failed> {
    WriterLock::acquire(&folder.join(MEMORY)).map_err(|error| match error {
        LockError::Held(process) => failed(
            BUSY,
            format!(
                "process {process} is writing to the memory in {}: end it, or wait for it",
                folder.display()
            ),
        ),
        error => failed(1, format!("{}: {error}", folder.display())),
    })
}
