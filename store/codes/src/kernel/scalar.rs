//! The portable instruction set: plain Rust, which compilers may vectorise as they can.
//!
//! It is the reference that the others must match, and what WAMR's interpreter runs.
//!
//! What it must never do: give another result than it did. The other instruction sets would have
//! to follow, and a graph that is built again would get other links.

use super::vector::Vector;
use crate::{arith, f16_code};

/// Plain Rust. Its methods are safe on every processor; only their pointers need care.
#[derive(Clone, Copy)]
pub(super) struct Scalar;

/// `N` values at `p`.
///
/// # Safety
///
/// `N * size_of::<T>()` bytes may be read at `p`, and any bits are a `T`.
#[inline(always)]
unsafe fn read<T: Copy, const N: usize>(p: *const u8) -> [T; N] {
    // SAFETY: the caller's promise; the read needs no alignment.
    unsafe { p.cast::<[T; N]>().read_unaligned() }
}

impl Vector for Scalar {
    type Floats = [f32; 32];
    type Ints = i32;
    type Bits = u64;
    type Counts = u32;
    type Bytes = [u8; 16];
    type Sums = [[u16; 8]; 2];

    const WORDS: usize = 1;
    const LANES: usize = 16;

    #[inline(always)]
    unsafe fn zero_floats() -> [f32; 32] {
        [0.0; 32]
    }

    #[inline(always)]
    unsafe fn load_f32(p: *const u8) -> [f32; 32] {
        // SAFETY: the caller lets 128 bytes be read.
        unsafe { read(p) }
    }

    #[inline(always)]
    unsafe fn widen(p: *const u8, to: &mut [f32; 32]) {
        // SAFETY: the caller lets 64 bytes be read.
        let halves = unsafe { read::<u16, 32>(p) };
        for (to, half) in to.iter_mut().zip(halves) {
            *to = f16_code::widen(half);
        }
    }

    #[inline(always)]
    unsafe fn add(a: [f32; 32], b: [f32; 32]) -> [f32; 32] {
        core::array::from_fn(|j| a[j] + b[j])
    }

    #[inline(always)]
    unsafe fn sub(a: [f32; 32], b: [f32; 32]) -> [f32; 32] {
        core::array::from_fn(|j| a[j] - b[j])
    }

    #[inline(always)]
    unsafe fn mul(a: [f32; 32], b: [f32; 32]) -> [f32; 32] {
        core::array::from_fn(|j| a[j] * b[j])
    }

    #[inline(always)]
    unsafe fn fold(a: [f32; 32]) -> f32 {
        arith::fold(a)
    }

    #[inline(always)]
    unsafe fn zero_ints() -> i32 {
        0
    }

    #[inline(always)]
    unsafe fn add_words(sum: i32, q: *const u8, code: *const u8) -> i32 {
        // SAFETY: the caller lets 128 bytes be read at `q` and 64 at `code`.
        let (q, code) = unsafe { (read::<i16, 64>(q), read::<i8, 64>(code)) };
        q.iter().zip(code).fold(sum, |sum, (&a, b)| sum.wrapping_add(i32::from(a) * i32::from(b)))
    }

    #[inline(always)]
    unsafe fn add_bytes(sum: i32, q: *const u8, code: *const u8) -> i32 {
        // SAFETY: the caller lets 64 bytes be read at `q` and at `code`.
        let (q, code) = unsafe { (read::<i8, 64>(q), read::<i8, 64>(code)) };
        (0..64).fold(sum, |sum, j| sum.wrapping_add(i32::from(q[j]) * i32::from(code[j])))
    }

    #[inline(always)]
    unsafe fn add_ints(a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }

    #[inline(always)]
    unsafe fn sum4(a: [i32; 4]) -> [i32; 4] {
        a
    }

    #[inline(always)]
    unsafe fn load_bits(p: *const u8) -> u64 {
        // SAFETY: the caller lets 8 bytes be read.
        unsafe { read::<u64, 1>(p)[0] }
    }

    #[inline(always)]
    unsafe fn load_bits_part(_: *const u8, _: usize) -> u64 {
        0
    }

    #[inline(always)]
    unsafe fn zero_counts() -> u32 {
        0
    }

    #[inline(always)]
    unsafe fn count(counts: u32, code: u64, plane: u64) -> u32 {
        counts + (code & plane).count_ones()
    }

    #[inline(always)]
    unsafe fn weigh([a, b, c, d]: [u32; 4]) -> i32 {
        (a + 2 * b + 4 * c) as i32 - 8 * d as i32
    }

    #[inline(always)]
    unsafe fn load_bytes(p: *const u8) -> [u8; 16] {
        // SAFETY: the caller lets 16 bytes be read.
        unsafe { read(p) }
    }

    #[inline(always)]
    unsafe fn splat_byte(p: *const u8) -> [u8; 16] {
        // SAFETY: the caller lets a byte be read.
        [unsafe { *p }; 16]
    }

    #[inline(always)]
    unsafe fn zero_bytes() -> [u8; 16] {
        [0; 16]
    }

    #[inline(always)]
    unsafe fn differ(
        [all, more]: [[u8; 16]; 2],
        code: [u8; 16],
        signs: [u8; 16],
        large: [u8; 16],
    ) -> [[u8; 16]; 2] {
        let ones = |bits: u8| bits.count_ones() as u8;
        [
            core::array::from_fn(|j| all[j].wrapping_add(ones(code[j] ^ signs[j]))),
            core::array::from_fn(|j| more[j].wrapping_add(ones((code[j] ^ signs[j]) & large[j]))),
        ]
    }

    #[inline(always)]
    unsafe fn zero_sums() -> [[u16; 8]; 2] {
        [[0; 8]; 2]
    }

    #[inline(always)]
    unsafe fn add_to_sums(sums: [[u16; 8]; 2], [all, more]: [[u8; 16]; 2]) -> [[u16; 8]; 2] {
        core::array::from_fn(|odd| {
            core::array::from_fn(|j| {
                let at = 2 * j + odd;
                sums[odd][j].wrapping_add(u16::from(all[at]) + 2 * u16::from(more[at]))
            })
        })
    }

    #[inline(always)]
    unsafe fn store_sums([evens, odds]: [[u16; 8]; 2], even: *mut u16, odd: *mut u16) {
        // SAFETY: the caller lets 8 numbers be written at each.
        unsafe {
            even.cast::<[u16; 8]>().write_unaligned(evens);
            odd.cast::<[u16; 8]>().write_unaligned(odds);
        }
    }
}
