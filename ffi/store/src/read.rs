//! The exports that read records.
//!
//! Why: texts and vectors stand in the file alone, so each call reads what it asks for.
//! Uses come from memory, as those since the last save are in no file. A length can be had
//! without its text, so that a host makes room first.
//!
//! What it must never do: count a reading as a use; give a vector as its codes have it in
//! place of the one in the file.

use core::ffi::c_char;
use core::mem::size_of;

use alloc::string::String;

use clawft::ClawftStatus;
use clawft_store::memory::Refusal;
use clawft_vectors::tier_policy::Tier;

use crate::error::{Failed, Outcome, status};
use crate::input::{Output, room};
use crate::open::memory;

/// `which` of `clawft_record_string`: the text.
pub const CLAWFT_TEXT: u32 = 0;
/// `which`: the kind.
pub const CLAWFT_KIND: u32 = 1;
/// `which`: the session.
pub const CLAWFT_SESSION: u32 = 2;
/// `which`: the key of the first pair of metadata, by rising keys; its value is one more, the key
/// of the next pair two more, and so on.
pub const CLAWFT_METADATA: u32 = 3;

/// A record without its strings and its vector.
#[repr(C)]
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct ClawftFields {
    /// Size of this struct; the library sets it.
    pub size: u32,
    /// How many times it was used, uses not yet saved included.
    pub uses: u32,
    /// When it was made, in ms.
    pub created: u64,
    /// When it was last used, in ms.
    pub last_used: u64,
    /// 0 to 1.
    pub importance: f32,
    /// 1: never forgotten or cooled below its importance by a policy.
    pub pinned: u32,
    /// Bytes of the text.
    pub text_len: u32,
    /// Bytes of the kind.
    pub kind_len: u32,
    /// Bytes of the session.
    pub session_len: u32,
    /// Pairs of metadata.
    pub metadata_len: u32,
    /// The tier of its codes: 0 hot, 1 warm, 2 cool, 3 cold: 8, 7, 5, 3 bits a component.
    pub tier: u32,
    /// 1 if recalls compare less of its vector than the encoding holds. The vector in the file is
    /// whole all the same, and a tick brings it back when the record is used.
    pub lossy: u32,
}

/// 1 if a record has this id, else 0.
///
/// Errors: `BadHandle`.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_record_contains(handle: u32, id: u64) -> i32 {
    match memory(handle) {
        Ok(held) => held.0.contains(id).into(),
        Err(failed) => status(Err(failed)),
    }
}

/// Writes the smallest id from `from` on to `out_id` and returns 1; returns 0, and writes nothing,
/// if there is none. So from 0, and then always from one more, come all ids; none is behind
/// `UINT64_MAX`.
///
/// Errors: `BadHandle`; those of pointers.
///
/// # Safety
/// Natively `out_id` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_record_next(handle: u32, from: u64, out_id: *mut u64) -> i32 {
    let next = || {
        // SAFETY: the caller's promise.
        let out = unsafe { Output::one("out_id", out_id) }?;
        let next = memory(handle)?.0.next(from);
        if let Some(id) = next {
            out.set(0, id);
        }
        Ok(next.is_some())
    };
    match next() {
        Ok(there) => there.into(),
        Err(failed) => status(Err(failed)),
    }
}

/// Writes the fields of a record to `out`.
///
/// Errors: `BadHandle`, `UnknownId`; those of the storage, `Damaged`, `NoMemory`; those of
/// pointers.
///
/// # Safety
/// Natively `out` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_record_fields(handle: u32, id: u64, out: *mut ClawftFields) -> i32 {
    let read = || {
        // SAFETY: the caller's promise.
        let out = unsafe { Output::one("out", out) }?;
        let held = memory(handle)?;
        let fields = held.0.try_fields(id)?;
        let (uses, last_used) =
            held.0.uses(id).unwrap_or_else(|| (fields.uses(), fields.last_used()));
        out.set(
            0,
            ClawftFields {
                size: size_of::<ClawftFields>() as u32,
                uses,
                created: fields.created(),
                last_used,
                importance: fields.importance(),
                pinned: fields.pinned().into(),
                text_len: fields.text_len(),
                kind_len: fields.kind().len() as u32,
                session_len: fields.session().len() as u32,
                metadata_len: fields.pair_count() as u32,
                // A vector that is damaged has no codes.
                tier: held.0.try_tier(id).unwrap_or(Tier::Cold) as u32,
                lossy: held.0.try_is_lossy(id).unwrap_or(true).into(),
            },
        );
        Ok(())
    };
    status(read())
}

/// Copies a string of a record to `out`, without a zero byte at the end, and its length to
/// `out_len`: the text (`which` 0), kind (1), session (2), or, from 3 on, keys and values of its
/// metadata. With `out` null only the length is written.
///
/// Errors: `BadHandle`, `UnknownId`, `OutputTooSmall`, `UnknownChoice` for a pair that there is not;
/// those of the storage, `Damaged`, `NoMemory`; those of pointers.
///
/// # Safety
/// Natively `out` is valid for writes of `cap` bytes, `out_len` of one number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_record_string(
    handle: u32,
    id: u64,
    which: u32,
    out: *mut c_char,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    let read = || {
        let wanted = if out.is_null() { 0 } else { cap };
        // SAFETY: the caller's promise.
        let (place, len) = unsafe {
            (Output::new("out", out.cast::<u8>(), wanted)?, Output::one("out_len", out_len)?)
        };
        let string = string(handle, id, which)?;
        if !out.is_null() && string.len() > cap {
            let (code, found) = (ClawftStatus::OutputTooSmall as i32, string.len() as u64);
            return Err(Failed::new(code, "cap", "room for #, found #", found, cap as u64));
        }
        place.copy(string.as_bytes());
        len.set(0, string.len());
        Ok(())
    };
    status(read())
}

fn string(handle: u32, id: u64, which: u32) -> Outcome<String> {
    let held = memory(handle)?;
    if which == CLAWFT_TEXT {
        return Ok(held.0.try_text(id)?);
    }
    let fields = held.0.try_fields(id)?;
    let Some(string) = fields.string((which - CLAWFT_KIND) as usize) else {
        let pairs = fields.pair_count() as u64;
        return Err(Failed::unknown_choice("which", 2 + 2 * pairs, which));
    };
    Ok(string.into())
}

/// Writes the vector of a record as it was given to `out`, `dim` floats.
///
/// Errors: `BadHandle`, `UnknownId`, `WrongDimension`, `NoMemory`; those of the storage, `Damaged`;
/// those of pointers.
///
/// # Safety
/// Natively `out` is valid for writes of `dim` floats.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_record_vector(
    handle: u32,
    id: u64,
    out: *mut f32,
    dim: u32,
) -> i32 {
    let read = || {
        // SAFETY: the caller's promise.
        let out = unsafe { Output::new("out", out, dim as usize) }?;
        let held = memory(handle)?;
        let expected = held.0.dim() as u32;
        if dim != expected {
            let wrong = clawft_store::Error::Dimension { expected, found: dim };
            return Err(Refusal::from(wrong).into());
        }
        let mut vector = room(dim as usize)?;
        vector.resize(dim as usize, 0.0);
        held.0.try_vector(id, &mut vector)?;
        out.copy(&vector);
        Ok(())
    };
    status(read())
}
