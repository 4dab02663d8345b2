//! Scans: three sieves, each finer and dearer than the one before.
//!
//! The sketches of all that match let a few times as many pass as the search keeps (see
//! [`clawft_codes::sketch`]); the short codes of those let as many pass as it keeps; the full
//! codes of these rank the results. A sieve is a bound on the estimates, found by a sample or by
//! all of them, and what passes it stays in the filter: nothing is sorted but the results.
//!
//! Should the first sieve let too few pass, the scan gives up, and the search looks at everything.

use clawft_codes::SketchQuery;
use clawft_codes::sketch::{self, LANES, MOST_BYTES};
use clawft_hnsw::{Probe, Slot};

use crate::layout::Section;
use crate::measure::BATCH;
use crate::query::ShortProbe;
use crate::view::{Edit, View};

/// How many times the candidates that a search keeps pass the first sieve, where a sketch is only
/// the beginning of the short code.
const PASSES: usize = 8;
/// The same where the sketch is the whole short code: the sample may be off.
const PASSES_WHOLE: usize = 2;
/// A look at a short code takes so many times as long as one at a sketch.
const LOOK: usize = 4;
/// The most estimates that the first bound is found by.
const SAMPLE: usize = 640;

impl Edit<'_> {
    /// Writes the sketch of `slot`, by its short code.
    #[inline(never)]
    pub(crate) fn put_sketch(&mut self, slot: u32, offset: f32, slope: f32) {
        let mut code = [0; MOST_BYTES];
        for (byte, &short) in code.iter_mut().zip(self.view().entry(Section::Short, slot)) {
            *byte = short;
        }
        let block = self.entry(Section::Sketches, slot / LANES as u32);
        sketch::put(block, slot as usize % LANES, &code, offset, slope);
    }
}

/// What passes the second sieve, in the order of the slots.
pub(crate) struct Near<'a> {
    filter: &'a [u64],
    /// The word that is looked at: its place in `filter`, and its bits that remain.
    at: usize,
    word: u64,
    /// Estimates of what is in `filter`, those that remain.
    estimates: &'a [f32],
    bound: f32,
}

impl Iterator for Near<'_> {
    type Item = (Slot, f32);

    fn next(&mut self) -> Option<(Slot, f32)> {
        loop {
            while self.word == 0 {
                self.at += 1;
                self.word = *self.filter.get(self.at)?;
            }
            let slot = self.at as u32 * 64 + self.word.trailing_zeros();
            self.word &= self.word - 1;
            let estimate = *self.estimates.split_off_first()?;
            if estimate <= self.bound {
                return Some((slot, estimate));
            }
        }
    }
}

impl View<'_> {
    /// Is it faster to look at the sketches first?
    pub(crate) fn sketches_pay(&self, wanted: usize, matching: usize) -> bool {
        let slots = self.layout.params.capacity.next_multiple_of(LANES as u32) as usize;
        self.layout.sketch_bytes > 0 && matching > slots / LOOK + self.passes() * wanted
    }

    fn passes(&self) -> usize {
        let is_whole = self.layout.sketch_bytes == self.layout.span(Section::Short).entry;
        if is_whole { PASSES_WHOLE } else { PASSES }
    }

    /// The first sieve: takes out of `filter` all but some [`PASSES`] times `wanted`. Are there
    /// enough? If not, the filter may have lost what it must not lose.
    ///
    /// `matching` bits are set; `estimates` has room for every slot.
    #[inline(never)]
    pub(crate) fn sift(
        &self,
        query: &SketchQuery,
        wanted: usize,
        matching: usize,
        filter: &mut [u64],
        estimates: &mut [f32],
    ) -> bool {
        self.estimate(query, filter, estimates);
        let mut sample = [0.0; SAMPLE];
        let n = choose(filter, estimates, matching, &mut sample);
        let rank = (self.passes() * wanted * n).div_ceil(matching.max(1));
        let bound = sketch::bound(&sample[..n], rank);
        let mut passed = 0;
        for (word, estimates) in filter.iter_mut().zip(estimates.as_chunks().0) {
            if *word != 0 {
                *word &= sketch::within(estimates, bound);
                passed += word.count_ones() as usize;
            }
        }
        passed >= wanted.min(matching)
    }

    /// Estimates the blocks of which anything is wanted, as many as possible in one call.
    fn estimate(&self, query: &SketchQuery, filter: &[u64], estimates: &mut [f32]) {
        let bytes = self.layout.span(Section::Sketches).entry;
        let blocks = self.section(Section::Sketches);
        let mut at = 0;
        for run in filter.chunk_by(|a, b| (*a == 0) == (*b == 0)) {
            let next = at + run.len();
            if run[0] != 0
                && let Some(blocks) = blocks.get(at * bytes..next * bytes)
                && let Some(out) = estimates.get_mut(at * LANES..next * LANES)
            {
                self.kernels.sketch(query, blocks, out);
            }
            at = next;
        }
    }
}

/// Copies the estimates of a part of the slots in `filter`, spread evenly; returns how many.
fn choose(filter: &[u64], estimates: &[f32], matching: usize, sample: &mut [f32; SAMPLE]) -> usize {
    let stride = matching.div_ceil(SAMPLE).next_power_of_two().min(LANES) as u32;
    // Every `stride`th bit; each word begins elsewhere, so that no period of the input is hit.
    let comb = if stride == 64 { 1 } else { u64::MAX / ((1 << stride) - 1) };
    let mut n = 0;
    for (i, &word) in filter.iter().enumerate() {
        let mut bits = word & comb.rotate_left(i as u32 * 29);
        while bits != 0 {
            let slot = i * LANES + bits.trailing_zeros() as usize;
            let (Some(place), Some(&estimate)) = (sample.get_mut(n), estimates.get(slot)) else {
                return n;
            };
            *place = estimate;
            n += 1;
            bits &= bits - 1;
        }
    }
    n
}

/// The second sieve: estimates what is in `filter` by the short codes, and lets some `wanted`
/// pass.
#[inline(never)]
pub(crate) fn look<'a>(
    short: &mut ShortProbe<'_>,
    wanted: usize,
    filter: &'a [u64],
    estimates: &'a mut [f32],
) -> Near<'a> {
    let mut n = 0;
    let mut batch = [0; BATCH];
    let mut len = 0;
    let mut flush = |batch: &[Slot]| {
        // The estimates of the sketches that stand there have served.
        if let Some(out) = estimates.get_mut(n..n + batch.len()) {
            short.distances(batch, out);
            n += batch.len();
        }
    };
    for (at, &word) in (0..).zip(filter) {
        let mut rest = word;
        while rest != 0 {
            batch[len] = at * 64 + rest.trailing_zeros();
            rest &= rest - 1;
            len += 1;
            if len == BATCH {
                flush(&batch);
                len = 0;
            }
        }
    }
    flush(&batch[..len]);
    let estimates = &estimates[..n];
    let mut bound = sketch::bound(estimates, wanted);
    // Copies of one vector take one place together, as in a walk's pool: 256 of what is not
    // quite the nearest must not keep out all that is.
    let ties = sketch::ties(estimates, bound);
    if ties > 1 {
        bound = sketch::bound(estimates, wanted * ties);
    }
    Near { filter, at: 0, word: filter.first().copied().unwrap_or(0), estimates, bound }
}
