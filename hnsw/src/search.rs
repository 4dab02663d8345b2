//! Search: the walk from the top, or a scan where that is cheaper, or both.
//!
//! The promise is `min(k, matching)` results: a walk over an unfiltered graph reaches every
//! live slot (see [`tree`](mod@crate::tree)), and a filtered walk that comes back with too few
//! is followed by a scan of the slots that match.
//!
//! What it must never do: change the graph, find a slot outside the filter, or come back with
//! fewer results than promised where the scratch has room for them.

use core::ops::Deref;

use crate::beam::{Batch, Pool, has_bit, key_distance, key_slot};
use crate::graph::Graph;
use crate::scratch::Scratch;
use crate::{Probe, Slot};

/// How many starts a walk brings down from the level above.
pub(crate) const UPPER_WIDTH: usize = 8;
/// How many slots are expanded above level 0, on each level: the nearest starts. Eight cost an
/// eighth of a search, and found no more.
const UPPER_BREADTH: usize = 4;

/// How to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Scan up to `scan_limit` matching slots, walk above.
    #[default]
    Auto,
    /// Walk whatever the size; of the filters only those that leave fewer slots than a walk
    /// would look at are scanned.
    Walk,
    /// Measure every matching slot.
    Scan,
}

/// What a search asks for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// How many results are wanted at least, if so many match.
    pub k: usize,
    /// Width of the walk: how many candidates it keeps. At least `k` are kept, at most what
    /// the scratch holds.
    pub ef: usize,
    /// How to look.
    pub mode: Mode,
    /// Up to how many matching slots a scan is taken to be faster than a walk.
    pub scan_limit: u32,
    /// One bit a slot, least significant first: only these are found. Bits of free slots
    /// do no harm; missing words count as zero.
    pub filter: Option<&'a [u64]>,
}

impl Scratch<'_> {
    /// The keys of the first `n` candidates of the last search (see [`beam`](crate::beam)),
    /// nearest first.
    #[must_use]
    pub fn keys(&self, n: usize) -> &[u64] {
        &self.pool[..n.min(self.pool.len())]
    }

    /// The first `n` candidates of the last search, nearest first.
    pub fn candidates(&self, n: usize) -> impl Iterator<Item = (Slot, f32)> + '_ {
        self.pool.iter().take(n).map(|&k| (key_slot(k), key_distance(k)))
    }
}

impl<B: Deref<Target = [u8]>> Graph<B> {
    /// Looks for the slots nearest by `probe`; returns how many candidates it left in the
    /// scratch (see [`Scratch::candidates`]): at least `min(k, matching)`, and `max(k, ef)`
    /// or, where some are tied, a few more; all limited by the scratch.
    pub fn search(
        &self,
        probe: &mut dyn Probe,
        request: &Request<'_>,
        scratch: &mut Scratch<'_>,
    ) -> usize {
        let ef = request.ef.max(request.k).min(scratch.max_ef());
        let matching = match request.filter {
            None => self.len() as usize,
            Some(filter) => {
                self.live().iter().zip(filter).map(|(a, b)| (a & b).count_ones() as usize).sum()
            }
        };
        if matching == 0 || ef == 0 {
            return 0;
        }
        let few = match request.mode {
            Mode::Auto => matching <= request.scan_limit as usize,
            Mode::Scan => true,
            Mode::Walk => false,
        };
        // A second hop shows a list's worth of lists: a filter sparser than that breaks the
        // graph apart, and one with fewer slots than a walk measures is cheaper to scan.
        let sparse = request.filter.is_some()
            && matching <= (4 * ef).max(self.len() as usize / self.layout.limit(0));
        if few || sparse {
            return self.scan(probe, request.filter, ef, scratch);
        }
        let found = self.walk_down(probe, request.filter, ef, scratch);
        if request.filter.is_some() && found < request.k.min(matching).min(ef) {
            return self.scan(probe, request.filter, ef, scratch);
        }
        found
    }

    fn walk_down(
        &self,
        probe: &mut dyn Probe,
        filter: Option<&[u64]>,
        ef: usize,
        scratch: &mut Scratch<'_>,
    ) -> usize {
        let visited = &mut *scratch.visited;
        let mut pool = Pool::new(scratch.pool);
        self.approach(0, probe, visited, &mut pool);
        if let Some(filter) = filter {
            // The starts that the filter does not let through are replaced by neighbours of
            // theirs that it does.
            let mut starts = [0; UPPER_WIDTH];
            let mut n = 0;
            // What is tied with them stays behind: it is to be found again.
            pool.resize(UPPER_WIDTH);
            pool.restart(visited);
            for (start, &key) in starts.iter_mut().zip(&*pool.keys()) {
                *start = key;
                n += 1;
            }
            pool.resize(0);
            pool.resize(ef);
            let mut batch = Batch::new();
            for &start in starts.iter().take(n) {
                if has_bit(filter, key_slot(start)) {
                    pool.offer(start);
                } else {
                    self.gather_matching(key_slot(start), filter, visited, &mut batch);
                    batch.flush(probe, &mut pool);
                }
            }
        }
        pool.resize(ef);
        self.walk(0, ef, filter, probe, visited, &mut pool);
        pool.len()
    }

    /// Walks the levels above `level` from the top with a narrow pool, and leaves what came
    /// nearest there as the starts of the next walk. In an empty graph that is nothing.
    ///
    /// The paper keeps one start. Where the points lie in tight heaps, one start ends in the
    /// wrong heap and a walk of that width never leaves it; a few starts cost a few dozen
    /// distances.
    pub(crate) fn approach(
        &self,
        level: u32,
        probe: &mut dyn Probe,
        visited: &mut [u64],
        pool: &mut Pool<'_>,
    ) {
        let top = self.lists(self.entry());
        if top == 0 {
            return;
        }
        let mut batch = Batch::new();
        batch.push(self.entry());
        batch.flush(probe, pool);
        for l in (level + 1..top).rev() {
            pool.restart(visited);
            self.walk(l, UPPER_BREADTH, None, probe, visited, pool);
        }
        pool.restart(visited);
    }

    /// Measures every live slot that matches; keeps the `ef` nearest.
    fn scan(
        &self,
        probe: &mut dyn Probe,
        filter: Option<&[u64]>,
        ef: usize,
        scratch: &mut Scratch<'_>,
    ) -> usize {
        let mut pool = Pool::new(scratch.pool);
        pool.resize(ef);
        let mut batch = Batch::new();
        for (i, &live) in self.live().iter().enumerate() {
            let mut word = live & filter.map_or(u64::MAX, |f| f.get(i).copied().unwrap_or(0));
            while word != 0 {
                batch.push(i as u32 * 64 + word.trailing_zeros());
                word &= word - 1;
                if batch.is_full() {
                    batch.flush(probe, &mut pool);
                }
            }
        }
        batch.flush(probe, &mut pool);
        pool.len()
    }
}
