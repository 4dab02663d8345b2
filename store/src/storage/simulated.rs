//! A disk that loses power, tears writes and flips bits, for tests. Deterministic.
//!
//! Each call that changes something is a point at which the power can go. What was synced then
//! stays; of what was not, each sector of 512 bytes stays, vanishes or holds something else, in
//! any combination, and so does the file's length; of the folder's changes a prefix stays, one
//! for the names of bases and one for those of journals. That is what `docs/format-file.md`
//! allows a medium to do.
//!
//! Why: a test counts the calls of a workload, and then runs it once for each of them, with
//! the power going there.
//!
//! What it must never do: lose in a crash what was synced, or draw from anything but its
//! seeds: what was found once must be found again.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;

use super::{Handle, Outcome, Storage, StorageError};

/// Bytes that are written as one.
pub const SECTOR: usize = 512;

#[derive(Clone, Default)]
struct File {
    now: Vec<u8>,
    synced: Vec<u8>,
    /// Bytes at the beginning that both have.
    same: usize,
}

#[derive(Clone)]
enum Change {
    Name(String, usize),
    Rename(String, String),
    Remove(String),
}

impl Change {
    /// Whether it is about a journal, under whichever name, rather than about a base.
    fn is_of_journal(&self) -> bool {
        let (Self::Name(name, _) | Self::Rename(name, _) | Self::Remove(name)) = self;
        name.contains(".journal")
    }
}

fn apply(names: &mut BTreeMap<String, usize>, change: &Change) {
    match change {
        Change::Name(name, file) => {
            names.insert(name.clone(), *file);
        }
        Change::Rename(from, to) => {
            if let Some(file) = names.remove(from) {
                names.insert(to.clone(), file);
            }
        }
        Change::Remove(name) => {
            names.remove(name);
        }
    }
}

#[derive(Clone, Default)]
struct State {
    files: Vec<File>,
    names: BTreeMap<String, usize>,
    synced_names: BTreeMap<String, usize>,
    changes: Vec<Change>,
    /// Open handles: which file, if still open.
    handles: Vec<Option<usize>>,
    seed: u64,
    /// Changing calls until the power goes.
    left: Option<u64>,
    off: bool,
    calls: u64,
    written: u64,
    read: u64,
    syncs: u64,
    /// Syncs of files until one is refused.
    good_syncs: Option<u64>,
    space: Option<u64>,
    read_only: bool,
}

impl State {
    /// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
    fn random(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.seed;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    /// Counts a changing call; `Ok(true)` when the power goes during this one.
    fn call(&mut self) -> Outcome<bool> {
        if self.off {
            return Err(StorageError::Failed);
        }
        if self.read_only {
            return Err(StorageError::ReadOnly);
        }
        self.calls += 1;
        match &mut self.left {
            Some(0) => {
                self.off = true;
                Ok(true)
            }
            Some(left) => {
                *left -= 1;
                Ok(false)
            }
            None => Ok(false),
        }
    }

    fn file(&self, handle: Handle) -> Outcome<usize> {
        self.handles.get(handle as usize).copied().flatten().ok_or(StorageError::BadHandle)
    }

    fn handle(&mut self, file: usize) -> Handle {
        self.handles.push(Some(file));
        (self.handles.len() - 1) as Handle
    }

    /// What is left of a file whose last bytes were not synced.
    fn survive(&mut self, file: usize) {
        let File { now, synced, .. } = self.files[file].clone();
        let (low, high) = (now.len().min(synced.len()), now.len().max(synced.len()));
        let len = match self.random() % 3 {
            0 => now.len(),
            1 => synced.len(),
            _ => low + self.random() as usize % (high - low + 1),
        };
        let mut left = vec![0; len];
        for (i, sector) in left.chunks_mut(SECTOR).enumerate() {
            let from = |bytes: &[u8], to: &mut [u8]| {
                let start = (i * SECTOR).min(bytes.len());
                let end = (start + to.len()).min(bytes.len());
                to[..end - start].copy_from_slice(&bytes[start..end]);
            };
            let piece = |bytes: &[u8]| {
                bytes.iter().skip(i * SECTOR).take(SECTOR).copied().collect::<Vec<u8>>()
            };
            let (new, old) = (piece(&now), piece(&synced));
            // What was cut off, or is as it was, is whole.
            let which = if old.starts_with(&new) { 2 } else { self.random() % 4 };
            match which {
                0 | 1 => from(&now, sector),
                2 => from(&synced, sector),
                _ => {
                    // The part that was durable stays; behind it stands anything.
                    let junk = self.random();
                    sector.fill(junk as u8);
                    let kept = low.saturating_sub(i * SECTOR).min(sector.len());
                    from(&synced[..(i * SECTOR + kept).min(synced.len())], sector);
                }
            }
        }
        self.files[file] = File { now: left.clone(), synced: left, same: len };
    }
}

/// The disk. Clones are the same disk.
#[derive(Clone, Default)]
pub struct SimulatedDisk(Rc<RefCell<State>>);

impl SimulatedDisk {
    /// An empty disk.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let disk = Self::default();
        disk.0.borrow_mut().seed = seed;
        disk
    }

    /// A disk of its own with the same content, handles and counts.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self(Rc::new(RefCell::new(self.0.borrow().clone())))
    }

    /// Lets the power go in the changing call after `calls` more, or never.
    pub fn cut_after(&self, calls: Option<u64>) {
        self.0.borrow_mut().left = calls;
    }

    /// Changing calls so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.0.borrow().calls
    }

    /// Bytes appended so far.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.0.borrow().written
    }

    /// Bytes read so far.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.0.borrow().read
    }

    /// Syncs of files so far.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.0.borrow().syncs
    }

    /// Lets the sync of a file after `syncs` more say that there is no space, or none. What it was
    /// to make durable may then be durable or not.
    pub fn refuse_sync(&self, syncs: Option<u64>) {
        self.0.borrow_mut().good_syncs = syncs;
    }

    /// Whether the power is gone.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.0.borrow().off
    }

    /// Bytes that can still be appended, or no limit.
    pub fn set_space(&self, space: Option<u64>) {
        self.0.borrow_mut().space = space;
    }

    /// Refuses all changes.
    pub fn set_read_only(&self, read_only: bool) {
        self.0.borrow_mut().read_only = read_only;
    }

    /// Takes the power away, and gives it back: what was not synced survives in part, as the
    /// seed has it.
    pub fn crash(&self, seed: u64) {
        let mut state = self.0.borrow_mut();
        let state = &mut *state;
        state.seed = seed;
        for file in 0..state.files.len() {
            if state.files[file].now != state.files[file].synced {
                state.survive(file);
            }
        }
        // Changes of one name keep their order; those of others may overtake them.
        let changes = core::mem::take(&mut state.changes);
        for journal in [false, true] {
            let of = changes.iter().filter(|change| change.is_of_journal() == journal);
            let keep = state.random() as usize % (changes.len() + 1);
            for change in of.take(keep) {
                apply(&mut state.synced_names, change);
            }
        }
        state.names = state.synced_names.clone();
        state.handles.iter_mut().for_each(|handle| *handle = None);
        (state.off, state.left) = (false, None);
    }

    /// Flips one bit of one of the files, durably. Gives which file, and where in it; nothing where all
    /// are empty.
    pub fn flip(&self, seed: u64) -> Option<(String, usize)> {
        let mut state = self.0.borrow_mut();
        let state = &mut *state;
        state.seed = seed;
        let bytes: usize = state.names.values().map(|&file| state.files[file].now.len()).sum();
        let random = state.random();
        let mut at = random.checked_rem(bytes as u64)? as usize;
        for (name, &file) in &state.names {
            let File { now, synced, .. } = &mut state.files[file];
            if at < now.len() {
                let bit = 1 << (random >> 40 & 7);
                now[at] ^= bit;
                if let Some(byte) = synced.get_mut(at) {
                    *byte ^= bit;
                }
                return Some((name.clone(), at));
            }
            at -= now.len();
        }
        None
    }

    /// Ends the process that uses the disk, not the power: all writes are there, none synced.
    pub fn kill(&self) {
        let mut state = self.0.borrow_mut();
        state.handles.iter_mut().for_each(|handle| *handle = None);
        (state.off, state.left) = (false, None);
    }

    /// Names of all files.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.0.borrow().names.keys().cloned().collect()
    }

    /// The bytes of a file.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.0.borrow();
        state.names.get(name).map(|&file| state.files[file].now.clone())
    }

    /// Puts a file there, durable.
    pub fn put(&self, name: &str, bytes: Vec<u8>) {
        let mut state = self.0.borrow_mut();
        let same = bytes.len();
        state.files.push(File { now: bytes.clone(), synced: bytes, same });
        let file = state.files.len() - 1;
        state.names.insert(name.to_string(), file);
        state.synced_names.insert(name.to_string(), file);
    }

    /// Takes a file away, durably.
    pub fn take(&self, name: &str) {
        let mut state = self.0.borrow_mut();
        state.names.remove(name);
        state.synced_names.remove(name);
    }
}

impl Storage for SimulatedDisk {
    fn open(&self, name: &str) -> Outcome<Handle> {
        let mut state = self.0.borrow_mut();
        if state.off {
            return Err(StorageError::Failed);
        }
        let file = *state.names.get(name).ok_or(StorageError::NotFound)?;
        Ok(state.handle(file))
    }

    fn create(&self, name: &str) -> Outcome<Handle> {
        let mut state = self.0.borrow_mut();
        let cut = state.call()?;
        if state.names.contains_key(name) {
            return Err(StorageError::Exists);
        }
        state.files.push(File::default());
        let file = state.files.len() - 1;
        let change = Change::Name(name.to_string(), file);
        apply(&mut state.names, &change);
        state.changes.push(change);
        if cut { Err(StorageError::Failed) } else { Ok(state.handle(file)) }
    }

    fn close(&self, file: Handle) {
        if let Some(handle) = self.0.borrow_mut().handles.get_mut(file as usize) {
            *handle = None;
        }
    }

    fn len(&self, file: Handle) -> Outcome<u64> {
        let state = self.0.borrow();
        Ok(state.files[state.file(file)?].now.len() as u64)
    }

    fn read_at(&self, file: Handle, offset: u64, into: &mut [u8]) -> Outcome<usize> {
        let state = &mut *self.0.borrow_mut();
        if state.off {
            return Err(StorageError::Failed);
        }
        let bytes = &state.files[state.file(file)?].now;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let len = into.len().min(bytes.len() - start);
        into[..len].copy_from_slice(&bytes[start..start + len]);
        state.read += len as u64;
        Ok(len)
    }

    fn append(&self, file: Handle, bytes: &[u8]) -> Outcome<()> {
        let mut state = self.0.borrow_mut();
        let file = state.file(file)?;
        let cut = state.call()?;
        let room = state.space.unwrap_or(u64::MAX);
        let fits = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        if let Some(space) = &mut state.space {
            *space -= fits as u64;
        }
        state.files[file].now.extend_from_slice(&bytes[..fits]);
        state.written += fits as u64;
        match (cut, fits == bytes.len()) {
            (true, _) => Err(StorageError::Failed),
            (_, false) => Err(StorageError::NoSpace),
            _ => Ok(()),
        }
    }

    fn truncate(&self, file: Handle, len: u64) -> Outcome<()> {
        let mut state = self.0.borrow_mut();
        let file = state.file(file)?;
        let cut = state.call()?;
        let before = state.files[file].now.len() as u64;
        let open = &mut state.files[file];
        open.now.truncate(len as usize);
        open.same = open.same.min(open.now.len());
        if let Some(space) = &mut state.space {
            *space += before.saturating_sub(len);
        }
        if cut { Err(StorageError::Failed) } else { Ok(()) }
    }

    fn sync(&self, file: Handle) -> Outcome<()> {
        let mut state = self.0.borrow_mut();
        let file = state.file(file)?;
        if state.call()? {
            return Err(StorageError::Failed);
        }
        state.syncs += 1;
        let refused = state.good_syncs == Some(0);
        state.good_syncs = state.good_syncs.and_then(|left| left.checked_sub(1));
        if refused && state.random().is_multiple_of(2) {
            return Err(StorageError::NoSpace);
        }
        let File { now, synced, same } = &mut state.files[file];
        synced.truncate(*same);
        synced.extend_from_slice(&now[*same..]);
        *same = now.len();
        if refused { Err(StorageError::NoSpace) } else { Ok(()) }
    }

    fn sync_folder(&self) -> Outcome<()> {
        let mut state = self.0.borrow_mut();
        if state.call()? {
            return Err(StorageError::Failed);
        }
        state.synced_names = state.names.clone();
        state.changes.clear();
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> Outcome<()> {
        let mut state = self.0.borrow_mut();
        let cut = state.call()?;
        if !state.names.contains_key(from) {
            return Err(StorageError::NotFound);
        }
        let change = Change::Rename(from.to_string(), to.to_string());
        apply(&mut state.names, &change);
        state.changes.push(change);
        if cut { Err(StorageError::Failed) } else { Ok(()) }
    }

    fn remove(&self, name: &str) -> Outcome<()> {
        let mut state = self.0.borrow_mut();
        let cut = state.call()?;
        if !state.names.contains_key(name) {
            return Err(StorageError::NotFound);
        }
        let change = Change::Remove(name.to_string());
        apply(&mut state.names, &change);
        state.changes.push(change);
        if cut { Err(StorageError::Failed) } else { Ok(()) }
    }

    fn list(&self, prefix: &str) -> Outcome<Vec<String>> {
        let state = self.0.borrow();
        if state.off {
            return Err(StorageError::Failed);
        }
        Ok(state.names.keys().filter(|name| name.starts_with(prefix)).cloned().collect())
    }
}

#[cfg(test)]
mod tests;
