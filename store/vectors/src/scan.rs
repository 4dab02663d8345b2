//! Scans: three sieves, each finer and dearer than the one before.
//!
//! The sketches of all that match let a few times as many pass as the search keeps (see
//! [`clawft_codes::sketch`]); the short codes of those let as many pass as it keeps; the full
//! codes of these rank the results. A sieve is a bound on the estimates, found by a sample or by
//! all of them: nothing is sorted but the results.
//!
//! Should the first sieve let too few pass, the scan gives up, and the search looks at everything.
//!
//! What it must never do: look at a slot outside the filter, which holds live ones only: the
//! zeros of a free lane would count as an estimate.

use clawft_codes::SketchQuery;
use clawft_codes::sketch::{self, LANES, MOST_BYTES};
use clawft_hnsw::{Probe, Slot};

use crate::layout::Section;
use crate::query::ShortProbe;
use crate::view::{Edit, View};

/// How many times the candidates that a search keeps pass the first sieve, where a sketch is only
/// the beginning of the short code: at least, and one for each [`PER_PASS`] bytes of that code.
const PASSES: usize = 8;
/// The less of a code a sketch is, the less it says of it.
const PER_PASS: usize = 8;
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

impl View<'_> {
    /// Is it faster to look at the sketches first?
    pub(crate) fn sketches_pay(&self, wanted: usize, matching: usize) -> bool {
        let slots = self.layout.params.capacity.next_multiple_of(LANES as u32) as usize;
        self.layout.sketch_bytes > 0 && matching > slots / LOOK + self.passes() * wanted
    }

    fn passes(&self) -> usize {
        let short = self.layout.span(Section::Short).entry;
        let is_whole = self.layout.sketch_bytes == short;
        if is_whole { PASSES_WHOLE } else { PASSES.max(short / PER_PASS) }
    }

    /// The first sieve: of the slots in `filter` some [`PASSES`] times `wanted` pass. Returns how
    /// many, at the beginning of `estimates`, as bits; `None` where there are too few, or too many
    /// for [`look`].
    ///
    /// `matching` bits are set; `estimates` has room for every slot.
    #[inline(never)]
    pub(crate) fn sift(
        &self,
        query: &SketchQuery,
        wanted: usize,
        matching: usize,
        filter: &[u64],
        estimates: &mut [f32],
    ) -> Option<usize> {
        self.estimate(query, filter, estimates);
        let mut sample = [0.0; SAMPLE];
        let n = sketch::choose(filter, matching, estimates, &mut sample);
        // Among the estimates of all there must be room for the slots of these, and for finer
        // estimates of them, with some to spare.
        let pass = (self.passes() * wanted).min((estimates.len() / 5 * 2).max(2 * wanted));
        let rank = (pass * n).div_ceil(matching.max(1));
        let bound = sketch::bound(&sample[..n], rank);
        let passed = sketch::pass(filter, bound, estimates);
        let enough = passed >= wanted.min(matching);
        (enough && passed <= estimates.len() / 2).then_some(passed)
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

/// The second sieve: estimates the `n` slots at the beginning of `estimates` by their short codes,
/// and lets some `wanted` pass: these, in order, with their estimates.
#[inline(never)]
pub(crate) fn look<'a>(
    short: &mut ShortProbe<'_>,
    wanted: usize,
    n: usize,
    estimates: &'a mut [f32],
) -> (&'a [Slot], &'a [f32]) {
    let (slots, estimates) = estimates.split_at_mut(n);
    let (slots, estimates) = (bytemuck::cast_slice_mut(slots), &mut estimates[..n]);
    short.distances(slots, estimates);
    let mut bound = sketch::bound(estimates, wanted);
    // Copies of one vector take one place together, as in a walk's pool: 256 of what is not
    // quite the nearest must not keep out all that is.
    let ties = sketch::ties(estimates, bound);
    if ties > 1 {
        bound = sketch::bound(estimates, wanted * ties);
    }
    let passed = sketch::keep(bound, slots, estimates);
    (&slots[..passed], &estimates[..passed])
}
