//! The interface `agent`: what it is told it finds again, each refusal has its number, and turns.

use crate::component::exports::clawft::memory::agent::Verdict;
use crate::component::exports::clawft::memory::errors::Error;
use crate::component::{Loaded, Running};
use crate::core::said;
use clawft_matrix::agent::OFFLINE;
use clawft_matrix::model::{KEY, Manner, Model, WORDS, nobody};
use clawft_matrix::scratch::Scratch;
use clawft_matrix::seen::{Digest, Outcome, Seen, hold};
use clawft_matrix::suite::{self, Sample};
use std::path::Path;

const FAILED: i32 = -1;
const USAGE: i32 = -2;
const CONFIG: i32 = -3;
const NOTHING: i32 = -4;
const PROVIDER: i32 = -5;
/// Memories that are told from each other.
const TOLD: usize = 40;
/// Linear memory that is too little to open a memory, bytes.
const LIMIT: usize = 768 << 10;

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

/// An agent in an instance.
struct Agent(Running);

impl Agent {
    fn over(loaded: &Loaded, folder: &Path, config: Option<&str>) -> Result<Self, String> {
        let mut agent = Agent(loaded.over(folder, None)?);
        both(agent.init(config))?;
        Ok(agent)
    }

    fn init(&mut self, config: Option<&str>) -> wasmtime::Result<Result<(), Error>> {
        let Running { store, exports } = &mut self.0;
        exports.clawft_memory_agent().call_init(store, config)
    }

    fn told(&mut self, text: &str) -> Result<u64, String> {
        let Running { store, exports } = &mut self.0;
        Ok(both(exports.clawft_memory_agent().call_remember(store, text))?.id)
    }

    /// Texts of the memories that answer.
    fn found(&mut self, query: &str) -> Result<Vec<String>, String> {
        let Running { store, exports } = &mut self.0;
        let found = both(exports.clawft_memory_agent().call_recall(store, query, 3))?;
        Ok(found.into_iter().map(|memo| memo.text).collect())
    }

    fn forget(&mut self, id: u64) -> wasmtime::Result<Result<Vec<String>, Error>> {
        let Running { store, exports } = &mut self.0;
        exports.clawft_memory_agent().call_forget(store, &[id])
    }
}

/// Texts of the sample are remembered, and each is found by its words; an answer cites.
pub(super) fn insert_search(loaded: &Loaded, sample: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let mut agent = Agent::over(loaded, folder.path(), Some(OFFLINE))?;
    let told = agent.told("Ada drinks oolong tea")?;
    for text in &sample.texts[..TOLD] {
        agent.told(text)?;
    }
    for text in &sample.texts[..TOLD] {
        let found = agent.found(text)?;
        hold(found.iter().any(|one| one == text), || format!("`{text}` asked for: {found:?}"))?;
    }
    let Running { store, exports } = &mut agent.0;
    let interface = exports.clawft_memory_agent();
    let answer = both(interface.call_run(&mut *store, "s", "What does Ada drink?"))?;
    hold(answer.text.contains("oolong") && answer.cited.contains(&told), || {
        format!("an answer that cites {told} expected: {}, {:?}", answer.text, answer.cited)
    })?;
    let importance = both(interface.call_feedback(&mut *store, told, Verdict::Good))?;
    // A new one's is 0.5, good raises it by 1/8.
    hold(importance == 0.625, || format!("0.625 expected, found {importance}"))?;
    Ok(Seen::new(format!("{TOLD} of {TOLD} texts, and an answer that cites"), Digest::default()))
}

/// What is forgotten is gone, from the file too.
pub(super) fn remove(loaded: &Loaded, _: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let mut agent = Agent::over(loaded, folder.path(), Some(OFFLINE))?;
    let told = agent.told("Ada drinks oolong tea")?;
    agent.told("The spare key is with Maria")?;
    let gone = both(agent.forget(told))?;
    hold(gone == ["Ada drinks oolong tea"], || format!("forgotten was {gone:?}"))?;
    refused("forgotten twice", NOTHING, agent.forget(told))?;
    let found = agent.found("oolong")?;
    hold(found.iter().all(|text| !text.contains("oolong")), || format!("it found {found:?}"))?;
    for (name, bytes) in suite::files(folder.path())? {
        let is_there = bytes.windows(6).any(|part| part == b"oolong");
        hold(!is_there, || format!("what was forgotten is still in {name}"))?;
    }
    let left = agent.found("key")?;
    hold(left == ["The spare key is with Maria"], || format!("the other one: {left:?}"))?;
    Ok(Seen::new("none left in a file", Digest::default()))
}

pub(super) fn bad_input(loaded: &Loaded, _: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let mut agent = Agent(loaded.over(folder.path(), None)?);
    refused("a config that is none", CONFIG, agent.init(Some("[nonsense")))?;
    let odd = "[embedder]\nnonsense = \"hashed\"\n";
    refused("an unknown key in a config", CONFIG, agent.init(Some(odd)))?;
    both(agent.init(Some(OFFLINE)))?;
    let Running { store, exports } = &mut agent.0;
    let interface = exports.clawft_memory_agent();
    let session = interface.call_run(&mut *store, "no/name", "x");
    refused("a session's name that is a path", USAGE, session)?;
    refused("nothing to remember", USAGE, interface.call_remember(&mut *store, ""))?;
    refused("to forget an unknown id", NOTHING, interface.call_forget(&mut *store, &[1]))?;
    let feedback = interface.call_feedback(&mut *store, 1, Verdict::Good);
    refused("feedback on an unknown id", NOTHING, feedback)?;
    agent.told("The spare key is with Maria")?;
    let found = agent.found("key")?;
    hold(found == ["The spare key is with Maria"], || format!("after all that: {found:?}"))?;
    Ok(Seen::new("6 refusals", Digest::default()))
}

/// Linear memory that ends early: a refusal, nothing lost, and the instance goes on.
pub(super) fn full(loaded: &Loaded, _: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    Agent::over(loaded, folder.path(), Some(OFFLINE))?.told("The spare key is with Maria")?;
    let mut small = Agent(loaded.over(folder.path(), Some(LIMIT))?);
    both(small.init(Some(OFFLINE)))?;
    let Running { store, exports } = &mut small.0;
    let interface = exports.clawft_memory_agent();
    for _ in 0..2 {
        let told = interface.call_remember(&mut *store, "Ada drinks oolong tea");
        refused("too little memory for a memory", FAILED, told)?;
    }
    let sessions = both(interface.call_sessions(&mut *store))?;
    hold(sessions.is_empty(), || format!("no session expected, found {sessions:?}"))?;
    let size = small.0.size();
    hold(size <= LIMIT, || format!("{LIMIT} bytes expected, it has {size}"))?;
    let mut agent = Agent::over(loaded, folder.path(), Some(OFFLINE))?;
    let found = agent.found("key")?;
    hold(found == ["The spare key is with Maria"], || format!("after all that: {found:?}"))?;
    agent.told("Ada drinks oolong tea")?;
    Ok(Seen::new(format!("at {} KiB", LIMIT >> 10), Digest::default()))
}

/// Another instance, without any farewell of the first, has memory, session and config.
pub(super) fn durable(loaded: &Loaded, _: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let mut agent = Agent::over(loaded, folder.path(), Some(OFFLINE))?;
    agent.told("The spare key is with Maria")?;
    let Running { store, exports } = &mut agent.0;
    both(exports.clawft_memory_agent().call_run(store, "s", "Who has the spare key?"))?;
    drop(agent);
    let config = folder.path().join("config.toml");
    std::fs::write(config, OFFLINE).map_err(|why| why.to_string())?;
    let mut agent = Agent::over(loaded, folder.path(), None)?;
    let found = agent.found("key")?;
    hold(found.contains(&"The spare key is with Maria".to_string()), || {
        format!("the memory is not there: {found:?}")
    })?;
    let Running { store, exports } = &mut agent.0;
    let sessions = both(exports.clawft_memory_agent().call_sessions(store))?;
    hold(sessions == ["s"], || format!("the session is not there: {sessions:?}"))?;
    Ok(Seen::new("memory and session", Digest::default()))
}

pub(super) fn turn(loaded: &Loaded, _: &Sample) -> Outcome {
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

pub(super) fn broken(loaded: &Loaded, _: &Sample) -> Outcome {
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
