//! Directions for what nobody has taught a vector: the same for the same bytes, and nearly at
//! right angles to all others.
//!
//! What it must never do: give the same bytes another direction, as vectors in memory were made
//! with the old one, or leave a vector without a direction.

use clawft_codes::arith;
use xxhash_rust::xxh64::xxh64;

/// A number for `bytes`, the same everywhere.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    xxh64(bytes, 0)
}

/// Adds `length` (above 0) along the direction of `hash`: a sign for each component.
pub(super) fn add(hash: u64, length: f32, into: &mut [f32]) {
    let step = length / arith::sqrt(into.len().max(1) as f32);
    let mut state = hash;
    for some in into.chunks_mut(64) {
        let mut bits = next(&mut state);
        for component in some {
            *component += if bits & 1 == 0 { step } else { -step };
            bits >>= 1;
        }
    }
}

/// Makes a vector's length 1; one without a length takes the direction of `text`.
pub(super) fn finish(text: &str, vector: &mut [f32]) {
    let mut squares = arith::norm2(vector);
    // Below that the squares lose their digits.
    if !(squares > 1e-20 && squares < 1e30) {
        vector.fill(0.0);
        add(hash(text.trim().as_bytes()), 1.0, vector);
        squares = arith::norm2(vector);
    }
    let length = arith::sqrt(squares);
    for component in vector {
        *component /= length;
    }
}

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA
/// 2014).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut bits = *state;
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}
