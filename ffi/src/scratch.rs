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

use clawft_vectors::{Hit, Image, Params, Scratch};

use crate::arena::{self, ALIGN, Block};
use crate::error::Failed;
use crate::lock::Exclusive;

/// `ef` of a query that names none, until `clawft_set_ef`.
pub(crate) const DEFAULT_EF: u32 = 64;

/// Blocks that are kept: as many calls run at a time without an allocation.
const KEPT: usize = if cfg!(target_family = "wasm") { 1 } else { 16 };

/// The block: a row, `hits` hits, the scratch for `ef`; each begins aligned.
struct Workspace {
    block: Block,
    ef: u32,
    hits: usize,
}

impl Workspace {
    fn new(params: &Params, ef: u32, hits: usize) -> Result<Self, Failed> {
        let bytes = hits
            .checked_mul(size_of::<Hit>())
            .and_then(|bytes| bytes.checked_next_multiple_of(ALIGN))
            .and_then(|bytes| bytes.checked_add(row_bytes(params)))
            .and_then(|bytes| bytes.checked_add(clawft_vectors::scratch_bytes(params, ef)));
        let Some(bytes) = bytes else {
            return Err(arena::out_of_memory(u64::MAX, arena::usage().free));
        };
        Ok(Self { block: Block::new(bytes)?, ef, hits })
    }

    fn is_enough(&self, ef: u32, hits: usize) -> bool {
        self.ef >= ef && self.hits >= hits
    }

    fn split(&mut self, params: &Params) -> Parts<'_> {
        let (row, rest) = self.block.split_at_mut(row_bytes(params));
        let (hits, scratch) =
            rest.split_at_mut((self.hits * size_of::<Hit>()).next_multiple_of(ALIGN));
        // SAFETY: a block is 64-aligned and so is each part of it; the parts
        // hold so many elements, their bytes are set, and any bytes are floats.
        let row = unsafe {
            core::slice::from_raw_parts_mut(row.as_mut_ptr().cast(), params.dim as usize)
        };
        // SAFETY: as above; a `Hit` is an integer and a float.
        let hits = unsafe { core::slice::from_raw_parts_mut(hits.as_mut_ptr().cast(), self.hits) };
        Parts { scratch, hits, row }
    }
}

fn row_bytes(params: &Params) -> usize {
    (params.dim as usize * size_of::<f32>()).next_multiple_of(ALIGN)
}

struct Parts<'a> {
    scratch: &'a mut [u8],
    hits: &'a mut [Hit],
    row: &'a mut [f32],
}

/// The pool of a store.
pub(crate) struct Scratches {
    pool: Exclusive<[Option<Workspace>; KEPT]>,
}

impl Scratches {
    /// A pool with one block, enough for inserts and usual queries.
    pub(crate) fn new<B: Deref<Target = [u8]>>(image: &Image<B>) -> Result<Self, Failed> {
        let params = image.params();
        let ef = DEFAULT_EF.max(params.ef_construction.into()).min(params.capacity);
        let mut pool = [const { None }; KEPT];
        pool[0] = Some(Workspace::new(&params, ef, ef as usize)?);
        Ok(Self { pool: Exclusive::new(pool) })
    }

    /// Calls `use_it` with scratch for `ef`, room for `hits` hits and for a row
    /// of `dim` floats.
    pub(crate) fn lend<T>(
        &self,
        params: &Params,
        ef: u32,
        hits: usize,
        use_it: impl FnOnce(&mut Scratch<&mut [u8]>, &mut [Hit], &mut [f32]) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let mut workspace = self.take(params, ef, hits)?;
        let capacity = workspace.ef;
        let Parts { scratch, hits: room, row } = workspace.split(params);
        let result = match Scratch::new(scratch, params, capacity) {
            Ok(mut scratch) => use_it(&mut scratch, &mut room[..hits], row),
            Err(error) => Err(error.into()),
        };
        self.keep(workspace);
        result
    }

    /// A block that is large enough: of the pool, or new.
    fn take(&self, params: &Params, ef: u32, hits: usize) -> Result<Workspace, Failed> {
        let found = {
            let pool = &mut *self.pool.lock();
            let enough = |kept: &Option<Workspace>| {
                kept.as_ref().is_some_and(|kept| kept.is_enough(ef, hits))
            };
            let at = pool.iter().position(enough).or(pool.iter().position(Option::is_some));
            at.and_then(|at| pool[at].take())
        };
        let Some(found) = found else { return Workspace::new(params, ef, hits) };
        if found.is_enough(ef, hits) {
            return Ok(found);
        }
        let (old_ef, old_hits) = (found.ef, found.hits);
        drop(found);
        let larger = Workspace::new(params, ef.max(old_ef), hits.max(old_hits));
        if larger.is_err()
            && let Ok(again) = Workspace::new(params, old_ef, old_hits)
        {
            self.keep(again);
        }
        larger
    }

    fn keep(&self, workspace: Workspace) {
        if let Some(free) = self.pool.lock().iter_mut().find(|kept| kept.is_none()) {
            *free = Some(workspace);
        }
    }
}
