//! Locks: the standard library's natively, nothing in WebAssembly.
//!
//! Why: a WebAssembly instance has one thread, and nothing here is locked while a
//! storage of the host's is asked (which may call back), so a borrow can't meet
//! another one there, and the code of a lock would only weigh. Natively several
//! threads may call.
//!
//! What it must never do: hold a lock of the [`Shared`] kind while it waits for
//! another of the same kind; stay locked after a panic in another thread
//! (poisoning is ignored: the state behind these locks is whole between calls).

#[cfg(not(target_family = "wasm"))]
mod inner {
    use core::ops::{Deref, DerefMut};
    use std::sync::{self, MutexGuard, RwLockReadGuard, RwLockWriteGuard};

    use super::Place;

    /// One user at a time.
    pub(crate) struct Exclusive<T>(sync::Mutex<T>);

    impl<T> Exclusive<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(sync::PoisonError::into_inner)
        }
    }

    /// A place with many readers or one writer.
    pub(crate) struct Shared<T>(sync::RwLock<Place<T>>);

    /// A lock on a full place: whoever makes one has looked.
    pub(crate) struct Guard<G>(G);

    /// The value, which others may read too.
    pub(crate) type Reading<'a, T> = Guard<RwLockReadGuard<'a, Place<T>>>;
    /// The value, which is nobody else's.
    pub(crate) type Writing<'a, T> = Guard<RwLockWriteGuard<'a, Place<T>>>;

    impl<T> Shared<T> {
        pub(crate) const fn empty() -> Self {
            Self(sync::RwLock::new(Place::Empty))
        }

        /// The value, if there is one.
        pub(crate) fn read(&self) -> Option<Reading<'_, T>> {
            let guard = self.0.read().unwrap_or_else(sync::PoisonError::into_inner);
            matches!(*guard, Place::Full(_)).then_some(Guard(guard))
        }

        /// The value, if there is one.
        pub(crate) fn write(&self) -> Option<Writing<'_, T>> {
            let guard = self.place();
            matches!(*guard, Place::Full(_)).then_some(Guard(guard))
        }

        /// The place itself.
        pub(crate) fn place(&self) -> RwLockWriteGuard<'_, Place<T>> {
            self.0.write().unwrap_or_else(sync::PoisonError::into_inner)
        }
    }

    impl<T, G: Deref<Target = Place<T>>> Deref for Guard<G> {
        type Target = T;

        fn deref(&self) -> &T {
            match &*self.0 {
                Place::Full(value) => value,
                Place::Empty => unreachable!("a guard is made of a full place"),
            }
        }
    }

    impl<T, G: DerefMut<Target = Place<T>>> DerefMut for Guard<G> {
        fn deref_mut(&mut self) -> &mut T {
            match &mut *self.0 {
                Place::Full(value) => value,
                Place::Empty => unreachable!("a guard is made of a full place"),
            }
        }
    }
}

#[cfg(target_family = "wasm")]
mod inner {
    use core::cell::UnsafeCell;
    use core::ops::{Deref, DerefMut};

    use super::Place;

    /// One user at a time.
    pub(crate) struct Exclusive<T>(UnsafeCell<T>);

    // SAFETY: the instance has one thread (`compile_error!` in the crate root
    // refuses a build with atomics), so nothing is ever shared between threads.
    unsafe impl<T> Sync for Exclusive<T> {}

    impl<T> Exclusive<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(UnsafeCell::new(value))
        }

        #[expect(clippy::mut_from_ref, reason = "that is what a lock is for")]
        pub(crate) fn lock(&self) -> &mut T {
            // SAFETY: one thread, and no call that finds this locked is ever inside
            // another: what calls back into the library, a storage of the host's, is
            // called while nothing is locked. That no function locks twice is what
            // the tests show natively, where it would never return.
            unsafe { &mut *self.0.get() }
        }
    }

    /// A place with many readers or one writer.
    pub(crate) struct Shared<T>(Exclusive<Place<T>>);

    /// The value of a full place.
    pub(crate) struct Guard<'a, T>(&'a mut T);

    /// The value, which others may read too.
    pub(crate) type Reading<'a, T> = Guard<'a, T>;
    /// The value, which is nobody else's.
    pub(crate) type Writing<'a, T> = Guard<'a, T>;

    impl<T> Shared<T> {
        pub(crate) const fn empty() -> Self {
            Self(Exclusive::new(Place::Empty))
        }

        /// The value, if there is one.
        pub(crate) fn read(&self) -> Option<Reading<'_, T>> {
            self.write()
        }

        /// The value, if there is one.
        pub(crate) fn write(&self) -> Option<Writing<'_, T>> {
            match self.place() {
                Place::Full(value) => Some(Guard(value)),
                Place::Empty => None,
            }
        }

        /// The place itself.
        pub(crate) fn place(&self) -> &mut Place<T> {
            self.0.lock()
        }
    }

    impl<T> Deref for Guard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.0
        }
    }

    impl<T> DerefMut for Guard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.0
        }
    }
}

/// An `Option` whose `None` is all zeros: a table of empty places takes no bytes
/// in the module.
#[repr(u8)]
pub(crate) enum Place<T> {
    Empty = 0,
    Full(T) = 1,
}

pub(crate) use inner::{Exclusive, Reading, Shared, Writing};
