//! One conformance suite over any engine, for `cargo xtask matrix`.
//!
//! A row of the matrix is an artifact in an engine. Every row of a kernel passes the same checks, so
//! does every row of the store and of the agent: what a check needs of an engine is the trait
//! [`guest::Engine`], and nothing here knows which one it is. Runners implement it, each in a process
//! of its own: `src/wasmtime/main.rs` and, outside of the workspace, `wamr/`. What this must never do:
//! skip a check silently. A row that cannot be run says why, in the engine's words.

#![forbid(unsafe_code)]

pub mod abi;
pub mod agent;
pub mod command;
pub mod faults;
pub mod guest;
pub mod http;
pub mod kernel;
pub mod memory;
pub mod model;
pub mod records;
pub mod runner;
pub mod seen;
pub mod storage;
pub mod suite;

pub use clawft_sample::scratch;

/// Which suite an artifact takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Vectors: `clawft.h`.
    Kernel,
    /// Records over a storage of the host: `clawft_store.h`.
    Store,
    /// The agent over WASI preview 1: `clawft_agent.h`.
    Agent,
}

impl Kind {
    /// As a runner's command line names it.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "kernel" => Some(Kind::Kernel),
            "store" => Some(Kind::Store),
            "agent" => Some(Kind::Agent),
            _ => None,
        }
    }
}

/// What modules of a kind import beside WASI.
pub fn imports(kind: Kind) -> &'static [guest::Import] {
    match kind {
        Kind::Kernel => &[],
        Kind::Store => storage::FUNCTIONS,
        Kind::Agent => http::FUNCTIONS,
    }
}
