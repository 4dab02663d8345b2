//! Scratch of searches and inserts.
//!
//! What: blocks, each with room for one row of floats, for hits, and for what the
//! image needs while it works. A small pool keeps them, so that several threads
//! can search one store at a time; WebAssembly has one.
//!
//! Why: scratch grows when a query asks for a larger `k` or `ef` than before
//! and is kept, so a steady use allocates nothing. The block that is too small is
//! given back before the larger one is asked for: in a small region both would
//! not fit. If the larger one does not fit either, the old size is taken again,
//! so that smaller queries go on as before.
//!
//! What it must never do: allocate for a vector.

use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::slice;

use clawft_vectors::{
    Error as StoreError, Hit, Image, Layout, Scratch, SearchOptions, scratch_words,
};

use crate::arena::{ALIGN, Block};
use crate::error::Failed;
use crate::lock::Exclusive;

/// `ef` of a query that names none, until `clawft_set_ef`.
pub(crate) const DEFAULT_EF: usize = SearchOptions::new(1).ef;
const _: () = assert!(DEFAULT_EF == 200, "the header and docs/abi.md say 200");

/// Blocks that are kept: as many calls run at a time without an allocation.
const KEPT: usize = if cfg!(target_family = "wasm") { 1 } else { 16 };

/// A block: its [`Shape`], words for `ef`, `hits` hits, a row; each part begins aligned.
struct Workspace(Block);

/// What stands at the beginning of a workspace: so one of them is one pointer to whoever
/// passes it on.
#[derive(Copy, Clone)]
struct Shape {
    ef: usize,
    hits: usize,
    /// Where the parts after the first begin, in bytes.
    hits_at: usize,
    row_at: usize,
}

/// Where the words begin, in bytes.
const WORDS_AT: usize = ALIGN;
const _: () = assert!(size_of::<Shape>() <= WORDS_AT && align_of::<Shape>() <= ALIGN);

/// Bytes of `n` elements of `T`, up to the next part. No search keeps more than there
/// are vectors and no row has more than 8,192 floats, so 64 bits hold any sum of these.
const fn part<T>(n: usize) -> u64 {
    (n as u64 * size_of::<T>() as u64).next_multiple_of(ALIGN as u64)
}

/// Words for searches of at most `ef` candidates: not more than there are vectors, so
/// the cast loses nothing.
fn words(layout: &Layout, ef: usize) -> usize {
    scratch_words(layout, ef as u32)
}

impl Workspace {
    #[inline(never)]
    fn new(layout: &Layout, ef: usize, hits: usize, dim: usize) -> Result<Self, Failed> {
        let hits_at = WORDS_AT as u64 + part::<u64>(words(layout, ef));
        let row_at = hits_at + part::<Hit>(hits);
        let mut block = Block::new(row_at + part::<f32>(dim))?;
        // The block is there, so what is inside it fits.
        let (hits_at, row_at) = (hits_at as usize, row_at as usize);
        // SAFETY: the block is longer than `WORDS_AT` and aligned to 64 bytes.
        unsafe { block.as_mut_ptr().cast::<Shape>().write(Shape { ef, hits, hits_at, row_at }) };
        Ok(Self(block))
    }

    fn shape(&self) -> Shape {
        // SAFETY: `new` wrote it there, and nobody else writes to that part.
        unsafe { self.0.as_ptr().cast::<Shape>().read() }
    }

    fn is_enough(&self, ef: usize, hits: usize) -> bool {
        let shape = self.shape();
        shape.ef >= ef && shape.hits >= hits
    }
}

/// What a call works in: scratch, and places for hits and for a row.
pub(crate) struct Parts<'a> {
    pub(crate) scratch: Scratch<'a>,
    pub(crate) hits: &'a mut [Hit],
    pub(crate) row: &'a mut [f32],
}

/// A block on loan from the pool, in its parts; dropped, it is there again.
pub(crate) struct Lent<'a> {
    scratches: &'a Scratches,
    workspace: ManuallyDrop<Workspace>,
    /// Of the workspace, so nothing of it may be seen for longer than this is there.
    parts: Parts<'a>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        // SAFETY: nobody uses it after this.
        self.scratches.keep(unsafe { ManuallyDrop::take(&mut self.workspace) });
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

    /// Scratch for `ef` candidates, with room for `hits` hits and for a row of `dim`
    /// floats, lent as long as `place` is there. The parts are made where they are used
    /// from: they are large, and each copy of them would weigh.
    #[inline(never)]
    pub(crate) fn lend<'p, 'a: 'p>(
        &'a self,
        place: &'p mut Option<Lent<'a>>,
        layout: &Layout,
        ef: usize,
        hits: usize,
    ) -> Result<&'p mut Parts<'p>, Failed> {
        let mut workspace = self.take(layout, ef, hits)?;
        // With the `ef` that was asked for, not that of a larger block: what a pool holds beyond it
        // would hang on earlier calls.
        let Shape { hits, hits_at, row_at, .. } = workspace.shape();
        let base = workspace.0.as_mut_ptr();
        // SAFETY: the block was made for so many elements in each part (`new`), and lies
        // still until the loan is dropped. It is 64-aligned and so is each part, the
        // bytes are set, and any bytes are integers, floats, and hits, which consist
        // of both.
        let (words, hits, row) = unsafe {
            (
                slice::from_raw_parts_mut(
                    base.add(WORDS_AT).cast(),
                    (hits_at - WORDS_AT) / size_of::<u64>(),
                ),
                slice::from_raw_parts_mut(base.add(hits_at).cast(), hits),
                slice::from_raw_parts_mut(base.add(row_at).cast(), self.dim),
            )
        };
        let found = words.len();
        let Some(scratch) = Scratch::new(layout, words, ef.max(1) as u32) else {
            // Not seen: `new` made room for what this layout asks for.
            let expected = self::words(layout, ef);
            return Err(StoreError::Scratch { expected, found }.into());
        };
        let workspace = ManuallyDrop::new(workspace);
        let parts = Parts { scratch, hits, row };
        let lent = place.insert(Lent { scratches: self, workspace, parts });
        let parts = &raw mut lent.parts;
        // SAFETY: borrowed from `place` and shortened to that borrow, so that no part can be
        // taken out for longer than the loan; the drop above looks at none of them.
        Ok(unsafe { &mut *parts.cast() })
    }

    /// A block that is large enough: of the pool, or new.
    #[inline(never)]
    fn take(&self, layout: &Layout, ef: usize, hits: usize) -> Result<Workspace, Failed> {
        let found = {
            let pool = &mut *self.pool.lock();
            let enough = |kept: &Option<Workspace>| {
                kept.as_ref().is_some_and(|kept| kept.is_enough(ef, hits))
            };
            let best = || pool.iter().position(enough).or(pool.iter().position(Option::is_some));
            // One that is kept alone is the best.
            let at = if KEPT == 1 { Some(0) } else { best() };
            at.and_then(|at| pool[at].take())
        };
        let Some(found) = found else {
            return Workspace::new(layout, ef, hits, self.dim);
        };
        if found.is_enough(ef, hits) {
            return Ok(found);
        }
        let Shape { ef: old_ef, hits: old_hits, .. } = found.shape();
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

    #[inline(never)]
    fn keep(&self, workspace: Workspace) {
        if let Some(free) = self.pool.lock().iter_mut().find(|kept| kept.is_none()) {
            *free = Some(workspace);
        }
    }
}
