//! The checks, and what they are given.

mod agent;
mod bad_input;
mod filters;
mod full;
mod insert_search;
mod metrics;
mod other_calls;
mod remove;
mod snapshot;
mod store;
mod store_abi;
mod store_file;
mod store_filters;
mod store_full;
mod store_input;

use crate::Kind;
use crate::guest::Engine;
use crate::memory::Memories;
use crate::records::ByAbi;
use crate::seen::Outcome;
use clawft_sample::Metric;
use clawft_sample::arrays::{self, Matrix};
use clawft_sample::exact::Exact;
use clawft_sample::texts;
use std::path::Path;

/// Vectors of the sample that are stored: an interpreter takes seconds for them.
const ROWS: usize = 1000;
/// Vectors that are searched for.
const QUERIES: usize = 50;
/// Results wanted.
pub const K: u32 = 10;
/// The share of the true neighbours that must be found. The codes of 8 bits end near 0.995 on this
/// data.
const RECALL: f64 = 0.97;
/// The same when every code is looked at.
pub const EXACT_RECALL: f64 = 0.99;

pub(crate) use agent::id;
pub use store::files;

/// A check's name and what it does.
pub type Check = (&'static str, fn(&mut dyn Engine, &Sample) -> Outcome);

/// The checks of an artifact.
pub fn checks(kind: Kind) -> &'static [Check] {
    match kind {
        Kind::Kernel => &[
            ("insert, search", insert_search::check),
            ("metrics, encodings", metrics::check),
            ("filters", filters::check),
            ("remove", remove::check),
            ("other calls", other_calls::check),
            ("snapshot", snapshot::check),
            ("bad input", bad_input::check),
            ("full store", full::check),
        ],
        Kind::Store => &[
            ("insert, search", |engine, sample| {
                store::insert_search(&mut ByAbi::new(engine), sample)
            }),
            ("filters", |engine, sample| store_filters::check(&mut ByAbi::new(engine), sample)),
            ("remove", |engine, sample| store::remove(&mut ByAbi::new(engine), sample)),
            ("snapshot", store_abi::snapshot),
            ("bad input", store_abi::bad_input),
            ("full store", store_abi::full),
            ("durable file", store_abi::durable),
        ],
        Kind::Agent => &[
            ("insert, search", agent::insert_search),
            ("remove", agent::remove),
            ("bad input", agent::bad_input),
            ("full store", agent::full),
            ("durable file", agent::durable),
            ("chat turn", agent::turn),
            ("chat turn that fails", agent::broken),
        ],
    }
}

/// A check of a memory, whatever way it is called.
pub type OfMemory = (&'static str, fn(&mut dyn Memories, &Sample) -> Outcome);

/// What every memory is asked: the same of the C ABI, which is asked more, and of WIT.
pub const MEMORY: [OfMemory; 7] = [
    ("insert, search", store::insert_search),
    ("filters", store_filters::check),
    ("remove", store::remove),
    ("snapshot", store_file::saved),
    ("bad input", store_input::check),
    ("full store", store_full::check),
    ("durable file", store_file::durable),
];

/// Real vectors, and others to search for.
pub struct Sample {
    /// What is stored. The row is the id.
    pub base: Matrix,
    /// Their texts.
    pub texts: Vec<String>,
    /// What is searched for.
    pub queries: Matrix,
}

impl Sample {
    /// Reads as much as the suite needs from the folder `data/`.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn read(data: &Path) -> Result<Self, String> {
        let mut base = arrays::read(&data.join("base.f16.npy"))?;
        let mut queries = arrays::read(&data.join("queries.f16.npy"))?;
        let mut texts = texts::read(&data.join("texts.jsonl.gz"))?;
        base.truncate(ROWS);
        texts.truncate(ROWS);
        queries.truncate(QUERIES);
        if (base.rows, texts.len(), queries.rows, base.dim) != (ROWS, ROWS, QUERIES, queries.dim) {
            return Err(format!("{}: {ROWS} rows and {QUERIES} queries expected", data.display()));
        }
        Ok(Sample { base, texts, queries })
    }

    /// Only the first rows.
    fn first(&self, rows: usize) -> Matrix {
        self.rows(&(0..rows as u64).collect::<Vec<_>>())
    }

    /// Only these rows.
    fn rows(&self, ids: &[u64]) -> Matrix {
        let values = ids.iter().flat_map(|id| self.base.row(*id as usize)).copied().collect();
        Matrix { rows: ids.len(), dim: self.base.dim, values }
    }
}

/// The share of the true neighbours among `ids` in answers to the sample's queries.
///
/// # Errors
/// An id that is none of them.
pub fn recall(sample: &Sample, ids: &[u64], answers: &[Vec<(u64, f32)>]) -> Result<f64, String> {
    let rows = sample.rows(ids);
    let exact = Exact::compute(&rows, &sample.queries, Metric::Cosine, K as usize);
    let mut places = Vec::new();
    let mut counts = Vec::new();
    for answer in answers {
        for (id, _) in answer {
            let place = ids.iter().position(|one| one == id);
            places.push(place.ok_or_else(|| format!("id {id} was found and must not be"))? as u64);
        }
        counts.push(answer.len() as u32);
    }
    Ok(exact.recall(&places, &counts))
}
