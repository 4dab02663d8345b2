//! What the image holds of a slot's vector: its codes, and what stands beside them.
//!
//! The four factors of a slot stand together, so that what an estimate or a distance needs
//! beside a code is one look at the memory. The length of a code is not stored: it follows from
//! the tier.
//!
//! What it must never do: read a code by another tier than the one noted for its slot. A place
//! alone does not say how many bytes lie there, or what they mean.

use clawft_codes::{Encoding, F16Code, F32Code, FullCode, I8Code, decode_tiered, encode_query_i8};
use clawft_hnsw::Slot;

use crate::header::u32_at;
use crate::layout::{Section, UNIT};
use crate::tier_policy::Tier;
use crate::view::View;
use crate::{TIERS, tiers};

/// What stands beside a code: four `f32`, in this order.
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
    /// 0 of other encodings.
    pub(crate) own: f32,
}

impl Factors {
    /// Those of a slot, out of the section.
    pub(crate) fn of(slot: Slot, all: &[[f32; 4]]) -> Self {
        let [offset, slope, scale, own] = all.get(slot as usize).copied().unwrap_or_default();
        Factors { offset, slope, scale, own }
    }

    /// As they stand in the image.
    pub(crate) fn to_bytes(self) -> [u8; 16] {
        bytemuck::cast([self.offset, self.slope, self.scale, self.own])
    }
}

/// The two centres, as they stand in their section.
#[derive(Clone, Copy)]
pub(crate) enum Centre {
    /// Of the short codes.
    Short = 0,
    /// Of the 8-bit codes.
    Full = 1,
}

impl<'a> View<'a> {
    pub(crate) fn factors(&self, slot: Slot) -> Factors {
        Factors::of(slot, self.numbers(Section::Factors))
    }

    /// A centre; empty where there are none.
    #[inline(never)]
    pub(crate) fn centre(&self, which: Centre) -> &'a [f32] {
        bytemuck::try_cast_slice(self.entry(Section::Centres, which as u32)).unwrap_or_default()
    }

    /// The place of a slot's full code in the pool.
    pub(crate) fn place(&self, slot: Slot) -> u32 {
        u32_at(self.entry(Section::Places, slot), 0)
    }

    /// The tier of a slot's full code.
    #[inline(always)]
    pub(crate) fn tier(&self, slot: Slot) -> Tier {
        // There are no uses where there are no tiers.
        if TIERS { tiers::tier(slot, self.numbers(Section::Uses)) } else { Tier::Hot }
    }

    /// The bytes of a slot's full code.
    #[inline(never)]
    pub(crate) fn code(&self, slot: Slot) -> &'a [u8] {
        let at = self.place(slot) as usize * UNIT;
        let bytes = self.layout.code_bytes(self.tier(slot));
        let rest = self.section(Section::Pool).get(at..);
        rest.and_then(|rest| rest.get(..bytes)).unwrap_or_default()
    }

    /// Decodes a slot's vector; rotated where its encoding is.
    pub(crate) fn decode(&self, slot: Slot, out: &mut [f32]) {
        let (code, scale) = (self.code(slot), self.factors(slot).scale);
        let float = out.get_mut(..self.layout.dim()).unwrap_or_default();
        match self.layout.params.encoding {
            Encoding::F32 => F32Code::decode(code, scale, float),
            Encoding::F16 => F16Code::decode(code, scale, float),
            Encoding::I8 => {
                self.decode_residual(slot, out);
                for (x, &c) in out.iter_mut().zip(self.centre(Centre::Full)) {
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

    /// Writes the same in integer levels, and returns their step.
    ///
    /// `row` is working memory.
    pub(crate) fn levels(&self, slot: Slot, row: &mut [f32], levels: &mut [i16]) -> f32 {
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

    /// Decodes a slot's vector, rotated.
    #[inline(never)]
    pub(crate) fn decode_rotated(&self, slot: Slot, out: &mut [f32]) {
        self.decode(slot, out);
        if !self.layout.params.encoding.rotated() {
            out.get_mut(self.layout.dim()..).unwrap_or_default().fill(0.0);
            self.rotation().apply(out);
        }
    }
}
