//! The exports of tensors over time: frames of one shape, in segments that share their scales.
//!
//! What: `clawft_codes::tensor` behind handles. A tensor lies in one vector of bytes, which grows
//! by half when a frame finds no room.
//!
//! What it must never do: hold bytes that were not checked, or grow beyond the limit it was given.

use alloc::vec::Vec;
use core::ffi::c_void;
use core::mem::size_of;

use clawft::{ClawftStatus, parts};
use clawft_codes::Width;
use clawft_codes::tensor::{Drift, Tensor, TensorError, tensor_bytes};

use crate::error::{ClawftMemoryStatus, Failed, Outcome, status};
use crate::handle::{Held, Table};
use crate::input::{self, Output, room};

/// What a tensor is to be. `clawft_tensor_params_init` fills in the defaults.
#[repr(C)]
#[derive(Copy, Clone, Debug)]
pub struct ClawftTensorParams {
    /// Size of this struct in bytes.
    pub size: u32,
    /// Components of a frame, 1 to 2^20.
    pub dim: u32,
    /// Bits a component: 8, 7, 5 or 3.
    pub bits: u32,
    /// How much larger than its first frame a segment's ranges are: 1 to 16; 1.25.
    pub headroom: f32,
    /// How many times the error bound of scales of its own a frame may have: above `headroom`; 2.
    pub coarse: f32,
    /// Nothing; 0.
    pub reserved: u32,
    /// Bytes that it may take; 0: no limit.
    pub limit: u64,
}

/// A tensor in numbers.
#[repr(C)]
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct ClawftTensorStats {
    /// Size of this struct; the library sets it.
    pub size: u32,
    /// Components of a frame.
    pub dim: u32,
    /// Bits a component.
    pub bits: u32,
    /// Frames in it.
    pub frames: u32,
    /// Segments: how often the scales were renewed.
    pub segments: u32,
    /// Nothing; 0.
    pub reserved: u32,
    /// Its bytes, which `clawft_tensor_bytes` copies out.
    pub bytes: u64,
}

static TENSORS: Table<Opened> = Table::new(192);

/// A tensor behind a handle.
struct Opened {
    tensor: Tensor<Vec<u8>>,
    limit: u64,
}

impl From<TensorError> for Failed {
    fn from(error: TensorError) -> Self {
        let code = match error {
            TensorError::Dimension { .. } => ClawftStatus::WrongDimension as i32,
            TensorError::NotFinite { .. } => ClawftStatus::NotFinite as i32,
            TensorError::Full { .. } => ClawftStatus::Full as i32,
            TensorError::Corrupt(_) => ClawftStatus::Corrupt as i32,
            TensorError::Drift => ClawftMemoryStatus::BadDrift as i32,
            _ => ClawftMemoryStatus::NoFrame as i32,
        };
        let (text, numbers) = error.sentence();
        Failed::kept(parts::refuse(code, &[text, "", ""], numbers))
    }
}

fn tensor(handle: u32) -> Outcome<Held<'static, Opened>> {
    TENSORS.hold(handle)
}

/// `len` bytes of zero.
fn zeros(len: u64) -> Outcome<Vec<u8>> {
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    let mut bytes = room(len)?;
    bytes.resize(len, 0);
    Ok(bytes)
}

impl Opened {
    fn push(&mut self, frame: &[f32]) -> Outcome<u32> {
        match self.tensor.push(frame) {
            Err(TensorError::Full { needed, .. }) if needed <= self.limit => self.grow(needed)?,
            other => return Ok(other?),
        }
        Ok(self.tensor.push(frame)?)
    }

    /// Room for `needed` bytes and half as many more, as far as the limit goes.
    fn grow(&mut self, needed: u64) -> Outcome<()> {
        let old = self.tensor.bytes();
        let mut len = old.len() as u64;
        if needed > len {
            len = needed.saturating_add(needed / 2).min(self.limit);
            let mut bytes = zeros(len)?;
            bytes[..old.len()].copy_from_slice(old);
            self.tensor = Tensor::open(bytes)?;
        }
        Ok(self.tensor.fit(len)?)
    }
}

/// Writes the defaults for frames of `dim` components to `out`: 8 bits, no limit.
///
/// Errors: those of pointers.
///
/// # Safety
/// Natively `out` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_tensor_params_init(out: *mut ClawftTensorParams, dim: u32) -> i32 {
    let init = || {
        // SAFETY: the caller's promise.
        let out = unsafe { Output::one("out", out) }?;
        let Drift { headroom, coarse } = Drift::default();
        let size = size_of::<ClawftTensorParams>() as u32;
        out.set(
            0,
            ClawftTensorParams { size, dim, bits: 8, headroom, coarse, reserved: 0, limit: 0 },
        );
        Ok(())
    };
    status(init())
}

/// Makes an empty tensor. The handle is valid until `clawft_tensor_close`. At most 16 can be open
/// at a time.
///
/// Errors: `StructSize`, `UnknownChoice` for other bits, `WrongDimension`, `BadDrift`, `Full` for a
/// limit below a header and one frame, `NoMemory`, `TooManyStores`; those of pointers.
///
/// # Safety
/// Natively the pointers are valid for reads and writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_tensor_create(
    params: *const ClawftTensorParams,
    out_handle: *mut u32,
) -> i32 {
    let create = || {
        // SAFETY: the caller's promise.
        let (given, out) =
            unsafe { (input::sized("params", params)?, Output::one("out_handle", out_handle)?) };
        let bits = u8::try_from(given.bits).unwrap_or(0);
        let Some(width) = Width::from_bits(bits) else {
            return Err(Failed::unknown_choice("bits (3, 5, 7 or 8)", 8, given.bits));
        };
        let limit = if given.limit == 0 { u64::MAX } else { given.limit };
        let dim = given.dim as usize;
        let drift = Drift { headroom: given.headroom, coarse: given.coarse };
        // A wrong dimension is refused by a tensor of nothing but its header.
        Tensor::create(zeros(tensor_bytes(width, 0, 0, 0))?, dim, width, drift)?;
        let first = tensor_bytes(width, dim, 1, 1);
        if first > limit {
            return Err(TensorError::Full { needed: first, capacity: limit }.into());
        }
        let claim = TENSORS.claim()?;
        // Eight frames to begin with.
        let len = tensor_bytes(width, dim, 8, 1).min(limit);
        let tensor = Tensor::create(zeros(len)?, dim, width, drift)?;
        out.set(0, claim.fill(Opened { tensor, limit }));
        Ok(())
    };
    status(create())
}

/// Opens a copy of the bytes of a tensor, after every check; they may be at any address. It has no
/// limit.
///
/// Errors: `Corrupt`, `NoMemory`, `TooManyStores`; those of pointers.
///
/// # Safety
/// Natively the pointers are valid for reads and writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_tensor_open(
    bytes: *const c_void,
    len: usize,
    out_handle: *mut u32,
) -> i32 {
    let open = || {
        // SAFETY: the caller's promise.
        let (bytes, out) = unsafe {
            (
                input::input("bytes", bytes.cast::<u8>(), len)?,
                Output::one("out_handle", out_handle)?,
            )
        };
        Tensor::open(bytes)?;
        let claim = TENSORS.claim()?;
        let mut copy = room(len)?;
        copy.extend_from_slice(bytes);
        let tensor = Tensor::open(copy)?;
        out.set(0, claim.fill(Opened { tensor, limit: u64::MAX }));
        Ok(())
    };
    status(open())
}

/// Closes a tensor and gives its memory back.
///
/// Errors: `BadHandle`.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_tensor_close(handle: u32) -> i32 {
    let close = || {
        TENSORS.take(handle)?;
        Ok(())
    };
    status(close())
}

/// Adds a frame of `dim` floats and writes its number, from 0, to `out_frame`.
///
/// Errors: `BadHandle`, `WrongDimension`, `NotFinite` (also beyond 2^120), `Full` at its limit,
/// `NoMemory`; those of pointers. The tensor is then as it was.
///
/// # Safety
/// Natively `frame` is valid for reads of `dim` floats, `out_frame` for writes of one number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_tensor_append(
    handle: u32,
    frame: *const f32,
    dim: u32,
    out_frame: *mut u32,
) -> i32 {
    let append = || {
        // SAFETY: the caller's promise.
        let (frame, out) = unsafe {
            (input::input("frame", frame, dim as usize)?, Output::one("out_frame", out_frame)?)
        };
        out.set(0, tensor(handle)?.push(frame)?);
        Ok(())
    };
    status(append())
}

/// Writes frame number `frame` to `out`, `dim` floats, within the bound that
/// `clawft_tensor_error_bound` gives.
///
/// Errors: `BadHandle`, `NoFrame`, `WrongDimension`, `NoMemory`; those of pointers.
///
/// # Safety
/// Natively `out` is valid for writes of `dim` floats.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_tensor_get(
    handle: u32,
    frame: u32,
    out: *mut f32,
    dim: u32,
) -> i32 {
    let get = || {
        // SAFETY: the caller's promise.
        let out = unsafe { Output::new("out", out, dim as usize) }?;
        let held = tensor(handle)?;
        let expected = held.tensor.dim() as u32;
        if dim != expected {
            return Err(TensorError::Dimension { expected, found: dim }.into());
        }
        let mut row = room(dim as usize)?;
        row.resize(dim as usize, 0.0);
        held.tensor.get(frame, &mut row)?;
        out.copy(&row);
        Ok(())
    };
    status(get())
}

/// Writes to `out` a bound on the Euclidean distance between a frame as it was given and as it is
/// read.
///
/// Errors: `BadHandle`, `NoFrame`; those of pointers.
///
/// # Safety
/// Natively `out` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_tensor_error_bound(handle: u32, frame: u32, out: *mut f32) -> i32 {
    let bound = || {
        // SAFETY: the caller's promise.
        let out = unsafe { Output::one("out", out) }?;
        out.set(0, tensor(handle)?.tensor.error_bound(frame)?);
        Ok(())
    };
    status(bound())
}

/// Writes a tensor in numbers to `out`.
///
/// Errors: `BadHandle`; those of pointers.
///
/// # Safety
/// Natively `out` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_tensor_stats(handle: u32, out: *mut ClawftTensorStats) -> i32 {
    let count = || {
        // SAFETY: the caller's promise.
        let out = unsafe { Output::one("out", out) }?;
        let held = tensor(handle)?;
        let tensor = &held.tensor;
        out.set(
            0,
            ClawftTensorStats {
                size: size_of::<ClawftTensorStats>() as u32,
                dim: tensor.dim() as u32,
                bits: tensor.width().bits() as u32,
                frames: tensor.len(),
                segments: tensor.segments(),
                reserved: 0,
                bytes: tensor.used(),
            },
        );
        Ok(())
    };
    status(count())
}

/// Copies the bytes of a tensor to `out`, and their number, `bytes` of `clawft_tensor_stats`, to
/// `out_len`: the same on every machine, for `clawft_tensor_open`.
///
/// Errors: `BadHandle`, `OutputTooSmall`; those of pointers.
///
/// # Safety
/// Natively `out` is valid for writes of `cap` bytes, `out_len` of one number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_tensor_bytes(
    handle: u32,
    out: *mut c_void,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    let copy = || {
        // SAFETY: the caller's promise.
        let (out, out_len) = unsafe {
            (Output::new("out", out.cast::<u8>(), cap)?, Output::one("out_len", out_len)?)
        };
        let mut held = tensor(handle)?;
        let used = held.tensor.used();
        if used > cap as u64 {
            let code = ClawftStatus::OutputTooSmall as i32;
            return Err(Failed::new(code, "cap", "room for #, found #", used, cap as u64));
        }
        // What is used, without the room between frames and segments: the next frame makes room
        // again.
        held.tensor.fit(used)?;
        out.copy(&held.tensor.bytes()[..used as usize]);
        out_len.set(0, used as usize);
        Ok(())
    };
    status(copy())
}
