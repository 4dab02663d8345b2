//! Vectors through the C ABI: the functions of `clawft.h` that the suite needs.

use crate::abi::{Abi, Call};
use crate::guest::{Engine, Outside, Value};
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
    /// Candidates; 0: what the store has for those that name none.
    pub ef: u32,
    /// Of [`MODES`].
    pub mode: u32,
    /// Only these ids.
    pub filter: Option<&'a [u64]>,
}

impl Query<'_> {
    /// The `k` nearest.
    pub fn nearest(k: u32) -> Self {
        Query { k, ef: 0, mode: 0, filter: None }
    }
}

/// What a store is to be, in numbers of the ABI.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// Components.
    pub dim: u32,
    /// Vectors that fit.
    pub capacity: u32,
    /// What is near; `None`: the default.
    pub metric: Option<u32>,
    /// How vectors are kept; `None`: the default.
    pub encoding: Option<u32>,
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
        self.create_as(Form { dim, capacity, metric: None, encoding: None })
    }

    /// Makes a store of this form.
    ///
    /// # Errors
    /// Those of the library.
    pub fn create_as(&mut self, form: Form) -> Call {
        self.0.within(|abi| {
            let params = abi.room(PARAMS)?;
            let arguments = [params, form.dim, form.capacity].map(Into::into);
            abi.call("clawft_params_init", &arguments)?;
            for (at, chosen) in [(12, form.metric), (16, form.encoding)] {
                if let Some(chosen) = chosen {
                    abi.write(params + at, &chosen.to_le_bytes());
                }
            }
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
        self.fill(handle, base)?;
        Ok(handle)
    }

    /// Inserts the rows of `base`; their numbers are their ids.
    ///
    /// # Errors
    /// Those of the library.
    pub fn fill(&mut self, handle: u32, base: &Matrix) -> Call<()> {
        for from in (0..base.rows).step_by(BATCH) {
            let to = (from + BATCH).min(base.rows);
            let ids: Vec<u64> = (from as u64..to as u64).collect();
            let values = &base.values[from * base.dim..to * base.dim];
            self.insert_batch(handle, &ids, values, base.dim as u32)?;
        }
        Ok(())
    }

    /// Inserts rows. An error's sentence ends with how many went in.
    ///
    /// # Errors
    /// Those of the library.
    pub fn insert_batch(&mut self, handle: u32, ids: &[u64], values: &[f32], dim: u32) -> Call {
        self.store_batch("clawft_insert_batch", handle, ids, values, dim)
    }

    /// The same by `clawft_insert_batch` or `clawft_upsert_batch`.
    ///
    /// # Errors
    /// Those of the library.
    pub fn store_batch(
        &mut self,
        name: &str,
        handle: u32,
        ids: &[u64],
        values: &[f32],
        dim: u32,
    ) -> Call {
        self.0.within(|abi| {
            let (ids_at, values_at) = (abi.put_ids(ids)?, abi.put_floats(values)?);
            let done = abi.room(4)?;
            let (n, places) = (ids.len() as u32, [handle, ids_at, values_at]);
            let [handle, ids_at, values_at] = places.map(Into::into);
            let arguments = [handle, ids_at, values_at, n.into(), dim.into(), done.into()];
            let outcome = abi.call(name, &arguments);
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

    /// Calls a function of a handle and a number.
    ///
    /// # Errors
    /// Those of the library.
    pub fn set(&mut self, name: &str, handle: u32, number: u32) -> Call {
        self.0.call(name, &[handle.into(), number.into()])
    }

    /// Calls a function of a handle.
    ///
    /// # Errors
    /// Those of the library.
    pub fn by_handle(&mut self, name: &str, handle: u32) -> Call {
        self.0.call(name, &[handle.into()])
    }

    /// A vector.
    ///
    /// # Errors
    /// Those of the library.
    pub fn get(&mut self, handle: u32, id: u64, dim: u32) -> Call<Vec<f32>> {
        self.0.within(|abi| {
            let out = abi.room(4 * dim)?;
            abi.call("clawft_get", &[handle.into(), id.into(), out.into(), dim.into()])?;
            Ok(abi.floats(out, dim))
        })
    }

    /// Vectors, row after row.
    ///
    /// # Errors
    /// Those of the library.
    pub fn get_batch(&mut self, handle: u32, ids: &[u64], dim: u32) -> Call<Vec<f32>> {
        self.0.within(|abi| {
            let (n, given) = (ids.len() as u32, abi.put_ids(ids)?);
            let out = abi.room(4 * n * dim)?;
            abi.call("clawft_get_batch", &[handle, given, n, out, dim].map(Into::into))?;
            Ok(abi.floats(out, n * dim))
        })
    }

    /// All ids, of which there may be so many.
    ///
    /// # Errors
    /// Those of the library.
    pub fn ids(&mut self, handle: u32, most: u32) -> Call<Vec<u64>> {
        self.0.within(|abi| {
            let (out, count) = (abi.room(8 * most)?, abi.room(4)?);
            abi.call("clawft_ids", &[handle, out, most, count].map(Into::into))?;
            let count = abi.number(count);
            Ok(abi.ids(out, count))
        })
    }

    /// Searches.
    ///
    /// # Errors
    /// Those of the library.
    pub fn search(&mut self, handle: u32, values: &[f32], query: Query<'_>) -> Call<Vec<Hit>> {
        self.find("clawft_search", handle, values, None, query)
    }

    /// Searches what is within a radius.
    ///
    /// # Errors
    /// Those of the library.
    pub fn range(
        &mut self,
        handle: u32,
        values: &[f32],
        radius: f32,
        query: Query<'_>,
    ) -> Call<Vec<Hit>> {
        self.find("clawft_search_range", handle, values, Some(radius), query)
    }

    fn find(
        &mut self,
        name: &str,
        handle: u32,
        values: &[f32],
        radius: Option<f32>,
        query: Query<'_>,
    ) -> Call<Vec<Hit>> {
        self.0.within(|abi| {
            let at = abi.put_floats(values)?;
            let filter = match query.filter {
                None => 0,
                // A place that is not null, also for no ids.
                Some(ids) => abi.put_ids(&[ids, &[0]].concat())?,
            };
            let len = query.filter.map_or(0, |ids| ids.len() as u32);
            let fields = [QUERY, query.k, query.ef, query.mode, filter, len];
            let asked = abi.put(&fields.map(u32::to_le_bytes).concat())?;
            let ids = abi.room(8 * query.k)?;
            let distances = abi.room(4 * query.k)?;
            let count = abi.room(4)?;
            let dim = values.len() as u32;
            let mut arguments = Vec::from([handle, at, dim].map(Value::from));
            arguments.extend(radius.map(Value::F32));
            arguments.extend([asked, ids, distances, count].map(Value::from));
            abi.call(name, &arguments)?;
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
