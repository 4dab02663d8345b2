//! Randomness.

use super::sys;
use crate::platform::Random;

/// The host's generator, which is made for secrets.
#[derive(Clone, Copy, Debug, Default)]
pub struct WasiRandom;

impl Random for WasiRandom {
    fn fill(&self, into: &mut [u8]) {
        if !sys::random(into) {
            // Nothing here may go on with bytes that can be foretold.
            core::arch::wasm32::unreachable();
        }
    }
}

/// A number that nobody can foretell.
pub(crate) fn random_u64() -> u64 {
    let mut drawn = [0; 8];
    WasiRandom.fill(&mut drawn);
    u64::from_le_bytes(drawn)
}
