//! Opening: what is on the disk becomes a state, or a refusal that says why.
//!
//! The base's newest manifest and the journal's header decide; the table in
//! `docs/format-file.md` has all cases. What is our own is read by its RECORDS segments alone;
//! what another program changed, segment by segment.
//!
//! Why in this order: the journal's header says which file's manifest to look for, so that a
//! text that holds one is not taken for it. What is torn is cut off only after all that counts
//! before it was found sound.
//!
//! What it must never do: cut off what a manifest or a commit has, write where the file was
//! opened for reading, or open for writing before what it shows is durable.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::batch::Batch;
use crate::durable::{DurableFile, NO_FILE, Names, Options, Report, vectors_in};
use crate::error::Fault;
use crate::fold::is_full;
use crate::journal::{self, Found, FoundHead, Journal, State};
use crate::ledger::{Directory, Ledger, MAX_SEGMENT, Place};
use crate::record::{FIXED, Fields, MAX_DIM};
use crate::room;
use crate::rvf::manifest::{Manifest, Newest};
use crate::rvf::records;
use crate::rvf::segment::{META, RECORDS, Segment, TEXT, VEC};
use crate::sorted::Sorted;
use crate::source::Source;
use crate::storage::{Handle, Storage, StorageError, done, remove_if_there};
use crate::{Damage, DamageKind, Error, Part};

/// Most damages that are noted: as many as are looked through for each one.
const MOST_NOTED: usize = 1 << 10;

/// The file is made before it is known what is in it, and filled in where it stays.
impl DurableFile {
    /// Opens the durable file `name` in `storage`; a new one where there is none and `options`
    /// say so. The caller holds the lock, or sets a lease.
    ///
    /// # Errors
    /// [`Error::NoFile`], [`Error::NotRvf`], [`Error::Version`], [`Error::Unsupported`],
    /// [`Error::Dimension`], [`Error::Damaged`], [`Error::Storage`], [`Error::Memory`].
    pub fn open(storage: Box<dyn Storage>, name: &str, options: &Options) -> Result<Self, Error> {
        let mut file = Self::new(storage, name, options);
        file.try_open(options, options.create)?;
        Ok(file)
    }

    /// A file of which nothing is known but its name.
    pub(crate) fn new(storage: Box<dyn Storage>, name: &str, options: &Options) -> Self {
        Self {
            storage,
            names: Names::of(name),
            limits: options.limits,
            read_only: options.read_only || options.salvage,
            base: NO_FILE,
            manifest_at: Segment::default(),
            base_len: 0,
            journal: None,
            commits: 0,
            directory: Directory::default(),
            ledger: Ledger::default(),
            manifest: Manifest::default(),
            touched: Sorted::default(),
            repaired: Vec::new(),
            #[cfg(feature = "foreign")]
            foreign: Sorted::default(),
            batch: Batch::new(),
            lease: None,
            report: Report::default(),
            stopped: false,
            deferred: None,
            fold_beyond: 0,
            compact_beyond: 0,
            hurt: None,
        }
    }

    /// Opens what is on the disk; where there is nothing, it is created if it may be, whatever the options
    /// say of that.
    #[inline(never)]
    pub(crate) fn try_open(&mut self, options: &Options, may_create: bool) -> Result<(), Fault> {
        if let Some(dim) = options.dim.filter(|&dim| dim == 0 || usize::from(dim) > MAX_DIM) {
            let (part, limit, found) = (Part::Components, MAX_DIM as u32, dim.into());
            return Err(Error::Limit { part, limit, found }.into());
        }
        let journal = self.open_if_there(&self.names.journal)?;
        let there = self.open_there(options, may_create, journal);
        // Refused, of an older manifest, or nothing of it can be used.
        if let (Some(file), None) = (journal, &self.journal) {
            self.storage.close(file);
        }
        there?;
        if self.read_only {
            return Ok(());
        }
        self.guard()?;
        let Names { compact, fresh_journal, fresh_image, .. } = &self.names;
        for left in [compact, fresh_journal, fresh_image] {
            remove_if_there(&*self.storage, left)?;
        }
        if self.report.foreign {
            self.compact_now()?;
        } else if self.report.repaired > 0 {
            let folded = self.fold();
            // What was repaired is in memory, and a full disk keeps nobody from what is committed.
            if !is_full(&folded) {
                folded?;
            }
        }
        if self.journal.is_some() { Ok(()) } else { self.ready_journal() }
    }

    /// Opens the base and reads both, or creates them where there is neither.
    fn open_there(
        &mut self,
        options: &Options,
        may_create: bool,
        journal: Option<Handle>,
    ) -> Result<(), Fault> {
        let mut head = FoundHead::default();
        if let Some(file) = journal {
            head.read(&Source { storage: &*self.storage, file })?;
        }
        match self.open_if_there(&self.names.base)? {
            Some(base) => {
                self.base = base;
                self.read_files(options, journal, &head)
            }
            None if journal.is_some() => Err(DamageKind::BaseLost.at(0)),
            None if may_create && !self.read_only => self.create(options),
            None => Err(Error::NoFile.into()),
        }
    }

    /// Opens a file if it is there.
    pub(crate) fn open_if_there(&self, name: &str) -> Result<Option<Handle>, Fault> {
        match self.storage.open(name) {
            Ok(file) => Ok(Some(file)),
            Err(StorageError::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn create(&mut self, options: &Options) -> Result<(), Fault> {
        let Some(dim) = options.dim else {
            return Err(Error::Record("a new file needs a dimension").into());
        };
        let mut identity = [0; 68];
        identity[..16].copy_from_slice(&options.file_id);
        self.manifest.dim = dim;
        self.manifest.metric = options.metric;
        self.manifest.identity = Some(identity);
        self.manifest.trailer.next_id = 1;
        // No handle is open yet: compaction of nothing is what makes the first base.
        self.compact_now()
    }

    /// That something is damaged; with `salvage` a note.
    #[inline(never)]
    pub(crate) fn refuse(
        &mut self,
        salvage: bool,
        kind: DamageKind,
        offset: u64,
    ) -> Result<(), Fault> {
        if !salvage {
            return Err(kind.at(offset));
        }
        self.note(Damage { kind, offset });
        Ok(())
    }

    /// Notes a damage, once.
    pub(crate) fn note(&mut self, damage: Damage) {
        let noted = &mut self.report.damaged;
        if noted.len() < MOST_NOTED && !noted.contains(&damage) {
            noted.push(damage);
        }
    }

    /// Reads the base, and the journal if there is one.
    #[inline(never)]
    fn read_files(
        &mut self,
        options: &Options,
        journal: Option<Handle>,
        found: &FoundHead,
    ) -> Result<(), Fault> {
        let salvage = options.salvage;
        let len = self.storage.len(self.base)?;
        let head = (found.state != State::Unsound).then_some(&found.head);
        if journal.is_some() && head.is_none() {
            self.refuse(salvage, DamageKind::JournalHeader, 0)?;
        }
        let source = Source { storage: &*self.storage, file: self.base };
        let (manifest, segment) = (&mut self.manifest, &mut self.manifest_at);
        let mut newest = Newest { manifest, segment, damaged: None };
        if let Err(fault) = newest.find(&source, len, head) {
            if head.is_some() && fault.is_damage() && newest.find(&source, len, None).is_ok() {
                return Err(other_file());
            }
            return Err(fault);
        }
        let behind = newest.damaged;
        let end = self.manifest_at.end();
        let Manifest { dim, epoch, ours, .. } = self.manifest;
        if let Some(expected) = options.dim.filter(|&expected| expected != dim) {
            let (expected, found) = (expected.into(), dim.into());
            return Err(Error::Dimension { expected, found }.into());
        }
        if dim == 0 || usize::from(dim) > MAX_DIM {
            return Err(Fault::unsupported("its dimension is 0 or above 8192"));
        }
        let missing = match head {
            // It is there, wherever its header stands: of a base that has its length no byte is missing.
            Some(head) if head.epoch > epoch && len >= head.base => {
                Some((DamageKind::Manifest, end))
            }
            Some(head) => (head.epoch > epoch).then_some((DamageKind::BaseCut, end)),
            None => (ours && len > end).then_some((DamageKind::TailWithoutJournal, end)),
        };
        if let Some((kind, at)) = missing {
            let (kind, at) = behind.map_or((kind, at), |at| (DamageKind::Manifest, at));
            self.refuse(salvage, kind, at)?;
        }
        let commits = self.manifest.trailer.commits;
        // Of this epoch, and begun on another manifest; or of an older one, and behind more commits than
        // the manifest that folded it: file and journal are of two futures of one backup.
        let is_of_another = head.is_some_and(|head| match head.epoch.cmp(&epoch) {
            Ordering::Less => head.commits > commits,
            Ordering::Equal => (head.base, head.commits) != (end, commits),
            Ordering::Greater => false,
        });
        if ours && is_of_another {
            return Err(other_file());
        }
        self.commits = commits;
        self.base_len = end;
        self.report.foreign = !ours;
        self.directory = Directory::new(core::mem::take(&mut self.manifest.segments));
        let folded = if ours { self.load(salvage)? } else { self.load_foreign(salvage)? };
        if !self.read_only {
            // What is shown from here on is durable, the file's name as well: a killed writer may
            // have renamed it and no more.
            done(self.storage.sync(self.base))?;
            done(self.storage.sync_folder())?;
        }
        if let (Some(file), Some(head)) = (journal, head) {
            if !ours {
                // Another program's manifest counts none.
                self.commits = self.commits.max(head.commits);
            }
            // Each fold writes RECORDS of an epoch above its journal's.
            if head.epoch >= folded {
                self.report.repaired += u32::from(found.state == State::Repaired);
                self.replay(Journal::open(file, *head), salvage)?;
            }
        }
        if ours && !self.read_only && len != end {
            self.guard()?;
            if len > end {
                done(self.storage.truncate(self.base, end))?;
            } else {
                // The manifest was whole when the power went, the zeros behind it were not.
                done(self.storage.append(self.base, &[0; 64][..(end - len) as usize]))?;
            }
        }
        if len > end && (ours || behind.is_some()) {
            self.report.torn_base = Some((end, len - end));
        }
        Ok(())
    }

    /// Reads what one of our manifests lists. Gives the newest epoch of its groups.
    fn load(&mut self, salvage: bool) -> Result<u32, Fault> {
        let (mut last, mut all) = (0, 0_u64);
        for segment in self.directory.listed() {
            // None overlaps another: what is listed is read once.
            all = all.saturating_add(segment.payload);
            let known = matches!(segment.kind, VEC | META | RECORDS | TEXT);
            let within = segment.end().max(all) <= self.manifest_at.offset;
            let numbered = last < segment.id && segment.id < self.manifest.trailer.next_id;
            if !known || !within || !numbered || segment.id > MAX_SEGMENT {
                return Err(DamageKind::Segment.at(segment.offset));
            }
            last = segment.id;
        }
        let mut places: Sorted<Place> = Sorted::default();
        let mut found = Vec::new();
        for at in 0..self.directory.listed().len() {
            let segment = self.directory.listed()[at];
            if segment.kind != RECORDS {
                continue;
            }
            let place = size_of::<(u64, Place)>();
            let most = found.len() + segment.payload as usize / FIXED;
            room::ask(&*self.storage, (5 * most + places.len()).saturating_mul(place))?;
            // No id stands twice in what one fold wrote, and they rise.
            let mut last = None;
            let each = &mut |at, fields: Fields| {
                let id = fields.id();
                let place = self.place(segment.id as u32, at, &fields);
                if last >= Some(id) || place.is_none() && !fields.is_removal() {
                    return Err(DamageKind::Records.at(segment.start() + u64::from(at)));
                }
                last = Some(id);
                found.push((id, place.filter(|_| !fields.is_removal()).unwrap_or(Place::NONE)));
                Ok(())
            };
            if !records::read(&self.base(), &segment, salvage, each)? {
                self.refuse(salvage, DamageKind::Records, segment.offset)?;
            }
            places.gather(&mut found);
        }
        places.extend(found);
        let removed = &self.manifest.removed;
        places.retain(&mut |id, place| place.entry_len > 0 && !removed.contains(id));
        self.ledger = Ledger::new(self.manifest.dim, places);
        Ok(self.manifest.trailer.groups.iter().map(|group| group.epoch).max().unwrap_or(0))
    }

    /// Where an entry says that its record is, if that can be.
    fn place(&self, entry_segment: u32, entry_at: u32, fields: &Fields) -> Option<Place> {
        let parts = fields.parts();
        let vec = self.directory.get(VEC, parts.vector_segment)?;
        if u64::from(parts.vector_index) >= vectors_in(vec.payload, self.manifest.dim) {
            return None;
        }
        if fields.text_len() > 0 {
            let text = self.directory.get(TEXT, parts.text_segment)?;
            if u64::from(parts.text_at) + u64::from(fields.text_len()) > text.payload {
                return None;
            }
        }
        Some(Place {
            vector_segment: parts.vector_segment,
            vector_index: parts.vector_index,
            entry_segment,
            entry_at,
            entry_len: fields.bytes().len() as u32,
            text_len: fields.text_len(),
        })
    }

    /// Without the feature such files are refused.
    #[cfg(not(feature = "foreign"))]
    fn load_foreign(&mut self, _: bool) -> Result<u32, Fault> {
        Err(Fault::unsupported("another program changed it"))
    }

    /// Takes in what the journal has.
    fn replay(&mut self, mut journal: Journal, salvage: bool) -> Result<(), Fault> {
        if journal.head.dim != self.manifest.dim {
            return Err(DamageKind::JournalHeader.at(0));
        }
        if !self.read_only {
            done(self.storage.sync(journal.file))?;
        }
        let end = self.storage.len(journal.file)?;
        let mut found = Found::default();
        while journal.len < end {
            let at = journal.len;
            let source = Source { storage: &*self.storage, file: journal.file };
            journal.next(&source, &mut found)?;
            if found.state == State::Unsound {
                if journal.goes_on(&source, end)? {
                    self.refuse(salvage, DamageKind::Journal, at)?;
                } else {
                    self.report.torn_journal = Some((at, end - at));
                }
                if !self.read_only {
                    self.guard()?;
                    done(self.storage.truncate(journal.file, at))?;
                }
                break;
            }
            self.report.replayed += 1;
            let start = at + journal::BATCH as u64;
            self.room_to_apply(found.operations.len() / FIXED)?;
            if !self.apply(&found.operations, start) {
                return Err(DamageKind::Journal.at(at));
            }
            if found.state == State::Repaired {
                self.report.repaired += 1;
                self.repaired.push((start, core::mem::take(&mut found.operations)));
            }
        }
        if end < journal.len && !self.read_only {
            // The last batch was whole when the power went, the zeros behind it were not.
            self.guard()?;
            done(self.storage.append(journal.file, &[0; 8][..(journal.len - end) as usize]))?;
        }
        self.commits = self.commits.max(journal.commits);
        self.journal = Some(journal);
        Ok(())
    }
}

fn other_file() -> Fault {
    Fault::unsupported("the journal beside it is of another file")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Record;
    use crate::record::put_removal;
    use crate::rvf::manifest::{self, Group};
    use crate::rvf::segment;
    use crate::storage::simulated::SimulatedDisk;
    use std::string::ToString;

    #[test]
    #[cfg_attr(miri, ignore = "many records, which an interpreter reads for hours")]
    fn many_small_segments_are_read() {
        const COUNT: u64 = 200_000;
        const SEGMENTS: u64 = 60_000;
        let disk = SimulatedDisk::new(0);
        let options = Options { dim: Some(1), create: true, ..Options::default() };
        let open = || DurableFile::open(Box::new(disk.clone()), "a", &options).unwrap();
        let mut file = open();
        for id in 0..COUNT {
            file.put(&Record { id, ..Record::PLAIN }).unwrap();
            if id % 10_000 == 9_999 {
                file.commit(0).unwrap();
            }
        }
        file.compact(0).unwrap();

        // A fold that wrote a segment for each removal.
        let mut manifest = file.manifest.clone();
        manifest.segments = file.directory.listed().to_vec();
        manifest.epoch += 1;
        let (epoch, since) = (manifest.epoch, manifest.epoch);
        let mut offset = file.base_len;
        let mut bytes = Vec::new();
        for at in 0..SEGMENTS {
            let id = manifest.trailer.next_id + at;
            let mut payload = records::Head { epoch, since, count: 1, dim: 1 }.encode();
            put_removal(SEGMENTS - at, &mut payload);
            bytes.append(&mut segment::encode(RECORDS, id, payload.clone()));
            let payload = payload.len() as u64;
            manifest.segments.push(Segment { id, offset, payload, kind: RECORDS });
            offset = file.base_len + bytes.len() as u64;
        }
        let id = manifest.trailer.next_id + SEGMENTS;
        manifest.trailer.next_id = id + 1;
        manifest.trailer.groups.push(Group { segments: SEGMENTS as u32, epoch, since });
        bytes.append(&mut manifest::encode(&manifest, id));
        disk.append(file.base, &bytes).unwrap();
        disk.sync(file.base).unwrap();
        drop(file);

        // Were all records copied for each segment, it would take hours.
        let file = open();
        assert_eq!((file.len() as u64, file.next(1)), (COUNT - SEGMENTS, Some(SEGMENTS + 1)));
    }

    #[test]
    fn a_segment_that_is_listed_many_times_is_not_read_as_often() {
        let disk = SimulatedDisk::new(0);
        let open = |salvage| {
            let options = Options { dim: Some(3), create: true, salvage, ..Options::default() };
            DurableFile::open(Box::new(disk.clone()), "a", &options)
        };
        let mut file = open(false).unwrap();
        file.put(&Record { id: 7, vector: &[1.0; 3], text: "tea", ..Record::PLAIN }).unwrap();
        file.commit(0).unwrap();
        file.settle(0).unwrap();
        let mut listed = file.manifest.clone();
        listed.segments = file.directory.listed().to_vec();
        let records = *file.directory.of(RECORDS).last().unwrap();
        let mut bytes = disk.bytes("a").unwrap();
        bytes.truncate(file.manifest_at.offset as usize);
        let mut list = |more| {
            for _ in 0..more {
                let id = listed.trailer.next_id;
                listed.segments.push(Segment { id, ..records });
                listed.trailer.next_id += 1;
                listed.trailer.groups[0].segments += 1;
            }
            listed.trailer.next_id += 1;
            let manifest = manifest::encode(&listed, listed.trailer.next_id - 1);
            disk.put("a", [&bytes[..], &manifest].concat());
            disk.take("a.journal");
            listed.trailer.next_id -= 1;
            open(true).map(|file| file.len()).map_err(|error| error.to_string())
        };
        assert_eq!(list(0), Ok(1));
        let refused = list(60).unwrap_err();
        assert!(refused.starts_with("the segment at byte"), "{refused}");
    }
}
