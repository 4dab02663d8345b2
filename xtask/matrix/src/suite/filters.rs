//! A filter lets through what it names, and never costs a result that matches.

use super::{K, RECALL, Sample, recall};
use crate::guest::Engine;
use crate::kernel::{Kernel, MODES, Query};
use crate::seen::{Digest, Outcome, Seen, hold};

/// Vectors that are stored.
const ROWS: usize = 500;

pub(super) fn check(engine: &mut dyn Engine, sample: &Sample) -> Outcome {
    let mut kernel = Kernel::new(engine, None)?;
    let handle = kernel.filled(&sample.first(ROWS))?;
    let rows = ROWS as u64;
    let (mut digest, mut least) = (Digest::default(), 1.0f64);
    for step in [2, 10, 125, 400] {
        let allowed: Vec<u64> = (0..rows).filter(|id| id % step == 1).collect();
        // Backwards, and with ids that nobody has.
        let mut given: Vec<u64> = allowed.iter().rev().copied().collect();
        given.extend([rows, u64::MAX]);
        let wanted = allowed.len().min(K as usize);
        for (name, mode) in MODES {
            let mut answers = Vec::new();
            for query in 0..sample.queries.rows {
                let asked = Query { mode, filter: Some(&given), ..Query::nearest(K) };
                let found = kernel.search(handle, sample.queries.row(query), asked)?;
                hold(found.len() == wanted, || {
                    format!("{name}: {wanted} that match expected, found {}", found.len())
                })?;
                digest.hits(&found);
                answers.push(found);
            }
            let found =
                recall(sample, &allowed, &answers).map_err(|why| format!("{name}: {why}"))?;
            hold(found >= RECALL, || {
                format!("{name}, one in {step}: recall {RECALL} expected, found {found:.4}")
            })?;
            least = least.min(found);
        }
    }
    let none = Query { filter: Some(&[]), ..Query::nearest(K) };
    let found = kernel.search(handle, sample.queries.row(0), none)?;
    hold(found.is_empty(), || format!("a filter without ids let {found:?} through"))?;
    Ok(Seen::new(format!("recall@{K} {least:.3} at least"), digest))
}
