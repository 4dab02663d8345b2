//! CRC-32 (IEEE 802.3, reflected polynomial 0xEDB88320), and the one flipped bit that explains
//! a wrong one.
//!
//! The remainder is linear: a message with one bit turned has the remainder of the message, xor
//! that of the bit alone. So a wrong remainder that fits a single bit tells which. That is how a
//! flipped bit of a finished write is told from a write that a power cut tore.
//!
//! The CRC alone does not prove it: a batch of 4 MiB has 2^25 bits, so that one tear in 128
//! fits one of them by chance.
//!
//! What it must never do: be the last word on a batch. A second checksum is, made over the
//! bytes as they were turned back (see `journal`).

const POLYNOMIAL: u32 = 0xEDB8_8320;

/// Remainders of the sixteen half bytes: a table of 1 KiB would be twice as fast, and commits
/// are small.
const TABLE: [u32; 16] = {
    let mut table = [0; 16];
    let mut i = 0;
    while i < 16 {
        let mut crc = i as u32;
        let mut bit = 0;
        while bit < 4 {
            crc = if crc & 1 == 1 { crc >> 1 ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
};

/// The remainder after one more byte.
fn step(crc: u32, byte: u8) -> u32 {
    let crc = crc ^ u32::from(byte);
    let crc = crc >> 4 ^ TABLE[(crc & 15) as usize];
    crc >> 4 ^ TABLE[(crc & 15) as usize]
}

/// Goes on with a CRC-32 begun with 0.
pub(crate) fn update(crc: u32, bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!crc, |crc, &byte| step(crc, byte))
}

/// CRC-32 of `bytes`.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    update(0, bytes)
}

/// Turns back the one bit of `bytes` that makes their CRC-32 differ from `expected`, if there is
/// one. A single wrong bit of `expected` itself counts: then `bytes` stay.
pub(crate) fn turn_back(bytes: &mut [u8], expected: u32) -> bool {
    let wanted = crc32(bytes) ^ expected;
    if wanted.count_ones() == 1 {
        return true;
    }
    // What each bit of the byte at hand does to the remainder.
    let mut effects: [u32; 8] = core::array::from_fn(|bit| step(0, 1 << bit));
    for byte in bytes.iter_mut().rev() {
        if let Some(bit) = effects.iter().position(|&effect| effect == wanted) {
            *byte ^= 1_u8 << bit;
            return true;
        }
        effects = effects.map(|effect| step(effect, 0));
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// Bytes of a text; every bit of it is tried.
    const LONGEST: usize = if cfg!(miri) { 90 } else { 3000 };

    #[test]
    fn the_check_value_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(update(crc32(b"1234"), b"56789"), 0xCBF4_3926);
    }

    proptest! {
        #![proptest_config(crate::cases(256, 4))]

        #[test]
        fn one_flipped_bit_is_turned_back(
            bytes in prop::collection::vec(any::<u8>(), 1..LONGEST),
            at in any::<prop::sample::Index>(),
            bit in 0..8_u32,
        ) {
            let crc = crc32(&bytes);
            let mut flipped: Vec<u8> = bytes.clone();
            flipped[at.index(bytes.len())] ^= 1_u8 << bit;
            prop_assert!(turn_back(&mut flipped, crc));
            prop_assert_eq!(flipped, bytes);
        }

        /// A tear of so many bits fits one of them by chance, once in 2^32 for each: what the
        /// second checksum of a batch is for. Whatever is turned, the check then fits.
        #[test]
        fn what_was_turned_fits(
            bytes in prop::collection::vec(any::<u8>(), LONGEST / 5..LONGEST),
            zeroed in 0..LONGEST / 5,
        ) {
            let crc = crc32(&bytes);
            let mut torn = bytes.clone();
            torn[zeroed..].fill(0);
            let found = crc32(&torn);
            if turn_back(&mut torn, crc) {
                prop_assert!(crc32(&torn) == crc || (found ^ crc).count_ones() == 1);
            } else {
                prop_assert_eq!(crc32(&torn), found);
            }
        }
    }

    #[test]
    fn a_tear_is_not_a_flipped_bit() {
        let bytes: Vec<u8> = (0..LONGEST as u32).map(|i| ((i * i) >> 3) as u8 | 1).collect();
        let crc = crc32(&bytes);
        for zeroed in (0..LONGEST - 1).step_by(7) {
            let mut torn = bytes.clone();
            torn[zeroed..].fill(0);
            assert!(!turn_back(&mut torn, crc), "{zeroed}");
        }
    }
}
