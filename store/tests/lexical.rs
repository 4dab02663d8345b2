//! The index of words beside a naive one: the same texts, the same scores, the same order.

use std::collections::{BTreeMap, BTreeSet};

use clawft_store::lexical::{Bm25, Fused, Hit, Index, Scratch, by_slot, words};
use proptest::prelude::*;

/// Texts by slot, scored by the formula as it stands in the paper, in f64.
#[derive(Default)]
struct Naive(BTreeMap<u32, Vec<String>>);

fn list(text: &str) -> Vec<String> {
    words(text).map(|word| word.as_str().to_owned()).collect()
}

impl Naive {
    fn score(&self, question: &[String], text: &[String], bm25: &Bm25) -> f64 {
        let texts = self.0.len() as f64;
        let mean = self.0.values().map(Vec::len).sum::<usize>() as f64 / texts;
        let (k1, b) = (f64::from(bm25.k1), f64::from(bm25.b));
        let term = |word: &String| {
            let with = self.0.values().filter(|text| text.contains(word)).count() as f64;
            let count = text.iter().filter(|w| *w == word).count() as f64;
            let weight = (1.0 + (texts - with + 0.5) / (with + 0.5)).ln();
            let norm = k1 * (1.0 - b + b * text.len() as f64 / mean);
            // With a k1 of 0 both may be 0.
            if count == 0.0 { 0.0 } else { weight * count * (k1 + 1.0) / (count + norm) }
        };
        question.iter().map(term).sum()
    }

    /// Every text with a score, the best first.
    fn search(&self, question: &str, bm25: &Bm25, may: impl Fn(u32) -> bool) -> Vec<(u32, f64)> {
        let question = list(question);
        let mut all: Vec<_> = self
            .0
            .iter()
            .filter(|(slot, _)| may(**slot))
            .map(|(&slot, text)| (slot, self.score(&question, text, bm25)))
            .filter(|hit| hit.1 > 0.0)
            .collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        all
    }
}

/// The same slots with the same scores; where scores are as good as equal, in either order.
fn agree(found: &[Hit], expected: &[(u32, f64)], k: usize) -> Result<(), TestCaseError> {
    prop_assert_eq!(found.len(), expected.len().min(k));
    let scores: BTreeMap<u32, f64> = expected.iter().copied().collect();
    for (hit, &(_, at_its_place)) in found.iter().zip(expected) {
        // The weight of a word that all texts have is the logarithm of almost 1.
        let tolerance = 1e-6 + 2e-6 * at_its_place;
        let score = scores.get(&hit.slot).copied().unwrap_or(f64::NAN);
        prop_assert!((f64::from(hit.score) - score).abs() <= tolerance, "{hit:?}, not {score}");
        prop_assert!((score - at_its_place).abs() <= tolerance, "{hit:?} before {at_its_place}");
    }
    for two in found.windows(2) {
        let ordered = two[0].score > two[1].score
            || (two[0].score == two[1].score && two[0].slot < two[1].slot);
        prop_assert!(ordered, "{:?}", two);
    }
    let distinct: BTreeSet<u32> = found.iter().map(|hit| hit.slot).collect();
    prop_assert_eq!(distinct.len(), found.len());
    Ok(())
}

/// Texts of a few words that meet often, and of any.
fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        4 => "[abc][de]?",
        2 => Just("running".to_owned()),
        1 => Just("the".to_owned()),
        1 => Just("東京".to_owned()),
        1 => "\\PC{0,6}",
    ];
    proptest::collection::vec(word, 0..14).prop_map(|words| words.join(" "))
}

#[derive(Clone, Debug)]
enum Step {
    Add(u32, String),
    Remove(u32),
    Replace(u32, String),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let slot = prop_oneof![0u32..30, 2000u32..2010];
    prop_oneof![
        5 => (slot.clone(), text()).prop_map(|(slot, text)| Step::Add(slot, text)),
        2 => slot.clone().prop_map(Step::Remove),
        2 => (slot, text()).prop_map(|(slot, text)| Step::Replace(slot, text)),
        1 => Just(Step::Reopen),
    ]
}

fn reopened(index: &Index) -> Index {
    let mut bytes = Vec::new();
    let _: Result<(), ()> = index.save(&mut |piece| {
        bytes.extend_from_slice(piece);
        Ok(())
    });
    Index::open(1 << 20, &bytes).expect("what was saved opens")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 300 }))]

    #[test]
    fn finds_what_the_naive_one_finds(
        steps in proptest::collection::vec(step(), 0..60),
        questions in proptest::collection::vec(text(), 1..5),
        k in 0usize..12,
        odd in any::<bool>(),
        k1 in 0.0f32..3.0,
        b in 0.0f32..=1.0,
    ) {
        let mut index = Index::new(1 << 20, 7);
        let mut texts = BTreeMap::<u32, String>::new();
        let mut naive = Naive::default();
        for step in steps {
            match step {
                Step::Add(slot, text) => {
                    let taken = naive.0.contains_key(&slot);
                    prop_assert_eq!(index.add(slot, &text).is_err(), taken);
                    if !taken && !list(&text).is_empty() {
                        naive.0.insert(slot, list(&text));
                        texts.insert(slot, text);
                    }
                }
                Step::Remove(slot) => {
                    let text = texts.remove(&slot).unwrap_or_default();
                    naive.0.remove(&slot);
                    prop_assert!(index.remove(slot, &text));
                }
                Step::Replace(slot, new) => {
                    let old = texts.remove(&slot).unwrap_or_default();
                    naive.0.remove(&slot);
                    prop_assert_eq!(index.replace(slot, &old, &new), Ok(true));
                    if !list(&new).is_empty() {
                        naive.0.insert(slot, list(&new));
                        texts.insert(slot, new);
                    }
                }
                Step::Reopen => index = reopened(&index),
            }
        }
        prop_assert_eq!(index.len() as usize, naive.0.len());
        let bm25 = Bm25 { k1, b };
        let mut scratch = Scratch::default();
        for question in questions {
            let may = |slot: u32| !odd || slot % 2 == 1;
            let expected = naive.search(&question, &bm25, may);
            let found = index.search(&question, k, &bm25, &mut |slot| may(slot), &mut scratch);
            let found = found.unwrap().to_vec();
            agree(&found, &expected, k)?;
            let slots: Vec<u32> = found.iter().map(|hit| hit.slot).collect();
            let mut scores = vec![0.0; slots.len()];
            index.scores(&question, &bm25, &slots, &mut scores, &mut scratch).unwrap();
            let same: Vec<f32> = found.iter().map(|hit| hit.score).collect();
            prop_assert_eq!(&scores, &same);
            let mut candidates: Vec<Fused> =
                slots.iter().rev().map(|&slot| Fused { slot, ..Fused::default() }).collect();
            by_slot(&mut candidates);
            let mut all = |_| true;
            index
                .search_with(&question, 3, &bm25, &mut all, &mut candidates, &mut scratch)
                .unwrap();
            for (&slot, &score) in slots.iter().zip(&scores) {
                prop_assert!(candidates.iter().any(|c| c.slot == slot && c.words == score));
            }
        }
        for (slot, text) in texts {
            prop_assert!(index.remove(slot, &text));
        }
        prop_assert!(index.is_empty());
    }

    #[test]
    fn any_text_goes_in_and_out(texts in proptest::collection::vec(any::<String>(), 0..8)) {
        let mut index = Index::new(1 << 20, 3);
        for (slot, text) in (0..).zip(&texts) {
            index.add(slot, text).unwrap();
        }
        for (slot, text) in (0..).zip(&texts) {
            prop_assert!(index.remove(slot, text));
        }
        prop_assert!(index.is_empty());
    }
}

/// Texts in three scripts, put in, taken out and put in again.
fn worked() -> Index {
    let mut index = Index::new(1 << 20, 11);
    let text = |i: u32| {
        let (a, b, c) = (i * 7919 % 101, i * 104_729 % 17, i % 5);
        format!("Item {i}: the réseau{a} of Überprüfung{b}, Москва {c} 東京{c} running{a} {c}.{b}")
    };
    for i in 0..2000 {
        index.add(i, &text(i)).unwrap();
    }
    for i in (0..2000).step_by(3) {
        assert!(index.remove(i, &text(i)));
    }
    for i in (0..2000).step_by(9) {
        index.add(i, &text(i + 1)).unwrap();
    }
    index
}

/// One constant for every machine, 32 bits and WebAssembly included: of the bytes saved, and of
/// the bits of scores.
#[test]
#[cfg_attr(miri, ignore = "thousands of texts; WebAssembly has 32 bits too")]
fn the_same_texts_give_the_same_bytes() {
    let fnv = |bytes: &[u8], from: u64| {
        bytes.iter().fold(from, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01B3))
    };
    let index = worked();
    let mut all = 0xCBF2_9CE4_8422_2325;
    let _: Result<(), ()> = index.save(&mut |piece| {
        all = fnv(piece, all);
        Ok(())
    });
    let mut scratch = Scratch::default();
    for question in ["reseau 7 running", "МОСКВА 東京", "ueberprufung uberprufung3 item 3.14"]
    {
        let found = index.search(question, 50, &Bm25::default(), &mut |_| true, &mut scratch);
        for hit in found.unwrap() {
            all = fnv(&hit.slot.to_le_bytes(), all);
            all = fnv(&hit.score.to_bits().to_le_bytes(), all);
        }
    }
    assert_eq!(all, DIGEST);
}
const DIGEST: u64 = 14_529_151_521_539_455_584;
