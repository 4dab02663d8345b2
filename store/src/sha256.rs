//! SHA-256 (FIPS 180-4): what RVF's metadata ends in, and what stands for strings. Of bytes that
//! are there at once, which is all that is needed.
//!
//! What it must never do: leave what it was given on the stack: these are strings of records,
//! which may be forgotten.

/// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
#[rustfmt::skip]
const ROUNDS: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];
/// The same of the square roots of the first eight.
#[rustfmt::skip]
const BEGIN: [u32; 8] = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

/// The digest of `bytes`.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut state = BEGIN;
    let (blocks, rest) = bytes.as_chunks();
    for block in blocks {
        compress(&mut state, block);
    }
    // The rest, a one, zeros, and how many bits there were: in one block, or in two.
    let mut last = [0; 64];
    last[..rest.len()].copy_from_slice(rest);
    last[rest.len()] = 0x80;
    if rest.len() >= 56 {
        compress(&mut state, &last);
        last = [0; 64];
    }
    let bits = bytes.len() as u64 * 8;
    for (i, byte) in last[56..].iter_mut().enumerate() {
        *byte = (bits >> (56 - 8 * i)) as u8;
    }
    compress(&mut state, &last);
    // It had the end of a record's string, and the stack keeps what nobody clears.
    last.fill(0);
    core::hint::black_box(&last);
    let mut digest = [0; 32];
    for (i, byte) in digest.iter_mut().enumerate() {
        *byte = (state[i / 4] >> (24 - 8 * (i % 4))) as u8;
    }
    digest
}

#[inline(never)]
fn compress(state: &mut [u32; 8], block: &[u8; 64]) {
    // The last sixteen words of the schedule: word i stands at i modulo 16.
    let mut schedule = [0_u32; 16];
    for (word, bytes) in schedule.iter_mut().zip(block.as_chunks().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    let turned = |word: u32, by: [u32; 2]| word.rotate_right(by[0]) ^ word.rotate_right(by[1]);
    let mut now = *state;
    for (i, round) in ROUNDS.into_iter().enumerate() {
        let at = |back: usize| schedule[(i + 16 - back) % 16];
        if i >= 16 {
            let (near, far) = (at(2), at(15));
            let near = turned(near, [17, 19]) ^ near >> 10;
            let far = turned(far, [7, 18]) ^ far >> 3;
            let sum = at(16).wrapping_add(far).wrapping_add(at(7)).wrapping_add(near);
            schedule[i % 16] = sum;
        }
        let [a, b, c, d, e, f, g, h] = now;
        let first = h
            .wrapping_add(turned(e, [6, 11]) ^ e.rotate_right(25))
            .wrapping_add(e & f ^ !e & g)
            .wrapping_add(round)
            .wrapping_add(schedule[i % 16]);
        let second = (turned(a, [2, 13]) ^ a.rotate_right(22)).wrapping_add(a & b ^ a & c ^ b & c);
        now = [first.wrapping_add(second), a, b, c, d.wrapping_add(first), e, f, g];
    }
    for (sum, word) in state.iter_mut().zip(now) {
        *sum = sum.wrapping_add(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn it_is_that_of_rvf_types() {
        let bytes: Vec<u8> =
            (0..300_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 9) as u8).collect();
        for len in (0..bytes.len()).step_by(if cfg!(miri) { 11 } else { 1 }) {
            let mut digest = rvf_types::sha256::Sha256::new();
            digest.update(&bytes[..len]);
            assert_eq!(sha256(&bytes[..len]), digest.finalize(), "of {len} bytes");
        }
    }
}
