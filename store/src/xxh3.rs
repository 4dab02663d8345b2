//! XXH3 with 128 bits, unseeded: what RVF has in the headers of its segments.
//!
//! After the specification of xxHash (Y. Collet, `doc/xxhash_spec.md`, version 0.2.0). The crate
//! of that name would bring six kilobytes into the module: its stream copies what it is given
//! into a buffer, where here all pieces but the last are whole stripes. A test compares with it.
//!
//! What it must never do: be given a piece, but the last one, that is no multiple of 64 bytes:
//! the hash is then wrong, and nothing says so.

use crate::wire::{u32_at, u64_at};

const P32: [u64; 3] = [0x9E37_79B1, 0x85EB_CA77, 0xC2B2_AE3D];
const P64: [u64; 5] = [
    0x9E37_79B1_85EB_CA87,
    0xC2B2_AE3D_27D4_EB4F,
    0x1656_67B1_9E37_79F9,
    0x85EB_CA77_C2B2_AE63,
    0x27D4_EB2F_1656_67C5,
];
const MIX_1: u64 = 0x1656_6791_9E37_79F9;
const MIX_2: u64 = 0x9FB2_1C65_1E98_DF25;

/// Bytes that go in at once, and beside the secret's.
const STRIPE: usize = 64;
/// Stripes between two scrambles.
const BLOCK: usize = (SECRET.len() - STRIPE) / 8;
/// Up to so many bytes have ways of their own.
const SHORT: usize = 240;

#[rustfmt::skip]
const SECRET: &[u8; 192] = b"\
\xb8\xfe\x6c\x39\x23\xa4\x4b\xbe\x7c\x01\x81\x2c\xf7\x21\xad\x1c\xde\xd4\x6d\xe9\x83\x90\x97\xdb\
\x72\x40\xa4\xa4\xb7\xb3\x67\x1f\xcb\x79\xe6\x4e\xcc\xc0\xe5\x78\x82\x5a\xd0\x7d\xcc\xff\x72\x21\
\xb8\x08\x46\x74\xf7\x43\x24\x8e\xe0\x35\x90\xe6\x81\x3a\x26\x4c\x3c\x28\x52\xbb\x91\xc3\x00\xcb\
\x88\xd0\x65\x8b\x1b\x53\x2e\xa3\x71\x64\x48\x97\xa2\x0d\xf9\x4e\x38\x19\xef\x46\xa9\xde\xac\xd8\
\xa8\xfa\x76\x3f\xe3\x9c\x34\x3f\xf9\xdc\xbb\xc7\xc7\x0b\x4f\x1d\x8a\x51\xe0\x4b\xcd\xb4\x59\x31\
\xc8\x9f\x7e\xc9\xd9\x78\x73\x64\xea\xc5\xac\x83\x34\xd3\xeb\xc3\xc5\x81\xa0\xff\xfa\x13\x63\xeb\
\x17\x0d\xdd\x51\xb7\xf0\xda\x49\xd3\x16\x55\x26\x29\xd4\x68\x9e\x2b\x16\xbe\x58\x7d\x47\xa1\xfc\
\x8f\xf8\xb8\xd1\x7a\xd0\x31\xce\x45\xcb\x3a\x8f\x95\x16\x04\x28\xaf\xd7\xfb\xca\xbb\x4b\x40\x7e";

fn secret(at: usize) -> u64 {
    u64_at(SECRET, at)
}

/// The secret's words at two places, as one.
fn flip(at: usize) -> u64 {
    secret(at) ^ secret(at + 8)
}

/// The product in two halves.
fn product(a: u64, b: u64) -> (u64, u64) {
    let product = u128::from(a) * u128::from(b);
    (product as u64, (product >> 64) as u64)
}

fn folded(a: u64, b: u64) -> u64 {
    let (low, high) = product(a, b);
    low ^ high
}

fn shifted(value: u64, by: u32) -> u64 {
    value ^ value >> by
}

fn avalanche(value: u64) -> u64 {
    shifted(shifted(value, 37).wrapping_mul(MIX_1), 32)
}

/// That of XXH64.
fn avalanche_64(value: u64) -> u64 {
    let value = shifted(value, 33).wrapping_mul(P64[1]);
    shifted(shifted(value, 29).wrapping_mul(P64[2]), 32)
}

/// The hash of `bytes`, as it stands in a header.
pub(crate) fn xxh3(bytes: &[u8]) -> [u8; 16] {
    let mut hash = Xxh3::new(bytes.len() as u64);
    hash.update(bytes);
    hash.finish()
}

fn up_to_3(bytes: &[u8]) -> (u64, u64) {
    let len = bytes.len();
    let low = u32::from_le_bytes([bytes[len - 1], len as u8, bytes[0], bytes[len / 2]]);
    let high = low.swap_bytes().rotate_left(13);
    let flip = |at| u32_at(SECRET, at) ^ u32_at(SECRET, at + 4);
    (avalanche_64((low ^ flip(0)).into()), avalanche_64((high ^ flip(8)).into()))
}

fn up_to_8(bytes: &[u8]) -> (u64, u64) {
    let len = bytes.len();
    let word = u64::from(u32_at(bytes, 0)) | u64::from(u32_at(bytes, len - 4)) << 32;
    let (low, high) = product(word ^ flip(16), P64[0].wrapping_add((len as u64) << 2));
    let high = high.wrapping_add(low << 1);
    let low = shifted(low ^ high >> 3, 35).wrapping_mul(MIX_2);
    (shifted(low, 28), avalanche(high))
}

fn up_to_16(bytes: &[u8]) -> (u64, u64) {
    let len = bytes.len();
    let (first, last) = (u64_at(bytes, 0), u64_at(bytes, len - 8));
    let (low, high) = product(first ^ last ^ flip(32), P64[0]);
    let low = low.wrapping_add((len as u64 - 1) << 54);
    let last = last ^ flip(48);
    let high = high.wrapping_add(last).wrapping_add((last & 0xFFFF_FFFF) * (P32[1] - 1));
    let (low, carried) = product(low ^ high.swap_bytes(), P64[1]);
    (avalanche(low), avalanche(carried.wrapping_add(high.wrapping_mul(P64[1]))))
}

/// Takes 16 bytes at `a` and 16 at `b` into both halves, with the secret at `key`.
fn mix(sum: &mut (u64, u64), bytes: &[u8], a: usize, b: usize, key: usize) {
    let mixed = |at: usize, key: usize| {
        folded(u64_at(bytes, at) ^ secret(key), u64_at(bytes, at + 8) ^ secret(key + 8))
    };
    let plain = |at: usize| u64_at(bytes, at).wrapping_add(u64_at(bytes, at + 8));
    sum.0 = sum.0.wrapping_add(mixed(a, key)) ^ plain(b);
    sum.1 = sum.1.wrapping_add(mixed(b, key + 16)) ^ plain(a);
}

fn up_to_240(bytes: &[u8]) -> (u64, u64) {
    let len = bytes.len();
    let mut sum = ((len as u64).wrapping_mul(P64[0]), 0);
    if len <= 128 {
        for i in (0..=(len - 1) / 32).rev() {
            mix(&mut sum, bytes, i * 16, len - 16 - i * 16, i * 32);
        }
    } else {
        for i in 0..len / 32 {
            mix(&mut sum, bytes, i * 32, i * 32 + 16, if i < 4 { i * 32 } else { i * 32 - 125 });
            if i == 3 {
                sum = (avalanche(sum.0), avalanche(sum.1));
            }
        }
        mix(&mut sum, bytes, len - 16, len - 32, 103);
    }
    let (low, high) = sum;
    let last = high.wrapping_mul(P64[3]).wrapping_add((len as u64).wrapping_mul(P64[1]));
    let high_sum = low.wrapping_mul(P64[0]).wrapping_add(last);
    (avalanche(low.wrapping_add(high)), avalanche(high_sum).wrapping_neg())
}

/// The hash of bytes that come in pieces.
pub(crate) struct Xxh3 {
    len: u64,
    sums: [u64; 8],
    /// Stripes taken in.
    done: u64,
    /// The last bytes, or all at its end.
    last: [u8; SHORT],
}

impl Xxh3 {
    /// For `len` bytes.
    pub(crate) fn new(len: u64) -> Self {
        let sums = [P32[2], P64[0], P64[1], P64[2], P64[3], P32[1], P64[4], P32[0]];
        Self { len, sums, done: 0, last: [0; SHORT] }
    }

    /// Takes in a piece; all but the last are a multiple of 64 bytes.
    pub(crate) fn update(&mut self, piece: &[u8]) {
        let new = piece.len().min(SHORT);
        self.last.copy_within(new.., 0);
        self.last[SHORT - new..].copy_from_slice(&piece[piece.len() - new..]);
        for stripe in piece.as_chunks().0 {
            // The last bytes are a stripe of their own.
            if self.done == self.len.saturating_sub(1) / STRIPE as u64 {
                return;
            }
            let place = self.done as usize % BLOCK;
            self.take(stripe, place * 8);
            self.done += 1;
            if place == BLOCK - 1 {
                for (i, sum) in self.sums.iter_mut().enumerate() {
                    let mixed = shifted(*sum, 47) ^ secret(SECRET.len() - STRIPE + i * 8);
                    *sum = mixed.wrapping_mul(P32[0]);
                }
            }
        }
    }

    fn take(&mut self, stripe: &[u8; STRIPE], key: usize) {
        let keys = SECRET[key..].as_chunks().0;
        for (i, (word, key)) in stripe.as_chunks().0.iter().zip(keys).enumerate() {
            let word = u64::from_le_bytes(*word);
            let keyed = word ^ u64::from_le_bytes(*key);
            self.sums[i ^ 1] = self.sums[i ^ 1].wrapping_add(word);
            self.sums[i] = self.sums[i].wrapping_add((keyed & 0xFFFF_FFFF) * (keyed >> 32));
        }
    }

    /// The hash, as it stands in a header.
    pub(crate) fn finish(mut self) -> [u8; 16] {
        let short = &self.last[SHORT - self.len.min(SHORT as u64) as usize..];
        let (low, high) = match short.len() {
            0 => (avalanche_64(flip(64)), avalanche_64(flip(80))),
            1..=3 => up_to_3(short),
            4..=8 => up_to_8(short),
            9..=16 => up_to_16(short),
            _ if self.len <= SHORT as u64 => up_to_240(short),
            _ => self.long(),
        };
        (u128::from(high) << 64 | u128::from(low)).to_le_bytes()
    }

    fn long(&mut self) -> (u64, u64) {
        if let Some(&last) = self.last.last_chunk() {
            self.take(&last, SECRET.len() - STRIPE - 7);
        }
        let merged = |begin: u64, key: usize| {
            let pairs = self.sums.as_chunks::<2>().0.iter().enumerate();
            avalanche(pairs.fold(begin, |sum, (i, [a, b])| {
                let key = key + i * 16;
                sum.wrapping_add(folded(a ^ secret(key), b ^ secret(key + 8)))
            }))
        };
        let low = merged(self.len.wrapping_mul(P64[0]), 11);
        (low, merged(!self.len.wrapping_mul(P64[1]), SECRET.len() - STRIPE - 11))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn it_is_that_of_the_crate() {
        let bytes: Vec<u8> =
            (0..5000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for len in (0..600).chain([1023, 1024, 1025, 1087, 1088, 1089, 2048, 2049, 5000]) {
            let bytes = &bytes[..len];
            let expected = xxhash_rust::xxh3::xxh3_128(bytes).to_le_bytes();
            assert_eq!(xxh3(bytes), expected, "of {len} bytes");
            for piece in [64, 1024, 4096] {
                let mut hash = Xxh3::new(len as u64);
                bytes.chunks(piece).for_each(|piece| hash.update(piece));
                assert_eq!(hash.finish(), expected, "{len} bytes by {piece}");
            }
        }
    }
}
