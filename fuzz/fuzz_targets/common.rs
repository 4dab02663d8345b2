//! An image in an aligned buffer, its scratch, and the model beside it.
#![allow(dead_code, reason = "each target uses its part of this")]

use clawft_vectors::{Encoding, Image, Layout, Metric, Params, Scratch, scratch_words};

/// Bytes aligned to 64, found inside a plain buffer.
pub struct Buffer {
    bytes: Vec<u8>,
    from: usize,
    len: usize,
}

impl Buffer {
    pub fn new(len: usize) -> Self {
        let bytes = vec![0u8; len + 64];
        let from = bytes.as_ptr().addr().wrapping_neg() % 64;
        Self { bytes, from, len }
    }
}

impl core::ops::Deref for Buffer {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes[self.from..][..self.len]
    }
}

impl core::ops::DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.from..][..self.len]
    }
}

/// Dimensions on both sides of words, of short codes, and of their groups.
const DIMS: [u32; 11] = [1, 2, 7, 63, 64, 65, 127, 128, 129, 192, 200];

/// Small stores of every kind.
pub fn params(kind: u8, capacity: u8) -> Params {
    let (dim, kind) = (DIMS[kind as usize % DIMS.len()], kind as usize / DIMS.len());
    Params {
        metric: [Metric::Cosine, Metric::InnerProduct, Metric::L2][kind % 3],
        encoding: [Encoding::F32, Encoding::F16, Encoding::I8][kind / 3 % 3],
        m: [4, 5, 16][kind / 9 % 3],
        ef_construction: 20,
        ..Params::new(dim, u32::from(capacity % 120) + 1)
    }
}

/// A vector that is a function of its seed; few seeds, so that there are duplicates.
pub fn vector(seed: u16, dim: u32) -> Vec<f32> {
    let mut state = u64::from(seed) + 1;
    (0..dim)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1 << 22) as f32 - 2.0
        })
        .collect()
}

/// Calls `with` with a scratch for every search over `layout`.
pub fn with_scratch<T>(
    layout: &Layout,
    capacity: u32,
    with: impl FnOnce(&mut Scratch<'_>) -> T,
) -> T {
    let mut words = vec![0; scratch_words(layout, capacity)];
    with(&mut Scratch::new(layout, &mut words, capacity).expect("so many words are enough"))
}

pub fn create(params: &Params) -> Image<Buffer> {
    let layout = Layout::new(params).expect("the parameters are sound");
    Image::create(params, Buffer::new(layout.bytes)).expect("the buffer is large enough")
}
