//! What no other check calls: vectors and ids given back, ranges, batches of upserts, and what can be set.

use super::{K, Sample};
use crate::guest::Engine;
use crate::kernel::{EXACT, Hit, Kernel, MODES, Query};
use crate::seen::{Digest, Outcome, Seen, hold, refused};

/// Vectors that are stored, and others that come in their place.
const ROWS: u64 = 200;
const LATER: u64 = 10;
/// An id that nobody has.
const NOBODY: u64 = 1 << 40;
/// How far a stored component may be from the one that was given, in lengths of the vector.
const NEAR: f32 = 0.01;

pub(super) fn check(engine: &mut dyn Engine, sample: &Sample) -> Outcome {
    let mut kernel = Kernel::new(engine, None)?;
    let handle = kernel.create(sample.base.dim as u32, (ROWS + LATER) as u32)?;
    kernel.fill(handle, &sample.first(ROWS as usize))?;
    let mut digest = Digest::default();
    given_back(&mut kernel, handle, sample, &mut digest)?;
    ranges(&mut kernel, handle, sample, &mut digest)?;
    settings(&mut kernel, handle, sample)?;
    changes(&mut kernel, handle, sample)?;
    digest.bytes(&kernel.snapshot(handle)?);
    Ok(Seen::new("vectors, ids, ranges, settings, upserts", digest))
}

/// Vectors come back as they were given, and all ids.
fn given_back(
    kernel: &mut Kernel,
    handle: u32,
    sample: &Sample,
    digest: &mut Digest,
) -> Result<(), String> {
    let (dim, ids) = (sample.base.dim as u32, [7, 0, ROWS - 1]);
    let mut all = Vec::new();
    for id in ids {
        let found = kernel.get(handle, id, dim)?;
        let given = sample.base.row(id as usize);
        let length = given.iter().map(|x| x * x).sum::<f32>().sqrt();
        let apart = found.iter().zip(given).map(|(a, b)| (a - b / length).abs());
        let most = apart.fold(0.0, f32::max);
        hold(most < NEAR, || format!("vector {id} came back with a component {most} away"))?;
        all.extend(found);
    }
    for value in &all {
        digest.bytes(&value.to_le_bytes());
    }
    let batch = kernel.get_batch(handle, &ids, dim)?;
    hold(batch == all, || "a batch gave other vectors than one by one".into())?;
    refused("a batch with an unknown id", -6, kernel.get_batch(handle, &[0, NOBODY], dim))?;
    let mut found = kernel.ids(handle, ROWS as u32)?;
    found.sort_unstable();
    hold(found.iter().copied().eq(0..ROWS), || format!("ids 0 to {ROWS} expected: {found:?}"))
}

/// What is within the distance of the tenth is the first ten.
fn ranges(
    kernel: &mut Kernel,
    handle: u32,
    sample: &Sample,
    digest: &mut Digest,
) -> Result<(), String> {
    for query in 0..sample.queries.rows {
        let row = sample.queries.row(query);
        let asked = Query { mode: EXACT, ..Query::nearest(ROWS as u32) };
        let all = kernel.search(handle, row, asked)?;
        let radius = all[K as usize - 1].1;
        let found = kernel.range(handle, row, radius, asked)?;
        let wanted = all.iter().take_while(|hit| hit.1 <= radius).count();
        hold(found == all[..wanted], || {
            format!("{wanted} within {radius} expected, found {found:?}")
        })?;
        digest.hits(&found);
    }
    Ok(())
}

/// The answers to all queries.
fn answers(
    kernel: &mut Kernel,
    handle: u32,
    sample: &Sample,
    asked: Query<'_>,
) -> Result<Vec<Vec<Hit>>, String> {
    let rows = 0..sample.queries.rows;
    let search = |row| Ok(kernel.search(handle, sample.queries.row(row), asked)?);
    rows.map(search).collect()
}

/// A setting gives what a query that says the same gives.
fn settings(kernel: &mut Kernel, handle: u32, sample: &Sample) -> Result<(), String> {
    // So few that a walk misses what it looks for.
    const FEW: u32 = 2;
    let [auto, walk, scan, _] = MODES.map(|(_, mode)| Query { mode, ..Query::nearest(1) });
    let all = |asked: Query<'_>, kernel: &mut Kernel| answers(kernel, handle, sample, asked);
    let narrow = [walk, scan].map(|asked| Query { ef: FEW, ..asked });
    let [wide, walked, scanned] =
        [all(walk, kernel)?, all(narrow[0], kernel)?, all(narrow[1], kernel)?];
    hold(wide != walked && walked != scanned, || {
        "ef and the scan limit change no answer: this check would not see them".into()
    })?;
    kernel.set("clawft_set_ef", handle, FEW)?;
    hold(all(walk, kernel)? == walked, || format!("set_ef {FEW} is no ef of {FEW}"))?;
    for (limit, as_if) in [(1, &walked), (u32::MAX, &scanned)] {
        kernel.set("clawft_set_scan_limit", handle, limit)?;
        hold(all(auto, kernel)? == *as_if, || {
            format!("scan limit {limit}: another way was taken")
        })?;
    }
    kernel.set("clawft_set_scan_limit", handle, 0)?;
    kernel.set("clawft_set_ef", handle, 0)?;
    hold(all(walk, kernel)? == wide, || "set_ef 0 is not the default".into())
}

/// Upserts in a batch, and inserts in the place of what was marked as deleted.
fn changes(kernel: &mut Kernel, handle: u32, sample: &Sample) -> Result<(), String> {
    let (dim, first) = (sample.base.dim, ROWS as usize);
    let nearest = |kernel: &mut Kernel, row: usize| {
        let found = kernel.search(handle, sample.base.row(row), Query::nearest(1))?;
        Ok::<_, String>(found[0].0)
    };
    // Half of them are there.
    let ids: Vec<u64> = (ROWS - LATER / 2..ROWS + LATER / 2).collect();
    let rows = first..first + ids.len();
    let values = &sample.base.values[rows.start * dim..rows.end * dim];
    let done = kernel.store_batch("clawft_upsert_batch", handle, &ids, values, dim as u32)?;
    hold(done as usize == ids.len(), || format!("of {} upserts {done} were done", ids.len()))?;
    for (&id, row) in ids.iter().zip(rows) {
        let found = nearest(kernel, row)?;
        hold(found == id, || format!("{id} has row {row} now, and {found} is nearest to it"))?;
    }

    let before = kernel.count(handle)?;
    kernel.by_id("clawft_mark_deleted", handle, 0)?;
    let found = nearest(kernel, 0)?;
    hold(found != 0, || "what is marked as deleted was found".into())?;
    kernel.set("clawft_set_replace_deleted", handle, 1)?;
    let row = first + ids.len();
    kernel.store("clawft_insert", handle, NOBODY, sample.base.row(row))?;
    let (after, there) = (kernel.count(handle)?, kernel.by_id("clawft_contains", handle, 0)?);
    hold((after, there) == (before, 0), || {
        format!("{before} vectors and none of id 0 expected, found {after} and {there}")
    })?;
    let found = nearest(kernel, row)?;
    hold(found == NOBODY, || format!("{NOBODY} has row {row}, and {found} is nearest to it"))
}
