//! An image in a buffer of its own with a scratch, for tests of its bytes and its calls.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part of this")]

use std::ops::{Deref, DerefMut};

use clawft_vectors::{
    Error, Hit, Image, Layout, Mode, Params, Scratch, SearchOptions, scratch_words,
};

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() % n as u64) as usize
    }
}

/// Components in [-0.25, 0.75): off the origin, so that there is a centre to find.
pub fn row(dim: u32, random: &mut Random) -> Vec<f32> {
    (0..dim).map(|_| (random.bits() >> 40) as f32 / (1u64 << 24) as f32 - 0.25).collect()
}

/// Bytes aligned to 64, found inside a plain buffer.
pub struct Buffer {
    bytes: Vec<u8>,
    from: usize,
    len: usize,
}

impl Buffer {
    pub fn new(len: usize) -> Self {
        let bytes = vec![0u8; len + 64];
        let from = bytes.as_ptr().addr().next_multiple_of(64) - bytes.as_ptr().addr();
        Buffer { bytes, from, len }
    }

    pub fn copy(of: &[u8]) -> Self {
        let mut buffer = Buffer::new(of.len());
        buffer.copy_from_slice(of);
        buffer
    }
}

impl Deref for Buffer {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes[self.from..self.from + self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.from..self.from + self.len]
    }
}

/// Words of scratch for searches of up to 300 candidates.
pub struct Words {
    layout: Layout,
    words: Vec<u64>,
}

const EF: u32 = 300;

impl Words {
    pub fn of(layout: &Layout) -> Self {
        Words { layout: *layout, words: vec![0; scratch_words(layout, EF)] }
    }

    pub fn get(&mut self) -> Scratch<'_> {
        Scratch::new(&self.layout, &mut self.words, EF).expect("enough words")
    }
}

pub struct Store {
    pub image: Image<Buffer>,
    pub scratch: Words,
}

impl Store {
    pub fn new(params: &Params) -> Self {
        let layout = Layout::new(params).expect("parameters in range");
        Store::over(Image::create(params, Buffer::new(layout.bytes)).expect("a buffer that fits"))
    }

    pub fn over(image: Image<Buffer>) -> Self {
        let scratch = Words::of(image.layout());
        Store { image, scratch }
    }

    pub fn insert(&mut self, id: u64, vector: &[f32]) -> Result<(), Error> {
        self.image.insert(id, vector, &mut self.scratch.get())
    }

    pub fn upsert(&mut self, id: u64, vector: &[f32]) -> Result<(), Error> {
        self.image.upsert(id, vector, &mut self.scratch.get())
    }

    pub fn remove(&mut self, id: u64) -> Result<(), Error> {
        self.image.remove(id, &mut self.scratch.get())
    }

    pub fn get(&mut self, id: u64) -> Result<Vec<f32>, Error> {
        let mut out = vec![0.0; self.image.params().dim as usize];
        self.image.get(id, &mut out, &mut self.scratch.get()).map(|()| out)
    }

    pub fn search(&mut self, query: &[f32], k: usize, mode: Mode) -> Vec<Hit> {
        let options = SearchOptions { mode, ..SearchOptions::new(k) };
        self.find(query, &options).expect("a good query")
    }

    pub fn find(&mut self, query: &[f32], options: &SearchOptions<'_>) -> Result<Vec<Hit>, Error> {
        let mut hits = vec![Hit::default(); options.k.min(1000)];
        let n = self.image.search(query, options, &mut self.scratch.get(), &mut hits)?;
        hits.truncate(n);
        Ok(hits)
    }
}

/// Writes the seal that fits, as `Image::seal` does.
pub fn seal(bytes: &mut [u8]) {
    let sum = xxhash_rust::xxh64::xxh64(&bytes[48..], xxhash_rust::xxh64::xxh64(&bytes[..40], 0));
    bytes[40..48].copy_from_slice(&sum.max(1).to_le_bytes());
}
