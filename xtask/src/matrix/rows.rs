//! Which rows there are.

use super::build::{self, Runners};
use crate::artifacts::{AGENT, AGENT_CORE, RELAXED_KERNEL, SCALAR_KERNEL, SIMD128_KERNEL, STORE};
use crate::process::Outcome;
use crate::{host, tools};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// An artifact in an engine.
pub(super) struct Row {
    name: String,
    /// Rows of a family give the same answers, bit by bit.
    pub(super) family: &'static str,
    pub(super) way: Way,
    /// The engine is known to refuse the artifact: it is tried, and its words are the row.
    pub(super) may_refuse: bool,
    pub(super) budget: Budget,
    pub(super) checks: Checks,
    pub(super) figures: Figures,
}

/// How a row is run.
pub(super) enum Way {
    /// In a runner: the program, the kind of module, the module.
    Runner { program: PathBuf, kind: &'static str, module: PathBuf },
    /// As a command with arguments of the agent behind it. `{data}` is the data folder.
    Command { tester: PathBuf, words: Vec<OsString> },
    /// Not at all, and why.
    NotShown(String),
}

/// What a figure may be at most: ms, ms, MB (1,000,000 bytes). None: it is reported.
#[derive(Clone, Copy, Default)]
pub(super) struct Budget {
    pub(super) start: Option<f64>,
    pub(super) instance: Option<f64>,
    pub(super) idle: Option<f64>,
}

/// What came of the suite.
#[derive(Default)]
pub(super) enum Checks {
    #[default]
    Open,
    Done(Vec<Check>),
    /// The engine's words.
    Refused(String),
}

/// One check.
pub(super) struct Check {
    pub(super) name: String,
    /// A note, or why it failed.
    pub(super) outcome: Result<String, String>,
    pub(super) digest: Option<String>,
}

/// What was measured; none: it cannot be seen in this way of running.
#[derive(Default)]
pub(super) struct Figures {
    /// Process start to first answer, ms.
    pub(super) start: Option<f64>,
    /// Of it, loading: compiling, or taking what was compiled.
    pub(super) load: Option<f64>,
    /// An instance in a host that runs, ms.
    pub(super) instance: Option<f64>,
    /// Linear memory after the first answer, bytes.
    pub(super) linear: Option<f64>,
    /// The most that the process had in memory, and what it has when it waits, bytes.
    pub(super) peak: Option<f64>,
    pub(super) idle: Option<f64>,
    /// Why there are none.
    pub(super) failed: Option<String>,
}

impl Row {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn has_failed(&self) -> bool {
        let is_wrong = match &self.checks {
            Checks::Open => false,
            Checks::Done(checks) => checks.iter().any(|check| check.outcome.is_err()),
            Checks::Refused(_) => !self.may_refuse,
        };
        is_wrong || self.figures.failed.is_some()
    }

    pub(super) fn is_over(&self) -> bool {
        self.pairs().iter().any(|(found, most)| found.zip(*most).is_some_and(|(a, b)| a > b))
    }

    /// Figures beside their budgets.
    pub(super) fn pairs(&self) -> [(Option<f64>, Option<f64>); 3] {
        let Row { figures, budget, .. } = self;
        [
            (figures.start, budget.start),
            (figures.instance, budget.instance),
            (figures.idle.map(|bytes| bytes / 1e6), budget.idle),
        ]
    }
}

/// Ms from process start to the first answer, by design.
const JIT: f64 = 50.0;
const AHEAD: f64 = 10.0;
const INTERPRETED: f64 = 20.0;
/// Ms of an instantiation in a host that runs.
const INSTANCE: f64 = 1.0;
/// MB of an idle agent, compiled ahead.
const IDLE: f64 = 10.0;

/// All rows, with what they need built.
pub(super) fn all() -> Outcome<Vec<Row>> {
    let runners = build::runners()?;
    let mut rows = Vec::new();
    for (name, artifact, may_refuse) in [
        ("kernel scalar", &SCALAR_KERNEL, false),
        ("kernel simd128", &SIMD128_KERNEL, false),
        // No release of WAMR knows relaxed SIMD.
        ("kernel relaxed", &RELAXED_KERNEL, true),
        ("store", &STORE, false),
        ("agent core", &AGENT_CORE, false),
    ] {
        let kind = match name {
            "store" => "store",
            "agent core" => "agent",
            _ => "kernel",
        };
        let module = artifact.build()?.path;
        in_wasmtime(&mut rows, &runners, name, kind, &module)?;
        in_wamr(&mut rows, &runners, name, kind, &module, may_refuse);
    }
    components(&mut rows, &runners)?;
    Ok(rows)
}

pub(super) fn row(name: String, family: &'static str, way: Way, budget: Budget) -> Row {
    let (checks, figures) = Default::default();
    Row { name, family, way, may_refuse: false, budget, checks, figures }
}

fn in_wasmtime(
    rows: &mut Vec<Row>,
    runners: &Runners,
    name: &str,
    kind: &'static str,
    module: &Path,
) -> Outcome {
    let way = |program: &Path, module: PathBuf| {
        let program = program.to_path_buf();
        Way::Runner { program, kind, module }
    };
    // Only the kernel is small enough to be compiled within it; the rest is reported.
    let start = (kind == "kernel").then_some(JIT);
    let budget = Budget { start, ..Budget::default() };
    let jit = way(&runners.jit, module.to_path_buf());
    rows.push(row(format!("{name}, Wasmtime JIT"), kind, jit, budget));
    let compiled = build::compile(runners, module)?;
    let idle = (kind == "agent").then_some(IDLE);
    let budget = Budget { start: Some(AHEAD), instance: Some(INSTANCE), idle };
    let aot = way(&runners.aot, compiled);
    rows.push(row(format!("{name}, Wasmtime AOT"), kind, aot, budget));
    Ok(())
}

fn in_wamr(
    rows: &mut Vec<Row>,
    runners: &Runners,
    name: &str,
    kind: &'static str,
    module: &Path,
    may_refuse: bool,
) {
    let way = |module: Outcome<PathBuf>| match (&runners.wamr, module) {
        (Ok(program), Ok(module)) => Way::Runner { program: program.clone(), kind, module },
        (Err(why), _) => Way::NotShown(why.clone()),
        (_, Err(why)) => Way::NotShown(why),
    };
    let idle = (kind == "agent").then_some(IDLE);
    let budget = Budget { start: Some(INTERPRETED), instance: None, idle };
    let interpreted = way(Ok(module.to_path_buf()));
    rows.push(Row {
        may_refuse,
        ..row(format!("{name}, WAMR interpreter"), kind, interpreted, budget)
    });
    let budget = Budget { start: Some(AHEAD), instance: None, idle };
    let compiled = match build::compile_for_wamr(module) {
        // The compiler begins with the loader: what that one refuses, it is asked for its words.
        Err(build::NotCompiled::Refused(_)) if may_refuse => Ok(module.to_path_buf()),
        Err(build::NotCompiled::Missing(why)) => Err(why),
        Err(build::NotCompiled::Refused(words)) => {
            let mut failed =
                row(format!("{name}, WAMR AOT"), kind, Way::NotShown(words.clone()), budget);
            failed.checks = Checks::Refused(words);
            rows.push(failed);
            return;
        }
        Ok(compiled) => Ok(compiled),
    };
    rows.push(Row { may_refuse, ..row(format!("{name}, WAMR AOT"), kind, way(compiled), budget) });
}

/// The component: through its interfaces in a runner, and as a command in the engines that a person
/// has.
fn components(rows: &mut Vec<Row>, runners: &Runners) -> Outcome {
    const NAME: &str = "agent component";
    let component = AGENT.build()?.path;
    let kind = "component";
    let way = |program: &Path, module: &Path| {
        let (program, module) = (program.to_path_buf(), module.to_path_buf());
        Way::Runner { program, kind, module }
    };
    let reported = Budget::default();
    let jit = way(&runners.jit, &component);
    rows.push(row(format!("{NAME}, Wasmtime JIT"), kind, jit, reported));
    let compiled = build::compile(runners, &component)?;
    let budget = Budget { start: Some(AHEAD), instance: Some(INSTANCE), idle: Some(IDLE) };
    let aot = way(&runners.aot, &compiled);
    rows.push(row(format!("{NAME}, Wasmtime AOT"), kind, aot, budget));

    let wasmtime = tools::wasmtime()?;
    for (cache, budget, label) in [
        ("n", reported, "the command wasmtime, cold"),
        ("y", Budget { start: Some(JIT), ..reported }, "the command wasmtime, its cache"),
    ] {
        let mut words = vec![OsString::from(&wasmtime)];
        let cache = format!("cache={cache}");
        let key = "OPENAI_API_KEY=sk-nothing-to-hide";
        let options = ["run", "-C", &cache, "-S", "cli,http", "--dir", "{data}::/data"];
        words.extend(options.map(OsString::from));
        words.extend(["--env", "CLAWFT_HOME=/data", "--env", key].map(OsString::from));
        words.push(component.clone().into());
        let way = Way::Command { tester: runners.aot.clone(), words };
        rows.push(row(format!("{NAME}, {label}"), "command", way, budget));
    }
    let words = vec![host::build()?.into()];
    let way = Way::Command { tester: runners.aot.clone(), words };
    let budget = Budget { start: Some(AHEAD), instance: None, idle: Some(IDLE) };
    rows.push(row(format!("{NAME}, our host"), "command", way, budget));

    let in_wamr = match &runners.wamr {
        Ok(program) => way_in_wamr(program, &component),
        Err(why) => Way::NotShown(why.clone()),
    };
    let refused = row(format!("{NAME}, WAMR interpreter"), "agent", in_wamr, reported);
    rows.push(Row { may_refuse: true, ..refused });
    Ok(())
}

fn way_in_wamr(program: &Path, component: &Path) -> Way {
    let (program, module) = (program.to_path_buf(), component.to_path_buf());
    Way::Runner { program, kind: "agent", module }
}
