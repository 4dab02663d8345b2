//! The command line of a runner, whatever its engine: one row a process.
//!
//! ```text
//! RUNNER check KIND MODULE DATA        each check of the suite, a JSON object a line
//! RUNNER faults KIND MODULE DATA       lies for each check, which must not pass
//! RUNNER first KIND MODULE             the first answer, with times and memory; waits for the end of
//!                                      standard input, so that whoever started it can look at it
//! RUNNER instantiate KIND MODULE       the median of instantiations in a host that runs
//! ```
//!
//! A module that the engine refuses is an object `cannot` with the engine's words.

use crate::Kind;
use crate::abi::{Abi, Call};
use crate::agent::{self, Agent, OFFLINE};
use crate::guest::{Engine, Outside};
use crate::kernel::{Kernel, Query};
use crate::memory::{NOW, Options, Question, Record, Records};
use crate::records::Memory;
use crate::scratch::Scratch;
use crate::seen::{Digest, Outcome, hold};
use crate::storage::Folder;
use crate::suite::{Sample, checks};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

/// Instantiations that are timed.
const INSTANCES: usize = 20;
/// Components of the vector of the first answer.
const DIM: u32 = 512;

/// Loads a module: compiles it, or takes what was compiled before.
pub type Load = fn(&Path, Kind) -> Result<Box<dyn Engine>, String>;

/// Does what the arguments say.
pub fn run(arguments: &[String], load: Load) -> ExitCode {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (mode, kind, module, rest) = match words.as_slice() {
        [mode, kind, module, rest @ ..] => match Kind::named(kind) {
            Some(kind) => (*mode, kind, Path::new(module), rest),
            None => return wrong(&format!("no kind of module is called {kind}")),
        },
        _ => return wrong("a mode, a kind and a module expected"),
    };
    let begin = Instant::now();
    let mut engine = match load(module, kind) {
        Ok(engine) => engine,
        Err(why) => {
            say(&json!({ "cannot": why }));
            return ExitCode::SUCCESS;
        }
    };
    let loaded = begin.elapsed();
    let outcome = match (mode, rest) {
        ("check", [data]) => check(&mut *engine, kind, Path::new(data)),
        ("faults", [data]) => faults(&mut *engine, kind, Path::new(data)),
        ("first", []) => first(&mut *engine, kind, loaded),
        ("instantiate", []) => instantiate(&mut *engine, kind),
        _ => {
            return wrong(&format!(
                "check or faults with a folder, first or instantiate expected: {mode}"
            ));
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => wrong(&why),
    }
}

/// Says why a runner cannot go on.
pub fn wrong(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::FAILURE
}

/// Prints an object. Whoever reads may be gone, which is no failure of ours.
pub fn say(value: &Value) {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{value}").and_then(|()| out.flush());
}

fn check(engine: &mut dyn Engine, kind: Kind, data: &Path) -> Result<(), String> {
    let sample = Sample::read(data)?;
    for (name, check) in checks(kind) {
        report(name, || check(engine, &sample));
    }
    Ok(())
}

/// Does a check and says what came of it.
pub fn report(name: &str, check: impl FnOnce() -> Outcome) {
    let begin = Instant::now();
    let outcome = check();
    let seconds = begin.elapsed().as_secs_f64();
    say(&match outcome {
        Ok(seen) => {
            // What saw nothing that could be compared has none.
            let is_some = seen.digest != Digest::default();
            let digest = is_some.then(|| format!("{:016x}", seen.digest.0));
            json!({ "check": name, "seconds": seconds, "note": seen.note, "digest": digest })
        }
        Err(why) => json!({ "check": name, "seconds": seconds, "failed": why }),
    });
}

fn faults(engine: &mut dyn Engine, kind: Kind, data: &Path) -> Result<(), String> {
    let sample = Sample::read(data)?;
    lies(crate::faults::tell(engine, kind, &sample));
    Ok(())
}

/// Says what became of lies.
pub fn lies(seen: Vec<crate::faults::Seen>) {
    for (what, outcome) in seen {
        say(&match outcome {
            Ok(()) => json!({ "check": what }),
            Err(why) => json!({ "check": what, "failed": why }),
        });
    }
}

fn first(engine: &mut dyn Engine, kind: Kind, loaded: Duration) -> Result<(), String> {
    let folder = Scratch::new()?;
    let begin = Instant::now();
    let mut abi = Abi::silent(engine, outside(kind, folder.path())?, None)?;
    let instantiated = begin.elapsed();
    match kind {
        Kind::Kernel => {
            let mut kernel = Kernel(abi);
            let handle = kernel.create(DIM, 10)?;
            kernel.store("clawft_insert", handle, 7, &vector())?;
            let found = kernel.search(handle, &vector(), Query::nearest(1))?;
            hold(found.len() == 1 && found[0].0 == 7, || format!("the first answer: {found:?}"))?;
            abi = kernel.0;
        }
        Kind::Store => {
            let (dim, capacity) = (DIM as u16, 10);
            let options = Options { create: true, dim, capacity, ..Options::default() };
            let mut memory = Memory::of(abi, &options)?;
            memory.remember(&Record {
                id: 7,
                vector: &vector(),
                text: "Ada drinks oolong tea",
                kind: "fact",
                session: "",
                created: NOW,
                used: NOW,
                importance: 0.5,
                metadata: &[],
            })?;
            memory.commit()?;
            let asked = Question { k: 1, text: Some("oolong"), ..Question::default() };
            let found = memory.recall(asked)?;
            hold(found.len() == 1 && found[0].0 == 7, || format!("the first answer: {found:?}"))?;
            abi = memory.abi;
        }
        Kind::Agent => {
            let mut agent = Agent { abi };
            agent.text("clawft_init", OFFLINE.as_bytes())?;
            // Offline and with an empty memory it says that it knows nothing.
            let answer = agent.say("What does Ada drink?");
            hold(!said_nothing(&answer), || format!("the first answer: {answer:?}"))?;
            abi = agent.abi;
        }
    }
    say(&json!({
        "load": loaded.as_secs_f64(),
        "instantiate": instantiated.as_secs_f64(),
        "linear": abi.size(),
    }));
    // As an instance that waits for its host.
    let _ = std::io::stdin().read(&mut [0]);
    Ok(())
}

/// Whether an answer is none.
fn said_nothing(answer: &Call<String>) -> bool {
    match answer {
        Ok(text) => text.trim().is_empty(),
        Err(_) => true,
    }
}

/// Any vector.
fn vector() -> Vec<f32> {
    (0..DIM).map(|at| at as f32 - 99.0).collect()
}

/// What an instance gets.
fn outside(kind: Kind, folder: &Path) -> Result<Outside, String> {
    match kind {
        Kind::Kernel => Ok(Outside::nothing()),
        Kind::Store => {
            let space = Arc::new(AtomicU64::new(u64::MAX));
            let imports = Box::new(Folder::new(folder.to_path_buf(), space));
            Ok(Outside { imports, wasi: None })
        }
        Kind::Agent => agent::outside(folder),
    }
}

fn instantiate(engine: &mut dyn Engine, kind: Kind) -> Result<(), String> {
    let folder = Scratch::new()?;
    let mut times = Vec::new();
    for _ in 0..=INSTANCES {
        let outside = outside(kind, folder.path())?;
        let begin = Instant::now();
        let guest = engine.instantiate(outside)?;
        times.push(begin.elapsed());
        drop(guest);
    }
    // The first one has touched the pages of the code.
    let times = &mut times[1..];
    times.sort_unstable();
    say(&json!({ "instantiate": times[INSTANCES / 2].as_secs_f64() }));
    Ok(())
}
