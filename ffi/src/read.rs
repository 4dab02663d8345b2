//! The exports that read vectors and ids.
//!
//! Why: a vector is decoded into scratch and copied from there, as no reference is ever
//! made of an output. All ids are looked up before the first row goes out: what was written
//! cannot be taken back.
//!
//! What it must never do: write a part of what was asked for and then refuse; write ids into
//! the image that they are read from.

use crate::error::{done, status, too_small};
use crate::handle;
use crate::pointer::{self, Output};

/// 1 if the id is there (marked as deleted or not), else 0.
///
/// Errors: `BadHandle`.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_contains(handle: u32, id: u64) -> i32 {
    match handle::read(handle) {
        Ok(store) => store.image.contains(id).into(),
        Err(failed) => status(Err(failed)),
    }
}

/// Writes the vector with this id to `out`, `dim` floats, as it was given (under
/// cosine: divided by its length), within the error bound of the encoding.
///
/// Errors: `BadHandle`, `UnknownId`, `WrongDimension`, `OutOfMemory`; those of
/// pointers.
///
/// # Safety
/// Natively `out` is valid for writes of `dim` floats.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_get(handle: u32, id: u64, out: *mut f32, dim: u32) -> i32 {
    // SAFETY: the caller's promise; one id on the stack is readable.
    unsafe { clawft_get_batch(handle, &raw const id, 1, out, dim) }
}

/// Writes the vectors with these `n` ids to `out`, row after row of `dim` floats.
/// An unknown id among them is an error, and nothing is written.
///
/// Errors: as `clawft_get`.
///
/// # Safety
/// Natively `ids` is valid for reads of `n`, `out` for writes of `n * dim` elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_get_batch(
    handle: u32,
    ids: *const u64,
    n: u32,
    out: *mut f32,
    dim: u32,
) -> i32 {
    let get = || {
        let store = &*handle::read(handle)?;
        // SAFETY: the caller's promise.
        let ids = unsafe { pointer::input("ids", ids, n as usize) }?;
        // SAFETY: the caller's promise.
        let out = unsafe { Output::rows("out", out, n.into(), dim) }?;
        store.check_dim(dim)?;
        if n > 1 {
            out.apart("out", ids)?;
        }
        if let Some(&unknown) = ids.iter().find(|&&id| !store.image.contains(id)) {
            return Err(clawft_vectors::Error::UnknownId(unknown).into());
        }
        let mut lent = None;
        let parts = store.scratches.lend(&mut lent, store.image.layout(), 1, 0)?;
        for (at, &id) in ids.iter().enumerate() {
            done(&store.image.get(id, parts.row, &mut parts.scratch))?;
            out.copy(at * parts.row.len(), parts.row);
        }
        Ok(())
    };
    status(get())
}

/// Writes all ids (those marked as deleted as well) to `out`, in no order that
/// means anything, and their number to `out_count`. Their number is `count` of
/// `clawft_stats`.
///
/// Errors: `BadHandle`, `OutputTooSmall` (more than `cap` ids); those of pointers.
///
/// # Safety
/// Natively `out` is valid for writes of `cap` ids, `out_count` of one number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_ids(
    handle: u32,
    out: *mut u64,
    cap: u32,
    out_count: *mut u32,
) -> i32 {
    let ids = || {
        let store = &*handle::read(handle)?;
        // SAFETY: the caller's promise.
        let out = unsafe { Output::rows("out", out, cap.into(), 1) }?;
        // SAFETY: the caller's promise.
        let out_count = unsafe { Output::one("out_count", out_count) }?;
        let count = store.image.len();
        if count > cap {
            return Err(too_small("cap", count.into(), cap.into()));
        }
        out.apart("out", store.image.bytes())?;
        for (at, id) in store.image.ids().enumerate() {
            out.set(at, id);
        }
        out_count.set(0, count);
        Ok(())
    };
    status(ids())
}
