//! A memory through the interface `memory`: what the suite asks of every memory.

use crate::component::exports::clawft::memory::errors::{Error, Kind};
pub(super) use crate::component::exports::clawft::memory::memory as wit;
use crate::component::{Loaded, Running};
use crate::core::said;
use clawft_matrix::abi::{Call, Refused, TRAP};
use clawft_matrix::memory::{Filter, Memories, NAME, Options, Question, Record, Records, Stored};
use std::path::Path;
use wasmtime::component::ResourceAny;

/// Bytes of linear memory that an instance takes beside the memory in it: of the whole agent, and what
/// its heap leaves of pieces of 256 KiB.
const TAKEN: u32 = 1 << 20;

/// Memories in instances of the component.
pub(super) struct ByWit<'a>(pub(super) &'a Loaded);

/// An open one.
pub(super) struct Open {
    pub(super) running: Running,
    handle: ResourceAny,
}

/// What sort of refusal a code is, as `wit/clawft.wit` tells them apart.
fn sort(code: i32) -> Kind {
    match code {
        -6 | -201 | -214 => Kind::NotFound,
        -8..=-1 if code != -7 => Kind::Invalid,
        -205 | -211 | -212 | -233 => Kind::Invalid,
        -7 | -203 | -213 | -231 | -232 => Kind::Full,
        -220 | -221 => Kind::Conflict,
        -204 | -219 => Kind::ReadOnly,
        -218..=-215 => Kind::Damaged,
        _ => Kind::Failed,
    }
}

/// A call's two errors in one: the engine's, and the component's, which must be of the right sort.
pub(super) fn called<T>(outcome: wasmtime::Result<Result<T, Error>>) -> Call<T> {
    match outcome {
        Err(why) => Err(Refused { code: TRAP, sentence: said(why) }),
        Ok(Ok(given)) => Ok(given),
        Ok(Err(why)) if why.kind == sort(why.code) => {
            Err(Refused { code: why.code, sentence: format!("memory: {}", why.sentence) })
        }
        Ok(Err(why)) => {
            let sort = sort(why.code);
            Err(Refused { code: TRAP, sentence: format!("{sort:?} expected, found {why:?}") })
        }
    }
}

/// As WIT has them.
pub(super) fn options(options: &Options) -> wit::Options {
    wit::Options {
        create: options.create,
        read_only: options.read_only,
        salvage: options.salvage,
        dimension: (options.dim > 0).then_some(options.dim),
        metric: wit::Metric::Cosine,
        capacity: options.capacity,
        image_bytes: None,
        words_bytes: None,
        lease: 0,
    }
}

/// The same of a record.
pub(super) fn item(record: &Record<'_>) -> wit::Item {
    wit::Item {
        id: record.id,
        vector: record.vector.to_vec(),
        text: record.text.into(),
        kind: record.kind.into(),
        session: record.session.into(),
        created: record.created,
        last_used: record.used,
        uses: 0,
        importance: record.importance,
        pinned: false,
        metadata: own(record.metadata),
    }
}

fn own(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect()
}

fn filter(filter: &Filter<'_>) -> wit::Filter {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_string()).collect();
    let period = |(from, until)| wit::Period { from, until };
    wit::Filter {
        kinds: filter.kinds.map(texts),
        sessions: filter.sessions.map(texts),
        created: filter.created.map(period),
        last_used: filter.used.map(period),
        metadata: own(filter.metadata),
        ids: filter.ids.map(<[u64]>::to_vec),
    }
}

impl Memories for ByWit<'_> {
    fn open(&mut self, folder: &Path, given: &Options) -> Call<Box<dyn Records>> {
        let limit = given.limit.map(|bytes| bytes as usize);
        let running = self.0.over(folder, limit);
        let running = running.map_err(|sentence| Refused { code: TRAP, sentence })?;
        Ok(Box::new(Open::new(running, options(given))?))
    }

    fn taken(&self) -> u32 {
        TAKEN
    }
}

impl Open {
    /// Opens one in an instance.
    pub(super) fn new(mut running: Running, options: wit::Options) -> Call<Self> {
        let memory = running.exports.clawft_memory_memory();
        let path = format!("/data/{NAME}");
        let handle = called(memory.store().call_open(&mut running.store, &path, options))?;
        Ok(Open { running, handle })
    }

    /// Calls a function of the open store.
    pub(super) fn call<T>(
        &mut self,
        call: impl FnOnce(
            wit::GuestStore<'_>,
            &mut wasmtime::Store<crate::component::Side>,
            ResourceAny,
        ) -> T,
    ) -> T {
        let Open { running: Running { store, exports }, handle } = self;
        call(exports.clawft_memory_memory().store(), store, *handle)
    }

    /// The store in numbers.
    pub(super) fn statistics(&mut self) -> Call<wit::Statistics> {
        plain(self.call(|wit, store, handle| wit.call_statistics(store, handle)))
    }
}

/// The engine's error alone.
fn plain<T>(outcome: wasmtime::Result<T>) -> Call<T> {
    outcome.map_err(|why| Refused { code: TRAP, sentence: said(why) })
}

impl Records for Open {
    fn remember(&mut self, record: &Record<'_>) -> Call<()> {
        let item = item(record);
        called(self.call(|wit, store, handle| wit.call_remember(store, handle, &item)))
    }

    fn forget(&mut self, id: u64) -> Call<()> {
        called(self.call(|wit, store, handle| wit.call_forget(store, handle, id)))
    }

    fn recall(&mut self, question: Question<'_>) -> Call<Vec<(u64, f32)>> {
        let query = wit::Query {
            vector: question.vector.map(<[f32]>::to_vec),
            text: question.text.map(String::from),
            k: question.k,
            ef: 0,
            filter: Some(filter(&question.filter)),
        };
        let found = called(self.call(|wit, store, handle| wit.call_recall(store, handle, &query)))?;
        Ok(found.iter().map(|one| (one.id, one.score)).collect())
    }

    fn get(&mut self, id: u64) -> Call<Stored> {
        let item = called(self.call(|wit, store, handle| wit.call_get(store, handle, id)))?;
        Ok(Stored {
            vector: item.vector,
            text: item.text,
            kind: item.kind,
            session: item.session,
            created: item.created,
            used: item.last_used,
            importance: item.importance,
            metadata: item.metadata,
        })
    }

    fn contains(&mut self, id: u64) -> Call<bool> {
        plain(self.call(|wit, store, handle| wit.call_contains(store, handle, id)))
    }

    fn next(&mut self, from: u64) -> Call<Option<u64>> {
        plain(self.call(|wit, store, handle| wit.call_next(store, handle, from)))
    }

    fn count(&mut self) -> Call<u64> {
        self.statistics().map(|about| about.records)
    }

    fn commit(&mut self) -> Call<()> {
        called(self.call(|wit, store, handle| wit.call_commit(store, handle)))
    }

    fn rollback(&mut self) -> Call<()> {
        called(self.call(|wit, store, handle| wit.call_rollback(store, handle)))
    }

    fn save(&mut self) -> Call<()> {
        called(self.call(|wit, store, handle| wit.call_save(store, handle)))
    }

    fn compact(&mut self) -> Call<()> {
        called(self.call(|wit, store, handle| wit.call_compact(store, handle)))
    }

    fn close(mut self: Box<Self>) -> Call<()> {
        called(self.call(|wit, store, handle| wit.call_close(store, handle)))
    }

    fn size(&mut self) -> usize {
        self.running.size()
    }
}
