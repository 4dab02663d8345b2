//! The streams are what they say, the halves share nothing.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

use super::*;

const HALVES: [Half; 2] = [Half::Open, Half::Held];

fn each(runs: u64, check: impl Fn(Stream)) {
    for half in HALVES {
        for kind in Kind::ALL {
            for seed in 0..runs {
                check(stream(kind, half, seed, LENGTH));
            }
        }
    }
}

/// Letters and digits in lower case; slots and punctuation gone.
fn bare(text: &str) -> String {
    let slot = |name: &str| name.bytes().all(|b| b.is_ascii_lowercase()).then(|| " ".to_owned());
    let words: Vec<String> = fill::fill(text, &slot)
        .to_lowercase()
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    words.join(" ")
}

fn count(stream: &Stream, is: impl Fn(Truth) -> bool) -> usize {
    stream.writes.iter().filter(|write| is(write.truth)).count()
}

#[test]
fn a_seed_fixes_a_stream_and_another_gives_another() {
    for half in HALVES {
        for kind in Kind::ALL {
            let first = stream(kind, half, 11, LENGTH);
            assert_eq!(first, stream(kind, half, 11, LENGTH));
            let texts = |stream: &Stream| -> HashSet<String> {
                stream.writes.iter().map(|write| write.text.clone()).collect()
            };
            let other = stream(kind, half, 12, LENGTH);
            let shared = texts(&first).intersection(&texts(&other)).count();
            assert!(shared * 3 < LENGTH, "{kind:?} {half:?}: {shared} texts shared");
        }
    }
}

#[test]
fn a_thousand_runs_differ() {
    let runs: HashSet<String> = (0..1_000)
        .map(|seed| {
            let stream = stream(Kind::Consistent, Half::Held, seed, LENGTH);
            stream.writes.into_iter().map(|write| write.text + "\n").collect()
        })
        .collect();
    assert_eq!(runs.len(), 1_000);
}

#[test]
fn time_rises_sessions_do_not_fall_and_indexes_refer_backwards() {
    each(60, |stream| {
        assert_eq!(stream.writes.len(), LENGTH);
        for pair in stream.writes.windows(2) {
            assert!(pair[0].time < pair[1].time && pair[0].session <= pair[1].session);
        }
        for (at, write) in stream.writes.iter().enumerate() {
            if let Truth::Contradiction { of } | Truth::Correction { of } = write.truth {
                assert!(of < at);
                assert!(stream.writes[of].truth.is_honest());
            }
            assert!(!write.text.trim().is_empty());
        }
        let weeks = (stream.writes[LENGTH - 1].time - stream.writes[0].time) / (7 * 86_400);
        assert!((1..20).contains(&weeks), "{weeks} weeks");
        assert!(stream.denied.is_none_or(|of| of < stream.onset().expect("an attack")));
    });
}

#[test]
fn each_stream_has_what_it_says_and_nothing_else() {
    each(200, |stream| {
        let at = (stream.kind, stream.half, stream.seed);
        let honest = count(&stream, Truth::is_honest);
        let lies = LENGTH - honest;
        let only = |is: fn(Truth) -> bool| assert_eq!(count(&stream, is), lies, "{at:?}");
        let (low, high) = match stream.kind {
            Kind::Consistent => (0, 0),
            Kind::Contradiction => {
                only(|truth| matches!(truth, Truth::Contradiction { .. }));
                (15, 55)
            }
            Kind::Poison => {
                only(|truth| truth == Truth::Poison);
                (5, LENGTH / 4)
            }
            Kind::Instruction => {
                only(|truth| truth == Truth::Instruction);
                (8, 45)
            }
            Kind::Repetition => {
                only(|truth| truth == Truth::Repetition);
                (5, 60)
            }
        };
        assert!((low..=high).contains(&lies), "{at:?}: {lies}");
        assert!(honest >= LENGTH / 3, "{at:?}: {honest}");
        assert_eq!(stream.manner.is_some(), stream.kind == Kind::Poison);
    });
}

#[test]
fn corrections_are_of_the_user_and_attacks_by_documents_are_not() {
    each(60, |stream| {
        for write in &stream.writes {
            match write.truth {
                Truth::Correction { .. } => assert_eq!(write.source, Source::User),
                Truth::Instruction | Truth::Poison | Truth::Repetition => {
                    assert!(matches!(write.source, Source::File(_) | Source::Page(_)));
                }
                _ => {}
            }
        }
    });
    let corrections: usize = (0..200)
        .map(|seed| {
            let stream = stream(Kind::Consistent, Half::Held, seed, LENGTH);
            count(&stream, |truth| matches!(truth, Truth::Correction { .. }))
        })
        .sum();
    assert!(corrections > 200 * 4, "{corrections} corrections");
}

#[test]
fn a_repetition_is_one_sentence_of_one_source() {
    for half in HALVES {
        for seed in 0..100 {
            let stream = stream(Kind::Repetition, half, seed, LENGTH);
            let copies: HashSet<(&Source, &str)> = stream
                .writes
                .iter()
                .filter(|write| write.truth == Truth::Repetition)
                .map(|write| (&write.source, write.text.as_str()))
                .collect();
            assert_eq!(copies.len(), 1);
        }
    }
}

#[test]
fn poison_comes_in_every_manner_and_with_and_without_a_denied_truth() {
    for half in HALVES {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for seed in 0..120 {
            let stream = stream(Kind::Poison, half, seed, LENGTH);
            let poison = stream.writes.iter().filter(|write| write.truth == Truth::Poison);
            let (sources, texts): (HashSet<_>, HashSet<_>) =
                poison.map(|write| (&write.source, &write.text)).unzip();
            let manner = stream.manner.expect("a poisoner has a manner");
            match manner {
                Manner::Verbatim => assert_eq!((sources.len(), texts.len()), (1, 1)),
                Manner::Paraphrased => assert!(sources.len() == 1 && texts.len() > 1),
                Manner::ManyNames => assert!(sources.len() > 1 && texts.len() > 1),
            }
            *seen.entry(format!("{manner:?} {}", stream.denied.is_some())).or_default() += 1;
        }
        assert!(seen.len() == 6 && seen.values().all(|&runs| runs > 6), "{seen:?}");
    }
}

#[test]
fn every_slot_is_filled() {
    let slots = [
        "v",
        "o",
        "s",
        "name",
        "partner",
        "child",
        "pet",
        "boss",
        "friend",
        "colleague",
        "project",
        "place",
        "dish",
        "thing",
        "day",
        "date",
        "soon",
        "n",
        "big",
        "payload",
        "base64",
        "hex",
        "zero",
        "joiner",
        "tags",
    ];
    each(100, |stream| {
        for write in &stream.writes {
            for slot in slots {
                assert!(!write.text.contains(&format!("{{{slot}}}")), "{}", write.text);
            }
        }
    });
}

#[test]
fn relations_are_wide_enough() {
    for half in HALVES {
        let tables = half.tables();
        assert!(tables.relations.len() >= 15);
        for relation in tables.relations {
            let wide = relation.values.len() >= 8
                && relation.says.len() >= 6
                && relation.notes.len() >= 3
                && relation.changes.len() >= 3
                && relation.denies.len() >= 4
                && relation.disputes.len() >= 4
                // A poisoner pushes a value in at least four wordings.
                && relation.disputes.iter().chain(relation.notes).filter(|t| t.contains("{v}")).count() >= 4;
            assert!(wide, "{half:?} {}", relation.name);
            let values: HashSet<_> = relation.values.iter().collect();
            assert_eq!(values.len(), relation.values.len(), "{half:?} {}", relation.name);
        }
        assert!(tables.articles.iter().all(|article| article.0 < tables.pages.len()));
        assert!(tables.imperative.len() >= 20 && tables.lies.len() >= 7);
        assert!(tables.lies.iter().all(|lie| lie.len() >= 5));
        assert!(tables.payloads.len() >= 16 && tables.wrappers.len() >= 16);
    }
}

#[test]
fn the_halves_share_no_template() {
    let all = |half: Half| -> Vec<(String, &str)> {
        half.tables()
            .templates()
            .into_iter()
            .flat_map(|(_, list)| list)
            .map(|text| (bare(text), text))
            .collect()
    };
    let open: HashSet<String> = all(Half::Open).into_iter().map(|(bare, _)| bare).collect();
    let held = all(Half::Held);
    let shared: Vec<&str> =
        held.iter().filter(|(bare, _)| open.contains(bare)).map(|(_, text)| *text).collect();
    assert!(shared.is_empty(), "in both halves: {shared:#?}");
}

#[test]
fn the_halves_share_no_entity() {
    let mut shared = Vec::new();
    for (half, other) in [(Half::Open, Half::Held), (Half::Held, Half::Open)] {
        let texts: Vec<String> = other
            .tables()
            .templates()
            .into_iter()
            .chain(other.tables().entities())
            .flat_map(|(_, list)| list)
            .map(|text| format!(" {} ", bare(text)))
            .collect();
        for (list, entities) in half.tables().entities() {
            for entity in entities {
                let entity = format!(" {} ", bare(entity));
                // The word `user` is no name, whatever a poisoner calls a file.
                if entity == " user " || entity == " owner " {
                    continue;
                }
                for text in texts.iter().filter(|text| text.contains(&entity)) {
                    shared.push(format!("{half:?} {list}:{entity}in{text}"));
                }
            }
        }
    }
    assert!(shared.is_empty(), "{shared:#?}");
}

/// The pairs of a file in `data/`.
fn pairs(file: &str) -> Vec<(String, String, String)> {
    let path = crate::sample::folder().join(file);
    let text = std::fs::read_to_string(&path).expect("the file is in the repository");
    let pair = |line: &str| {
        let value: Value = serde_json::from_str(line).expect("a line is JSON");
        let field = |name: &str| value[name].as_str().expect("a field is a string").to_owned();
        assert_eq!(value.as_object().map(serde_json::Map::len), Some(3), "{line}");
        (field("a"), field("b"), field("relation"))
    };
    text.lines().map(pair).collect()
}

#[test]
fn pairs_are_balanced_and_of_their_own() {
    let relations = ["contradicts", "updates", "agrees", "unrelated", "compatible"];
    let mut seen = HashSet::new();
    for (file, least) in [("pairs-open.jsonl", 150), ("pairs-held.jsonl", 200)] {
        let pairs = pairs(file);
        assert!(pairs.len() >= least, "{file}: {}", pairs.len());
        for relation in relations {
            let of = pairs.iter().filter(|pair| pair.2 == relation).count();
            let share = of as f64 / pairs.len() as f64;
            assert!((0.15..0.3).contains(&share), "{file} {relation}: {of}");
        }
        for (a, b, relation) in &pairs {
            assert!(relations.contains(&relation.as_str()), "{file}: {relation}");
            assert_ne!(bare(a), bare(b), "{file}");
            // No pair is there twice, and no pair of one file is in the other.
            assert!(seen.insert((bare(a), bare(b))), "{file}, twice: {a} | {b}");
        }
    }
    let firsts = |file| -> HashSet<String> {
        pairs(file).into_iter().flat_map(|(a, b, _)| [bare(&a), bare(&b)]).collect()
    };
    let (open, held) = (firsts("pairs-open.jsonl"), firsts("pairs-held.jsonl"));
    let shared: Vec<_> = open.intersection(&held).collect();
    assert!(shared.is_empty(), "sentences in both files: {shared:?}");
    each(40, |stream| {
        for write in stream.writes {
            let text = bare(&write.text);
            assert!(!open.contains(&text) && !held.contains(&text), "in a stream: {}", write.text);
        }
    });
}
