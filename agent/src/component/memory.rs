//! `clawft:memory/memory`: a store as a resource, directly over the memory.
//!
//! Why: whoever brings vectors needs no embedder, no merging and no config. Calls go to the
//! store as they are, and when to commit, save or compact is the caller's to say. The lease
//! has a storage of its own until the store is open, as the store takes the other: it is given
//! back over that one where opening fails.
//!
//! What it must never do: open for writing without the lease that was asked for, or lend the
//! memory twice.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;

use clawft_store::memory::{Budget, Filter, Memory, MemoryOptions, Recall, Refusal};
use clawft_store::{Lease, Options, Record};

use super::Component;
use super::bindings::exports::clawft::memory::errors::{Error, Kind};
use super::bindings::exports::clawft::memory::memory::{
    self as wit, Found, Guest, GuestStore, Item, Metric, Query, Statistics, Store as Handle,
};
use super::refusal::of_folder;
use crate::platform::wasi::{WasiClock, WasiFileSystem, WasiRandom, random_u64};
use crate::platform::{Clock, FileSystem, Random};

/// An open store. One caller at a time calls into a component, so it is never lent twice.
pub(super) struct Store(RefCell<Memory>);

impl Guest for Component {
    type Store = Store;
}

fn now() -> u64 {
    WasiClock.now()
}

fn options(given: &wit::Options) -> MemoryOptions {
    let defaults = MemoryOptions::default();
    let mut file_id = [0; 16];
    WasiRandom.fill(&mut file_id);
    // As RVF counts them.
    let metric = match given.metric {
        Metric::Cosine => 2,
        Metric::InnerProduct => 1,
        Metric::SquaredDistance => 0,
    };
    let file = Options {
        dim: given.dimension,
        metric,
        file_id,
        create: given.create,
        read_only: given.read_only,
        salvage: given.salvage,
        ..defaults.file
    };
    MemoryOptions {
        file,
        capacity: if given.capacity == 0 { defaults.capacity } else { given.capacity },
        image: given.image_bytes.map(|bytes| bytes as usize),
        words: given.words_bytes.map_or(defaults.words, |bytes| bytes as usize),
        ..defaults
    }
}

fn open(path: &str, given: &wit::Options) -> Result<Memory, Error> {
    let (folder, name) = crate::text::cut_last(path, b'/').unwrap_or((".", path));
    let folder = if folder.is_empty() { "/" } else { folder };
    let files = WasiFileSystem::new();
    let of_file = |error: clawft_store::Error| Error::from(Refusal::from(error));
    let writes = !(given.read_only || given.salvage);
    let lease = if writes && given.lease != 0 {
        let storage = files.storage(folder).map_err(of_folder)?;
        let lease = Lease::take(&*storage, name, random_u64(), now(), given.lease.into());
        Some((lease.map_err(of_file)?, storage))
    } else {
        None
    };
    let storage = files.storage(folder).map_err(of_folder)?;
    let held = lease.as_ref().map(|(lease, _)| lease.clone());
    let opened = Memory::open_leased(storage, name, &options(given), held, &mut |_, _| {});
    if let (Err(_), Some((lease, storage))) = (&opened, lease) {
        // The error that counts is the first one; a lease that stays runs out.
        let _ = lease.release(&*storage);
    }
    Ok(opened?)
}

fn pairs(metadata: &[(String, String)]) -> Vec<(&str, &str)> {
    metadata.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

fn texts(texts: &Option<Vec<String>>) -> Option<Vec<&str>> {
    texts.as_ref().map(|texts| texts.iter().map(String::as_str).collect())
}

/// What is done with a lent memory.
type Work<'w> = dyn FnMut(&mut Memory) -> Result<(), Refusal> + 'w;

impl Store {
    /// Lends the memory. A lent one is not there for a second caller, whom it refuses.
    #[inline(never)]
    fn lend(&self, work: &mut Work<'_>) -> Result<(), Error> {
        match self.0.try_borrow_mut() {
            Ok(mut memory) => Ok(work(&mut memory)?),
            Err(_) => Err(Error { kind: Kind::Conflict, code: 0, sentence: "it is in use".into() }),
        }
    }
}

impl GuestStore for Store {
    fn open(path: String, options: wit::Options) -> Result<Handle, Error> {
        Ok(Handle::new(Store(RefCell::new(open(&path, &options)?))))
    }

    fn close(store: Handle) -> Result<(), Error> {
        Ok(store.into_inner::<Store>().0.into_inner().try_close(now())?)
    }

    fn remember(&self, item: Item) -> Result<(), Error> {
        let metadata = pairs(&item.metadata);
        let record = Record {
            id: item.id,
            vector: &item.vector,
            text: &item.text,
            kind: &item.kind,
            session: &item.session,
            created: item.created,
            last_used: item.last_used,
            uses: item.uses,
            importance: item.importance,
            pinned: item.pinned,
            metadata: &metadata,
        };
        self.lend(&mut |memory| memory.try_remember(&record))
    }

    fn forget(&self, id: u64) -> Result<(), Error> {
        self.lend(&mut |memory| memory.try_forget(id))
    }

    fn recall(&self, query: Query) -> Result<Vec<Found>, Error> {
        let filter = query.filter.as_ref();
        let kinds = filter.and_then(|filter| texts(&filter.kinds));
        let sessions = filter.and_then(|filter| texts(&filter.sessions));
        let metadata = filter.map(|filter| pairs(&filter.metadata)).unwrap_or_default();
        let period = |period: Option<wit::Period>| period.map(|one| (one.from, one.until));
        let filter = Filter {
            kinds: kinds.as_deref(),
            sessions: sessions.as_deref(),
            created: filter.and_then(|filter| period(filter.created)),
            last_used: filter.and_then(|filter| period(filter.last_used)),
            metadata: &metadata,
            ids: filter.and_then(|filter| filter.ids.as_deref()),
        };
        let defaults = Recall::default();
        let recall = Recall {
            vector: query.vector.as_deref(),
            text: query.text.as_deref(),
            k: query.k as usize,
            ef: if query.ef == 0 { defaults.ef } else { query.ef as usize },
            filter,
            ..defaults
        };
        let mut found = Vec::new();
        self.lend(&mut |memory| {
            found = memory.try_recall(&recall)?;
            Ok(())
        })?;
        let found = found.into_iter().map(|one| Found {
            id: one.id,
            score: one.score,
            similarity: one.similarity,
            words: one.words,
        });
        Ok(found.collect())
    }

    fn get(&self, id: u64) -> Result<Item, Error> {
        let mut item = None;
        self.lend(&mut |memory| {
            let fields = memory.try_fields(id)?;
            let text = memory.try_text(id)?;
            let mut vector = vec![0.0; memory.dim()];
            memory.try_vector(id, &mut vector)?;
            let own = |(key, value): (&str, &str)| (key.into(), value.into());
            let (uses, last_used) = memory.uses(id).unwrap_or((fields.uses(), fields.last_used()));
            item = Some(Item {
                id,
                vector,
                text,
                kind: fields.kind().into(),
                session: fields.session().into(),
                created: fields.created(),
                last_used,
                uses,
                importance: fields.importance(),
                pinned: fields.pinned(),
                metadata: fields.metadata().map(own).collect(),
            });
            Ok(())
        })?;
        item.ok_or_else(|| Refusal::from(clawft_store::Error::UnknownId(id)).into())
    }

    fn contains(&self, id: u64) -> bool {
        self.0.try_borrow().is_ok_and(|memory| memory.contains(id))
    }

    fn next(&self, id: u64) -> Option<u64> {
        self.0.try_borrow().ok()?.next(id)
    }

    fn touch(&self, ids: Vec<u64>) {
        // Uses are hints.
        let _ = self.lend(&mut |memory| {
            memory.touch(&ids, now());
            Ok(())
        });
    }

    fn tick(&self, records: u32, bytes: u64) -> Result<u32, Error> {
        let mut moved = 0;
        self.lend(&mut |memory| {
            let work = memory.try_tick(now(), Budget { records, bytes })?;
            moved = work.cooled + work.restored;
            Ok(())
        })?;
        Ok(moved)
    }

    fn commit(&self) -> Result<(), Error> {
        self.lend(&mut |memory| memory.try_commit(now()))
    }

    fn rollback(&self) -> Result<(), Error> {
        self.lend(&mut Memory::try_rollback)
    }

    fn save(&self) -> Result<(), Error> {
        self.lend(&mut Memory::try_save)
    }

    fn compact(&self) -> Result<(), Error> {
        self.lend(&mut |memory| memory.try_compact(now()))
    }

    fn statistics(&self) -> Statistics {
        let memory = self.0.borrow();
        let sizes = memory.file().sizes();
        Statistics {
            records: memory.len() as u64,
            dimension: memory.dim() as u32,
            capacity: memory.capacity(),
            image_bytes: memory.image_bytes() as u64,
            file_bytes: sizes.base,
            live_bytes: sizes.live,
            journal_bytes: sizes.journal,
            pending: memory.file().pending() as u32,
        }
    }
}
