//! Engines in processes of their own, asked in turns.
//!
//! The demo's host and the peers both take questions line by line (`xtask/demo/src/asked.rs` says
//! how), so that a machine that slows down for a minute slows all of them down.

use crate::process::Outcome;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// One program that holds engines, ready for questions.
struct Process {
    label: String,
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Process {
    /// The next line.
    fn line(&mut self) -> Outcome<Value> {
        let mut line = String::new();
        match self.answers.read_line(&mut line) {
            Ok(0) => Err(format!("{} ended before it answered; it has said why", self.label)),
            Ok(_) => serde_json::from_str(&line)
                .map_err(|error| format!("{} printed no JSON ({error}): {line}", self.label)),
            Err(error) => Err(format!("{}: {error}", self.label)),
        }
    }

    fn ask(&mut self, question: &Value) -> Outcome<Value> {
        let questions = self.questions.as_mut().ok_or("asked after the end")?;
        writeln!(questions, "{question}")
            .and_then(|()| questions.flush())
            .map_err(|error| format!("{} takes no question: {error}", self.label))?;
        self.line()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Without questions it ends by itself.
        drop(self.questions.take());
        let _ = self.child.wait();
    }
}

/// One way to search: an engine of a process, in a mode.
pub(super) struct Engine {
    process: usize,
    /// What its process calls it.
    of_process: String,
    pub(super) mode: &'static str,
    /// Its name in results: unique.
    pub(super) key: String,
    /// What its process says of it: build time, memory and such.
    pub(super) about: Value,
}

/// What to measure.
#[derive(Clone, Copy)]
pub(super) struct Question {
    /// Which set of queries.
    pub(super) set: usize,
    pub(super) ef: u32,
    /// Seconds of timed passes; 0: recall only.
    pub(super) seconds: f64,
    /// Also queries one by one.
    pub(super) single: bool,
}

/// All engines of a run, in the order of the results.
pub(super) struct Engines {
    processes: Vec<Process>,
    pub(super) list: Vec<Engine>,
}

impl Engines {
    pub(super) fn new() -> Self {
        Engines { processes: Vec::new(), list: Vec::new() }
    }

    /// Starts a program, waits until it has built its engines, and adds each of them in the mode
    /// `auto`, under a key that is `prefix` and its name.
    pub(super) fn start(&mut self, command: &mut Command, prefix: &str) -> Outcome {
        let label = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{label} could not be started: {error}"))?;
        let (questions, answers) = (child.stdin.take(), child.stdout.take());
        let answers = BufReader::new(answers.ok_or("no standard output")?);
        let mut process = Process { label, child, questions, answers };
        let mut found = Vec::new();
        loop {
            let about = process.line()?;
            if about["ready"] == json!(true) {
                break;
            }
            let of_process = about["engine"].as_str().unwrap_or_default().to_string();
            let key = format!("{prefix}{of_process}");
            let process = self.processes.len();
            found.push(Engine { process, of_process, mode: "auto", key, about });
        }
        self.processes.push(process);
        self.list.extend(found);
        Ok(())
    }

    /// Adds the engine of this key once more, in another mode.
    pub(super) fn also(&mut self, key: &str, mode: &'static str) -> Outcome {
        let at = self.list.iter().position(|one| one.key == key);
        let at = at.ok_or_else(|| format!("there is no engine {key}"))?;
        let Engine { process, of_process, about, .. } = &self.list[at];
        let other = Engine {
            process: *process,
            of_process: of_process.clone(),
            mode,
            key: format!("{key}, {mode}"),
            about: about.clone(),
        };
        let mut place = at + 1;
        while self.list.get(place).is_some_and(|one| one.key.starts_with(&format!("{key}, "))) {
            place += 1;
        }
        self.list.insert(place, other);
        Ok(())
    }

    /// Asks one engine of the list.
    pub(super) fn ask(&mut self, at: usize, question: Question) -> Outcome<Value> {
        let engine = &self.list[at];
        let line = json!({
            "engine": engine.of_process,
            "queries": question.set,
            "mode": engine.mode,
            "ef": question.ef,
            "seconds": question.seconds,
            "single": question.single,
        });
        self.processes[engine.process].ask(&line)
    }

    /// The recall of one engine.
    pub(super) fn recall(&mut self, at: usize, set: usize, ef: u32) -> Outcome<f64> {
        let answer = self.ask(at, Question { set, ef, seconds: 0.0, single: false })?;
        number(&answer, "recall@10")
    }

    /// Queries a second of one engine.
    pub(super) fn speed(&mut self, at: usize, set: usize, ef: u32, seconds: f64) -> Outcome<f64> {
        let answer = self.ask(at, Question { set, ef, seconds, single: false })?;
        number(&answer, "qps")
    }
}

/// A number of an answer.
pub(super) fn number(line: &Value, field: &str) -> Outcome<f64> {
    line[field].as_f64().ok_or_else(|| format!("no number `{field}` in {line}"))
}
