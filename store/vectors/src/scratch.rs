//! Memory that a call works in, lent by the caller.
//!
//! All that a search writes is here, so that threads may search one image at once, each with a
//! scratch of its own.
//!
//! Searches and changes alike get all of it at once, by a size that follows from the layout: so
//! no call can run out of memory half way.
//!
//! What it must never do: be needed from one call to the next, or keep a vector after `clear`.

use clawft_codes::PLANES;
use clawft_codes::sketch::LANES;

use crate::{Error, Layout};

/// Working memory for every call on an image.
#[derive(Debug)]
pub struct Scratch<'a> {
    pub(crate) graph: clawft_hnsw::Scratch<'a>,
    /// One bit a slot: may be found.
    pub(crate) filter: &'a mut [u64],
    /// Keys of the results so far, ranked by full codes.
    pub(crate) best: &'a mut [u64],
    pub(crate) query: QueryMemory<'a>,
    /// A decoded row.
    pub(crate) row: &'a mut [f32],
    /// A stored vector in integer levels; empty where there are no tiers.
    pub(crate) levels: &'a mut [i16],
    /// An estimate for each slot, by sketches; empty where there are none.
    pub(crate) estimates: &'a mut [f32],
}

/// Where a query's forms are kept.
#[derive(Debug)]
pub(crate) struct QueryMemory<'a> {
    /// As given; of length 1 under the cosine metric. Padded with zeros.
    pub(crate) raw: &'a mut [f32],
    /// Rotated.
    pub(crate) rotated: &'a mut [f32],
    /// Rotated, less the centroid.
    pub(crate) residual: &'a mut [f32],
    /// `rotated` in integer levels.
    pub(crate) levels: &'a mut [i16],
    /// `residual` in bit planes.
    pub(crate) planes: &'a mut [u8],
}

/// Estimates that a scan may make: whole blocks.
fn estimates(layout: &Layout) -> usize {
    let capacity = layout.params.capacity as usize;
    if layout.sketch_bytes > 0 { capacity.next_multiple_of(LANES) } else { 0 }
}

/// Levels of a stored vector.
fn levels(layout: &Layout) -> usize {
    if layout.is_tiered() { layout.padded } else { 0 }
}

/// 64-bit words that a [`Scratch`] for searches of at most `max_ef` candidates needs.
#[must_use]
pub fn scratch_words(layout: &Layout, max_ef: u32) -> usize {
    let graph = clawft_hnsw::Scratch::words(&layout.graph, max_ef);
    let bitmap = clawft_hnsw::scratch::bitmap_words(layout.params.capacity);
    // Four rows of f32, one of i16, and the planes; padded is a multiple of 64.
    let rows = layout.padded * 2 + layout.padded / 4 + PLANES * layout.padded / 64;
    graph + bitmap + max_ef as usize + rows + levels(layout) / 4 + estimates(layout) / 2
}

/// Takes so many of the words, which are there.
#[inline(never)]
fn take<'a>(rest: &mut &'a mut [u64], words: usize) -> &'a mut [u64] {
    rest.split_off_mut(..words).unwrap_or_default()
}

impl<'a> Scratch<'a> {
    /// Divides `words` into the parts of a scratch for searches of at most `max_ef`
    /// candidates; `None` where there are fewer than [`scratch_words`] says.
    #[must_use]
    pub fn new(layout: &Layout, words: &'a mut [u64], max_ef: u32) -> Option<Self> {
        if words.len() < scratch_words(layout, max_ef) {
            return None;
        }
        let (rest, padded) = (&mut { words }, layout.padded);
        let graph = take(rest, clawft_hnsw::Scratch::words(&layout.graph, max_ef));
        Some(Scratch {
            graph: clawft_hnsw::Scratch::new(&layout.graph, graph)?,
            filter: take(rest, clawft_hnsw::scratch::bitmap_words(layout.params.capacity)),
            best: take(rest, max_ef as usize),
            query: QueryMemory {
                raw: bytemuck::cast_slice_mut(take(rest, padded / 2)),
                rotated: bytemuck::cast_slice_mut(take(rest, padded / 2)),
                residual: bytemuck::cast_slice_mut(take(rest, padded / 2)),
                levels: bytemuck::cast_slice_mut(take(rest, padded / 4)),
                planes: bytemuck::cast_slice_mut(take(rest, PLANES * padded / 64)),
            },
            row: bytemuck::cast_slice_mut(take(rest, padded / 2)),
            levels: bytemuck::cast_slice_mut(take(rest, levels(layout) / 4)),
            estimates: bytemuck::cast_slice_mut(take(rest, estimates(layout) / 2)),
        })
    }

    /// The most candidates that a search with this scratch may keep.
    #[must_use]
    pub fn max_ef(&self) -> usize {
        self.best.len()
    }

    /// Clears what was left of the vectors of the last call: of a removed one nothing is to stay.
    pub fn clear(&mut self) {
        let QueryMemory { raw, rotated, residual, levels, planes } = &mut self.query;
        for row in [raw, rotated, residual, &mut self.row] {
            row.fill(0.0);
        }
        for row in [levels, &mut self.levels] {
            row.fill(0);
        }
        planes.fill(0);
    }

    /// Was this scratch made for such an image?
    pub(crate) fn check(&self, layout: &Layout) -> Result<(), Error> {
        let capacity = layout.params.capacity;
        if self.filter.len() == clawft_hnsw::scratch::bitmap_words(capacity)
            && self.row.len() == layout.padded
            && self.levels.len() == levels(layout)
            && self.estimates.len() == estimates(layout)
            && self.graph.max_ef() >= self.max_ef().min(capacity as usize)
        {
            return Ok(());
        }
        Err(Error::Scratch { expected: scratch_words(layout, 1), found: 0 })
    }
}
