//! The exports that change a store's vectors.
//!
//! Every one of them is whole: it happens, or the store is as it was. Batches are
//! whole for each vector, and say how many went in.
//!
//! Why: what is removed cannot be brought back, so with `replace_deleted` a marked vector
//! goes only after the new one is in. A full store must remove first; it says `Full` only of a
//! vector that it would take if it had room.
//!
//! What it must never do: remove a marked vector for one that is then refused.

use clawft_vectors::{Error as StoreError, Image, Scratch};

use crate::arena::Block;
use crate::error::{Failed, done, status};
use crate::handle;
use crate::pointer::{self, Output};
use crate::store::Store;

impl Store {
    fn remove(&mut self, id: u64) -> Result<(), Failed> {
        let mut lent = None;
        let parts = self.scratches.lend(&mut lent, self.image.layout(), 1, 0)?;
        done(&self.image.remove(id, &mut parts.scratch))
    }
}

/// Inserts, or upserts. With `replace_deleted` a vector under a new id also removes one that is
/// marked as deleted, if there is one: the order in which it does so leaves the store as it
/// was on every error.
fn put_one(
    image: &mut Image<Block>,
    (id, vector): (u64, &[f32]),
    replace: bool,
    replace_deleted: bool,
    scratch: &mut Scratch<'_>,
) -> Result<(), Failed> {
    // What takes the place of its own id takes no other.
    let mut replace_deleted = replace_deleted && !image.contains(id);
    loop {
        let inserted = if replace {
            image.upsert(id, vector, scratch)
        } else {
            image.insert(id, vector, scratch)
        };
        let full = matches!(inserted, Err(StoreError::Full { .. }));
        if replace_deleted
            && (full || inserted.is_ok())
            && let Some(marked) = image.first_hidden()
        {
            done(&image.remove(marked, scratch))?;
            if full {
                // Now there is room, and one was removed.
                replace_deleted = false;
                continue;
            }
        }
        return done(&inserted);
    }
}

/// Puts `n` vectors in, and their number into `out_done`. `replace`: in the place of
/// what has these ids.
///
/// # Safety
/// As [`clawft_insert_batch`].
#[inline(never)]
unsafe fn put(
    handle: u32,
    ids: *const u64,
    vectors: *const f32,
    n: u32,
    dim: u32,
    out_done: *mut u32,
    replace: bool,
) -> i32 {
    let put = || {
        let store = &mut *handle::write(handle)?;
        // SAFETY: the caller's promise.
        let out = unsafe { Output::one("out_done", out_done) }?;
        // SAFETY: the caller's promise.
        let ids = unsafe { pointer::input("ids", ids, n as usize) }?;
        // SAFETY: the caller's promise.
        let rows = unsafe { pointer::rows("vector", vectors, n.into(), dim) }?;
        store.check_dim(dim)?;
        let mut lent = None;
        let parts = store.scratches.lend(&mut lent, store.image.layout(), 1, 0)?;
        let (image, scratch) = (&mut store.image, &mut parts.scratch);
        let mut count = 0;
        let mut result = Ok(());
        for (&id, row) in ids.iter().zip(rows.chunks_exact(dim as usize)) {
            result = put_one(image, (id, row), replace, store.replace_deleted, scratch);
            if result.is_err() {
                break;
            }
            count += 1;
        }
        out.set(0, count);
        result
    };
    status(put())
}

/// Inserts the vector of `dim` floats under an id that is not there yet.
///
/// Errors: `BadHandle`, `WrongDimension`, `NotFinite`, `ZeroVector` (cosine),
/// `DuplicateId` (also if the id is marked as deleted), `Full`, `OutOfMemory`;
/// those of pointers.
///
/// # Safety
/// Natively `vector` is valid for reads of `dim` floats.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_insert(handle: u32, id: u64, vector: *const f32, dim: u32) -> i32 {
    let mut done = 0;
    // SAFETY: the caller's promise; what is on the stack is valid.
    unsafe { put(handle, &raw const id, vector, 1, dim, &raw mut done, false) }
}

/// Inserts the vector, in place of the one with this id if there is one. A mark
/// of `clawft_mark_deleted` is taken away.
///
/// Errors: as `clawft_insert`, without `DuplicateId`.
///
/// # Safety
/// As `clawft_insert`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_upsert(handle: u32, id: u64, vector: *const f32, dim: u32) -> i32 {
    let mut done = 0;
    // SAFETY: the caller's promise; what is on the stack is valid.
    unsafe { put(handle, &raw const id, vector, 1, dim, &raw mut done, true) }
}

/// Inserts `n` vectors, row after row of `dim` floats, in order. Stops at the
/// first that is refused: those before it are in. `out_done` gets their number,
/// on an error as well if the arguments themselves were sound.
///
/// Errors: as `clawft_insert`.
///
/// # Safety
/// Natively `ids` is valid for reads of `n`, `vectors` of `n * dim` elements,
/// `out_done` for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_insert_batch(
    handle: u32,
    ids: *const u64,
    vectors: *const f32,
    n: u32,
    dim: u32,
    out_done: *mut u32,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { put(handle, ids, vectors, n, dim, out_done, false) }
}

/// Upserts `n` vectors, as `clawft_insert_batch` inserts them.
///
/// Errors: as `clawft_upsert`.
///
/// # Safety
/// As `clawft_insert_batch`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_upsert_batch(
    handle: u32,
    ids: *const u64,
    vectors: *const f32,
    n: u32,
    dim: u32,
    out_done: *mut u32,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { put(handle, ids, vectors, n, dim, out_done, true) }
}

/// Removes the vector for good: its place is free again, no link leads to it.
///
/// Errors: `BadHandle`, `UnknownId`, `OutOfMemory`.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_remove(handle: u32, id: u64) -> i32 {
    let remove = || handle::write(handle)?.remove(id);
    status(remove())
}

/// Hides the vector from searches. It keeps its place, and comes back by
/// `clawft_unmark_deleted`. Marking twice is no error.
///
/// Errors: `BadHandle`, `UnknownId`.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_mark_deleted(handle: u32, id: u64) -> i32 {
    mark(handle, id, true)
}

/// Shows the vector to searches again. It need not have been marked.
///
/// Errors: `BadHandle`, `UnknownId`.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_unmark_deleted(handle: u32, id: u64) -> i32 {
    mark(handle, id, false)
}

fn mark(handle: u32, id: u64, hidden: bool) -> i32 {
    let mark = || done(&handle::write(handle)?.image.mark(id, hidden));
    status(mark())
}

/// With `on` not 0 each insert, and each upsert of an id that is not there yet,
/// also removes one vector that is marked as deleted, as long as there are any, so
/// that the store does not grow. Not part of a snapshot. Off at first.
///
/// Errors: `BadHandle`.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_set_replace_deleted(handle: u32, on: u32) -> i32 {
    let set = || {
        handle::write(handle)?.replace_deleted = on != 0;
        Ok(())
    };
    status(set())
}
