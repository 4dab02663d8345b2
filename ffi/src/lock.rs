//! Locks: the standard library's natively, nothing in WebAssembly.
//!
//! Why so: a WebAssembly instance runs one call at a time and no call of this
//! library calls back into the host, so a borrow can't meet another one there,
//! and the code of a lock would only weigh. Natively several threads may call.
//!
//! What it must never do: hold a lock of the [`Shared`] kind while it waits for
//! another of the same kind; stay locked after a panic in another thread
//! (poisoning is ignored: the state behind these locks is whole between calls).

#[cfg(not(target_family = "wasm"))]
mod inner {
    use std::sync::{self, MutexGuard, RwLockReadGuard, RwLockWriteGuard};

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

    /// Many readers or one writer.
    pub(crate) struct Shared<T>(sync::RwLock<T>);

    impl<T> Shared<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(sync::RwLock::new(value))
        }

        pub(crate) fn read(&self) -> RwLockReadGuard<'_, T> {
            self.0.read().unwrap_or_else(sync::PoisonError::into_inner)
        }

        pub(crate) fn write(&self) -> RwLockWriteGuard<'_, T> {
            self.0.write().unwrap_or_else(sync::PoisonError::into_inner)
        }
    }
}

#[cfg(target_family = "wasm")]
mod inner {
    use core::cell::UnsafeCell;

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
            // SAFETY: one thread, and no call is ever inside another: there is
            // nothing to call back. That no function locks twice is what the
            // tests show natively, where it would never return.
            unsafe { &mut *self.0.get() }
        }
    }

    /// Many readers or one writer.
    pub(crate) struct Shared<T>(Exclusive<T>);

    impl<T> Shared<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(Exclusive::new(value))
        }

        pub(crate) fn read(&self) -> &T {
            self.0.lock()
        }

        #[allow(clippy::mut_from_ref, reason = "that is what a lock is for")]
        pub(crate) fn write(&self) -> &mut T {
            self.0.lock()
        }
    }
}

pub(crate) use inner::{Exclusive, Shared};
