//! Every distance, once, over the [`Vector`] trait.
//!
//! [`Batch::run`] walks a batch and checks ranges; a [`Distance`] compares one code, or four at
//! once where the final sums can share instructions.

use super::Kernels;
use super::vector::Vector;
use crate::PLANES;
use core::marker::PhantomData;

/// Parameters of [`Floats`].
pub(super) const DOT: bool = false;
pub(super) const L2: bool = true;
pub(super) const F32: bool = false;
pub(super) const F16: bool = true;

/// Codes in a buffer, and which of them to compare.
#[derive(Clone, Copy)]
pub(super) struct Batch<'a> {
    codes: &'a [u8],
    /// Bytes that a comparison reads of one code.
    need: usize,
    unit: usize,
    at: &'a [u32],
    /// Positions below this lie wholly inside `codes`.
    end: u64,
}

impl<'a> Batch<'a> {
    #[inline(always)]
    pub(super) fn new(codes: &'a [u8], need: usize, unit: usize, at: &'a [u32]) -> Self {
        let end = match codes.len().checked_sub(need) {
            None => 0,
            Some(last) => last.checked_div(unit).map_or(u64::MAX, |at| at as u64 + 1),
        };
        Batch { codes, need, unit, at, end }
    }

    #[inline(always)]
    fn contains(&self, at: u32) -> bool {
        u64::from(at) < self.end
    }

    /// The code at `at`, if it lies inside the buffer: `need` bytes may be read there.
    #[inline(always)]
    fn code(&self, at: u32) -> Option<*const u8> {
        // SAFETY: at < end, so at * unit + need <= codes.len(), and the product cannot overflow.
        self.contains(at).then(|| unsafe { self.codes.as_ptr().add(at as usize * self.unit) })
    }

    /// Compares each code of the batch.
    ///
    /// # Safety
    ///
    /// The processor has `D`'s instruction set, and `D` reads no more than `need` bytes of a code.
    #[inline(always)]
    pub(super) unsafe fn run<D: Distance>(self, distance: &D, out: &mut [D::Out]) {
        debug_assert!(out.len() >= self.at.len(), "fewer places for results than codes");
        let (fours, rest) = self.at.as_chunks::<4>();
        let (out_fours, out_rest) = out.as_chunks_mut::<4>();
        for (at, out) in fours.iter().zip(&mut *out_fours) {
            if let [Some(a), Some(b), Some(c), Some(d)] = at.map(|at| self.code(at)) {
                // SAFETY: `code` vouches for `need` bytes at each.
                *out = unsafe { distance.four([a, b, c, d]) };
            } else {
                for (at, out) in at.iter().zip(out) {
                    // SAFETY: as this function's own promise.
                    *out = unsafe { self.one(distance, *at) };
                }
            }
        }
        // A short `out` may end inside a group of four: then its rest begins earlier.
        let rest =
            if fours.len() > out_fours.len() { fours[out_fours.len()].as_slice() } else { rest };
        let out_rest = match out_fours.get_mut(fours.len()) {
            Some(four) => four.as_mut_slice(),
            None => out_rest,
        };
        for (at, out) in rest.iter().zip(out_rest) {
            // SAFETY: as this function's own promise.
            *out = unsafe { self.one(distance, *at) };
        }
    }

    /// Compares one code, or gives the worst value.
    #[inline(always)]
    unsafe fn one<D: Distance>(&self, distance: &D, at: u32) -> D::Out {
        match self.code(at) {
            // SAFETY: `code` vouches for `need` bytes.
            Some(code) => unsafe { distance.one(code) },
            None => {
                debug_assert!(
                    false,
                    "code {at} of {} bytes in units of {} lies outside {} bytes",
                    self.need,
                    self.unit,
                    self.codes.len()
                );
                D::WORST
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
    const WORST: Self::Out;
    unsafe fn one(&self, code: *const u8) -> Self::Out;
    unsafe fn four(&self, codes: [*const u8; 4]) -> [Self::Out; 4];
}

/// Inner product or squared distance of an `f32` query with `f32` or `f16` codes.
pub(super) struct Floats<'q, V, const SQUARED: bool, const HALF: bool> {
    q: &'q [f32],
    /// The last components of the query, fewer than 32, then zeros.
    tail: [f32; 32],
    vector: PhantomData<V>,
}

impl<'q, V: Vector, const SQUARED: bool, const HALF: bool> Floats<'q, V, SQUARED, HALF> {
    const BYTES: usize = if HALF { 2 } else { 4 };

    #[inline(always)]
    pub(super) fn new(q: &'q [f32]) -> Self {
        let mut tail = [0.0; 32];
        let rest = q.as_chunks::<32>().1;
        tail[..rest.len()].copy_from_slice(rest);
        Floats { q, tail, vector: PhantomData }
    }

    #[inline(always)]
    unsafe fn step(sum: V::Floats, q: *const u8, code: *const u8) -> V::Floats {
        // SAFETY: the caller lets 32 components be read at `q` and `code`.
        unsafe {
            let x = if HALF { V::load_f16(code) } else { V::load_f32(code) };
            let y = V::load_f32(q);
            if SQUARED {
                let d = V::sub(x, y);
                V::add(sum, V::mul(d, d))
            } else {
                V::add(sum, V::mul(x, y))
            }
        }
    }
}

impl<V: Vector, const SQUARED: bool, const HALF: bool> Distance for Floats<'_, V, SQUARED, HALF> {
    type Out = f32;
    const WORST: f32 = Kernels::WORST_FLOAT;

    #[inline(always)]
    unsafe fn one(&self, code: *const u8) -> f32 {
        let whole = self.q.len() / 32;
        let rest = self.q.len() % 32;
        let q = self.q.as_ptr().cast::<u8>();
        // SAFETY: `whole * 32 + rest` components may be read at `q` and `code`; the tails are 32
        // components long.
        unsafe {
            let mut sum = V::zero_floats();
            for i in 0..whole {
                sum = Self::step(sum, q.add(i * 128), code.add(i * 32 * Self::BYTES));
            }
            if rest != 0 {
                let mut tail = [0u8; 128];
                let from = code.add(whole * 32 * Self::BYTES);
                core::ptr::copy_nonoverlapping(from, tail.as_mut_ptr(), rest * Self::BYTES);
                sum = Self::step(sum, self.tail.as_ptr().cast(), tail.as_ptr());
            }
            V::fold(sum)
        }
    }

    #[inline(always)]
    unsafe fn four(&self, codes: [*const u8; 4]) -> [f32; 4] {
        let mut out = [0.0; 4];
        for (out, code) in out.iter_mut().zip(codes) {
            // SAFETY: as this function's own promise.
            *out = unsafe { self.one(code) };
        }
        out
    }
}

/// Integer queries: `i16` or `i8` components against `i8` codes.
pub(super) trait Component: Copy {
    const ZERO: Self;
    unsafe fn step<V: Vector>(sum: V::Ints, q: *const Self, code: *const u8) -> V::Ints;
}

impl Component for i16 {
    const ZERO: i16 = 0;
    #[inline(always)]
    unsafe fn step<V: Vector>(sum: V::Ints, q: *const i16, code: *const u8) -> V::Ints {
        // SAFETY: the caller lets 64 components be read at `q` and `code`.
        unsafe { V::add_words(sum, q.cast(), code) }
    }
}

impl Component for i8 {
    const ZERO: i8 = 0;
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
    tail: [C; 64],
    vector: PhantomData<V>,
}

impl<'q, V: Vector, C: Component> Products<'q, V, C> {
    #[inline(always)]
    pub(super) fn new(q: &'q [C]) -> Self {
        let mut tail = [C::ZERO; 64];
        let rest = q.as_chunks::<64>().1;
        tail[..rest.len()].copy_from_slice(rest);
        Products { q, tail, vector: PhantomData }
    }

    #[inline(always)]
    unsafe fn lanes(&self, code: *const u8) -> V::Ints {
        let whole = self.q.len() / 64;
        let rest = self.q.len() % 64;
        let q = self.q.as_ptr();
        // SAFETY: `whole * 64 + rest` components may be read at `q` and `code`; the tails are 64
        // components long.
        unsafe {
            let mut sum = V::zero_ints();
            for i in 0..whole {
                sum = C::step::<V>(sum, q.add(i * 64), code.add(i * 64));
            }
            if rest != 0 {
                let mut tail = [0u8; 64];
                core::ptr::copy_nonoverlapping(code.add(whole * 64), tail.as_mut_ptr(), rest);
                sum = C::step::<V>(sum, self.tail.as_ptr(), tail.as_ptr());
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
        unsafe { V::sum(self.lanes(code)) }
    }

    #[inline(always)]
    unsafe fn four(&self, [a, b, c, d]: [*const u8; 4]) -> [i32; 4] {
        // SAFETY: as this function's own promise.
        unsafe { V::sum4([self.lanes(a), self.lanes(b), self.lanes(c), self.lanes(d)]) }
    }
}

/// Weighed counts of common ones of a short code with the planes of a query.
///
/// `BLOCKS` is the number of `Bits` in a plane, for lengths worth unrolling, or 0 for any.
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
    unsafe fn lanes(&self, code: *const u8) -> V::Ints {
        let words = if BLOCKS > 0 { BLOCKS * V::WORDS } else { self.words };
        let stride = words * 8;
        let planes = self.planes.as_ptr();
        // SAFETY: `words` words may be read at `code` and in each plane.
        unsafe {
            if BLOCKS > 0 && BLOCKS <= ROOM {
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
        unsafe { V::sum(self.lanes(code)) }
    }

    #[inline(always)]
    unsafe fn four(&self, [a, b, c, d]: [*const u8; 4]) -> [i32; 4] {
        // SAFETY: as this function's own promise.
        unsafe { V::sum4([self.lanes(a), self.lanes(b), self.lanes(c), self.lanes(d)]) }
    }
}
