//! The exports that search, and the settings of a search.
//!
//! Results go from the scratch to the host at the end of each query, when nothing
//! can fail any more; a batch is checked whole before its first query runs.
//!
//! Why: one query may have its results written over its own vector, as that was read by
//! then. In a batch the next row is still to be read, so there, and only there, outputs must
//! lie apart from the rows and the filter.
//!
//! What it must never do: refuse a batch after its first results were written.

use clawft_vectors::{Hit, Mode, SearchOptions};

use crate::error::{Failed, done, status, unknown_choice};
use crate::handle;
use crate::params;
use crate::pointer::{self, Output};
use crate::scratch::{DEFAULT_EF, Parts};
use crate::store::Store;

/// How to search. `clawft_query_init` fills in the defaults.
#[repr(C)]
#[derive(Copy, Clone, Debug)]
pub struct ClawftQuery {
    /// Size of this struct in bytes.
    pub size: u32,
    /// Results wanted, from 1 on. Fewer come only when fewer match.
    pub k: u32,
    /// Candidates kept while searching: more find more and take longer. 0: that
    /// of `clawft_set_ef`. At least `k` are kept in any case; from 128 dimensions
    /// on, but in mode 3, twice `k`.
    pub ef: u32,
    /// 0 whatever is faster, 1 the graph, 2 a scan of the short codes, 3 exact:
    /// a scan of the full codes.
    pub mode: u32,
    /// Only these ids may be found; null: all. In any order, unknown ones ignored.
    pub filter_ids: *const u64,
    /// Number of `filter_ids`. 0 with a pointer that is not null finds nothing.
    pub filter_len: u32,
}

/// A query after its checks.
struct Checked<'a> {
    k: u32,
    ef: usize,
    mode: Mode,
    filter: Option<&'a [u64]>,
}

impl Checked<'_> {
    /// # Safety
    /// Natively `query` and the filter in it are valid for reads for as long as
    /// the result is used.
    unsafe fn read(query: *const ClawftQuery) -> Result<Self, Failed> {
        // SAFETY: the caller's promise; the struct is `repr(C)` and takes any bytes.
        let query = unsafe { pointer::sized("query", query) }?;
        let mode = match query.mode {
            0 => Mode::Auto,
            1 => Mode::Walk,
            2 => Mode::Scan,
            3 => Mode::Exact,
            found => return Err(unknown_choice("mode", 3, found)),
        };
        let filter = if query.filter_ids.is_null() && query.filter_len == 0 {
            None
        } else {
            let len = query.filter_len as usize;
            // SAFETY: the caller's promise.
            Some(unsafe { pointer::input("filter_ids", query.filter_ids, len) }?)
        };
        Ok(Self { k: query.k, ef: query.ef as usize, mode, filter })
    }

    /// The options for `store`. Numbers beyond its capacity mean its capacity.
    fn options(&self, store: &Store) -> SearchOptions<'_> {
        let most = store.image.capacity() as usize;
        let k = (self.k as usize).min(most);
        let ef = if self.ef == 0 { store.ef } else { self.ef };
        let (mode, filter) = (self.mode, self.filter);
        let options = SearchOptions { ef, mode, filter, ..SearchOptions::new(k) };
        SearchOptions { ef: options.width(store.image.params()).min(most), ..options }
    }
}

/// Where the results of one query go.
struct Results<'a> {
    ids: Output<'a, u64>,
    distances: Output<'a, f32>,
    counts: Output<'a, u32>,
}

impl Results<'_> {
    /// # Safety
    /// Natively valid for writes: `n * k` ids and distances, `n` counts.
    unsafe fn new(
        (ids, distances): (*mut u64, *mut f32),
        counts: *mut u32,
        n: u32,
        k: u32,
    ) -> Result<Self, Failed> {
        // SAFETY: the caller's promise.
        unsafe {
            Ok(Self {
                ids: Output::rows("out_ids", ids, n.into(), k)?,
                distances: Output::rows("out_distances", distances, n.into(), k)?,
                counts: Output::rows("out_count", counts, n.into(), 1)?,
            })
        }
    }

    /// Refuses places that reach into `input`.
    fn apart<T>(&self, input: &[T]) -> Result<(), Failed> {
        self.ids.apart("out_ids", input)?;
        self.distances.apart("out_distances", input)?;
        self.counts.apart("out_count", input)
    }

    fn write(&self, row: usize, k: usize, hits: &[Hit]) {
        for (at, hit) in hits.iter().enumerate() {
            self.ids.set(row * k + at, hit.id);
            self.distances.set(row * k + at, hit.distance);
        }
        self.counts.set(row, hits.len() as u32);
    }
}

/// Writes the defaults for `k` results to `out`: the handle's ef, the faster
/// way, no filter.
///
/// Errors: those of pointers.
///
/// # Safety
/// Natively `out` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_query_init(out: *mut ClawftQuery, k: u32) -> i32 {
    let init = || {
        // SAFETY: the caller's promise.
        let out = unsafe { Output::one("out", out) }?;
        out.set(
            0,
            ClawftQuery {
                size: size_of::<ClawftQuery>() as u32,
                k,
                ef: 0,
                mode: 0,
                filter_ids: core::ptr::null(),
                filter_len: 0,
            },
        );
        Ok(())
    };
    status(init())
}

/// Finds the `k` nearest of `dim` floats, nearest first: ids to `out_ids`,
/// distances to `out_distances` (room for `k` each), their number to
/// `out_count`. With fewer vectors than `k` (or fewer that pass the filter) that
/// number is smaller, and 0 for an empty store; that is no error.
///
/// Distances: cosine `1 - cos`, inner product `1 - <a, b>`, L2 squared.
///
/// Errors: `BadHandle`, `WrongDimension`, `NotFinite`, `ZeroVector` (cosine),
/// `ZeroK`, `UnknownChoice`, `StructSize`, `OutOfMemory` (scratch for a larger
/// `k` or `ef` than before); those of pointers.
///
/// # Safety
/// Natively the pointers are valid for reads and writes of their lengths.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_search(
    handle: u32,
    vector: *const f32,
    dim: u32,
    query: *const ClawftQuery,
    out_ids: *mut u64,
    out_distances: *mut f32,
    out_count: *mut u32,
) -> i32 {
    let out = (out_ids, out_distances);
    // SAFETY: the caller's promise.
    unsafe { search(handle, (vector, 1), dim, f32::INFINITY, query, out, out_count) }
}

/// Searches for `n` vectors, row after row of `dim` floats. The results of row
/// `i` begin at `out_ids[i * k]` and `out_distances[i * k]`, their number is
/// `out_counts[i]`. Finds what `n` calls of `clawft_search` find.
///
/// Errors: as `clawft_search`; a bad row is an error of the whole batch.
///
/// # Safety
/// As `clawft_search`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_search_batch(
    handle: u32,
    vectors: *const f32,
    n: u32,
    dim: u32,
    query: *const ClawftQuery,
    out_ids: *mut u64,
    out_distances: *mut f32,
    out_counts: *mut u32,
) -> i32 {
    let out = (out_ids, out_distances);
    // SAFETY: the caller's promise.
    unsafe { search(handle, (vectors, n), dim, f32::INFINITY, query, out, out_counts) }
}

/// Searches for each row within `radius`, which may be infinite; the body of the three exports.
///
/// # Safety
/// As [`clawft_search_batch`].
unsafe fn search(
    handle: u32,
    (vectors, n): (*const f32, u32),
    dim: u32,
    radius: f32,
    query: *const ClawftQuery,
    out: (*mut u64, *mut f32),
    out_counts: *mut u32,
) -> i32 {
    let search = || {
        let store = &*handle::read(handle)?;
        // SAFETY: the caller's promise.
        let query = unsafe { Checked::read(query) }?;
        // SAFETY: the caller's promise.
        let rows = unsafe { pointer::rows("vector", vectors, n.into(), dim) }?;
        // SAFETY: the caller's promise.
        let results = unsafe { Results::new(out, out_counts, n, query.k) }?;
        store.check_dim(dim)?;
        let options = query.options(store);
        if n > 1 {
            results.apart(rows)?;
            results.apart(options.filter.unwrap_or_default())?;
        }
        let rows = || rows.chunks_exact(dim as usize);
        let image = &store.image;
        let mut lent = None;
        let layout = image.layout();
        let Parts { scratch, hits, .. } =
            store.scratches.lend(&mut lent, layout, options.ef, options.k)?;
        for row in rows() {
            done(&image.check_vector(row))?;
        }
        let mut at = 0;
        let write = |hits: &[Hit]| {
            results.write(at, query.k as usize, hits);
            at += 1;
        };
        done(&image.search_rows(rows(), radius, &options, scratch, hits, write))
    };
    status(search())
}

/// Finds vectors within `radius` (a distance, as `clawft_search` gives them),
/// nearest first, at most `k` of the query: the room in `out_ids` and
/// `out_distances`. `k` results mean that there may be more.
///
/// Errors: as `clawft_search`; `BadRadius` for NaN.
///
/// # Safety
/// As `clawft_search`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_search_range(
    handle: u32,
    vector: *const f32,
    dim: u32,
    radius: f32,
    query: *const ClawftQuery,
    out_ids: *mut u64,
    out_distances: *mut f32,
    out_count: *mut u32,
) -> i32 {
    let out = (out_ids, out_distances);
    // SAFETY: the caller's promise.
    unsafe { search(handle, (vector, 1), dim, radius, query, out, out_count) }
}

/// Sets the `ef` of queries that name none; 0: back to 200. Not part of a
/// snapshot.
///
/// Errors: `BadHandle`.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_set_ef(handle: u32, ef: u32) -> i32 {
    let set = || {
        let store = &mut *handle::write(handle)?;
        store.ef = if ef == 0 { DEFAULT_EF } else { ef as usize };
        Ok(())
    };
    status(set())
}

/// Sets the scan limit. Up to this many vectors a query of mode 0 scans instead of
/// walking, where the larger of `k` and `ef` is 64; the limit grows in proportion
/// to it. 0: the measured default, `UINT32_MAX`: always. Part of a snapshot.
///
/// Errors: `BadHandle`.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_set_scan_limit(handle: u32, vectors: u32) -> i32 {
    let set = || {
        let store = &mut *handle::write(handle)?;
        store.image.set_scan_limit(params::scan_limit(store.image.params(), vectors));
        Ok(())
    };
    status(set())
}
