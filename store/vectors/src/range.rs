//! Range search: everything within a radius.
//!
//! A walk of width `ef` that finds something beyond the radius has most likely seen all within
//! it; one that does not is repeated with four times the width, until it holds everything. An
//! infinite radius is a search for the `k` nearest, in one walk.
//!
//! What it must never do: compare the radius with an estimate. Only distances by full codes say
//! what is within.

use clawft_hnsw::beam::{key_distance, key_slot};

use crate::Error;
use crate::scratch::Scratch;
use crate::search::{Hit, SearchOptions};
use crate::view::View;

impl View<'_> {
    /// See [`Image::search_range`](crate::Image::search_range). For a row that is not the first, what may be
    /// found is in the scratch already.
    #[inline(never)]
    pub(crate) fn search_range(
        self,
        query: &[f32],
        radius: f32,
        options: &SearchOptions<'_>,
        is_first: bool,
        scratch: &mut Scratch<'_>,
        out: &mut [Hit],
    ) -> Result<usize, Error> {
        self.check(query, scratch)?;
        if options.k == 0 {
            return Err(Error::ZeroK);
        }
        if radius.is_nan() {
            return Err(Error::Radius);
        }
        let (len, max_ef) = (self.len() as usize, scratch.max_ef());
        let wanted = options.k.max(options.ef).min(len);
        if wanted > max_ef {
            let words = |ef: usize| crate::scratch_words(self.layout, ef as u32);
            return Err(Error::Scratch { expected: words(wanted), found: words(max_ef) });
        }
        let most = options.k.min(len);
        if out.len() < most {
            return Err(Error::Output { expected: most, found: out.len() });
        }
        let is_filtered = self.fill_filter(options, is_first, scratch.filter);
        let is_range = radius < f32::INFINITY;
        let mut k = if is_range { most.min(32) } else { most };
        loop {
            let options = SearchOptions { k, ..*options };
            let ef = options.width(&self.layout.params).max(if is_range { 2 * k } else { 0 });
            let options = SearchOptions { ef: ef.min(max_ef), ..options };
            let n = self.rank(query, &options, is_filtered, scratch);
            let (best, mut within) = (&scratch.best[..n], 0);
            let distance = |key: u64| self.layout.params.metric.told(key_distance(key));
            while within < n && distance(best[within]) <= radius {
                within += 1;
            }
            if within < k || k == most {
                let ids = self.ids();
                for (hit, &key) in out.iter_mut().zip(&best[..within]) {
                    *hit = Hit { id: ids.id(key_slot(key)), distance: distance(key) };
                }
                return Ok(within);
            }
            k = (4 * k).min(most);
        }
    }
}
