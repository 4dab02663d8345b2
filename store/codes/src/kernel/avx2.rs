//! AVX2: registers of 32 bytes, on x86-64 processors since 2013.
//!
//! Bytes are multiplied as words, as the product of bytes takes one side without a sign and
//! saturates. Halves are widened by arithmetic, as F16C is not among the features that the
//! processor was asked for.
//!
//! What it must never do: use a fused multiply-add, which most of these processors have. It
//! rounds once where the other instruction sets round twice.

use super::vector::{Vector, each};
use core::arch::x86_64::*;

/// The AVX2 instruction set.
#[derive(Clone, Copy)]
pub(super) struct Avx2;

/// 16 `i8` at `p` as `i16`.
///
/// # Safety
///
/// AVX2; 16 bytes may be read at `p`.
#[inline(always)]
unsafe fn extend(p: *const u8) -> __m256i {
    // SAFETY: the caller's promise; the load needs no alignment.
    unsafe { _mm256_cvtepi8_epi16(_mm_loadu_si128(p.cast())) }
}

/// The sums of the lanes of four registers.
///
/// # Safety
///
/// AVX2.
#[inline(always)]
pub(super) unsafe fn sum4([a, b, c, d]: [__m256i; 4]) -> [i32; 4] {
    // SAFETY: the caller's promise; `out` holds 16 bytes.
    unsafe {
        let all = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
        let all = _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256::<1>(all));
        let mut out = [0; 4];
        _mm_storeu_si128(out.as_mut_ptr().cast(), all);
        out
    }
}

/// Folds eight lanes in halves.
///
/// # Safety
///
/// AVX2.
#[inline(always)]
pub(super) unsafe fn fold8(a: __m256) -> f32 {
    // SAFETY: the caller's promise.
    unsafe {
        let a = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
        let a = _mm_add_ps(a, _mm_movehl_ps(a, a));
        _mm_cvtss_f32(_mm_add_ss(a, _mm_movehdup_ps(a)))
    }
}

impl Vector for Avx2 {
    type Floats = [__m256; 4];
    type Ints = __m256i;
    type Bits = __m256i;
    /// Counts by byte.
    type Counts = __m256i;

    type Bytes = __m256i;
    /// All bytes added as 16-bit words, and the high ones of them alone.
    type Sums = [__m256i; 2];

    const WORDS: usize = 4;
    const LANES: usize = 32;

    #[inline(always)]
    unsafe fn zero_floats() -> [__m256; 4] {
        // SAFETY: the caller's promise.
        unsafe { [_mm256_setzero_ps(); 4] }
    }

    #[inline(always)]
    unsafe fn load_f32(p: *const u8) -> [__m256; 4] {
        // SAFETY: the caller lets 128 bytes be read.
        unsafe { each!(k in [0, 1, 2, 3] => _mm256_loadu_ps(p.add(32 * k).cast())) }
    }

    /// As `f16_code::widen`, with the sign moved along with the exponent.
    #[inline(always)]
    unsafe fn widen(p: *const u8, to: &mut [f32; 32]) {
        // SAFETY: the caller lets 64 bytes be read; `to` is 128.
        unsafe {
            each!(k in [0, 1, 2, 3] => {
                let half = _mm256_cvtepi16_epi32(_mm_loadu_si128(p.add(16 * k).cast()));
                let places = _mm256_set1_epi32(0x8fff_e000_u32 as i32);
                let moved = _mm256_and_si256(_mm256_slli_epi32::<13>(half), places);
                let power = _mm256_castsi256_ps(_mm256_set1_epi32((112 + 127) << 23));
                let value = _mm256_mul_ps(_mm256_castsi256_ps(moved), power);
                let sign = _mm256_set1_ps(-0.0);
                let beyond = _mm256_set1_ps(65_536.0);
                let special = _mm256_cmp_ps::<_CMP_GE_OQ>(_mm256_andnot_ps(sign, value), beyond);
                let infinity = _mm256_set1_ps(f32::INFINITY);
                let value = _mm256_or_ps(value, _mm256_and_ps(special, infinity));
                _mm256_storeu_ps(to.as_mut_ptr().add(8 * k), value);
            });
        }
    }

    #[inline(always)]
    unsafe fn add(a: [__m256; 4], b: [__m256; 4]) -> [__m256; 4] {
        // SAFETY: the caller's promise.
        unsafe { each!(k in [0, 1, 2, 3] => _mm256_add_ps(a[k], b[k])) }
    }

    #[inline(always)]
    unsafe fn sub(a: [__m256; 4], b: [__m256; 4]) -> [__m256; 4] {
        // SAFETY: the caller's promise.
        unsafe { each!(k in [0, 1, 2, 3] => _mm256_sub_ps(a[k], b[k])) }
    }

    #[inline(always)]
    unsafe fn mul(a: [__m256; 4], b: [__m256; 4]) -> [__m256; 4] {
        // SAFETY: the caller's promise.
        unsafe { each!(k in [0, 1, 2, 3] => _mm256_mul_ps(a[k], b[k])) }
    }

    #[inline(always)]
    unsafe fn fold([a, b, c, d]: [__m256; 4]) -> f32 {
        // SAFETY: the caller's promise.
        unsafe { fold8(_mm256_add_ps(_mm256_add_ps(a, c), _mm256_add_ps(b, d))) }
    }

    #[inline(always)]
    unsafe fn zero_ints() -> __m256i {
        // SAFETY: the caller's promise.
        unsafe { _mm256_setzero_si256() }
    }

    #[inline(always)]
    unsafe fn add_words(sum: __m256i, q: *const u8, code: *const u8) -> __m256i {
        // SAFETY: the caller lets 128 bytes be read at `q` and 64 at `code`.
        unsafe {
            let [a, b, c, d] = each!(k in [0, 1, 2, 3] => {
                let q = _mm256_loadu_si256(q.add(32 * k).cast());
                _mm256_madd_epi16(extend(code.add(16 * k)), q)
            });
            let products = _mm256_add_epi32(_mm256_add_epi32(a, b), _mm256_add_epi32(c, d));
            _mm256_add_epi32(sum, products)
        }
    }

    #[inline(always)]
    unsafe fn add_bytes(sum: __m256i, q: *const u8, code: *const u8) -> __m256i {
        // SAFETY: the caller lets 64 bytes be read at `q` and at `code`.
        unsafe {
            let [a, b, c, d] = each!(k in [0, 1, 2, 3] => _mm256_madd_epi16(extend(code.add(16 * k)), extend(q.add(16 * k))));
            let products = _mm256_add_epi32(_mm256_add_epi32(a, b), _mm256_add_epi32(c, d));
            _mm256_add_epi32(sum, products)
        }
    }

    #[inline(always)]
    unsafe fn add_ints(a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the caller's promise.
        unsafe { _mm256_add_epi32(a, b) }
    }

    #[inline(always)]
    unsafe fn sum4(a: [__m256i; 4]) -> [i32; 4] {
        // SAFETY: the caller's promise.
        unsafe { sum4(a) }
    }

    #[inline(always)]
    unsafe fn load_bits(p: *const u8) -> __m256i {
        // SAFETY: the caller lets 32 bytes be read.
        unsafe { _mm256_loadu_si256(p.cast()) }
    }

    #[inline(always)]
    unsafe fn load_bits_part(p: *const u8, words: usize) -> __m256i {
        // SAFETY: the mask lets only the first `words` words be read, as the caller promises.
        unsafe {
            let words = _mm256_set1_epi64x(words as i64);
            let mask = _mm256_cmpgt_epi64(words, _mm256_setr_epi64x(0, 1, 2, 3));
            _mm256_maskload_epi64(p.cast(), mask)
        }
    }

    #[inline(always)]
    unsafe fn zero_counts() -> __m256i {
        // SAFETY: the caller's promise.
        unsafe { _mm256_setzero_si256() }
    }

    /// Half a byte at a time from a table (Muła, Kurz and Lemire, arXiv:1611.07612).
    #[inline(always)]
    unsafe fn count(counts: __m256i, code: __m256i, plane: __m256i) -> __m256i {
        // SAFETY: the caller's promise.
        unsafe {
            let ones = _mm256_setr_epi8(
                0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, //
                0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
            );
            let nibble = _mm256_set1_epi8(15);
            let both = _mm256_and_si256(code, plane);
            let low = _mm256_and_si256(both, nibble);
            let high = _mm256_and_si256(_mm256_srli_epi16::<4>(both), nibble);
            let counts = _mm256_add_epi8(counts, _mm256_shuffle_epi8(ones, low));
            _mm256_add_epi8(counts, _mm256_shuffle_epi8(ones, high))
        }
    }

    #[inline(always)]
    unsafe fn weigh([a, b, c, d]: [__m256i; 4]) -> __m256i {
        // SAFETY: the caller's promise.
        unsafe {
            let bc = _mm256_add_epi8(b, _mm256_add_epi8(c, c));
            let plus = _mm256_add_epi8(a, _mm256_add_epi8(bc, bc));
            let plus = _mm256_maddubs_epi16(plus, _mm256_set1_epi8(1));
            let minus = _mm256_maddubs_epi16(d, _mm256_set1_epi8(8));
            _mm256_madd_epi16(_mm256_sub_epi16(plus, minus), _mm256_set1_epi16(1))
        }
    }

    #[inline(always)]
    unsafe fn load_bytes(p: *const u8) -> __m256i {
        // SAFETY: the caller lets 32 bytes be read.
        unsafe { _mm256_loadu_si256(p.cast()) }
    }

    #[inline(always)]
    unsafe fn splat_byte(p: *const u8) -> __m256i {
        // SAFETY: the caller lets a byte be read.
        unsafe { _mm256_set1_epi8(*p as i8) }
    }

    #[inline(always)]
    unsafe fn zero_bytes() -> __m256i {
        // SAFETY: the caller's promise.
        unsafe { _mm256_setzero_si256() }
    }

    #[inline(always)]
    unsafe fn differ(
        [all, more]: [__m256i; 2],
        code: __m256i,
        signs: __m256i,
        large: __m256i,
    ) -> [__m256i; 2] {
        // SAFETY: the caller's promise.
        unsafe {
            let bits = _mm256_xor_si256(code, signs);
            [Self::count(all, bits, bits), Self::count(more, bits, large)]
        }
    }

    #[inline(always)]
    unsafe fn zero_sums() -> [__m256i; 2] {
        // SAFETY: the caller's promise.
        unsafe { [_mm256_setzero_si256(); 2] }
    }

    #[inline(always)]
    unsafe fn add_to_sums([all, high]: [__m256i; 2], [once, twice]: [__m256i; 2]) -> [__m256i; 2] {
        // SAFETY: the caller's promise.
        unsafe {
            let bytes = _mm256_add_epi16(once, _mm256_add_epi16(twice, twice));
            let (once, twice) = (_mm256_srli_epi16::<8>(once), _mm256_srli_epi16::<8>(twice));
            let high_bytes = _mm256_add_epi16(once, _mm256_add_epi16(twice, twice));
            [_mm256_add_epi16(all, bytes), _mm256_add_epi16(high, high_bytes)]
        }
    }

    #[inline(always)]
    unsafe fn store_sums([all, high]: [__m256i; 2], even: *mut u16, odd: *mut u16) {
        // SAFETY: the caller lets 16 numbers be written at each.
        unsafe {
            let evens = _mm256_sub_epi16(all, _mm256_slli_epi16::<8>(high));
            _mm256_storeu_si256(even.cast(), evens);
            _mm256_storeu_si256(odd.cast(), high);
        }
    }
}
