//! A command of the machine, in native builds with the feature `exec-tool`.
//!
//! No shell: a program with its arguments. It ends with its output cut, and after a minute.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use super::{Arguments, Outcome};
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
    let program = words.next().ok_or("a program's name expected")?;
    let said = |error: std::io::Error| format!("{program}: {error}");
    let mut child = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(said)?;
    let output = child.stdout.take();
    let reader = spawn(move || {
        let mut bytes = Vec::new();
        if let Some(output) = output {
            // What cannot be read is missing.
            let _ = output.take(MOST).read_to_end(&mut bytes);
        }
        bytes
    });
    let begin = Instant::now();
    let status = loop {
        match child.try_wait().map_err(said)? {
            Some(status) => break status,
            None if begin.elapsed() > LONGEST => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("{program} took more than {} s", LONGEST.as_secs()));
            }
            None => sleep(Duration::from_millis(20)),
        }
    };
    let bytes = reader.join().map_err(|_| "its output was lost".to_string())?;
    let text = String::from_utf8_lossy(&bytes);
    match status.success() {
        true => Ok(text.to_string()),
        false => Err(format!("{program} ended with {status}: {text}")),
    }
}
