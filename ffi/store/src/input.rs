//! What a host passes: numbers and structs, checked before use; and places to write to.
//!
//! Why: the checks are those of `clawft-ffi`; here they become slices.
//!
//! What it must never do: read through a pointer before its range is checked.

use alloc::vec::Vec;
use core::mem::size_of;
use core::slice;

use clawft::{ClawftStatus, parts};

use crate::error::{Failed, Outcome, checked};

/// Types whose every bit pattern is a value.
///
/// # Safety
/// No invalid values, no references.
pub(crate) unsafe trait Plain: Copy {}

// SAFETY: any bytes are a byte.
unsafe impl Plain for u8 {}
// SAFETY: any bytes are an integer.
unsafe impl Plain for u64 {}
// SAFETY: any bytes are a float.
unsafe impl Plain for f32 {}

/// `n` elements to read. An empty slice may be null.
///
/// # Safety
/// Natively the range is valid for reads, and nobody writes to it, for as long as the slice is
/// used.
#[inline(always)]
pub(crate) unsafe fn input<'a, T: Plain>(
    name: &str,
    pointer: *const T,
    n: usize,
) -> Outcome<&'a [T]> {
    checked(parts::check::<T>(name, pointer as usize, n as u64))?;
    if n == 0 {
        return Ok(&[]);
    }
    // SAFETY: checked; `T` takes any bytes; the rest is the caller's promise.
    Ok(unsafe { slice::from_raw_parts(pointer, n) })
}

/// An empty vector with room for `n` elements.
pub(crate) fn room<T>(n: usize) -> Outcome<Vec<T>> {
    let mut all = Vec::new();
    match all.try_reserve_exact(n) {
        Ok(()) => Ok(all),
        Err(_) => Err(Failed::no_memory((n as u64).saturating_mul(size_of::<T>() as u64))),
    }
}

/// Reads a struct whose first field is its size in bytes, as the caller set it.
///
/// # Safety
/// Natively `pointer` is valid for reads of `T`. `T` is `repr(C)`, begins with that `u32`, and
/// takes any bytes.
#[inline(always)]
pub(crate) unsafe fn sized<T: Copy>(name: &str, pointer: *const T) -> Outcome<T> {
    checked(parts::check::<T>(name, pointer as usize, 1))?;
    // SAFETY: the range was checked; `T` begins with a `u32`.
    check_size(name, size_of::<T>(), unsafe { pointer.cast::<u32>().read() })?;
    // SAFETY: the range was checked, and `T` takes any bytes.
    Ok(unsafe { pointer.read() })
}

#[inline(never)]
fn check_size(name: &str, expected: usize, found: u32) -> Outcome<()> {
    if found as usize == expected {
        return Ok(());
    }
    let (code, found) = (ClawftStatus::StructSize as i32, found.into());
    Err(Failed::new(code, name, "a struct of size #, found #", expected as u64, found))
}

/// A place for `len` elements that the host gave, which may overlap what else it gave: written
/// through its pointer, when everything was read.
#[derive(Copy, Clone)]
pub(crate) struct Output<T> {
    pointer: *mut T,
    len: usize,
}

impl<T: Copy> Output<T> {
    /// Checks a place for `len` elements. An empty one may be null.
    ///
    /// # Safety
    /// Natively the range is valid for writes for as long as the output is used.
    #[inline(always)]
    pub(crate) unsafe fn new(name: &str, pointer: *mut T, len: usize) -> Outcome<Self> {
        checked(parts::check::<T>(name, pointer as usize, len as u64))?;
        Ok(Self { pointer, len })
    }

    /// Checks a place for one.
    ///
    /// # Safety
    /// As [`Output::new`].
    #[inline(always)]
    pub(crate) unsafe fn one(name: &str, pointer: *mut T) -> Outcome<Self> {
        // SAFETY: the caller's promise.
        unsafe { Self::new(name, pointer, 1) }
    }

    /// Writes element `at`; one outside is left out.
    pub(crate) fn set(self, at: usize, value: T) {
        if at < self.len {
            // SAFETY: inside the range that was checked.
            unsafe { self.pointer.add(at).write(value) };
        }
    }

    /// Writes `values` from the beginning, as many as there is room for.
    pub(crate) fn copy(self, values: &[T]) {
        let n = self.len.min(values.len());
        if n != 0 {
            // SAFETY: inside the range that was checked; `copy_to` allows overlap.
            unsafe { values.as_ptr().copy_to(self.pointer, n) };
        }
    }
}
