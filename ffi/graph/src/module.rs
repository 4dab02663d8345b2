//! The exports of the WebAssembly module: one index for each instance.
//!
//! The index begins at the first multiple of 64 after the module's own data, and
//! `init` grows the memory for it. A host puts vectors and finds results in pages
//! that it grows itself, after `init`. All functions return 0, a count, or a
//! negative [`Fault`].
//!
//! Why: one index at one place needs no allocator and no handles, so the module stays
//! small; and a host knows where a snapshot goes before it calls `open`.
//!
//! What it must never do: make a slice of a host's address that `is_place` did not pass, or
//! two that overlap where one is written; serve an index that `open` refused.

use core::arch::wasm32::{memory_grow, memory_size, unreachable};
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicUsize, Ordering};

use clawft_hnsw::{Params, Slot};

use crate::index::{Fault, Index, Shape};

#[cfg(target_feature = "atomics")]
compile_error!("the module runs one thread: build it without `atomics`");

/// What an instance keeps between calls.
struct State {
    /// Set by `init`.
    index: Option<Index<'static>>,
    /// Does the buffer hold a sound index?
    sound: bool,
}

/// Where the index ends. Not in the state: it is asked for while the index is in use.
static END: AtomicUsize = AtomicUsize::new(0);

/// The state of this instance.
struct Instance(UnsafeCell<State>);

// SAFETY: the instance has one thread (see the `compile_error!` above).
unsafe impl Sync for Instance {}

static INSTANCE: Instance = Instance(UnsafeCell::new(State { index: None, sound: false }));

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
    // and nobody holds the state while another asks for it.
    unsafe { &mut *INSTANCE.0.get() }
}

/// The index, if a sound one is there.
#[inline(never)]
fn index() -> Option<&'static mut Index<'static>> {
    let state = state();
    state.index.as_mut().filter(|_| state.sound)
}

/// What `act` makes of the index, if a sound one is there.
fn on_index(act: impl FnOnce(&mut Index<'static>) -> Result<u32, Fault>) -> i32 {
    index().map_or(Fault::Unset as i32, |index| status(act(index)))
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

/// May the host have `n` elements of four bytes at `address`? They must be aligned, inside the
/// memory, and no part of the index or of the module's own data.
fn is_place(address: usize, n: usize) -> bool {
    let last = address as u64 + n as u64 * 4;
    address >= END.load(Ordering::Relaxed) && last <= memory_bytes() && address.is_multiple_of(4)
}

/// Makes room for `capacity` vectors of `dim` floats, and an empty index there.
/// Returns the address of its buffer, which is 64-aligned, or 0: parameters out of
/// their ranges, no memory, or another `init` before. A copy of the buffer is a
/// snapshot; with what lies behind it, up to where memory ends now, it is one too.
#[unsafe(no_mangle)]
pub extern "C" fn init(capacity: u32, dim: u32, m: u32, ef_construction: u32, seed: u64) -> usize {
    let m = u16::try_from(m).unwrap_or(0);
    let params = Params { capacity, m, ef_construction, seed };
    let state = state();
    let (Ok(shape), None) = (Shape::new(&params, dim), &state.index) else { return 0 };
    // Half the address space at most: no sum is too large for it.
    let end = base() + shape.bytes;
    let pages = end.div_ceil(PAGE).saturating_sub(memory_size::<0>());
    if memory_grow::<0>(pages) == usize::MAX {
        return 0;
    }
    // SAFETY: these pages are there now, `is_place` keeps the host's slices out of the buffer, and
    // nobody takes it twice.
    let buffer = unsafe { core::slice::from_raw_parts_mut(base() as *mut u8, shape.bytes) };
    let Ok(index) = Index::over(&shape, buffer) else { return 0 };
    let index = state.index.insert(index);
    index.clear();
    state.sound = true;
    END.store(end, Ordering::Relaxed);
    base()
}

/// Takes over the snapshot that the host wrote to the address that `init` gave; it
/// must be of the same parameters. On an error no index is there until `open`
/// succeeds.
#[unsafe(no_mangle)]
pub extern "C" fn open() -> i32 {
    let state = state();
    let checked = state.index.as_ref().ok_or(Fault::Unset).and_then(Index::check);
    state.sound = checked.is_ok();
    status(checked.map(|()| 0))
}

/// Stores the `dim` floats at `vector` in `slot`, which must be free.
#[unsafe(no_mangle)]
pub extern "C" fn insert(slot: Slot, vector: usize) -> i32 {
    on_index(|index| {
        if !is_place(vector, index.dim()) {
            return Err(Fault::Pointer);
        }
        // SAFETY: checked, apart from the index, and any bytes are floats.
        let vector = unsafe { core::slice::from_raw_parts(vector as *const f32, index.dim()) };
        index.insert(slot, vector)?;
        Ok(0)
    })
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
    on_index(|index| {
        let dim = index.dim();
        // Neither begins inside the other. No sum: an end may be that of the address space.
        let apart = |a: usize, n: usize, b: usize, m: usize| {
            b.wrapping_sub(a) >= 4 * n && a.wrapping_sub(b) >= 4 * m
        };
        if !(is_place(vector, dim)
            && is_place(out_slots, k)
            && is_place(out_distances, k)
            && apart(vector, dim, out_slots, k)
            && apart(vector, dim, out_distances, k)
            && apart(out_slots, k, out_distances, k))
        {
            return Err(Fault::Pointer);
        }
        // SAFETY: all three are checked, apart from the index and from each other,
        // and any bytes are floats and integers.
        let (vector, slots, distances) = unsafe {
            (
                core::slice::from_raw_parts(vector as *const f32, dim),
                core::slice::from_raw_parts_mut(out_slots as *mut Slot, k),
                core::slice::from_raw_parts_mut(out_distances as *mut f32, k),
            )
        };
        index.search(vector, ef, slots, distances).map(|count| count as u32)
    })
}

/// Removes `slot`: no list leads to it any more.
#[unsafe(no_mangle)]
pub extern "C" fn remove(slot: Slot) -> i32 {
    on_index(|index| index.remove(slot).map(|()| 0))
}

/// Checks the whole graph: the number of slots that no walk reaches (0 if all is
/// well), or `Corrupt`.
#[unsafe(no_mangle)]
pub extern "C" fn verify() -> i32 {
    on_index(Index::unreachable)
}
