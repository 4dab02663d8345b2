//! The exports that save and open a store.
//!
//! A snapshot is the image's bytes after they were sealed with a checksum. Where
//! memory is dear, `clawft_snapshot_view` and `clawft_adopt` do it without a copy.

use core::ffi::c_void;

use clawft_vectors::Image;

use crate::arena::Block;
use crate::error::{Failed, status, too_small};
use crate::handle::{self, Claim};
use crate::memory;
use crate::pointer::{self, Output};
use crate::scratch::Scratches;
use crate::store::Store;

/// Writes the size of a snapshot in bytes to `out`.
///
/// Errors: `BadHandle`; those of pointers.
///
/// # Safety
/// Natively `out` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_snapshot_bytes(handle: u32, out: *mut u64) -> i32 {
    let count = |store: &Store| {
        // SAFETY: the caller's promise.
        let out = unsafe { Output::one("out", out) }?;
        out.set(0, store.image.bytes().len() as u64);
        Ok(())
    };
    status(handle::read(handle, count))
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
    let copy = |store: &mut Store| {
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
    status(handle::write(handle, copy))
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
    let view = |store: &mut Store| {
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
    status(handle::write(handle, view))
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
        let whole = Image::<&[u8]>::snapshot_bytes(bytes)?;
        let bytes = bytes.get(..whole).unwrap_or(bytes);
        let mut block = Block::new(bytes.len())?;
        block.copy_from_slice(bytes);
        // The block is given back if it is refused.
        take_over(block, &out).map_err(|(failed, _)| failed)
    };
    status(open())
}

/// Opens the snapshot that stands at the beginning of a block of `clawft_alloc`
/// as a store, without a copy. On success the block is the store's; on an error
/// it stays the caller's.
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
        take_over(memory::lent(block)?, &out).map_err(|(failed, block)| {
            // Its address does not change: the caller's pointer stays good.
            block.map(Block::lend);
            failed
        })
    };
    status(adopt())
}

/// Makes a store of the snapshot in `block` and writes its handle to `out`; gives
/// the block back with what is wrong.
fn take_over(block: Block, out: &Output<'_, u32>) -> Result<(), (Failed, Option<Block>)> {
    // All that may fail comes before the block is given away.
    let prepare = || {
        let claim = Claim::new()?;
        let image = Image::open(&*block)?;
        Ok((claim, Scratches::new(&image)?))
    };
    let (claim, scratches) = match prepare() {
        Ok(prepared) => prepared,
        Err(failed) => return Err((failed, Some(block))),
    };
    match Image::open(block) {
        Ok(image) => {
            out.set(0, claim.fill(Store::with(image, scratches)));
            Ok(())
        }
        // It was sound a moment ago: another thread has written to it meanwhile,
        // and it is not known what it holds. Its memory is free again.
        Err(error) => Err((error.into(), None)),
    }
}
