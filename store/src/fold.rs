//! Journal into base, and base into a new base.
//!
//! Both end with a manifest of the next epoch and a new journal that builds on it; the journal
//! before is then of an older epoch, and does not count. `docs/format-file.md` says why each
//! crash in between is safe.
//!
//! Why: a fold that wrote all anew would cost the whole file for each MiB of the journal,
//! one that only appended would list ever more segments. So groups are taken in by levels, and
//! a record is written once for each level.
//!
//! What it must never do: let a manifest list what was not synced before it, begin a journal
//! on a manifest that was not, or go on with a base of which a sync failed.

use alloc::vec::Vec;

use crate::Error;
use crate::durable::{DurableFile, NO_FILE};
use crate::error::Fault;
use crate::group::{GroupWriter, Target};
use crate::journal::{Head, Journal, create_over};
use crate::ledger::{Directory, Ledger, Place};
use crate::read::Stored;
use crate::room;
use crate::rvf::manifest::{self, Group, Manifest};
use crate::rvf::records;
use crate::rvf::segment::{META, RECORDS, Segment, VEC};
use crate::sorted::Sorted;
use crate::storage::{Handle, StorageError, done};

/// Groups of a level that are taken in together with the one that is written.
const FAN: usize = 7;
/// Most META segments before a compaction: rvf-types reads a snapshot and 64 deltas.
const MAX_META: usize = 48;
/// Where the first group alone has so many: META segments beside its own.
const MORE_META: usize = 16;
/// Most removed ids before a compaction: their list stands in every manifest.
const MAX_REMOVED: usize = 1 << 16;
/// Most segments before a compaction, for the same reason.
const MAX_SEGMENTS: usize = 1 << 13;

/// Bytes that the segments of one fold may take in a manifest: some 10,000.
const LISTED: u64 = 1 << 18;

/// What the storage says where the disk is full.
const FULL: Error = Error::Storage(StorageError::NoSpace);

/// Whether it is want of space that kept something from being done.
pub(crate) fn is_full(done: &Result<(), Fault>) -> bool {
    matches!(done, Err(fault) if matches!(fault.error(), FULL))
}

/// Levels are powers of eight; groups up to 4 KiB are of the lowest.
fn level(bytes: u64) -> u32 {
    (bytes >> 12).checked_ilog2().map_or(0, |log| log / 3 + 1)
}

/// What a file is to become: filled in where it stays.
#[derive(Default)]
struct Next {
    /// Its segments, groups and removed ids are at first those that are kept.
    manifest: Manifest,
    /// Where the manifest stands.
    segment: Segment,
    /// Of the records that were written.
    places: Vec<(u64, Place)>,
    /// A sync is under way: when it fails, what is on the disk is unknown.
    unsure: bool,
}

impl DurableFile {
    /// How many groups at the end the next fold takes in: while seven of them are no larger than
    /// what is written; none once a damage was met.
    fn absorbed(&self, mut bytes: u64) -> usize {
        let mut sizes: Vec<u64> = Vec::new();
        if self.hurt.is_some() {
            return 0;
        }
        let mut segments = self.directory.listed().iter();
        for group in &self.manifest.trailer.groups {
            sizes.push(segments.by_ref().take(group.segments as usize).map(|s| s.payload).sum());
        }
        let mut taken = 0;
        while sizes.len() >= FAN {
            let (rest, last) = sizes.split_at(sizes.len() - FAN);
            if last.iter().any(|&size| level(size) > level(bytes)) {
                break;
            }
            bytes += last.iter().sum::<u64>();
            taken += FAN;
            sizes.truncate(rest.len());
        }
        taken
    }

    /// Makes sure that folding or compacting finds its memory.
    #[inline(never)]
    fn room_to_write(&self) -> Result<(), Fault> {
        let bytes = self.base_len + self.journal.as_ref().map_or(0, |journal| journal.len);
        let (metas, records) = (self.directory.of(META).count(), self.ledger.len());
        room::to_write(&*self.storage, bytes, records, metas)
    }

    /// Writes the journal's records into the base, and begins a new journal. One damaged record of
    /// what could be taken in with them is to keep neither the journal from that nor the file open, and
    /// a disk too full for all of it not from taking in less. What could not be done is noted.
    pub(crate) fn fold(&mut self) -> Result<(), Fault> {
        let len = self.journal.as_ref().map_or(0, |journal| journal.len);
        let mut absorbed = self.absorbed(len);
        let mut folded = self.fold_with(absorbed);
        while (self.met_damage(&folded) || is_full(&folded))
            && absorbed > 0
            && self.journal.is_some()
            && !self.stopped
        {
            absorbed = if self.hurt.is_some() { 0 } else { absorbed / (2 * FAN) * FAN };
            folded = self.fold_with(absorbed);
        }
        self.deferred = folded.as_ref().err().map(Fault::error);
        self.fold_beyond = match self.deferred {
            // Neither goes away by itself, and each try writes as much again.
            Some(Error::Damaged(_)) => u64::MAX,
            Some(FULL) => len.saturating_add(self.limits.fold),
            _ => 0,
        };
        folded?;
        if self.hurt.is_some() || !self.wants_compaction() {
            return Ok(());
        }
        if self.base_len < self.compact_beyond {
            self.deferred = Some(FULL);
            return Ok(());
        }
        let compacted = self.compact_now();
        if self.met_damage(&compacted) {
            return Ok(());
        }
        self.deferred = compacted.as_ref().err().map(Fault::error);
        if is_full(&compacted) && self.journal.is_some() {
            // The journal is folded all the same, which is what was asked for.
            self.compact_beyond = self.base_len + self.ledger.live_bytes() / 4;
            return Ok(());
        }
        compacted
    }

    /// Whether it is damage that kept something from being done, which is noted.
    fn met_damage(&mut self, done: &Result<(), Fault>) -> bool {
        let error = done.as_ref().err().map(Fault::error);
        let met = matches!(error, Some(Error::Damaged(_)));
        if met {
            self.hurt = error;
        }
        met
    }

    /// Folds, with so many groups at the end taken in.
    fn fold_with(&mut self, absorbed: usize) -> Result<(), Fault> {
        self.guard()?;
        self.room_to_write()?;
        let keep = self.manifest.trailer.groups.len() - absorbed;
        let kept_segments =
            self.manifest.trailer.groups[..keep].iter().map(|group| group.segments as usize).sum();
        let (kept, taken) = self.directory.listed().split_at(kept_segments);
        let mut next = Next::default();
        next.manifest.segments.extend_from_slice(kept);
        next.manifest.trailer.groups.extend_from_slice(&self.manifest.trailer.groups[..keep]);
        next.manifest.removed.clone_from(&self.manifest.removed);

        // What is written: 1 a record, 0 a removal.
        let mut changes: Sorted<u64> = Sorted::default();
        let removed = &mut next.manifest.removed;
        for (id, &in_base) in self.touched.iter() {
            if self.ledger.get(id).is_some() {
                removed.remove(id);
                changes.insert(id, 1);
            } else if in_base == 1 {
                removed.insert(id, 0);
                changes.insert(id, 0);
            }
        }
        // Opening would not find such a manifest. That of a new base lists no removed ids.
        if !next.manifest.fits(LISTED) {
            return self.compact_now();
        }
        self.take_in(taken, keep > 0, &mut changes)?;

        let epoch = self.next_epoch()?;
        let since = self.manifest.trailer.groups[keep..].first().map_or(epoch, |group| group.since);
        let before = self.base_len;
        let target = Target {
            storage: &*self.storage,
            file: self.base,
            end: before,
            next_id: self.manifest.trailer.next_id,
            dim: self.manifest.dim,
            epoch,
            since,
            generation: 1 + kept.iter().filter(|segment| segment.kind == META).count() as u64,
        };
        let mut records =
            changes.iter().map(|(id, &live)| (id, self.ledger.get(id).filter(|_| live == 1)));
        match self.write(target, &mut records, &mut next) {
            Ok(()) => {
                for &(id, place) in &next.places {
                    self.ledger.insert(id, place);
                }
                self.adopt(next);
                self.begin_journal()
            }
            Err(fault) => {
                self.stopped |= !self.cut_back(&fault, before) || next.unsure;
                Err(fault)
            }
        }
    }

    /// Adds to the changes what the groups that are taken in have: live records, and, where `others` are
    /// kept before them, removals.
    fn take_in(
        &self,
        taken: &[Segment],
        others: bool,
        changes: &mut Sorted<u64>,
    ) -> Result<(), Fault> {
        let mut vectors: Sorted<u64> = Sorted::default();
        for segment in taken {
            match segment.kind {
                VEC => drop(vectors.insert(segment.id, 0)),
                RECORDS if others => {
                    let each = &mut |_, fields: crate::Fields| {
                        if fields.is_removal() && !changes.contains(fields.id()) {
                            changes.insert(fields.id(), 0);
                        }
                        Ok(())
                    };
                    records::read(&self.base(), segment, false, each)?;
                }
                _ => {}
            }
        }
        for (id, place) in self.ledger.iter() {
            if !place.in_journal() && vectors.contains(place.vector_segment.into()) {
                changes.insert(id, 1);
            }
        }
        // A removal that was taken in does not count for a record that came back in what is kept.
        // Where nothing is kept, none does.
        changes.retain(&mut |id, live| *live == 1 || others && self.ledger.get(id).is_none());
        Ok(())
    }

    /// Cuts off what stands behind `before`, where a fold failed: no manifest lists it. Gives whether it is
    /// known what is on the disk then: not when that fails too, or the storage failed.
    fn cut_back(&self, fault: &Fault, before: u64) -> bool {
        let failed = match fault.error() {
            // What stands behind ours by now may be another writer's.
            Error::Conflict => return false,
            Error::Storage(error) => error != StorageError::NoSpace,
            _ => false,
        };
        let cut = self.guard().and_then(|()| done(self.storage.truncate(self.base, before)));
        cut.is_ok() && !failed
    }

    fn next_epoch(&self) -> Result<u32, Fault> {
        let used = || Fault::unsupported("its epochs are used up");
        self.manifest.epoch.checked_add(1).ok_or_else(used)
    }

    /// Writes a group with these records (or removals, where there is no place) behind what is
    /// kept, and the manifest that lists both.
    fn write(
        &self,
        target: Target<'_>,
        records: &mut dyn Iterator<Item = (u64, Option<&Place>)>,
        next: &mut Next,
    ) -> Result<(), Fault> {
        let Target { file, epoch, since, .. } = target;
        let mut group = GroupWriter::new(target);
        let mut record = Stored::NONE;
        for (id, place) in records {
            match place {
                Some(place) => {
                    self.stored(id, place, &mut record)?;
                    group.record(&mut record)?;
                }
                None => group.removal(id)?,
            }
        }
        group.finish()?;
        let manifest = &mut next.manifest;
        manifest.epoch = epoch;
        manifest.dim = self.manifest.dim;
        manifest.vectors = (self.ledger.len() + manifest.removed.len()) as u64;
        manifest.profile = self.manifest.profile;
        manifest.metric = self.manifest.metric;
        manifest.segments.extend_from_slice(&group.segments);
        manifest.identity = Some(self.manifest.identity.unwrap_or([0; 68]));
        manifest.ours = true;
        manifest.trailer.commits = self.commits;
        manifest.trailer.next_id = group.target.next_id + 1;
        let segments = group.segments.len() as u32;
        manifest.trailer.groups.push(Group { segments, epoch, since });
        if !manifest.fits(0) {
            return Err(Fault::unsupported("it has too many segments to list them"));
        }
        next.places = core::mem::take(&mut group.places);
        // What a manifest lists is on the disk before it.
        next.unsure = true;
        done(self.storage.sync(file))?;
        self.ends_at(file, group.target.end)?;
        let bytes = manifest::encode(manifest, group.target.next_id);
        next.unsure = false;
        self.guard()?;
        done(self.storage.append(file, &bytes))?;
        next.unsure = true;
        done(self.storage.sync(file))?;
        next.segment = Segment::parse(&bytes, group.target.end);
        // Before the journal goes: behind other bytes the manifest is not found.
        self.ends_at(file, next.segment.end())
    }

    /// That nobody else has put bytes there: one who outlived its lease in the middle of a fold may have.
    fn ends_at(&self, file: Handle, end: u64) -> Result<(), Fault> {
        match self.storage.len(file)? == end {
            true => Ok(()),
            false => Err(Error::Conflict.into()),
        }
    }

    /// Takes a manifest that is durable as the file's state.
    fn adopt(&mut self, next: Next) {
        (self.manifest_at, self.base_len) = (next.segment, next.segment.end());
        self.manifest = next.manifest;
        self.directory = Directory::new(core::mem::take(&mut self.manifest.segments));
        self.touched.clear();
        #[cfg(feature = "foreign")]
        self.foreign.clear();
        self.repaired.clear();
        self.close_journal();
    }

    /// Of a journal on the newest manifest.
    pub(crate) fn head(&self) -> Head {
        Head {
            file_id: self.manifest.file_id(),
            base: self.base_len,
            commits: self.commits,
            epoch: self.manifest.epoch,
            dim: self.manifest.dim,
        }
    }

    /// Begins a journal on the newest manifest.
    pub(crate) fn begin_journal(&mut self) -> Result<(), Fault> {
        let head = self.head();
        let Self { storage, names, lease, .. } = self;
        let (storage, lease) = (&**storage, lease.as_ref());
        let file = Journal::create(storage, lease, &names.journal, &names.fresh_journal, &head)?;
        self.journal = Some(Journal::open(file, head));
        Ok(())
    }

    pub(crate) fn wants_compaction(&self) -> bool {
        let live = self.ledger.live_bytes();
        let times = live.saturating_mul(self.limits.compact_times);
        let most = times.saturating_add(self.limits.compact_slack);
        let one = self.manifest.trailer.groups.len() <= 1;
        let metas = |segments: &[Segment]| segments.iter().filter(|s| s.kind == META).count();
        let listed = self.directory.listed();
        let first = self.manifest.trailer.groups.first().map_or(0, |group| group.segments as usize);
        // Those of the first group alone would come back with each compaction.
        let most_metas = MAX_META.max(metas(&listed[..first.min(listed.len())]) + MORE_META);
        self.base_len > most
            || self.manifest.removed.len() > MAX_REMOVED
            || !one && metas(listed) > most_metas
            || !one && listed.len() > MAX_SEGMENTS
    }

    /// Writes a new base with nothing but the live records, so that no byte of what was removed
    /// or replaced is left in any file. Changes that were not committed stay pending. `now`, in
    /// ms, is for the lease, if one is held.
    ///
    /// # Errors
    /// [`Error::Storage`], [`Error::Damaged`], [`Error::Memory`], [`Error::Conflict`],
    /// [`Error::ReadOnly`], [`Error::Stopped`].
    pub fn compact(&mut self, now: u64) -> Result<(), Error> {
        Ok(self.try_compact(now)?)
    }

    pub(crate) fn try_compact(&mut self, now: u64) -> Result<(), Fault> {
        self.writable()?;
        self.hold(now)?;
        self.compact_now()
    }

    pub(crate) fn compact_now(&mut self) -> Result<(), Fault> {
        self.room_to_write()?;
        let epoch = self.next_epoch()?;
        self.guard()?;
        let file = create_over(&*self.storage, &self.names.compact)?;
        let mut next = Next::default();
        if let Err(error) = self.write_base(file, epoch, &mut next).and_then(|()| self.guard()) {
            self.storage.close(file);
            // Else it may be another writer's by now.
            if !matches!(error.error(), Error::Conflict) {
                let _ = self.storage.remove(&self.names.compact);
            }
            return Err(error);
        }
        // Until the folder is synced, a crash may leave either base.
        let renamed = self
            .storage
            .rename(&self.names.compact, &self.names.base)
            .and_then(|()| self.storage.sync_folder());
        if let Err(error) = renamed {
            self.stopped = true;
            self.storage.close(file);
            return Err(error.into());
        }
        if self.base != NO_FILE {
            self.storage.close(self.base);
        }
        self.base = file;
        let mut places = Sorted::default();
        places.extend_rising(core::mem::take(&mut next.places));
        self.ledger = Ledger::new(self.manifest.dim, places);
        (self.deferred, self.hurt) = (None, None);
        (self.fold_beyond, self.compact_beyond) = (0, 0);
        self.adopt(next);
        self.begin_journal()
    }

    fn write_base(&self, file: Handle, epoch: u32, next: &mut Next) -> Result<(), Fault> {
        let target = Target {
            storage: &*self.storage,
            file,
            end: 0,
            next_id: 1,
            dim: self.manifest.dim,
            epoch,
            since: 0,
            generation: 1,
        };
        let mut records = self.ledger.iter().map(|(id, place)| (id, Some(place)));
        self.write(target, &mut records, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::simulated::SimulatedDisk;
    use crate::{DamageKind, Options, Record};
    use alloc::boxed::Box;

    #[test]
    fn levels_are_powers_of_eight() {
        assert_eq!([0, 4095, 4096, 32_767, 32_768].map(level), [0, 0, 1, 1, 2]);
        assert_eq!(level(1 << 20), 3);
        assert_eq!(level(u64::MAX), 18);
    }

    #[test]
    #[cfg_attr(miri, ignore = "many ids, which an interpreter lists for hours")]
    fn a_manifest_that_opening_would_not_find_is_not_written() {
        let disk = SimulatedDisk::new(0);
        let options = Options { dim: Some(1), create: true, ..Options::default() };
        let open = || DurableFile::open(Box::new(disk.clone()), "a", &options).unwrap();
        let mut file = open();
        let put = |file: &mut DurableFile, id| {
            file.put(&Record { id, ..Record::PLAIN }).unwrap();
            file.commit(0).unwrap();
        };
        put(&mut file, 1);
        file.settle(0).unwrap();
        // As many as there are when compacting has failed for long.
        file.manifest.removed.extend((2..1_100_000).map(|id| (id, 0)).collect());
        file.hurt = Some(DamageKind::Text.at(0).error());
        put(&mut file, 0);
        file.settle(0).unwrap();
        drop(file);
        let file = open();
        assert_eq!((file.len(), file.manifest.removed.len()), (2, 0));
    }
}
