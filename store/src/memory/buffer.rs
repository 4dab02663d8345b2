//! Memory that a plain vector does not give: a buffer whose base is aligned to 64 bytes, as an
//! image wants it, and one that is cleared before it is freed.
//!
//! Why: a vector of bytes may begin anywhere, and this crate forbids the `unsafe` that asks
//! an allocator for an alignment. So 63 bytes more are allocated, and lent out from the first
//! aligned one on.
//!
//! What it must never do: grow a buffer, which would move its bytes, or clear a copy: `wipe`
//! takes what owns the bytes.

use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

use super::error::Refusal;
use crate::room;
use crate::wire::extend_with_zeros;

/// Bytes on the heap, the first at a multiple of 64.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    /// Longer than asked for: its bytes from `start` on are those meant. It never grows, so that
    /// they stay where they are.
    bytes: Vec<u8>,
    start: usize,
    len: usize,
}

impl Buffer {
    /// `len` bytes of zero.
    ///
    /// # Errors
    /// [`Error::Memory`](super::Error::Memory).
    pub(super) fn new(len: usize) -> Result<Self, Refusal> {
        let mut bytes = Vec::new();
        let all = len.checked_add(63).ok_or_else(Refusal::memory)?;
        bytes.try_reserve_exact(all).map_err(|_| Refusal::memory())?;
        if !room::is_left() {
            return Err(Refusal::memory());
        }
        extend_with_zeros(&mut bytes, all);
        let start = bytes.as_ptr().align_offset(64).min(63);
        Ok(Buffer { bytes, start, len })
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[self.start..self.start + self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.start + self.len]
    }
}

/// Clears what held a part of a record, and frees it.
pub(super) fn wipe<T: Copy + Default>(part: impl Into<Vec<T>>) {
    let mut part = part.into();
    part.fill(T::default());
    // Or else the compiler may hold that nobody will see it.
    core::hint::black_box(&part);
}

#[cfg(test)]
mod tests {
    use super::super::Error;
    use super::*;

    #[test]
    fn is_aligned_and_as_long_as_asked_for() {
        for len in [0, 1, 64, 1000] {
            let mut buffer = Buffer::new(len).unwrap();
            assert_eq!(buffer.len(), len);
            buffer.fill(7);
            assert!(len == 0 || buffer.as_ptr().addr().is_multiple_of(64));
        }
        assert_eq!(Buffer::new(usize::MAX).map_err(Error::from).err(), Some(Error::Memory));
    }
}
