//! Filling a store and measuring searches on it.

use crate::kernel::{Desk, FULL, Kernel, Params, Query, Refusal};
use crate::options::Mode;
use crate::progress::Progress;
use clawft_sample::arrays::Matrix;
use clawft_sample::exact::Exact;
use std::time::{Duration, Instant};

/// Rows handed over in one call. Small, because this buffer is linear memory.
const INSERT_BATCH: usize = 32;
/// Queries handed over in one call, as the native peers get them.
pub(crate) const QUERY_BATCH: usize = 100;
/// Passes over all queries that are timed: at least these, and until ...
const PASSES: usize = 5;
/// ... this much time has gone, but no pass begins after `PATIENCE`.
const ENOUGH: Duration = Duration::from_millis(800);
const PATIENCE: Duration = Duration::from_secs(3);

/// Neighbours asked for.
pub(crate) const K: usize = 10;
/// Values of ef that are tried, in order.
pub(crate) const EF: [u32; 14] = [10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024];
/// A sweep ends when so much was found, or when a larger ef finds no more: the
/// rest of the values only costs time.
const FOUND_ALL: f64 = 0.9995;
const NO_MORE: f64 = 0.0002;
/// Recall at which an operating point is looked for: the smallest ef that has it.
pub(crate) const TARGETS: [f64; 2] = [0.97, 0.99];

/// What became of the insertion of all rows.
pub(crate) struct Filled {
    pub(crate) handle: u32,
    /// Rows that went in.
    pub(crate) rows: usize,
    pub(crate) time: Duration,
    /// The sentence of the kernel, when the store was full before the end.
    pub(crate) full: Option<String>,
}

/// Creates a store and inserts every row under its number, with a bar.
pub(crate) fn fill(
    kernel: &mut Kernel,
    params: Params,
    base: &Matrix,
    label: &str,
) -> Result<Filled, Refusal> {
    let dim = base.dim as u32;
    let handle = kernel.create(params)?;
    let row_bytes = 8 + dim * 4;
    let place = kernel.allocate(INSERT_BATCH as u32 * row_bytes + 4)?;
    let values = place + INSERT_BATCH as u32 * 8;
    let done_at = place + INSERT_BATCH as u32 * row_bytes;
    let mut progress = Progress::new(label, base.rows);
    let (mut rows, mut full) = (0, None);
    let start = Instant::now();
    while rows < base.rows && full.is_none() {
        let n = INSERT_BATCH.min(base.rows - rows);
        let ids: Vec<u8> = (rows..rows + n).flat_map(|id| (id as u64).to_le_bytes()).collect();
        kernel.write(place, &ids);
        kernel.write_floats(values, &base.values[rows * base.dim..][..n * base.dim]);
        let (done, outcome) = kernel.insert_batch(handle, (place, values), n as u32, dim, done_at);
        rows += done as usize;
        match outcome {
            Ok(()) => {}
            Err(refusal) if refusal.code == FULL => full = Some(refusal.sentence),
            Err(refusal) => {
                let sentence = format!("inserting row {rows}: {}", refusal.sentence);
                return Err(Refusal { sentence, ..refusal });
            }
        }
        progress.at(rows);
    }
    let time = start.elapsed();
    progress.finish(rows);
    kernel.release(place)?;
    Ok(Filled { handle, rows, time, full })
}

/// One set of queries with its exact answer.
pub(crate) struct QuerySet<'a> {
    pub(crate) name: &'static str,
    pub(crate) vectors: &'a Matrix,
    pub(crate) exact: Exact<'a>,
}

/// One line of the result.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    pub(crate) mode: Mode,
    pub(crate) ef: u32,
    /// The recall whose smallest ef this is, for an operating point.
    pub(crate) target: Option<f64>,
    pub(crate) recall: f64,
    /// Queries in a second, in batches: the median of the passes.
    pub(crate) qps: f64,
    /// Time of one query alone.
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

/// The ids found for all queries of a set, one after the other, and how many for each.
pub(crate) type Answers = (Vec<u64>, Vec<u32>);

/// A store in a running kernel, ready to be searched.
pub(crate) struct Searcher<'k> {
    pub(crate) kernel: &'k mut Kernel,
    pub(crate) handle: u32,
    desk: Desk,
    k: u32,
}

impl<'k> Searcher<'k> {
    pub(crate) fn new(
        kernel: &'k mut Kernel,
        handle: u32,
        dim: usize,
        k: usize,
    ) -> Result<Self, Refusal> {
        let desk = kernel.desk(QUERY_BATCH as u32, dim as u32, k as u32)?;
        Ok(Searcher { kernel, handle, desk, k: k as u32 })
    }

    /// The ids found for every query, and how many for each.
    pub(crate) fn answer(
        &mut self,
        queries: &Matrix,
        mode: Mode,
        ef: u32,
    ) -> Result<Answers, Refusal> {
        self.kernel.set_query(&self.desk, Query { k: self.k, ef, mode: mode.number() });
        let (mut ids, mut found) = (Vec::new(), Vec::new());
        for batch in queries.values.chunks(QUERY_BATCH * queries.dim) {
            let out = (&mut ids, &mut found);
            self.kernel.search_batch(self.handle, &self.desk, self.k, batch, out)?;
        }
        Ok((ids, found))
    }

    /// Recall at one ef: one pass over the queries.
    pub(crate) fn recall(
        &mut self,
        set: &QuerySet<'_>,
        mode: Mode,
        ef: u32,
    ) -> Result<f64, Refusal> {
        let (ids, found) = self.answer(set.vectors, mode, ef)?;
        Ok(set.exact.recall(&ids, &found))
    }

    /// Measures recall, throughput and latency at one ef.
    pub(crate) fn measure(
        &mut self,
        set: &QuerySet<'_>,
        mode: Mode,
        ef: u32,
    ) -> Result<Point, Refusal> {
        // This pass also warms the caches for the timed ones.
        let recall = self.recall(set, mode, ef)?;
        let qps = self.throughput(set, mode, ef, ENOUGH)?;
        let (p50, p99) = self.latency(set, mode, ef)?;
        Ok(Point { mode, ef, target: None, recall, qps, p50, p99 })
    }

    /// Queries in a second, in batches: the median of passes over all queries, which go on until
    /// `enough` time has gone.
    pub(crate) fn throughput(
        &mut self,
        set: &QuerySet<'_>,
        mode: Mode,
        ef: u32,
        enough: Duration,
    ) -> Result<f64, Refusal> {
        let begin = Instant::now();
        let mut passes = Vec::new();
        while begin.elapsed() < PATIENCE && (passes.len() < PASSES || begin.elapsed() < enough) {
            let start = Instant::now();
            self.answer(set.vectors, mode, ef)?;
            passes.push(start.elapsed());
        }
        passes.sort();
        Ok(set.vectors.rows as f64 / passes[passes.len() / 2].as_secs_f64())
    }

    /// Time of one query alone: the median, and what one of a hundred takes longer than.
    pub(crate) fn latency(
        &mut self,
        set: &QuerySet<'_>,
        mode: Mode,
        ef: u32,
    ) -> Result<(Duration, Duration), Refusal> {
        self.kernel.set_query(&self.desk, Query { k: self.k, ef, mode: mode.number() });
        let begin = Instant::now();
        let mut singles = Vec::new();
        let mut one = Vec::new();
        for query in 0..set.vectors.rows {
            one.clear();
            let values = set.vectors.row(query);
            let start = Instant::now();
            self.kernel.search(self.handle, &self.desk, values, &mut one)?;
            singles.push(start.elapsed());
            if begin.elapsed() > PATIENCE {
                break;
            }
        }
        singles.sort();
        let rank =
            |share: f64| singles[((singles.len() as f64 * share) as usize).min(singles.len() - 1)];
        Ok((rank(0.5), rank(0.99)))
    }

    /// Measures at growing ef until nearly all is found or no more is. Exact
    /// search knows no ef and is one point.
    pub(crate) fn sweep(
        &mut self,
        set: &QuerySet<'_>,
        mode: Mode,
        ef: &[u32],
        mut each: impl FnMut(&Point),
    ) -> Result<Vec<Point>, Refusal> {
        let mut points: Vec<Point> = Vec::new();
        for ef in ef {
            let point = self.measure(set, mode, *ef)?;
            each(&point);
            let stuck =
                points.iter().rev().nth(1).is_some_and(|before| {
                    point.recall > 0.5 && point.recall - before.recall < NO_MORE
                });
            let last = point.recall >= FOUND_ALL || stuck || mode == Mode::Exact;
            points.push(point);
            if last {
                break;
            }
        }
        Ok(points)
    }

    /// The smallest ef with at least this recall, between measured points (by
    /// bisection); none when no point of the sweep has it.
    pub(crate) fn smallest_ef(
        &mut self,
        set: &QuerySet<'_>,
        points: &[Point],
        target: f64,
    ) -> Result<Option<u32>, Refusal> {
        let Some((mut too_few, first)) = bounds(points, target, self.k) else { return Ok(None) };
        let mut enough = first.ef;
        // Where a person's list falls, there is nothing between.
        while enough.saturating_sub(too_few) > 1 {
            let middle = too_few + (enough - too_few) / 2;
            match self.recall(set, first.mode, middle)? >= target {
                true => enough = middle,
                false => too_few = middle,
            }
        }
        Ok(Some(enough))
    }
}

/// An ef that is too small for a recall, and the first point that has it; none when none has. Below
/// `k` an ef means nothing, so where the first of all has it, smaller ones down to `k` may do so too.
fn bounds(points: &[Point], target: f64, k: u32) -> Option<(u32, &Point)> {
    let at = points.iter().position(|point| point.recall >= target)?;
    let first = &points[at];
    let below = at.checked_sub(1).map_or(k.min(first.ef) - 1, |before| points[before].ef);
    Some((below, first))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(list: &[(u32, f64)]) -> Vec<Point> {
        let (qps, time) = (1.0, Duration::ZERO);
        let point = |&(ef, recall)| Point {
            mode: Mode::Walk,
            ef,
            target: None,
            recall,
            qps,
            p50: time,
            p99: time,
        };
        list.iter().map(point).collect()
    }

    #[test]
    fn a_first_ef_that_does_is_not_taken_for_the_smallest() {
        let swept = points(&[(64, 0.98), (128, 0.99)]);
        let between = |target, k| bounds(&swept, target, k).map(|(below, point)| (below, point.ef));
        assert_eq!(between(0.97, 10), Some((9, 64)));
        assert_eq!(between(0.97, 100), Some((63, 64)), "an ef below k");
        assert_eq!(between(0.99, 10), Some((64, 128)));
        assert_eq!(between(0.995, 10), None);
    }
}
