//! Numbers in bytes, little-endian, and reading them without a panic.

use alloc::vec::Vec;

/// Bytes that are read from the front. What is not there reads as `None`.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn text(&mut self, len: usize) -> Option<&'a str> {
        core::str::from_utf8(self.take(len)?).ok()
    }
}

/// Writing numbers at the end of bytes.
pub(crate) trait Put {
    fn bytes(&mut self, bytes: &[u8]);

    fn u16(&mut self, value: u16) {
        self.bytes(&value.to_le_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }
}

impl Put for Vec<u8> {
    fn bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// What new bytes are copied from.
static ZEROS: [u8; 1024] = [0; 1024];

/// Lengthens `bytes` to `len` with zeros, piece by piece: built for size, `Vec::resize` goes byte
/// by byte, which for the image of ten thousand records took as long as checking its seal.
pub(crate) fn extend_with_zeros(bytes: &mut Vec<u8>, len: usize) {
    while bytes.len() < len {
        let more = (len - bytes.len()).min(ZEROS.len());
        bytes.extend_from_slice(&ZEROS[..more]);
    }
}

/// The number at `at`; 0 where there is none.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| Reader(rest).u32()).unwrap_or(0)
}

/// The number at `at`; 0 where there is none.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|rest| Reader(rest).u64()).unwrap_or(0)
}

/// Writes over the number at `at`, which must be there.
pub(crate) fn set_u32(bytes: &mut [u8], at: usize, value: u32) {
    if let Some(place) = bytes.get_mut(at..at + 4) {
        place.copy_from_slice(&value.to_le_bytes());
    }
}

/// Writes over the number at `at`, which must be there.
pub(crate) fn set_u64(bytes: &mut [u8], at: usize, value: u64) {
    if let Some(place) = bytes.get_mut(at..at + 8) {
        place.copy_from_slice(&value.to_le_bytes());
    }
}
