//! Who may read and write the memory's file, and when.
//!
//! Readers open it read-only, so that they repair nothing that a writer is about to write. A
//! change takes the lease, opens the file for writing, commits, and gives the lease back: a chat
//! that waits for a person blocks nobody. An open file is used again as long as nobody else
//! changed it, which its lengths and the head of its journal tell.
//!
//! A lease is short, and renewed while the derived parts are built anew, so that a killed writer
//! blocks others for seconds only. A host that has a lock of the system's says in [`WRITER`] which
//! nonce the leases get, and takes that of a killed program away: then it blocks nobody.
//!
//! A lease is waited for longer than one lasts, so that a killed writer's has run out by then.
//! Vectors are made before a change begins, since an endpoint may take longer than a lease.
//!
//! What it must never do: change the file without the lease, or wait for a person while it is
//! held.

use alloc::format;
use alloc::string::String;
use core::mem::take;

use clawft_store::memory::{Budget, Error, Memory as Store, MemoryOptions, Refusal};
use clawft_store::{Lease, Options};
use clawft_vectors::{Encoding, Params, required_bytes};

use super::identity::{FRESH, Identity, JOURNAL, NAME};
use super::refused::{is_conflict, is_full};
use super::{Limits, Memory};
use crate::failure::{Exit, Failure};
use crate::platform::{FileError, Platform};

/// The variable with the nonce, a number in decimals; no two programs may have the same.
pub const WRITER: &str = "CLAWFT_WRITER";
/// Milliseconds of a lease.
const LEASE: u64 = 5000;
/// Milliseconds that are waited for another writer's lease…
const PATIENCE: u64 = 6000;
/// …looking so often.
const PAUSE: u64 = 50;
/// How often a change is made again after a conflict, and a file opened again that another
/// program was just changing.
const TRIES: u32 = 5;
/// Records after which a lease is looked at while the derived parts are built.
const STEP: usize = 64;
/// Room is not made for fewer records than about so many, however long their vectors are.
pub(super) const LEAST: u32 = 16;

/// The open file.
pub(super) struct Open {
    pub(super) store: Store,
    writable: bool,
    stamp: Stamp,
}

/// What changes with every commit of anybody.
#[derive(PartialEq)]
struct Stamp {
    base: u64,
    journal: u64,
    head: [u8; 64],
}

/// Says what of the memory is damaged, where something is: the rest is used all the same.
fn say_damage(platform: &Platform<'_>, store: &Store) {
    let damaged = &store.file().report().damaged;
    let Some(first) = damaged.first() else { return };
    platform.terminal.note(&format!(
        "clawft: parts of the memory are damaged, {} places: {}. What is there is used; a memory that is \
         told again is whole again\n",
        damaged.len(),
        clawft_store::Error::Damaged(*first)
    ));
}

fn stamp(platform: &Platform<'_>, data: &str) -> Stamp {
    let len = |name: &str| platform.files.entry(&format!("{data}/{name}")).map_or(0, |e| e.len);
    let mut head = [0; 64];
    // Where there is no journal, there is no head.
    let _ = platform.files.read_at(&format!("{data}/{JOURNAL}"), 0, &mut head);
    Stamp { base: len(NAME), journal: len(JOURNAL), head }
}

pub(super) fn no_storage(data: &str, error: FileError) -> Failure {
    Failure::new(Exit::Failed, format!("the data folder {data}: {error}"))
}

/// Bytes of the image with room for so many vectors; `hot` says for how many of them in full, where
/// they have tiers.
pub(super) fn image_bytes(dim: usize, capacity: u32, hot: Option<u32>) -> Result<usize, Refusal> {
    let params = Params { encoding: Encoding::I8, hot, ..Params::new(dim as u32, capacity) };
    Ok(required_bytes(&params)?)
}

/// Opens the memory with room for as many records as `identity` says, within the limits. As long
/// as all vectors fit the image in full they have no tiers; where not even all of them, cold, fit,
/// there is room for fewer.
fn open_store(
    platform: &Platform<'_>,
    data: &str,
    limits: &Limits,
    identity: &Identity,
    file: &Options,
    lease: Option<&mut Lease>,
) -> Result<Store, Refusal> {
    let broken = |_| Refusal::from(clawft_store::storage::StorageError::Failed);
    let capacity = identity.room.min(limits.capacity);
    let in_full =
        image_bytes(identity.dim, capacity, None).is_ok_and(|bytes| bytes <= limits.image);
    let mut options = MemoryOptions {
        file: *file,
        capacity,
        encoding: Some(Encoding::I8),
        image: (!in_full).then_some(limits.image),
        words: limits.words,
        ..MemoryOptions::default()
    };
    let beside = platform.files.storage(data).map_err(broken)?;
    let mut lease = lease;
    loop {
        let storage = platform.files.storage(data).map_err(broken)?;
        let mut lost = None;
        let held = lease.as_deref().cloned();
        let opened = Store::open_leased(storage, NAME, &options, held, &mut |done, _| {
            if let (0, Some(lease)) = (done % STEP, lease.as_mut()) {
                lost = lost.or(lease.renew(&*beside, platform.clock.now()).err());
            }
        });
        if let Some(lost) = lost {
            return Err(lost.into());
        }
        let Err(refusal) = &opened else { return opened };
        match **refusal {
            Error::Vectors(clawft_vectors::Error::TooShort { expected, found })
                if options.capacity > LEAST && found < expected =>
            {
                let fits = u64::from(options.capacity) * found as u64 / expected as u64;
                options.capacity = (fits as u32).min(options.capacity - 1);
            }
            _ => return opened,
        }
    }
}

/// The nonce of a program's leases: the one that its host gave it, else one that nobody else has.
pub(super) fn nonce(platform: &Platform<'_>) -> u64 {
    let given = platform.environment.variable(WRITER).and_then(|nonce| nonce.parse().ok());
    given.unwrap_or_else(|| {
        let mut nonce = [0; 8];
        platform.random.fill(&mut nonce);
        u64::from_le_bytes(nonce)
    })
}

impl Memory<'_> {
    pub(super) fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.data)
    }

    /// Whether a file is there. One that cannot be looked at may be, as one behind a link to elsewhere: taken
    /// for missing it would be an empty memory.
    fn exists(&self, name: &str) -> Result<bool, Failure> {
        let path = self.path(name);
        match self.platform.files.entry(&path) {
            Ok(_) => Ok(true),
            Err(FileError::NotFound) => Ok(false),
            Err(error) => Err(Failure::of_file(&path, &error)),
        }
    }

    /// The file to read from; `None` where there is none yet.
    pub(super) fn reading(&mut self) -> Result<Option<&mut Store>, Failure> {
        if self.open.as_ref().is_some_and(|o| o.stamp != stamp(&self.platform, &self.data)) {
            self.open = None;
        }
        if self.open.is_none() {
            if !self.exists(NAME)? && !self.exists(FRESH)? {
                return Ok(None);
            }
            let identity = self.identity()?;
            if identity.pending {
                // Only a writer puts it in place.
                self.change(&mut |_, _| Ok(()))?;
                return Ok(self.open.as_mut().map(|open| &mut open.store));
            }
            self.same_embedder(&identity)?;
            self.open = Some(self.open_to_read(&identity)?);
        }
        Ok(self.open.as_mut().map(|open| &mut open.store))
    }

    fn open_to_read(&self, identity: &Identity) -> Result<Open, Failure> {
        let options = Options { read_only: true, ..Options::default() };
        let mut tries = TRIES;
        loop {
            let stamp = stamp(&self.platform, &self.data);
            let opened =
                open_store(&self.platform, &self.data, &self.limits, identity, &options, None);
            match opened {
                Ok(store) => {
                    say_damage(&self.platform, &store);
                    return Ok(Open { store, writable: false, stamp });
                }
                // Another program may just be putting a new file in place.
                Err(refusal) if tries > 0 && matches!(*refusal, Error::File(_)) => {
                    tries -= 1;
                    if self.stamp_is(&stamp) {
                        tries = tries.min(1);
                    }
                    self.platform.clock.sleep(PAUSE / 2);
                }
                Err(refusal) => return Err(refusal.into()),
            }
        }
    }

    /// The store to read from, for who has the lease, which is renewed while it takes long.
    pub(super) fn open_leased(
        &self,
        identity: &Identity,
        lease: &mut Lease,
    ) -> Result<Store, Refusal> {
        let options = Options { read_only: true, ..Options::default() };
        open_store(&self.platform, &self.data, &self.limits, identity, &options, Some(lease))
    }

    fn stamp_is(&self, before: &Stamp) -> bool {
        *before == stamp(&self.platform, &self.data)
    }

    /// What the memory knows of its embedder; that of this one where it is not made yet.
    fn identity(&self) -> Result<Identity, Failure> {
        match Identity::load(&self.platform, &self.data)? {
            Some(identity) => Ok(identity),
            None if self.exists(NAME)? => Err(Failure::new(
                Exit::Embedder,
                format!(
                    "{NAME} is there, and memory.json, which names its embedder, is not: \
                     `clawft reembed` makes its vectors anew"
                ),
            )),
            None => Ok(Identity::of(self.embedder.clone()?)),
        }
    }

    pub(super) fn take_lease(&self) -> Result<Lease, Failure> {
        self.lease(PATIENCE)
    }

    /// Takes the lease; that of another writer is waited for so many milliseconds.
    fn lease(&self, patience: u64) -> Result<Lease, Failure> {
        let files = self.platform.files;
        let storage = match files.storage(&self.data) {
            Err(FileError::NotFound) => {
                files.create_folder(&self.data).and_then(|()| files.storage(&self.data))
            }
            other => other,
        };
        let storage = storage.map_err(|error| no_storage(&self.data, error))?;
        let mut waited = 0;
        loop {
            let now = self.platform.clock.now();
            match Lease::take(&*storage, NAME, self.nonce, now, LEASE) {
                Err(clawft_store::Error::LeaseHeld { .. }) if waited < patience => {
                    self.platform.clock.sleep(PAUSE);
                    waited += PAUSE;
                }
                Ok(lease) => return Ok(lease),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Gives a lease back. Where that fails it runs out by itself.
    pub(super) fn release(&self, lease: Lease) {
        if let Ok(storage) = self.platform.files.storage(&self.data) {
            let _ = lease.release(&*storage);
        }
    }

    /// Makes a change and commits it: all of it or nothing. After a conflict it is made again
    /// from the beginning.
    ///
    /// # Errors
    /// What `work` and the store refuse.
    pub(super) fn change(
        &mut self,
        work: &mut dyn FnMut(&mut Store, u64) -> Result<(), Refusal>,
    ) -> Result<(), Failure> {
        Ok(self.try_change(None, &mut None, work)??)
    }

    /// The same with this memory, which makes room for nothing: it is the one that is wanted.
    ///
    /// # Errors
    /// Those of [`change`](Self::change).
    pub(super) fn change_of(
        &mut self,
        id: u64,
        work: &mut dyn FnMut(&mut Store, u64) -> Result<(), Refusal>,
    ) -> Result<(), Failure> {
        Ok(self.try_change(Some(id), &mut None, work)??)
    }

    /// The same, for who does otherwise where there is no room: what `work` and the store refuse comes
    /// by itself. `spared` makes no room; `left` is how many others may, for all that is tried with it.
    ///
    /// # Errors
    /// All others.
    pub(super) fn try_change(
        &mut self,
        spared: Option<u64>,
        left: &mut Option<usize>,
        work: &mut dyn FnMut(&mut Store, u64) -> Result<(), Refusal>,
    ) -> Result<Result<(), Refusal>, Failure> {
        let used = take(&mut self.used);
        let mut with_uses = |store: &mut Store, now: u64| {
            store.touch(&used, now);
            work(store, now)
        };
        let mut tries = TRIES;
        loop {
            let mut lease = self.take_lease()?;
            let done = self.change_once(&mut lease, &mut with_uses);
            // With the lease still held: others write memory.json too.
            let refused = match &done {
                Ok(Err(refusal)) => Some(&**refusal),
                _ => None,
            };
            let has_room = match refused {
                Some(Error::Vectors(clawft_vectors::Error::Full { .. })) => self
                    .grow()
                    .and_then(|grown| Ok(grown || self.evict(&mut lease, &used, spared, left)?)),
                Some(Error::WordsFull { .. }) => self.evict(&mut lease, &used, spared, left),
                _ => Ok(false),
            };
            self.release(lease);
            if has_room? {
                continue;
            }
            match done? {
                Err(refusal) if tries > 0 && is_conflict(&refusal) => tries -= 1,
                done => return Ok(done),
            }
        }
    }

    /// Makes room for more records, if there may be more; the derived parts are then built anew.
    fn grow(&mut self) -> Result<bool, Failure> {
        let mut identity = self.identity()?;
        if identity.room >= self.limits.capacity {
            return Ok(false);
        }
        self.open = None;
        identity.room = identity.room.saturating_mul(4);
        identity.save(&self.platform, &self.data)?;
        Ok(true)
    }

    pub(super) fn change_once(
        &mut self,
        lease: &mut Lease,
        work: &mut dyn FnMut(&mut Store, u64) -> Result<(), Refusal>,
    ) -> Result<Result<(), Refusal>, Failure> {
        let clock = self.platform.clock;
        if let Err(error) = self.open_to_write(lease)? {
            return Ok(Err(error));
        }
        let Some(open) = &mut self.open else { return Ok(Ok(())) };
        open.store.set_lease(lease.clone());
        let now = clock.now();
        let done = work(&mut open.store, now).and_then(|()| open.store.try_commit(clock.now()));
        match &done {
            Ok(()) => open.stamp = stamp(&self.platform, &self.data),
            // Refused for want of room before anything was written. What was committed before is
            // still to be saved with what is derived: building that anew takes each reader seconds.
            Err(refusal) if is_full(refusal) && open.store.rollback().is_ok() => {}
            // What was changed is not to be found; a file in doubt is opened again.
            Err(_) => self.open = None,
        }
        Ok(done)
    }

    /// Opens the file for writing, creates it where there is none, and puts one in place that was
    /// made by another embedder.
    fn open_to_write(&mut self, lease: &mut Lease) -> Result<Result<(), Refusal>, Failure> {
        let fresh = |open: &Open| open.writable && self.stamp_is(&open.stamp);
        if self.open.as_ref().is_some_and(fresh) {
            return Ok(Ok(()));
        }
        self.open = None;
        let mut identity = self.identity()?;
        if identity.pending {
            self.put_in_place()?;
            identity.pending = false;
            identity.save(&self.platform, &self.data)?;
        }
        self.same_embedder(&identity)?;
        let mut options = Options { dim: Some(identity.dim as u16), ..Options::default() };
        if !self.exists(NAME)? && !self.exists(JOURNAL)? {
            // First who made it, then what: a file without that is of no use.
            identity = Identity::of(self.embedder.clone()?);
            identity.save(&self.platform, &self.data)?;
            options.dim = Some(identity.dim as u16);
            options.create = true;
            self.platform.random.fill(&mut options.file_id);
        }
        let opened =
            open_store(&self.platform, &self.data, &self.limits, &identity, &options, Some(lease));
        let store = match opened {
            Ok(store) => store,
            Err(error) => return Ok(Err(error)),
        };
        let stamp = stamp(&self.platform, &self.data);
        self.open = Some(Open { store, writable: true, stamp });
        Ok(Ok(()))
    }

    /// Ends the use of the file: what was changed is folded into it, and what is derived is saved,
    /// so that the next program opens it in one read. Uses are saved with that. After no change
    /// they are saved only where a full memory evicts by them: nobody waits for it, and nothing
    /// fails.
    ///
    /// # Errors
    /// Those of the storage: what was committed stays.
    pub fn finish(&mut self) -> Result<(), Failure> {
        let used = take(&mut self.used);
        let mut done = Ok(());
        if self.open.as_ref().is_some_and(|open| open.writable) {
            done = self.close(&used, PATIENCE);
        } else if self.limits.evict && !used.is_empty() {
            let _ = self.close(&used, 0);
        }
        self.open = None;
        done
    }

    /// Counts uses and closes the file, which is opened for writing where it is not.
    fn close(&mut self, used: &[u64], patience: u64) -> Result<(), Failure> {
        let mut lease = self.lease(patience)?;
        let mut open = self.open.take().filter(|open| open.writable);
        if open.is_none() && matches!(self.open_to_write(&mut lease), Ok(Ok(()))) {
            open = self.open.take();
        }
        let mut done = Ok(());
        if let Some(mut open) = open {
            let now = self.platform.clock.now();
            open.store.set_lease(lease.clone());
            open.store.touch(used, now);
            let budget = Budget { records: 64, bytes: 1 << 20 };
            // Tiers are a matter of speed: where there is no memory for them, they stay.
            let _ = open.store.try_tick(now, budget);
            done = open.store.try_close(self.platform.clock.now());
        }
        self.release(lease);
        match done {
            // Somebody else went on from what we committed.
            Err(refusal) if !is_conflict(&refusal) => Err(refusal.into()),
            _ => Ok(()),
        }
    }

    /// Writes the file anew with nothing but what is remembered: no byte of what was forgotten is
    /// left.
    ///
    /// # Errors
    /// Those of opening and of the storage.
    pub fn compact(&mut self) -> Result<(), Failure> {
        if !self.exists(NAME)? {
            return Ok(());
        }
        let mut tries = TRIES;
        loop {
            let mut lease = self.take_lease()?;
            let done = self.change_once(&mut lease, &mut |_, _| Ok(()));
            // What is left of a new file that no memory waits for holds all texts, too.
            let is_settled = self.identity().is_ok_and(|identity| !identity.pending);
            let removed = match done {
                Ok(Ok(())) if is_settled => self.remove_fresh(),
                _ => Ok(()),
            };
            let clock = self.platform.clock;
            let done = done.map(|done| {
                done.and_then(|()| match &mut self.open {
                    Some(open) => open.store.try_compact(clock.now()),
                    None => Ok(()),
                })
            });
            if let Some(open) = &mut self.open {
                open.stamp = stamp(&self.platform, &self.data);
            }
            self.release(lease);
            match done? {
                Ok(()) => return removed,
                Err(refusal) if tries > 0 && is_conflict(&refusal) => {
                    self.open = None;
                    tries -= 1;
                }
                Err(refusal) => return Err(refusal.into()),
            }
        }
    }
}
