//! Opening: what is on the disk becomes a state, or a refusal that says why.
//!
//! The base's newest manifest and the journal's header decide; the table in
//! `docs/format-file.md` has all cases. What is our own is read by its RECORDS segments alone;
//! what another program changed, segment by segment.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::durable::{Batch, DurableFile, Names, Options, Report, vectors_in};
use crate::error::Fault;
use crate::journal::{self, Found, Head, Journal};
use crate::ledger::{Directory, Ledger, MAX_SEGMENT, Place};
use crate::record::{FIXED, Fields, MAX_DIM};
use crate::room;
use crate::rvf::manifest::{self, Manifest, Newest, Trailer};
use crate::rvf::records;
use crate::rvf::segment::{META, RECORDS, Segment, TEXT, VEC};
use crate::sorted::Sorted;
use crate::source::Source;
use crate::storage::{Handle, Storage, StorageError};
use crate::{Damage, DamageKind, Error, Part};

/// Opens a file if it is there.
fn open_if_there(storage: &dyn Storage, name: &str) -> Result<Option<Handle>, Fault> {
    match storage.open(name) {
        Ok(file) => Ok(Some(file)),
        Err(StorageError::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A journal that was found: its handle and its header, unless that is damaged.
struct FoundJournal {
    file: Handle,
    head: Option<(Head, bool)>,
}

impl DurableFile {
    /// Opens the durable file `name` in `storage`; a new one where there is none and `options`
    /// say so. The caller holds the lock, or sets a lease.
    ///
    /// # Errors
    /// [`Error::NoFile`], [`Error::NotRvf`], [`Error::Version`], [`Error::Unsupported`],
    /// [`Error::Dimension`], [`Error::Damaged`], [`Error::Storage`].
    pub fn open(storage: Box<dyn Storage>, name: &str, options: &Options) -> Result<Self, Error> {
        Ok(Self::try_open(storage, name, options)?)
    }

    pub(crate) fn try_open(
        storage: Box<dyn Storage>,
        name: &str,
        options: &Options,
    ) -> Result<Self, Fault> {
        if options.dim.is_some_and(|dim| dim == 0 || usize::from(dim) > MAX_DIM) {
            let found = options.dim.unwrap_or(0).into();
            return Err(
                Error::Limit { part: Part::Components, limit: MAX_DIM as u32, found }.into()
            );
        }
        let names = Names::of(name);
        let journal = open_if_there(&*storage, &names.journal)?;
        let journal = match journal {
            Some(file) => {
                let head = Head::read(&Source { storage: &*storage, file })?;
                Some(FoundJournal { file, head })
            }
            None => None,
        };
        let read_only = options.read_only || options.salvage;
        let mut file = match (open_if_there(&*storage, &names.base)?, journal) {
            (Some(base), journal) => Self::found(storage, names, options, base, journal)?,
            (None, Some(_)) => return Err(DamageKind::BaseLost.at(0)),
            (None, None) if options.create && !read_only => Self::create(storage, names, options)?,
            (None, None) => return Err(Error::NoFile.into()),
        };
        if file.read_only {
            return Ok(file);
        }
        for left in [&file.names.compact, &file.names.fresh_journal] {
            match file.storage.remove(left) {
                Ok(()) | Err(StorageError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if file.report.foreign {
            file.compact_now()?;
        } else if file.report.repaired > 0 {
            file.fold()?;
        }
        file.ready_journal()?;
        Ok(file)
    }

    fn empty(
        storage: Box<dyn Storage>,
        names: Names,
        options: &Options,
        base: Handle,
        standing: Manifest,
    ) -> Self {
        Self {
            storage,
            names,
            limits: options.limits,
            read_only: options.read_only || options.salvage,
            base,
            manifest: Segment::default(),
            base_len: 0,
            journal: None,
            commits: 0,
            directory: Directory::default(),
            ledger: Ledger::new(standing.dim),
            standing,
            touched: Sorted::default(),
            repaired: Vec::new(),
            #[cfg(feature = "foreign")]
            foreign: Sorted::default(),
            batch: Batch::new(),
            lease: None,
            report: Report::default(),
            stopped: false,
            deferred: None,
        }
    }

    fn create(storage: Box<dyn Storage>, names: Names, options: &Options) -> Result<Self, Fault> {
        let dim = options.dim.ok_or(Error::Record("a new file needs a dimension"))?;
        let mut identity = [0; 68];
        identity[..16].copy_from_slice(&options.file_id);
        let standing = Manifest {
            dim,
            metric: options.metric,
            identity: Some(identity),
            trailer: Trailer { next_id: 1, ..Trailer::default() },
            ..Manifest::default()
        };
        // No handle is open yet: compaction of nothing is what makes the first base.
        let mut file = Self::empty(storage, names, options, Handle::MAX, standing);
        file.compact_now()?;
        Ok(file)
    }

    fn found(
        storage: Box<dyn Storage>,
        names: Names,
        options: &Options,
        base: Handle,
        journal: Option<FoundJournal>,
    ) -> Result<Self, Fault> {
        let salvage = options.salvage;
        let mut damaged = Vec::new();
        // With salvage a refusal becomes a note.
        let mut refuse = |fault: Fault| match fault.error() {
            Error::Damaged(damage) if salvage => {
                damaged.push(damage);
                Ok(())
            }
            _ => Err(fault),
        };
        let len = storage.len(base)?;
        let source = Source { storage: &*storage, file: base };
        let head = match &journal {
            Some(FoundJournal { head: Some((head, _)), .. }) => Some(*head),
            Some(_) => {
                refuse(DamageKind::JournalHeader.at(0))?;
                None
            }
            None => None,
        };
        let newest = match manifest::find(&source, len, head.map(|head| head.file_id)) {
            Err(fault) if head.is_some() && matches!(fault.error(), Error::Damaged(_)) => {
                return Err(match manifest::find(&source, len, None) {
                    Ok(_) => Fault::unsupported("the journal beside it is of another file"),
                    Err(_) => fault,
                });
            }
            other => other?,
        };
        let Newest { mut manifest, segment, damaged: behind } = newest;
        let end = segment.end();
        let ours = manifest.ours;
        if let Some(expected) = options.dim.filter(|&dim| dim != manifest.dim) {
            let (expected, found) = (expected.into(), manifest.dim.into());
            return Err(Error::Dimension { expected, found }.into());
        }
        if manifest.dim == 0 || usize::from(manifest.dim) > MAX_DIM {
            return Err(Fault::unsupported("its dimension is 0 or above 8192"));
        }
        let cut = || match behind {
            Some(offset) => DamageKind::Manifest.at(offset),
            None => DamageKind::BaseCut.at(end),
        };
        match head {
            Some(head) if head.epoch > manifest.epoch => refuse(cut())?,
            None if ours && len > end => match behind {
                Some(offset) => refuse(DamageKind::Manifest.at(offset))?,
                None => refuse(DamageKind::TailWithoutJournal.at(end))?,
            },
            _ => {}
        }
        let listed = core::mem::take(&mut manifest.segments);
        let mut file = Self::empty(storage, names, options, base, manifest);
        let commits = file.standing.trailer.commits;
        file.commits = commits.max(head.map_or(0, |head| head.commits));
        file.manifest = segment;
        file.base_len = end;
        file.report.damaged = damaged;
        file.report.foreign = !ours;
        file.directory = Directory::new(listed);
        let folded = if ours { file.load(salvage)? } else { file.load_foreign(salvage)? };
        if !file.read_only {
            // What is shown from here on is durable, the file's name as well: a killed writer may
            // have renamed it and no more.
            file.storage.sync(base)?;
            file.storage.sync_folder()?;
        }
        if let Some(FoundJournal { file: handle, head: Some((head, flipped)) }) = journal {
            // Each fold writes RECORDS of an epoch above its journal's.
            if head.epoch >= folded {
                file.report.repaired += u32::from(flipped);
                file.replay(Journal::open(handle, head), salvage)?;
            } else {
                file.storage.close(handle);
            }
        }
        if ours && !file.read_only {
            if len > end {
                file.storage.truncate(base, end)?;
            } else if len < end {
                // The manifest was whole when the power went, the zeros behind it were not.
                file.storage.append(base, &[0; 64][..(end - len) as usize])?;
            }
        }
        if len > end && (ours || behind.is_some()) {
            file.report.torn_base = Some((end, len - end));
        }
        Ok(file)
    }

    /// Reads what one of our manifests lists. Gives the newest epoch of its groups.
    fn load(&mut self, salvage: bool) -> Result<u32, Fault> {
        let listed = self.directory.listed().to_vec();
        let mut last = 0;
        for segment in &listed {
            let known = matches!(segment.kind, VEC | META | RECORDS | TEXT);
            let within = segment.end() <= self.manifest.offset;
            let numbered = last < segment.id && segment.id < self.standing.trailer.next_id;
            if !known || !within || !numbered || segment.id > MAX_SEGMENT {
                return Err(DamageKind::Segment.at(segment.offset));
            }
            last = segment.id;
        }
        let mut ledger = Ledger::new(self.standing.dim);
        for segment in listed.iter().filter(|segment| segment.kind == RECORDS) {
            let most = segment.payload as usize / FIXED * size_of::<(u64, Place)>();
            room::ask(
                &*self.storage,
                4 * most + ledger.growth(0) + ledger.len() * size_of::<(u64, Place)>(),
            )?;
            let mut places = Vec::new();
            let each = &mut |at, fields: Fields| {
                if fields.is_removal() {
                    ledger.remove(fields.id());
                    return Ok(());
                }
                match self.place(segment.id as u32, at, &fields) {
                    Some(place) => places.push((fields.id(), place)),
                    None => return Err(DamageKind::Records.at(segment.start() + u64::from(at))),
                }
                Ok(())
            };
            if !records::read(&self.base(), segment, salvage, each)? {
                let kind = DamageKind::Records;
                self.report.damaged.push(Damage { kind, offset: segment.offset });
            }
            // No id stands twice in what one fold wrote.
            ledger.extend(places);
        }
        for (id, _) in self.standing.removed.iter() {
            ledger.remove(id);
        }
        self.ledger = ledger;
        Ok(self.standing.trailer.groups.iter().map(|group| group.epoch).max().unwrap_or(0))
    }

    /// Where an entry says that its record is, if that can be.
    fn place(&self, entry_segment: u32, entry_at: u32, fields: &Fields) -> Option<Place> {
        let parts = fields.parts();
        let vec = self.directory.get(VEC, parts.vector_segment)?;
        if u64::from(parts.vector_index) >= vectors_in(vec.payload, self.standing.dim) {
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
        if journal.head.dim != self.standing.dim {
            return Err(DamageKind::JournalHeader.at(0));
        }
        if !self.read_only {
            self.storage.sync(journal.file)?;
        }
        let end = self.storage.len(journal.file)?;
        loop {
            let at = journal.len;
            let source = Source { storage: &*self.storage, file: journal.file };
            match journal.next(&source, end)? {
                Found::End => break,
                Found::Batch(operations, flipped) => {
                    self.report.repaired += u32::from(flipped);
                    self.report.replayed += 1;
                    let start = at + journal::BATCH as u64;
                    if !self.apply(&operations, start) {
                        return Err(journal::damage(at));
                    }
                    if flipped {
                        self.repaired.push((start, operations));
                    }
                }
                Found::Unsound => {
                    if journal.goes_on(&source, end)? {
                        if !salvage {
                            return Err(journal::damage(at));
                        }
                        self.report.damaged.push(Damage { kind: DamageKind::Journal, offset: at });
                    } else {
                        self.report.torn_journal = Some((at, end - at));
                    }
                    if !self.read_only {
                        self.storage.truncate(journal.file, at)?;
                    }
                    break;
                }
            }
        }
        if end < journal.len && !self.read_only {
            // The last batch was whole when the power went, the zeros behind it were not.
            self.storage.append(journal.file, &[0; 8][..(journal.len - end) as usize])?;
        }
        self.commits = self.commits.max(journal.commits);
        self.journal = Some(journal);
        Ok(())
    }
}
