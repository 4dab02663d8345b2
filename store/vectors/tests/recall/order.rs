//! The order of insertion must not matter: recall within 0.02 of that of shuffled input.

use clawft_vectors::{Metric, Mode, Params};

use crate::data::{Topics, shuffled};
use crate::store::Store;
use crate::store_of_bytes::Random;

const COUNT: usize = 3_000;
const QUERIES: usize = 100;
const EF: usize = 64;
/// Below and above the dimension from which walks use short codes.
const DIMS: [usize; 2] = [64, 256];

/// The order given against a random one of the same rows.
#[track_caller]
fn as_good_as_shuffled(name: &str, rows: &[Vec<f32>], queries: &[Vec<f32>]) {
    let params = Params::new(rows[0].len() as u32, rows.len() as u32);
    let given = Store::built(params, rows);
    let mixed = Store::built(params, &shuffled(rows, 1));
    // What the encoding allows: 8 bits cannot tell all members of a tight cluster apart.
    let exact = mixed.recall(queries, EF, Mode::Exact);
    for mode in [Mode::Walk, Mode::Auto] {
        let (given, mixed) = (given.recall(queries, EF, mode), mixed.recall(queries, EF, mode));
        let name = format!("{name} {} {mode:?}", rows[0].len());
        assert!(given >= mixed - 0.02, "{name}: recall {given:.4}, shuffled {mixed:.4}");
        // Two equally broken graphs would agree with each other.
        assert!(mixed >= exact - 0.05, "{name}: recall {mixed:.4}, exact {exact:.4}");
    }
    given.is_sound();
    mixed.is_sound();
}

#[test]
fn topic_after_topic() {
    for dim in DIMS {
        let topics = Topics::new(dim, 50, 0.6, 1);
        as_good_as_shuffled("topics", &topics.ordered(COUNT, 2), &topics.points(QUERIES, 3));
    }
}

#[test]
fn tight_clusters_far_apart() {
    for dim in DIMS {
        let topics = Topics::new(dim, 100, 0.05, 4);
        as_good_as_shuffled("clusters", &topics.ordered(COUNT, 5), &topics.points(QUERIES, 6));
    }
}

/// Products are negative distances: above level 0 they must not cover the more easily for that.
#[test]
fn tight_clusters_by_inner_product() {
    let topics = Topics::new(32, 60, 0.1, 11);
    let (rows, queries) = (topics.ordered(COUNT, 4), topics.points(QUERIES, 5));
    let params = Params { metric: Metric::InnerProduct, ..Params::new(32, COUNT as u32) };
    let recall = |rows: &[Vec<f32>]| Store::built(params, rows).recall(&queries, 16, Mode::Walk);
    let (given, mixed) = (recall(&rows), recall(&shuffled(&rows, 1)));
    assert!(given >= mixed - 0.02 && mixed > 0.95, "recall {given:.4}, shuffled {mixed:.4}");
}

#[test]
fn sorted_by_the_first_component() {
    for dim in DIMS {
        let topics = Topics::new(dim, 50, 0.6, 7);
        let mut rows = topics.points(COUNT, 8);
        rows.sort_by(|a, b| a[0].total_cmp(&b[0]));
        as_good_as_shuffled("sorted", &rows, &topics.points(QUERIES, 9));
    }
}

#[test]
fn many_copies_in_a_row() {
    for dim in DIMS {
        let topics = Topics::new(dim, 50, 0.6, 10);
        let rows: Vec<_> = topics
            .points(COUNT / 30, 11)
            .into_iter()
            .flat_map(|row| std::iter::repeat_n(row, 30))
            .collect();
        as_good_as_shuffled("copies", &rows, &topics.points(QUERIES, 12));
    }
}

#[test]
fn one_vector_makes_up_half_of_the_input() {
    for dim in DIMS {
        let topics = Topics::new(dim, 50, 0.6, 13);
        let mut rows = vec![topics.point(0, &mut Random(14)); COUNT / 2];
        rows.extend(topics.points(COUNT / 2, 15));
        as_good_as_shuffled("half equal", &rows, &topics.points(QUERIES, 16));
    }
}
