//! Range search: everything within a radius.
//!
//! A walk of width `ef` that finds something beyond the radius has most likely seen all within
//! it; one that does not is repeated with twice the width, until it holds everything. An
//! infinite radius is a search for the `k` nearest, in one walk.

use core::ops::Deref;

use clawft_hnsw::beam::{key_distance, key_slot};

use crate::Error;
use crate::image::Image;
use crate::scratch::Scratch;
use crate::search::{Hit, SearchOptions};

impl<B: Deref<Target = [u8]>> Image<B> {
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
        self.check_search(query, options, scratch)?;
        if radius.is_nan() {
            return Err(Error::Radius);
        }
        let most = options.k.min(self.len() as usize);
        if out.len() < most {
            return Err(Error::Output { expected: most, found: out.len() });
        }
        let is_range = radius < f32::INFINITY;
        let mut k = if is_range { most.min(32) } else { most };
        loop {
            let ef =
                if is_range { options.ef.max(2 * k).min(scratch.max_ef()) } else { options.ef };
            let n = self.rank(query, &SearchOptions { ef, ..*options }, k, scratch);
            let within =
                scratch.best[..n].iter().take_while(|&&k| key_distance(k) <= radius).count();
            if within < k || k == most {
                let ids = self.id_table();
                for (hit, &k) in out.iter_mut().zip(&scratch.best[..within]) {
                    *hit = Hit { id: ids.id(key_slot(k)), distance: key_distance(k) };
                }
                return Ok(within);
            }
            k = (2 * k).min(most);
        }
    }
}
