//! The outside over WASI: 0.2 in a component, preview 1 in a core module.
//!
//! | file | what |
//! |---|---|
//! | `files` | files below the given folders |
//! | `path` | which given folder a path is in |
//! | `storage` | one folder as the storage of a durable file |
//! | `terminal` | lines of the standard streams |
//!
//! What differs stands in the folders `wasi_p2` and `wasi_p1`, under the same names; the target
//! says which one is taken.
//!
//! Why: when a file is durable, which paths are inside and how much of a folder is read has
//! to be the same over both, so it stands here once.
//!
//! What it must never do: ask in a file of this folder which of the two it is.

use alloc::string::String;
use alloc::vec::Vec;

use super::Platform;
#[cfg(target_env = "p1")]
use super::wasi_p1 as edge;
#[cfg(target_env = "p2")]
use super::wasi_p2 as edge;
use edge::descriptor::ErrorCode;

mod files;
mod path;
mod storage;
mod terminal;

pub(crate) use edge::random_u64;
pub use edge::{WasiClock, WasiEnvironment, WasiHttpClient, WasiRandom};
pub use files::WasiFileSystem;
pub use terminal::WasiTerminal;

/// Bytes that the names of a folder may take in memory: no more are read.
pub(super) const NAMES: usize = 2 << 20;

/// Bytes that a name takes.
fn weight(name: &str) -> usize {
    name.len() + 32
}

/// Adds a name to those of a folder, and gives the bytes that it takes.
///
/// # Errors
/// No memory is left for it, and for the little that follows.
pub(super) fn add(names: &mut Vec<String>, name: impl Into<String>) -> Result<usize, ErrorCode> {
    if names.try_reserve(1).is_err() || crate::room::ask(0).is_err() {
        return Err(ErrorCode::InsufficientMemory);
    }
    let name = name.into();
    let bytes = weight(&name);
    names.push(name);
    Ok(bytes)
}

/// Bytes that names take: more than [`NAMES`] where some were not read.
fn weight_of(names: &[String]) -> usize {
    names.iter().map(|name| weight(name)).sum()
}

/// All of it.
pub struct Wasi {
    http: WasiHttpClient,
    files: WasiFileSystem,
    environment: WasiEnvironment,
    clock: WasiClock,
    random: WasiRandom,
    terminal: WasiTerminal,
}

impl Wasi {
    /// What the host gives.
    #[must_use]
    pub fn new() -> Self {
        Self {
            http: WasiHttpClient,
            files: WasiFileSystem::new(),
            environment: WasiEnvironment,
            clock: WasiClock,
            random: WasiRandom,
            terminal: WasiTerminal::new(),
        }
    }

    /// The same, as the agent takes it.
    #[must_use]
    pub fn platform(&self) -> Platform<'_> {
        Platform {
            http: &self.http,
            files: &self.files,
            environment: &self.environment,
            clock: &self.clock,
            random: &self.random,
            terminal: &self.terminal,
        }
    }
}

impl Default for Wasi {
    fn default() -> Self {
        Self::new()
    }
}
