//! Which rows there are.

use super::build::{self, NotCompiled, Runners};
use crate::artifacts::{
    AGENT, AGENT_CORE, Artifact, RELAXED_KERNEL, SCALAR_KERNEL, SIMD128_KERNEL, STORE,
};
use crate::process::Outcome;
use crate::{host, tools};
use std::ffi::OsString;
use std::path::PathBuf;

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

    /// Nothing came of it: it could not be tried on this machine.
    pub(super) fn is_not_shown(&self) -> bool {
        matches!(self.checks, Checks::Open)
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

/// Rows as they are made: only those whose name is wanted, and what they need is built.
struct Rows<'a> {
    wanted: &'a dyn Fn(&str) -> bool,
    runners: Runners,
    rows: Vec<Row>,
}

/// All rows whose name is wanted.
pub(super) fn all(wanted: &dyn Fn(&str) -> bool) -> Outcome<Vec<Row>> {
    let mut rows = Rows { wanted, runners: Runners::default(), rows: Vec::new() };
    for (name, kind, artifact) in [
        ("kernel scalar", "kernel", &SCALAR_KERNEL),
        ("kernel simd128", "kernel", &SIMD128_KERNEL),
        ("kernel relaxed", "kernel", &RELAXED_KERNEL),
        ("store", "store", &STORE),
        ("agent core", "agent", &AGENT_CORE),
    ] {
        rows.in_wasmtime(name, kind, artifact)?;
        // No release of WAMR knows relaxed SIMD.
        rows.in_wamr(name, kind, artifact, name == "kernel relaxed")?;
    }
    rows.components()?;
    Ok(rows.rows)
}

pub(super) fn row(name: String, family: &'static str, way: Way, budget: Budget) -> Row {
    let (checks, figures) = Default::default();
    Row { name, family, way, may_refuse: false, budget, checks, figures }
}

impl Rows<'_> {
    /// A row that nothing is known to refuse, if it is wanted.
    fn add(
        &mut self,
        (artifact, engine): (&str, &str),
        family: &'static str,
        budget: Budget,
        way: impl FnOnce(&Runners) -> Outcome<Way>,
    ) -> Outcome<Option<&mut Row>> {
        let name = format!("{artifact}, {engine}");
        if !(self.wanted)(&name) {
            return Ok(None);
        }
        self.rows.push(row(name, family, way(&self.runners)?, budget));
        Ok(self.rows.last_mut())
    }

    fn in_wasmtime(&mut self, name: &str, kind: &'static str, artifact: &Artifact) -> Outcome {
        // Only the kernel is small enough to be compiled within it; the rest is reported.
        let start = (kind == "kernel").then_some(JIT);
        let budget = Budget { start, ..Budget::default() };
        self.add((name, "Wasmtime JIT"), kind, budget, |runners| {
            Ok(Way::Runner { program: runners.jit()?, kind, module: artifact.build()?.path })
        })?;
        let idle = (kind == "agent").then_some(IDLE);
        let budget = Budget { start: Some(AHEAD), instance: Some(INSTANCE), idle };
        self.add((name, "Wasmtime AOT"), kind, budget, |runners| {
            let module = build::compile(runners, &artifact.build()?.path)?;
            Ok(Way::Runner { program: runners.aot()?, kind, module })
        })?;
        Ok(())
    }

    fn in_wamr(
        &mut self,
        name: &str,
        kind: &'static str,
        artifact: &Artifact,
        may_refuse: bool,
    ) -> Outcome {
        let idle = (kind == "agent").then_some(IDLE);
        let budget = Budget { start: Some(INTERPRETED), instance: None, idle };
        let interpreted = self.add((name, "WAMR interpreter"), kind, budget, |runners| {
            Ok(in_wamr(runners, kind, artifact.build()?.path))
        })?;
        if let Some(row) = interpreted {
            row.may_refuse = may_refuse;
        }
        let budget = Budget { start: Some(AHEAD), ..budget };
        let mut refused = None;
        let ahead = self.add((name, "WAMR AOT"), kind, budget, |runners| {
            let module = artifact.build()?.path;
            Ok(match build::compile_for_wamr(&module) {
                Ok(compiled) => in_wamr(runners, kind, compiled),
                Err(NotCompiled::Missing(why)) => Way::NotShown(why),
                // The compiler begins with the loader: that one is asked for its words.
                Err(NotCompiled::Refused(_)) if may_refuse => in_wamr(runners, kind, module),
                Err(NotCompiled::Refused(words)) => {
                    refused = Some(words.clone());
                    Way::NotShown(words)
                }
            })
        })?;
        if let Some(row) = ahead {
            row.may_refuse = may_refuse;
            row.checks = refused.map_or(Checks::Open, Checks::Refused);
        }
        Ok(())
    }

    /// The component: through its interfaces in a runner, and as a command in the engines that a
    /// person has.
    fn components(&mut self) -> Outcome {
        const NAME: &str = "agent component";
        let kind = "component";
        let reported = Budget::default();
        // It is asked what the store is, and must answer the same.
        self.add((NAME, "Wasmtime JIT"), "store", reported, |runners| {
            Ok(Way::Runner { program: runners.jit()?, kind, module: AGENT.build()?.path })
        })?;
        let budget = Budget { start: Some(AHEAD), instance: Some(INSTANCE), idle: Some(IDLE) };
        self.add((NAME, "Wasmtime AOT"), "store", budget, |runners| {
            let module = build::compile(runners, &AGENT.build()?.path)?;
            Ok(Way::Runner { program: runners.aot()?, kind, module })
        })?;

        for (cache, start, engine) in [
            ("n", None, "the command wasmtime, cold"),
            ("y", Some(JIT), "the command wasmtime, its cache"),
        ] {
            let budget = Budget { start, ..reported };
            self.add((NAME, engine), "command", budget, |runners| {
                let mut words = vec![OsString::from(tools::wasmtime()?)];
                let cache = format!("cache={cache}");
                let key = "OPENAI_API_KEY=sk-nothing-to-hide";
                let options = ["run", "-C", &cache, "-S", "cli,http", "--dir", "{data}::/data"];
                words.extend(options.map(OsString::from));
                words.extend(["--env", "CLAWFT_HOME=/data", "--env", key].map(OsString::from));
                words.push(AGENT.build()?.path.into());
                Ok(Way::Command { tester: runners.aot()?, words })
            })?;
        }
        let budget = Budget { start: Some(AHEAD), instance: None, idle: Some(IDLE) };
        self.add((NAME, "our host"), "command", budget, |runners| {
            Ok(Way::Command { tester: runners.aot()?, words: vec![host::build()?.into()] })
        })?;

        let refused = self.add((NAME, "WAMR interpreter"), "agent", reported, |runners| {
            Ok(in_wamr(runners, "agent", AGENT.build()?.path))
        })?;
        if let Some(row) = refused {
            row.may_refuse = true;
        }
        Ok(())
    }
}

/// In WAMR, or why not: where its runner cannot be built, the other engines' rows still count.
fn in_wamr(runners: &Runners, kind: &'static str, module: PathBuf) -> Way {
    match runners.wamr() {
        Ok(program) => Way::Runner { program, kind, module },
        Err(why) => Way::NotShown(why),
    }
}
