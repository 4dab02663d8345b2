//! What a curve of recall against speed says at one recall.

/// One measured way to search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) ef: u32,
    pub(super) recall: f64,
    pub(super) qps: f64,
}

/// The points that no other one beats in both recall and speed, by rising recall. An engine that
/// is faster with a larger ef (a scan instead of a walk) is used so.
pub(super) fn front(points: &[Point]) -> Vec<Point> {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| b.recall.total_cmp(&a.recall).then(b.qps.total_cmp(&a.qps)));
    let mut front: Vec<Point> = Vec::new();
    for point in sorted {
        if front.last().is_none_or(|last| point.qps > last.qps) {
            front.push(point);
        }
    }
    front.reverse();
    front
}

/// Queries a second at a recall: between the two points of the front around it, the logarithm of
/// the speed is taken as linear in recall. Below the first point it is that point's speed; none
/// beyond the last.
pub(super) fn speed_at(points: &[Point], recall: f64) -> Option<f64> {
    let front = front(points);
    let above = front.iter().position(|point| point.recall >= recall)?;
    let high = front[above];
    let Some(low) = above.checked_sub(1).map(|at| front[at]) else { return Some(high.qps) };
    let share = (recall - low.recall) / (high.recall - low.recall);
    Some((low.qps.ln() + share * (high.qps.ln() - low.qps.ln())).exp())
}

/// The smallest measured ef that has a recall.
pub(super) fn smallest_ef(points: &[Point], recall: f64) -> Option<u32> {
    points.iter().filter(|point| point.recall >= recall).map(|point| point.ef).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(list: &[(u32, f64, f64)]) -> Vec<Point> {
        list.iter().map(|&(ef, recall, qps)| Point { ef, recall, qps }).collect()
    }

    #[test]
    fn the_front_has_what_nothing_beats() {
        let all = points(&[(10, 0.9, 100.0), (20, 0.95, 40.0), (30, 0.97, 60.0), (40, 0.97, 50.0)]);
        let efs: Vec<u32> = front(&all).iter().map(|point| point.ef).collect();
        assert_eq!(efs, [10, 30]);
        assert!(front(&[]).is_empty());
    }

    #[test]
    fn between_points_the_logarithm_is_linear() {
        let all = points(&[(10, 0.96, 400.0), (20, 0.98, 100.0)]);
        let close = |found: Option<f64>, wanted: f64| (found.unwrap() - wanted).abs() < 1e-6;
        assert!(close(speed_at(&all, 0.97), 200.0));
        assert!(close(speed_at(&all, 0.98), 100.0));
        assert!(close(speed_at(&all, 0.5), 400.0), "nothing is faster than the fastest");
        assert_eq!(speed_at(&all, 0.981), None);
        // A point that another one beats is not there.
        let with = points(&[(10, 0.96, 400.0), (15, 0.97, 90.0), (20, 0.98, 100.0)]);
        assert!(close(speed_at(&with, 0.97), 200.0));
    }

    #[test]
    fn the_smallest_ef_is_one_that_has_it() {
        let all = points(&[(40, 0.99, 1.0), (10, 0.96, 9.0), (20, 0.97, 5.0)]);
        assert_eq!(smallest_ef(&all, 0.97), Some(20));
        assert_eq!(smallest_ef(&all, 0.995), None);
    }
}
