//! Snapshots: the bytes of a sealed image, and opening them without trust.
//!
//! The seal finds accidents. It is no signature: whoever changes bytes can make it anew. So
//! every section is checked behind it, as if there were none.
//!
//! What it must never do: give out an image by its seal alone, or mend one. What is refused is
//! derived anew from the vectors by whoever has them.

use core::ops::{Deref, DerefMut};

use clawft_codes::Kernels;
use clawft_codes::arith::norm2;
use clawft_hnsw::OpenError;
use xxhash_rust::xxh64::xxh64;

use crate::codes::{Centre, Factors};
use crate::error::Flaw;
use crate::header::{self, Field, SEAL};
use crate::image::{Image, check_buffer};
use crate::layout::Section;
use crate::pages::Counts;
use crate::view::View;
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
        let mut layout = Layout::none();
        header::read(header, &mut layout)?;
        Ok(layout.bytes)
    }

    /// Opens a snapshot in place, after a check of its seal and of every section.
    ///
    /// # Errors
    /// [`Error::Misaligned`], [`Error::TooShort`], [`Error::Version`], and [`Error::Corrupt`] with
    /// what is wrong.
    pub fn open(buffer: B) -> Result<Self, Error> {
        let mut image = Image::blank(buffer);
        image.open_here()?;
        Ok(image)
    }

    /// The same for a [blank](Image::blank) image, whose buffer holds the snapshot.
    ///
    /// # Errors
    /// Those of [`open`](Self::open); the image is then good for nothing.
    pub fn open_here(&mut self) -> Result<(), Error> {
        open(&mut self.layout, self.kernels, &self.buffer)
    }
}

#[inline(never)]
fn open(layout: &mut Layout, kernels: Kernels, buffer: &[u8]) -> Result<(), Error> {
    header::read(buffer, layout)?;
    check_buffer(layout, buffer)?;
    let checked = View::new(kernels, layout, buffer).check_all(&buffer[..layout.bytes]);
    checked.map_err(Error::Corrupt)
}

impl View<'_> {
    /// Checks the seal and every section; `bytes` are those of the image.
    #[inline(never)]
    fn check_all(&self, bytes: &[u8]) -> Result<(), Flaw> {
        let seal = header::seal(bytes);
        if seal == 0 {
            return Err("they are a copy of an image that was not sealed");
        }
        if seal != seal_of(bytes) {
            return Err("their checksum is not the one in the header");
        }
        let graph = self.graph();
        match graph.check() {
            Ok(()) => {}
            Err(OpenError::Corrupt(what)) => return Err(what),
            Err(_) => return Err("the graph has another header than such an image's"),
        }
        let ids = self.ids();
        let (mut live, mut counts, mut hidden) = (0, Counts::default(), 0);
        for slot in self.slots() {
            if !self.is_live(slot) {
                continue;
            }
            if !ids.holds(slot) {
                return Err("a vector is not under its id in the table");
            }
            let tier = self.tier(slot);
            self.check_place(tier, self.place(slot))?;
            let Factors { offset, slope, scale, own } = self.factors(slot);
            // A product with 0 is NaN where the factor is not finite.
            if offset * 0.0 + slope * 0.0 + scale * 0.0 + own * 0.0 != 0.0 {
                return Err("a factor of a code is not finite");
            }
            live += 1;
            if let Some(count) = counts.get_mut(tier as usize) {
                *count += 1;
            }
            hidden += u32::from(self.has_mark(slot));
        }
        if ids.count() != live {
            return Err("the table of ids holds a slot that is free");
        }
        for which in [Centre::Short, Centre::Full] {
            if norm2(self.centre(which)) * 0.0 != 0.0 {
                return Err("a centre is not finite");
            }
        }
        self.check_pages(&counts)?;
        // As many marks as live vectors have, so that there is none besides.
        let mut marks = 0;
        for word in self.numbers::<u32>(Section::Hidden) {
            marks += word.count_ones();
        }
        if marks != hidden || hidden != self.header(Field::Hidden) {
            return Err("the marks of deleted vectors do not fit the vectors");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Params;

    #[repr(align(64))]
    struct Bytes([u8; 1 << 16]);

    #[test]
    fn a_centre_that_is_no_number_is_refused_under_a_seal_that_fits() {
        let mut buffer = Bytes([0; 1 << 16]);
        let mut image = Image::create(&Params::new(130, 4), &mut buffer.0[..]).unwrap();
        image.seal();
        let (bytes, begin) = (image.layout.bytes, image.layout.span(Section::Centres).at);
        for at in [begin, begin + 4 * 191, begin + 4 * 192] {
            let mut copy = Bytes(buffer.0);
            copy.0[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
            let seal = seal_of(&copy.0[..bytes]);
            header::set_seal(&mut copy.0, seal);
            let refused = Image::open(&copy.0[..bytes]).err();
            assert_eq!(refused, Some(Error::Corrupt("a centre is not finite")));
        }
        assert!(Image::open(&buffer.0[..bytes]).is_ok());
    }
}
