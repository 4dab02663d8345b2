//! The memory: records, words, and a durable file that survives a power cut.
//!
//! A [`DurableFile`] keeps [`Record`]s in a [`Storage`](storage::Storage): an RVF file and a
//! journal beside it, in the format of `docs/format-file.md`. Neither needs more memory than a
//! place for each record and a few buffers of at most 4 MiB.
//!
//! | file | what |
//! |---|---|
//! | `record` | a record and its encoding |
//! | `durable` | the open file: commit, close |
//! | `batch` | changes since the last commit: put, remove, roll back |
//! | `read` | records read, and everything verified |
//! | `journal` | small commits: batches that are sound or not there |
//! | `fold`, `group` | journal into base, base into a new base |
//! | `recover` | opening: what is on the disk becomes a state or a refusal |
//! | `foreign` | files that another program changed |
//! | `rvf` | segments and what stands in them |
//! | `crc`, `sha256`, `xxh3` | checks of bytes |
//! | `sorted` | values by a number, in one vector |
//! | `ledger` | what is kept in memory |
//! | `room` | whether there is memory for a call |
//! | `source` | a file that is read: exactly, or as a stream |
//! | `wire` | numbers in bytes, read without a panic |
//! | `error` | what can go wrong, each with a number and a sentence |
//! | `lease` | one writer where there are no locks |
//! | `lexical` | an index of words |
//! | `memory` | records, vectors and words together |
//! | `storage` | what is needed of a disk; files, natively and in WASI, and simulated ones |
//!
//! What this crate must never do: know a file or a clock by name (it gets a storage and the
//! time as arguments), draw randomness, or let any bytes that it opens make it panic.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(test, feature = "native"))]
extern crate std;

mod batch;
mod crc;
mod durable;
mod error;
mod fold;
#[cfg(feature = "foreign")]
mod foreign;
mod group;
mod journal;
mod lease;
mod ledger;
pub mod lexical;
pub mod memory;
mod read;
mod record;
mod recover;
mod room;
mod rvf;
mod sha256;
mod sorted;
mod source;
pub mod storage;
mod wire;
mod xxh3;

pub use durable::{DurableFile, Limits, Options, Report, Sizes, Version};
pub use error::{Damage, DamageKind, Error, Part, Sentence};
pub use lease::Lease;
pub use record::{
    Fields, MAX_DIM, MAX_KEY, MAX_KIND, MAX_METADATA, MAX_PAIRS, MAX_SESSION, MAX_TEXT, MAX_VALUE,
    Record,
};

/// How many cases a property is tried on, natively and in Miri.
///
/// Failing seeds are kept in files only where there are files.
#[cfg(test)]
fn cases(native: u32, miri: u32) -> proptest::test_runner::Config {
    let mut config =
        proptest::test_runner::Config::with_cases(if cfg!(miri) { miri } else { native });
    if cfg!(any(miri, target_arch = "wasm32")) {
        config.failure_persistence = None;
    }
    config
}
