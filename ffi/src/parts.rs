//! What a crate builds on that adds functions to this ABI: the sentence of the last error,
//! the checks of pointers, and the arena. No part of the ABI itself.
//!
//! Why: `clawft-ffi-store` exports the memory beside the functions of this crate, in one module
//! and one library, with one arena and one last error. Everything here is a thin way in, with
//! plain types, so that the inside may change; and a feature, so that the kernel has none of it.
//!
//! What it must never do: export a function to hosts, or hand out a type of the inside.

use core::mem::{align_of, size_of};

use crate::error::{self, Failed};
use crate::pointer;

/// Keeps `code` and its sentence as the last error; a `#` in `parts` stands for the next of
/// `numbers`. Gives the code back.
pub fn refuse(code: i32, parts: &[&str; 3], numbers: [u64; 2]) -> i32 {
    error::status(Err(Failed::write(code, parts, numbers)))
}

/// The code of the last error.
#[must_use]
pub fn last() -> i32 {
    error::last()
}

/// 0, or the code of what is wrong with `n` elements of `T` from `address` on. No elements may be
/// anywhere.
#[inline(always)]
pub fn check<T>(name: &str, address: usize, n: u64) -> i32 {
    check_range(name, address, n, size_of::<T>() as u32, align_of::<T>() as u32)
}

#[inline(never)]
fn check_range(name: &str, address: usize, n: u64, bytes: u32, align: u32) -> i32 {
    error::status(pointer::check(name, address, n, 1, pointer::Kind { bytes, align }))
}

/// Has the arena room for `bytes` in so many blocks, all at once, of at most `piece` bytes but for the
/// last one? Where Rust's allocator is not over the arena, it is not asked.
#[must_use]
pub fn has_room(bytes: usize, piece: usize, blocks: u32) -> bool {
    #[cfg(all(feature = "standalone", target_family = "wasm"))]
    return crate::arena::has_room(bytes, piece, blocks);
    #[cfg(not(all(feature = "standalone", target_family = "wasm")))]
    return isize::try_from(if blocks > 1 { bytes.min(piece) } else { bytes }).is_ok();
}
