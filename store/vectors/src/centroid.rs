//! The centroid that short codes are relative to.
//!
//! An estimate's error grows with the lengths of the residuals, so vectors that all lean one
//! way gain by a centre among them. It is the mean of the vectors stored so far, renewed
//! when there are 64 and whenever their number has doubled, and only if it would move by more
//! than a tenth of the mean residual. Full codes do not depend on it.

use core::ops::DerefMut;

use crate::codes::Factors;
use crate::header::{self, Field};
use crate::image::Image;
use crate::layout::FACTORS;
use crate::scratch::Scratch;
use crate::write::set_short;

/// The number of vectors at which there is a centroid for the first time.
const FIRST: u32 = 64;
/// The centroid stays where it is while its square distance to the mean is below this part of
/// the mean square residual: the gain would be as small.
const MOVED: f32 = 0.01;

impl<B: DerefMut<Target = [u8]>> Image<B> {
    /// Renews the centroid, and all short codes with it, if it is time.
    pub(crate) fn renew_centroid(&mut self, scratch: &mut Scratch<'_>) {
        let len = self.len();
        let centred = header::get(&self.buffer, Field::Centred);
        if !self.params.is_short() || len < FIRST || len < centred.saturating_mul(2) {
            return;
        }
        header::set(&mut self.buffer, Field::Centred, len);
        let (mean, row) = (&mut *scratch.query.residual, &mut *scratch.row);
        mean.fill(0.0);
        let codes = self.codes();
        let mut spread = 0.0;
        for slot in self.live() {
            codes.decode_rotated(slot, row);
            for (m, &x) in mean.iter_mut().zip(&*row) {
                *m += x;
            }
            spread += codes.factors(slot).norm2;
        }
        for m in mean.iter_mut() {
            *m /= len as f32;
        }
        let moved = difference2(mean, codes.centroid);
        if !(moved > MOVED * spread / len as f32) {
            return;
        }
        let at = self.layout.centroid;
        self.buffer[at..at + 4 * mean.len()].copy_from_slice(bytemuck::cast_slice(mean));
        for slot in 0..self.params.capacity {
            if self.graph().is_live(slot) {
                self.recode(slot, scratch);
            }
        }
    }

    /// Renews the short code of `slot`; the centroid stands in the scratch's residual.
    fn recode(&mut self, slot: u32, scratch: &mut Scratch<'_>) {
        let row = &mut *scratch.row;
        let codes = self.codes();
        codes.decode_rotated(slot, row);
        for (x, &c) in row.iter_mut().zip(&*scratch.query.residual) {
            *x -= c;
        }
        let mut factors: Factors = codes.factors(slot);
        let width = self.layout.short_bytes;
        let short = self.layout.short + slot as usize * width;
        set_short(&mut factors, row, &mut self.buffer[short..short + width]);
        let at = self.layout.factors + slot as usize * FACTORS;
        self.buffer[at..at + FACTORS].copy_from_slice(&factors.to_bytes());
    }
}

/// Squared distance of two rows.
fn difference2(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).fold(0.0, |sum, (x, y)| sum + (x - y) * (x - y))
}
