//! Scratch of searches and inserts.
//!
//! What: blocks, each with room for one row of floats, for hits, and for what the
//! image needs while it works. A small pool keeps them, so that several threads
//! can search one store at a time; WebAssembly has one.
//!
//! Why so: scratch grows when a query asks for a larger `k` or `ef` than before
//! and is kept, so a steady use allocates nothing. The block that is too small is
//! given back before the larger one is asked for: in a small region both would
//! not fit. If the larger one does not fit either, the old size is taken again,
//! so that smaller queries go on as before.
//!
//! What it must never do: allocate for a vector.

use core::ops::Deref;

use clawft_vectors::{Hit, Image, Layout, Scratch, SearchOptions, scratch_words};

use crate::arena::{self, ALIGN, Block};
use crate::error::Failed;
use crate::lock::Exclusive;

/// `ef` of a query that names none, until `clawft_set_ef`.
pub(crate) const DEFAULT_EF: usize = SearchOptions::new(1).ef;

/// Blocks that are kept: as many calls run at a time without an allocation.
const KEPT: usize = if cfg!(target_family = "wasm") { 1 } else { 16 };

/// The block: words for `ef`, `hits` hits, a row; each part begins aligned.
struct Workspace {
    block: Block,
    ef: usize,
    hits: usize,
    row: usize,
}

/// The parts of a block.
struct Parts<'a> {
    words: &'a mut [u64],
    hits: &'a mut [Hit],
    row: &'a mut [f32],
}

/// Bytes of `n` elements of `T`, up to the next part.
fn part<T>(n: usize) -> Option<usize> {
    n.checked_mul(size_of::<T>())?.checked_next_multiple_of(ALIGN)
}

/// Words for searches of at most `ef` candidates. No search keeps more than there
/// are vectors, so the cast loses nothing.
fn words(layout: &Layout, ef: usize) -> usize {
    scratch_words(layout, ef as u32)
}

impl Workspace {
    fn new(layout: &Layout, ef: usize, hits: usize, row: usize) -> Result<Self, Failed> {
        let bytes = || {
            part::<u64>(words(layout, ef))?
                .checked_add(part::<Hit>(hits)?)?
                .checked_add(part::<f32>(row)?)
        };
        match bytes() {
            Some(bytes) => Ok(Self { block: Block::new(bytes)?, ef, hits, row }),
            None => Err(arena::out_of_memory(u64::MAX, arena::usage().free)),
        }
    }

    fn is_enough(&self, ef: usize, hits: usize) -> bool {
        self.ef >= ef && self.hits >= hits
    }

    /// Nothing if the block were too small for its own numbers.
    fn split(&mut self, layout: &Layout) -> Option<Parts<'_>> {
        let n = words(layout, self.ef);
        let (words, rest) = self.block.split_at_mut_checked(part::<u64>(n)?)?;
        let (hits, rest) = rest.split_at_mut_checked(part::<Hit>(self.hits)?)?;
        let rest = rest.get_mut(..part::<f32>(self.row)?)?;
        // SAFETY: a block is 64-aligned and so is each part of it; the parts
        // hold so many elements (`part`), their bytes are set, and any bytes are
        // integers, floats, and hits, which consist of both.
        unsafe {
            Some(Parts {
                words: core::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), n),
                hits: core::slice::from_raw_parts_mut(hits.as_mut_ptr().cast(), self.hits),
                row: core::slice::from_raw_parts_mut(rest.as_mut_ptr().cast(), self.row),
            })
        }
    }
}

/// The pool of a store.
pub(crate) struct Scratches {
    dim: usize,
    pool: Exclusive<[Option<Workspace>; KEPT]>,
}

impl Scratches {
    /// A pool with one block, enough for inserts and usual queries.
    pub(crate) fn new<B: Deref<Target = [u8]>>(image: &Image<B>) -> Result<Self, Failed> {
        let dim = image.params().dim as usize;
        let ef = DEFAULT_EF.min(image.capacity() as usize);
        let mut pool = [const { None }; KEPT];
        pool[0] = Some(Workspace::new(image.layout(), ef, ef, dim)?);
        Ok(Self { dim, pool: Exclusive::new(pool) })
    }

    /// Calls `use_it` with scratch for `ef` candidates, room for `hits` hits and
    /// for a row of `dim` floats.
    pub(crate) fn lend<T>(
        &self,
        layout: &Layout,
        ef: usize,
        hits: usize,
        use_it: impl FnOnce(&mut Scratch<'_>, &mut [Hit], &mut [f32]) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let mut workspace = self.take(layout, ef, hits)?;
        let most = workspace.ef as u32;
        let result = match workspace.split(layout) {
            Some(parts) => match Scratch::new(layout, parts.words, most) {
                Ok(mut scratch) => use_it(&mut scratch, parts.hits, parts.row),
                Err(error) => Err(error.into()),
            },
            None => Err(arena::out_of_memory(0, 0)),
        };
        self.keep(workspace);
        result
    }

    /// A block that is large enough: of the pool, or new.
    fn take(&self, layout: &Layout, ef: usize, hits: usize) -> Result<Workspace, Failed> {
        let found = {
            let pool = &mut *self.pool.lock();
            let enough = |kept: &Option<Workspace>| {
                kept.as_ref().is_some_and(|kept| kept.is_enough(ef, hits))
            };
            let at = pool.iter().position(enough).or(pool.iter().position(Option::is_some));
            at.and_then(|at| pool[at].take())
        };
        let Some(found) = found else {
            return Workspace::new(layout, ef, hits, self.dim);
        };
        if found.is_enough(ef, hits) {
            return Ok(found);
        }
        let (old_ef, old_hits) = (found.ef, found.hits);
        drop(found);
        let larger = Workspace::new(layout, ef.max(old_ef), hits.max(old_hits), self.dim);
        if let Err(failed) = larger {
            if let Ok(again) = Workspace::new(layout, old_ef, old_hits, self.dim) {
                self.keep(again);
            }
            return Err(failed);
        }
        larger
    }

    fn keep(&self, workspace: Workspace) {
        if let Some(free) = self.pool.lock().iter_mut().find(|kept| kept.is_none()) {
            *free = Some(workspace);
        }
    }
}
