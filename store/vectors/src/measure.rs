//! Distances by full codes: from a query to stored vectors, and between these.
//!
//! Both are `times * (base + sign * own - weight * product)`, with the product of the rows and a
//! part that the stored vector has of its own; kernels that give the square distance leave nothing
//! to add.
//!
//! Between stored vectors the distance under the cosine is the squared Euclidean one, which
//! orders vectors of length 1 as the cosine does, and is 0 for equal ones. Under the inner
//! product it is the negative product: a graph of Euclidean distances was tried for it, and
//! found 0.88 of the nearest where this one finds all (all-positive vectors, 384 dimensions).
//!
//! What it must never do: mix centres. A code and the `own` beside it are relative to the same
//! one, so both are always written together.

use clawft_codes::{Encoding, dot_tiered};
use clawft_hnsw::{Slot, Space};

use crate::codes::Factors;
use crate::layout::{Section, UNIT};
use crate::tier_policy::Tier;
use crate::view::View;
use crate::{Metric, TIERS, tiers};

/// Slots are measured in batches of at most this many.
pub(crate) const BATCH: usize = 64;

/// What stored vectors are compared with.
#[derive(Clone, Copy)]
pub(crate) enum Row<'a> {
    /// A vector: for the encodings that are compared in `f32`.
    Floats(&'a [f32]),
    /// A vector in integer levels.
    Words(&'a [i16]),
    /// A stored 8-bit code: where there are no tiers.
    Bytes(&'a [i8]),
}

/// From products to distances.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    /// Is the distance a squared Euclidean one, so never negative?
    pub(crate) is_square: bool,
    /// The step of a row in levels.
    pub(crate) step: f32,
    /// What is the same for all.
    pub(crate) base: f32,
    /// What the stored vector's [`Factors::own`] counts.
    pub(crate) sign: f32,
    /// What all of it counts: a half where the cosine is told by a squared distance.
    pub(crate) times: f32,
}

/// The full codes of an image, ready to be compared.
pub(crate) struct Measure<'a> {
    pub(crate) view: View<'a>,
    places: &'a [u32],
    factors: &'a [[f32; 4]],
    uses: &'a [[u32; 3]],
    pool: &'a [u8],
    // Kept between calls, as clearing them each time would cost as much as using them.
    at: [u32; BATCH],
    products: [i32; BATCH],
}

impl<'a> Measure<'a> {
    #[inline(never)]
    pub(crate) fn new(view: View<'a>) -> Self {
        Measure {
            view,
            places: view.numbers(Section::Places),
            factors: view.numbers(Section::Factors),
            uses: if TIERS { view.numbers(Section::Uses) } else { &[] },
            pool: view.section(Section::Pool),
            at: [0; BATCH],
            products: [0; BATCH],
        }
    }

    fn tier(&self, slot: Slot) -> Tier {
        if TIERS { tiers::tier(slot, self.uses) } else { Tier::Hot }
    }

    /// Writes the distances of `slots` from `row`.
    #[inline(never)]
    pub(crate) fn distances(
        &mut self,
        row: Row<'_>,
        terms: &Terms,
        slots: &[Slot],
        out: &mut [f32],
    ) {
        let (kernels, pool) = (self.view.kernels, self.pool);
        let is_f32 = self.view.layout.params.encoding == Encoding::F32;
        let mut rest = out;
        for slots in slots.chunks(BATCH) {
            let out = rest.split_off_mut(..slots.len()).unwrap_or_default();
            // Those in 8 bits, or in floats; the colder ones are measured one by one.
            let mut hot = 0;
            for &slot in slots {
                if self.tier(slot).width().is_none() {
                    self.at[hot] = self.places.get(slot as usize).copied().unwrap_or(0);
                    hot += 1;
                }
            }
            let (at, products) = (&self.at[..hot], &mut self.products);
            match (row, is_f32, terms.is_square) {
                (Row::Floats(row), true, true) => kernels.l2_f32(row, pool, UNIT, at, out),
                (Row::Floats(row), true, false) => kernels.dot_f32(row, pool, UNIT, at, out),
                (Row::Floats(row), false, true) => kernels.l2_f16(row, pool, UNIT, at, out),
                (Row::Floats(row), false, false) => kernels.dot_f16(row, pool, UNIT, at, out),
                (Row::Words(row), ..) => kernels.dot_i8_query(row, pool, UNIT, at, products),
                (Row::Bytes(row), ..) => kernels.dot_i8(row, pool, UNIT, at, products),
            }
            let weight = match (row, terms.is_square) {
                (_, false) => 1.0,
                (Row::Floats(_), true) => -1.0,
                (_, true) => 2.0,
            };
            let mut products = self.products.iter();
            for (out, &slot) in out.iter_mut().zip(slots) {
                let mut own = 0.0;
                if !matches!(row, Row::Floats(_)) {
                    let factors = Factors::of(slot, self.factors);
                    own = factors.own;
                    *out = factors.scale
                        * terms.step
                        * match (self.tier(slot).width(), row) {
                            (Some(width), Row::Words(levels)) => {
                                dot_tiered(width, levels, self.view.code(slot))
                            }
                            _ => products.next().copied().unwrap_or(0) as f32,
                        };
                }
                *out = terms.times * ((terms.base + terms.sign * own) - weight * *out);
                if terms.is_square {
                    *out = out.max(0.0);
                }
            }
        }
    }
}

/// Distances between stored vectors.
pub(crate) struct Between<'a> {
    measure: Measure<'a>,
    /// A row of the decoded vector, for the encodings that are compared in `f32`.
    row: &'a mut [f32],
    /// The same vector in levels; empty where there are no tiers.
    levels: &'a mut [i16],
}

impl<'a> Between<'a> {
    /// `row` is a padded vector of working memory, `levels` another, where there are tiers.
    pub(crate) fn new(view: View<'a>, row: &'a mut [f32], levels: &'a mut [i16]) -> Self {
        Between { measure: Measure::new(view), row, levels }
    }
}

impl Space for Between<'_> {
    fn between(&mut self, slot: Slot, others: &[Slot], out: &mut [f32]) {
        let view = self.measure.view;
        let code = Factors::of(slot, self.measure.factors);
        let mut step = code.scale;
        let row = if view.layout.params.encoding != Encoding::I8 {
            view.decode(slot, self.row);
            Row::Floats(self.row.get(..view.layout.dim()).unwrap_or_default())
        } else if view.layout.is_tiered() {
            step = view.levels(slot, self.row, self.levels);
            Row::Words(self.levels)
        } else {
            Row::Bytes(bytemuck::cast_slice(view.code(slot)))
        };
        // Under the inner product <a, b> less |c|^2, which is the same for all; else the same
        // products as in `own`: 0 for equal codes.
        let is_square = view.layout.params.metric != Metric::InnerProduct;
        let sign = if is_square { 1.0 } else { -1.0 };
        let terms = Terms { is_square, step, base: sign * code.own, sign, times: 1.0 };
        self.measure.distances(row, &terms, others, out);
    }
}
