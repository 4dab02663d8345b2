//! Numbers in bytes, little-endian, and reading them without a panic.
//!
//! Why: numbers of all widths go through one function that is not inlined, as a copy at
//! each place would weigh more than the call.
//!
//! What it must never do: index by a number that stands in the bytes, as they may be
//! anybody's.

use alloc::vec::Vec;

/// Bytes that are read from the front. What is not there reads as nothing or 0, and the reader
/// remembers that: one question at the end in place of one for each number.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) rest: &'a [u8],
    /// All that was asked for was there.
    pub(crate) sound: bool,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, sound: true }
    }

    #[inline(never)]
    pub(crate) fn take(&mut self, len: usize) -> &'a [u8] {
        match self.rest.split_at_checked(len) {
            Some((taken, rest)) => {
                self.rest = rest;
                taken
            }
            None => {
                *self = Self { rest: &[], sound: false };
                &[]
            }
        }
    }

    /// A number of `len` bytes.
    #[inline(never)]
    pub(crate) fn number(&mut self, len: usize) -> u64 {
        self.take(len).iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
    }

    pub(crate) fn u8(&mut self) -> u8 {
        self.number(1) as u8
    }

    pub(crate) fn u16(&mut self) -> u16 {
        self.number(2) as u16
    }

    pub(crate) fn u32(&mut self) -> u32 {
        self.number(4) as u32
    }

    pub(crate) fn u64(&mut self) -> u64 {
        self.number(8)
    }

    /// Whether so many items of `size` bytes can follow: asked before there is memory for them.
    #[inline(never)]
    pub(crate) fn has(&self, count: u32, size: usize) -> bool {
        self.sound && count as usize <= self.rest.len() / size
    }

    #[inline(never)]
    pub(crate) fn text(&mut self, len: usize) -> &'a str {
        let text = core::str::from_utf8(self.take(len));
        self.sound &= text.is_ok();
        text.unwrap_or_default()
    }
}

/// Writing numbers at the end of bytes.
pub(crate) trait Put {
    fn bytes(&mut self, bytes: &[u8]);

    /// The lower `len` bytes of a number.
    fn number(&mut self, value: u64, len: usize);

    fn u16(&mut self, value: u16) {
        self.number(value.into(), 2);
    }

    fn u32(&mut self, value: u32) {
        self.number(value.into(), 4);
    }

    fn u64(&mut self, value: u64) {
        self.number(value, 8);
    }
}

impl Put for Vec<u8> {
    #[inline(never)]
    fn bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    #[inline(never)]
    fn number(&mut self, value: u64, len: usize) {
        self.bytes(&value.to_le_bytes()[..len]);
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
#[inline(never)]
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// The number at `at`; 0 where there is none.
#[inline(never)]
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Writes over the number at `at`, which must be there.
#[inline(never)]
pub(crate) fn set_u32(bytes: &mut [u8], at: usize, value: u32) {
    if let Some(place) = bytes.get_mut(at..at + 4) {
        place.copy_from_slice(&value.to_le_bytes());
    }
}

/// Writes over the number at `at`, which must be there.
#[inline(never)]
pub(crate) fn set_u64(bytes: &mut [u8], at: usize, value: u64) {
    if let Some(place) = bytes.get_mut(at..at + 8) {
        place.copy_from_slice(&value.to_le_bytes());
    }
}
