//! The memory: records, words, and a durable file that survives a power cut.
//!
//! What this crate must never do: know a file or a clock by name (it gets a storage and the
//! time as arguments), draw randomness, or let any bytes that it opens make it panic.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(test, feature = "native"))]
extern crate std;

pub mod lexical;
