//! The image itself: creating, and what can be asked without a search.
//!
//! Creating fills every byte, those between the sections too: the seal is over all of them, and
//! the same calls are to give the same bytes.
//!
//! What it must never do: keep beside the buffer what a snapshot would need. The layout follows
//! from the header; kernels and the tier of arrival are settings of this process.

use core::ops::{Deref, DerefMut};

use clawft_codes::{Kernels, Rotation};
use clawft_hnsw::Report;

use crate::header::{self, Field};
use crate::layout::Section;
use crate::scratch::Scratch;
use crate::tier_policy::Tier;
use crate::view::{Edit, View};
use crate::{Error, Layout, Params};

/// A searchable store of vectors in a buffer `B`: `&[u8]` to read it, `&mut [u8]` or an owned
/// buffer to change it too. The buffer's base must be aligned to 64 bytes.
#[derive(Debug)]
pub struct Image<B> {
    pub(crate) buffer: B,
    pub(crate) layout: Layout,
    pub(crate) kernels: Kernels,
    /// The tier that vectors come into, where it has room.
    pub(crate) arrival: Tier,
}

/// Counts of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Vectors stored, hidden ones included.
    pub len: u32,
    /// Vectors that fit.
    pub capacity: u32,
    /// Vectors marked as deleted.
    pub hidden: u32,
    /// Bytes of the image.
    pub bytes: u64,
    /// Bytes of the graph.
    pub graph_bytes: u64,
    /// Bytes of the short codes, their sketches and all factors.
    pub short_bytes: u64,
    /// Bytes of the pool of full codes.
    pub pool_bytes: u64,
}

/// May an image laid out in this way live in `buffer`?
///
/// # Errors
/// [`Error::Misaligned`], [`Error::TooShort`].
#[inline(never)]
pub(crate) fn check_buffer(layout: &Layout, buffer: &[u8]) -> Result<(), Error> {
    if !buffer.as_ptr().addr().is_multiple_of(64) {
        return Err(Error::Misaligned);
    }
    if buffer.len() < layout.bytes {
        return Err(Error::TooShort { expected: layout.bytes, found: buffer.len() });
    }
    Ok(())
}

impl<B: DerefMut<Target = [u8]>> Image<B> {
    /// Makes an empty image in `buffer`; what it held is lost.
    ///
    /// # Errors
    /// [`Error::Params`], [`Error::Dimension`], [`Error::Misaligned`], [`Error::TooShort`]; the
    /// buffer is then as it was.
    pub fn create(params: &Params, buffer: B) -> Result<Self, Error> {
        let mut image = Image::blank(buffer);
        image.create_here(params)?;
        Ok(image)
    }

    /// Makes an empty image of a [blank](Self::blank) one; what its buffer held is lost.
    ///
    /// # Errors
    /// Those of [`create`](Self::create); the image is then good for nothing.
    pub fn create_here(&mut self, params: &Params) -> Result<(), Error> {
        create(&mut self.layout, params, self.kernels, &mut self.buffer)
    }

    /// Sets up to how many candidates a scan is taken to be faster than a walk.
    pub fn set_scan_limit(&mut self, limit: u32) {
        self.layout.params.scan_limit = Some(limit);
        self.edit().unseal();
        self.edit().set_header(Field::ScanLimit, limit);
    }

    pub(crate) fn edit(&mut self) -> Edit<'_> {
        let Image { buffer, layout, kernels, arrival } = self;
        Edit { kernels: *kernels, layout, arrival: *arrival, bytes: buffer }
    }
}

#[inline(never)]
fn create(
    layout: &mut Layout,
    params: &Params,
    kernels: Kernels,
    bytes: &mut [u8],
) -> Result<(), Error> {
    layout.lay_out(params)?;
    check_buffer(layout, bytes)?;
    Edit { kernels, layout, arrival: Tier::Hot, bytes }.init();
    Ok(())
}

impl Edit<'_> {
    /// Fills in every section of an empty image.
    fn init(&mut self) {
        self.range(0, self.layout.bytes).fill(0);
        if let Some(header) = self.bytes.first_chunk_mut() {
            header::write(header, &self.layout.params);
        }
        self.split().0.clear();
        self.section(Section::Table).fill(0xFF);
        self.init_pages();
    }
}

impl<B> Image<B> {
    /// What becomes an image where it stays, by [`create_here`](Self::create_here) or
    /// [`open_here`](Self::open_here): it is large, and each copy on its way would weigh. Until then
    /// nothing else may be asked of it.
    pub fn blank(buffer: B) -> Self {
        Image { buffer, layout: Layout::none(), kernels: Kernels::detect(), arrival: Tier::Hot }
    }
}

impl<B: Deref<Target = [u8]>> Image<B> {
    pub(crate) fn view(&self) -> View<'_> {
        View::new(self.kernels, &self.layout, &self.buffer)
    }

    /// The parameters.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.layout.params
    }

    /// The layout.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Uses other kernels than the best of this machine; results are the same.
    pub fn set_kernels(&mut self, kernels: Kernels) {
        self.kernels = kernels;
    }

    /// Vectors stored, hidden ones included.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.view().len()
    }

    /// Is nothing stored?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Vectors that fit.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.layout.params.capacity
    }

    /// The image's bytes: a snapshot, if it is sealed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[..self.layout.bytes]
    }

    /// Is `id` stored?
    #[must_use]
    pub fn contains(&self, id: u64) -> bool {
        self.view().find(id).is_ok()
    }

    /// The slot that `id` is in, below the capacity: its own until it is removed.
    #[must_use]
    pub fn slot(&self, id: u64) -> Option<u32> {
        self.view().find(id).ok()
    }

    /// Writes the vector of `id`: as it came in, within the error of its encoding, of length 1
    /// under the cosine metric.
    ///
    /// # Errors
    /// [`Error::UnknownId`], [`Error::Dimension`], [`Error::Scratch`].
    pub fn get(&self, id: u64, out: &mut [f32], scratch: &mut Scratch<'_>) -> Result<(), Error> {
        self.view().get(id, out, scratch)
    }

    /// The stored ids, in the order of their slots.
    pub fn ids(&self) -> impl Iterator<Item = u64> + '_ {
        let view = self.view();
        let ids = view.ids();
        view.slots().filter(move |&slot| view.is_live(slot)).map(move |slot| ids.id(slot))
    }

    /// The id of a vector that is marked as deleted, if there is one.
    #[must_use]
    pub fn first_hidden(&self) -> Option<u64> {
        let view = self.view();
        if view.header(Field::Hidden) == 0 {
            return None;
        }
        let words = view.numbers::<u32>(Section::Hidden);
        let at = words.iter().position(|word| *word != 0)?;
        Some(view.ids().id(at as u32 * 32 + words.get(at)?.trailing_zeros()))
    }

    /// Counts.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let l = &self.layout;
        let at = |section| l.span(section).at;
        Stats {
            len: self.len(),
            capacity: self.capacity(),
            hidden: self.view().header(Field::Hidden),
            bytes: l.bytes as u64,
            graph_bytes: (at(Section::Short) - at(Section::Graph)) as u64,
            short_bytes: (at(Section::Ids) - at(Section::Short)) as u64,
            pool_bytes: (l.bytes - at(Section::Pool)) as u64,
        }
    }

    /// Checks the graph's invariants and counts what is not reachable.
    ///
    /// # Errors
    /// [`Error::Scratch`].
    pub fn verify(&self, scratch: &mut Scratch<'_>) -> Result<Report, Error> {
        scratch.check(&self.layout)?;
        Ok(self.view().graph().verify(&mut scratch.graph))
    }
}

impl View<'_> {
    #[inline(never)]
    fn get(&self, id: u64, out: &mut [f32], scratch: &mut Scratch<'_>) -> Result<(), Error> {
        scratch.check(self.layout)?;
        let (dim, row) = (self.layout.dim(), &mut *scratch.row);
        if out.len() != dim {
            return Err(Error::Dimension { expected: dim as u32, found: out.len() as u32 });
        }
        self.decode(self.find(id)?, row);
        if self.layout.params.encoding.rotated() {
            self.rotation().invert(row);
        }
        for (out, x) in out.iter_mut().zip(row) {
            *out = *x;
        }
        Ok(())
    }

    #[inline(never)]
    pub(crate) fn rotation(&self) -> Rotation {
        Rotation::new(self.layout.params.seed, self.layout.dim())
    }
}
