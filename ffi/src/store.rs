//! A store behind a handle: open it, close it, make it larger.
//!
//! Why: what may be refused comes first. A handle is claimed before memory is taken, and a
//! resize has the new image and its scratch before it lets go of the old ones. The scratch is
//! made anew too, since what it holds depends on the capacity.
//!
//! What it must never do: change a store whose resize is refused; keep scratch beside an image
//! that it was not made for.

use core::num::NonZeroU32;

use clawft_vectors::{Error as StoreError, Image, Params};

use crate::arena::{Block, Loan};
use crate::error::{Failed, kept, status};
use crate::handle::{self, Claim};
use crate::params::{self, ClawftParams};
use crate::pointer::Output;
use crate::scratch::{DEFAULT_EF, Scratches};

/// What a handle names: an image in one block, scratch in another, settings.
pub(crate) struct Store {
    pub(crate) image: Image<Block>,
    pub(crate) scratches: Scratches,
    /// `ef` of queries that name none.
    pub(crate) ef: usize,
    /// An insert takes the place of a vector that is marked as deleted.
    pub(crate) replace_deleted: bool,
}

/// Opens a store over an image, with scratch and default settings, and returns its
/// handle. A loan of the image's block ends when nothing can fail any more.
#[inline(never)]
pub(crate) fn open(
    claim: Claim,
    image: Image<Block>,
    loan: Option<Loan>,
) -> Result<NonZeroU32, Failed> {
    let scratches = Scratches::new(&image)?;
    if let Some(loan) = loan {
        // SAFETY: the block is the image's, and alive.
        unsafe { loan.end() };
    }
    Ok(claim.fill(Store { image, scratches, ef: DEFAULT_EF, replace_deleted: false }))
}

/// A block for the image of a store of `params`.
#[inline(never)]
fn block_for(params: &Params) -> Result<Block, Failed> {
    Block::new(kept(clawft_vectors::required_bytes(params))? as u64)
}

impl Store {
    /// A row of `dim` floats must be a vector of this store.
    pub(crate) fn check_dim(&self, dim: u32) -> Result<(), Failed> {
        match self.image.params().dim {
            expected if expected == dim => Ok(()),
            expected => Err(StoreError::Dimension { expected, found: dim }.into()),
        }
    }
}

/// Opens an empty store. Its memory is taken here, once: inserting never
/// allocates. The handle is valid until `clawft_destroy`.
///
/// Errors: those of `clawft_required_bytes`; `OutOfMemory`, `TooManyStores`;
/// those of pointers.
///
/// # Safety
/// Natively the pointers are valid for reads and writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_create(params: *const ClawftParams, out_handle: *mut u32) -> i32 {
    let create = || {
        // SAFETY: the caller's promise.
        let (params, out) =
            unsafe { (params::read(params)?, Output::one("out_handle", out_handle)?) };
        let claim = Claim::new()?;
        let mut image = Image::blank(block_for(&params)?);
        kept(image.create_here(&params))?;
        out.set(0, open(claim, image, None)?.get());
        Ok(())
    };
    status(create())
}

/// Closes a store and gives its memory back. What was not saved by a snapshot is
/// gone. Waits for calls of other threads on that store.
///
/// Errors: `BadHandle`.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_destroy(handle: u32) -> i32 {
    status(handle::close(handle))
}

/// Moves the store into a buffer for `capacity` vectors, no fewer than before.
/// Handle and vectors stay the same, and so does what a query of mode 1 or 3
/// finds; one of mode 0 or 2 may look in another way than before. Old and new
/// buffer exist side by side for the time of the call.
///
/// Errors: `BadHandle`, `Shrink`, `BadParams`, `OutOfMemory`.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_resize(handle: u32, capacity: u32) -> i32 {
    let resize = || {
        let store = &mut *handle::write(handle)?;
        let expected = store.image.capacity();
        if capacity < expected {
            return Err(StoreError::Shrink { expected, found: capacity }.into());
        }
        let params = Params { capacity, ..*store.image.params() };
        let mut image = Image::blank(block_for(&params)?);
        kept(store.image.grow_here(capacity, &mut image))?;
        store.scratches = Scratches::new(&image)?;
        store.image = image;
        Ok(())
    };
    status(resize())
}
