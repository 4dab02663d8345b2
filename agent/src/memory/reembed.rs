//! The same texts under another embedder.
//!
//! The new file is made beside the old one, record by record and without anything derived, so
//! that two memories are never held at once. Then `memory.json` says that it waits, which is the
//! point of no return; then it is put in the old one's place, by whoever comes next if this
//! program does not.
//!
//! A new file that is not to be put in place is removed: it holds every text, and what is forgotten
//! meanwhile would stay in it.
//!
//! What it must never do: touch the old file before the new one is whole.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use clawft_store::storage::Storage;
use clawft_store::{DurableFile, Lease, Options, Record};

use super::Memory;
use super::access::{LEAST, image_bytes, no_storage};
use super::identity::{FRESH, Identity, NAME};
use crate::failure::{Exit, Failure};
use crate::platform::FileError;

/// Texts that are embedded together.
const BATCH: usize = 16;
/// Bytes of changes after which they are committed.
const COMMIT: usize = 1 << 20;
/// What may lie beside a file.
const ENDINGS: [&str; 6] = ["", ".journal", ".journal.new", ".image", ".image.new", ".compact"];

/// Why a text cannot be read, and whose it is: to forget it is the way out.
fn of_damaged(id: u64, why: clawft_store::Error) -> Failure {
    let why = Failure::from(why);
    let sentence =
        format!("{why}: it is that of memory {id}, which `clawft forget {id}` takes away");
    Failure::new(why.exit, sentence)
}

impl Memory<'_> {
    /// Makes all vectors anew with this embedder; gives the number of records. `progress` is told
    /// how many are done, and of how many.
    ///
    /// # Errors
    /// Those of the embedder and of the storage, and [`Exit::Failed`] where the vectors would be too
    /// long for the limit of the image: then the memory is as it was.
    pub fn reembed(&mut self, progress: &mut dyn FnMut(usize, usize)) -> Result<usize, Failure> {
        self.open = None;
        let embedder = self.embedder.clone()?;
        let mut identity = Identity::of(embedder);
        let mut lease = self.take_lease()?;
        let mut uses = Vec::new();
        if let Ok(Some(mut old)) = Identity::load(&self.platform, &self.data) {
            identity.room = old.room;
            if old.pending {
                self.put_in_place()?;
                old.pending = false;
                old.save(&self.platform, &self.data)?;
            }
            uses = self.uses(&old, &mut lease);
        }
        let done = self.rewrite(&mut lease, identity.room, &uses, progress);
        // Not without the lease: it may be another program's by now.
        if done.is_err() && self.holds(&mut lease) {
            // Where that fails, `compact` does it.
            let _ = self.remove_fresh();
        }
        let done = done.and_then(|count| {
            identity.pending = true;
            // Less, and opening would take the image for smaller than it is.
            identity.room = identity.room.max(count as u32);
            identity.save(&self.platform, &self.data)?;
            self.put_in_place()?;
            identity.pending = false;
            identity.save(&self.platform, &self.data)?;
            Ok(count)
        });
        self.release(lease);
        done
    }

    fn storage(&self) -> Result<Box<dyn Storage>, Failure> {
        self.platform.files.storage(&self.data).map_err(|error| no_storage(&self.data, error))
    }

    fn durable(&self, name: &str, options: &Options) -> Result<DurableFile, Failure> {
        let storage = self.storage()?;
        Ok(DurableFile::open(storage, name, options)?)
    }

    /// Makes sure that so many vectors of `dim` components can be opened: in full, or all of them
    /// cold. Once the new file is in place it is too late to find out.
    fn check_room(&self, dim: usize, count: u32, room: u32) -> Result<(), Failure> {
        let limit = self.limits.image;
        let cold = image_bytes(dim, count.max(LEAST), Some(0))?;
        let full = image_bytes(dim, room.min(self.limits.capacity).max(count), None);
        if cold <= limit || full.is_ok_and(|bytes| bytes <= limit) {
            return Ok(());
        }
        Err(Failure::new(
            Exit::Failed,
            format!(
                "{count} memories of {dim} components need {} KiB: raise memory.image_kib in the \
                 config, or forget some. The memory is as it was",
                cold.div_ceil(1024)
            ),
        ))
    }

    /// Writes the new file, whole. `room` is how many records there will be room for, `uses` what is
    /// known of their uses, by their ids.
    fn rewrite(
        &self,
        lease: &mut Lease,
        room: u32,
        mut uses: &[(u64, u32, u64)],
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<usize, Failure> {
        let old = self.durable(NAME, &Options { read_only: true, ..Options::default() })?;
        let dim = self.embedder.clone()?.dim();
        self.check_room(dim, old.len() as u32, room)?;
        self.remove_fresh()?;
        let mut options = Options {
            dim: Some(dim as u16),
            metric: old.metric(),
            create: true,
            ..Options::default()
        };
        self.platform.random.fill(&mut options.file_id);
        let mut new = self.durable(FRESH, &options)?;
        let beside = self.storage()?;
        let (all, mut done, mut from) = (old.len(), 0, Some(0));
        loop {
            let mut ids = Vec::new();
            while let Some(id) = from.and_then(|from| old.next(from)).filter(|_| ids.len() < BATCH)
            {
                ids.push(id);
                from = id.checked_add(1);
            }
            if ids.is_empty() {
                break;
            }
            let mut texts: Vec<String> = Vec::new();
            for &id in &ids {
                texts.push(old.text(id).map_err(|why| of_damaged(id, why))?);
            }
            let vectors = self.embed(&texts.iter().map(|text| &**text).collect::<Vec<_>>())?;
            for ((&id, text), vector) in ids.iter().zip(&texts).zip(vectors.chunks_exact(dim)) {
                let fields = old.fields(id)?;
                let metadata: Vec<_> = fields.metadata().collect();
                // Both rise.
                while let Some((_, rest)) = uses.split_first().filter(|(known, _)| known.0 < id) {
                    uses = rest;
                }
                let (used, last_used) = match uses.first() {
                    Some(&(known, used, last)) if known == id => (used, last),
                    _ => (fields.uses(), fields.last_used()),
                };
                let record = Record {
                    id,
                    vector,
                    text,
                    kind: fields.kind(),
                    session: fields.session(),
                    created: fields.created(),
                    last_used,
                    uses: used,
                    importance: fields.importance(),
                    pinned: fields.pinned(),
                    metadata: &metadata,
                };
                new.put(&record)?;
            }
            let now = self.platform.clock.now();
            if new.pending() > COMMIT {
                new.commit(now)?;
            }
            lease.renew(&*beside, now)?;
            done += ids.len();
            progress(done, all);
        }
        let now = self.platform.clock.now();
        new.commit(now)?;
        new.close(now)?;
        // Before the point of no return.
        lease.renew(&*beside, self.platform.clock.now())?;
        Ok(done)
    }

    /// How often each memory was used, and when last, by their ids: of what is only asked for that
    /// stands with what is derived, which the new file does not have. Where the old one cannot be
    /// opened each begins as it was told.
    fn uses(&self, old: &Identity, lease: &mut Lease) -> Vec<(u64, u32, u64)> {
        let mut all = Vec::new();
        let Ok(store) = self.open_leased(old, lease) else { return all };
        if all.try_reserve_exact(store.len()).is_err() {
            return all;
        }
        let mut next = store.next(0);
        while let Some(id) = next {
            all.extend(store.uses(id).map(|(uses, last)| (id, uses, last)));
            next = id.checked_add(1).and_then(|id| store.next(id));
        }
        all
    }

    fn holds(&self, lease: &mut Lease) -> bool {
        let storage = self.storage();
        storage.is_ok_and(|beside| lease.renew(&*beside, self.platform.clock.now()).is_ok())
    }

    /// Removes a new file that was not put in place, under the lease.
    pub(super) fn remove_fresh(&self) -> Result<(), Failure> {
        ENDINGS.iter().try_for_each(|ending| self.remove(&format!("{FRESH}{ending}")))
    }

    fn remove(&self, name: &str) -> Result<(), Failure> {
        let path = self.path(name);
        match self.platform.files.remove(&path) {
            Ok(()) | Err(FileError::NotFound) => Ok(()),
            Err(error) => Err(Failure::of_file(&path, &error)),
        }
    }

    /// Puts the new file in the place of the old one. Each step can be the last before a crash:
    /// the next call goes on from there.
    pub(super) fn put_in_place(&self) -> Result<(), Failure> {
        let move_over = |ending: &str| {
            let (from, to) = (format!("{FRESH}{ending}"), format!("{NAME}{ending}"));
            match self.platform.files.rename(&self.path(&from), &self.path(&to)) {
                Ok(()) | Err(FileError::NotFound) => Ok(()),
                Err(error) => Err(Failure::of_file(&from, &error)),
            }
        };
        if self.platform.files.entry(&self.path(FRESH)).is_ok() {
            for ending in &ENDINGS[1..] {
                self.remove(&format!("{NAME}{ending}"))?;
            }
            move_over("")?;
        }
        move_over(".journal")
    }
}
