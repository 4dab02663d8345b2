//! Vectors go in, and the nearest come out: recall against the exact answer, in every mode.

use super::{EXACT_RECALL, K, RECALL, Sample, recall};
use crate::guest::Engine;
use crate::kernel::{EXACT, Kernel, MODES, Query};
use crate::seen::{Digest, Outcome, Seen, hold};

/// How far a distance may be from that of the vectors as they were given: those are coded in 8 bits.
const NEAR: f64 = 0.02;

pub(super) fn check(engine: &mut dyn Engine, sample: &Sample) -> Outcome {
    let mut kernel = Kernel::new(engine, None)?;
    let empty = kernel.create(sample.base.dim as u32, 1)?;
    let nothing = kernel.search(empty, sample.queries.row(0), Query::nearest(K))?;
    hold(nothing.is_empty(), || format!("an empty store found {nothing:?}"))?;

    let handle = kernel.filled(&sample.base)?;
    let all: Vec<u64> = (0..sample.base.rows as u64).collect();
    let count = kernel.count(handle)?;
    hold(count as usize == all.len(), || format!("{} vectors went in, {count} count", all.len()))?;
    let (mut digest, mut notes) = (Digest::default(), Vec::new());
    for (name, mode) in MODES {
        let mut answers = Vec::new();
        for query in 0..sample.queries.rows {
            let asked = Query { mode, ..Query::nearest(K) };
            let found = kernel.search(handle, sample.queries.row(query), asked)?;
            hold(found.len() == K as usize, || format!("{name}: {} of {K} found", found.len()))?;
            for pair in found.windows(2) {
                hold(pair[0].1 <= pair[1].1, || format!("{name}: {found:?} is not sorted"))?;
            }
            for (id, distance) in &found {
                let expected = cosine(sample.queries.row(query), sample.base.row(*id as usize));
                hold((f64::from(*distance) - expected).abs() < NEAR, || {
                    format!("{name}: {id} is {expected:.4} away, {distance} was said")
                })?;
            }
            digest.hits(&found);
            answers.push(found);
        }
        let found = recall(sample, &all, &answers)?;
        let wanted = if mode == EXACT { EXACT_RECALL } else { RECALL };
        hold(found >= wanted, || {
            format!("{name}: recall@{K} {wanted} expected, found {found:.4}")
        })?;
        notes.push(format!("{name} {found:.3}"));
    }
    let many = kernel.search(handle, sample.queries.row(0), Query::nearest(2 * count))?;
    hold(many.len() == all.len(), || format!("of {count} vectors {} were found", many.len()))?;
    Ok(Seen::new(format!("recall@{K} {}", notes.join(", ")), digest))
}

/// The distance of two vectors as they were given.
fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>()
    };
    1.0 - dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}
