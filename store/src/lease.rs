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
//! before it writes.
//!
//! What it must never do: draw a nonce or ask a clock. Both are arguments.

use alloc::string::String;
use alloc::vec::Vec;

use xxhash_rust::xxh64::xxh64;

use crate::Error;
use crate::error::Fault;
use crate::storage::{Outcome, Storage, StorageError, read_full};
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

/// Nonce and end of the lease in a file. A file that is no lease was torn when it was made, and
/// ran out long ago.
fn read(storage: &dyn Storage, name: &str) -> Outcome<Option<(u64, u64)>> {
    let file = match storage.open(name) {
        Ok(file) => file,
        Err(StorageError::NotFound) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = [0; LEN];
    let read = read_full(storage, file, 0, &mut bytes);
    storage.close(file);
    let sound =
        read? == LEN && &bytes[..8] == MAGIC && xxh64(&bytes[..24], 0) == u64_at(&bytes, 24);
    Ok(Some(if sound { (u64_at(&bytes, 8), u64_at(&bytes, 16)) } else { (0, 0) }))
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
        let expires = now.saturating_add(duration);
        let lease = Self { name, nonce, expires, duration };
        if let Some(held) = read(storage, &lease.name)? {
            if held.1 > now && held.0 == nonce {
                // Another taker had moved it when we looked for it the second time, and put it
                // back since.
                return Ok(Self { expires: held.1, ..lease });
            }
            if held.1 > now {
                return Err(Error::LeaseHeld { until: held.1 }.into());
            }
            lease.put_away(storage, held)?;
        }
        lease.create(storage)?;
        Ok(lease)
    }

    /// Moves a lease that ran out away; only if it still is that one.
    fn put_away(&self, storage: &dyn Storage, held: (u64, u64)) -> Result<(), Fault> {
        let aside = with(&self.name, self.nonce, ".old");
        match storage.rename(&self.name, &aside) {
            Ok(()) => {}
            // Another one was faster; whether it has the lease by now shows when we create ours.
            Err(StorageError::NotFound) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let moved = read(storage, &aside)?.unwrap_or_default();
        if moved == held {
            return Ok(storage.remove(&aside)?);
        }
        storage.rename(&aside, &self.name)?;
        Err(Error::LeaseHeld { until: moved.1 }.into())
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
        match read(storage, &lease.name)? {
            Some(held) if held.0 == nonce => Ok(lease.put_away(storage, held)?),
            _ => Ok(()),
        }
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
        // Who reads it before it is written takes it for one that ran out, and may move it away:
        // hence the second look, before anything is done under it, opening included.
        let file = match storage.create(&self.name) {
            Ok(file) => file,
            Err(StorageError::Exists) => {
                let until = read(storage, &self.name)?.map_or(0, |held| held.1);
                return Err(Error::LeaseHeld { until }.into());
            }
            Err(error) => return Err(error.into()),
        };
        let written = storage.append(file, &self.bytes());
        storage.close(file);
        written?;
        match read(storage, &self.name)? {
            Some((nonce, _)) if nonce == self.nonce => Ok(()),
            other => Err(Error::LeaseHeld { until: other.map_or(0, |held| held.1) }.into()),
        }
    }

    /// Makes sure that the lease is still held at `now`, and lengthens it when half of it is over.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it ran out or another writer has it; [`Error::Storage`].
    pub fn renew(&mut self, storage: &dyn Storage, now: u64) -> Result<(), Error> {
        Ok(self.renewed(storage, now)?)
    }

    pub(crate) fn renewed(&mut self, storage: &dyn Storage, now: u64) -> Result<(), Fault> {
        if now >= self.expires || read(storage, &self.name)? != Some((self.nonce, self.expires)) {
            return Err(Error::Conflict.into());
        }
        if self.expires - now > self.duration / 2 {
            return Ok(());
        }
        let longer = Self { expires: now.saturating_add(self.duration), ..self.clone() };
        let fresh = with(&self.name, self.nonce, ".new");
        let file = crate::journal::create_over(storage, &fresh)?;
        let written = storage.append(file, &longer.bytes());
        storage.close(file);
        written?;
        storage.rename(&fresh, &self.name)?;
        *self = longer;
        Ok(())
    }

    /// Gives the lease back, if it is still held.
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub fn release(self, storage: &dyn Storage) -> Result<(), Error> {
        match read(storage, &self.name)? {
            Some((nonce, _)) if nonce == self.nonce => Ok(storage.remove(&self.name)?),
            _ => Ok(()),
        }
    }
}
