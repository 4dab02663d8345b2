//! Each metric with each way of keeping vectors. The other checks ask for the cosine of 8-bit codes.
//!
//! The vectors have unlike lengths and lie to one side, so that both count. That the answers are right is
//! held here; that they are the same in every engine, to the bit, by what is seen.

use super::{K, Sample};
use crate::guest::Engine;
use crate::kernel::{EXACT, Form, Kernel, MODES, Query};
use crate::seen::{Digest, Outcome, Seen, hold};
use clawft_sample::Metric;
use clawft_sample::arrays::Matrix;
use clawft_sample::exact::Exact;

/// Vectors that are stored, nine times: an interpreter takes seconds for them.
const ROWS: usize = 200;
/// Components of theirs: from so many on there are short codes.
const DIM: usize = 128;
/// Vectors that are searched for.
const QUERIES: usize = 20;
const METRICS: [(&str, u32, Metric); 3] = [
    ("cosine", 0, Metric::Cosine),
    ("inner product", 1, Metric::InnerProduct),
    ("L2", 2, Metric::L2),
];
const ENCODINGS: [(&str, u32); 3] = [("f32", 0), ("f16", 1), ("i8", 2)];
/// The share of the true neighbours that must be found.
const RECALL: f64 = 0.95;
/// The same when every code is looked at.
const EXACT_RECALL: f64 = 0.97;

pub(super) fn check(engine: &mut dyn Engine, sample: &Sample) -> Outcome {
    let [base, queries] = [(&sample.base, ROWS), (&sample.queries, QUERIES)].map(uneven);
    let mut kernel = Kernel::new(engine, None)?;
    let (mut digest, mut least) = (Digest::default(), 1.0f64);
    for (metric_name, metric, near) in METRICS {
        let exact = Exact::compute(&base, &queries, near, K as usize);
        for (encoding_name, encoding) in ENCODINGS {
            let handle = kernel.create_as(Form {
                dim: base.dim as u32,
                capacity: ROWS as u32,
                metric: Some(metric),
                encoding: Some(encoding),
            })?;
            kernel.fill(handle, &base)?;
            for (mode_name, mode) in MODES {
                let (mut ids, mut counts) = (Vec::new(), Vec::new());
                for query in 0..QUERIES {
                    let asked = Query { mode, ..Query::nearest(K) };
                    let found = kernel.search(handle, queries.row(query), asked)?;
                    digest.hits(&found);
                    counts.push(found.len() as u32);
                    ids.extend(found.iter().map(|(id, _)| *id));
                }
                let found = exact.recall(&ids, &counts);
                let wanted = if mode == EXACT { EXACT_RECALL } else { RECALL };
                hold(found >= wanted, || {
                    format!(
                        "{metric_name}, {encoding_name}, {mode_name}: recall@{K} {wanted} expected, \
                         found {found:.4}"
                    )
                })?;
                least = least.min(found);
            }
            digest.bytes(&kernel.snapshot(handle)?);
            kernel.by_handle("clawft_destroy", handle)?;
        }
    }
    Ok(Seen::new(format!("recall@{K} {least:.3} at least"), digest))
}

/// The first of these vectors, the first components of each, in lengths of 1 to 4 and more, moved to one side.
fn uneven((from, rows): (&Matrix, usize)) -> Matrix {
    let moved = |row: usize| {
        let length = (1 + row % 4) as f32;
        from.row(row)[..DIM].iter().map(move |value| value * length + 0.03)
    };
    Matrix { rows, dim: DIM, values: (0..rows).flat_map(moved).collect() }
}
