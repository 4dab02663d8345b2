//! The centres that codes are relative to.
//!
//! The error of an estimate, and that of an 8-bit code, grow with the length of what is coded,
//! so vectors that all lean one way gain by a centre among them: the mean of those stored so
//! far. It is looked at when there are 64 vectors, and again after as many inserts as there were vectors
//! then: when their number has doubled, or when others may have taken their place. So a look takes a share
//! of an insert's time that does not grow, and a vector's code is renewed at most once in that time.
//!
//! Short codes are made from full codes at no loss, so their centre follows the mean closely. An
//! 8-bit code that is renewed is made from an 8-bit code, and the first vectors of input in
//! topical order have a mean of their own, which serves the others ill. So the centre of the
//! 8-bit codes moves only where much is gained. (With one centre for both, that followed the
//! mean, recall among tight clusters in order was lower by 0.07 than among the same shuffled.)
//!
//! Vectors that lie far from zero, all on one side, would have codes that tell only how far, and what
//! such a code has lost no later centre brings back. So the first vector is the first centre of the
//! 8-bit codes, until one comes that is nearer to zero, or there are enough for a mean. Vectors of
//! length 1 that lie to one side gain as much. When that first one is removed another one takes its place: it stands
//! there as it came, and of what is removed nothing is to stay. It is the shortest that is left, as
//! codes are made of codes then, and whichever goes next is seldom that one. A mean gives way to one
//! vector only where less than half of what it is the mean of is left.
//!
//! A mean of lengths that differ by much is that of the few long ones, and far from all others. Where
//! most vectors are nearer to zero than to it, and to the centre that there is, zero is the centre. Under
//! the cosine no vector is longer than another, and a mean serves at least the part that it comes from.
//!
//! With tiers a code is renewed in its own. What a cold one has lost, its short code loses too;
//! it was measured what searches miss by that, and they miss nothing (`docs/benchmarks.md`).
//!
//! What it must never do: move a centre without renewing every code that is relative to it.

use clawft_codes::{Encoding, arith};

use crate::Metric;
use crate::codes::Centre;
use crate::header::Field;
use crate::layout::Section;
use crate::query::Query;
use crate::scratch::Scratch;
use crate::view::{Edit, View};
use crate::write::{Forms, dot};

/// The number of vectors at which there is a centre for the first time.
const FIRST: u32 = 64;
/// The centre of the short codes moves where its square distance to the mean is this part of the
/// mean square residual.
const MOVES_SHORT: f32 = 0.01;
/// The same for the centre of the 8-bit codes, from [`FIRST_FULL`] vectors on.
const MOVES_FULL: f32 = 0.25;
/// The number of vectors at which the centre of 8-bit codes is a mean for the first time.
const FIRST_FULL: u32 = 256;

impl View<'_> {
    /// Whether at least half of the vectors are no farther from `centre` than from zero.
    #[inline(never)]
    fn serves_most(&self, centre: &[f32], row: &mut [f32]) -> bool {
        let (mut served, least) = (0, arith::norm2(centre) * 0.5);
        for slot in self.slots() {
            if self.is_live(slot) {
                self.decode_rotated(slot, row);
                served += u32::from(dot(row, centre) >= least);
            }
        }
        served >= self.len().div_ceil(2)
    }
}

impl Edit<'_> {
    /// Whether its codes would tell how far from zero its vectors lie.
    fn may_be_far(&self) -> bool {
        let params = &self.layout.params;
        params.is_short() && params.encoding == Encoding::I8
    }

    /// Sees to the centre of the 8-bit codes of the few first, of which `vector` is the next.
    #[inline(never)]
    pub(crate) fn begin_centres(&mut self, vector: &[f32], scratch: &mut Scratch<'_>) {
        let view = self.view();
        let (len, centred) = (view.len(), view.header(Field::Centred));
        let is_mean = centred >= FIRST_FULL && centred < 2 * len;
        if !self.may_be_far() || len >= FIRST_FULL || is_mean {
            return;
        }
        let Query { rotated, .. } = Query::new(view, vector, &mut scratch.query);
        let centre = view.centre(Centre::Full);
        if len == 0 {
            let bytes = bytemuck::cast_slice(rotated);
            self.set_entry(Section::Centres, Centre::Full as u32, bytes);
        } else if arith::norm2(rotated) > 0.0 && arith::norm2(centre) > 2.0 * dot(rotated, centre) {
            // A zero vector is no worse off than the others.
            scratch.query.rotated.fill(0.0);
            self.move_centres(true, false, scratch);
        }
    }

    /// Whether the vector at `slot` is the centre of the 8-bit codes: its code says no difference.
    pub(crate) fn is_centre(&self, slot: u32) -> bool {
        let view = self.view();
        self.may_be_far()
            && view.factors(slot).scale == 0.0
            && arith::norm2(view.centre(Centre::Full)) > 0.0
    }

    /// Forgets the centres: there is nothing left that they could be of.
    pub(crate) fn forget_centres(&mut self) {
        self.section(Section::Centres).fill(0);
        self.set_header(Field::Centred, 0);
    }

    /// Makes the shortest vector that is left the centre of the 8-bit codes. None is farther from it than
    /// twice as far as from zero.
    #[inline(never)]
    pub(crate) fn replace_centre(&mut self, scratch: &mut Scratch<'_>) {
        let view = self.view();
        // Nothing shorter than half the centre came in beside it but zero, of which a code makes a little
        // more: the others must not be coded relative to that.
        let least = arith::norm2(view.centre(Centre::Full)) / 8.0;
        let mut shortest = f32::MAX;
        scratch.query.rotated.fill(0.0);
        for slot in view.slots() {
            if view.is_live(slot) {
                view.decode_rotated(slot, scratch.row);
                let norm2 = arith::norm2(scratch.row);
                if norm2 > least && norm2 < shortest {
                    shortest = norm2;
                    scratch.query.rotated.copy_from_slice(scratch.row);
                }
            }
        }
        self.move_centres(true, false, scratch);
    }

    /// Moves the centres to the mean, if it is time and worth it, and renews the codes.
    #[inline(never)]
    pub(crate) fn renew_centres(&mut self, scratch: &mut Scratch<'_>) {
        let view = self.view();
        let (len, params) = (view.len(), &view.layout.params);
        let (centred, since) = (view.header(Field::Centred), view.header(Field::Since));
        if !params.is_short() || len < FIRST || since < centred {
            self.set_header(Field::Since, since.wrapping_add(1));
            return;
        }
        let mean = &mut *scratch.query.rotated;
        let row = &mut *scratch.row;
        mean.fill(0.0);
        let mut square = 0.0;
        for slot in view.slots() {
            if view.is_live(slot) {
                view.decode_rotated(slot, row);
                for (m, &x) in mean.iter_mut().zip(&*row) {
                    *m += x;
                }
                // The sum of long ones would not be finite.
                square += arith::norm2(row) / len as f32;
            }
        }
        for m in mean.iter_mut() {
            *m /= len as f32;
        }
        // The mean square distance of the vectors to c is that to the mean, and |mean - c|^2.
        let spread = square - arith::norm2(mean);
        let serves = params.metric == Metric::Cosine || view.serves_most(mean, row);
        if !serves {
            mean.fill(0.0);
        }
        let mut is_far = |centre: Centre, part: f32| {
            let centre = view.centre(centre);
            let moved = difference2(mean, centre);
            if serves { moved > part * (spread + moved) } else { !view.serves_most(centre, row) }
        };
        let is_i8 = params.encoding == Encoding::I8;
        // That of the first vector always gives way to the first mean.
        let is_first = centred < FIRST_FULL && arith::norm2(view.centre(Centre::Full)) > 0.0;
        let part = if is_first { 0.0 } else { MOVES_FULL };
        let full = is_i8 && len >= FIRST_FULL && is_far(Centre::Full, part);
        let short = is_far(Centre::Short, MOVES_SHORT);
        self.set_header(Field::Centred, len);
        // The insert that is to come.
        self.set_header(Field::Since, 1);
        if full || short {
            self.move_centres(full, short, scratch);
        }
    }

    /// Moves centres to the row that stands in the place of a rotated query, and renews the codes.
    fn move_centres(&mut self, full: bool, short: bool, scratch: &mut Scratch<'_>) {
        let (row, rotated) = (&mut *scratch.row, &mut *scratch.query.residual);
        let to = &*scratch.query.rotated;
        for slot in 0..self.layout.params.capacity {
            let view = self.view();
            if view.is_live(slot) {
                // The image still has the old centres.
                view.decode_rotated(slot, rotated);
                let forms = Forms { raw: &[], rotated, mean: Some(to), full, short };
                self.encode(slot, &forms, row);
            }
        }
        for (moves, centre) in [(short, Centre::Short), (full, Centre::Full)] {
            if moves {
                self.set_entry(Section::Centres, centre as u32, bytemuck::cast_slice(to));
            }
        }
    }
}

/// Squared distance of two rows.
#[inline(never)]
fn difference2(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).fold(0.0, |sum, (x, y)| sum + (x - y) * (x - y))
}
