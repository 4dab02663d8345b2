//! The outside over WASI 0.2, as a component sees it.
//!
//! | file | what |
//! |---|---|
//! | `http` | requests: `wasi:http/outgoing-handler` |
//! | `raw` | those of its functions that give error codes |
//! | `sentence` | what each of its error codes means, in words |
//! | `wait` | waiting with an end |
//! | `files` | files below the preopened folders |
//! | `path` | which preopened folder a path is in |
//! | `storage` | one folder as the storage of a durable file |
//! | `environment`, `clock`, `random`, `terminal` | the rest |
//!
//! The bindings are those of the crate `wasip2`, which needs no `std` and links only what is called;
//! but for `raw`.
//! WASI ends a program that drops a parent before its child, or a stream before its pollable: the
//! order of fields and of lets in this folder is the order in which things may go.

use super::Platform;

mod clock;
mod environment;
mod files;
mod http;
mod path;
mod random;
pub(crate) mod raw;
mod sentence;
mod storage;
mod terminal;
mod wait;

pub use clock::WasiClock;
pub use environment::WasiEnvironment;
pub use files::WasiFileSystem;
pub use http::WasiHttpClient;
pub use random::WasiRandom;
pub use terminal::WasiTerminal;

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
