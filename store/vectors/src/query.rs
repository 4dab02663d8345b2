//! A query in every form that the codes are compared with, and the two probes.
//!
//! Distances are taken apart: what the vector alone decides stands in its factors, what the
//! query alone decides is computed here once, and for each code one product is left. By the inner
//! product they are `-<o, q>`: 1 less it, as the metric has it, would round small products to the
//! same, so the 1 comes where a distance leaves ([`Metric::told`]).
//!
//! What it must never do: let in a vector with which a distance would not be finite. What is no
//! number has no place in an order.

use clawft_codes::{Encoding, ShortQuery, SketchQuery, arith, encode_query_i8};
use clawft_hnsw::{Probe, Slot};

use crate::codes::{Centre, Factors};
use crate::layout::Section;
use crate::measure::{BATCH, Measure, Row, Terms};
use crate::scratch::QueryMemory;
use crate::view::View;
use crate::{Error, Metric, Params};

/// A vector of the right dimension, finite, with a direction where the metric needs one.
///
/// # Errors
/// [`Error::Dimension`], [`Error::NotFinite`], [`Error::ZeroVector`].
#[inline(never)]
pub(crate) fn check(params: &Params, vector: &[f32]) -> Result<(), Error> {
    if vector.len() != params.dim as usize {
        return Err(Error::Dimension { expected: params.dim, found: vector.len() as u32 });
    }
    // Four at a time. Only a sum that is neither zero nor finite may have a cause to look for.
    let norm2 = arith::norm2(vector);
    if norm2 > 0.0 && norm2 < LONGEST {
        return Ok(());
    }
    let mut is_zero = true;
    for (index, &x) in (0..).zip(vector) {
        if !x.is_finite() {
            return Err(Error::NotFinite { index });
        }
        is_zero &= x == 0.0;
    }
    if params.metric == Metric::Cosine {
        return if is_zero { Err(Error::ZeroVector) } else { Ok(()) };
    }
    // Distances are sums of squares: they too must stay finite.
    if norm2 < LONGEST { Ok(()) } else { Err(Error::NotFinite { index: params.dim }) }
}

/// The longest squared length of a vector, with room for the sum of two and a difference.
const LONGEST: f32 = f32::MAX / 16.0;

/// A query, ready to be compared.
pub(crate) struct Query<'a> {
    /// As given; of length 1 under the cosine metric.
    pub(crate) raw: &'a [f32],
    /// Rotated, where any code is.
    pub(crate) rotated: &'a [f32],
    row: Row<'a>,
    terms: Terms,
    short: ShortQuery<'a>,
    pub(crate) sketch: SketchQuery,
    /// How many times as long as it is the query is to the short codes: 1 but by the inner product.
    times: f32,
    /// An estimate is `base + offset - slope <r, q - c>`.
    base: f32,
    slope: f32,
    /// `|q - c|^2` for the centre of the short codes.
    residual2: f32,
}

impl<'a> Query<'a> {
    /// Brings a checked `vector` into its forms.
    #[inline(never)]
    pub(crate) fn new(view: View<'_>, vector: &[f32], memory: &'a mut QueryMemory<'_>) -> Self {
        let Params { metric, encoding, .. } = view.layout.params;
        // A vector that was rounded has no longer length 1. What it has too much is error of a
        // product in full, and more than near duplicates differ by; half a squared Euclidean
        // distance has next to nothing of it where the two are near.
        let is_square = metric != Metric::InnerProduct;
        let dim = view.layout.dim();
        memory.raw.fill(0.0);
        let raw = memory.raw.get_mut(..dim).unwrap_or_default();
        raw.copy_from_slice(vector);
        if metric == Metric::Cosine {
            normalise(raw);
        }
        let is_short = view.layout.params.is_short();
        if is_short || encoding.rotated() {
            memory.rotated.copy_from_slice(memory.raw);
            view.rotation().apply(memory.rotated);
        }
        // Estimates, with r = o - c:
        //   |o - q|^2 = |q - c|^2 + |r|^2 - 2 <r, q - c>
        //   -<o, q> = -<q, c> + |c|^2 - <o, c> - <r, q - c>
        // and half the first is the cosine distance of vectors of length 1.
        let slope = if metric == Metric::L2 { 2.0 } else { 1.0 };
        let (mut residual2, mut base, mut times) = (0.0, 0.0, 1.0);
        let mut residual = &[][..];
        if is_short {
            let centre = view.centre(Centre::Short);
            if metric == Metric::InnerProduct {
                // Of a query much shorter than the centre, `q - c` would show the centre alone. A
                // longer one has the same order: it is made as long as the centre.
                let ratio = arith::norm2(centre) / arith::norm2(memory.rotated);
                if ratio > 1.0 && ratio < f32::INFINITY {
                    times = arith::sqrt(ratio);
                }
            }
            let by_centre;
            (residual2, by_centre) = less(memory.rotated, times, centre, memory.residual);
            base = match metric {
                Metric::L2 => residual2,
                Metric::Cosine => residual2 * 0.5,
                Metric::InnerProduct => arith::norm2(centre) - times * by_centre,
            };
            residual = &*memory.residual;
        }
        let sketch = SketchQuery::encode(residual, view.layout.sketch_bytes, slope);
        let short = ShortQuery::encode(residual, memory.planes);
        let raw = memory.raw.get(..dim).unwrap_or_default();
        let mut row = Row::Floats(raw);
        let (mut step, mut of_centre) = (0.0, (0.0, 0.0));
        if encoding == Encoding::I8 {
            // Codes are of residuals. A Euclidean distance is that of residuals too; an inner
            // product is that of the query itself with the residual, and with the centre.
            of_centre = less(memory.rotated, 1.0, view.centre(Centre::Full), memory.residual);
            step = encode_query_i8(
                if is_square { memory.residual } else { memory.rotated },
                memory.levels,
            );
            row = Row::Words(memory.levels);
        }
        let (base_of_full, sign) = if is_square { (of_centre.0, 1.0) } else { (-of_centre.1, 0.0) };
        let half = if metric == Metric::Cosine { 0.5 } else { 1.0 };
        let terms = Terms { is_square, step, base: base_of_full, sign, times: half };
        let rotated = &*memory.rotated;
        Query { raw, rotated, row, terms, short, sketch, times, base, slope, residual2 }
    }

    /// Distances by full codes.
    pub(crate) fn full_probe(&self, view: View<'a>) -> FullProbe<'_> {
        FullProbe { query: self, measure: Measure::new(view) }
    }

    /// Estimates by short codes, of which there must be some.
    #[inline(never)]
    pub(crate) fn short_probe(&self, view: View<'a>) -> ShortProbe<'_> {
        ShortProbe {
            query: self,
            view,
            codes: view.section(Section::Short),
            factors: view.numbers(Section::Factors),
            sums: [0; BATCH],
        }
    }
}

/// Writes `v`, so many `times` as long, less `centre` to `out`; returns the squared length of that, and
/// the product of `v` and `centre`. For zero a centre may be missing, where `v` stays as long as it is.
#[inline(never)]
pub(crate) fn less(v: &[f32], times: f32, centre: &[f32], out: &mut [f32]) -> (f32, f32) {
    out.copy_from_slice(v);
    for (x, &c) in out.iter_mut().zip(centre) {
        *x = *x * times - c;
    }
    (arith::norm2(out), product(v, centre))
}

/// `<v, centre>`, in lanes. Not by way of `|v - c|^2`, which forgets `c` beside a long `v`.
fn product(v: &[f32], centre: &[f32]) -> f32 {
    let mut sums = [0.0; 8];
    let ((blocks, rest), (others, other)) = (v.as_chunks::<8>(), centre.as_chunks::<8>());
    for (block, other) in blocks.iter().zip(others) {
        for ((sum, x), c) in sums.iter_mut().zip(block).zip(other) {
            *sum += x * c;
        }
    }
    let rest = rest.iter().zip(other).fold(0.0, |sum, (x, c)| sum + x * c);
    sums.iter().fold(rest, |all, sum| all + sum)
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
    query: &'a Query<'a>,
    measure: Measure<'a>,
}

impl Probe for FullProbe<'_> {
    fn distances(&mut self, slots: &[Slot], out: &mut [f32]) {
        self.measure.distances(self.query.row, &self.query.terms, slots, out);
    }
}

/// Estimates by short codes.
pub(crate) struct ShortProbe<'a> {
    query: &'a Query<'a>,
    view: View<'a>,
    codes: &'a [u8],
    factors: &'a [[f32; 4]],
    sums: [i32; BATCH],
}

impl Probe for ShortProbe<'_> {
    fn distances(&mut self, slots: &[Slot], out: &mut [f32]) {
        let &Query { short, base, slope, .. } = self.query;
        let width = self.view.layout.span(Section::Short).entry;
        let mut rest = out;
        for slots in slots.chunks(BATCH) {
            let out = rest.split_off_mut(..slots.len()).unwrap_or_default();
            self.view.kernels.dot_short(&short, self.codes, width, slots, &mut self.sums);
            for ((out, &slot), &sum) in out.iter_mut().zip(slots).zip(&self.sums) {
                let f = Factors::of(slot, self.factors);
                let dot = f.slope * (short.delta * (2 * sum - short.sum) as f32);
                *out = base + f.offset - slope * dot;
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
        // A longer query has longer products.
        let gap = estimate - self.query.times * limit;
        let slope = Factors::of(slot, self.factors).slope;
        let d = self.view.layout.padded as f32;
        let error2 = self.query.residual2 * slope * slope * UNSEEN * d / (d - 1.0);
        let scale = DEVIATIONS * self.query.slope;
        gap > 0.0 && gap * gap > scale * scale * error2
    }
}
