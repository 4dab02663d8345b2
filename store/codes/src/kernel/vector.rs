//! What an instruction set must offer to the kernels.
//!
//! The operations are wide on purpose: 32 floats or 64 integers at a time, whatever the
//! registers hold. So the tree of float additions is the same everywhere by construction, and an
//! instruction set may choose its best instructions for a whole step (a fused multiply-add
//! of bytes, a popcount) where a trait of single registers would tie its hands.
//!
//! What it must never do: let the width of a register show in a result. What a method leaves
//! open, such as which lane of `Ints` holds what, must make no difference to the sum.

/// `[f(0), f(1), ..]` written out.
///
/// A closure, as `array::from_fn` takes, is a function of its own without the instruction set
/// enabled: if the compiler does not inline it, every instruction in it becomes a call.
#[cfg(target_arch = "x86_64")]
macro_rules! each {
    ($k:ident in [$($value:literal),*] => $result:expr) => {
        [$({ let $k = $value; $result }),*]
    };
}
#[cfg(target_arch = "x86_64")]
pub(super) use each;

/// An instruction set.
///
/// # Safety
///
/// Every method requires that the processor has the instruction set, and is inlined into a
/// function that enables it. Pointers need no alignment; how far they are read stands with each
/// method. A method must give exactly the result of `Scalar`'s.
pub(super) trait Vector: Copy {
    /// 32 lanes of `f32`.
    type Floats: Copy;
    /// Some lanes of `i32`, only their sum counts; additions wrap.
    type Ints: Copy;
    /// `WORDS` words of 64 bits.
    type Bits: Copy;
    /// Counts of bits, only weighed sums of them count; an element takes four `popcount`s.
    type Counts: Copy;

    /// `LANES` bytes.
    type Bytes: Copy;
    /// A sum for each of `LANES` bytes.
    type Sums: Copy;

    /// 64-bit words in one `Bits`.
    const WORDS: usize;
    /// Bytes in one `Bytes`.
    const LANES: usize;

    /// Zero in every lane.
    unsafe fn zero_floats() -> Self::Floats;
    /// 32 `f32` at `p`: reads 128 bytes.
    unsafe fn load_f32(p: *const u8) -> Self::Floats;
    /// Widens 32 `f16` at `p` exactly: reads 64 bytes.
    unsafe fn widen(p: *const u8, to: &mut [f32; 32]);
    /// `a + b`, lane by lane.
    unsafe fn add(a: Self::Floats, b: Self::Floats) -> Self::Floats;
    /// `a - b`, lane by lane.
    unsafe fn sub(a: Self::Floats, b: Self::Floats) -> Self::Floats;
    /// `a * b`, lane by lane.
    unsafe fn mul(a: Self::Floats, b: Self::Floats) -> Self::Floats;
    /// Folds in halves, lane `j` taking lane `j + half`: 32, 16, 8, 4, 2, 1.
    unsafe fn fold(a: Self::Floats) -> f32;

    /// Zero in every lane.
    unsafe fn zero_ints() -> Self::Ints;
    /// `sum` + the products of 64 `i16` at `q` (128 bytes) with 64 `i8` at `code` (64 bytes).
    unsafe fn add_words(sum: Self::Ints, q: *const u8, code: *const u8) -> Self::Ints;
    /// `sum` + the products of 64 `i8` at `q` (64 bytes) with 64 `i8` at `code` (64 bytes).
    unsafe fn add_bytes(sum: Self::Ints, q: *const u8, code: *const u8) -> Self::Ints;
    /// `a + b`, lane by lane.
    unsafe fn add_ints(a: Self::Ints, b: Self::Ints) -> Self::Ints;
    /// The sums of the lanes of four.
    unsafe fn sum4(a: [Self::Ints; 4]) -> [i32; 4];
    /// The sum of the lanes of one.
    #[inline(always)]
    unsafe fn sum(a: Self::Ints) -> i32 {
        // SAFETY: as this function's own promise.
        unsafe { Self::sum4([a; 4])[0] }
    }

    /// `WORDS` words at `p`: reads `8 * WORDS` bytes.
    unsafe fn load_bits(p: *const u8) -> Self::Bits;
    /// `words` words at `p`, the rest zero: reads `8 * words` bytes, `words < WORDS`.
    unsafe fn load_bits_part(p: *const u8, words: usize) -> Self::Bits;
    /// No bits counted.
    unsafe fn zero_counts() -> Self::Counts;
    /// `counts` + the ones of `code & plane`. At most four may be added before `weigh`.
    unsafe fn count(counts: Self::Counts, code: Self::Bits, plane: Self::Bits) -> Self::Counts;
    /// The counts of planes 0 to 3 with the weights 1, 2, 4 and -8.
    unsafe fn weigh(counts: [Self::Counts; 4]) -> Self::Ints;

    /// `LANES` bytes at `p`.
    unsafe fn load_bytes(p: *const u8) -> Self::Bytes;
    /// The byte at `p`, in all places.
    unsafe fn splat_byte(p: *const u8) -> Self::Bytes;
    /// Zero in every byte.
    unsafe fn zero_bytes() -> Self::Bytes;
    /// Where `code` differs from `signs`: `counts` + its ones, and + those also in `large`, byte
    /// by byte; sums wrap.
    unsafe fn differ(
        counts: [Self::Bytes; 2],
        code: Self::Bytes,
        signs: Self::Bytes,
        large: Self::Bytes,
    ) -> [Self::Bytes; 2];
    /// Nothing added up.
    unsafe fn zero_sums() -> Self::Sums;
    /// `sums` + the first counts + twice the second ones; sums are of 16 bits and wrap.
    unsafe fn add_to_sums(sums: Self::Sums, counts: [Self::Bytes; 2]) -> Self::Sums;
    /// Writes the sums of the bytes at even places to `even`, those of the others to `odd`:
    /// `LANES / 2` numbers each.
    unsafe fn store_sums(sums: Self::Sums, even: *mut u16, odd: *mut u16);
}
