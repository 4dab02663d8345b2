//! The exports that save and open a store.
//!
//! A snapshot is the image's bytes after they were sealed with a checksum. Where
//! memory is dear, `clawft_snapshot_view` and `clawft_adopt` do it without a copy.
//!
//! Why: the checksum is written into the image, so saving has the store to itself, as a
//! change does. A block that is to be adopted stays on loan until the store is there: dropped
//! before, it is the host's again, at the same address.
//!
//! What it must never do: show or copy an image that is not sealed; make a store of bytes
//! whose seal and sections were not checked.

use core::ffi::c_void;
use core::num::NonZeroU32;

use clawft_vectors::Image;

use crate::arena::{Block, Loan};
use crate::error::{Failed, kept, status, too_small};
use crate::handle::{self, Claim};
use crate::memory;
use crate::pointer::{self, Output};
use crate::store;

/// Writes the size of a snapshot in bytes to `out`.
///
/// Errors: `BadHandle`; those of pointers.
///
/// # Safety
/// Natively `out` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_snapshot_bytes(handle: u32, out: *mut u64) -> i32 {
    let count = || {
        let store = &*handle::read(handle)?;
        // SAFETY: the caller's promise.
        let out = unsafe { Output::one("out", out) }?;
        out.set(0, store.image.bytes().len() as u64);
        Ok(())
    };
    status(count())
}

/// Seals the store and copies its snapshot to `out`, its size to `out_len`.
///
/// Errors: `BadHandle`, `OutputTooSmall`; those of pointers.
///
/// # Safety
/// Natively `out` is valid for writes of `cap` bytes, `out_len` of one number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_snapshot(
    handle: u32,
    out: *mut c_void,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    let copy = || {
        let store = &mut *handle::write(handle)?;
        // SAFETY: the caller's promise.
        let out = unsafe { Output::rows("out", out.cast::<u8>(), cap as u64, 1) }?;
        // SAFETY: the caller's promise.
        let out_len = unsafe { Output::one("out_len", out_len) }?;
        let len = store.image.bytes().len();
        if len > cap {
            return Err(too_small("cap", len as u64, cap as u64));
        }
        store.image.seal();
        out.copy(0, store.image.bytes());
        out_len.set(0, len);
        Ok(())
    };
    status(copy())
}

/// Seals the store and shows its snapshot in place: the address to
/// `out_address`, the size to `out_len`. The bytes are the store's: to be read
/// only, and valid until the next call on this handle that changes it.
///
/// Errors: `BadHandle`; those of pointers.
///
/// # Safety
/// Natively both are valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_snapshot_view(
    handle: u32,
    out_address: *mut *const c_void,
    out_len: *mut usize,
) -> i32 {
    let view = || {
        let store = &mut *handle::write(handle)?;
        // SAFETY: the caller's promise.
        let out_address = unsafe { Output::one("out_address", out_address) }?;
        // SAFETY: the caller's promise.
        let out_len = unsafe { Output::one("out_len", out_len) }?;
        store.image.seal();
        let bytes = store.image.bytes();
        out_address.set(0, bytes.as_ptr().cast());
        out_len.set(0, bytes.len());
        Ok(())
    };
    status(view())
}

/// Opens a copy of the snapshot of `len` bytes. It is checked whole: a damaged
/// or cut one is refused. `bytes` stays the caller's and needs no alignment.
///
/// Errors: `TooShort`, `Corrupt`, `WrongVersion`; `OutOfMemory`, `TooManyStores`;
/// those of pointers.
///
/// # Safety
/// Natively `bytes` is valid for reads of `len`, `out_handle` for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_open(
    bytes: *const c_void,
    len: usize,
    out_handle: *mut u32,
) -> i32 {
    let open = || {
        // SAFETY: the caller's promise.
        let bytes = unsafe { pointer::input("bytes", bytes.cast::<u8>(), len) }?;
        // SAFETY: the caller's promise.
        let out = unsafe { Output::one("out_handle", out_handle) }?;
        let whole = kept(Image::<Block>::snapshot_bytes(bytes))?;
        let bytes = bytes.get(..whole).unwrap_or(bytes);
        let mut block = Block::new(bytes.len() as u64)?;
        block.copy_from_slice(bytes);
        out.set(0, take_over(block, None)?.get());
        Ok(())
    };
    status(open())
}

/// Opens the snapshot that stands at the beginning of a block of `clawft_alloc`
/// as a store, without a copy. On success the block is the store's; on an error
/// it stays the caller's. `out_handle` lies outside of it.
///
/// Errors: `NotAllocated`; as `clawft_open`.
///
/// # Safety
/// Natively `out_handle` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_adopt(block: *mut c_void, out_handle: *mut u32) -> i32 {
    let adopt = || {
        // SAFETY: the caller's promise.
        let out = unsafe { Output::one("out_handle", out_handle) }?;
        let (block, loan) = memory::lent(block)?;
        // The handle would stand where the store's own bytes are.
        out.apart("out_handle", &block)?;
        out.set(0, take_over(block, Some(loan))?.get());
        Ok(())
    };
    status(adopt())
}

/// Makes a store of the snapshot in `block` and returns its handle. A block that is
/// refused is free again, or, if it was on loan, the host's as before.
#[inline(never)]
fn take_over(block: Block, loan: Option<Loan>) -> Result<NonZeroU32, Failed> {
    let claim = Claim::new()?;
    let mut image = Image::blank(block);
    kept(image.open_here())?;
    store::open(claim, image, loan)
}
