//! Random bytes.

use core::hash::{BuildHasher, Hasher};
use std::collections::hash_map::RandomState;

use crate::platform::Random;

/// Bytes from the keys that the system gives the standard library for its hash tables. For
/// nonces and jitter, not for secrets.
#[derive(Clone, Copy, Debug, Default)]
pub struct NativeRandom;

impl Random for NativeRandom {
    fn fill(&self, into: &mut [u8]) {
        for (i, part) in into.chunks_mut(8).enumerate() {
            let mut hasher = RandomState::new().build_hasher();
            hasher.write_usize(i);
            hasher.write_u32(std::process::id());
            part.copy_from_slice(&hasher.finish().to_le_bytes()[..part.len()]);
        }
    }
}
