//! AVX-512: registers of 64 bytes, with byte and word operations (Skylake-X, Zen 4 and later).
//!
//! `NEW` adds what Ice Lake and Zen 4 brought: VNNI multiplies words and accumulates in one
//! instruction, BITALG counts the ones of bytes in one.
//!
//! What it must never do: use VNNI or BITALG outside of `if NEW`, as the same code is compiled
//! for processors without them; fuse a product of floats with its addition; or accumulate by the
//! instructions that saturate, as sums wrap everywhere else.

use super::avx2;
use super::vector::{Vector, each};
use core::arch::x86_64::*;

/// AVX-512 F, BW and VL; with `NEW` also VNNI and BITALG.
#[derive(Clone, Copy)]
pub(super) struct Avx512<const NEW: bool>;

/// 32 `i8` at `p` as `i16`.
///
/// # Safety
///
/// AVX-512BW; 32 bytes may be read at `p`.
#[inline(always)]
unsafe fn extend(p: *const u8) -> __m512i {
    // SAFETY: the caller's promise; the load needs no alignment.
    unsafe { _mm512_cvtepi8_epi16(_mm256_loadu_si256(p.cast())) }
}

/// The halves of both registers, added.
///
/// # Safety
///
/// AVX-512F.
#[inline(always)]
unsafe fn halve([a, b]: [__m512i; 2]) -> __m256i {
    // SAFETY: the caller's promise.
    unsafe {
        let a = _mm512_add_epi32(a, b);
        _mm256_add_epi32(_mm512_castsi512_si256(a), _mm512_extracti64x4_epi64::<1>(a))
    }
}

impl<const NEW: bool> Avx512<NEW> {
    /// `sum` + the products of 32 words, added in pairs.
    #[inline(always)]
    unsafe fn multiply(sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: the caller's promise, VNNI only with `NEW`.
        unsafe {
            if NEW {
                _mm512_dpwssd_epi32(sum, a, b)
            } else {
                _mm512_add_epi32(sum, _mm512_madd_epi16(a, b))
            }
        }
    }
}

impl<const NEW: bool> Vector for Avx512<NEW> {
    type Floats = [__m512; 2];
    /// Two registers, so that one multiply-accumulate need not wait for the last.
    type Ints = [__m512i; 2];
    type Bits = __m512i;
    /// Counts by byte.
    type Counts = __m512i;

    type Bytes = __m512i;
    /// All bytes added as 16-bit words, and the high ones of them alone.
    type Sums = [__m512i; 2];

    const WORDS: usize = 8;
    const LANES: usize = 64;

    #[inline(always)]
    unsafe fn zero_floats() -> [__m512; 2] {
        // SAFETY: the caller's promise.
        unsafe { [_mm512_setzero_ps(); 2] }
    }

    #[inline(always)]
    unsafe fn load_f32(p: *const u8) -> [__m512; 2] {
        // SAFETY: the caller lets 128 bytes be read.
        unsafe { each!(k in [0, 1] => _mm512_loadu_ps(p.add(64 * k).cast())) }
    }

    #[inline(always)]
    unsafe fn widen(p: *const u8, to: &mut [f32; 32]) {
        // SAFETY: the caller lets 64 bytes be read; `to` is 128.
        unsafe {
            each!(k in [0, 1] => {
                let value = _mm512_cvtph_ps(_mm256_loadu_si256(p.add(32 * k).cast()));
                _mm512_storeu_ps(to.as_mut_ptr().add(16 * k), value);
            });
        }
    }

    #[inline(always)]
    unsafe fn add(a: [__m512; 2], b: [__m512; 2]) -> [__m512; 2] {
        // SAFETY: the caller's promise.
        unsafe { each!(k in [0, 1] => _mm512_add_ps(a[k], b[k])) }
    }

    #[inline(always)]
    unsafe fn sub(a: [__m512; 2], b: [__m512; 2]) -> [__m512; 2] {
        // SAFETY: the caller's promise.
        unsafe { each!(k in [0, 1] => _mm512_sub_ps(a[k], b[k])) }
    }

    #[inline(always)]
    unsafe fn mul(a: [__m512; 2], b: [__m512; 2]) -> [__m512; 2] {
        // SAFETY: the caller's promise.
        unsafe { each!(k in [0, 1] => _mm512_mul_ps(a[k], b[k])) }
    }

    #[inline(always)]
    unsafe fn fold([a, b]: [__m512; 2]) -> f32 {
        // SAFETY: the caller's promise.
        unsafe {
            let a = _mm512_add_ps(a, b);
            let high = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(a)));
            avx2::fold8(_mm256_add_ps(_mm512_castps512_ps256(a), high))
        }
    }

    #[inline(always)]
    unsafe fn zero_ints() -> [__m512i; 2] {
        // SAFETY: the caller's promise.
        unsafe { [_mm512_setzero_si512(); 2] }
    }

    #[inline(always)]
    unsafe fn add_words(sum: [__m512i; 2], q: *const u8, code: *const u8) -> [__m512i; 2] {
        // SAFETY: the caller lets 128 bytes be read at `q` and 64 at `code`.
        unsafe {
            each!(k in [0, 1] => {
                let q = _mm512_loadu_si512(q.add(64 * k).cast());
                Self::multiply(sum[k], extend(code.add(32 * k)), q)
            })
        }
    }

    #[inline(always)]
    unsafe fn add_bytes(sum: [__m512i; 2], q: *const u8, code: *const u8) -> [__m512i; 2] {
        // SAFETY: the caller lets 64 bytes be read at `q` and at `code`.
        unsafe {
            each!(k in [0, 1] => Self::multiply(sum[k], extend(code.add(32 * k)), extend(q.add(32 * k))))
        }
    }

    #[inline(always)]
    unsafe fn add_ints(a: [__m512i; 2], b: [__m512i; 2]) -> [__m512i; 2] {
        // SAFETY: the caller's promise.
        unsafe { each!(k in [0, 1] => _mm512_add_epi32(a[k], b[k])) }
    }

    #[inline(always)]
    unsafe fn sum4([a, b, c, d]: [[__m512i; 2]; 4]) -> [i32; 4] {
        // SAFETY: the caller's promise; AVX-512 includes AVX2.
        unsafe { avx2::sum4([halve(a), halve(b), halve(c), halve(d)]) }
    }

    #[inline(always)]
    unsafe fn load_bits(p: *const u8) -> __m512i {
        // SAFETY: the caller lets 64 bytes be read.
        unsafe { _mm512_loadu_si512(p.cast()) }
    }

    #[inline(always)]
    unsafe fn load_bits_part(p: *const u8, words: usize) -> __m512i {
        // SAFETY: the mask lets only the first `words` words be read, as the caller promises.
        unsafe { _mm512_maskz_loadu_epi64((1u8 << words) - 1, p.cast()) }
    }

    #[inline(always)]
    unsafe fn zero_counts() -> __m512i {
        // SAFETY: the caller's promise.
        unsafe { _mm512_setzero_si512() }
    }

    #[inline(always)]
    unsafe fn count(counts: __m512i, code: __m512i, plane: __m512i) -> __m512i {
        // SAFETY: the caller's promise, BITALG only with `NEW`.
        unsafe {
            let both = _mm512_and_si512(code, plane);
            if NEW {
                return _mm512_add_epi8(counts, _mm512_popcnt_epi8(both));
            }
            let ones = _mm512_broadcast_i32x4(_mm_setr_epi8(
                0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
            ));
            let nibble = _mm512_set1_epi8(15);
            let low = _mm512_and_si512(both, nibble);
            let high = _mm512_and_si512(_mm512_srli_epi16::<4>(both), nibble);
            let counts = _mm512_add_epi8(counts, _mm512_shuffle_epi8(ones, low));
            _mm512_add_epi8(counts, _mm512_shuffle_epi8(ones, high))
        }
    }

    #[inline(always)]
    unsafe fn weigh([a, b, c, d]: [__m512i; 4]) -> [__m512i; 2] {
        // SAFETY: the caller's promise.
        unsafe {
            let bc = _mm512_add_epi8(b, _mm512_add_epi8(c, c));
            let plus = _mm512_add_epi8(a, _mm512_add_epi8(bc, bc));
            let plus = _mm512_maddubs_epi16(plus, _mm512_set1_epi8(1));
            let minus = _mm512_maddubs_epi16(d, _mm512_set1_epi8(8));
            let words = _mm512_sub_epi16(plus, minus);
            let ones = _mm512_set1_epi16(1);
            [_mm512_madd_epi16(words, ones), _mm512_setzero_si512()]
        }
    }

    #[inline(always)]
    unsafe fn load_bytes(p: *const u8) -> __m512i {
        // SAFETY: the caller lets 64 bytes be read.
        unsafe { _mm512_loadu_si512(p.cast()) }
    }

    #[inline(always)]
    unsafe fn splat_byte(p: *const u8) -> __m512i {
        // SAFETY: the caller lets a byte be read.
        unsafe { _mm512_set1_epi8(*p as i8) }
    }

    #[inline(always)]
    unsafe fn zero_bytes() -> __m512i {
        // SAFETY: the caller's promise.
        unsafe { _mm512_setzero_si512() }
    }

    #[inline(always)]
    unsafe fn differ(
        [all, more]: [__m512i; 2],
        code: __m512i,
        signs: __m512i,
        large: __m512i,
    ) -> [__m512i; 2] {
        // SAFETY: the caller's promise.
        unsafe {
            let bits = _mm512_xor_si512(code, signs);
            [Self::count(all, bits, bits), Self::count(more, bits, large)]
        }
    }

    #[inline(always)]
    unsafe fn zero_sums() -> [__m512i; 2] {
        // SAFETY: the caller's promise.
        unsafe { [_mm512_setzero_si512(); 2] }
    }

    #[inline(always)]
    unsafe fn add_to_sums([all, high]: [__m512i; 2], [once, twice]: [__m512i; 2]) -> [__m512i; 2] {
        // SAFETY: the caller's promise.
        unsafe {
            let bytes = _mm512_add_epi16(once, _mm512_add_epi16(twice, twice));
            let (once, twice) = (_mm512_srli_epi16::<8>(once), _mm512_srli_epi16::<8>(twice));
            let high_bytes = _mm512_add_epi16(once, _mm512_add_epi16(twice, twice));
            [_mm512_add_epi16(all, bytes), _mm512_add_epi16(high, high_bytes)]
        }
    }

    #[inline(always)]
    unsafe fn store_sums([all, high]: [__m512i; 2], even: *mut u16, odd: *mut u16) {
        // SAFETY: the caller lets 32 numbers be written at each.
        unsafe {
            let evens = _mm512_sub_epi16(all, _mm512_slli_epi16::<8>(high));
            _mm512_storeu_si512(even.cast(), evens);
            _mm512_storeu_si512(odd.cast(), high);
        }
    }
}
