//! The exports of the WebAssembly module: one index for each instance.
//!
//! The index begins at the first multiple of 64 after the module's own data, and
//! `init` grows the memory for it. A host puts vectors and finds results in pages
//! that it grows itself, after `init`. All functions return 0, a count, or a
//! negative [`Fault`].

use core::arch::wasm32::{memory_grow, memory_size, unreachable};
use core::cell::UnsafeCell;

use clawft_hnsw::{Params, Slot};

use crate::index::{Fault, Index, Shape};

#[cfg(target_feature = "atomics")]
compile_error!("the module runs one thread: build it without `atomics`");

/// The index, its shape, and the address of its buffer.
struct State {
    index: Option<Index<'static>>,
    shape: Option<Shape>,
}

/// What an instance keeps between calls.
struct Instance(UnsafeCell<State>);

// SAFETY: the instance has one thread (see the `compile_error!` above).
unsafe impl Sync for Instance {}

static INSTANCE: Instance = Instance(UnsafeCell::new(State { index: None, shape: None }));

/// A bug ends the call in a trap, which the host sees.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unreachable()
}

const PAGE: usize = 65_536;

/// Bytes of linear memory.
fn memory_bytes() -> u64 {
    memory_size::<0>() as u64 * PAGE as u64
}

fn state() -> &'static mut State {
    // SAFETY: one thread, no call inside another (there is nothing to call back),
    // and each export asks once.
    unsafe { &mut *INSTANCE.0.get() }
}

fn index() -> Result<&'static mut Index<'static>, Fault> {
    state().index.as_mut().ok_or(Fault::Unset)
}

fn status(result: Result<u32, Fault>) -> i32 {
    match result {
        Ok(count) => count as i32,
        Err(fault) => fault as i32,
    }
}

/// Where the buffer begins.
fn base() -> usize {
    // The linker defines it; only its address means something.
    unsafe extern "C" {
        static __heap_base: u8;
    }
    (&raw const __heap_base as usize).next_multiple_of(64)
}

/// The place of `n` elements of four bytes at `address`, if the host may have them:
/// aligned, inside the memory, and no part of the index or of the module's own data.
fn place(address: usize, n: usize) -> Result<usize, Fault> {
    let end = base() as u64 + state().shape.map_or(0, |shape| shape.bytes) as u64;
    let last = address as u64 + n as u64 * 4;
    let outside = (address as u64) < end || last > memory_bytes();
    if outside || !address.is_multiple_of(4) { Err(Fault::Pointer) } else { Ok(address) }
}

/// Makes room for `capacity` vectors of `dim` floats, and an empty index there.
/// Returns the address of its buffer, which is 64-aligned, or 0: parameters out of
/// their ranges, no memory, or another `init` before. A copy of the buffer is a
/// snapshot.
#[unsafe(no_mangle)]
pub extern "C" fn init(capacity: u32, dim: u32, m: u32, ef_construction: u32, seed: u64) -> usize {
    let m = u16::try_from(m).unwrap_or(0);
    let params = Params { capacity, m, ef_construction, seed };
    let state = state();
    let (Ok(shape), None) = (Shape::new(&params, dim), state.shape) else { return 0 };
    let end = base() as u64 + shape.bytes as u64;
    let pages = end.saturating_sub(memory_bytes()).div_ceil(PAGE as u64);
    if pages > 65_535 || memory_grow::<0>(pages as usize) == usize::MAX {
        return 0;
    }
    state.shape = Some(shape);
    match take(&shape, false) {
        Ok(index) => {
            state.index = Some(index);
            base()
        }
        Err(_) => 0,
    }
}

fn take(shape: &Shape, keep: bool) -> Result<Index<'static>, Fault> {
    // SAFETY: `init` made room for the shape, `place` keeps the host's slices out of
    // it, and the index that held it is gone before a new one is made.
    let buffer = unsafe { core::slice::from_raw_parts_mut(base() as *mut u8, shape.bytes) };
    Index::new(shape, buffer, keep)
}

/// Takes over the snapshot that the host wrote to the address that `init` gave; it
/// must be of the same parameters. On an error no index is there until `open`
/// succeeds.
#[unsafe(no_mangle)]
pub extern "C" fn open() -> i32 {
    let state = state();
    state.index = None;
    let opened = state.shape.ok_or(Fault::Unset).and_then(|shape| take(&shape, true));
    status(opened.map(|index| {
        state.index = Some(index);
        0
    }))
}

/// Stores the `dim` floats at `vector` in `slot`, which must be free.
#[unsafe(no_mangle)]
pub extern "C" fn insert(slot: Slot, vector: usize) -> i32 {
    let insert = || {
        let index = index()?;
        let at = place(vector, index.dim())?;
        // SAFETY: checked, apart from the index, and any bytes are floats.
        let vector = unsafe { core::slice::from_raw_parts(at as *const f32, index.dim()) };
        index.insert(slot, vector)?;
        Ok(0)
    };
    status(insert())
}

/// Finds the `k` slots nearest to the `dim` floats at `vector` by a walk of width
/// `ef`: slots (u32) to `out_slots`, squared distances (f32) to `out_distances`,
/// nearest first. Returns how many: `k`, or all there are.
#[unsafe(no_mangle)]
pub extern "C" fn search(
    vector: usize,
    k: usize,
    ef: usize,
    out_slots: usize,
    out_distances: usize,
) -> i32 {
    let search = || {
        let index = index()?;
        let dim = index.dim();
        let (at, slots) = (place(vector, dim)?, place(out_slots, k)?);
        let distances = place(out_distances, k)?;
        let apart = |a: usize, n: usize, b: usize, m: usize| a + 4 * n <= b || b + 4 * m <= a;
        if !(apart(at, dim, slots, k)
            && apart(at, dim, distances, k)
            && apart(slots, k, distances, k))
        {
            return Err(Fault::Pointer);
        }
        // SAFETY: all three are checked, apart from the index and from each other,
        // and any bytes are floats and integers.
        let (vector, slots, distances) = unsafe {
            (
                core::slice::from_raw_parts(at as *const f32, dim),
                core::slice::from_raw_parts_mut(slots as *mut Slot, k),
                core::slice::from_raw_parts_mut(distances as *mut f32, k),
            )
        };
        index.search(vector, ef, slots, distances).map(|count| count as u32)
    };
    status(search())
}

/// Removes `slot`: no list leads to it any more.
#[unsafe(no_mangle)]
pub extern "C" fn remove(slot: Slot) -> i32 {
    status(index().and_then(|index| index.remove(slot).map(|()| 0)))
}

/// Checks the whole graph: the number of slots that no walk reaches (0 if all is
/// well), or `Corrupt`.
#[unsafe(no_mangle)]
pub extern "C" fn verify() -> i32 {
    let verify = || match index()?.verify()? {
        report if report.broken.is_some() => Err(Fault::Corrupt),
        report => Ok(report.unreachable),
    };
    status(verify())
}
