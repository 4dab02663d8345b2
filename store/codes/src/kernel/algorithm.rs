//! Every distance, once, over the [`Vector`] trait.
//!
//! [`Batch::run`] walks a batch and checks ranges; a [`Distance`] compares one code, or four at
//! once where the final sums can share instructions.
//!
//! Components behind the last whole step are copied to a block that is filled with zeros: an
//! instruction set needs one length of step only, and nothing is read behind a code, which may
//! be the last in its buffer.
//!
//! What it must never do: compare four codes otherwise than one. Which of the two is used
//! depends on the target and on the batch.

use super::vector::Vector;
use crate::four::Four;
use crate::sketch::{LANES, MOST_BYTES, SketchQuery, block_bytes};
use crate::{Kernels, PLANES, arith};
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::copy_nonoverlapping;

/// Which distance [`Floats`] computes.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    /// The squared distance, not the inner product.
    pub(super) squared: bool,
    /// From `f16` codes, not `f32`.
    pub(super) half: bool,
}

/// Are four codes compared at once? Their sums then share instructions; in WebAssembly each kernel
/// would be half a kilobyte more, for next to no speed.
const FOURS: bool = cfg!(not(target_arch = "wasm32"));

/// Codes in a buffer, and which of them to compare.
#[derive(Clone, Copy)]
pub(super) struct Batch<'a> {
    codes: &'a [u8],
    unit: usize,
    at: &'a [u32],
    /// Codes at smaller positions lie wholly inside `codes`.
    end: u64,
}

impl<'a> Batch<'a> {
    /// A batch of codes of `need` bytes each.
    #[inline(always)]
    pub(super) fn new(codes: &'a [u8], need: usize, unit: usize, at: &'a [u32]) -> Self {
        let end = match codes.len().checked_sub(need) {
            Some(room) => room.checked_div(unit).map_or(u64::MAX, |last| last as u64 + 1),
            None => 0,
        };
        Batch { codes, unit, at, end }
    }

    /// Compares each code of the batch, as far as there are places for results.
    ///
    /// # Safety
    ///
    /// The processor has `D`'s instruction set, and `D` reads no more of a code than the batch
    /// was made for.
    #[inline(always)]
    pub(super) unsafe fn run<D: Distance>(self, distance: &D, out: &mut [D::Out]) {
        // SAFETY: only for positions before the end: the product leads to a place in `codes`.
        let code = |at: &u32| unsafe { self.codes.as_ptr().add(*at as usize * self.unit) };
        let inside = |at: &u32| u64::from(*at) < self.end;
        let mut done = 0;
        if FOURS {
            let fours = self.at.as_chunks::<4>().0.iter();
            let places = out.as_chunks_mut::<4>().0.iter_mut();
            for (at, out) in fours.zip(places).take_while(|(at, _)| at.iter().all(inside)) {
                // SAFETY: inside, and the caller's promise.
                *out = unsafe { distance.four(at.each_ref().map(code)) };
                done += 4;
            }
        }
        for (at, out) in self.at[done..].iter().zip(&mut out[done..]) {
            debug_assert!(inside(at), "the code at {at} lies outside the buffer");
            *out = D::WORST;
            if inside(at) {
                // SAFETY: inside, and the caller's promise.
                *out = unsafe { distance.one(code(at)) };
            }
        }
    }
}

/// A prepared query that can be compared with codes.
///
/// # Safety
///
/// Methods require the instruction set, and that a code may be read as far as the query is long.
pub(super) trait Distance {
    type Out: Copy;
    /// The result for a code outside the buffer.
    const WORST: Self::Out;
    /// Compares one code.
    unsafe fn one(&self, code: *const u8) -> Self::Out;
    /// Compares four codes.
    unsafe fn four(&self, codes: [*const u8; 4]) -> [Self::Out; 4];
}

/// `bytes` bytes at `from`, at most 128, then zeros.
///
/// # Safety
///
/// So many bytes may be read there.
#[inline(never)]
unsafe fn tail(from: *const u8, bytes: usize) -> [u8; 128] {
    let mut tail = [0; 128];
    // SAFETY: the caller's promise; no more than `tail` holds.
    unsafe { copy_nonoverlapping(from, tail.as_mut_ptr(), bytes.min(128)) };
    tail
}

/// Inner product or squared distance of an `f32` query with `f32` or `f16` codes.
pub(super) struct Floats<'q, V> {
    q: &'q [f32],
    /// The last components of the query, fewer than 32, then zeros.
    tail: [f32; 32],
    squared: bool,
    half: bool,
    vector: PhantomData<V>,
}

impl<'q, V: Vector> Floats<'q, V> {
    #[inline(always)]
    pub(super) fn new(q: &'q [f32], Kind { squared, half }: Kind) -> Self {
        let tail = arith::last_block(q.as_chunks::<32>().1);
        Floats { q, tail, squared, half, vector: PhantomData }
    }

    #[inline(always)]
    unsafe fn sum(&self, code: *const u8) -> f32 {
        let (whole, rest) = (self.q.len() / 32, self.q.len() % 32);
        let bytes = if self.half { 2 } else { 4 };
        let (mut last, mut wide) = (MaybeUninit::uninit(), [0.0; 32]);
        // SAFETY: `whole * 32 + rest` components may be read at `q` and `code`; the tails are 32
        // components long.
        unsafe {
            let mut sum = V::zero_floats();
            let mut i = 0;
            while i < self.q.len().div_ceil(32) {
                let mut q = self.q.as_ptr().add(i * 32).cast::<u8>();
                let mut code = code.add(i * 32 * bytes);
                // Nothing is asked in the inner loops: all whole blocks of `f32` are one run.
                let mut run = 1;
                if i == whole {
                    code = last.write(tail(code, rest * bytes)).as_ptr();
                    q = self.tail.as_ptr().cast();
                } else if !self.half {
                    run = whole;
                }
                if self.half {
                    V::widen(code, &mut wide);
                    code = wide.as_ptr().cast();
                }
                if self.squared {
                    for k in 0..run {
                        let d = V::sub(V::load_f32(code.add(k * 128)), V::load_f32(q.add(k * 128)));
                        sum = V::add(sum, V::mul(d, d));
                    }
                } else {
                    for k in 0..run {
                        let (x, y) = (V::load_f32(code.add(k * 128)), V::load_f32(q.add(k * 128)));
                        sum = V::add(sum, V::mul(x, y));
                    }
                }
                i += run;
            }
            V::fold(sum)
        }
    }
}

impl<V: Vector> Distance for Floats<'_, V> {
    type Out = f32;
    const WORST: f32 = Kernels::WORST_FLOAT;

    #[inline(always)]
    unsafe fn one(&self, code: *const u8) -> f32 {
        // SAFETY: as this function's own promise.
        unsafe { self.sum(code) }
    }

    #[inline(always)]
    unsafe fn four(&self, [a, b, c, d]: [*const u8; 4]) -> [f32; 4] {
        // SAFETY: as this function's own promise.
        unsafe { [self.sum(a), self.sum(b), self.sum(c), self.sum(d)] }
    }
}

/// Integer queries: `i16` or `i8` components against `i8` codes.
pub(super) trait Component: Copy {
    unsafe fn step<V: Vector>(sum: V::Ints, q: *const Self, code: *const u8) -> V::Ints;
}

impl Component for i16 {
    #[inline(always)]
    unsafe fn step<V: Vector>(sum: V::Ints, q: *const i16, code: *const u8) -> V::Ints {
        // SAFETY: the caller lets 64 components be read at `q` and `code`.
        unsafe { V::add_words(sum, q.cast(), code) }
    }
}

impl Component for i8 {
    #[inline(always)]
    unsafe fn step<V: Vector>(sum: V::Ints, q: *const i8, code: *const u8) -> V::Ints {
        // SAFETY: the caller lets 64 components be read at `q` and `code`.
        unsafe { V::add_bytes(sum, q.cast(), code) }
    }
}

/// Inner product of an integer query with `i8` codes.
pub(super) struct Products<'q, V, C> {
    q: &'q [C],
    /// The last components of the query, fewer than 64, then zeros.
    tail: [u8; 128],
    vector: PhantomData<V>,
}

impl<'q, V: Vector, C: Component> Products<'q, V, C> {
    #[inline(always)]
    pub(super) fn new(q: &'q [C]) -> Self {
        let rest = q.as_chunks::<64>().1;
        // SAFETY: `rest` is fewer than 64 components of at most two bytes.
        let tail = unsafe { tail(rest.as_ptr().cast(), size_of_val(rest)) };
        Products { q, tail, vector: PhantomData }
    }

    #[inline(always)]
    unsafe fn sum(&self, code: *const u8) -> V::Ints {
        let (whole, rest) = (self.q.len() / 64, self.q.len() % 64);
        let mut last = MaybeUninit::uninit();
        // SAFETY: `whole * 64 + rest` components may be read at `q` and `code`; the tails are 64
        // components long.
        unsafe {
            let mut sum = V::zero_ints();
            for i in 0..self.q.len().div_ceil(64) {
                let mut q = self.q.as_ptr().add(i * 64);
                let mut code = code.add(i * 64);
                if i == whole {
                    code = last.write(tail(code, rest)).as_ptr();
                    q = self.tail.as_ptr().cast();
                }
                sum = C::step::<V>(sum, q, code);
            }
            sum
        }
    }
}

impl<V: Vector, C: Component> Distance for Products<'_, V, C> {
    type Out = i32;
    const WORST: i32 = Kernels::WORST_INT;

    #[inline(always)]
    unsafe fn one(&self, code: *const u8) -> i32 {
        // SAFETY: as this function's own promise.
        unsafe { V::sum(self.sum(code)) }
    }

    #[inline(always)]
    unsafe fn four(&self, [a, b, c, d]: [*const u8; 4]) -> [i32; 4] {
        // SAFETY: as this function's own promise.
        unsafe { V::sum4([self.sum(a), self.sum(b), self.sum(c), self.sum(d)]) }
    }
}

/// Weighed counts of common ones of a short code with the planes of a query.
///
/// `BLOCKS` is the number of `Bits` in a plane of the length that is worth unrolling.
pub(super) struct Counted<'q, V, const BLOCKS: usize> {
    planes: &'q [u8],
    /// 64-bit words of one plane.
    words: usize,
    vector: PhantomData<V>,
}

/// Additions to a byte of counts that cannot overflow it when weighed: 4 * 8 * (1 + 2 + 4) < 256.
const ROOM: usize = 4;

impl<'q, V: Vector, const BLOCKS: usize> Counted<'q, V, BLOCKS> {
    #[inline(always)]
    pub(super) fn new(planes: &'q [u8]) -> Self {
        Counted { planes, words: planes.len() / (8 * PLANES), vector: PhantomData }
    }

    #[inline(always)]
    unsafe fn sum(&self, code: *const u8) -> V::Ints {
        let unrolled = self.words == BLOCKS * V::WORDS;
        let words = if unrolled { BLOCKS * V::WORDS } else { self.words };
        let stride = words * 8;
        let planes = self.planes.as_ptr();
        // SAFETY: `words` words may be read at `code` and in each plane.
        unsafe {
            if unrolled && BLOCKS <= ROOM {
                let mut counts = [V::zero_counts(); PLANES];
                for (plane, counts) in counts.iter_mut().enumerate() {
                    for i in 0..BLOCKS {
                        let bits = V::load_bits(code.add(i * V::WORDS * 8));
                        let plane = V::load_bits(planes.add(plane * stride + i * V::WORDS * 8));
                        *counts = V::count(*counts, bits, plane);
                    }
                }
                return V::weigh(counts);
            }
            let mut sum = V::zero_ints();
            let mut at = 0;
            while at < words {
                let end = words.min(at + ROOM * V::WORDS);
                let mut counts = [V::zero_counts(); PLANES];
                while at + V::WORDS <= end {
                    let bits = V::load_bits(code.add(at * 8));
                    for (plane, counts) in counts.iter_mut().enumerate() {
                        let plane = V::load_bits(planes.add(plane * stride + at * 8));
                        *counts = V::count(*counts, bits, plane);
                    }
                    at += V::WORDS;
                }
                if at < end {
                    let bits = V::load_bits_part(code.add(at * 8), end - at);
                    for (plane, counts) in counts.iter_mut().enumerate() {
                        let plane = planes.add(plane * stride + at * 8);
                        let plane = V::load_bits_part(plane, end - at);
                        *counts = V::count(*counts, bits, plane);
                    }
                    at = end;
                }
                sum = V::add_ints(sum, V::weigh(counts));
            }
            sum
        }
    }
}

impl<V: Vector, const BLOCKS: usize> Distance for Counted<'_, V, BLOCKS> {
    type Out = i32;
    const WORST: i32 = Kernels::WORST_INT;

    #[inline(always)]
    unsafe fn one(&self, code: *const u8) -> i32 {
        // SAFETY: as this function's own promise.
        unsafe { V::sum(self.sum(code)) }
    }

    #[inline(always)]
    unsafe fn four(&self, [a, b, c, d]: [*const u8; 4]) -> [i32; 4] {
        // SAFETY: as this function's own promise.
        unsafe { V::sum4([self.sum(a), self.sum(b), self.sum(c), self.sum(d)]) }
    }
}

/// Rows of a block whose counts fit into a byte.
const ROWS: usize = u8::MAX as usize / 8;

/// Estimates for whole blocks of sketches; see [`crate::sketch`].
///
/// # Safety
///
/// The processor has `V`'s instruction set.
#[inline(always)]
pub(super) unsafe fn sketch<V: Vector>(q: &SketchQuery, blocks: &[u8], out: &mut [f32]) {
    let planes = q.planes();
    let rows = planes.len() / 16 * 8;
    // SAFETY: only bits, and the caller's promise.
    let mut query = unsafe { [[V::zero_bytes(); 2]; MOST_BYTES] };
    for (row, [signs, large]) in query.iter_mut().zip(planes.as_chunks().0) {
        // SAFETY: one byte each.
        *row = unsafe { [V::splat_byte(signs), V::splat_byte(large)] };
    }
    let blocks = blocks.chunks_exact(block_bytes(rows));
    for (block, out) in blocks.zip(out.as_chunks_mut::<LANES>().0) {
        let mut sums = [[0u16; LANES / 2]; 2];
        let [even, odd] = sums.each_mut().map(|half| half.as_mut_ptr());
        // SAFETY: the block has `rows` rows of 64 codes, and as many are in the query; the sums of
        // registers side by side, 64 codes, fill both halves.
        unsafe {
            let registers = LANES / V::LANES;
            // Two registers, and one row a turn: engines of WebAssembly load all that a turn
            // needs first, and what does not fit into 16 registers goes through memory.
            for first in (0..registers).step_by(2) {
                let two = first..registers.min(first + 2);
                let mut added = [V::zero_sums(); 2];
                for begin in (0..rows).step_by(ROWS) {
                    let mut counts = [[V::zero_bytes(); 2]; 2];
                    for row in begin..rows.min(begin + ROWS) {
                        let [signs, large] = *query.as_ptr().add(row);
                        let code = block.as_ptr().add(row * LANES);
                        for (i, counts) in two.clone().zip(&mut counts) {
                            let code = V::load_bytes(code.add(i * V::LANES));
                            *counts = V::differ(*counts, code, signs, large);
                        }
                    }
                    for (added, counts) in added.iter_mut().zip(counts) {
                        *added = V::add_to_sums(*added, counts);
                    }
                }
                for (i, added) in two.zip(added) {
                    V::store_sums(added, even.add(i * V::LANES / 2), odd.add(i * V::LANES / 2));
                }
            }
        }
        let factors = block[rows * LANES..].as_chunks::<4>().0.as_chunks::<4>().0;
        let (offsets, slopes) = factors.split_at(LANES / 4);
        let load = |four: &[[u8; 4]; 4]| Four::load(&four.map(f32::from_le_bytes));
        let sums = sums.as_flattened().as_chunks::<4>().0;
        let out = out.as_chunks_mut::<4>().0;
        // Four at a time, as that many are written out.
        for first in (0..LANES / 4).step_by(4) {
            for i in first..first + 4 {
                let less = Four::splat(q.step) * Four::from_words(&sums[i]);
                let product = Four::splat(q.most) - less;
                (load(&offsets[i]) - load(&slopes[i]) * product).store(&mut out[i]);
            }
        }
    }
}
