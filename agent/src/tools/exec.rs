//! A command of the machine, in native builds with the feature `exec-tool`.
//!
//! No shell: a program with its arguments. It ends with its output cut, and after a minute.
//!
//! Why: words end at blanks and mean nothing else (no quotes, pipes or variables), so that
//! what the model writes is one program with its arguments. The folders and hosts of the
//! config do not hold it: it may do what the account may, hence a feature that is off unless
//! somebody asks for it.
//!
//! What it must never do: go through a shell, or let the program read what the person types.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use super::{Arguments, Outcome, refused};
use crate::provider::Tool;

pub(super) const EXEC: Tool = Tool {
    name: "exec",
    description: "Runs a program without a shell and gives its output.",
    parameters: r#"{"type":"object","properties":{"command":{"type":"string","description":"Program and arguments, separated by blanks"}},"required":["command"],"additionalProperties":false}"#,
};

/// Most bytes of the output.
const MOST: u64 = 64 << 10;
/// How long it may take.
const LONGEST: Duration = Duration::from_secs(60);

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let mut words = arguments.text("command")?.split_whitespace();
    let program = words.next().ok_or_else(|| refused("a program's name expected"))?;
    let said = |error: std::io::Error| refused(format!("{program}: {error}"));
    let mut child = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(said)?;
    let output = child.stdout.take();
    let (read, reader) = channel();
    spawn(move || {
        let mut bytes = Vec::new();
        if let Some(output) = output {
            // What cannot be read is missing.
            let _ = output.take(MOST).read_to_end(&mut bytes);
        }
        // Whoever waited for it may be gone.
        let _ = read.send(bytes);
    });
    let begin = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if begin.elapsed() <= LONGEST => sleep(Duration::from_millis(20)),
            ended => {
                let _ = child.kill();
                let _ = child.wait();
                ended.map_err(said)?;
                let sentence = format!("{program} took more than {} s", LONGEST.as_secs());
                return Err(refused(sentence));
            }
        }
    };
    // A program that it left behind may hold its output open for ever.
    let left = LONGEST.saturating_sub(begin.elapsed());
    let bytes = reader.recv_timeout(left).map_err(|_| {
        refused(format!("{program} ended, and its output did not in {} s", LONGEST.as_secs()))
    })?;
    let text = String::from_utf8_lossy(&bytes);
    match status.success() {
        true => Ok(text.to_string()),
        false => Err(refused(format!("{program} ended with {status}: {text}"))),
    }
}
