//! Start and memory of a row, as whole processes: medians.

use super::rows::{Checks, Figures, Row, Way};
use crate::process::{Outcome, target};
use serde_json::Value;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What a command is asked: it has an empty memory, and says that it knows nothing.
const ASK: [&str; 6] =
    ["ask", "--embedder", "hashed", "--provider", "offline", "What does Ada drink?"];
/// What waits for a line.
const CHAT: [&str; 5] = ["chat", "--embedder", "hashed", "--provider", "offline"];
/// Readings of a process that waits, until two in a row agree.
const READINGS: usize = 30;
const BETWEEN: Duration = Duration::from_millis(200);

/// Measures a row that passed its checks.
pub(super) fn measure(row: &mut Row, runs: usize) {
    if row.has_failed() || !matches!(row.checks, Checks::Done(_)) {
        return;
    }
    eprintln!("{}: {runs} starts …", row.name());
    let measured = match &row.way {
        Way::Runner { program, kind, module } => runner(program, kind, module, runs),
        Way::Command { words, .. } => whole(words, runs),
        Way::NotShown(_) => return,
    };
    note(row, measured);
}

/// Notes what was measured, or why not. A budget without a figure would pass as kept.
fn note(row: &mut Row, measured: Outcome<Figures>) {
    row.figures =
        measured.unwrap_or_else(|why| Figures { failed: Some(why), ..Figures::default() });
    let figures = row.pairs().into_iter().zip(["start", "instance", "idle"]);
    let missing = figures.filter(|((found, most), _)| most.is_some() && found.is_none());
    let missing: Vec<&str> = missing.map(|(_, name)| name).collect();
    if row.figures.failed.is_none() && !missing.is_empty() {
        let missing = missing.join(" and ");
        row.figures.failed = Some(format!("there is a budget and no figure: {missing}"));
    }
}

/// The value in the middle; none of nothing.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let (len, at) = (values.len(), values.len() / 2);
    match len {
        0 => None,
        len if len % 2 == 1 => Some(values[at]),
        _ => Some(f64::midpoint(values[at - 1], values[at])),
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn runner(program: &Path, kind: &str, module: &Path, runs: usize) -> Outcome<Figures> {
    let start = |mode: &str| {
        let mut command = Command::new(program);
        command.args([mode, kind]).arg(module);
        command
    };
    let mut figures: [Vec<f64>; 5] = Default::default();
    // The first one has read the files into memory.
    for run in 0..=runs {
        let begin = Instant::now();
        let mut child = Waiting::spawn(&mut start("first"))?;
        let said = child.line()?;
        let time = ms(begin.elapsed());
        let (peak, idle) = child.memory()?;
        child.end()?;
        let number = |name: &str| {
            said[name].as_f64().ok_or_else(|| format!("the runner said no `{name}`: {said}"))
        };
        if run > 0 {
            let (load, linear) = (number("load")? * 1e3, number("linear")?);
            for (all, one) in figures.iter_mut().zip([time, load, linear, peak, idle]) {
                all.push(one);
            }
        }
    }
    let mut child = Waiting::spawn(&mut start("instantiate"))?;
    let instance = child.line()?["instantiate"].as_f64().map(|seconds| seconds * 1e3);
    child.end()?;
    let [start, load, linear, peak, idle] = figures.map(median);
    Ok(Figures { start, load, instance, linear, peak, idle, failed: None })
}

/// A command: from its start to the first byte of its answer, and one that waits for a line.
fn whole(words: &[OsString], runs: usize) -> Outcome<Figures> {
    let mut times = Vec::new();
    for run in 0..=runs {
        let data = Data::new()?;
        let begin = Instant::now();
        let mut child = Waiting::spawn(&mut command(words, &data.0, &ASK))?;
        child.byte()?;
        if run > 0 {
            times.push(ms(begin.elapsed()));
        }
        child.end()?;
    }
    let (mut peaks, mut idles) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let data = Data::new()?;
        let child = Waiting::spawn(&mut command(words, &data.0, &CHAT))?;
        let mut last = child.memory()?;
        for _ in 0..READINGS {
            std::thread::sleep(BETWEEN);
            let now = child.memory()?;
            let is_still = now == last;
            last = now;
            if is_still {
                break;
            }
        }
        peaks.push(last.0);
        idles.push(last.1);
        child.end()?;
    }
    let (start, peak, idle) = (median(times), median(peaks), median(idles));
    Ok(Figures { start, peak, idle, ..Figures::default() })
}

/// A command over a data folder.
fn command(words: &[OsString], data: &Path, arguments: &[&str]) -> Command {
    let words: Vec<OsString> = words
        .iter()
        .map(|word| word.to_string_lossy().replace("{data}", &data.to_string_lossy()).into())
        .collect();
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).args(arguments).env("CLAWFT_HOME", data);
    command
}

/// A data folder that is gone at the end.
struct Data(PathBuf);

impl Data {
    fn new() -> Outcome<Self> {
        let path = target().join("matrix/data");
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).map_err(|why| format!("{}: {why}", path.display()))?;
        Ok(Data(path))
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A process that waits for its input to end.
struct Waiting {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
}

impl Waiting {
    fn spawn(command: &mut Command) -> Outcome<Self> {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = piped.spawn().map_err(|why| format!("it could not be started: {why}"))?;
        let out = child.stdout.take().ok_or("it has no output")?;
        Ok(Waiting { child, out: BufReader::new(out) })
    }

    /// Its next line.
    fn line(&mut self) -> Outcome<Value> {
        let mut line = String::new();
        self.out.read_line(&mut line).map_err(|why| why.to_string())?;
        serde_json::from_str(&line).map_err(|_| format!("an object expected, it said `{line}`"))
    }

    /// Its next byte.
    fn byte(&mut self) -> Outcome {
        self.out.read_exact(&mut [0]).map_err(|_| "it ended without an answer".into())
    }

    /// The most that it had resident, and what it has, in bytes.
    fn memory(&self) -> Outcome<(f64, f64)> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path)
            .map_err(|_| "resident memory is read from /proc, and there is none")?;
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
            number.map(|kib| kib * 1024.0).ok_or_else(|| format!("/proc has no {name}"))
        };
        Ok((kib("VmHWM:")?, kib("VmRSS:")?))
    }

    /// Lets it go.
    fn end(mut self) -> Outcome {
        drop(self.child.stdin.take());
        // What it still says is not lost on a closed pipe.
        let _ = self.out.read_to_end(&mut Vec::new());
        self.child.wait().map(|_| ()).map_err(|why| why.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::rows::{Budget, row};

    #[test]
    fn a_budget_without_a_figure_is_not_kept() {
        let measured = |figures: Outcome<Figures>| {
            let budget = Budget { start: Some(10.0), instance: Some(1.0), idle: None };
            let mut row = row("a".into(), "kernel", Way::NotShown(String::new()), budget);
            note(&mut row, figures);
            (row.has_failed(), row.figures.failed)
        };
        let start = || Figures { start: Some(5.0), ..Figures::default() };
        let whole = measured(Ok(Figures { instance: Some(0.5), ..start() }));
        assert_eq!(whole, (false, None));
        let (has_failed, why) = measured(Ok(start()));
        assert!(has_failed && why.is_some_and(|why| why.ends_with("no figure: instance")));
        let (has_failed, why) = measured(Err("it ended".into()));
        assert!(has_failed && why.is_some_and(|why| why == "it ended"));
    }

    #[test]
    fn the_middle_of_an_even_number_is_between_two() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), Some(2.5));
    }
}
