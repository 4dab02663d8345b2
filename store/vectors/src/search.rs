//! Search in two stages: candidates by the graph, results by the full codes.

use core::ops::Deref;

use clawft_hnsw::beam::{key, key_distance};
use clawft_hnsw::{Probe, Request, Slot};

use crate::Error;
use crate::codes::BATCH;
use crate::image::Image;
use crate::query::{self, Query, ShortProbe};
use crate::scan;
use crate::scratch::Scratch;

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
    /// Candidates that are kept; below `k` it counts as `k`. More find more and take longer.
    pub ef: usize,
    /// How to look.
    pub mode: Mode,
    /// Only these ids are found; unknown ones do no harm.
    pub filter: Option<&'a [u64]>,
    /// Only these slots are found, a bit for each, as [`Image::slot`] numbers them; those that
    /// the bits do not reach are not. In the place of `filter`, if both are there.
    pub slots: Option<&'a [u64]>,
}

impl SearchOptions<'_> {
    /// `k` results with the default `ef` of 200.
    #[must_use]
    pub const fn new(k: usize) -> Self {
        SearchOptions { k, ef: 200, mode: Mode::Auto, filter: None, slots: None }
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
        scratch.check(&self.layout)?;
        query::check(self.params.metric, self.layout.dim, query)?;
        let codes = self.codes();
        let query = Query::new(&codes, query, &mut scratch.query);
        query.full_probe(codes).distances(slots, out);
        Ok(())
    }

    /// Could `query` be searched for, or stored?
    ///
    /// # Errors
    /// [`Error::Dimension`], [`Error::NotFinite`], [`Error::ZeroVector`].
    pub fn check_vector(&self, query: &[f32]) -> Result<(), Error> {
        query::check(self.params.metric, self.layout.dim, query)
    }

    pub(crate) fn check_search(
        &self,
        query: &[f32],
        options: &SearchOptions<'_>,
        scratch: &Scratch<'_>,
    ) -> Result<(), Error> {
        scratch.check(&self.layout)?;
        self.check_vector(query)?;
        if options.k == 0 {
            return Err(Error::ZeroK);
        }
        let len = self.len() as usize;
        let wanted = options.k.max(options.ef).min(len);
        if wanted > scratch.max_ef() {
            let ef = wanted as u32;
            let expected = crate::scratch_words(&self.layout, ef);
            let found = crate::scratch_words(&self.layout, scratch.max_ef() as u32);
            return Err(Error::Scratch { expected, found });
        }
        Ok(())
    }

    /// Leaves the keys of the `k` best in `scratch.best`; returns how many there are.
    pub(crate) fn rank(
        &self,
        query: &[f32],
        options: &SearchOptions<'_>,
        k: usize,
        scratch: &mut Scratch<'_>,
    ) -> usize {
        let codes = self.codes();
        let filtered = self.fill_filter(options, scratch.filter);
        let query = Query::new(&codes, query, &mut scratch.query);
        let graph = self.graph();
        let wanted = k.max(options.ef);
        let limit = u64::from(self.params.scan_limit_in_force()) * wanted as u64 / 64;
        let limit = limit.min(u64::from(u32::MAX)) as u32;
        let best = &mut scratch.best[..k];
        let mut full = query.full_probe(codes);
        let mut short = query.short_probe(codes).filter(|_| options.mode != Mode::Exact);
        if let Some(short) = &mut short
            && options.mode != Mode::Walk
        {
            if !filtered {
                scratch.filter.copy_from_slice(graph.live());
            }
            let matching = scratch.filter.iter().map(|word| word.count_ones()).sum::<u32>();
            let few = options.mode == Mode::Scan || matching <= limit;
            let matching = matching as usize;
            let (filter, estimates) = (&mut *scratch.filter, &mut *scratch.estimates);
            let sketches = codes.sketches();
            if few && sketches.pays(wanted, matching) {
                if sketches.sift(&query.sketch, wanted, matching, filter, estimates) {
                    let mut near = scan::look(short, wanted, filter, estimates);
                    return rerank(short, &mut full, &mut near, best);
                }
                self.fill_filter(options, filter);
            }
        }
        let request = Request {
            k,
            ef: if options.mode == Mode::Exact { k } else { options.ef },
            mode: match options.mode {
                Mode::Auto => clawft_hnsw::Mode::Auto,
                Mode::Walk => clawft_hnsw::Mode::Walk,
                Mode::Scan | Mode::Exact => clawft_hnsw::Mode::Scan,
            },
            scan_limit: limit,
            filter: filtered.then_some(&*scratch.filter),
        };
        let Some(mut short) = short else {
            let n = graph.search(&mut full, &request, &mut scratch.graph).min(k);
            for (best, key) in best.iter_mut().zip(scratch.graph.keys(n)) {
                *best = key & !1;
            }
            return n;
        };
        let n = graph.search(&mut short, &request, &mut scratch.graph);
        let mut near = scratch.graph.candidates(n);
        rerank(&short, &mut full, &mut near, best)
    }

    /// Sets the bits of what may be found; is that not everything?
    fn fill_filter(&self, options: &SearchOptions<'_>, filter: &mut [u64]) -> bool {
        let graph = self.graph();
        let hidden = self.stats().hidden > 0;
        match (options.slots, options.filter) {
            (None, None) if !hidden => return false,
            (None, None) => filter.copy_from_slice(graph.live()),
            (Some(slots), _) => {
                let slots = slots.iter().chain(core::iter::repeat(&0));
                for ((word, live), slots) in filter.iter_mut().zip(graph.live()).zip(slots) {
                    *word = live & slots;
                }
            }
            (None, Some(ids)) => {
                filter.fill(0);
                let table = self.id_table();
                // Ids of the table are live.
                for slot in ids.iter().filter_map(|&id| table.slot(id)) {
                    filter[slot as usize / 64] |= 1 << (slot % 64);
                }
            }
        }
        if hidden {
            for (word, hidden) in filter.iter_mut().zip(self.hidden_bits()) {
                *word &= !hidden;
            }
        }
        true
    }
}

/// Ranks the candidates, best sorted by estimate, by their full codes; fills `best` and returns how
/// many there are. A candidate whose estimate is beyond the worst of a full `best` for all
/// that its error allows is not looked at.
fn rerank(
    short: &ShortProbe<'_>,
    full: &mut dyn Probe,
    candidates: &mut dyn Iterator<Item = (Slot, f32)>,
    best: &mut [u64],
) -> usize {
    let mut n = 0;
    let mut distances = [0.0; BATCH];
    let mut slots = [0; BATCH];
    loop {
        // The first batch fills the places; the later ones are short, so that the worst place
        // improves while it still can spare a look.
        let wanted = if n < best.len() { BATCH } else { BATCH / 4 };
        let mut batch = 0;
        for (slot, estimate) in &mut *candidates {
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
    if *n == best.len() {
        if key >= best[*n - 1] {
            return;
        }
        *n -= 1;
    }
    let at = best[..*n].partition_point(|&b| b < key);
    best.copy_within(at..*n, at + 1);
    best[at] = key;
    *n += 1;
}
