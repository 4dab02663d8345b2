//! Vectors and words as one order, where each part brings less than there is: what only the words
//! find is judged by its vector too, and stands where the formula of `lexical/fuse.rs` puts it.

#[path = "support/naive.rs"]
mod naive;
mod support;

use std::collections::BTreeSet;

use clawft_store::lexical::{Bm25, Fusion, words};
use clawft_store::memory::{Found, Recall};
use clawft_store::storage::simulated::SimulatedDisk;
use naive::{Model, cosine, open};
use support::{DIM, Owned, Random, remember};

const RECORDS: u64 = 200;
/// Candidates that each part brings to a few results.
const EACH: usize = 50;
const ASKED: &str = "Marimba, xylophone, celesta";
const VECTOR: [f32; DIM] = [1.0, 0.0, 0.0];

/// Records of which every 20th has words of the question, at least one, and those are the farthest.
fn records(random: &mut Random) -> Model {
    let mut model = Model::new();
    for id in 0..RECORDS {
        let (part, has_words) = (id / 20, id % 20 == 7);
        let mut owned = Owned::random(random, DIM, 0);
        owned.text = "tea ".repeat(1 + random.below(9) as usize);
        // No two are as near as each other.
        let mut from = id as f32 / 400.0;
        if has_words {
            from = 0.6 + part as f32 / 10.0;
            for (i, word) in ["xylophone ", "marimba ", "celesta "].iter().enumerate() {
                // Some have all of them, or all others would be better by vector alone.
                if i == part as usize % 3 || part < 2 || random.below(3) == 0 {
                    owned.text += &word.repeat(1 + random.below(2) as usize);
                }
            }
        }
        owned.vector = vec![1.0, from * (1.0 + random.float() / 10.0), from];
        model.insert(id, owned);
    }
    model
}

fn by_words(model: &Model) -> Vec<(u64, f64)> {
    let list = |text: &str| words(text).map(|word| word.as_str().to_owned()).collect::<Vec<_>>();
    let (bm25, texts) = (Bm25::default(), model.len() as f64);
    let (k1, b) = (f64::from(bm25.k1), f64::from(bm25.b));
    let lists: Vec<(u64, Vec<String>)> =
        model.iter().map(|(&id, owned)| (id, list(&owned.text))).collect();
    let mean = lists.iter().map(|(_, list)| list.len()).sum::<usize>() as f64 / texts;
    let score = |text: &[String]| -> f64 {
        let term = |word: &String| {
            let with = lists.iter().filter(|(_, list)| list.contains(word)).count() as f64;
            let count = text.iter().filter(|one| *one == word).count() as f64;
            let weight = (1.0 + (texts - with + 0.5) / (with + 0.5)).ln();
            let norm = k1 * (1.0 - b + b * text.len() as f64 / mean);
            weight * count * (k1 + 1.0) / (count + norm)
        };
        list(ASKED).iter().map(term).sum()
    };
    lists.iter().map(|(id, list)| (*id, score(list))).collect()
}

/// A candidate: id, similarity, score by words, and the fused one.
type Judged = (u64, f64, f64, f64);

fn descending(list: &mut [Judged], part: fn(&Judged) -> f64) {
    list.sort_by(|a, b| part(b).total_cmp(&part(a)).then(a.0.cmp(&b.0)));
}

/// What the formulas make of the best by vector and the best by words.
fn naive_order(model: &Model, fusion: Fusion) -> Vec<Judged> {
    let mut all: Vec<Judged> = by_words(model)
        .into_iter()
        .map(|(id, words)| (id, cosine(&VECTOR, &model[&id].vector), words, 0.0))
        .collect();
    descending(&mut all, |one| one.1);
    let near: BTreeSet<u64> = all.iter().take(EACH).map(|one| one.0).collect();
    all.retain(|one| one.2 > 0.0 || near.contains(&one.0));
    let only_words = all.iter().filter(|one| !near.contains(&one.0)).count();
    assert!((5..=EACH).contains(&only_words), "the words alone find some");
    match fusion {
        Fusion::Weighted { vector, words } => {
            let enough = 1.5 * (2.0 * model.len() as f64 + 2.0).ln();
            let most = all.iter().map(|one| one.2).fold(enough, f64::max);
            for one in &mut all {
                one.3 = f64::from(vector) * one.1 + f64::from(words) * (one.2 / most).powi(2);
            }
        }
        Fusion::ReciprocalRank { constant } => {
            let share = |rank: usize| 1.0 / (f64::from(constant) + rank as f64);
            (1..).zip(&mut all).for_each(|(rank, one)| one.3 = share(rank));
            descending(&mut all, |one| one.2);
            let with_words = all.iter_mut().filter(|one| one.2 > 0.0);
            (1..).zip(with_words).for_each(|(rank, one)| one.3 += share(rank));
        }
    }
    descending(&mut all, |one| one.3);
    all
}

#[test]
fn what_only_the_words_find_is_judged_by_both() {
    for seed in 0..if cfg!(miri) { 1 } else { 10 } {
        let mut random = Random(seed);
        let model = records(&mut random);
        let mut memory = open(&SimulatedDisk::new(seed), RECORDS as u32);
        for (id, owned) in &model {
            remember(&mut memory, *id, owned).unwrap();
        }
        for fusion in [Fusion::DEFAULT, Fusion::RECIPROCAL] {
            let expected = naive_order(&model, fusion);
            for k in [1, 5, 12] {
                let (vector, text) = (Some(&VECTOR[..]), Some(ASKED));
                let recall = Recall { vector, text, k, fusion, ..Recall::default() };
                let found = memory.recall(&recall).unwrap();
                assert_eq!(found.len(), k);
                for (one, &(id, similarity, words, score)) in found.iter().zip(&expected) {
                    let near = |x: f32, y: f64| (f64::from(x) - y).abs() < 1e-5 * (1.0 + y);
                    let is_same = near(one.similarity, similarity)
                        && near(one.words, words)
                        && near(one.score, score);
                    assert!(is_same && one.id == id, "{one:?}, not {id}, {similarity}, {score}");
                }
                let is_far = |one: &Found| one.words > 0.0 && one.similarity < 0.77;
                assert!(k == 1 || found.iter().any(is_far), "{found:?}");
            }
        }
    }
}
