//! No room: a refusal, nothing changed, and the store goes on.

use super::{K, Sample};
use crate::guest::Engine;
use crate::kernel::{Kernel, Query};
use crate::seen::{Digest, Outcome, Seen, hold, refused};

/// Vectors that fit.
const CAPACITY: usize = 64;
/// Linear memory of the second part, and a store that does not fit into it.
const LIMIT: u32 = 4 << 20;
const TOO_MANY: u32 = 10_000;
const FULL: i32 = -7;
const OUT_OF_MEMORY: i32 = -107;

pub(super) fn check(engine: &mut dyn Engine, sample: &Sample) -> Outcome {
    let mut kernel = Kernel::new(engine, Some(LIMIT))?;
    let dim = sample.base.dim as u32;
    let handle = kernel.filled(&sample.first(CAPACITY))?;
    let query = sample.queries.row(0);
    let before = kernel.search(handle, query, Query::nearest(K))?;
    let bytes = kernel.snapshot(handle)?;
    let one_more = sample.base.row(CAPACITY);
    let full = kernel.store("clawft_insert", handle, u64::MAX, one_more);
    refused("one vector more", FULL, full)?;
    hold(kernel.snapshot(handle)? == bytes, || "the refusal changed the store".into())?;

    let large = kernel.create(dim, TOO_MANY);
    refused("a store larger than the memory", OUT_OF_MEMORY, large)?;
    let block = kernel.0.raw("clawft_alloc", &[LIMIT.into()])?;
    hold(block == 0, || "a block as large as the memory was given".into())?;
    let size = kernel.0.size();
    hold(size <= LIMIT as usize, || format!("{LIMIT} bytes expected, it has {size}"))?;

    // Whoever makes room can go on.
    let larger = (2 * CAPACITY) as u32;
    kernel.0.call("clawft_resize", &[handle.into(), larger.into()])?;
    kernel.store("clawft_insert", handle, u64::MAX, one_more)?;
    let found = kernel.search(handle, one_more, Query::nearest(1))?;
    hold(found.first().is_some_and(|hit| hit.0 == u64::MAX), || format!("found {found:?}"))?;
    kernel.by_id("clawft_remove", handle, u64::MAX)?;
    let after = kernel.search(handle, query, Query::nearest(K))?;
    hold(before == after, || "other answers after all that".into())?;
    let mut digest = Digest::default();
    digest.hits(&after);
    Ok(Seen::new(format!("at {CAPACITY} vectors, and at {} MiB", LIMIT >> 20), digest))
}
