//! The suite through the component's interfaces `memory` and `agent`.

use crate::component::exports::clawft::memory::errors::Error;
use crate::component::exports::clawft::memory::memory::{
    Filter, Found, Item, Metric, Options, Query,
};
use crate::component::{Loaded, Running};
use crate::core::said;
use clawft_matrix::agent::OFFLINE;
use clawft_matrix::model::{KEY, Manner, Model, WORDS, nobody};
use clawft_matrix::scratch::Scratch;
use clawft_matrix::seen::{Digest, Outcome, Seen, hold};
use clawft_matrix::suite::{self, EXACT_RECALL, K, Sample};
use std::path::Path;
use wasmtime::component::ResourceAny;

/// Records that are stored.
const ROWS: usize = 200;
/// Where the component sees the file.
const FILE: &str = "/data/s.rvf";
const KINDS: [&str; 3] = ["fact", "note", "talk"];
/// Linear memory that is too little for a store, bytes.
const LIMIT: usize = 640 << 10;
const FULL: i32 = -7;
const UNKNOWN_ID: i32 = -6;

type Check = (&'static str, fn(&Loaded, &Sample) -> Outcome);

pub(crate) const CHECKS: [Check; 8] = [
    ("insert, search", insert_search),
    ("filters", filters),
    ("remove", remove),
    ("bad input", bad_input),
    ("full store", full),
    ("durable file", durable),
    ("chat turn", turn),
    ("chat turn that fails", broken),
];

/// A call's two errors in one: the engine's, and the component's.
fn both<T>(outcome: wasmtime::Result<Result<T, Error>>) -> Result<T, String> {
    outcome.map_err(said)?.map_err(|why| format!("{} ({})", why.sentence, why.code))
}

/// Whether a call was refused with this code and a sentence.
fn refused<T>(
    what: &str,
    code: i32,
    outcome: wasmtime::Result<Result<T, Error>>,
) -> Result<(), String> {
    match outcome.map_err(said)? {
        Err(why) if why.code == code && !why.sentence.is_empty() => Ok(()),
        Err(why) => Err(format!("{what}: {code} with a sentence expected, found {why:?}")),
        Ok(_) => Err(format!("{what}: {code} expected, it succeeded")),
    }
}

fn options(sample: &Sample) -> Options {
    Options {
        create: true,
        read_only: false,
        salvage: false,
        dimension: Some(sample.base.dim as u16),
        metric: Metric::Cosine,
        capacity: ROWS as u32,
        image_bytes: None,
        words_bytes: None,
        lease: 0,
    }
}

fn item(sample: &Sample, row: usize) -> Item {
    Item {
        id: row as u64,
        vector: sample.base.row(row).to_vec(),
        text: sample.texts[row].clone(),
        kind: KINDS[row % KINDS.len()].into(),
        session: String::new(),
        created: 1000 + row as u64,
        last_used: 1000,
        uses: 0,
        importance: 0.5,
        pinned: false,
        metadata: Vec::new(),
    }
}

fn query() -> Query {
    Query { vector: None, text: None, k: K, ef: 0, filter: None }
}

fn of_kind(kind: &str, ids: Option<Vec<u64>>) -> Filter {
    Filter {
        kinds: Some(vec![kind.into()]),
        sessions: None,
        created: None,
        last_used: None,
        metadata: Vec::new(),
        ids,
    }
}

/// A store in an instance.
struct Open {
    running: Running,
    handle: ResourceAny,
}

impl Open {
    fn new(loaded: &Loaded, folder: &Path, options: &Options) -> Result<Self, String> {
        let mut running = loaded.over(folder, None)?;
        let memory = running.exports.clawft_memory_memory();
        let handle = both(memory.store().call_open(&mut running.store, FILE, *options))?;
        Ok(Open { running, handle })
    }

    /// One with the first rows, all committed.
    fn filled(loaded: &Loaded, folder: &Path, sample: &Sample) -> Result<Self, String> {
        let mut open = Open::new(loaded, folder, &options(sample))?;
        for row in 0..ROWS {
            both(open.remember(&item(sample, row)))?;
        }
        open.commit()?;
        Ok(open)
    }

    fn remember(&mut self, item: &Item) -> wasmtime::Result<Result<(), Error>> {
        let Open { running: Running { store, exports }, handle } = self;
        exports.clawft_memory_memory().store().call_remember(store, *handle, item)
    }

    fn forget(&mut self, id: u64) -> wasmtime::Result<Result<(), Error>> {
        let Open { running: Running { store, exports }, handle } = self;
        exports.clawft_memory_memory().store().call_forget(store, *handle, id)
    }

    fn recall(&mut self, query: &Query) -> wasmtime::Result<Result<Vec<Found>, Error>> {
        let Open { running: Running { store, exports }, handle } = self;
        exports.clawft_memory_memory().store().call_recall(store, *handle, query)
    }

    fn commit(&mut self) -> Result<(), String> {
        let Open { running: Running { store, exports }, handle } = self;
        both(exports.clawft_memory_memory().store().call_commit(store, *handle))
    }

    fn compact(&mut self) -> Result<(), String> {
        let Open { running: Running { store, exports }, handle } = self;
        both(exports.clawft_memory_memory().store().call_compact(store, *handle))
    }

    fn get(&mut self, id: u64) -> wasmtime::Result<Result<Item, Error>> {
        let Open { running: Running { store, exports }, handle } = self;
        exports.clawft_memory_memory().store().call_get(store, *handle, id)
    }

    fn records(&mut self) -> Result<u64, String> {
        let Open { running: Running { store, exports }, handle } = self;
        let about = exports.clawft_memory_memory().store().call_statistics(store, *handle);
        about.map(|about| about.records).map_err(said)
    }

    fn close(mut self) -> Result<(), String> {
        let memory = self.running.exports.clawft_memory_memory();
        both(memory.store().call_close(&mut self.running.store, self.handle))
    }

    /// The answers to all queries by vector.
    fn answers(
        &mut self,
        sample: &Sample,
        filter: Option<&Filter>,
    ) -> Result<Vec<Vec<(u64, f32)>>, String> {
        let mut answers = Vec::new();
        for row in 0..sample.queries.rows {
            let vector = Some(sample.queries.row(row).to_vec());
            let found = both(self.recall(&Query { vector, filter: filter.cloned(), ..query() }))?;
            answers.push(found.iter().map(|one| (one.id, one.score)).collect());
        }
        Ok(answers)
    }
}

fn insert_search(loaded: &Loaded, sample: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let mut open = Open::filled(loaded, folder.path(), sample)?;
    let all: Vec<u64> = (0..ROWS as u64).collect();
    let found = open.answers(sample, None)?;
    let share = suite::recall(sample, &all, &found)?;
    hold(share >= EXACT_RECALL, || format!("recall {EXACT_RECALL} expected, found {share:.4}"))?;
    let mut digest = Digest::default();
    found.iter().for_each(|hits| digest.hits(hits));
    for row in (0..ROWS).step_by(7) {
        let text = Some(sample.texts[row].clone());
        let found = both(open.recall(&Query { text, ..query() }))?;
        hold(found.first().is_some_and(|one| one.id == row as u64), || {
            format!("the text of {row} asked for: found {found:?}")
        })?;
        let got = both(open.get(row as u64))?;
        hold(got.text == sample.texts[row] && got.vector == sample.base.row(row), || {
            format!("{row} is not as it went in")
        })?;
    }
    Ok(Seen::new(format!("recall@{K} {share:.3}, and each text by its words"), digest))
}

fn filters(loaded: &Loaded, sample: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let mut open = Open::filled(loaded, folder.path(), sample)?;
    let mut digest = Digest::default();
    for (at, kind) in KINDS.into_iter().enumerate() {
        let all: Vec<u64> =
            (0..ROWS as u64).filter(|id| *id as usize % KINDS.len() == at).collect();
        for ids in [None, Some(vec![1, 3, 5, 6, 7])] {
            let is_given = |id: &u64| ids.as_ref().is_none_or(|ids| ids.contains(id));
            let allowed: Vec<u64> = all.iter().copied().filter(is_given).collect();
            let found = open.answers(sample, Some(&of_kind(kind, ids)))?;
            let wanted = allowed.len().min(K as usize);
            hold(found.iter().all(|hits| hits.len() == wanted), || {
                format!("{kind}: {wanted} of each query expected, one has another number")
            })?;
            let share = suite::recall(sample, &allowed, &found)?;
            hold(share >= EXACT_RECALL, || format!("{kind}: recall {share:.4}"))?;
            found.iter().for_each(|hits| digest.hits(hits));
        }
    }
    Ok(Seen::new("by kind and by ids", digest))
}

fn remove(loaded: &Loaded, sample: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    Open::filled(loaded, folder.path(), sample)?.close()?;
    let mut open = Open::new(loaded, folder.path(), &options(sample))?;
    let (gone, left): (Vec<u64>, Vec<u64>) = (0..ROWS as u64).partition(|id| id % 4 == 1);
    for id in &gone {
        both(open.forget(*id))?;
    }
    open.commit()?;
    refused("a second removal", UNKNOWN_ID, open.forget(gone[0]))?;
    refused("what was forgotten", UNKNOWN_ID, open.get(gone[0]))?;
    let found = open.answers(sample, None)?;
    let share = suite::recall(sample, &left, &found)?;
    hold(share >= EXACT_RECALL, || format!("recall {EXACT_RECALL} expected, found {share:.4}"))?;
    open.compact()?;
    open.close()?;
    for id in &gone {
        let words = &sample.texts[*id as usize].as_bytes()[..40];
        for (name, bytes) in suite::files(folder.path())? {
            let is_there = bytes.windows(words.len()).any(|part| part == words);
            hold(!is_there, || format!("the text of {id} is still in {name}"))?;
        }
    }
    Ok(Seen::new(format!("{} of {ROWS}, none left in a file", gone.len()), Digest::default()))
}

fn bad_input(loaded: &Loaded, sample: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let mut running = loaded.over(folder.path(), None)?;
    let memory = running.exports.clawft_memory_memory();
    let none = Options { create: false, ..options(sample) };
    for (what, code, path, given) in [
        ("no file", -214, FILE, &none),
        ("a path outside", -205, "/elsewhere/x.rvf", &options(sample)),
    ] {
        refused(what, code, memory.store().call_open(&mut running.store, path, *given))?;
    }
    let agent = running.exports.clawft_memory_agent();
    refused("a config", -3, agent.call_init(&mut running.store, Some("[nonsense")))?;
    both(agent.call_init(&mut running.store, Some(OFFLINE)))?;
    refused("a session", -2, agent.call_run(&mut running.store, "no/name", "x"))?;
    refused("an unknown id", -4, agent.call_forget(&mut running.store, &[1]))?;

    let mut open = Open::new(loaded, folder.path(), &options(sample))?;
    both(open.remember(&item(sample, 0)))?;
    let short = Item { vector: vec![1.0], ..item(sample, 1) };
    let odd = Item { vector: vec![f32::NAN; sample.base.dim], ..item(sample, 1) };
    let heavy = Item { importance: 2.0, ..item(sample, 1) };
    for (what, code, item) in
        [("a vector", -1, short), ("not a number", -2, odd), ("an importance", -212, heavy)]
    {
        refused(what, code, open.remember(&item))?;
    }
    let words = Some("tea".to_string());
    for (what, code, query) in
        [("nothing asked", -233, query()), ("k of 0", -4, Query { k: 0, text: words, ..query() })]
    {
        refused(what, code, open.recall(&query))?;
    }
    refused("an unknown id", UNKNOWN_ID, open.forget(99))?;
    let records = open.records()?;
    hold(records == 1, || format!("one record expected after all that, found {records}"))?;
    Ok(Seen::new("11 refusals", Digest::default()))
}

fn full(loaded: &Loaded, sample: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let mut open = Open::new(loaded, folder.path(), &Options { capacity: 5, ..options(sample) })?;
    for row in 0..5 {
        both(open.remember(&item(sample, row)))?;
    }
    open.commit()?;
    refused("a record more", FULL, open.remember(&item(sample, 5)))?;
    let records = open.records()?;
    hold(records == 5, || format!("5 records expected, found {records}"))?;
    drop(open);

    let mut running = loaded.over(folder.path(), Some(LIMIT))?;
    let memory = running.exports.clawft_memory_memory();
    let large = Options { capacity: 10_000, ..options(sample) };
    let path = "/data/large.rvf";
    let opened = memory.store().call_open(&mut running.store, path, large).map_err(said)?;
    let why = match opened {
        Ok(_) => return Err(format!("10,000 records were to fit into {LIMIT} bytes")),
        Err(why) => why,
    };
    let kind = format!("{:?}", why.kind);
    hold(kind.to_lowercase().contains("full") && !why.sentence.is_empty(), || {
        format!("a refusal for want of memory expected, found {why:?}")
    })?;
    Ok(Seen::new(format!("at 5 records, and at {} KiB", LIMIT >> 10), Digest::default()))
}

fn durable(loaded: &Loaded, sample: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let mut open = Open::filled(loaded, folder.path(), sample)?;
    both(open.forget(7))?;
    open.commit()?;
    // Not committed, so it must not be there afterwards; then the instance is gone.
    both(open.forget(9))?;
    drop(open);
    let mut open = Open::new(loaded, folder.path(), &options(sample))?;
    let records = open.records()?;
    hold(records == ROWS as u64 - 1, || format!("{} expected, found {records}", ROWS - 1))?;
    for row in [0, 9, ROWS - 1] {
        let got = both(open.get(row as u64))?;
        hold(got.text == sample.texts[row] && got.vector == sample.base.row(row), || {
            format!("{row} is not as it went in")
        })?;
    }
    open.close()?;
    let file = folder.path().join("s.rvf");
    let sound = std::fs::read(&file).map_err(|why| why.to_string())?;
    std::fs::write(&file, &sound[..sound.len() / 2]).map_err(|why| why.to_string())?;
    let half = Open::new(loaded, folder.path(), &options(sample));
    hold(half.as_ref().is_err_and(|why| why.contains("-218")), || {
        format!("half of a file: -218 expected, found {:?}", half.err())
    })?;
    Ok(Seen::new(format!("{} committed", ROWS - 1), Digest::default()))
}

fn turn(loaded: &Loaded, _: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    // The interface gives the answer when it is whole, so nobody waits for the first word.
    let model = Model::start(Manner::Whole, || true)?;
    let mut running = loaded.over(folder.path(), None)?;
    let (store, agent) = (&mut running.store, running.exports.clawft_memory_agent());
    both(agent.call_init(&mut *store, Some(&model.config())))?;
    both(agent.call_remember(&mut *store, "My cat Miro sleeps a lot"))?;
    let answer = both(agent.call_run(&mut *store, "s", "What does Miro do?"))?;
    hold(answer.text.trim_end() == WORDS.concat(), || format!("answered {:?}", answer.text))?;
    both(agent.call_run(&mut *store, "s", "And where?"))?;
    let asked = model.asked();
    let [first, second] = asked.as_slice() else {
        return Err(format!("two requests expected, found {}", asked.len()));
    };
    hold(first.key == format!("Bearer {KEY}"), || format!("asked with the key {}", first.key))?;
    let (body, history) = (first.body.to_string(), second.body.to_string());
    hold(body.contains("My cat Miro sleeps a lot"), || format!("without the memory: {body}"))?;
    hold(history.contains(&WORDS.concat()), || format!("without history: {history}"))?;
    Ok(Seen::new("two turns", Digest::default()))
}

fn broken(loaded: &Loaded, _: &Sample) -> Outcome {
    const PROVIDER: i32 = -5;
    let folder = Scratch::new()?;
    let mut running = loaded.over(folder.path(), None)?;
    let (store, agent) = (&mut running.store, running.exports.clawft_memory_agent());
    both(agent.call_init(&mut *store, Some(&nobody()?)))?;
    refused("nobody listens", PROVIDER, agent.call_run(&mut *store, "s", "Are you there?"))?;
    let model = Model::start(Manner::Cut, || true)?;
    both(agent.call_init(&mut *store, Some(&model.config())))?;
    refused("a stream that is cut", PROVIDER, agent.call_run(&mut *store, "s", "And now?"))?;
    Ok(Seen::new("nobody there; a stream that is cut", Digest::default()))
}
