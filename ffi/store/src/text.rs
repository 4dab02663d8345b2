//! Texts of a host: pointers with lengths, checked to be UTF-8.
//!
//! Why: a list of texts is a list of pointers, so each of them is checked as well.
//!
//! What it must never do: take bytes for text that are not UTF-8.

use alloc::vec::Vec;
use core::ffi::c_char;
use core::mem::size_of;

use crate::error::{ClawftMemoryStatus, Failed, Outcome};
use crate::input::{Plain, input, room};

/// A text: `len` bytes of UTF-8 from `bytes` on, without a zero byte at the end. Null with 0 is
/// the empty text.
#[repr(C)]
#[derive(Copy, Clone, Debug)]
pub struct ClawftText {
    /// Where it begins.
    pub bytes: *const c_char,
    /// Its bytes.
    pub len: usize,
}

impl ClawftText {
    /// The empty text.
    pub const EMPTY: Self = Self { bytes: core::ptr::null(), len: 0 };
}

/// A pair of metadata.
#[repr(C)]
#[derive(Copy, Clone, Debug)]
pub struct ClawftPair {
    /// The key.
    pub key: ClawftText,
    /// The value.
    pub value: ClawftText,
}

// SAFETY: a pointer that is not trusted, and an integer.
unsafe impl Plain for ClawftText {}

/// A text to read.
///
/// # Safety
/// As [`input`].
#[inline(never)]
pub(crate) unsafe fn text<'a>(name: &str, text: &ClawftText) -> Outcome<&'a str> {
    // SAFETY: the caller's promise.
    let bytes = unsafe { input(name, text.bytes.cast::<u8>(), text.len) }?;
    match core::str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => {
            let (code, at) = (ClawftMemoryStatus::InvalidText as i32, error.valid_up_to() as u64);
            Err(Failed::new(code, name, "UTF-8, found other bytes from byte # on", at, 0))
        }
    }
}

/// A list of texts.
///
/// # Safety
/// As [`input`], for the list and each text in it.
#[inline(never)]
pub(crate) unsafe fn texts<'a>(
    name: &str,
    list: *const ClawftText,
    n: usize,
) -> Outcome<Vec<&'a str>> {
    // SAFETY: the caller's promise.
    let list = unsafe { input(name, list, n) }?;
    let mut all = room(n)?;
    for one in list {
        // SAFETY: the caller's promise.
        all.push(unsafe { text(name, one) }?);
    }
    Ok(all)
}

/// A list of pairs: each is two texts, one behind the other.
///
/// # Safety
/// As [`texts`].
#[inline(never)]
pub(crate) unsafe fn pairs<'a>(
    name: &str,
    list: *const ClawftPair,
    n: usize,
) -> Outcome<Vec<(&'a str, &'a str)>> {
    // SAFETY: the caller's promise.
    let flat = unsafe { texts(name, list.cast(), n.saturating_mul(2)) }?;
    let mut all = room(n)?;
    for &[key, value] in flat.as_chunks().0 {
        all.push((key, value));
    }
    Ok(all)
}

const _: () = assert!(size_of::<ClawftPair>() == 2 * size_of::<ClawftText>());
