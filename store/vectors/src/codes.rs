//! The codes of an image as the graph sees them: distances between slots.
//!
//! Under the cosine the distance between stored vectors is the squared Euclidean one, which
//! orders vectors of length 1 as the cosine does, and is 0 for equal ones. Under the inner
//! product it is the negative product: a graph of Euclidean distances was tried for it, and
//! found 0.88 of the nearest where this one finds all (all-positive vectors, 384 dimensions).

use core::ops::Range;

use clawft_codes::{
    Encoding, F16Code, F32Code, FullCode, I8Code, Kernels, Rotation, decode_tiered, dot_tiered,
    encode_query_i8,
};
use clawft_hnsw::{Slot, Space};

use crate::layout::{FACTORS, UNIT};
use crate::scan::Sketches;
use crate::tier_policy::Tier;
use crate::{Layout, Metric, Params, TIERS, tiers};

/// Slots are measured in batches of at most this many.
pub(crate) const BATCH: usize = 64;

/// What stands beside a code.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Factors {
    /// The part of an estimated distance that depends on the vector alone: `|r|^2` under L2,
    /// `|r|^2 / 2` under the cosine, `-<o, c>` under the inner product, where `r = o - c` and
    /// `c` is the centre of the short codes.
    pub(crate) offset: f32,
    /// `|r|^2 / sum |r_i|`: from the short code's dot product to the residual's.
    pub(crate) slope: f32,
    /// Scale of the full code.
    pub(crate) scale: f32,
    /// The part of a distance by 8-bit codes that depends on the vector alone: `|e|^2` of the
    /// decoded code `e`, but `<e, c>` under the inner product, where `c` is the centre of the
    /// 8-bit codes. Of a colder code the same of what was coded, as its products are made right.
    pub(crate) own: f32,
}

impl Factors {
    /// The factors that stand in the image as these bytes.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let bytes: [u8; FACTORS] = bytes.first_chunk().copied().unwrap_or_default();
        let [offset, slope, scale, own] = bytemuck::cast(bytes);
        Factors { offset, slope, scale, own }
    }

    /// The factors as they stand in the image.
    pub(crate) fn to_bytes(self) -> [u8; FACTORS] {
        bytemuck::cast([self.offset, self.slope, self.scale, self.own])
    }
}

/// The sections behind the graph, to read.
#[derive(Clone, Copy)]
pub(crate) struct Codes<'a> {
    pub(crate) kernels: Kernels,
    pub(crate) metric: Metric,
    pub(crate) encoding: Encoding,
    pub(crate) seed: u64,
    pub(crate) layout: &'a Layout,
    pub(crate) short: &'a [u8],
    pub(crate) sketches: &'a [u8],
    pub(crate) factors: &'a [[f32; 4]],
    pub(crate) places: &'a [u32],
    pub(crate) uses: &'a [[u32; 3]],
    pub(crate) short_centre: &'a [f32],
    pub(crate) full_centre: &'a [f32],
    pub(crate) pool: &'a [u8],
}

impl<'a> Codes<'a> {
    /// Reads the sections in `tail`, which begins at `layout.short`.
    #[inline(never)]
    pub(crate) fn new(
        kernels: Kernels,
        params: &Params,
        layout: &'a Layout,
        tail: &'a [u8],
    ) -> Self {
        let n = params.capacity as usize;
        let section = |at: usize, bytes: usize| &tail[at - layout.short..][..bytes];
        let centre = if params.is_short() { 4 * layout.padded } else { 0 };
        let centres: &[f32] = bytemuck::cast_slice(section(layout.centres, 2 * centre));
        let (short_centre, full_centre) = centres.split_at(centre / 4);
        Codes {
            kernels,
            metric: params.metric,
            encoding: params.encoding,
            seed: params.seed,
            layout,
            short: section(layout.short, n * layout.short_bytes),
            sketches: section(layout.sketches, layout.factors - layout.sketches),
            factors: bytemuck::cast_slice(section(layout.factors, n * FACTORS)),
            places: bytemuck::cast_slice(section(layout.places, n * 4)),
            uses: bytemuck::cast_slice(section(layout.uses, n * layout.use_bytes)),
            short_centre,
            full_centre,
            pool: &tail[layout.pool - layout.short..],
        }
    }

    pub(crate) fn factors(&self, slot: Slot) -> Factors {
        let [offset, slope, scale, own] =
            self.factors.get(slot as usize).copied().unwrap_or_default();
        Factors { offset, slope, scale, own }
    }

    /// Writes the places of `slots`, at most [`BATCH`], in the pool.
    pub(crate) fn places(&self, slots: &[Slot], at: &mut [u32; BATCH]) {
        for (at, &slot) in at.iter_mut().zip(slots) {
            *at = self.place(slot);
        }
    }

    /// The place of a slot's full code in the pool.
    pub(crate) fn place(&self, slot: Slot) -> u32 {
        self.places.get(slot as usize).copied().unwrap_or(0)
    }

    /// The tier of a slot's full code.
    #[inline(always)]
    pub(crate) fn tier(&self, slot: Slot) -> Tier {
        if !TIERS {
            return Tier::Hot;
        }
        // There are none where there are no tiers.
        self.uses.get(slot as usize).map_or(Tier::Hot, tiers::tier)
    }

    /// Where a slot's full code lies, in bytes of the pool.
    pub(crate) fn range(&self, slot: Slot) -> Range<usize> {
        let at = self.place(slot) as usize * UNIT;
        at..at + self.layout.code_bytes[self.tier(slot) as usize]
    }

    /// The bytes of a slot's full code.
    pub(crate) fn code(&self, slot: Slot) -> &'a [u8] {
        self.pool.get(self.range(slot)).unwrap_or(&[])
    }

    /// Decodes a slot's vector; rotated where its encoding is.
    pub(crate) fn decode(&self, slot: Slot, out: &mut [f32]) {
        let (code, scale) = (self.code(slot), self.factors(slot).scale);
        let out = if self.encoding.rotated() { out } else { &mut out[..self.layout.dim] };
        match self.encoding {
            Encoding::F32 => F32Code::decode(code, scale, out),
            Encoding::F16 => F16Code::decode(code, scale, out),
            Encoding::I8 => {
                self.decode_residual(slot, out);
                for (x, &c) in out.iter_mut().zip(self.full_centre) {
                    *x += c;
                }
            }
        }
    }

    /// Decodes what a slot's 8-bit or colder code stands for.
    fn decode_residual(&self, slot: Slot, out: &mut [f32]) {
        let (code, scale) = (self.code(slot), self.factors(slot).scale);
        match self.tier(slot).width() {
            None => I8Code::decode(code, scale, out),
            Some(width) => decode_tiered(width, code, scale, out),
        }
    }

    /// Writes the same in integer levels, for [`Codes::products`], and returns their step.
    ///
    /// `row` is working memory.
    fn levels(&self, slot: Slot, row: &mut [f32], levels: &mut [i16]) -> f32 {
        let code = self.code(slot);
        if self.tier(slot) == Tier::Hot {
            for (level, &byte) in levels.iter_mut().zip(code) {
                *level = i16::from(byte as i8);
            }
            return self.factors(slot).scale;
        }
        self.decode_residual(slot, row);
        // The code's own factor: so a product of two is right on average on both sides.
        let mut excess = [0.0];
        F16Code::decode(code, 1.0, &mut excess);
        encode_query_i8(row, levels) * (1.0 + excess[0])
    }

    /// Writes the products of a row of levels, `step` apart, with what the codes of at most
    /// [`BATCH`] slots stand for: 8-bit codes, or those of any tier.
    pub(crate) fn products(
        &self,
        levels: Levels<'_>,
        step: f32,
        slots: &[Slot],
        batch: &mut Batch,
        out: &mut [f32],
    ) {
        let mut hot = 0;
        for (i, (&slot, out)) in (0..).zip(slots.iter().zip(&mut *out)) {
            match (self.tier(slot).width(), levels) {
                (Some(width), Levels::Words(levels)) => {
                    let dot = dot_tiered(width, levels, self.code(slot));
                    *out = self.factors(slot).scale * step * dot;
                }
                _ => {
                    batch.at[hot] = self.place(slot);
                    batch.from[hot] = i;
                    hot += 1;
                }
            }
        }
        let (at, dots) = (&batch.at[..hot], &mut batch.dots);
        match levels {
            Levels::Words(levels) => {
                self.kernels.dot_i8_query(levels, self.pool, UNIT, at, dots);
            }
            Levels::Bytes(levels) => self.kernels.dot_i8(levels, self.pool, UNIT, at, dots),
        }
        for (&i, &dot) in batch.from[..hot].iter().zip(&*dots) {
            let i = usize::from(i);
            if let (Some(out), Some(&slot)) = (out.get_mut(i), slots.get(i)) {
                *out = self.factors(slot).scale * step * dot as f32;
            }
        }
    }

    /// Decodes a slot's vector, rotated.
    pub(crate) fn decode_rotated(&self, slot: Slot, out: &mut [f32]) {
        self.decode(slot, out);
        if !self.encoding.rotated() {
            out[self.layout.dim..].fill(0.0);
            self.rotation().apply(out);
        }
    }

    pub(crate) fn sketches(&self) -> Sketches<'a> {
        Sketches {
            kernels: self.kernels,
            blocks: self.sketches,
            bytes: self.layout.sketch_bytes,
            whole: self.layout.sketch_bytes == self.layout.short_bytes,
        }
    }

    pub(crate) fn rotation(&self) -> Rotation {
        Rotation::new(self.seed, self.layout.dim)
    }
}

/// A row in integer levels: of a query, or of any code; of a hot code, where all are hot.
#[derive(Clone, Copy)]
pub(crate) enum Levels<'a> {
    Words(&'a [i16]),
    Bytes(&'a [i8]),
}

/// What a batch is compared in. Kept between calls, as clearing it each time would cost as much
/// as using it.
pub(crate) struct Batch {
    pub(crate) at: [u32; BATCH],
    dots: [i32; BATCH],
    /// Which of the batch the hot ones are.
    from: [u8; BATCH],
}

impl Batch {
    pub(crate) const fn new() -> Self {
        Batch { at: [0; BATCH], dots: [0; BATCH], from: [0; BATCH] }
    }
}

/// Distances between stored vectors.
pub(crate) struct Between<'a> {
    pub(crate) codes: Codes<'a>,
    /// A row of the decoded vector, for the encodings that are compared in `f32`.
    pub(crate) row: &'a mut [f32],
    /// The same vector in levels; empty where there are no tiers.
    levels: &'a mut [i16],
    batch: Batch,
}

impl<'a> Between<'a> {
    /// `row` is a padded vector of working memory, `levels` another, where there are tiers.
    pub(crate) fn new(codes: Codes<'a>, row: &'a mut [f32], levels: &'a mut [i16]) -> Self {
        Between { codes, row, levels, batch: Batch::new() }
    }
}

impl Space for Between<'_> {
    fn between(&mut self, slot: Slot, others: &[Slot], out: &mut [f32]) {
        let codes = self.codes;
        let code = codes.factors(slot);
        let mut step = code.scale;
        if codes.encoding != Encoding::I8 {
            codes.decode(slot, self.row);
        } else if codes.layout.is_tiered() {
            step = codes.levels(slot, self.row, self.levels);
        }
        let by_product = codes.metric == Metric::InnerProduct;
        let row = &self.row[..codes.layout.dim];
        for (others, out) in others.chunks(BATCH).zip(out.chunks_mut(BATCH)) {
            codes.places(others, &mut self.batch.at);
            let at = &self.batch.at[..others.len()];
            match codes.encoding {
                Encoding::F32 if !by_product => {
                    codes.kernels.l2_f32(row, codes.pool, UNIT, at, out)
                }
                Encoding::F32 => codes.kernels.dot_f32(row, codes.pool, UNIT, at, out),
                Encoding::F16 if !by_product => {
                    codes.kernels.l2_f16(row, codes.pool, UNIT, at, out)
                }
                Encoding::F16 => codes.kernels.dot_f16(row, codes.pool, UNIT, at, out),
                Encoding::I8 => {
                    let levels = if codes.layout.is_tiered() {
                        Levels::Words(self.levels)
                    } else {
                        Levels::Bytes(bytemuck::cast_slice(codes.code(slot)))
                    };
                    codes.products(levels, step, others, &mut self.batch, out);
                    for (out, &other) in out.iter_mut().zip(others) {
                        let (f, product) = (codes.factors(other), *out);
                        *out = if by_product {
                            // <a, b> less |c|^2, which is the same for all.
                            -(code.own + f.own + product)
                        } else {
                            // The same products as in `own`: 0 for equal codes.
                            (code.own + f.own - 2.0 * product).max(0.0)
                        };
                    }
                    continue;
                }
            }
            if by_product {
                for out in out {
                    *out = -*out;
                }
            }
        }
    }
}
