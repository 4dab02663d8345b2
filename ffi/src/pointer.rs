//! Every pointer of a host passes here before it is used.
//!
//! What: a checked input becomes a slice, a checked output becomes an
//! [`Output`] that is written at the end of a call. In WebAssembly a range must
//! lie inside the present linear memory and be aligned. Natively it must not be
//! null, must be aligned, and must not pass the end of the address space; that
//! it is mapped is the caller's word.
//!
//! Why: outputs of a host may overlap its inputs, so no Rust reference is ever
//! made of an output; it is written through the raw pointer, when the inputs were
//! read. Where more inputs are read after an output was written, in calls for many
//! rows, [`Output::apart`] refuses such a place.
//!
//! What it must never do: read through a pointer before the whole range is checked.

use core::marker::PhantomData;
use core::mem::{align_of, size_of, size_of_val};

use crate::error::{ClawftStatus, Failed};

/// Types whose every bit pattern is a value.
///
/// # Safety
/// No padding, no invalid values, no references.
pub(crate) unsafe trait Plain: Copy {}

// SAFETY: an integer or a float without padding.
unsafe impl Plain for u8 {}
// SAFETY: as above.
unsafe impl Plain for u64 {}
// SAFETY: as above.
unsafe impl Plain for f32 {}

/// What is wrong with a range; `fault` finds it.
enum Fault {
    Null,
    Misaligned,
    OutOfRange,
}

fn fault(address: usize, bytes: u64, align: usize) -> Option<Fault> {
    if address == 0 {
        Some(Fault::Null)
    } else if address & (align - 1) != 0 {
        Some(Fault::Misaligned)
    } else if bytes > isize::MAX as u64 || bytes > memory_end().saturating_sub(address as u64) {
        Some(Fault::OutOfRange)
    } else {
        None
    }
}

/// The first address that is no memory any more.
fn memory_end() -> u64 {
    #[cfg(target_family = "wasm")]
    return crate::arena::linear_memory_bytes();
    #[cfg(not(target_family = "wasm"))]
    return usize::MAX as u64;
}

/// What a pointer leads to: bytes of an element, and its alignment.
#[derive(Copy, Clone)]
pub(crate) struct Kind {
    pub(crate) bytes: u32,
    pub(crate) align: u32,
}

const fn kind<T>() -> Kind {
    Kind { bytes: size_of::<T>() as u32, align: align_of::<T>() as u32 }
}

/// Checks `n` rows of `each` elements. No elements may be anywhere. Not generic, so that
/// it is there once.
#[inline(never)]
pub(crate) fn check(
    name: &str,
    address: usize,
    n: u64,
    each: u32,
    kind: Kind,
) -> Result<(), Failed> {
    let row = u64::from(each) * u64::from(kind.bytes);
    if n == 0 || row == 0 {
        return Ok(());
    }
    // Beyond any memory if the product is: no larger one is needed.
    let bytes = if n > u64::MAX / row { u64::MAX } else { n * row };
    let from = address as u64;
    Err(match fault(address, bytes, kind.align as usize) {
        None => return Ok(()),
        Some(Fault::Null) => Failed::new(ClawftStatus::NullPointer, name, 0, 0),
        Some(Fault::Misaligned) => {
            Failed::new(ClawftStatus::Misaligned, name, kind.align.into(), from)
        }
        Some(Fault::OutOfRange) => {
            Failed::new(ClawftStatus::OutOfRange, name, memory_end().saturating_sub(from), bytes)
        }
    })
}

/// Checks a range of bytes.
pub(crate) fn region(name: &str, base: *const u8, len: usize) -> Result<(), Failed> {
    check(name, base as usize, len as u64, 1, kind::<u8>())
}

/// Whether `len` bytes from `pointer` may be written, without a word about it.
pub(crate) fn fits(pointer: *const u8, len: usize) -> bool {
    fault(pointer as usize, len as u64, 1).is_none()
}

/// `n` elements to read. An empty slice may be null.
///
/// # Safety
/// Natively the range is valid for reads, and nobody writes to it, for as long
/// as the slice is used.
#[inline(always)]
pub(crate) unsafe fn input<'a, T: Plain>(
    name: &str,
    pointer: *const T,
    n: usize,
) -> Result<&'a [T], Failed> {
    // SAFETY: the caller's promise.
    unsafe { rows(name, pointer, n as u64, 1) }
}

/// `n` rows of `each` elements to read, as [`input`].
///
/// # Safety
/// As [`input`].
#[inline(always)]
pub(crate) unsafe fn rows<'a, T: Plain>(
    name: &str,
    pointer: *const T,
    n: u64,
    each: u32,
) -> Result<&'a [T], Failed> {
    check(name, pointer as usize, n, each, kind::<T>())?;
    let len = n as usize * each as usize;
    if len == 0 {
        return Ok(&[]);
    }
    // SAFETY: checked, so `len` is no overflow; `T` takes any bytes; the rest is the
    // caller's promise.
    Ok(unsafe { core::slice::from_raw_parts(pointer, len) })
}

/// A place for `len` elements of `T` that the host gave.
pub(crate) struct Output<'a, T> {
    pointer: *mut T,
    len: usize,
    host: PhantomData<&'a mut T>,
}

impl<T: Copy> Output<'_, T> {
    /// Checks a place for one element.
    ///
    /// # Safety
    /// Natively the range is valid for writes for as long as the output is used.
    #[inline(always)]
    pub(crate) unsafe fn one(name: &str, pointer: *mut T) -> Result<Self, Failed> {
        // SAFETY: the caller's promise.
        unsafe { Self::rows(name, pointer, 1, 1) }
    }

    /// Checks a place for `n` rows of `each` elements. An empty one may be null.
    ///
    /// # Safety
    /// As [`Output::one`].
    #[inline(always)]
    pub(crate) unsafe fn rows(
        name: &str,
        pointer: *mut T,
        n: u64,
        each: u32,
    ) -> Result<Self, Failed> {
        check(name, pointer as usize, n, each, kind::<T>())?;
        // SAFETY: checked, so the product is no overflow.
        Ok(unsafe { Self::trusted(pointer, n as usize * each as usize) })
    }

    /// A place that was checked before.
    ///
    /// # Safety
    /// The range is valid for writes for as long as the output is used.
    pub(crate) unsafe fn trusted(pointer: *mut T, len: usize) -> Self {
        Self { pointer, len, host: PhantomData }
    }

    /// Refuses a place that reaches into `input`, which is read while it is written.
    ///
    /// Errors: `OutOfRange`.
    pub(crate) fn apart<U>(&self, name: &str, input: &[U]) -> Result<(), Failed> {
        let bytes = self.len * size_of::<T>();
        apart(name, self.pointer as usize, bytes, input.as_ptr() as usize, size_of_val(input))
    }

    /// Writes element `at`; one outside is left out.
    pub(crate) fn set(&self, at: usize, value: T) {
        if at < self.len {
            // SAFETY: inside the range that was checked.
            unsafe { self.pointer.add(at).write(value) };
        }
    }

    /// Writes `values` from element `at` on, as many as there is room for.
    pub(crate) fn copy(&self, at: usize, values: &[T]) {
        let room = self.len.saturating_sub(at).min(values.len());
        if room != 0 {
            // SAFETY: inside the range that was checked; `copy_to` allows overlap.
            unsafe { values.as_ptr().copy_to(self.pointer.add(at), room) };
        }
    }
}

/// Refuses `bytes` to be written at `address` where any of the `read` bytes at `from` is among them.
#[inline(never)]
fn apart(name: &str, address: usize, bytes: usize, from: usize, read: usize) -> Result<(), Failed> {
    // One begins inside the other. Of the end no sum is made: it may be that of the address space.
    let overlap = from.wrapping_sub(address) < bytes || address.wrapping_sub(from) < read;
    if bytes > 0 && read > 0 && overlap {
        let room = from.saturating_sub(address) as u64;
        return Err(Failed::new(ClawftStatus::OutOfRange, name, room, bytes as u64));
    }
    Ok(())
}

/// Reads a struct whose first field is its size in bytes, as the caller set it.
///
/// # Safety
/// Natively `pointer` is valid for reads of `T`. `T` is `repr(C)`, begins with
/// that `u32`, and takes any bytes.
pub(crate) unsafe fn sized<T: Copy>(name: &str, pointer: *const T) -> Result<T, Failed> {
    check(name, pointer as usize, 1, 1, kind::<T>())?;
    // SAFETY: the range was checked; `T` begins with a `u32`.
    let found = unsafe { pointer.cast::<u32>().read() };
    let expected = size_of::<T>() as u64;
    if u64::from(found) != expected {
        return Err(Failed::new(ClawftStatus::StructSize, name, expected, found.into()));
    }
    // SAFETY: the range was checked, and `T` takes any bytes.
    Ok(unsafe { pointer.read() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_must_lie_in_memory_and_be_aligned() {
        let check = |address, n| check("p", address, n, 1, kind::<u64>());
        assert!(check(0x1000, 4).is_ok());
        assert!(check(0, 0).is_ok());
        assert!(check(0, 1).is_err());
        assert!(check(0x1004, 1).is_err());
        assert!(check(0x1000, u64::MAX).is_err());
        assert!(check(0x1000, 1 << 60).is_err());
        assert!(check(usize::MAX - 7, 2).is_err());
    }

    #[test]
    fn an_output_over_an_input_is_refused_to_the_end_of_the_addresses() {
        let end = usize::MAX - 15;
        for (address, bytes, from, read, fits) in [
            (end, 16, end, 16, false),
            (end - 8, 16, end, 16, false),
            (end, 16, end - 8, 16, false),
            (end - 16, 16, end, 16, true),
            (end, 16, end - 16, 16, true),
            (64, 16, 72, 8, false),
            (64, 0, 64, 8, true),
            (64, 16, 68, 0, true),
        ] {
            let found = apart("out", address, bytes, from, read);
            assert_eq!(found.is_ok(), fits, "{bytes} at {address}, {read} at {from}");
        }
    }
}
