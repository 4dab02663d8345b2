//! The suite in a row's engine.

use super::rows::{Check, Checks, Row, Way};
use crate::process::{Outcome, root};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;

/// Runs a row's checks.
pub(super) fn check(row: &mut Row) {
    let data = root().join("data");
    let mut command = match (&row.way, &row.checks) {
        // A compiler has refused it before.
        (_, Checks::Refused(_)) | (Way::NotShown(_), _) => return,
        (Way::Runner { program, kind, module }, _) => {
            let mut command = Command::new(program);
            command.args(["check", kind]).arg(module).arg(data);
            command
        }
        (Way::Command { tester, words }, _) => {
            let mut command = Command::new(tester);
            command.arg("command").arg(data).args(words);
            command
        }
    };
    row.checks = match printed(&mut command) {
        Ok(lines) => read(&lines),
        Err(why) => Checks::Done(vec![failure("the runner", why)]),
    };
}

/// Runs the checks of rows that ask no clock and no network, as many rows at the same time as there are
/// cores, in the order given. Rows that measure want the machine for themselves.
pub(super) fn together(rows: &mut [Row]) {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let waiting = Mutex::new(rows.iter_mut());
    thread::scope(|scope| {
        for _ in 0..cores {
            let next = || waiting.lock().map(|mut rows| rows.next()).unwrap_or_default();
            scope.spawn(move || {
                while let Some(row) = next() {
                    eprintln!("{} …", row.name());
                    check(row);
                }
            });
        }
    });
}

/// What a runner prints, an object a line.
fn printed(command: &mut Command) -> Outcome<Vec<Value>> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|why| format!("the runner could not be started: {why}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines: Vec<Value> =
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    if !output.status.success() {
        // What it had done by then is worth seeing.
        let said = String::from_utf8_lossy(&output.stderr).trim().to_string();
        lines.push(serde_json::json!({
            "check": "the runner",
            "failed": format!("it ended with {}: {said}", output.status),
        }));
    }
    Ok(lines)
}

fn failure(name: &str, why: String) -> Check {
    Check { name: name.into(), outcome: Err(why), digest: None }
}

fn read(lines: &[Value]) -> Checks {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    if let Some(words) = lines.iter().find_map(|line| line.get("cannot")) {
        return Checks::Refused(text(words));
    }
    let checks: Vec<Check> = lines
        .iter()
        .map(|line| Check {
            name: text(&line["check"]),
            outcome: match line.get("failed") {
                Some(why) => Err(text(why)),
                None => Ok(text(&line["note"])),
            },
            digest: line["digest"].as_str().map(String::from),
        })
        .collect();
    match checks.is_empty() {
        true => Checks::Done(vec![failure("the runner", "it checked nothing".into())]),
        false => Checks::Done(checks),
    }
}

/// Rows of a family must have seen the same, bit by bit: the first one says what.
pub(super) fn compare(rows: &mut [Row]) {
    let mut first: Vec<(&'static str, String, String, String)> = Vec::new();
    for row in rows {
        let (family, name) = (row.family, row.name().to_string());
        let Checks::Done(checks) = &mut row.checks else { continue };
        for check in checks {
            let (Ok(_), Some(digest)) = (&check.outcome, &check.digest) else { continue };
            let same = first.iter().find(|one| one.0 == family && one.1 == check.name);
            match same {
                None => first.push((family, check.name.clone(), digest.clone(), name.clone())),
                Some((.., other, of)) if other != digest => {
                    check.outcome = Err(format!("it passed, with other answers than {of}"));
                }
                Some(_) => {}
            }
        }
    }
}

/// Checks that the checks can fail: each meets an engine that lies to it.
pub(super) fn faults() -> Outcome {
    let runners = super::build::Runners::default();
    for (kind, artifact) in [
        ("kernel", &crate::artifacts::SIMD128_KERNEL),
        ("store", &crate::artifacts::STORE),
        ("agent", &crate::artifacts::AGENT_CORE),
        ("component", &crate::artifacts::AGENT),
    ] {
        let module = super::build::compile(&runners, &artifact.build()?.path)?;
        let found = lies(&runners.aot()?, kind, &module)?;
        println!("{kind}: {found} lies, each seen by its check");
    }
    Ok(())
}

fn lies(program: &Path, kind: &str, module: &Path) -> Outcome<usize> {
    let mut command = Command::new(program);
    command.args(["faults", kind]).arg(module).arg(root().join("data"));
    let lines = printed(&mut command)?;
    for line in &lines {
        if let Some(why) = line["failed"].as_str() {
            return Err(format!("{kind}, {}: {why}", line["check"]));
        }
    }
    if lines.is_empty() { Err(format!("{kind}: no lie was told")) } else { Ok(lines.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::rows::row;
    use serde_json::json;

    fn seen(name: &str, digest: &str) -> Row {
        let mut row = row(name.into(), "kernel", Way::NotShown(String::new()), Default::default());
        row.checks = read(&[json!({ "check": "a", "note": "", "digest": digest })]);
        row
    }

    #[test]
    fn what_a_runner_says_is_read() {
        assert!(matches!(read(&[]), Checks::Done(checks) if checks[0].outcome.is_err()));
        let refused = read(&[json!({ "cannot": "why" })]);
        assert!(matches!(refused, Checks::Refused(words) if words == "why"));
        let failed = read(&[json!({ "check": "a", "failed": "why" })]);
        assert!(matches!(failed, Checks::Done(checks) if checks[0].outcome == Err("why".into())));
    }

    #[test]
    fn rows_that_answer_otherwise_fail() {
        let mut rows = [seen("x", "1"), seen("y", "1"), seen("z", "2")];
        compare(&mut rows);
        assert_eq!(rows.each_ref().map(Row::has_failed), [false, false, true]);
    }

    #[test]
    fn only_a_row_that_may_be_refused_is_not_a_failure() {
        let mut row = seen("x", "1");
        row.checks = Checks::Refused("why".into());
        assert!(row.has_failed());
        row.may_refuse = true;
        assert!(!row.has_failed());
    }
}
