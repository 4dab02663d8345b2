//! The exports that tell how a store is: its numbers, and whether it is sound.
//!
//! Why: a broken graph is a finding and no error, since an error writes no numbers. So
//! `clawft_verify` succeeds, and leaves the name of the invariant where the sentence of an
//! error would stand.
//!
//! What it must never do: repair what it finds, or change the store in any way: other threads
//! read it meanwhile.

use crate::error::{kept, note, status};
use crate::handle;
use crate::pointer::Output;

/// A store in numbers.
#[repr(C)]
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct ClawftStats {
    /// Size of this struct; the library sets it.
    pub size: u32,
    /// Components of a vector.
    pub dim: u32,
    /// Vectors that fit.
    pub capacity: u32,
    /// Vectors in it, those marked as deleted as well.
    pub count: u32,
    /// Vectors marked as deleted.
    pub deleted: u32,
    /// As in `ClawftParams`.
    pub metric: u32,
    /// As in `ClawftParams`: 0, 1 or 2.
    pub encoding: u32,
    /// As in `ClawftParams`.
    pub m: u32,
    /// As in `ClawftParams`.
    pub ef_construction: u32,
    /// `ef` of queries that name none.
    pub ef: u32,
    /// Up to this many vectors a query of mode 0 scans instead of walking, where the
    /// larger of `k` and `ef` is 64; the limit grows in proportion to it.
    pub scan_limit: u32,
    /// 1 if inserts take the places of vectors marked as deleted.
    pub replace_deleted: u32,
    /// As in `ClawftParams`.
    pub seed: u64,
    /// Bytes of the image, which are those of a snapshot.
    pub bytes: u64,
    /// Bytes of the graph in it.
    pub graph_bytes: u64,
    /// Bytes of the short codes, their sketches and the factors in it.
    pub short_bytes: u64,
    /// Bytes of the full codes' pages in it.
    pub pool_bytes: u64,
}

/// What `clawft_verify` found. The store is sound if `unreachable` and `broken` are 0.
#[repr(C)]
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct ClawftReport {
    /// Size of this struct; the library sets it.
    pub size: u32,
    /// Vectors in the graph.
    pub live: u32,
    /// Vectors that no walk through the graph can reach.
    pub unreachable: u32,
    /// 1 if an invariant of the graph is broken; `clawft_last_error` says which.
    pub broken: u32,
    /// Links on all levels.
    pub links: u64,
}

/// Writes the numbers of a store to `out`.
///
/// Errors: `BadHandle`; those of pointers.
///
/// # Safety
/// Natively `out` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_stats(handle: u32, out: *mut ClawftStats) -> i32 {
    let count = || {
        let store = &*handle::read(handle)?;
        // SAFETY: the caller's promise.
        let out = unsafe { Output::one("out", out) }?;
        let (params, stats) = (store.image.params(), store.image.stats());
        out.set(
            0,
            ClawftStats {
                size: size_of::<ClawftStats>() as u32,
                dim: params.dim,
                capacity: params.capacity,
                count: stats.len,
                deleted: stats.hidden,
                metric: params.metric as u32,
                encoding: params.encoding as u32,
                m: params.m.into(),
                ef_construction: params.ef_construction,
                ef: store.ef as u32,
                scan_limit: params.scan_limit_in_force(),
                replace_deleted: store.replace_deleted.into(),
                seed: params.seed,
                bytes: stats.bytes,
                graph_bytes: stats.graph_bytes,
                short_bytes: stats.short_bytes,
                pool_bytes: stats.pool_bytes,
            },
        );
        Ok(())
    };
    status(count())
}

/// Walks the whole graph and writes what is broken in it to `out`. Takes time in
/// proportion to its size.
///
/// Errors: `BadHandle`, `OutOfMemory`; those of pointers.
///
/// # Safety
/// Natively `out` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_verify(handle: u32, out: *mut ClawftReport) -> i32 {
    let verify = || {
        let store = &*handle::read(handle)?;
        // SAFETY: the caller's promise.
        let out = unsafe { Output::one("out", out) }?;
        let mut lent = None;
        let parts = store.scratches.lend(&mut lent, store.image.layout(), 1, 0)?;
        let report = kept(store.image.verify(&mut parts.scratch))?;
        if let Some(what) = report.broken {
            note(what);
        }
        out.set(
            0,
            ClawftReport {
                size: size_of::<ClawftReport>() as u32,
                live: report.live,
                unreachable: report.unreachable,
                broken: report.broken.is_some().into(),
                links: report.links,
            },
        );
        Ok(())
    };
    status(verify())
}
