//! The centroid that codes are relative to.
//!
//! The error of an estimate, and that of an 8-bit code, grow with the length of the residual,
//! so vectors that all lean one way gain by a centre among them. It is the mean of the
//! vectors stored so far, renewed when there are 64 and whenever their number has doubled, and
//! only if it would move by more than a tenth of the mean residual. The codes are renewed with
//! it; an 8-bit code is then made from an 8-bit code, which happens to the first vectors a
//! few times and to most of them never.

use core::ops::DerefMut;

use clawft_codes::Encoding;

use crate::header::{self, Field};
use crate::image::Image;
use crate::layout::{FACTORS, UNIT};
use crate::scratch::Scratch;
use crate::write::{encode_i8, encode_residual};

/// The number of vectors at which there is a centroid for the first time.
const FIRST: u32 = 64;
/// The centroid stays where it is while its square distance to the mean is below this part of
/// the mean square residual: the gain would be as small.
const MOVED: f32 = 0.01;

impl<B: DerefMut<Target = [u8]>> Image<B> {
    /// Renews the centroid, and the codes with it, if it is time.
    pub(crate) fn renew_centroid(&mut self, scratch: &mut Scratch<'_>) {
        let len = self.len();
        let centred = header::get(&self.buffer, Field::Centred);
        if !self.params.is_short() || len < FIRST || len < centred.saturating_mul(2) {
            return;
        }
        header::set(&mut self.buffer, Field::Centred, len);
        let (mean, row) = (&mut *scratch.query.rotated, &mut *scratch.row);
        mean.fill(0.0);
        let codes = self.codes();
        let mut spread = 0.0;
        for slot in self.live() {
            codes.decode_rotated(slot, row);
            for (m, &x) in mean.iter_mut().zip(&*row) {
                *m += x;
            }
            spread += codes.factors(slot).length2;
        }
        for m in mean.iter_mut() {
            *m /= len as f32;
        }
        let moved = difference2(mean, codes.centroid);
        if !(moved > MOVED * spread / len as f32) {
            return;
        }
        for slot in 0..self.params.capacity {
            if self.graph().is_live(slot) {
                self.recode(slot, scratch);
            }
        }
        let (at, mean) = (self.layout.centroid, &*scratch.query.rotated);
        self.buffer[at..at + 4 * mean.len()].copy_from_slice(bytemuck::cast_slice(mean));
    }

    /// Renews the codes of `slot` relative to the new centroid, which stands in the scratch;
    /// the image still has the old one.
    fn recode(&mut self, slot: u32, scratch: &mut Scratch<'_>) {
        let (centroid, row) = (&*scratch.query.rotated, &mut *scratch.row);
        let codes = self.codes();
        codes.decode_rotated(slot, row);
        let mut by_centroid = 0.0;
        for (x, &c) in row.iter_mut().zip(centroid) {
            by_centroid += *x * c;
            *x -= c;
        }
        let mut factors = codes.factors(slot);
        let place = self.layout.pool + codes.place(slot) as usize * UNIT;
        if self.params.encoding == Encoding::I8 {
            let code = &mut self.buffer[place..place + self.layout.code_bytes];
            encode_i8(&mut factors, row, code);
        }
        let width = self.layout.short_bytes;
        let short = self.layout.short + slot as usize * width;
        let short = &mut self.buffer[short..short + width];
        encode_residual(&mut factors, &self.params, by_centroid, row, short);
        let at = self.layout.factors + slot as usize * FACTORS;
        self.buffer[at..at + FACTORS].copy_from_slice(&factors.to_bytes());
    }
}

/// Squared distance of two rows.
fn difference2(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).fold(0.0, |sum, (x, y)| sum + (x - y) * (x - y))
}
