//! The durable file: records that survive a power cut.
//!
//! Changes collect in memory until [`commit`](DurableFile::commit) appends and syncs them as one
//! batch of the journal; the journal folds into the base, an RVF file; the base is compacted when
//! it has become more than its live records. `docs/format-file.md` has every byte and the reason
//! why each crash is safe.
//!
//! What it must never do: lose a committed record, show half of one, or open a damaged file as
//! if it were whole.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::batch::Batch;
use crate::error::Fault;
use crate::journal::{BATCH, FoundHead, HEADER, Journal, State};
use crate::lease::Lease;
use crate::ledger::{Directory, JOURNAL, Ledger, Place};
use crate::record::{FIXED, Fields, MAX_ENTRY};
use crate::room;
use crate::rvf::manifest::Manifest;
use crate::rvf::records;
use crate::rvf::segment::{MAX_PAYLOAD, Segment};
use crate::sorted::Sorted;
use crate::source::Source;
use crate::storage::{Handle, Storage};
use crate::{Damage, Error};

/// When the file folds and compacts itself. The defaults are those of `docs/format-file.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the journal beyond which it is folded into the base.
    pub fold: u64,
    /// The base is compacted beyond this many times its live bytes…
    pub compact_times: u64,
    /// …and this many bytes more.
    pub compact_slack: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { fold: 1 << 20, compact_times: 2, compact_slack: 1 << 20 }
    }
}

/// How a file is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Components of a vector, 1 to 8,192. `None` takes what an existing file has.
    pub dim: Option<u16>,
    /// For a new file, as other readers of RVF know it: 0 L2, 1 inner product, 2 cosine.
    pub metric: u8,
    /// For a new file: sixteen bytes that no other file has.
    pub file_id: [u8; 16],
    /// Creates the file if there is none.
    pub create: bool,
    /// Opens for reading: nothing is written, not even to repair.
    pub read_only: bool,
    /// Opens a damaged file for reading, without what cannot be read.
    pub salvage: bool,
    /// When it folds and compacts itself.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            dim: None,
            metric: 2,
            file_id: [0; 16],
            create: false,
            read_only: false,
            salvage: false,
            limits: Limits::default(),
        }
    }
}

/// What opening found. All zero and false for a file that was closed cleanly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Commits that were still in the journal.
    pub replayed: u64,
    /// Where in the journal a commit began that never was finished, and its bytes, cut off.
    pub torn_journal: Option<(u64, u64)>,
    /// Where in the base a fold began that never was finished, and its bytes, cut off.
    pub torn_base: Option<(u64, u64)>,
    /// Batches of the journal, and its header, in which one flipped bit was turned back.
    pub repaired: u32,
    /// Another program wrote the newest manifest.
    pub foreign: bool,
    /// What is damaged, the first 1,024: with [`Options::salvage`] the first of each place; in a memory
    /// each record from which not all could be derived.
    pub damaged: Vec<Damage>,
}

/// What a file is at a moment: changes with every commit, fold and compaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// The file's id.
    pub file_id: [u8; 16],
    /// Of its newest manifest.
    pub epoch: u32,
    /// Commits in the file's life.
    pub commits: u64,
}

/// Sizes of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Live records.
    pub records: u64,
    /// Bytes that they take in the base.
    pub live: u64,
    /// Bytes of the base.
    pub base: u64,
    /// Bytes of the journal.
    pub journal: u64,
    /// Segments that count.
    pub segments: u64,
}

/// Names of the files that belong to `name`.
pub(crate) struct Names {
    pub(crate) base: String,
    pub(crate) journal: String,
    pub(crate) fresh_journal: String,
    pub(crate) compact: String,
    pub(crate) image: String,
    pub(crate) fresh_image: String,
}

impl Names {
    pub(crate) fn of(name: &str) -> Self {
        let with = |ending: &str| {
            let mut all = String::from(name);
            all.push_str(ending);
            all
        };
        Self {
            base: with(""),
            journal: with(".journal"),
            fresh_journal: with(".journal.new"),
            compact: with(".compact"),
            image: with(".image"),
            fresh_image: with(".image.new"),
        }
    }
}

/// In place of a handle: nothing is open.
pub(crate) const NO_FILE: Handle = Handle::MAX;

/// An open durable file.
pub struct DurableFile {
    pub(crate) storage: Box<dyn Storage>,
    pub(crate) names: Names,
    pub(crate) limits: Limits,
    pub(crate) read_only: bool,
    pub(crate) base: Handle,
    /// Where the newest manifest stands.
    pub(crate) manifest_at: Segment,
    /// Where that ends.
    pub(crate) base_len: u64,
    /// None when a new one is due.
    pub(crate) journal: Option<Journal>,
    /// What the newest manifest says, but for its segments: these are in the directory.
    pub(crate) manifest: Manifest,
    pub(crate) commits: u64,
    pub(crate) directory: Directory,
    pub(crate) ledger: Ledger,
    /// Ids that the journal changed, and whether the base has a version of them: 1 or 0.
    pub(crate) touched: Sorted<u64>,
    /// Operations of the journal's batches in which a bit was turned back, by where they begin.
    pub(crate) repaired: Vec<(u64, Vec<u8>)>,
    /// Entries of records that another program wrote.
    #[cfg(feature = "foreign")]
    pub(crate) foreign: Sorted<Fields>,
    pub(crate) batch: Batch,
    pub(crate) lease: Option<Lease>,
    pub(crate) report: Report,
    pub(crate) stopped: bool,
    pub(crate) deferred: Option<Error>,
    /// Bytes of the journal up to which a fold is not tried again…
    pub(crate) fold_beyond: u64,
    /// …and of the base up to which a compaction is not: each try would fill the disk.
    pub(crate) compact_beyond: u64,
    /// The damage that folding or compacting met in the base: until all of it was written anew, or it
    /// is opened again, folds take in no group, and it does not compact itself.
    pub(crate) hurt: Option<Error>,
}

impl Drop for DurableFile {
    fn drop(&mut self) {
        self.close_files();
    }
}

impl DurableFile {
    /// Closes what is open.
    pub(crate) fn close_files(&mut self) {
        if self.base != NO_FILE {
            self.storage.close(core::mem::replace(&mut self.base, NO_FILE));
        }
        self.close_journal();
    }

    pub(crate) fn close_journal(&mut self) {
        if let Some(journal) = self.journal.take() {
            self.storage.close(journal.file);
        }
    }

    /// Components of a vector.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.manifest.dim.into()
    }

    /// The metric that other readers of RVF are told: 0 L2, 1 inner product, 2 cosine.
    #[must_use]
    pub fn metric(&self) -> u8 {
        self.manifest.metric
    }

    /// What opening found.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// What the file is at this moment, as of the last commit.
    #[must_use]
    pub fn version(&self) -> Version {
        Version {
            file_id: self.manifest.file_id(),
            epoch: self.manifest.epoch,
            commits: self.commits,
        }
    }

    /// The name of the file beside this one that has the image derived from it.
    #[must_use]
    pub fn image_name(&self) -> &str {
        &self.names.image
    }

    /// The storage that the file is in.
    #[must_use]
    pub fn storage(&self) -> &dyn Storage {
        &*self.storage
    }

    /// Sizes as of the last commit.
    #[must_use]
    pub fn sizes(&self) -> Sizes {
        Sizes {
            records: self.ledger.len() as u64,
            live: self.ledger.live_bytes(),
            base: self.base_len,
            journal: self.journal.as_ref().map_or(0, |journal| journal.len),
            segments: self.directory.listed().len() as u64,
        }
    }

    /// Why a fold or compaction that is due has not happened, if so. Commits are safe all the same: the
    /// journal has them, and the next commit tries again. Where there was no space, that is when the
    /// journal has grown by [`Limits::fold`] again; for a compaction, with the first fold after the
    /// base has grown by a quarter of what is live. [`Error::Damaged`] stays until it is opened again,
    /// or compacted: the journal is folded, and what older folds wrote is left as it is.
    #[must_use]
    pub fn deferred(&self) -> Option<Error> {
        self.deferred.or(self.hurt)
    }

    /// Holds the lease while the file is open, and looks at it before each commit.
    pub fn set_lease(&mut self, lease: Lease) {
        self.lease = Some(lease);
    }

    pub(crate) fn writable(&self) -> Result<(), Fault> {
        match (self.read_only, self.stopped) {
            (true, _) => Err(Error::ReadOnly.into()),
            (_, true) => Err(Error::Stopped.into()),
            _ => Ok(()),
        }
    }

    /// Makes the changes since the last commit durable, all of them or none. `now`, in ms, is
    /// for the lease, if one is held.
    ///
    /// When the error is that of the storage, or want of memory, the changes are still pending:
    /// `commit` can be called again, or [`rollback`](Self::rollback). Not so where the sync failed, or
    /// what a failed append left cannot be cut off: then each further one is [`Error::Stopped`], and
    /// the next opening finds this commit or not, rolled back or not. Without changes nothing is
    /// looked at, the lease neither. [`Error::Damaged`] says that what was written reads otherwise than it was
    /// given: it is durable, and this writer ends; the file is to be opened again.
    ///
    /// # Errors
    /// [`Error::Storage`], [`Error::Memory`], [`Error::Conflict`], [`Error::ReadOnly`],
    /// [`Error::Stopped`], [`Error::Damaged`].
    pub fn commit(&mut self, now: u64) -> Result<(), Error> {
        Ok(self.try_commit(now)?)
    }

    pub(crate) fn try_commit(&mut self, now: u64) -> Result<(), Fault> {
        self.writable()?;
        if self.batch.operations == 0 {
            return Ok(());
        }
        self.room_to_apply(self.batch.operations as usize)?;
        self.hold(now)?;
        let Some(journal) = &mut self.journal else { return Err(Error::Stopped.into()) };
        let Batch { bytes, operations, .. } = &mut self.batch;
        let at = journal.commit(&*self.storage, bytes, *operations, &mut self.stopped)?;
        self.commits = journal.commits;
        let grown = journal.len > self.limits.fold.max(self.fold_beyond);
        let bytes = core::mem::take(&mut self.batch.bytes);
        let is_sound = self.apply(&bytes[BATCH..], at);
        self.batch.begin_again(bytes);
        if !is_sound {
            // It stands in the journal as it was given: whatever reads it otherwise must not fold it.
            self.stopped = true;
            return Err(crate::DamageKind::Journal.at(at));
        }
        if grown {
            // What keeps it from that is noted: the commit is safe.
            let _ = self.fold();
        }
        Ok(())
    }

    /// Makes sure that so many operations can be taken into the ledger.
    #[inline(never)]
    pub(crate) fn room_to_apply(&self, operations: usize) -> Result<(), Fault> {
        let (ledger, touched) = (self.ledger.growth(operations), self.touched.growth(operations));
        room::ask(&*self.storage, ledger + touched + 2 * MAX_ENTRY)?;
        room::whole(&*self.storage, ledger.max(touched))
    }

    /// Takes the operations of a batch that is durable into the ledger. Gives whether they were
    /// sound.
    pub(crate) fn apply(&mut self, mut operations: &[u8], mut at: u64) -> bool {
        while !operations.is_empty() {
            let Some(fields) = Fields::parse(operations) else { return false };
            let id = fields.id();
            let entry_len = fields.bytes().len();
            let mut len = entry_len;
            let before = if fields.is_removal() {
                self.ledger.remove(id)
            } else {
                len += self.dim() * 4 + fields.text_len() as usize;
                let place = Place {
                    vector_segment: JOURNAL,
                    vector_index: 0,
                    entry_segment: JOURNAL,
                    entry_at: at as u32,
                    entry_len: entry_len as u32,
                    text_len: fields.text_len(),
                };
                self.ledger.insert(id, place)
            };
            let in_base = before.is_some_and(|place| !place.in_journal());
            let known = self.touched.get(id).copied().unwrap_or(0);
            self.touched.insert(id, known | u64::from(in_base));
            let Some(rest) = operations.get(len..) else { return false };
            operations = rest;
            at += len as u64;
        }
        true
    }

    /// Folds what is committed into the base, which is then whole. Changes that were not committed
    /// stay pending. A compaction that has no space is put off.
    ///
    /// # Errors
    /// [`Error::Storage`], [`Error::Memory`], [`Error::Conflict`]: nothing is lost, as committed
    /// changes are in the journal.
    pub fn settle(&mut self, now: u64) -> Result<(), Error> {
        Ok(self.try_settle(now)?)
    }

    pub(crate) fn try_settle(&mut self, now: u64) -> Result<(), Fault> {
        if self.read_only || self.stopped {
            return Ok(());
        }
        let is_folded = self.touched.len() == 0;
        if is_folded && self.journal.is_some() {
            return Ok(());
        }
        self.hold(now)?;
        if is_folded { Ok(()) } else { self.fold() }
    }

    /// Ends the use of the file: it [settles](Self::settle). Changes that were not committed are
    /// dropped.
    ///
    /// # Errors
    /// Those of [`settle`](Self::settle).
    pub fn close(mut self, now: u64) -> Result<(), Error> {
        Ok(self.try_close(now)?)
    }

    pub(crate) fn try_close(&mut self, now: u64) -> Result<(), Fault> {
        self.rollback();
        let settled = self.try_settle(now);
        // Whether or not the journal could be folded: nobody writes here any more.
        self.release()?;
        settled
    }

    /// Gives the lease back, if there is one.
    pub(crate) fn release(&mut self) -> Result<(), Error> {
        self.lease.take().map_or(Ok(()), |lease| lease.release(&*self.storage))
    }

    /// That nobody took the lease away, if there is one: before something is put in place.
    pub(crate) fn guard(&self) -> Result<(), Fault> {
        self.lease.as_ref().map_or(Ok(()), |lease| lease.stands(&*self.storage))
    }

    /// Looks at the lease, if there is one, and at both files: without locks and leases, too, a
    /// commit is not to be lost in silence.
    pub(crate) fn hold(&mut self, now: u64) -> Result<(), Fault> {
        if let Some(lease) = &mut self.lease {
            lease.renewed(&*self.storage, now)?;
        }
        self.ready_journal()
    }

    /// Makes sure that both files are, by their names, as this writer left them: another's would be
    /// others. Where there is no journal, as beginning one may have failed after a fold, there is one
    /// then, but not in the place of what another writer has committed since.
    pub(crate) fn ready_journal(&mut self) -> Result<(), Fault> {
        let (_, base) = self.look(&self.names.base)?;
        let (found, len) = self.look(&self.names.journal)?;
        let older = found.state != State::Unsound && found.head.epoch < self.manifest.epoch;
        match &self.journal {
            _ if base != self.base_len => return Err(Error::Conflict.into()),
            Some(journal) if found.head == journal.head && len == journal.len => return Ok(()),
            None if len == 0 || older => self.begin_journal()?,
            None if found.head == self.head() && len == HEADER as u64 => self.share_journal()?,
            _ => return Err(Error::Conflict.into()),
        }
        (self.deferred, self.fold_beyond) = (None, 0);
        Ok(())
    }

    /// A file as its name has it now: what it says if it is a journal, and its bytes; 0 where it is not
    /// there.
    fn look(&self, name: &str) -> Result<(FoundHead, u64), Fault> {
        let mut found = FoundHead::default();
        let Some(file) = self.open_if_there(name)? else { return Ok((found, 0)) };
        let read = found.read(&Source { storage: &*self.storage, file });
        let len = self.storage.len(file);
        self.storage.close(file);
        read?;
        Ok((found, len?))
    }

    /// Takes the journal that is there: this writer's, of which the folder's sync failed, or another's
    /// that has no commit yet. Of one file each hears of the other's commits.
    fn share_journal(&mut self) -> Result<(), Fault> {
        let file = self.storage.open(&self.names.journal)?;
        if let Err(error) = self.storage.sync(file).and_then(|()| self.storage.sync_folder()) {
            self.storage.close(file);
            return Err(error.into());
        }
        self.journal = Some(Journal::open(file, self.head()));
        Ok(())
    }
}

/// How many vectors a VEC payload of `len` bytes has room for.
pub(crate) fn vectors_in(len: u64, dim: u16) -> u64 {
    len.saturating_sub(6) / (8 + 4 * u64::from(dim))
}

const _: () = assert!(FIXED > records::HEADER && MAX_ENTRY < MAX_PAYLOAD);
