//! One writer where there are no locks: a file with a nonce that runs out.
//!
//! ```text
//!  0 magic "CFLEASE\1"   8 nonce u64   16 expires u64, ms   24 check u64: XXH64 of bytes 0 to 23
//! ```
//!
//! A plain WASI guest can create a file exclusively and rename one atomically, and nothing
//! more. The lease is created exclusively; one that ran out is first moved to a name of the
//! taker's own, and looked at there, so that of several takers one has it and none throws away
//! another's fresh one. Before each commit the holder reads it again: whoever lost it finds out
//! before it writes, and one that only ran out is taken again in the same way.
//!
//! What it must never do: draw a nonce or ask a clock. Both are arguments.

use alloc::string::String;
use alloc::vec::Vec;

use xxhash_rust::xxh64::xxh64;

use crate::Error;
use crate::error::Fault;
use crate::storage::{Handle, Outcome, Storage, StorageError, read_full};
use crate::wire::{Put, u64_at};

const MAGIC: &[u8; 8] = b"CFLEASE\x01";
const LEN: usize = 32;

/// The right to write, for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    name: String,
    nonce: u64,
    expires: u64,
    duration: u64,
}

/// What the file of a lease says. A file that is no lease was torn when it was made, and ran out long
/// ago: all of it 0.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Held {
    nonce: u64,
    until: u64,
    /// There is a file.
    there: bool,
}

impl Held {
    fn read(&mut self, storage: &dyn Storage, name: &str) -> Outcome<()> {
        *self = Self::default();
        let file = match storage.open(name) {
            Ok(file) => file,
            Err(StorageError::NotFound) => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut bytes = [0; LEN];
        let read = read_full(storage, file, 0, &mut bytes);
        storage.close(file);
        self.there = true;
        if read? == LEN && &bytes[..8] == MAGIC && xxh64(&bytes[..24], 0) == u64_at(&bytes, 24) {
            (self.nonce, self.until) = (u64_at(&bytes, 8), u64_at(&bytes, 16));
        }
        Ok(())
    }

    /// That another writer has it.
    #[cold]
    #[inline(never)]
    fn refusal(&self) -> Fault {
        Error::LeaseHeld { until: self.until }.into()
    }
}

fn with(name: &str, nonce: u64, ending: &str) -> String {
    let mut all = String::from(name);
    all.push('.');
    all.extend((0..16).map(|i| {
        let half = (nonce >> (60 - 4 * i) & 15) as u8;
        char::from(b"0123456789abcdef"[usize::from(half)])
    }));
    all.push_str(ending);
    all
}

impl Lease {
    /// Takes the lease of the durable file `file` from `now` on for `duration`, both in ms. No
    /// other writer may use the same `nonce`; one that is refused and tries again does so with
    /// the same: another taker may have had its lease in hand just then, and put it back.
    ///
    /// # Errors
    /// [`Error::LeaseHeld`], [`Error::Storage`].
    pub fn take(
        storage: &dyn Storage,
        file: &str,
        nonce: u64,
        now: u64,
        duration: u64,
    ) -> Result<Self, Error> {
        Ok(Self::taken(storage, file, nonce, now, duration)?)
    }

    fn taken(
        storage: &dyn Storage,
        file: &str,
        nonce: u64,
        now: u64,
        duration: u64,
    ) -> Result<Self, Fault> {
        let mut name = String::from(file);
        name.push_str(".lease");
        let mut lease = Self { name, nonce, expires: now.saturating_add(duration), duration };
        lease.seize(storage, now)?;
        Ok(lease)
    }

    fn seize(&mut self, storage: &dyn Storage, now: u64) -> Result<(), Fault> {
        let mut held = Held::default();
        held.read(storage, &self.name)?;
        if held.until > now {
            if held.nonce != self.nonce {
                return Err(held.refusal());
            }
            // Another taker had moved it when we looked for it the second time, and put it
            // back since.
            self.expires = held.until;
            return Ok(());
        }
        if held.there {
            self.put_away(storage, held)?;
        }
        self.create(storage)
    }

    /// Moves a lease that ran out away; only if it still is that one. Gives whether it was there.
    fn put_away(&self, storage: &dyn Storage, held: Held) -> Result<bool, Fault> {
        let aside = with(&self.name, self.nonce, ".old");
        match storage.rename(&self.name, &aside) {
            Ok(()) => {}
            // Another one was faster; whether it has the lease by now shows when we create ours.
            Err(StorageError::NotFound) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        let mut moved = Held::default();
        moved.read(storage, &aside)?;
        if (moved.nonce, moved.until) == (held.nonce, held.until) {
            storage.remove(&aside)?;
            return Ok(true);
        }
        storage.rename(&aside, &self.name)?;
        Err(moved.refusal())
    }

    /// Takes away what a writer has left that is known to have ended: the lease with its nonce. Any
    /// other one stays.
    ///
    /// # Errors
    /// [`Error::LeaseHeld`]: somebody else has taken it by now; [`Error::Storage`].
    pub fn discard(storage: &dyn Storage, file: &str, nonce: u64) -> Result<(), Error> {
        let mut name = String::from(file);
        name.push_str(".lease");
        let lease = Self { name, nonce, expires: 0, duration: 0 };
        let mut held = Held::default();
        held.read(storage, &lease.name)?;
        if held.until == 0 || held.nonce != nonce {
            return Ok(());
        }
        lease.put_away(storage, held)?;
        Ok(())
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LEN);
        bytes.bytes(MAGIC);
        bytes.u64(self.nonce);
        bytes.u64(self.expires);
        let check = xxh64(&bytes, 0);
        bytes.u64(check);
        bytes
    }

    fn create(&self, storage: &dyn Storage) -> Result<(), Fault> {
        let mut held = Held::default();
        // Who reads it before it is written takes it for one that ran out, and may move it away:
        // hence the second look, before anything is done under it, opening included.
        match storage.create(&self.name) {
            Ok(file) => self.write(storage, file)?,
            Err(StorageError::Exists) => {
                held.read(storage, &self.name)?;
                return Err(held.refusal());
            }
            Err(error) => return Err(error.into()),
        }
        held.read(storage, &self.name)?;
        match held.there && held.nonce == self.nonce {
            true => Ok(()),
            false => Err(held.refusal()),
        }
    }

    /// Writes the lease into its new file, and closes that.
    fn write(&self, storage: &dyn Storage, file: Handle) -> Outcome<()> {
        let written = storage.append(file, &self.bytes());
        storage.close(file);
        written
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

    pub(crate) fn renewed(&mut self, storage: &dyn Storage, now: u64) -> Result<(), Fault> {
        let mut held = Held::default();
        held.read(storage, &self.name)?;
        if !held.there || (held.nonce, held.until) != (self.nonce, self.expires) {
            return Err(Error::Conflict.into());
        }
        if now >= self.expires {
            return self.retake(storage, held, now).map_err(|fault| match fault.error() {
                Error::LeaseHeld { .. } => Error::Conflict.into(),
                _ => fault,
            });
        }
        if self.expires - now > self.duration / 2 {
            return Ok(());
        }
        let fresh = with(&self.name, self.nonce, ".new");
        let file = crate::journal::create_over(storage, &fresh)?;
        self.expires = now.saturating_add(self.duration);
        let written = self.write(storage, file).and_then(|()| storage.rename(&fresh, &self.name));
        if written.is_err() {
            self.expires = held.until;
        }
        Ok(written?)
    }

    /// Takes the lease again after it ran out, by the steps of others, who may be at it too.
    fn retake(&mut self, storage: &dyn Storage, held: Held, now: u64) -> Result<(), Fault> {
        if !self.put_away(storage, held)? {
            return Err(Error::Conflict.into());
        }
        self.expires = now.saturating_add(self.duration);
        self.create(storage)
    }

    /// Gives the lease back, if it is still held.
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub fn release(self, storage: &dyn Storage) -> Result<(), Error> {
        let mut held = Held::default();
        held.read(storage, &self.name)?;
        if held.there && held.nonce == self.nonce {
            storage.remove(&self.name)?;
        }
        Ok(())
    }
}
