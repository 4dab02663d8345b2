//! Handles: checked numbers for open stores.
//!
//! What: a handle is `generation << 8 | index`. The index names one of
//! [`MOST_STORES`] places; the generation counts how often that place was taken
//! and given back, and is odd while a store is there. A number from before, or
//! one that was made up, finds another generation and is refused. 0 is never a
//! handle.
//!
//! Why: a host can keep a handle too long, guess one, or pass a wrong
//! variable; with an address instead that would be memory corruption.
//!
//! What it must never do: hand out a number twice. A place whose generations are
//! used up (after eight million stores) stays empty for good.
//!
//! Threads (native): any number of threads may read one store at a time, or one
//! may write it; different stores do not wait for each other.

use core::num::NonZeroU32;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::error::{ClawftStatus, Failed};
use crate::lock::{self, Reading, Shared, Writing};
use crate::store::Store;

/// So many stores can be open at a time.
pub(crate) const MOST_STORES: usize = 64;

const INDEX_BITS: u32 = 8;
const GENERATIONS: u32 = 1 << (32 - INDEX_BITS);

struct Place {
    /// Odd: taken. Even: free. `GENERATIONS`: used up.
    generation: AtomicU32,
    store: Shared<Store>,
}

static PLACES: [Place; MOST_STORES] =
    [const { Place { generation: AtomicU32::new(0), store: Shared::empty() } }; MOST_STORES];

/// A place that is taken and still empty: given back unless a store moves in.
pub(crate) struct Claim(&'static Place);

impl Claim {
    /// Takes the first free place.
    pub(crate) fn new() -> Result<Self, Failed> {
        for place in &PLACES {
            let free = place.generation.load(Ordering::Relaxed);
            if free.is_multiple_of(2)
                && free < GENERATIONS
                && place
                    .generation
                    .compare_exchange(free, free + 1, Ordering::AcqRel, Ordering::Relaxed)
                    .is_ok()
            {
                return Ok(Self(place));
            }
        }
        let most = MOST_STORES as u64;
        Err(Failed::new(ClawftStatus::TooManyStores, "stores", most, most))
    }

    /// The generation, which nobody else changes as long as the place is claimed.
    fn generation(&self) -> u32 {
        self.0.generation.load(Ordering::Relaxed)
    }

    /// The number that will name the store. Not 0, as a taken place's generation is odd.
    fn number(&self) -> NonZeroU32 {
        let from = PLACES.as_ptr().addr();
        let index = (core::ptr::from_ref(self.0).addr() - from) / size_of::<Place>();
        let number = (self.generation() | 1) << INDEX_BITS | index as u32;
        NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
    }

    /// Puts `store` there; the number names it from now on.
    pub(crate) fn fill(self, store: Store) -> NonZeroU32 {
        let handle = self.number();
        *self.0.store.place() = lock::Place::Full(store);
        core::mem::forget(self);
        handle
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.0.generation.store(self.generation() + 1, Ordering::Release);
    }
}

#[cold]
fn bad(handle: u32) -> Failed {
    Failed::new(ClawftStatus::BadHandle, "handle", handle.into(), 0)
}

/// The place that `handle` would name, and the generation that it needs.
fn place(handle: u32) -> Option<(&'static Place, u32)> {
    let index = handle & ((1 << INDEX_BITS) - 1);
    Some((PLACES.get(index as usize)?, handle >> INDEX_BITS))
}

/// The store, which others may read meanwhile.
#[inline(never)]
pub(crate) fn read(handle: u32) -> Result<Reading<'static, Store>, Failed> {
    if let Some((place, generation)) = place(handle)
        && let Some(store) = place.store.read()
        && place.generation.load(Ordering::Acquire) == generation
    {
        return Ok(store);
    }
    Err(bad(handle))
}

/// The store, which is nobody else's meanwhile.
#[inline(never)]
pub(crate) fn write(handle: u32) -> Result<Writing<'static, Store>, Failed> {
    if let Some((place, generation)) = place(handle)
        && let Some(store) = place.store.write()
        && place.generation.load(Ordering::Acquire) == generation
    {
        return Ok(store);
    }
    Err(bad(handle))
}

/// Closes the store: waits for its users, gives its memory back.
pub(crate) fn close(handle: u32) -> Result<(), Failed> {
    let (place, generation) = place(handle).ok_or_else(|| bad(handle))?;
    let store = &mut *place.store.place();
    if matches!(store, lock::Place::Empty) || place.generation.load(Ordering::Acquire) != generation
    {
        return Err(bad(handle));
    }
    *store = lock::Place::Empty;
    // Under the lock, so that no reader sees the place empty and the number alive.
    place.generation.store(generation + 1, Ordering::Release);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Mutex, PoisonError};

    /// One of them takes all places.
    static ALONE: Mutex<()> = Mutex::new(());

    #[test]
    fn a_used_up_place_is_never_taken_again() {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        // The last place: tests that run beside this one take the first ones.
        let place = &PLACES[MOST_STORES - 1];
        place.generation.store(GENERATIONS, Ordering::Release);
        let claims: std::vec::Vec<Claim> = core::iter::from_fn(|| Claim::new().ok()).collect();
        assert!(claims.iter().all(|claim| !core::ptr::eq(claim.0, place)));
        // Tests beside this one may hold some.
        assert!(!claims.is_empty());
        drop(claims);
        place.generation.store(0, Ordering::Release);
    }

    #[test]
    fn a_number_is_never_zero_and_never_given_out_twice() {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..1000 {
            let claim = Claim::new().ok().unwrap();
            let number = claim.number().get();
            let (named, generation) = place(number).unwrap();
            assert!(core::ptr::eq(named, claim.0) && generation == claim.generation());
            assert!(seen.insert(number));
        }
    }
}
