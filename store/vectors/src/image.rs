//! The image itself: creating, opening, and what can be asked without a search.

use core::ops::{Deref, DerefMut};

use clawft_codes::Kernels;
use clawft_hnsw::{Graph, Report};

use crate::codes::Codes;
use crate::header::{self, Field, HEADER};
use crate::ids::{Ids, IdsMut};
use crate::pages::Pages;
use crate::scratch::Scratch;
use crate::tier_policy::Tier;
use crate::{Error, Layout, Params};

/// A searchable store of vectors in a buffer `B`: `&[u8]` to read it, `&mut [u8]` or an owned
/// buffer to change it too. The buffer's base must be aligned to 64 bytes.
#[derive(Debug)]
pub struct Image<B> {
    pub(crate) buffer: B,
    pub(crate) layout: Layout,
    pub(crate) params: Params,
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
    /// Bytes of the short codes and all factors.
    pub short_bytes: u64,
    /// Bytes of the pool of full codes.
    pub pool_bytes: u64,
}

impl<B: DerefMut<Target = [u8]>> Image<B> {
    /// Makes an empty image in `buffer`; what it held is lost.
    ///
    /// # Errors
    /// [`Error::Params`], [`Error::Dimension`], [`Error::Misaligned`], [`Error::TooShort`]; the
    /// buffer is then as it was.
    pub fn create(params: &Params, buffer: B) -> Result<Self, Error> {
        let mut image = Image::over(params, buffer)?;
        image.init();
        Ok(image)
    }

    /// Fills in every section.
    #[inline(never)]
    fn init(&mut self) {
        let Image { buffer, layout, params, .. } = self;
        let bytes = &mut buffer[..layout.bytes];
        bytes.fill(0);
        if let Some(header) = bytes.first_chunk_mut() {
            header::write(header, params);
        }
        let graph = Graph::init(layout.graph.params(), &mut bytes[HEADER..layout.short]);
        debug_assert!(graph.is_ok(), "its place was laid out for it");
        IdsMut::new(bytes, layout).init();
        Pages { bytes, layout }.init();
    }

    /// Sets up to how many candidates a scan is taken to be faster than a walk.
    pub fn set_scan_limit(&mut self, limit: u32) {
        self.unseal();
        self.params.scan_limit = Some(limit);
        header::set(&mut self.buffer, Field::ScanLimit, limit);
    }

    pub(crate) fn unseal(&mut self) {
        header::set_seal(&mut self.buffer, 0);
    }
}

impl<B: Deref<Target = [u8]>> Image<B> {
    /// The image that `buffer` holds or is to hold.
    ///
    /// # Errors
    /// [`Error::Params`], [`Error::Dimension`], [`Error::Misaligned`], [`Error::TooShort`].
    #[inline(never)]
    pub(crate) fn over(params: &Params, buffer: B) -> Result<Self, Error> {
        let layout = Layout::new(params)?;
        if !buffer.as_ptr().addr().is_multiple_of(64) {
            return Err(Error::Misaligned);
        }
        if buffer.len() < layout.bytes {
            return Err(Error::TooShort { expected: layout.bytes, found: buffer.len() });
        }
        let params = Params { scan_limit: Some(params.scan_limit_in_force()), ..*params };
        Ok(Image { buffer, layout, params, kernels: Kernels::detect(), arrival: Tier::Hot })
    }

    /// The parameters.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.params
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
        self.graph().len()
    }

    /// Is nothing stored?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Vectors that fit.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.params.capacity
    }

    /// The image's bytes: a snapshot, if it is sealed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[..self.layout.bytes]
    }

    /// Is `id` stored?
    #[must_use]
    pub fn contains(&self, id: u64) -> bool {
        self.slot(id).is_some()
    }

    /// The slot that `id` is in, below the capacity: its own until it is removed.
    #[must_use]
    pub fn slot(&self, id: u64) -> Option<u32> {
        self.id_table().slot(id)
    }

    /// Writes the vector of `id`: as it came in, within the error of its encoding, of length 1
    /// under the cosine metric.
    ///
    /// # Errors
    /// [`Error::UnknownId`], [`Error::Dimension`], [`Error::Scratch`].
    pub fn get(&self, id: u64, out: &mut [f32], scratch: &mut Scratch<'_>) -> Result<(), Error> {
        scratch.check(&self.layout)?;
        let dim = self.layout.dim;
        if out.len() != dim {
            return Err(Error::Dimension { expected: dim as u32, found: out.len() as u32 });
        }
        let slot = self.slot(id).ok_or(Error::UnknownId(id))?;
        let codes = self.codes();
        codes.decode(slot, scratch.row);
        if codes.encoding.rotated() {
            codes.rotation().invert(scratch.row);
        }
        out.copy_from_slice(&scratch.row[..dim]);
        Ok(())
    }

    /// The stored ids, in the order of their slots.
    pub fn ids(&self) -> impl Iterator<Item = u64> + '_ {
        let ids = self.id_table();
        self.live().map(move |slot| ids.id(slot))
    }

    /// Is `id` marked as deleted?
    ///
    /// # Errors
    /// [`Error::UnknownId`].
    pub fn is_hidden(&self, id: u64) -> Result<bool, Error> {
        let slot = self.slot(id).ok_or(Error::UnknownId(id))?;
        Ok(self.has_mark(slot))
    }

    /// Is `slot` marked as deleted?
    pub(crate) fn has_mark(&self, slot: u32) -> bool {
        self.hidden_bits()[slot as usize / 64] >> (slot % 64) & 1 == 1
    }

    /// The id of a vector that is marked as deleted, if there is one.
    #[must_use]
    pub fn first_hidden(&self) -> Option<u64> {
        if header::get(&self.buffer, Field::Hidden) == 0 {
            return None;
        }
        let words = self.hidden_bits().iter().enumerate();
        let (i, word) = words.into_iter().find(|(_, w)| **w != 0)?;
        Some(self.id_table().id(i as u32 * 64 + word.trailing_zeros()))
    }

    /// Counts.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let l = &self.layout;
        Stats {
            len: self.len(),
            capacity: self.capacity(),
            hidden: header::get(&self.buffer, Field::Hidden),
            bytes: l.bytes as u64,
            graph_bytes: (l.short - HEADER) as u64,
            short_bytes: (l.ids - l.short) as u64,
            pool_bytes: (l.bytes - l.pool) as u64,
        }
    }

    /// Checks the graph's invariants and counts what is not reachable.
    ///
    /// # Errors
    /// [`Error::Scratch`].
    pub fn verify(&self, scratch: &mut Scratch<'_>) -> Result<Report, Error> {
        scratch.check(&self.layout)?;
        Ok(self.graph().verify(&mut scratch.graph))
    }

    pub(crate) fn graph(&self) -> Graph<&[u8]> {
        Graph::again(&self.layout.graph, &self.buffer[HEADER..self.layout.short])
    }

    pub(crate) fn codes(&self) -> Codes<'_> {
        let tail = &self.buffer[self.layout.short..self.layout.bytes];
        Codes::new(self.kernels, &self.params, &self.layout, tail)
    }

    pub(crate) fn id_table(&self) -> Ids<'_> {
        Ids::new(&self.buffer, &self.layout)
    }

    pub(crate) fn live(&self) -> impl Iterator<Item = u32> + '_ {
        let graph = self.graph();
        (0..self.params.capacity).filter(move |&slot| graph.is_live(slot))
    }

    pub(crate) fn hidden_bits(&self) -> &[u64] {
        let words = self.params.capacity.div_ceil(64) as usize;
        bytemuck::cast_slice(&self.buffer[self.layout.hidden..][..8 * words])
    }
}
