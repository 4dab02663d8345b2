//! Search in two stages: candidates by the graph, results by the full codes.
//!
//! One bit a dimension says which to look at, and not which is nearest
//! (`docs/adr/0023-codes-in-two-stages.md`).
//!
//! What it must never do: return a distance that is an estimate, find what is marked as deleted
//! or outside the filter, or write to the image.

use core::ops::Deref;

use clawft_hnsw::beam::{key, key_distance, key_slot};
use clawft_hnsw::{Probe, Request, Slot};

use crate::header::Field;
use crate::image::Image;
use crate::layout::Section;
use crate::measure::BATCH;
use crate::query::{FullProbe, Query, ShortProbe};
use crate::scan;
use crate::scratch::Scratch;
use crate::view::View;
use crate::{Error, Params};

/// A result.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hit {
    /// The caller's id.
    pub id: u64,
    /// The distance by the full code; see [`Metric`](crate::Metric).
    pub distance: f32,
}

/// How to look for candidates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// A scan where the candidates are few, else a walk.
    #[default]
    Auto,
    /// A walk, whatever their number.
    Walk,
    /// A scan of the short codes (of the full ones, where there are no short ones).
    Scan,
    /// The full codes of every vector.
    Exact,
}

/// What a search asks for.
#[derive(Clone, Copy, Debug)]
pub struct SearchOptions<'a> {
    /// Results wanted, from 1. As many are found, if so many vectors may be.
    pub k: usize,
    /// Candidates that are kept; it counts as at least `k`, and with short codes twice `k`: see
    /// [`width`](Self::width). More find more and take longer.
    pub ef: usize,
    /// How to look.
    pub mode: Mode,
    /// Only these ids are found; unknown ones do no harm.
    pub filter: Option<&'a [u64]>,
    /// Only these slots are found, a bit for each, as [`Image::slot`] numbers them; those that
    /// the bits do not reach are not. In the place of `filter`, if both are there.
    pub slots: Option<&'a [u64]>,
}

/// Of short codes at least so many times the results wanted are ranked by their full codes: of what is
/// only just among the nearest, one bit a dimension says too little.
const RANKED: usize = 2;

impl SearchOptions<'_> {
    /// `k` results with the default `ef` of 200.
    #[must_use]
    pub const fn new(k: usize) -> Self {
        SearchOptions { k, ef: 200, mode: Mode::Auto, filter: None, slots: None }
    }

    /// Candidates that a search of such an image keeps, where its scratch has room for them and so
    /// many vectors are there.
    #[must_use]
    pub fn width(&self, params: &Params) -> usize {
        let by_short = params.is_short() && self.mode != Mode::Exact;
        self.ef.max(if by_short { self.k.saturating_mul(RANKED) } else { self.k })
    }
}

impl<B: Deref<Target = [u8]>> Image<B> {
    /// Finds the vectors nearest to `query`; writes them nearest first and returns how many.
    ///
    /// # Errors
    /// [`Error::Dimension`], [`Error::NotFinite`], [`Error::ZeroVector`], [`Error::ZeroK`];
    /// [`Error::Scratch`] where `k` or `ef` is beyond the scratch; [`Error::Output`] where
    /// `out` has no room for `min(k, len)` results.
    pub fn search(
        &self,
        query: &[f32],
        options: &SearchOptions<'_>,
        scratch: &mut Scratch<'_>,
        out: &mut [Hit],
    ) -> Result<usize, Error> {
        self.search_range(query, f32::INFINITY, options, scratch, out)
    }

    /// Writes the distances of `query` from what is in `slots`, by the full codes: those that a
    /// search finds. What it writes for a slot that is free means nothing.
    ///
    /// # Errors
    /// Those of [`Image::search`] for the query and the scratch.
    pub fn distances(
        &self,
        query: &[f32],
        slots: &[u32],
        scratch: &mut Scratch<'_>,
        out: &mut [f32],
    ) -> Result<(), Error> {
        let view = self.view();
        view.check(query, scratch)?;
        let query = Query::new(view, query, &mut scratch.query);
        query.full_probe(view).distances(slots, out);
        for distance in out {
            *distance = view.layout.params.metric.told(*distance);
        }
        Ok(())
    }

    /// Could `query` be searched for?
    ///
    /// # Errors
    /// [`Error::Dimension`], [`Error::NotFinite`], [`Error::ZeroVector`].
    pub fn check_vector(&self, query: &[f32]) -> Result<(), Error> {
        crate::query::check(&self.layout.params, query)
    }

    /// Could `vector` be stored?
    ///
    /// # Errors
    /// Those of [`check_vector`](Self::check_vector).
    pub fn check_to_store(&self, vector: &[f32]) -> Result<(), Error> {
        self.check_vector(vector)?;
        self.view().holds(vector)
    }

    /// Finds the vectors within `radius` of `query`, at most `options.k`, nearest first;
    /// returns how many it wrote. As many as `k` means that there may be more.
    ///
    /// # Errors
    /// As [`Image::search`]; [`Error::Radius`] for NaN.
    pub fn search_range(
        &self,
        query: &[f32],
        radius: f32,
        options: &SearchOptions<'_>,
        scratch: &mut Scratch<'_>,
        out: &mut [Hit],
    ) -> Result<usize, Error> {
        self.view().search_range(query, radius, options, true, scratch, out)
    }

    /// Finds for each of `rows` what [`search_range`](Self::search_range) finds, and lets `take` have the
    /// results. The filter is read once.
    ///
    /// # Errors
    /// Those of [`search_range`](Self::search_range), at the first row that has one.
    pub fn search_rows<'q>(
        &self,
        rows: impl Iterator<Item = &'q [f32]>,
        radius: f32,
        options: &SearchOptions<'_>,
        scratch: &mut Scratch<'_>,
        out: &mut [Hit],
        mut take: impl FnMut(&[Hit]),
    ) -> Result<(), Error> {
        let mut is_first = true;
        for row in rows {
            let n = self.view().search_range(row, radius, options, is_first, scratch, out)?;
            take(out.get(..n).unwrap_or_default());
            is_first = false;
        }
        Ok(())
    }
}

impl View<'_> {
    /// Leaves the keys of the `k` best in `scratch.best`, of those in `scratch.filter` if there is one;
    /// returns how many there are.
    pub(crate) fn rank(
        self,
        query: &[f32],
        options: &SearchOptions<'_>,
        is_filtered: bool,
        scratch: &mut Scratch<'_>,
    ) -> usize {
        let SearchOptions { k, mut ef, mode, .. } = *options;
        let query = Query::new(self, query, &mut scratch.query);
        let graph = self.graph();
        let wanted = k.max(ef);
        let limit = u64::from(self.layout.params.scan_limit_in_force()) * wanted as u64 / 64;
        let limit = limit.min(u64::from(u32::MAX)) as u32;
        let best = scratch.best.get_mut(..k).unwrap_or_default();
        let mut full = query.full_probe(self);
        let mut short = query.short_probe(self);
        let mut by_short = self.layout.params.is_short() && mode != Mode::Exact;
        let mut is_exact = mode == Mode::Exact;
        if by_short && mode != Mode::Walk {
            let filter = if is_filtered { &*scratch.filter } else { graph.live() };
            let mut matching = 0;
            for word in filter {
                matching += word.count_ones();
            }
            let (matching, few) = (matching as usize, mode == Mode::Scan || matching <= limit);
            let estimates = &mut *scratch.estimates;
            if few
                && self.sketches_pay(wanted, matching)
                && let Some(n) = self.sift(&query.sketch, wanted, matching, filter, estimates)
            {
                let (slots, estimates) = scan::look(&mut short, wanted, n, estimates);
                let candidates = Candidates::Sifted(slots, estimates);
                return rerank(&short, &mut full, candidates, best);
            }
            // Of no more than are kept each would be looked at twice.
            is_exact = matching <= wanted;
            by_short = !is_exact;
        }
        if is_exact {
            ef = k;
        }
        let request = Request {
            k,
            ef,
            mode: match mode {
                _ if is_exact => clawft_hnsw::Mode::Scan,
                Mode::Auto => clawft_hnsw::Mode::Auto,
                Mode::Walk => clawft_hnsw::Mode::Walk,
                Mode::Scan | Mode::Exact => clawft_hnsw::Mode::Scan,
            },
            scan_limit: limit,
            filter: is_filtered.then_some(&*scratch.filter),
        };
        let probe: &mut dyn Probe = if by_short { &mut short } else { &mut full };
        let n = graph.search(probe, &request, &mut scratch.graph);
        if by_short {
            return rerank(&short, &mut full, Candidates::Keys(scratch.graph.keys(n)), best);
        }
        let keys = scratch.graph.keys(n.min(k));
        for (best, key) in best.iter_mut().zip(keys) {
            *best = key & !1;
        }
        keys.len()
    }

    /// Sets the bits of what may be found, if it `is_first` to ask for them; is that not everything?
    #[inline(never)]
    pub(crate) fn fill_filter(
        &self,
        options: &SearchOptions<'_>,
        is_first: bool,
        filter: &mut [u64],
    ) -> bool {
        let has_marks = self.header(Field::Hidden) > 0;
        let is_filtered = has_marks || options.slots.is_some() || options.filter.is_some();
        if !(is_filtered && is_first) {
            return is_filtered;
        }
        match (options.slots, options.filter) {
            (None, None) => filter.copy_from_slice(self.graph().live()),
            (Some(slots), _) => {
                let slots = slots.iter().chain(core::iter::repeat(&0));
                for ((word, live), slots) in filter.iter_mut().zip(self.graph().live()).zip(slots) {
                    *word = live & slots;
                }
            }
            (None, Some(ids)) => {
                filter.fill(0);
                let table = self.ids();
                for &id in ids {
                    // Ids of the table are live.
                    if let Some(slot) = table.slot(id)
                        && let Some(word) = filter.get_mut(slot as usize / 64)
                    {
                        *word |= 1 << (slot % 64);
                    }
                }
            }
        }
        if has_marks {
            for (word, marks) in filter.iter_mut().zip(self.numbers::<u64>(Section::Hidden)) {
                *word &= !marks;
            }
        }
        true
    }
}

/// Candidates with their estimates.
enum Candidates<'a> {
    /// As a walk leaves them.
    Keys(&'a [u64]),
    /// As the sieves of a scan leave them.
    Sifted(&'a [Slot], &'a [f32]),
}

impl Candidates<'_> {
    #[inline(always)]
    fn get(&self, at: usize) -> Option<(Slot, f32)> {
        match self {
            Self::Keys(keys) => keys.get(at).map(|&key| (key_slot(key), key_distance(key))),
            Self::Sifted(slots, estimates) => Some((*slots.get(at)?, *estimates.get(at)?)),
        }
    }
}

/// Ranks the candidates, best sorted by estimate, by their full codes; fills `best` and returns how
/// many there are. A candidate whose estimate is beyond the worst of a full `best` for all
/// that its error allows is not looked at.
#[inline(never)]
fn rerank(
    short: &ShortProbe<'_>,
    full: &mut FullProbe<'_>,
    candidates: Candidates<'_>,
    best: &mut [u64],
) -> usize {
    let (mut n, mut at) = (0, 0);
    let mut distances = [0.0; BATCH];
    let mut slots = [0; BATCH];
    loop {
        // The first batch fills the places; the later ones are short, so that the worst place
        // improves while it still can spare a look.
        let wanted = if n < best.len() { BATCH } else { BATCH / 4 };
        let mut batch = 0;
        while let Some((slot, estimate)) = candidates.get(at) {
            at += 1;
            if n == best.len() && short.is_beyond(slot, estimate, key_distance(best[n - 1])) {
                continue;
            }
            slots[batch] = slot;
            batch += 1;
            if batch == wanted {
                break;
            }
        }
        if batch == 0 {
            return n;
        }
        full.distances(&slots[..batch], &mut distances[..batch]);
        for (&slot, &distance) in slots[..batch].iter().zip(&distances) {
            offer(best, &mut n, key(distance, slot));
        }
    }
}

/// Puts `key` among the first `n` of `best`, which are in order, if it belongs there.
fn offer(best: &mut [u64], n: &mut usize, key: u64) {
    if *n < best.len() {
        *n += 1;
    } else if best.last().is_none_or(|&last| last <= key) {
        return;
    }
    // The last of them is a place that is free, or that of one that leaves.
    let Some(places) = best.get_mut(..*n) else { return };
    for i in (1..places.len()).rev() {
        if places[i - 1] < key {
            places[i] = key;
            return;
        }
        places[i] = places[i - 1];
    }
    places[0] = key;
}
