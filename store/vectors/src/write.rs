//! Insert, upsert, remove and mark: every check comes first, so that a call that fails has
//! changed nothing.

use core::ops::DerefMut;

use clawft_codes::{
    Encoding, F16Code, F32Code, FullCode, I8Code, Kernels, arith, encode_short, encode_tiered,
};
use clawft_hnsw::Graph;

use crate::codes::{Between, Codes, Factors};
use crate::header::{self, Field, HEADER};
use crate::ids::IdsMut;
use crate::image::Image;
use crate::layout::{FACTORS, UNIT};
use crate::pages::Pages;
use crate::query::{self, Query, less};
use crate::scratch::Scratch;
use crate::tier_policy::Tier;
use crate::{Error, Layout, Metric, Params, scan, tiers};

impl<B: DerefMut<Target = [u8]>> Image<B> {
    /// Stores `vector` under a new `id`.
    ///
    /// # Errors
    /// [`Error::Dimension`], [`Error::NotFinite`], [`Error::ZeroVector`],
    /// [`Error::DuplicateId`], [`Error::Full`], [`Error::Scratch`].
    pub fn insert(
        &mut self,
        id: u64,
        vector: &[f32],
        scratch: &mut Scratch<'_>,
    ) -> Result<(), Error> {
        scratch.check(&self.layout)?;
        query::check(self.params.metric, self.layout.dim, vector)?;
        if self.contains(id) {
            return Err(Error::DuplicateId(id));
        }
        let full = Error::Full { len: self.len(), capacity: self.params.capacity };
        let slot = self.graph().free_slot().ok_or(full)?;
        let (tier, place) = self.room_to_come().ok_or(full)?;
        self.unseal();
        self.renew_centres(scratch);
        let Image { buffer, layout, params, kernels, .. } = self;
        let bytes = &mut buffer[..layout.bytes];
        tiers::settle(bytes, layout, slot, tier, place);
        let (head, tail) = bytes.split_at_mut(layout.short);
        let codes = Codes::new(*kernels, params, layout, tail);
        Query::new(&codes, vector, &mut scratch.query);
        encode(params, layout, slot, (tier, place), true, tail, scratch);
        connect(params, layout, *kernels, slot, head, tail, vector, scratch);
        IdsMut::new(bytes, layout).enter(id, slot);
        Ok(())
    }

    /// Stores `vector` under `id`, in the place of what stands there, if anything does.
    ///
    /// # Errors
    /// As [`Image::insert`], but for [`Error::DuplicateId`].
    pub fn upsert(
        &mut self,
        id: u64,
        vector: &[f32],
        scratch: &mut Scratch<'_>,
    ) -> Result<(), Error> {
        scratch.check(&self.layout)?;
        query::check(self.params.metric, self.layout.dim, vector)?;
        if self.contains(id) {
            // The slot and the record that this frees are those that the insert takes.
            self.remove(id, scratch)?;
        }
        self.insert(id, vector, scratch)
    }

    /// Removes `id`, its codes and its links.
    ///
    /// # Errors
    /// [`Error::UnknownId`], [`Error::Scratch`].
    pub fn remove(&mut self, id: u64, scratch: &mut Scratch<'_>) -> Result<(), Error> {
        scratch.check(&self.layout)?;
        let slot = self.slot(id).ok_or(Error::UnknownId(id))?;
        self.mark(id, false)?;
        self.unseal();
        let Image { buffer, layout, params, kernels, .. } = self;
        let bytes = &mut buffer[..layout.bytes];
        let (head, tail) = bytes.split_at_mut(layout.short);
        let codes = Codes::new(*kernels, params, layout, tail);
        let (tier, place) = (codes.tier(slot), codes.place(slot));
        let mut space = Between::new(codes, scratch.row, scratch.levels);
        let removed = Graph::again(&layout.graph, &mut head[HEADER..]).remove(slot, &mut space);
        debug_assert!(removed.is_ok(), "a slot under an id is live");
        Pages { bytes, layout }.give_back(tier, place);
        IdsMut::new(bytes, layout).strike(id);
        bytes[layout.short + slot as usize * layout.short_bytes..][..layout.short_bytes].fill(0);
        if layout.sketch_bytes > 0 {
            scan::put(layout, &mut bytes[layout.short..layout.factors], slot, 0.0, 0.0);
        }
        bytes[layout.factors + slot as usize * FACTORS..][..FACTORS].fill(0);
        bytes[layout.places + 4 * slot as usize..][..4].fill(0);
        bytes[layout.uses + layout.use_bytes * slot as usize..][..layout.use_bytes].fill(0);
        Ok(())
    }

    /// Marks `id` as deleted, or takes the mark off. A marked vector is not found, but keeps
    /// its place and still serves the walk.
    ///
    /// # Errors
    /// [`Error::UnknownId`].
    pub fn mark(&mut self, id: u64, hidden: bool) -> Result<(), Error> {
        if self.is_hidden(id)? == hidden {
            return Ok(());
        }
        let slot = self.slot(id).ok_or(Error::UnknownId(id))?;
        self.unseal();
        self.buffer[self.layout.hidden + slot as usize / 8] ^= 1 << (slot % 8);
        let count = header::get(&self.buffer, Field::Hidden);
        let count = if hidden { count + 1 } else { count - 1 };
        header::set(&mut self.buffer, Field::Hidden, count);
        Ok(())
    }
}

/// Writes the full code of the vector whose forms are in the scratch to its place in a tier, the
/// short one too if `is_new`, and its factors.
#[inline(never)]
pub(crate) fn encode(
    params: &Params,
    layout: &Layout,
    slot: u32,
    (tier, place): (Tier, u32),
    is_new: bool,
    tail: &mut [u8],
    scratch: &mut Scratch<'_>,
) {
    let (forms, row) = (&scratch.query, &mut *scratch.row);
    let (head, pool) = tail.split_at_mut(layout.pool - layout.short);
    let code = &mut pool[place as usize * UNIT..][..layout.code_bytes[tier as usize]];
    let raw = &forms.raw[..layout.dim];
    let at = layout.factors - layout.short + slot as usize * FACTORS;
    let mut factors = Factors::from_bytes(&head[at..at + FACTORS]);
    match params.encoding {
        Encoding::F32 => factors.scale = F32Code::encode(raw, code),
        Encoding::F16 => factors.scale = F16Code::encode(raw, code),
        Encoding::I8 => {
            let centre = centre(layout, params, head, 1);
            encode_full(&mut factors, params, tier, forms.rotated, centre, row, code);
        }
    }
    if is_new && params.is_short() {
        let (front, head) = head.split_at_mut(layout.factors - layout.short);
        let at = layout.centres - layout.factors;
        let centre: &[f32] = bytemuck::cast_slice(&head[at..at + 4 * layout.padded]);
        encode_residual(&mut factors, params, layout, forms.rotated, centre, row, front, slot);
    }
    head[at..at + FACTORS].copy_from_slice(&factors.to_bytes());
}

/// Centre 0 (of the short codes) or 1 (of the 8-bit codes), in the sections behind the graph;
/// empty where there are none.
fn centre<'a>(layout: &Layout, params: &Params, tail: &'a [u8], which: usize) -> &'a [f32] {
    if !params.is_short() {
        return &[];
    }
    let bytes = 4 * layout.padded;
    let at = layout.centres - layout.short + which * bytes;
    bytemuck::cast_slice(&tail[at..at + bytes])
}

/// Encodes a rotated vector in 8 bits, or as a colder `tier` does, relative to `centre`; `row` is
/// working memory.
pub(crate) fn encode_full(
    factors: &mut Factors,
    params: &Params,
    tier: Tier,
    rotated: &[f32],
    centre: &[f32],
    row: &mut [f32],
    code: &mut [u8],
) {
    less(rotated, centre, row);
    let by_product = params.metric == Metric::InnerProduct;
    if let Some(width) = tier.width() {
        factors.scale = encode_tiered(width, row, code);
        factors.own = if by_product { dot(row, centre) } else { arith::norm2(row) };
        return;
    }
    let scale = I8Code::encode(row, code);
    factors.scale = scale;
    factors.own = if by_product {
        I8Code::decode(code, scale, row);
        dot(row, centre)
    } else {
        let squares: i32 = code.iter().map(|&b| i32::from(b as i8) * i32::from(b as i8)).sum();
        scale * scale * squares as f32
    };
}

/// Encodes a rotated vector in one bit a dimension, relative to `centre`, into the short code
/// and the sketch of `slot` in `front`, the image from the short codes up to the factors; `row`
/// is working memory.
#[expect(clippy::too_many_arguments, reason = "the parts of one image, borrowed apart")]
pub(crate) fn encode_residual(
    factors: &mut Factors,
    params: &Params,
    layout: &Layout,
    rotated: &[f32],
    centre: &[f32],
    row: &mut [f32],
    front: &mut [u8],
    slot: u32,
) {
    let (residual2, by_centre) = less(rotated, centre, row);
    let width = layout.short_bytes;
    let side = encode_short(row, &mut front[slot as usize * width..][..width]);
    factors.slope = if side.sum_abs > 0.0 { side.norm2 / side.sum_abs } else { 0.0 };
    factors.offset = match params.metric {
        Metric::L2 => residual2,
        Metric::Cosine => residual2 * 0.5,
        Metric::InnerProduct => -by_centre,
    };
    if layout.sketch_bytes > 0 {
        let shown = arith::sum_abs(&row[..8 * layout.sketch_bytes]);
        let slope = if shown > 0.0 { side.norm2 / shown } else { 0.0 };
        scan::put(layout, front, slot, factors.offset, slope);
    }
}

/// Inserts the slot into the graph.
#[expect(clippy::too_many_arguments, reason = "the parts of one image, borrowed apart")]
fn connect(
    params: &Params,
    layout: &Layout,
    kernels: Kernels,
    slot: u32,
    head: &mut [u8],
    tail: &[u8],
    vector: &[f32],
    scratch: &mut Scratch<'_>,
) {
    let codes = Codes::new(kernels, params, layout, tail);
    let query = Query::new(&codes, vector, &mut scratch.query);
    let mut space = Between::new(codes, scratch.row, scratch.levels);
    let mut graph = Graph::again(&layout.graph, &mut head[HEADER..]);
    let inserted = match query.short_probe(codes) {
        Some(mut probe) => graph.insert(slot, &mut probe, &mut space, &mut scratch.graph),
        None => {
            let mut probe = query.full_probe(codes);
            graph.insert(slot, &mut probe, &mut space, &mut scratch.graph)
        }
    };
    debug_assert!(inserted.is_ok(), "a free slot and a scratch that was checked");
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).fold(0.0, |sum, (x, y)| sum + x * y)
}
