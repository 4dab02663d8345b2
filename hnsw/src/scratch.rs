//! Memory that a walk works in, lent by the caller.
//!
//! A search reads the graph through `&self`; all that it writes is here, so that several
//! threads may search one graph, each with a scratch of its own.
//!
//! What it must never do: carry from one call to the next what a call relies on. A walk clears
//! the marks that it reads; only the last search's candidates may be asked for afterwards.

use crate::layout::{Layout, Params};
use crate::search::UPPER_WIDTH;

/// How many times `ef` the pool may grow where candidates are tied.
const TIED: u32 = 4;

/// Working memory for inserts, searches and [`verify`](crate::verify).
#[derive(Debug)]
pub struct Scratch<'a> {
    /// One bit a slot: seen in this walk, or not to be seen at all.
    pub(crate) visited: &'a mut [u64],
    /// The pool of candidates: see [`beam`](crate::beam) for the keys.
    pub(crate) pool: &'a mut [u64],
}

/// Words of one bitmap over `capacity` slots.
#[must_use]
pub const fn bitmap_words(capacity: u32) -> usize {
    capacity.div_ceil(64) as usize
}

impl<'a> Scratch<'a> {
    /// 64-bit words that [`Scratch::new`] needs for walks of at most `ef` candidates.
    ///
    /// Inserts walk with `ef_construction`, whatever `ef` is.
    #[must_use]
    #[inline(always)]
    pub const fn words(layout: &Layout, ef: u32) -> usize {
        layout.words() + Self::pool_words(layout, ef)
    }

    /// Room for `ef` candidates, and thrice as many again for those tied with them.
    #[inline(always)]
    const fn pool_words(layout: &Layout, ef: u32) -> usize {
        let Params { capacity, ef_construction, .. } = layout.params();
        let ef = if ef < ef_construction { ef_construction } else { ef };
        let wanted = TIED as u64 * ef as u64;
        UPPER_WIDTH + if wanted < capacity as u64 { wanted as usize } else { capacity as usize }
    }

    /// Divides `words` into the parts of a scratch; `None` if they are fewer than
    /// [`Scratch::words`] asks for with an `ef` of 1.
    #[must_use]
    #[inline(always)]
    pub fn new(layout: &Layout, words: &'a mut [u64]) -> Option<Self> {
        let (visited, pool) = words.split_at_mut_checked(layout.words())?;
        if pool.len() < Self::pool_words(layout, 1) {
            return None;
        }
        Some(Scratch { visited, pool })
    }

    /// The widest walk that this scratch can hold: one place is for the one that is put in order.
    #[must_use]
    pub fn max_ef(&self) -> usize {
        self.pool.len() - 1
    }
}
