//! What a caller of a memory may get wrong, whatever way it is called: each its code and a sentence, and
//! the memory as it was.

use super::store::{UNKNOWN_ID, files, is_whole, options, record};
use super::{K, Sample};
use crate::memory::{Memories, Options, Question, Record};
use crate::scratch::Scratch;
use crate::seen::{Digest, Outcome, Seen, hold, refused};

const WRONG_DIMENSION: i32 = -1;
const NOT_FINITE: i32 = -2;
const ZERO_VECTOR: i32 = -3;
const ZERO_K: i32 = -4;
const LIMIT: i32 = -211;
const BAD_RECORD: i32 = -212;
const NO_FILE: i32 = -214;
const NOTHING_ASKED: i32 = -233;
/// What a text, a kind, a session, a key and a value may have, bytes.
const TEXT: usize = 1 << 20;
const KIND: usize = 255;
const SESSION: usize = 1024;
const VALUE: usize = 4096;

/// Refusals, and what was refused.
fn records<'a>(good: Record<'a>, odd: &'a Odd) -> Vec<(&'static str, i32, Record<'a>)> {
    let dim = good.vector.len();
    let long = |bytes: usize| &odd.long[..=bytes];
    vec![
        ("a component fewer", WRONG_DIMENSION, Record { vector: &odd.zero[1..], ..good }),
        ("no component", WRONG_DIMENSION, Record { vector: &[], ..good }),
        ("not a number", NOT_FINITE, Record { vector: &odd.nan[..dim], ..good }),
        ("infinite", NOT_FINITE, Record { vector: &odd.infinite[..dim], ..good }),
        ("a vector without a direction", ZERO_VECTOR, Record { vector: &odd.zero, ..good }),
        ("an importance of 2", BAD_RECORD, Record { importance: 2.0, ..good }),
        ("an importance below 0", BAD_RECORD, Record { importance: -0.5, ..good }),
        ("no importance", BAD_RECORD, Record { importance: f32::NAN, ..good }),
        ("a key twice", BAD_RECORD, Record { metadata: &[("a", "1"), ("a", "2")], ..good }),
        ("a text that is too long", LIMIT, Record { text: long(TEXT), ..good }),
        ("a kind that is too long", LIMIT, Record { kind: long(KIND), ..good }),
        ("a session that is too long", LIMIT, Record { session: long(SESSION), ..good }),
        ("a key that is too long", LIMIT, Record { metadata: &odd.key, ..good }),
        ("a value that is too long", LIMIT, Record { metadata: &odd.value, ..good }),
    ]
}

/// What is not as it should be.
struct Odd<'a> {
    zero: Vec<f32>,
    nan: Vec<f32>,
    infinite: Vec<f32>,
    long: &'a str,
    key: [(&'a str, &'a str); 1],
    value: [(&'a str, &'a str); 1],
}

pub(super) fn check(memories: &mut dyn Memories, sample: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let none = memories.open(folder.path(), &Options { create: false, ..options(sample) });
    refused("no file", NO_FILE, none.map(|_| ()))?;
    let none = memories.open(folder.path(), &Options { dim: 0, ..options(sample) });
    refused("a new file without a dimension", BAD_RECORD, none.map(|_| ()))?;
    let made = files(folder.path())?;
    hold(made.is_empty(), || format!("what was refused made {} files", made.len()))?;

    let mut memory = memories.open(folder.path(), &options(sample))?;
    memory.remember(&record(sample, 0))?;
    memory.commit()?;
    let good = record(sample, 1);
    let zero = vec![0.0; sample.base.dim];
    let but = |value: f32| {
        let mut values = good.vector.to_vec();
        values[3] = value;
        values
    };
    let long = "x".repeat(TEXT + 1);
    let odd = Odd {
        nan: but(f32::NAN),
        infinite: but(f32::NEG_INFINITY),
        zero,
        long: &long,
        key: [(&long[..=KIND], "")],
        value: [("key", &long[..=VALUE])],
    };
    let records = records(good, &odd);
    for (what, code, record) in &records {
        refused(what, *code, memory.remember(record))?;
    }
    let asked = Question { k: K, ..Question::default() };
    let by = |vector| Question { vector: Some(vector), ..asked };
    let questions = [
        ("nothing asked", NOTHING_ASKED, asked),
        ("k of 0", ZERO_K, Question { k: 0, text: Some("tea"), ..asked }),
        ("asked with a component fewer", WRONG_DIMENSION, by(&odd.zero[1..])),
        ("asked with no number", NOT_FINITE, by(&odd.nan)),
        ("asked without a direction", ZERO_VECTOR, by(&odd.zero)),
    ];
    for (what, code, asked) in &questions {
        refused(what, *code, memory.recall(*asked))?;
    }
    refused("to forget an unknown id", UNKNOWN_ID, memory.forget(99))?;
    refused("to get an unknown id", UNKNOWN_ID, memory.get(99))?;

    let count = memory.count()?;
    hold(count == 1, || format!("one record expected after all that, found {count}"))?;
    is_whole(&mut *memory, sample, 0)?;
    memory.remember(&good)?;
    memory.commit()?;
    let found = memory.recall(by(good.vector))?;
    hold(found.first().is_some_and(|hit| hit.0 == 1), || format!("then it found {found:?}"))?;
    let number = 4 + records.len() + questions.len();
    Ok(Seen::new(format!("{number} refusals"), Digest::default()))
}
