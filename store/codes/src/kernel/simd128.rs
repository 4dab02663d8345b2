//! WebAssembly's fixed-width SIMD: registers of 16 bytes.
//!
//! Bytes are multiplied as words, for which there is an instruction that adds in pairs. Closures
//! do no harm here, other than on x86-64: a module is compiled for its instruction set as a
//! whole.
//!
//! What it must never do: use a relaxed instruction. This is what engines without them run, and
//! what `relaxed.rs` falls back on.

use super::vector::Vector;
use core::arch::wasm32::*;
use core::array::from_fn;

/// The `simd128` instruction set.
#[derive(Clone, Copy)]
pub(super) struct Simd128;

/// A register at `p`.
///
/// # Safety
///
/// 16 bytes may be read at `p`.
#[inline(always)]
pub(super) unsafe fn load(p: *const u8) -> v128 {
    // SAFETY: the caller's promise; loads need no alignment.
    unsafe { v128_load(p.cast()) }
}

/// The sums of the lanes of four registers, as the lanes of one.
#[inline(always)]
fn transpose_and_add(a: v128, b: v128, c: v128, d: v128) -> v128 {
    let ab = i32x4_add(i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<2, 6, 3, 7>(a, b));
    let cd = i32x4_add(i32x4_shuffle::<0, 4, 1, 5>(c, d), i32x4_shuffle::<2, 6, 3, 7>(c, d));
    i32x4_add(i64x2_shuffle::<0, 2>(ab, cd), i64x2_shuffle::<1, 3>(ab, cd))
}

/// The sum of eight registers as a balanced tree: a chain would wait for each addition.
#[inline(always)]
fn add_eight([a, b, c, d, e, f, g, h]: [v128; 8]) -> v128 {
    let (ab, cd) = (i32x4_add(a, b), i32x4_add(c, d));
    let (ef, gh) = (i32x4_add(e, f), i32x4_add(g, h));
    i32x4_add(i32x4_add(ab, cd), i32x4_add(ef, gh))
}

impl Vector for Simd128 {
    type Floats = [v128; 8];
    type Ints = v128;
    type Bits = v128;
    /// Counts by byte.
    type Counts = v128;
    type Bytes = v128;
    /// All bytes added as 16-bit words, and the high ones of them alone.
    type Sums = [v128; 2];

    const WORDS: usize = 2;
    const LANES: usize = 16;

    #[inline(always)]
    unsafe fn zero_floats() -> [v128; 8] {
        [f32x4_splat(0.0); 8]
    }

    #[inline(always)]
    unsafe fn load_f32(p: *const u8) -> [v128; 8] {
        // SAFETY: the caller lets 128 bytes be read.
        from_fn(|k| unsafe { load(p.add(16 * k)) })
    }

    /// As `f16_code::widen`, with the sign moved along with the exponent.
    #[inline(always)]
    unsafe fn widen(p: *const u8, to: &mut [f32; 32]) {
        // A number that the compiler cannot see keeps it from writing the loop out: 680 bytes,
        // for no speed.
        let fours = core::hint::black_box(8);
        for (k, to) in to.as_chunks_mut::<4>().0.iter_mut().enumerate().take(fours) {
            // SAFETY: the caller lets 64 bytes be read; `to` is 16 bytes.
            unsafe {
                let half = i32x4_load_extend_i16x4(p.add(8 * k).cast());
                let moved = v128_and(i32x4_shl(half, 13), u32x4_splat(0x8fff_e000));
                let value = f32x4_mul(moved, u32x4_splat((112 + 127) << 23));
                let special = f32x4_ge(f32x4_abs(value), f32x4_splat(65_536.0));
                let value = v128_or(value, v128_and(special, u32x4_splat(0x7f80_0000)));
                v128_store(to.as_mut_ptr().cast(), value);
            }
        }
    }

    #[inline(always)]
    unsafe fn add(a: [v128; 8], b: [v128; 8]) -> [v128; 8] {
        from_fn(|k| f32x4_add(a[k], b[k]))
    }

    #[inline(always)]
    unsafe fn sub(a: [v128; 8], b: [v128; 8]) -> [v128; 8] {
        from_fn(|k| f32x4_sub(a[k], b[k]))
    }

    #[inline(always)]
    unsafe fn mul(a: [v128; 8], b: [v128; 8]) -> [v128; 8] {
        from_fn(|k| f32x4_mul(a[k], b[k]))
    }

    #[inline(always)]
    unsafe fn fold(a: [v128; 8]) -> f32 {
        let a: [v128; 4] = from_fn(|k| f32x4_add(a[k], a[k + 4]));
        let a = f32x4_add(f32x4_add(a[0], a[2]), f32x4_add(a[1], a[3]));
        let a = f32x4_add(a, i32x4_shuffle::<2, 3, 0, 1>(a, a));
        f32x4_extract_lane::<0>(a) + f32x4_extract_lane::<1>(a)
    }

    #[inline(always)]
    unsafe fn zero_ints() -> v128 {
        i32x4_splat(0)
    }

    #[inline(always)]
    unsafe fn add_words(sum: v128, q: *const u8, code: *const u8) -> v128 {
        let products = from_fn(|k| {
            // SAFETY: the caller lets 128 bytes be read at `q` and 64 at `code`.
            unsafe {
                i32x4_dot_i16x8(i16x8_load_extend_i8x8(code.add(8 * k).cast()), load(q.add(16 * k)))
            }
        });
        i32x4_add(sum, add_eight(products))
    }

    #[inline(always)]
    unsafe fn add_bytes(sum: v128, q: *const u8, code: *const u8) -> v128 {
        let products = from_fn(|k| {
            // SAFETY: the caller lets 64 bytes be read at `q` and at `code`.
            unsafe {
                let q = i16x8_load_extend_i8x8(q.add(8 * k).cast());
                i32x4_dot_i16x8(i16x8_load_extend_i8x8(code.add(8 * k).cast()), q)
            }
        });
        i32x4_add(sum, add_eight(products))
    }

    #[inline(always)]
    unsafe fn add_ints(a: v128, b: v128) -> v128 {
        i32x4_add(a, b)
    }

    #[inline(always)]
    unsafe fn sum4([a, b, c, d]: [v128; 4]) -> [i32; 4] {
        let mut out = [0; 4];
        // SAFETY: `out` holds 16 bytes.
        unsafe { v128_store(out.as_mut_ptr().cast(), transpose_and_add(a, b, c, d)) };
        out
    }

    #[inline(always)]
    unsafe fn sum(a: v128) -> i32 {
        let a = i32x4_add(a, i64x2_shuffle::<1, 1>(a, a));
        i32x4_extract_lane::<0>(a).wrapping_add(i32x4_extract_lane::<1>(a))
    }

    #[inline(always)]
    unsafe fn load_bits(p: *const u8) -> v128 {
        // SAFETY: the caller lets 16 bytes be read.
        unsafe { load(p) }
    }

    #[inline(always)]
    unsafe fn load_bits_part(p: *const u8, _words: usize) -> v128 {
        // SAFETY: a part of two words is one: the caller lets 8 bytes be read.
        unsafe { v128_load64_zero(p.cast()) }
    }

    #[inline(always)]
    unsafe fn zero_counts() -> v128 {
        i8x16_splat(0)
    }

    #[inline(always)]
    unsafe fn count(counts: v128, code: v128, plane: v128) -> v128 {
        i8x16_add(counts, i8x16_popcnt(v128_and(code, plane)))
    }

    #[inline(always)]
    unsafe fn weigh([a, b, c, d]: [v128; 4]) -> v128 {
        let cc = i8x16_add(c, c);
        let bc = i8x16_add(b, cc);
        let plus = i8x16_add(a, i8x16_add(bc, bc));
        let minus = i16x8_shl(i16x8_extadd_pairwise_u8x16(d), 3);
        let words = i16x8_sub(i16x8_extadd_pairwise_u8x16(plus), minus);
        i32x4_extadd_pairwise_i16x8(words)
    }

    #[inline(always)]
    unsafe fn load_bytes(p: *const u8) -> v128 {
        // SAFETY: the caller lets 16 bytes be read.
        unsafe { load(p) }
    }

    #[inline(always)]
    unsafe fn splat_byte(p: *const u8) -> v128 {
        // SAFETY: the caller lets a byte be read.
        unsafe { v128_load8_splat(p) }
    }

    #[inline(always)]
    unsafe fn zero_bytes() -> v128 {
        i8x16_splat(0)
    }

    #[inline(always)]
    unsafe fn differ([all, more]: [v128; 2], code: v128, signs: v128, large: v128) -> [v128; 2] {
        let bits = v128_xor(code, signs);
        let both = v128_and(bits, large);
        [i8x16_add(all, i8x16_popcnt(bits)), i8x16_add(more, i8x16_popcnt(both))]
    }

    #[inline(always)]
    unsafe fn zero_sums() -> [v128; 2] {
        [i16x8_splat(0); 2]
    }

    #[inline(always)]
    unsafe fn add_to_sums([all, high]: [v128; 2], [once, twice]: [v128; 2]) -> [v128; 2] {
        let add = |sum, once, twice| i16x8_add(sum, i16x8_add(once, i16x8_add(twice, twice)));
        [add(all, once, twice), add(high, u16x8_shr(once, 8), u16x8_shr(twice, 8))]
    }

    #[inline(always)]
    unsafe fn store_sums([all, high]: [v128; 2], even: *mut u16, odd: *mut u16) {
        // SAFETY: the caller lets 8 numbers be written at each.
        unsafe {
            v128_store(even.cast(), i16x8_sub(all, i16x8_shl(high, 8)));
            v128_store(odd.cast(), high);
        }
    }
}
