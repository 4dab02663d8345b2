//! A query in every form that the codes are compared with, and the two probes.

use clawft_codes::{Encoding, ShortQuery, SketchQuery, arith, encode_query_i8};
use clawft_hnsw::{Probe, Slot};

use crate::codes::{BATCH, Batch, Codes, Levels};
use crate::layout::UNIT;
use crate::scratch::QueryMemory;
use crate::{Error, Metric};

/// A vector of the right dimension, finite, with a direction where the metric needs one.
///
/// # Errors
/// [`Error::Dimension`], [`Error::NotFinite`], [`Error::ZeroVector`].
#[inline(never)]
pub(crate) fn check(metric: Metric, dim: usize, vector: &[f32]) -> Result<(), Error> {
    if vector.len() != dim {
        return Err(Error::Dimension { expected: dim as u32, found: vector.len() as u32 });
    }
    // Four at a time. Only a sum that is neither zero nor finite may have a cause to look for.
    let norm2 = arith::norm2(vector);
    let index =
        if norm2 < f32::INFINITY { None } else { vector.iter().position(|x| !x.is_finite()) };
    if let Some(index) = index {
        return Err(Error::NotFinite { index: index as u32 });
    }
    match metric {
        Metric::Cosine if norm2 == 0.0 && vector.iter().all(|&x| x == 0.0) => {
            Err(Error::ZeroVector)
        }
        Metric::Cosine => Ok(()),
        // Distances are sums of squares: they too must stay finite.
        Metric::InnerProduct | Metric::L2 if norm2 < LONGEST => Ok(()),
        Metric::InnerProduct | Metric::L2 => Err(Error::NotFinite { index: dim as u32 }),
    }
}

/// The longest squared length of a vector, with room for the sum of two and a difference.
const LONGEST: f32 = f32::MAX / 16.0;

/// A query, ready to be compared.
pub(crate) struct Query<'a> {
    raw: &'a [f32],
    levels: &'a [i16],
    /// Step of `levels`.
    step: f32,
    short: Option<ShortQuery<'a>>,
    pub(crate) sketch: SketchQuery,
    /// `|q - c|^2` and `<q, c>` for the centre of the short codes.
    short_centre: (f32, f32),
    /// The same for the centre of the 8-bit codes.
    full_centre: (f32, f32),
}

impl<'a> Query<'a> {
    /// Brings a checked `vector` into its forms.
    pub(crate) fn new(codes: &Codes<'_>, vector: &[f32], memory: &'a mut QueryMemory<'_>) -> Self {
        let dim = codes.layout.dim;
        let (raw, pad) = memory.raw.split_at_mut(dim);
        raw.copy_from_slice(vector);
        pad.fill(0.0);
        if codes.metric == Metric::Cosine {
            normalise(raw);
        }
        let is_short = codes.layout.short_bytes > 0;
        if is_short || codes.encoding.rotated() {
            memory.rotated.copy_from_slice(memory.raw);
            codes.rotation().apply(memory.rotated);
        }
        let (mut short, mut short_centre) = (None, (0.0, 0.0));
        let mut sketch = SketchQuery::encode(&[], 0, 0.0);
        if is_short {
            short_centre = less(memory.rotated, codes.short_centre, memory.residual);
            short = Some(ShortQuery::encode(memory.residual, memory.planes));
            let weight = if codes.metric == Metric::L2 { 2.0 } else { 1.0 };
            sketch = SketchQuery::encode(memory.residual, codes.layout.sketch_bytes, weight);
        }
        let (mut step, mut full_centre) = (0.0, (0.0, 0.0));
        if codes.encoding == Encoding::I8 {
            // Codes are of residuals. A Euclidean distance is that of residuals too; an inner
            // product is that of the query itself with the residual, and with the centre.
            full_centre = less(memory.rotated, codes.full_centre, memory.residual);
            let form =
                if codes.metric == Metric::L2 { &*memory.residual } else { &*memory.rotated };
            step = encode_query_i8(form, memory.levels);
        }
        let raw = &memory.raw[..dim];
        Query { raw, levels: memory.levels, step, short, sketch, short_centre, full_centre }
    }

    /// Distances by full codes.
    pub(crate) fn full_probe(&self, codes: Codes<'a>) -> FullProbe<'_> {
        FullProbe { codes, query: self, batch: Batch::new() }
    }

    /// Estimates by short codes; `None` where the image has none.
    pub(crate) fn short_probe(&self, codes: Codes<'a>) -> Option<ShortProbe<'_>> {
        let short = self.short?;
        let (residual2, by_centre) = self.short_centre;
        // Each is base + offset - slope <r, q - c>, with r = o - c:
        //   |o - q|^2 = |q - c|^2 + |r|^2 - 2 <r, q - c>
        //   1 - <o, q> = 1 - <q, c> + |c|^2 - <o, c> - <r, q - c>
        // and half the first is the cosine distance of vectors of length 1.
        let (base, slope) = match codes.metric {
            Metric::L2 => (residual2, 2.0),
            Metric::Cosine => (residual2 * 0.5, 1.0),
            Metric::InnerProduct => (1.0 - by_centre + arith::norm2(codes.short_centre), 1.0),
        };
        Some(ShortProbe { codes, short, base, slope, residual2, sums: [0; BATCH] })
    }
}

/// Writes `v` less `centre` (which may be missing, for zero) to `out`; returns the squared
/// length of that, and the product of `v` and `centre`.
#[inline(never)]
pub(crate) fn less(v: &[f32], centre: &[f32], out: &mut [f32]) -> (f32, f32) {
    out.copy_from_slice(v);
    for (x, &c) in out.iter_mut().zip(centre) {
        *x -= c;
    }
    let (residual2, length2) = (arith::norm2(out), arith::norm2(v));
    // |v - c|^2 = |v|^2 - 2 <v, c> + |c|^2
    (residual2, (length2 + arith::norm2(centre) - residual2) * 0.5)
}

/// Scales `v` to length 1. The largest component is brought near 1 first, so that no square
/// overflows or vanishes.
#[inline(never)]
fn normalise(v: &mut [f32]) {
    let largest = arith::max_abs(v);
    let length2 = arith::norm2(v);
    if !(length2 > 1e-30 && length2 < 1e30) && largest > 0.0 {
        // Twice, as the reciprocal of a subnormal is infinite.
        let factor = if largest < 1e-30 { 1e30 } else { 1.0 };
        for x in v.iter_mut() {
            *x = *x * factor / (largest * factor);
        }
    }
    let length = arith::sqrt(arith::norm2(v));
    for x in v.iter_mut() {
        *x /= length;
    }
}

/// Distances by full codes.
pub(crate) struct FullProbe<'a> {
    codes: Codes<'a>,
    query: &'a Query<'a>,
    batch: Batch,
}

impl Probe for FullProbe<'_> {
    fn distances(&mut self, slots: &[Slot], out: &mut [f32]) {
        let (codes, query) = (self.codes, self.query);
        for (slots, out) in slots.chunks(BATCH).zip(out.chunks_mut(BATCH)) {
            codes.places(slots, &mut self.batch.at);
            let at = &self.batch.at[..slots.len()];
            let l2 = codes.metric == Metric::L2;
            match codes.encoding {
                Encoding::F32 if l2 => codes.kernels.l2_f32(query.raw, codes.pool, UNIT, at, out),
                Encoding::F32 => codes.kernels.dot_f32(query.raw, codes.pool, UNIT, at, out),
                Encoding::F16 if l2 => codes.kernels.l2_f16(query.raw, codes.pool, UNIT, at, out),
                Encoding::F16 => codes.kernels.dot_f16(query.raw, codes.pool, UNIT, at, out),
                Encoding::I8 => {
                    let levels = Levels::Words(query.levels);
                    codes.products(levels, query.step, slots, &mut self.batch, out);
                    for (out, &slot) in out.iter_mut().zip(slots) {
                        let product = *out;
                        *out = if l2 {
                            (codes.factors(slot).own + query.full_centre.0 - 2.0 * product).max(0.0)
                        } else {
                            1.0 - query.full_centre.1 - product
                        };
                    }
                    continue;
                }
            }
            if !l2 {
                for out in out {
                    *out = 1.0 - *out;
                }
            }
        }
    }
}

/// Estimates by short codes.
pub(crate) struct ShortProbe<'a> {
    codes: Codes<'a>,
    short: ShortQuery<'a>,
    base: f32,
    slope: f32,
    residual2: f32,
    sums: [i32; BATCH],
}

impl Probe for ShortProbe<'_> {
    fn distances(&mut self, slots: &[Slot], out: &mut [f32]) {
        let codes = self.codes;
        for (slots, out) in slots.chunks(BATCH).zip(out.chunks_mut(BATCH)) {
            let width = codes.layout.short_bytes;
            codes.kernels.dot_short(&self.short, codes.short, width, slots, &mut self.sums);
            for ((out, &slot), &sum) in out.iter_mut().zip(slots).zip(&self.sums) {
                let f = codes.factors(slot);
                let dot = f.slope * (self.short.delta * (2 * sum - self.short.sum) as f32);
                *out = self.base + f.offset - self.slope * dot;
            }
        }
    }
}

/// How many standard deviations an estimate is trusted to be right within.
const DEVIATIONS: f32 = 3.0;

/// The part of a residual's squared length that its signs do not show, `1 - 2 / pi`.
const UNSEEN: f32 = 0.363_380_2;

impl ShortProbe<'_> {
    /// Is the slot, by its estimate, beyond `limit` for all that the estimate's error allows?
    ///
    /// The standard error of `<r, q - c>` is `|q - c| |r| sqrt((1 - x^2) / (x^2 (D - 1)))` with
    /// `x = sum |r_i| / (|r| sqrt(D))` (RaBitQ, theorem 3.2). A random rotation makes `x^2`
    /// close to `2 / pi`, and `|r| / x` is `slope sqrt(D)`.
    pub(crate) fn is_beyond(&self, slot: Slot, estimate: f32, limit: f32) -> bool {
        let gap = estimate - limit;
        let slope = self.codes.factors(slot).slope;
        let d = self.codes.layout.padded as f32;
        let error2 = self.residual2 * slope * slope * UNSEEN * d / (d - 1.0);
        let scale = DEVIATIONS * self.slope;
        gap > 0.0 && gap * gap > scale * scale * error2
    }
}
