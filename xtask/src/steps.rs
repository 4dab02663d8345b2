//! Steps that run to the end even when one fails, so that one run shows everything: the gate is made
//! of them, and Miri. The last line counts them.

use crate::process::{self, Outcome};
use std::process::Command;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// Lines that are kept of a step that failed.
const LAST_LINES: usize = 60;

/// Counts steps and says how each one went.
pub(crate) struct Steps {
    start: Instant,
    passed: Vec<String>,
    failed: Vec<String>,
    /// What steps that failed beside others printed last: it stands far above by then.
    printed: Vec<String>,
}

impl Steps {
    /// None yet; the time counts from here.
    pub(crate) fn new() -> Self {
        let (passed, failed, printed) = (Vec::new(), Vec::new(), Vec::new());
        Self { start: Instant::now(), passed, failed, printed }
    }

    /// One step, beside nothing else. What it prints is seen as it comes.
    pub(crate) fn step(&mut self, name: impl Into<String>, step: impl FnOnce() -> Outcome) {
        let name = name.into();
        eprintln!("\n=== {name}");
        let start = Instant::now();
        let outcome = step();
        self.note(name, start.elapsed(), outcome);
    }

    /// Steps that use one core each, as many at the same time as there are cores, in the order given:
    /// one that takes long stands first, or the others wait for it in the end. What they print is kept
    /// and shown when they end.
    pub(crate) fn together(&mut self, steps: Vec<(String, Command)>) {
        let names: Vec<&str> = steps.iter().map(|(name, _)| name.as_str()).collect();
        eprintln!("\n=== at the same time: {}", names.join("; "));
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let waiting = Mutex::new(steps.into_iter());
        let (sender, results) = mpsc::channel();
        thread::scope(|scope| {
            for ended in vec![sender; cores] {
                let next = || waiting.lock().map(|mut steps| steps.next()).unwrap_or_default();
                scope.spawn(move || {
                    while let Some((name, mut command)) = next() {
                        let start = Instant::now();
                        let (printed, outcome) = process::run_apart(&mut command);
                        // Nobody listens where xtask itself panics.
                        let _ = ended.send((name, printed, outcome, start.elapsed()));
                    }
                });
            }
            for (name, printed, outcome, time) in results {
                eprintln!("\n=== {name}\n{printed}");
                if outcome.is_err() {
                    self.keep(&name, &printed);
                }
                self.note(name, time, outcome);
            }
        });
    }

    /// Keeps the lines around a panic, or the last ones.
    fn keep(&mut self, name: &str, printed: &str) {
        let lines: Vec<&str> = printed.lines().collect();
        let panic = lines.iter().position(|line| line.contains("panicked at"));
        let from = panic.unwrap_or(lines.len().saturating_sub(LAST_LINES));
        let some: Vec<&str> = lines.into_iter().skip(from).take(LAST_LINES).collect();
        self.printed.push(format!("=== of {name}\n{}", some.join("\n")));
    }

    fn note(&mut self, name: String, time: Duration, outcome: Outcome) {
        let seconds = time.as_secs();
        match outcome {
            Ok(()) => {
                eprintln!("=== {name}: ok, {seconds} s");
                self.passed.push(format!("ok      {name} ({seconds} s)"));
            }
            Err(why) => {
                eprintln!("=== {name}: FAILED after {seconds} s: {why}");
                self.failed.push(format!("FAILED  {name} ({seconds} s): {why}"));
            }
        }
    }

    /// Says how each step went, and whether all of them passed.
    pub(crate) fn end(self) -> Outcome {
        self.printed.iter().for_each(|lines| println!("\n{lines}"));
        println!("\n{} s", self.start.elapsed().as_secs());
        self.passed.iter().chain(&self.failed).for_each(|line| println!("{line}"));
        println!("{} passed, {} failed", self.passed.len(), self.failed.len());
        match self.failed.len() {
            0 => Ok(()),
            failed => Err(format!("{failed} of the steps failed")),
        }
    }
}
