//! The agent by its C functions: what it is told it finds again, and a turn with a model is shown
//! while it is made.

use super::Sample;
use crate::agent::{Agent, OFFLINE, output};
use crate::guest::Engine;
use crate::model::{KEY, Manner, Model, WORDS, nobody};
use crate::scratch::Scratch;
use crate::seen::{Digest, Outcome, Seen, hold, refused};

const NULL_POINTER: i32 = -102;
const OUT_OF_RANGE: i32 = -104;
const MEMORY_IN_USE: i32 = -109;
const NOT_ALLOCATED: i32 = -113;
const INVALID_TEXT: i32 = -115;
const FAILED: i32 = -301;
const USAGE: i32 = -302;
const CONFIG: i32 = -303;
const NOTHING: i32 = -304;
const PROVIDER: i32 = -305;
const NOT_INITIALISED: i32 = -309;
const INITIALISED: i32 = -310;
/// The most that a text may have, bytes.
const LONGEST: usize = 1 << 20;
/// Memories that are told from each other.
const TOLD: usize = 40;
/// Bytes of linear memory that an agent has who runs out of it: too few to begin, then too few to
/// open a memory.
const LEAST: u32 = 640 << 10;
const MOST: u32 = 3 << 20;
const STEP: usize = 128 << 10;

/// A memory's id, as the command prints it.
pub(crate) fn id(printed: &str) -> Result<u64, String> {
    let value: serde_json::Value =
        serde_json::from_str(printed).map_err(|why| format!("{printed}: {why}"))?;
    value["id"].as_u64().ok_or_else(|| format!("an id expected in {printed}"))
}

/// Texts of the sample are remembered, and each is found by its words; an answer cites.
pub(super) fn insert_search(engine: &mut dyn Engine, sample: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let mut agent = Agent::with(engine, folder.path(), OFFLINE)?;
    let told = id(&agent.run(&["remember", "--json", "Ada drinks oolong tea"])?)?;
    for text in &sample.texts[..TOLD] {
        agent.run(&["remember", text])?;
    }
    let answer = agent.say("What does Ada drink?")?;
    hold(answer.contains("oolong") && answer.contains(&told.to_string()), || {
        format!("an answer that cites {told} expected: {answer}")
    })?;
    let mut first = 0;
    for text in &sample.texts[..TOLD] {
        let found = agent.run(&["recall", "-k", "3", text])?;
        let words: Vec<&str> = text.split_whitespace().take(5).collect();
        first += usize::from(found.contains(&words.join(" ")));
    }
    hold(first == TOLD, || format!("{TOLD} texts asked for, {first} found"))?;
    // What was printed is what came out.
    let shown = std::fs::read_to_string(output(folder.path())).unwrap_or_default();
    hold(shown.contains(&answer), || "standard output has no answer".into())?;
    Ok(Seen::new(format!("{first} of {TOLD} texts, and an answer that cites"), Digest::default()))
}

/// What is forgotten is gone, from the file too.
pub(super) fn remove(engine: &mut dyn Engine, _: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let mut agent = Agent::with(engine, folder.path(), OFFLINE)?;
    let told = id(&agent.run(&["remember", "--json", "Ada drinks oolong tea"])?)?;
    agent.run(&["forget", "--json", &told.to_string()])?;
    refused("what was forgotten", NOTHING, agent.run(&["recall", "oolong"]))?;
    agent.run(&["remember", "The spare key is with Maria"])?;
    for (name, bytes) in super::store::files(&folder.path().join("data"))? {
        let is_there = bytes.windows(6).any(|part| part == b"oolong");
        hold(!is_there, || format!("what was forgotten is still in {name}"))?;
    }
    let left = agent.run(&["recall", "key"])?;
    hold(left.contains("Maria"), || format!("the other memory is gone: {left}"))?;
    Ok(Seen::new("none left in a file", Digest::default()))
}

/// Another instance, without any farewell of the first, has memory and session.
pub(super) fn durable(engine: &mut dyn Engine, _: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let mut agent = Agent::with(engine, folder.path(), OFFLINE)?;
    agent.run(&["remember", "The spare key is with Maria"])?;
    agent.say("Who has the spare key?")?;
    drop(agent);
    // This time the config is the data folder's.
    let config = folder.path().join("data/config.toml");
    std::fs::write(config, OFFLINE).map_err(|why| why.to_string())?;
    let mut agent = Agent::with(engine, folder.path(), "")?;
    let found = agent.run(&["recall", "key"])?;
    hold(found.contains("Maria"), || format!("the memory is not there: {found}"))?;
    let sessions = agent.run(&["sessions"])?;
    hold(sessions.starts_with("default"), || format!("the session is not there: {sessions}"))?;
    Ok(Seen::new("memory and session", Digest::default()))
}

/// What a host may get wrong, each with its number and a sentence; the agent goes on.
pub(super) fn bad_input(engine: &mut dyn Engine, _: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let mut agent = Agent::new(engine, folder.path(), Some(16 << 20))?;
    let again = agent.abi.raw("clawft_init_memory", &[0u32.into(), (16u32 << 20).into()])?;
    hold(again as i32 == MEMORY_IN_USE, || format!("memory settled twice: found {again}"))?;
    refused("run before init", NOT_INITIALISED, agent.say("hello"))?;
    let mut number = 2;
    for name in ["clawft_init", "clawft_run"] {
        if name == "clawft_run" {
            agent.text("clawft_init", OFFLINE.as_bytes())?;
        }
        // Each call wants memory free before it looks at an address; from here on it has it.
        refused("a null address", NULL_POINTER, agent.place(name, 0, 9))?;
        let end = agent.abi.size() as u32;
        let places = [
            ("a null address", NULL_POINTER, 0, 9),
            ("bytes behind the end", OUT_OF_RANGE, end - 4, 5),
            ("an address behind the end", OUT_OF_RANGE, end + 1, 1),
            ("an address of all ones", OUT_OF_RANGE, u32::MAX, 1),
            ("a length of all ones", OUT_OF_RANGE, 1024, u32::MAX),
        ];
        for (what, code, at, len) in places {
            refused(what, code, agent.place(name, at, len))?;
        }
        refused("bytes that are no text", INVALID_TEXT, agent.text(name, b"caf\xe9"))?;
        let long = vec![b'x'; LONGEST + 1];
        refused("a text that is too long", INVALID_TEXT, agent.text(name, &long))?;
        number += places.len() + 2;
    }
    let twice = agent.text("clawft_init", OFFLINE.as_bytes());
    refused("a second init", INITIALISED, twice)?;
    for input in ["[1]", "[", "[\"recall\", 1]", "[\"nonsense\"]", ""] {
        refused(input, USAGE, agent.say(input))?;
    }
    let block = agent.abi.room(8)?;
    let wrong = agent.abi.raw("clawft_free", &[(block + 1).into()])?;
    hold(wrong as i32 == NOT_ALLOCATED, || format!("no block: found {wrong}"))?;
    let version = agent.run(&["version", "--json"])?;
    hold(version.starts_with("{\"version\":\""), || format!("after all that: {version}"))?;

    let mut agent = Agent::new(engine, folder.path(), None)?;
    let config = agent.text("clawft_init", b"[embedder]\nnonsense = \"hashed\"\n");
    refused("an unknown key in a config", CONFIG, config)?;
    Ok(Seen::new(format!("{} refusals", number + 8), Digest::default()))
}

/// Linear memory that ends early: a refusal with a sentence, and nothing is half done.
pub(super) fn full(engine: &mut dyn Engine, _: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let mut agent = Agent::with(engine, folder.path(), OFFLINE)?;
    agent.run(&["remember", "The spare key is with Maria"])?;
    drop(agent);
    let (mut starts, mut runs) = (0, 0);
    for limit in (LEAST..=MOST).step_by(STEP) {
        let mut agent = Agent::new(engine, folder.path(), Some(limit))?;
        match agent.text("clawft_init", OFFLINE.as_bytes()) {
            Err(why) => {
                refused("too little memory to begin", FAILED, Err::<(), _>(why))?;
                starts += 1;
            }
            Ok(_) => {
                if let Err(why) = agent.run(&["remember", "Ada drinks oolong tea"]) {
                    refused("too little memory for a memory", FAILED, Err::<(), _>(why))?;
                    runs += 1;
                }
            }
        }
        let size = agent.abi.size();
        hold(size <= limit as usize, || format!("{limit} bytes expected, it has {size}"))?;
    }
    hold(starts > 0 && runs > 0, || {
        format!("both refused somewhere expected, {starts} beginnings and {runs} runs were")
    })?;
    // Whoever has more memory goes on with what is there.
    let mut agent = Agent::with(engine, folder.path(), OFFLINE)?;
    let found = agent.run(&["recall", "key"])?;
    hold(found.contains("Maria"), || format!("the memory is not there: {found}"))?;
    agent.run(&["remember", "Ada drinks oolong tea"])?;
    let note = format!("from {} to {} KiB", LEAST >> 10, MOST >> 10);
    Ok(Seen::new(note, Digest::default()))
}

/// Two turns with a model on loopback, the first of which is shown while it is made.
pub(super) fn turn(engine: &mut dyn Engine, _: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let shown = output(folder.path());
    let is_shown =
        move || std::fs::read_to_string(&shown).is_ok_and(|text| text.contains(WORDS[0]));
    let model = Model::start(Manner::Whole, is_shown)?;
    let mut agent = Agent::with(engine, folder.path(), &model.config())?;
    agent.run(&["remember", "My cat Miro sleeps a lot"])?;
    std::fs::write(output(folder.path()), "").map_err(|why| why.to_string())?;
    let answer = agent.say("What does Miro do?")?;
    hold(answer.trim_end() == WORDS.concat(), || format!("the answer is {answer:?}"))?;
    agent.say("And where?")?;
    let asked = model.asked();
    let [first, second] = asked.as_slice() else {
        return Err(format!("two requests expected, found {}", asked.len()));
    };
    hold(first.was_shown, || "the first word was not shown before the second was said".into())?;
    hold(first.key == format!("Bearer {KEY}"), || format!("asked with the key {}", first.key))?;
    let body = first.body.to_string();
    hold(first.body["stream"] == true && body.contains("My cat Miro sleeps a lot"), || {
        format!("a request for a stream, with the memory, expected: {body}")
    })?;
    let history = second.body["messages"].to_string();
    hold(history.contains("What does Miro do?") && history.contains(&WORDS.concat()), || {
        format!("the second request has no history: {history}")
    })?;
    Ok(Seen::new("two turns, shown while they are made", Digest::default()))
}

/// Nobody listens, or the stream is cut: a number, and the message is kept.
pub(super) fn broken(engine: &mut dyn Engine, _: &Sample) -> Outcome {
    let folder = Scratch::new()?;
    let mut agent = Agent::with(engine, folder.path(), &nobody()?)?;
    refused("nobody listens", PROVIDER, agent.say("Are you there?"))?;
    let session = folder.path().join("data/sessions/default.json");
    let session = std::fs::read_to_string(session).map_err(|why| why.to_string())?;
    hold(session.contains("Are you there?"), || format!("the message is lost: {session}"))?;
    let model = Model::start(Manner::Cut, || true)?;
    let mut agent = Agent::with(engine, folder.path(), &model.config())?;
    refused("a stream that is cut", PROVIDER, agent.say("What does Miro do?"))?;
    Ok(Seen::new("nobody there; a stream that is cut", Digest::default()))
}
