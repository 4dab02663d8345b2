//! Insert, upsert, remove and mark: every check comes first, so that a call that fails has
//! changed nothing.
//!
//! The order within a call: centres are renewed before the query is made, as it is relative to
//! them; codes stand in the image before the graph links a slot, and until it has let go of one,
//! as it measures by them.
//!
//! What it must never do: fail after the first change, or leave a code, a factor or the id of a
//! removed vector in the image.

use core::ops::DerefMut;

use clawft_codes::{
    Encoding, F16Code, F32Code, FullCode, I8Code, arith, encode_short, encode_tiered,
};
use clawft_hnsw::Probe;

use crate::codes::{Centre, Factors};
use crate::header::Field;
use crate::image::Image;
use crate::layout::Section;
use crate::measure::Between;
use crate::query::{Query, less};
use crate::scratch::Scratch;
use crate::view::{Edit, View};
use crate::{Error, Metric};

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
        self.edit().put(id, vector, false, scratch)
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
        self.edit().put(id, vector, true, scratch)
    }

    /// Removes `id`, its codes and its links.
    ///
    /// # Errors
    /// [`Error::UnknownId`], [`Error::Scratch`].
    pub fn remove(&mut self, id: u64, scratch: &mut Scratch<'_>) -> Result<(), Error> {
        self.edit().take_out(id, scratch)
    }

    /// Marks `id` as deleted, or takes the mark off. A marked vector is not found, but keeps
    /// its place and still serves the walk.
    ///
    /// # Errors
    /// [`Error::UnknownId`].
    pub fn mark(&mut self, id: u64, hidden: bool) -> Result<(), Error> {
        self.edit().show(id, hidden)
    }
}

/// What codes are made of.
pub(crate) struct Forms<'a> {
    /// The vector, of length 1 under the cosine metric; only where codes are in floats.
    pub(crate) raw: &'a [f32],
    /// The same, rotated.
    pub(crate) rotated: &'a [f32],
    /// What codes are relative to, if it is not the centres of the image.
    pub(crate) mean: Option<&'a [f32]>,
    /// Which codes are made: the full one,
    pub(crate) full: bool,
    /// and the short one, if there is one.
    pub(crate) short: bool,
}

impl View<'_> {
    /// Whether codes can hold a checked vector. Halves end at 65,504: a component that is cut off would
    /// make another vector.
    pub(crate) fn holds(self, vector: &[f32]) -> Result<(), Error> {
        let params = &self.layout.params;
        if params.encoding == Encoding::F16 && params.metric != Metric::Cosine {
            for (index, x) in (0..).zip(vector) {
                if x.abs() > 65_504.0 {
                    return Err(Error::NotFinite { index });
                }
            }
        }
        Ok(())
    }
}

impl Edit<'_> {
    /// Stores `vector` under `id`; in the place of what stands there, if it may.
    #[inline(never)]
    fn put(
        &mut self,
        id: u64,
        vector: &[f32],
        may_replace: bool,
        scratch: &mut Scratch<'_>,
    ) -> Result<(), Error> {
        let view = self.view();
        view.check(vector, scratch)?;
        view.holds(vector)?;
        if let Ok(slot) = view.find(id) {
            if !may_replace {
                return Err(Error::DuplicateId(id));
            }
            // The slot and the record that this frees are those that are taken below.
            self.remove(id, slot, scratch);
        }
        let graph = self.view().graph();
        let full = Error::Full { len: graph.len(), capacity: graph.capacity() };
        let slot = graph.free_slot().ok_or(full)?;
        let (tier, place) = self.room_to_come().ok_or(full)?;
        self.unseal();
        self.begin_centres(vector, scratch);
        self.renew_centres(scratch);
        self.settle(slot, tier, place);
        let query = Query::new(self.view(), vector, &mut scratch.query);
        let Query { raw, rotated, .. } = query;
        let forms = Forms { raw, rotated, mean: None, full: true, short: true };
        self.encode(slot, &forms, scratch.row);
        let is_short = self.layout.params.is_short();
        let (mut graph, view) = self.split();
        let mut space = Between::new(view, scratch.row, scratch.levels);
        let (mut short, mut full);
        let probe: &mut dyn Probe = if is_short {
            short = query.short_probe(view);
            &mut short
        } else {
            full = query.full_probe(view);
            &mut full
        };
        let inserted = graph.insert(slot, probe, &mut space, &mut scratch.graph);
        debug_assert!(inserted.is_ok(), "a free slot and a scratch that was checked");
        self.ids().enter(id, slot);
        Ok(())
    }

    #[inline(never)]
    fn take_out(&mut self, id: u64, scratch: &mut Scratch<'_>) -> Result<(), Error> {
        scratch.check(self.layout)?;
        let slot = self.view().find(id)?;
        self.remove(id, slot, scratch);
        Ok(())
    }

    #[inline(never)]
    fn show(&mut self, id: u64, hidden: bool) -> Result<(), Error> {
        let slot = self.view().find(id)?;
        self.mark(slot, hidden);
        Ok(())
    }

    /// Removes what is stored at `slot` under `id`.
    #[inline(never)]
    fn remove(&mut self, id: u64, slot: u32, scratch: &mut Scratch<'_>) {
        self.mark(slot, false);
        self.unseal();
        let (tier, place) = (self.view().tier(slot), self.view().place(slot));
        let is_centre = self.is_centre(slot);
        let (mut graph, view) = self.split();
        let removed = graph.remove(slot, &mut Between::new(view, scratch.row, scratch.levels));
        debug_assert!(removed.is_ok(), "a slot under an id is live");
        self.give_back(tier, place);
        self.ids().strike(id);
        for section in [Section::Short, Section::Factors, Section::Places, Section::Uses] {
            self.entry(section, slot).fill(0);
        }
        self.put_sketch(slot, 0.0, 0.0);
        if self.view().len() == 0 {
            self.forget_centres();
        } else if is_centre {
            self.replace_centre(scratch);
        }
    }

    /// Sets the mark of a live slot, or takes it off.
    #[inline(never)]
    fn mark(&mut self, slot: u32, hidden: bool) {
        if self.view().has_mark(slot) == hidden {
            return;
        }
        self.unseal();
        if let Some(byte) = self.section(Section::Hidden).get_mut(slot as usize / 8) {
            *byte ^= 1 << (slot % 8);
        }
        let count = self.header(Field::Hidden);
        self.set_header(Field::Hidden, if hidden { count + 1 } else { count.wrapping_sub(1) });
    }

    /// Makes codes of `slot`, and writes its factors. Its place and tier must be known.
    ///
    /// `row` is working memory.
    #[inline(never)]
    pub(crate) fn encode(&mut self, slot: u32, forms: &Forms<'_>, row: &mut [f32]) {
        let mut factors = self.view().factors(slot);
        if forms.full {
            self.encode_full(slot, forms, &mut factors, row);
        }
        if forms.short && self.layout.params.is_short() {
            self.encode_short(slot, forms, &mut factors, row);
        }
        self.set_entry(Section::Factors, slot, &factors.to_bytes());
    }

    fn encode_full(
        &mut self,
        slot: u32,
        forms: &Forms<'_>,
        factors: &mut Factors,
        row: &mut [f32],
    ) {
        let (tier, place) = (self.view().tier(slot), self.view().place(slot));
        let bytes = self.layout.code_bytes(tier);
        let encoding = self.layout.params.encoding;
        if encoding == Encoding::I8 {
            less(forms.rotated, 1.0, self.centre(forms, Centre::Full), row);
        }
        let code = self.record(tier, place).get_mut(..bytes).unwrap_or_default();
        factors.scale = match (encoding, tier.width()) {
            (Encoding::F32, _) => F32Code::encode(forms.raw, code),
            (Encoding::F16, _) => F16Code::encode(forms.raw, code),
            (Encoding::I8, None) => {
                let scale = I8Code::encode(row, code);
                if self.layout.params.metric == Metric::InnerProduct {
                    I8Code::decode(self.view().code(slot), scale, row);
                }
                scale
            }
            (Encoding::I8, Some(width)) => encode_tiered(width, row, code),
        };
        if encoding == Encoding::I8 {
            factors.own = if self.layout.params.metric == Metric::InnerProduct {
                dot(row, self.centre(forms, Centre::Full))
            } else if tier.width().is_some() {
                arith::norm2(row)
            } else {
                factors.scale * factors.scale * squares(self.view().code(slot)) as f32
            };
        }
    }

    /// In one bit a dimension, with its sketch.
    fn encode_short(
        &mut self,
        slot: u32,
        forms: &Forms<'_>,
        factors: &mut Factors,
        row: &mut [f32],
    ) {
        let (residual2, by_centre) =
            less(forms.rotated, 1.0, self.centre(forms, Centre::Short), row);
        let side = encode_short(row, self.entry(Section::Short, slot));
        let slope = |shown: f32| if shown > 0.0 { side.norm2 / shown } else { 0.0 };
        factors.slope = slope(side.sum_abs);
        factors.offset = match self.layout.params.metric {
            Metric::L2 => residual2,
            Metric::Cosine => residual2 * 0.5,
            Metric::InnerProduct => -by_centre,
        };
        let shown = row.get(..8 * self.layout.sketch_bytes).unwrap_or_default();
        self.put_sketch(slot, factors.offset, slope(arith::sum_abs(shown)));
    }

    fn centre<'a>(&'a self, forms: &Forms<'a>, which: Centre) -> &'a [f32] {
        match forms.mean {
            Some(mean) => mean,
            None => self.view().centre(which),
        }
    }
}

/// The square of an 8-bit code's length.
///
/// A call, and no loop where it is needed: the interpreter of WAMR 2.4.3 loses what an expression has
/// computed before a block among its operands, in the form that `wasm-opt` gave this one (ADR 27).
#[inline(never)]
fn squares(code: &[u8]) -> i32 {
    code.iter().map(|&byte| i32::from(byte as i8)).map(|value| value * value).sum()
}

pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).fold(0.0, |sum, (x, y)| sum + x * y)
}
