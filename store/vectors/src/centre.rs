//! The centres that codes are relative to.
//!
//! The error of an estimate, and that of an 8-bit code, grow with the length of what is coded,
//! so vectors that all lean one way gain by a centre among them: the mean of those stored so
//! far. It is looked at when there are 64 vectors, and whenever their number has doubled.
//!
//! Short codes are made from full codes at no loss, so their centre follows the mean closely. An
//! 8-bit code that is renewed is made from an 8-bit code, and the first vectors of input in
//! topical order have a mean of their own, which serves the others ill. So the centre of the
//! 8-bit codes moves only where much is gained. (With one centre for both, that followed the
//! mean, recall among tight clusters in order was lower by 0.07 than among the same shuffled.)
//!
//! Vectors that lie far from zero, all on one side, would have codes that tell only how far, and what
//! such a code has lost no later centre brings back. So the first vector is the first centre, and
//! stays so for as long as the few that follow lie as far away; vectors of length 1 never do.
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
use crate::scratch::Scratch;
use crate::view::Edit;
use crate::write::Forms;

/// The number of vectors at which there is a centre for the first time, if they are not far away.
const FIRST: u32 = 64;
/// The part of the mean square of fewer vectors that is their mean's, where they are: it is ten times
/// as long as they are apart.
const FAR: f32 = 0.99;
/// The centre of the short codes moves where its square distance to the mean is this part of the
/// mean square residual.
const MOVES_SHORT: f32 = 0.01;
/// The same for the centre of the 8-bit codes, from [`FIRST_FULL`] vectors on.
const MOVES_FULL: f32 = 0.25;
/// The number of vectors at which 8-bit codes have a centre for the first time, likewise.
const FIRST_FULL: u32 = 256;

impl Edit<'_> {
    /// May its vectors lie far from zero, and do codes tell so?
    fn may_be_far(&self) -> bool {
        let params = &self.layout.params;
        params.is_short() && params.encoding == Encoding::I8 && params.metric != Metric::Cosine
    }

    /// Takes the first vector for a centre.
    pub(crate) fn begin_centres(&mut self, rotated: &[f32]) {
        if self.view().len() == 0 && self.may_be_far() {
            self.set_header(Field::Centred, 1);
            self.set_entry(Section::Centres, Centre::Full as u32, bytemuck::cast_slice(rotated));
        }
    }

    /// Moves the centres to the mean, if it is time and worth it, and renews the codes.
    #[inline(never)]
    pub(crate) fn renew_centres(&mut self, scratch: &mut Scratch<'_>) {
        let view = self.view();
        let (len, params) = (view.len(), &view.layout.params);
        let centred = view.header(Field::Centred);
        let first = if self.may_be_far() { 2 } else { FIRST };
        if !params.is_short() || len < first || len < centred.saturating_mul(2) {
            return;
        }
        let mean = &mut *scratch.query.rotated;
        let (row, rotated) = (&mut *scratch.row, &mut *scratch.query.residual);
        mean.fill(0.0);
        let mut square = 0.0;
        for slot in view.slots() {
            if view.is_live(slot) {
                view.decode_rotated(slot, row);
                for (m, &x) in mean.iter_mut().zip(&*row) {
                    *m += x;
                }
                square += arith::norm2(row);
            }
        }
        for m in mean.iter_mut() {
            *m /= len as f32;
        }
        // The mean square distance of the vectors to c is that to the mean, and |mean - c|^2.
        let length2 = arith::norm2(mean);
        let spread = square / len as f32 - length2;
        let is_far = |mean: &[f32], centre: Centre, part: f32| {
            let moved = difference2(mean, view.centre(centre));
            moved > part * (spread + moved)
        };
        let is_early = len < FIRST;
        let is_i8 = params.encoding == Encoding::I8;
        if is_early && length2 <= FAR * (spread + length2) {
            mean.fill(0.0);
        }
        let is_time = is_early || is_i8 && len >= FIRST_FULL;
        let full = is_time && is_far(mean, Centre::Full, MOVES_FULL);
        let short = !is_early && is_far(mean, Centre::Short, MOVES_SHORT);
        self.set_header(Field::Centred, len);
        if full || short {
            for slot in 0..self.layout.params.capacity {
                let view = self.view();
                if view.is_live(slot) {
                    // The image still has the old centres.
                    view.decode_rotated(slot, rotated);
                    let forms = Forms { raw: &[], rotated, mean: Some(mean), full, short };
                    self.encode(slot, &forms, row);
                }
            }
        }
        if short {
            self.set_entry(Section::Centres, Centre::Short as u32, bytemuck::cast_slice(mean));
        }
        if full {
            self.set_entry(Section::Centres, Centre::Full as u32, bytemuck::cast_slice(mean));
        }
    }
}

/// Squared distance of two rows.
fn difference2(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).fold(0.0, |sum, (x, y)| sum + (x - y) * (x - y))
}
