//! The agent as a person has it: a command, one process a call, the component inside.
//!
//! ```text
//! RUNNER command DATA PROGRAM ARGUMENT…
//! ```
//!
//! checks the command `PROGRAM ARGUMENT…`, behind which the agent's own arguments stand. In the
//! arguments `{data}` is the data folder.

use crate::agent::OFFLINE;
use crate::model::{KEY, Manner, Model, WORDS, nobody};
use crate::runner;
use crate::scratch::Scratch;
use crate::seen::{Digest, Outcome, Seen, hold};
use crate::suite::Sample;
use std::io::Read;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

const USAGE: i32 = 2;
const CONFIG: i32 = 3;
const NOTHING: i32 = 4;
const PROVIDER: i32 = 5;
/// Memories that are told from each other.
const TOLD: usize = 10;

type Check = (&'static str, fn(&Program<'_>, &Sample) -> Outcome);

const CHECKS: [Check; 6] = [
    ("insert, search", insert_search),
    ("remove", remove),
    ("bad input", bad_input),
    ("durable file", durable),
    ("chat turn", turn),
    ("chat turn that fails", broken),
];

/// Checks the command of these words.
pub fn check(words: &[String]) -> ExitCode {
    let [data, program @ ..] = words else {
        return runner::wrong("a folder and a command expected");
    };
    match Sample::read(Path::new(data)) {
        Ok(sample) => {
            for (name, check) in CHECKS {
                runner::report(name, || check(&Program(program), &sample));
            }
            ExitCode::SUCCESS
        }
        Err(why) => runner::wrong(&why),
    }
}

/// A command without the agent's own arguments.
struct Program<'a>(&'a [String]);

/// What came of a call.
#[derive(Debug)]
struct Ended {
    exit: i32,
    out: String,
    notes: String,
}

impl Program<'_> {
    fn command(&self, data: &Path, arguments: &[&str]) -> Result<Command, String> {
        let [program, rest @ ..] = self.0 else { return Err("a command expected".into()) };
        let data = data.to_string_lossy();
        let mut command = Command::new(program);
        command.args(rest.iter().map(|word| word.replace("{data}", &data))).args(arguments);
        command.env("CLAWFT_HOME", &*data).env("OPENAI_API_KEY", KEY).stdin(Stdio::null());
        Ok(command)
    }

    fn run(&self, data: &Path, arguments: &[&str]) -> Result<Ended, String> {
        let output = self.command(data, arguments)?.output().map_err(|why| why.to_string())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let exit = output.status.code().unwrap_or(-1);
        Ok(Ended { exit, out: text(&output.stdout), notes: text(&output.stderr) })
    }

    /// Runs it and gives what it printed.
    fn done(&self, data: &Path, arguments: &[&str]) -> Result<String, String> {
        let ended = self.run(data, arguments)?;
        match ended.exit {
            0 => Ok(ended.out),
            _ => Err(format!("{arguments:?} ended with {}: {}", ended.exit, ended.notes)),
        }
    }

    /// Runs what must be refused with this exit code and a sentence.
    fn refuses(&self, data: &Path, exit: i32, arguments: &[&str]) -> Result<(), String> {
        let ended = self.run(data, arguments)?;
        let is_said = !ended.notes.trim().is_empty() || !ended.out.trim().is_empty();
        hold(ended.exit == exit && is_said, || {
            format!("{arguments:?}: exit code {exit} with a sentence expected: {ended:?}")
        })
    }
}

/// A data folder with a config.
fn data(config: &str) -> Result<Scratch, String> {
    let folder = Scratch::new()?;
    let path = folder.path().join("config.toml");
    std::fs::write(&path, config).map_err(|why| format!("{}: {why}", path.display()))?;
    Ok(folder)
}

fn seen(note: impl Into<String>) -> Outcome {
    Ok(Seen::new(note, Digest::default()))
}

fn insert_search(program: &Program<'_>, sample: &Sample) -> Outcome {
    let data = data(OFFLINE)?;
    let data = data.path();
    let told = program.done(data, &["remember", "--json", "Ada drinks oolong tea"])?;
    let told = crate::suite::id(&told)?.to_string();
    for text in &sample.texts[..TOLD] {
        program.done(data, &["remember", text])?;
    }
    let answer = program.done(data, &["ask", "What does Ada drink?"])?;
    hold(answer.contains("oolong") && answer.contains(&told), || {
        format!("an answer that cites {told} expected: {answer}")
    })?;
    for text in &sample.texts[..TOLD] {
        let found = program.done(data, &["recall", "-k", "3", text])?;
        let words: Vec<&str> = text.split_whitespace().take(5).collect();
        let words = words.join(" ");
        hold(found.contains(&words), || format!("`{words}` asked for: found {found}"))?;
    }
    seen(format!("{TOLD} of {TOLD} texts, and an answer that cites"))
}

fn remove(program: &Program<'_>, _: &Sample) -> Outcome {
    let data = data(OFFLINE)?;
    let data = data.path();
    let told = program.done(data, &["remember", "--json", "Ada drinks oolong tea"])?;
    let told = crate::suite::id(&told)?.to_string();
    program.done(data, &["forget", "--json", &told])?;
    program.refuses(data, NOTHING, &["recall", "oolong"])?;
    for (name, bytes) in crate::suite::files(data)? {
        let is_there = bytes.windows(6).any(|part| part == b"oolong");
        hold(!is_there, || format!("what was forgotten is still in {name}"))?;
    }
    program.refuses(data, NOTHING, &["forget", &told])?;
    seen("none left in a file")
}

fn bad_input(program: &Program<'_>, _: &Sample) -> Outcome {
    let data = data(OFFLINE)?;
    let data = data.path();
    for arguments in [&["nonsense"][..], &["recall", "-k", "many", "tea"], &["forget", "tea"]] {
        program.refuses(data, USAGE, arguments)?;
    }
    let odd = self::data("[embedder]\nnonsense = \"hashed\"\n")?;
    program.refuses(odd.path(), CONFIG, &["stats"])?;
    let version = program.done(data, &["version"])?;
    hold(version.starts_with("clawft 0."), || format!("a version expected: {version}"))?;
    seen("4 refusals")
}

/// A chat that is killed while it answers: what it was told is in its session, the memory that was there
/// is whole, and the next process goes on.
fn durable(program: &Program<'_>, _: &Sample) -> Outcome {
    let folder = data(OFFLINE)?;
    let data = folder.path();
    program.done(data, &["remember", "The spare key is with Maria"])?;
    let found = program.done(data, &["recall", "key"])?;
    hold(found.contains("Maria"), || format!("the memory is not there: {found}"))?;
    let mut writer = program.command(data, &["chat"])?;
    writer.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut writer = writer.spawn().map_err(|why| why.to_string())?;
    let mut tell = writer.stdin.take().ok_or("it has no input")?;
    let mut out = writer.stdout.take().ok_or("it has no output")?;
    let text = b"Remember that Ada drinks oolong tea\n";
    std::io::Write::write_all(&mut tell, text).map_err(|why| why.to_string())?;
    // A message is in the session's file before it is answered. It is remembered after that, and may
    // or may not be by now.
    out.read_exact(&mut [0]).map_err(|_| "the chat ended without an answer")?;
    writer.kill().and_then(|()| writer.wait()).map_err(|why| why.to_string())?;
    let says = |bytes: &[u8]| bytes.windows(6).any(|part| part == b"oolong");
    let files = crate::suite::files(data)?;
    hold(files.iter().any(|(name, bytes)| name.contains("sessions/") && says(bytes)), || {
        let names: Vec<&String> = files.iter().map(|(name, _)| name).collect();
        format!("no session has what a killed chat was told: {names:?}")
    })?;
    let found = program.done(data, &["recall", "key"])?;
    hold(found.contains("Maria"), || format!("after a kill the memory is not there: {found}"))?;
    program.done(data, &["remember", "Ada drinks oolong tea"])?;
    seen("a chat killed, its message kept, and the next one goes on")
}

fn turn(program: &Program<'_>, _: &Sample) -> Outcome {
    let shown = Arc::new(AtomicBool::new(false));
    let is_shown = shown.clone();
    let model = Model::start(Manner::Whole, move || is_shown.load(Relaxed))?;
    let folder = data(&model.config())?;
    let data = folder.path();
    program.done(data, &["remember", "My cat Miro sleeps a lot"])?;
    let mut command = program.command(data, &["ask", "--session", "s", "What does Miro do?"])?;
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().map_err(|why| why.to_string())?;
    let mut out = child.stdout.take().ok_or("it has no output")?;
    let mut answer = String::new();
    let mut part = [0; 64];
    while let Ok(n) = out.read(&mut part)
        && n > 0
    {
        answer.push_str(&String::from_utf8_lossy(&part[..n]));
        shown.store(answer.contains(WORDS[0]), Relaxed);
    }
    let ended = child.wait_with_output().map_err(|why| why.to_string())?;
    hold(ended.status.success() && answer.trim_end() == WORDS.concat(), || {
        format!("{answer:?}, {}: {}", ended.status, String::from_utf8_lossy(&ended.stderr))
    })?;
    program.done(data, &["ask", "--session", "s", "And where?"])?;
    let asked = model.asked();
    let [first, second] = asked.as_slice() else {
        return Err(format!("two requests expected, found {}", asked.len()));
    };
    hold(first.was_shown, || "the first word was not shown before the second was said".into())?;
    hold(first.key == format!("Bearer {KEY}"), || format!("asked with the key {}", first.key))?;
    let (body, history) = (first.body.to_string(), second.body.to_string());
    hold(body.contains("My cat Miro sleeps a lot"), || format!("without the memory: {body}"))?;
    hold(history.contains(&WORDS.concat()), || format!("without history: {history}"))?;
    seen("two turns, shown while they are made")
}

fn broken(program: &Program<'_>, _: &Sample) -> Outcome {
    let folder = data(&nobody()?)?;
    program.refuses(folder.path(), PROVIDER, &["ask", "Are you there?"])?;
    let model = Model::start(Manner::Cut, || true)?;
    let folder = data(&model.config())?;
    program.refuses(folder.path(), PROVIDER, &["ask", "What does Miro do?"])?;
    seen("nobody there; a stream that is cut")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clawft_sample::arrays::Matrix;

    /// The check with a command that answers what is wanted whatever it was told, and that does so with
    /// the message of a chat.
    fn with_a_chat_that(does: &str) -> Outcome {
        let script = format!(
            "case $1 in recall) echo Maria;; chat) read -r line; {does}; echo yes; read -r more;; esac"
        );
        let words = ["sh", "-c", &script, "clawft"].map(String::from);
        let none = || Matrix { rows: 0, dim: 1, values: Vec::new() };
        let sample = Sample { base: none(), texts: Vec::new(), queries: none() };
        durable(&Program(&words), &sample)
    }

    #[test]
    fn a_chat_that_answers_and_keeps_nothing_is_seen() {
        let keeps = "cd \"$CLAWFT_HOME\"; mkdir sessions; echo \"$line\" > sessions/default.json";
        with_a_chat_that(keeps).unwrap();
        let why = with_a_chat_that(":").unwrap_err();
        assert!(why.contains("no session"), "{why}");
    }
}
