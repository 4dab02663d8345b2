//! A buffer as an image wants it.

use std::ops::{Deref, DerefMut};

/// Bytes whose base is a multiple of 64.
pub struct Aligned(Vec<u8>, usize);

impl Aligned {
    /// At least `len` bytes of zero.
    pub fn new(len: usize) -> Self {
        let bytes = vec![0; len + 64];
        let start = bytes.as_ptr().align_offset(64);
        Aligned(bytes, start)
    }
}

impl Deref for Aligned {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0[self.1..]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0[self.1..]
    }
}
