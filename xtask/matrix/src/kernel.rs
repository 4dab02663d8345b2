//! Vectors through the C ABI: the functions of `clawft.h` that the suite needs.

use crate::abi::{Abi, Call};
use crate::guest::{Engine, Outside};
use clawft_sample::arrays::Matrix;

/// Sizes of the ABI's structs where pointers have 32 bits.
const PARAMS: u32 = 40;
const QUERY: u32 = 24;
const STATS: u32 = 88;
const REPORT: u32 = 24;
/// Rows of a batch.
const BATCH: usize = 100;

/// How candidates are found: numbers of the ABI.
pub const MODES: [(&str, u32); 4] = [("auto", 0), ("walk", 1), ("scan", 2), ("exact", 3)];
/// The last of them.
pub const EXACT: u32 = 3;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// Results wanted.
    pub k: u32,
    /// Of [`MODES`].
    pub mode: u32,
    /// Only these ids.
    pub filter: Option<&'a [u64]>,
}

impl Query<'_> {
    /// The `k` nearest.
    pub fn nearest(k: u32) -> Self {
        Query { k, mode: 0, filter: None }
    }
}

/// An id and its distance.
pub type Hit = (u64, f32);

/// What `clawft_verify` counts.
#[derive(Debug, PartialEq, Eq)]
pub struct Report {
    /// Vectors that are there.
    pub live: u32,
    /// Those that no walk reaches.
    pub unreachable: u32,
    /// Invariants that do not hold.
    pub broken: u32,
}

/// An instance of a kernel.
pub struct Kernel(pub Abi);

impl Kernel {
    /// A new instance; with `limit`, its linear memory ends there.
    ///
    /// # Errors
    /// What the engine says, or the library.
    pub fn new(engine: &mut dyn Engine, limit: Option<u32>) -> Call<Self> {
        Abi::new(engine, Outside::nothing(), limit).map(Kernel)
    }

    /// Makes a store with the defaults for `dim` and `capacity`.
    ///
    /// # Errors
    /// Those of the library.
    pub fn create(&mut self, dim: u32, capacity: u32) -> Call {
        self.0.within(|abi| {
            let params = abi.room(PARAMS)?;
            abi.call("clawft_params_init", &[params.into(), dim.into(), capacity.into()])?;
            let out = abi.room(4)?;
            abi.call("clawft_create", &[params.into(), out.into()])?;
            Ok(abi.number(out))
        })
    }

    /// A store with the rows of `base`; their numbers are their ids.
    ///
    /// # Errors
    /// Those of the library.
    pub fn filled(&mut self, base: &Matrix) -> Call {
        let handle = self.create(base.dim as u32, base.rows as u32)?;
        for from in (0..base.rows).step_by(BATCH) {
            let to = (from + BATCH).min(base.rows);
            let ids: Vec<u64> = (from as u64..to as u64).collect();
            let values = &base.values[from * base.dim..to * base.dim];
            self.insert_batch(handle, &ids, values, base.dim as u32)?;
        }
        Ok(handle)
    }

    /// Inserts rows. An error's sentence ends with how many went in.
    ///
    /// # Errors
    /// Those of the library.
    pub fn insert_batch(&mut self, handle: u32, ids: &[u64], values: &[f32], dim: u32) -> Call {
        self.0.within(|abi| {
            let (ids_at, values_at) = (abi.put_ids(ids)?, abi.put_floats(values)?);
            let done = abi.room(4)?;
            let (n, places) = (ids.len() as u32, [handle, ids_at, values_at]);
            let [handle, ids_at, values_at] = places.map(Into::into);
            let arguments = [handle, ids_at, values_at, n.into(), dim.into(), done.into()];
            let outcome = abi.call("clawft_insert_batch", &arguments);
            let done = abi.number(done);
            match outcome {
                Ok(_) => Ok(done),
                Err(mut refused) => {
                    refused.sentence = format!("{}; {done} went in", refused.sentence);
                    Err(refused)
                }
            }
        })
    }

    /// Calls `clawft_insert` or `clawft_upsert`.
    ///
    /// # Errors
    /// Those of the library.
    pub fn store(&mut self, name: &str, handle: u32, id: u64, values: &[f32]) -> Call {
        self.0.within(|abi| {
            let at = abi.put_floats(values)?;
            let dim = values.len() as u32;
            abi.call(name, &[handle.into(), id.into(), at.into(), dim.into()])
        })
    }

    /// Calls a function of a handle and an id.
    ///
    /// # Errors
    /// Those of the library.
    pub fn by_id(&mut self, name: &str, handle: u32, id: u64) -> Call {
        self.0.call(name, &[handle.into(), id.into()])
    }

    /// Searches.
    ///
    /// # Errors
    /// Those of the library.
    pub fn search(&mut self, handle: u32, values: &[f32], query: Query<'_>) -> Call<Vec<Hit>> {
        self.0.within(|abi| {
            let at = abi.put_floats(values)?;
            let filter = match query.filter {
                None => 0,
                // A place that is not null, also for no ids.
                Some(ids) => abi.put_ids(&[ids, &[0]].concat())?,
            };
            let len = query.filter.map_or(0, |ids| ids.len() as u32);
            let fields = [QUERY, query.k, 0, query.mode, filter, len];
            let asked = abi.put(&fields.map(u32::to_le_bytes).concat())?;
            let ids = abi.room(8 * query.k)?;
            let distances = abi.room(4 * query.k)?;
            let count = abi.room(4)?;
            let dim = values.len() as u32;
            let arguments = [handle, at, dim, asked, ids, distances, count].map(Into::into);
            abi.call("clawft_search", &arguments)?;
            let count = abi.number(count);
            let found = abi.ids(ids, count);
            Ok(found.into_iter().zip(abi.floats(distances, count)).collect())
        })
    }

    /// The sealed bytes of a store.
    ///
    /// # Errors
    /// Those of the library.
    pub fn snapshot(&mut self, handle: u32) -> Call<Vec<u8>> {
        self.0.within(|abi| {
            let out = abi.room(8)?;
            abi.call("clawft_snapshot_bytes", &[handle.into(), out.into()])?;
            let bytes = abi.number(out);
            let (place, len) = (abi.room(bytes)?, abi.room(4)?);
            let arguments = [handle, place, bytes, len].map(Into::into);
            abi.call("clawft_snapshot", &arguments)?;
            let len = abi.number(len);
            Ok(abi.read(place, len))
        })
    }

    /// Opens a copy of them.
    ///
    /// # Errors
    /// Those of the library.
    pub fn open(&mut self, bytes: &[u8]) -> Call {
        self.0.within(|abi| {
            let (place, out) = (abi.put(bytes)?, abi.room(4)?);
            abi.call("clawft_open", &[place, bytes.len() as u32, out].map(Into::into))?;
            Ok(abi.number(out))
        })
    }

    /// Opens them where they lie.
    ///
    /// # Errors
    /// Those of the library.
    pub fn adopt(&mut self, bytes: &[u8]) -> Call {
        self.0.within(|abi| {
            let (place, out) = (abi.put(bytes)?, abi.room(4)?);
            abi.call("clawft_adopt", &[place.into(), out.into()])?;
            abi.keep(place);
            Ok(abi.number(out))
        })
    }

    /// How many vectors there are.
    ///
    /// # Errors
    /// Those of the library.
    pub fn count(&mut self, handle: u32) -> Call {
        self.0.within(|abi| {
            let out = abi.room(STATS)?;
            abi.call("clawft_stats", &[handle.into(), out.into()])?;
            Ok(abi.number(out + 12))
        })
    }

    /// Walks the graph.
    ///
    /// # Errors
    /// Those of the library.
    pub fn verify(&mut self, handle: u32) -> Call<Report> {
        self.0.within(|abi| {
            let out = abi.room(REPORT)?;
            abi.call("clawft_verify", &[handle.into(), out.into()])?;
            let fields = abi.numbers(out, 4);
            Ok(Report { live: fields[1], unreachable: fields[2], broken: fields[3] })
        })
    }
}
