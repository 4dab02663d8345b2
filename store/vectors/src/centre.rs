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
//! With tiers a code is renewed in its own. What a cold one has lost, its short code loses too;
//! it was measured what searches miss by that, and they miss nothing (`docs/benchmarks.md`).

use core::ops::DerefMut;

use clawft_codes::{Encoding, arith};

use crate::codes::Factors;
use crate::header::{self, Field};
use crate::image::Image;
use crate::layout::FACTORS;
use crate::scratch::Scratch;
use crate::write::{encode_full, encode_residual};

/// The number of vectors at which there is a centre for the first time.
const FIRST: u32 = 64;
/// The centre of the short codes moves where its square distance to the mean is this part of the
/// mean square residual.
const MOVES_SHORT: f32 = 0.01;
/// The same for the centre of the 8-bit codes, from [`FIRST_FULL`] vectors on.
const MOVES_FULL: f32 = 0.25;
/// The number of vectors at which 8-bit codes have a centre for the first time.
const FIRST_FULL: u32 = 256;

impl<B: DerefMut<Target = [u8]>> Image<B> {
    /// Moves the centres to the mean, if it is time and worth it, and renews the codes.
    pub(crate) fn renew_centres(&mut self, scratch: &mut Scratch<'_>) {
        let len = self.len();
        let centred = header::get(&self.buffer, Field::Centred);
        if !self.params.is_short() || len < FIRST || len < centred.saturating_mul(2) {
            return;
        }
        header::set(&mut self.buffer, Field::Centred, len);
        let (mean, row) = (&mut *scratch.query.rotated, &mut *scratch.row);
        mean.fill(0.0);
        let codes = self.codes();
        let mut square = 0.0;
        for slot in self.live() {
            codes.decode_rotated(slot, row);
            for (m, &x) in mean.iter_mut().zip(&*row) {
                *m += x;
            }
            square += arith::norm2(row);
        }
        for m in mean.iter_mut() {
            *m /= len as f32;
        }
        // The mean square distance of the vectors to c is that to the mean, and |mean - c|^2.
        let spread = square / len as f32 - arith::norm2(mean);
        let is_far = |centre: &[f32], part: f32| {
            let moved = difference2(mean, centre);
            moved > part * (spread + moved)
        };
        let is_i8 = self.params.encoding == Encoding::I8;
        let full = is_i8 && len >= FIRST_FULL && is_far(codes.full_centre, MOVES_FULL);
        let short = is_far(codes.short_centre, MOVES_SHORT);
        for slot in 0..self.params.capacity {
            if (full || short) && self.graph().is_live(slot) {
                self.renew(slot, full, short, scratch);
            }
        }
        let mean: &[u8] = bytemuck::cast_slice(scratch.query.rotated);
        let (at, bytes) = (self.layout.centres, mean.len());
        if short {
            self.buffer[at..at + bytes].copy_from_slice(mean);
        }
        if full {
            self.buffer[at + bytes..at + 2 * bytes].copy_from_slice(mean);
        }
    }

    /// Renews the codes of `slot` relative to the mean that stands in the scratch; the image
    /// still has the old centres.
    fn renew(&mut self, slot: u32, full: bool, short: bool, scratch: &mut Scratch<'_>) {
        let (mean, row) = (&*scratch.query.rotated, &mut *scratch.row);
        let rotated = &mut *scratch.query.residual;
        let codes = self.codes();
        codes.decode_rotated(slot, rotated);
        let mut factors: Factors = codes.factors(slot);
        let (tier, code) = (codes.tier(slot), codes.range(slot));
        if full {
            let (at, pool) = (self.layout.pool, self.layout.bytes);
            let code = &mut self.buffer[at..pool][code];
            encode_full(&mut factors, &self.params, tier, rotated, mean, row, code);
        }
        if short {
            let Image { buffer, layout, params, .. } = self;
            let front = &mut buffer[layout.short..layout.factors];
            encode_residual(&mut factors, params, layout, rotated, mean, row, front, slot);
        }
        let at = self.layout.factors + slot as usize * FACTORS;
        self.buffer[at..at + FACTORS].copy_from_slice(&factors.to_bytes());
    }
}

/// Squared distance of two rows.
fn difference2(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).fold(0.0, |sum, (x, y)| sum + (x - y) * (x - y))
}
