//! Snapshots: the bytes of a sealed image, and opening them without trust.

use core::ops::{Deref, DerefMut};

use clawft_codes::Kernels;
use clawft_hnsw::{Graph, OpenError};
use xxhash_rust::xxh64::xxh64;

use crate::header::{self, Field, HEADER, SEAL};
use crate::image::{Image, check_base};
use crate::pages;
use crate::write::CLASS;
use crate::{Error, Layout};

/// XXH64 of all bytes but the seal itself; never 0, which means "not sealed".
fn seal_of(bytes: &[u8]) -> u64 {
    xxh64(&bytes[SEAL + 8..], xxh64(&bytes[..SEAL], 0)).max(1)
}

impl<B: DerefMut<Target = [u8]>> Image<B> {
    /// Seals the image: its [`bytes`](Image::bytes) are a snapshot until the next change.
    pub fn seal(&mut self) {
        let bytes = &mut self.buffer[..self.layout.bytes];
        let seal = seal_of(bytes);
        header::set_seal(bytes, seal);
    }
}

impl<B: Deref<Target = [u8]>> Image<B> {
    /// Bytes of the snapshot that begins with `header`, which must hold its first 256 bytes.
    ///
    /// # Errors
    /// [`Error::TooShort`], [`Error::Corrupt`], [`Error::Version`].
    pub fn snapshot_bytes(header: &[u8]) -> Result<usize, Error> {
        let params = header::read(header)?;
        Layout::new(&params).map(|layout| layout.bytes)
    }

    /// Opens a snapshot in place, after a check of its seal and of every section.
    ///
    /// # Errors
    /// [`Error::Misaligned`], [`Error::TooShort`], [`Error::Version`], and [`Error::Corrupt`] with
    /// what is wrong.
    pub fn open(buffer: B) -> Result<Self, Error> {
        let params = header::read(&buffer)?;
        let layout = Layout::new(&params)
            .map_err(|_| Error::Corrupt("the header's parameters are out of their ranges"))?;
        check_base(&buffer)?;
        if buffer.len() < layout.bytes {
            return Err(Error::TooShort { expected: layout.bytes, found: buffer.len() });
        }
        let bytes = &buffer[..layout.bytes];
        match header::seal(bytes) {
            0 => return Err(Error::Corrupt("they are a copy of an image that was not sealed")),
            seal if seal != seal_of(bytes) => {
                return Err(Error::Corrupt("their checksum is not the one in the header"));
            }
            _ => {}
        }
        match Graph::open(&bytes[HEADER..layout.short]) {
            Ok(graph) if *graph.layout() == layout.graph => {}
            Ok(_) => return Err(Error::Corrupt("the graph has other parameters than the image")),
            Err(OpenError::Corrupt(what)) => return Err(Error::Corrupt(what)),
            Err(_) => return Err(Error::Corrupt("the graph cannot be opened")),
        }
        let image = Image { buffer, layout, params, kernels: Kernels::detect() };
        image.check()?;
        Ok(image)
    }

    /// Checks the sections behind the graph.
    fn check(&self) -> Result<(), Error> {
        self.id_table().check(self.live())?;
        let codes = self.codes();
        let places = self.live().map(|slot| codes.place(slot));
        pages::check(&self.buffer, &self.layout, CLASS, places)?;
        if self.live().any(|slot| {
            let f = codes.factors(slot);
            !(f.offset.is_finite()
                && f.slope.is_finite()
                && f.scale.is_finite()
                && f.own.is_finite())
        }) {
            return Err(Error::Corrupt("a factor of a code is not finite"));
        }
        let hidden: u32 = self.hidden_bits().iter().map(|w| w.count_ones()).sum();
        let graph = self.graph();
        let stray = self.hidden_bits().iter().zip(graph.live()).any(|(h, l)| h & !l != 0);
        if stray || hidden != header::get(&self.buffer, Field::Hidden) {
            return Err(Error::Corrupt("the marks of deleted vectors do not fit the vectors"));
        }
        Ok(())
    }
}
