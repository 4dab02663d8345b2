//! What is removed is gone, what is hidden does not show, and everything else is still found.

use super::{K, RECALL, Sample, recall};
use crate::guest::Engine;
use crate::kernel::{Kernel, MODES, Query, Report};
use crate::seen::{Digest, Outcome, Seen, hold, refused};

/// Vectors that are stored: each removal mends the graph around it.
const ROWS: usize = 300;
const UNKNOWN_ID: i32 = -6;

pub(super) fn check(engine: &mut dyn Engine, sample: &Sample) -> Outcome {
    let mut kernel = Kernel::new(engine, None)?;
    let handle = kernel.filled(&sample.first(ROWS))?;
    let (gone, left): (Vec<u64>, Vec<u64>) = (0..ROWS as u64).partition(|id| id % 3 == 1);
    for id in &gone {
        kernel.by_id("clawft_remove", handle, *id)?;
    }
    let count = kernel.count(handle)? as usize;
    hold(count == left.len(), || format!("{} left expected, found {count}", left.len()))?;
    refused("a second removal", UNKNOWN_ID, kernel.by_id("clawft_remove", handle, gone[0]))?;
    let there = kernel.by_id("clawft_contains", handle, gone[0])?;
    hold(there == 0, || "a removed vector is contained".into())?;
    let report = kernel.verify(handle)?;
    let sound = Report { live: left.len() as u32, unreachable: 0, broken: 0 };
    hold(report == sound, || format!("{sound:?} expected, found {report:?}"))?;

    let (mut digest, mut least) = (Digest::default(), 1.0f64);
    for (name, mode) in MODES {
        let mut answers = Vec::new();
        for query in 0..sample.queries.rows {
            let asked = Query { mode, ..Query::nearest(K) };
            let found = kernel.search(handle, sample.queries.row(query), asked)?;
            digest.hits(&found);
            answers.push(found);
        }
        let found = recall(sample, &left, &answers).map_err(|why| format!("{name}: {why}"))?;
        hold(found >= RECALL, || format!("{name}: recall {RECALL} expected, found {found:.4}"))?;
        least = least.min(found);
    }

    // The place is free: the same id with its vector again is the nearest to it.
    let (id, values) = (gone[0], sample.base.row(gone[0] as usize));
    kernel.store("clawft_insert", handle, id, values)?;
    let first = |kernel: &mut Kernel| -> Result<u64, String> {
        let found = kernel.search(handle, values, Query::nearest(1))?;
        found.first().map(|hit| hit.0).ok_or_else(|| "nothing was found".into())
    };
    let found = first(&mut kernel)?;
    hold(found == id, || format!("{id} is in again, {found} was found"))?;
    kernel.by_id("clawft_mark_deleted", handle, id)?;
    let found = first(&mut kernel)?;
    hold(found != id, || format!("{id} is hidden and was found"))?;
    kernel.by_id("clawft_unmark_deleted", handle, id)?;
    // Another vector under its id: found by that one, and no longer by this one.
    let other = sample.queries.row(0);
    kernel.store("clawft_upsert", handle, id, other)?;
    let found = first(&mut kernel)?;
    hold(found != id, || format!("{id} has another vector and was found by the old one"))?;
    let found = kernel.search(handle, other, Query::nearest(1))?;
    hold(found.first().is_some_and(|hit| hit.0 == id), || format!("{id}: found {found:?}"))?;
    Ok(Seen::new(format!("{} of {ROWS}", gone.len()), digest))
}
