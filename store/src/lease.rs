//! One writer where there are no locks: a file whose name says whose it is, and until when.
//!
//! ```text
//! NAME.lease.NNNNNNNNNNNNNNNN.UUUUUUUUUUUUUUUU    N nonce, U until when, ms; hexadecimal digits
//! ```
//!
//! A plain WASI guest can create a file exclusively, remove one, and list a folder. That is
//! enough where everything is in the name: it is there whole or not at all, and means this one
//! lease for ever, so that whoever takes away one that ran out cannot take away a fresh one.
//! Whoever wants the lease takes away what ran out, creates its own file, and looks again: when there is another
//! one it takes its own back and is refused. Of two that come at once the one that looks last
//! finds the other, so never do both have it; that neither has it may be, and both try again.
//!
//! Before each commit, and before each step of opening and folding that puts something in place,
//! the holder looks whether its file is still there.
//!
//! What it must never do: draw a nonce or ask a clock. Both are arguments.

use alloc::string::String;

use crate::Error;
use crate::error::Fault;
use crate::storage::{Outcome, Storage, StorageError, remove_if_there};

/// Digits of a number in a name.
const DIGITS: usize = 16;
/// Milliseconds that a lease lasts at most: a day. One that ends later is of a clock that was set back since,
/// as that of a device without a battery is when it starts, and would keep all writers out until then.
const LONGEST: u64 = 86_400_000;

/// The right to write, for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What the names of all leases of the file begin with.
    prefix: String,
    nonce: u64,
    expires: u64,
    duration: u64,
}

fn prefix(file: &str) -> String {
    let mut prefix = String::from(file);
    prefix.push_str(".lease.");
    prefix
}

fn put(name: &mut String, number: u64) {
    name.extend((0..DIGITS).map(|i| {
        let half = number >> (4 * (DIGITS - 1 - i)) & 15;
        char::from(b"0123456789abcdef"[half as usize])
    }));
}

/// When the lease of this name ends; `None` for a name that is none's.
fn until(name: &str) -> Option<u64> {
    let digits = name.get(name.len().checked_sub(DIGITS)?..)?;
    u64::from_str_radix(digits, 16).ok()
}

impl Lease {
    /// Takes the lease of the durable file `file` from `now` on for `duration`, both in ms; at most a day. No
    /// other writer may use the same `nonce`.
    ///
    /// # Errors
    /// [`Error::LeaseHeld`]: try again, also where it is held by nobody, as another one may have
    /// tried at the same time; [`Error::Storage`].
    pub fn take(
        storage: &dyn Storage,
        file: &str,
        nonce: u64,
        now: u64,
        duration: u64,
    ) -> Result<Self, Error> {
        let lease = Self::new(file, nonce, now, duration);
        lease.seize(storage, now)?;
        Ok(lease)
    }

    /// A lease that nobody has taken yet.
    pub(crate) fn new(file: &str, nonce: u64, now: u64, duration: u64) -> Self {
        let duration = duration.min(LONGEST);
        Self { prefix: prefix(file), nonce, expires: now.saturating_add(duration), duration }
    }

    pub(crate) fn seize(&self, storage: &dyn Storage, now: u64) -> Result<(), Fault> {
        self.look(storage, now)?;
        match storage.create(&self.name()) {
            Ok(file) => storage.close(file),
            Err(StorageError::Exists) => {
                return Err(Error::LeaseHeld { until: self.expires }.into());
            }
            Err(error) => return Err(error.into()),
        }
        let done = match self.look(storage, now) {
            // It slept here for longer than the lease lasts: another one took it away.
            Ok(false) => Err(Error::LeaseHeld { until: now }.into()),
            Ok(true) => Ok(()),
            Err(error) => Err(error),
        };
        if done.is_err() {
            remove_if_there(storage, &self.name())?;
        }
        done
    }

    /// Looks at all leases of the file: takes away what ran out or is of another clock; gives whether this one
    /// is there.
    ///
    /// # Errors
    /// [`Error::LeaseHeld`] where another one is.
    fn look(&self, storage: &dyn Storage, now: u64) -> Result<bool, Fault> {
        let (own, mut is_there) = (self.name(), false);
        for name in storage.list(&self.prefix)? {
            match until(&name) {
                _ if name == own => is_there = true,
                Some(until) if until > now && until - now <= LONGEST => {
                    return Err(Error::LeaseHeld { until }.into());
                }
                Some(_) => remove_if_there(storage, &name)?,
                None => {}
            }
        }
        Ok(is_there)
    }

    /// What the names of this nonce's leases begin with.
    fn own(&self) -> String {
        let mut name = self.prefix.clone();
        put(&mut name, self.nonce);
        name.push('.');
        name
    }

    fn name(&self) -> String {
        let mut name = self.own();
        put(&mut name, self.expires);
        name
    }

    /// That nobody took the lease away, however it was renewed: for what knows no time.
    ///
    /// # Errors
    /// [`Error::Conflict`], [`Error::Storage`].
    pub(crate) fn stands(&self, storage: &dyn Storage) -> Result<(), Fault> {
        match storage.list(&self.own())?.is_empty() {
            true => Err(Error::Conflict.into()),
            false => Ok(()),
        }
    }

    /// Takes away what a writer has left that is known to have ended: the lease with its nonce. Any
    /// other one stays.
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub fn discard(storage: &dyn Storage, file: &str, nonce: u64) -> Result<(), Error> {
        Self { prefix: prefix(file), nonce, expires: 0, duration: 0 }.release(storage)
    }

    /// Makes sure that the lease is still held at `now`, and lengthens it when half of it is over.
    /// One that ran out, and that nobody took since, is taken again: its holder may have waited for
    /// something longer than it lasts.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another writer has taken it; [`Error::Storage`].
    pub fn renew(&mut self, storage: &dyn Storage, now: u64) -> Result<(), Error> {
        Ok(self.renewed(storage, now)?)
    }

    #[inline(never)]
    pub(crate) fn renewed(&mut self, storage: &dyn Storage, now: u64) -> Result<(), Fault> {
        let held = storage.list(&self.own())?;
        // A copy of this one may have been renewed.
        self.expires = 0;
        for name in &held {
            self.expires = self.expires.max(until(name).unwrap_or(0));
        }
        if held.is_empty() {
            return Err(Error::Conflict.into());
        }
        let expires = now.saturating_add(self.duration);
        if self.expires.saturating_sub(now) > self.duration / 2 || expires == self.expires {
            return Ok(());
        }
        let old = core::mem::replace(&mut self.expires, expires);
        storage.close(storage.create(&self.name())?);
        // Whoever takes over takes the old one away first, or finds the fresh one.
        let gone = remove_all(storage, &held);
        if let Err(error) = gone {
            remove_if_there(storage, &self.name())?;
            self.expires = old;
            return Err(match error {
                StorageError::NotFound => Error::Conflict.into(),
                error => error.into(),
            });
        }
        Ok(())
    }

    /// Gives the lease back, if it is still held, and whichever of its copies was renewed.
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub fn release(self, storage: &dyn Storage) -> Result<(), Error> {
        match storage.list(&self.own()).and_then(|held| remove_all(storage, &held)) {
            Ok(()) | Err(StorageError::NotFound) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Removes files; it is enough that one of them was there.
fn remove_all(storage: &dyn Storage, names: &[String]) -> Outcome<()> {
    let mut gone = Err(StorageError::NotFound);
    for name in names {
        gone = gone.or(storage.remove(name));
    }
    gone
}
