//! Handles: checked numbers for what is open here.
//!
//! What: as in `clawft-ffi`, a handle is `generation << 8 | index`, the generation odd while
//! something is there. Each table has indices of its own, beyond those of the kernel's stores, so
//! that a handle of one kind is refused where another is meant.
//!
//! Why: every call on a memory may call the host's storage, and the host may call back. Then
//! what a call is working on would be seen half changed: so whoever calls back into a table from
//! inside is refused ([`Busy`](ClawftMemoryStatus::Busy)). Calls of other threads wait.
//!
//! What it must never do: hand out a number twice; lend one value to two calls; ask for memory once
//! the value is there.

use alloc::boxed::Box;
use core::alloc::Layout;
use core::mem::{MaybeUninit, size_of};
use core::sync::atomic::{AtomicU32, Ordering};

use clawft::ClawftStatus;

use crate::error::{ClawftMemoryStatus, Failed, Outcome};
use place::Slot;
pub(crate) use place::{Held, Inside};

const INDEX_BITS: u32 = 8;
const GENERATIONS: u32 = 1 << (32 - INDEX_BITS);
/// Values that can be open at a time, of each kind.
pub(crate) const MOST: usize = 16;

struct Place<T> {
    generation: AtomicU32,
    slot: Slot<T>,
}

/// Values of one kind, each in a box: a table of empty places is all zeros, which take no bytes in
/// the module.
pub(crate) struct Table<T> {
    /// The first index.
    first: u32,
    places: [Place<T>; MOST],
}

/// A place for a value, and the box that it will be in.
pub(crate) struct Claim<'a, T> {
    taken: Taken<'a, T>,
    room: Box<MaybeUninit<T>>,
}

/// A place that is taken and still empty: given back unless a value moves in.
struct Taken<'a, T> {
    place: &'a Place<T>,
    handle: u32,
    /// Nothing that fills it may call back.
    _inside: Inside,
}

impl<T> Table<T> {
    pub(crate) const fn new(first: u32) -> Self {
        Self {
            first,
            places: [const { Place { generation: AtomicU32::new(0), slot: Slot::empty() } }; MOST],
        }
    }

    /// Takes the first free place, with room for a value: what is opened later cannot be refused for
    /// want of it.
    #[inline(never)]
    pub(crate) fn claim(&self) -> Outcome<Claim<'_, T>> {
        let inside = Inside::enter()?;
        for (index, place) in (self.first..).zip(&self.places) {
            let free = place.generation.load(Ordering::Relaxed);
            let next = free + 1;
            if free.is_multiple_of(2)
                && free < GENERATIONS
                && place
                    .generation
                    .compare_exchange(free, next, Ordering::AcqRel, Ordering::Relaxed)
                    .is_ok()
            {
                let handle = next << INDEX_BITS | index;
                let taken = Taken { place, handle, _inside: inside };
                return Ok(Claim { taken, room: room()? });
            }
        }
        let (code, most) = (ClawftStatus::TooManyStores as i32, MOST as u64);
        Err(Failed::new(code, "handles", "fewer than # open, found #", most, most))
    }

    /// The value that `handle` names, for this call alone.
    #[inline(always)]
    pub(crate) fn hold(&self, handle: u32) -> Outcome<Held<'_, T>> {
        self.held(handle).ok_or_else(Failed::last)
    }

    /// The same; `None`: the error is kept. So it is one register, in each of the exports.
    #[inline(never)]
    fn held(&self, handle: u32) -> Option<Held<'_, T>> {
        let place = self.place(handle).ok()?;
        let held = place.slot.hold(Inside::enter().ok()?).filter(|_| place.is(handle));
        if held.is_none() {
            bad(handle);
        }
        held
    }

    /// Takes the value out: the handle names nothing any more. Nobody calls back until what comes
    /// before it is dropped: bind it before the value, which closes files when it is dropped, and is
    /// dropped first then.
    #[inline(never)]
    pub(crate) fn take(&self, handle: u32) -> Outcome<(Inside, Box<T>)> {
        let place = self.place(handle)?;
        let inside = Inside::enter()?;
        match place.slot.take(|| place.is(handle)) {
            Some(value) => {
                place.generation.store((handle >> INDEX_BITS) + 1, Ordering::Release);
                Ok((inside, value))
            }
            None => Err(bad(handle)),
        }
    }

    fn place(&self, handle: u32) -> Outcome<&Place<T>> {
        let index = handle & ((1 << INDEX_BITS) - 1);
        let place = index.checked_sub(self.first).and_then(|at| self.places.get(at as usize));
        place.ok_or_else(|| bad(handle))
    }
}

impl<T> Place<T> {
    fn is(&self, handle: u32) -> bool {
        self.generation.load(Ordering::Acquire) == handle >> INDEX_BITS
    }
}

impl<T> Claim<'_, T> {
    /// Puts `value` there; the number names it from now on.
    pub(crate) fn fill(self, value: T) -> u32 {
        let Claim { taken, room } = self;
        taken.place.slot.fill(Box::write(room, value));
        taken.handle
    }
}

/// `Box::new_uninit`, refused where there is no memory.
fn room<T>() -> Outcome<Box<MaybeUninit<T>>> {
    const { assert!(size_of::<T>() > 0) };
    // SAFETY: the size is not 0.
    let room = unsafe { alloc::alloc::alloc(Layout::new::<T>()) };
    if room.is_null() {
        return Err(Failed::no_memory(size_of::<T>() as u64));
    }
    // SAFETY: a block of its own, of that layout; any bytes are what may be no value.
    Ok(unsafe { Box::from_raw(room.cast()) })
}

impl<T> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        if self.place.slot.is_empty() {
            let next = (self.handle >> INDEX_BITS) + 1;
            self.place.generation.store(next, Ordering::Release);
        }
    }
}

#[cold]
#[inline(never)]
fn bad(handle: u32) -> Failed {
    let code = ClawftStatus::BadHandle as i32;
    Failed::new(code, "handle", "that of an open one, found #", handle.into(), 0)
}

#[cold]
#[inline(never)]
fn busy() -> Failed {
    let code = ClawftMemoryStatus::Busy as i32;
    Failed::new(code, "storage", "no call from inside another, found one", 0, 0)
}

#[cfg(not(target_family = "wasm"))]
mod place {
    use alloc::boxed::Box;
    use core::cell::Cell;
    use core::ops::{Deref, DerefMut};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use super::{Outcome, busy};

    std::thread_local! {
        static INSIDE: Cell<bool> = const { Cell::new(false) };
    }

    /// A call is running in this thread.
    pub(crate) struct Inside(());

    impl Inside {
        pub(super) fn enter() -> Outcome<Self> {
            match INSIDE.replace(true) {
                false => Ok(Self(())),
                true => Err(busy()),
            }
        }
    }

    impl Drop for Inside {
        fn drop(&mut self) {
            INSIDE.set(false);
        }
    }

    /// A value, if there is one.
    pub(super) struct Slot<T>(Mutex<Option<Box<T>>>);

    /// The value of a full slot.
    pub(crate) struct Held<'a, T> {
        guard: MutexGuard<'a, Option<Box<T>>>,
        _inside: Inside,
    }

    impl<T> Slot<T> {
        pub(super) const fn empty() -> Self {
            Self(Mutex::new(None))
        }

        fn lock(&self) -> MutexGuard<'_, Option<Box<T>>> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }

        pub(super) fn is_empty(&self) -> bool {
            self.lock().is_none()
        }

        pub(super) fn hold(&self, inside: Inside) -> Option<Held<'_, T>> {
            let guard = self.lock();
            guard.is_some().then_some(Held { guard, _inside: inside })
        }

        pub(super) fn take(&self, really: impl FnOnce() -> bool) -> Option<Box<T>> {
            let mut guard = self.lock();
            if really() { guard.take() } else { None }
        }

        pub(super) fn fill(&self, value: Box<T>) {
            *self.lock() = Some(value);
        }
    }

    impl<T> Deref for Held<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            match &*self.guard {
                Some(value) => value,
                None => unreachable!("what is held is there"),
            }
        }
    }

    impl<T> DerefMut for Held<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            match &mut *self.guard {
                Some(value) => value,
                None => unreachable!("what is held is there"),
            }
        }
    }
}

#[cfg(target_family = "wasm")]
mod place {
    use alloc::boxed::Box;
    use core::cell::UnsafeCell;
    use core::ops::{Deref, DerefMut};
    use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

    use super::{Outcome, busy};

    static INSIDE: AtomicBool = AtomicBool::new(false);

    /// A call is running.
    pub(crate) struct Inside(());

    impl Inside {
        pub(super) fn enter() -> Outcome<Self> {
            match INSIDE.swap(true, Relaxed) {
                false => Ok(Self(())),
                true => Err(busy()),
            }
        }
    }

    impl Drop for Inside {
        fn drop(&mut self) {
            INSIDE.store(false, Relaxed);
        }
    }

    /// A value, if there is one.
    pub(super) struct Slot<T>(UnsafeCell<Option<Box<T>>>);

    // SAFETY: the instance has one thread (`compile_error!` in the crate root refuses others), so
    // nothing is ever shared between threads.
    unsafe impl<T> Sync for Slot<T> {}

    /// The value of a full slot.
    pub(crate) struct Held<'a, T> {
        value: &'a mut T,
        _inside: Inside,
    }

    impl<T> Slot<T> {
        pub(super) const fn empty() -> Self {
            Self(UnsafeCell::new(None))
        }

        #[expect(clippy::mut_from_ref, reason = "that is what a lock is for")]
        fn lock(&self) -> &mut Option<Box<T>> {
            // SAFETY: one thread, and whoever comes here has entered: no other call is running
            // that could have lent it.
            unsafe { &mut *self.0.get() }
        }

        pub(super) fn is_empty(&self) -> bool {
            self.lock().is_none()
        }

        pub(super) fn hold(&self, inside: Inside) -> Option<Held<'_, T>> {
            let value = self.lock().as_mut()?;
            Some(Held { value, _inside: inside })
        }

        pub(super) fn take(&self, really: impl FnOnce() -> bool) -> Option<Box<T>> {
            if really() { self.lock().take() } else { None }
        }

        pub(super) fn fill(&self, value: Box<T>) {
            *self.lock() = Some(value);
        }
    }

    impl<T> Deref for Held<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.value
        }
    }

    impl<T> DerefMut for Held<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.value
        }
    }
}
