//! Randomness.

use wasip2::random::random;

use crate::platform::Random;

/// The host's generator, which is made for secrets.
#[derive(Clone, Copy, Debug, Default)]
pub struct WasiRandom;

impl Random for WasiRandom {
    fn fill(&self, into: &mut [u8]) {
        for part in into.chunks_mut(8) {
            let drawn = random::get_random_u64().to_le_bytes();
            part.copy_from_slice(&drawn[..part.len()]);
        }
    }
}

/// A number that nobody can foretell.
pub(crate) fn random_u64() -> u64 {
    random::get_random_u64()
}
