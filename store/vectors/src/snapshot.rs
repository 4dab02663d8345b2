//! Snapshots: the bytes of a sealed image, and opening them without trust.

use core::ops::{Deref, DerefMut};

use clawft_hnsw::OpenError;
use xxhash_rust::xxh64::xxh64;

use crate::error::Flaw;
use crate::header::{self, Field, SEAL};
use crate::image::Image;
use crate::pages;
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
        let image = Image::over(&params, buffer)?;
        match image.check() {
            Ok(()) => Ok(image),
            Err(flaw) => Err(Error::Corrupt(flaw)),
        }
    }

    /// Checks the seal and every section.
    #[inline(never)]
    fn check(&self) -> Result<(), Flaw> {
        let bytes = self.bytes();
        match header::seal(bytes) {
            0 => return Err("they are a copy of an image that was not sealed"),
            seal if seal != seal_of(bytes) => {
                return Err("their checksum is not the one in the header");
            }
            _ => {}
        }
        let graph = self.graph();
        match graph.check() {
            Ok(()) => {}
            Err(OpenError::Corrupt(what)) => return Err(what),
            Err(_) => return Err("the graph has another header than such an image's"),
        }
        let (ids, codes) = (self.id_table(), self.codes());
        let (mut live, mut hidden) = ([0; 4], 0);
        for slot in (0..self.params.capacity).filter(|&slot| graph.is_live(slot)) {
            if !ids.holds(slot) {
                return Err("a vector is not under its id in the table");
            }
            let tier = codes.tier(slot);
            pages::check_place(bytes, &self.layout, tier, codes.place(slot))?;
            let factors = codes.factors.get(slot as usize).copied().unwrap_or_default();
            if !factors.iter().all(|factor| factor.is_finite()) {
                return Err("a factor of a code is not finite");
            }
            live[tier as usize] += 1;
            hidden += u32::from(self.has_mark(slot));
        }
        if ids.count() != live.iter().sum::<u32>() as usize {
            return Err("the table of ids holds a slot that is free");
        }
        pages::check(bytes, &self.layout, &live)?;
        // As many marks as live vectors have, so that there is none besides.
        let marks: u32 = self.hidden_bits().iter().map(|w| w.count_ones()).sum();
        if marks != hidden || hidden != header::get(bytes, Field::Hidden) {
            return Err("the marks of deleted vectors do not fit the vectors");
        }
        Ok(())
    }
}
