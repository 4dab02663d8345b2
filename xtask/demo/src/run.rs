//! The demo proper: a sweep over every store, and the report of it.
//!
//! The first store decides how many rows there are to search among, and an artifact's first runtime
//! decides which ef are its operating points: whatever comes after is measured at the same, so that
//! one line can be held against another. At the end come the durable memory and the agent.
//!
//! Here is what is done in which order. How data is read (`inputs`), a store filled (`load`), a
//! search timed (`sweep`) and a line written (`report`) stands elsewhere: nothing is measured or
//! printed here.

use crate::inputs::Inputs;
use crate::load::{Loaded, load};
use crate::options::{Artifact, Mode, Options, Runtime};
use crate::progress::Progress;
use crate::report::{Place, Report};
use crate::sweep::{self, Answers, K, Point, QuerySet, Searcher};
use crate::{Failure, agent, durable, words};
use clawft_sample::arrays::Matrix;
use clawft_sample::exact::Exact;

/// The data of one run and what is to be done with it.
pub(crate) struct Job<'a> {
    pub(crate) options: &'a Options,
    /// Where the base comes from, in words.
    pub(crate) source: String,
    pub(crate) base: &'a Matrix,
    pub(crate) texts: Option<&'a [String]>,
}

/// An operating point: the mode, the recall wanted and the smallest ef that has it.
type Aim = (Mode, f64, u32);

/// What is measured on every store, the same for all artifacts.
struct Plan<'a> {
    job: Job<'a>,
    sets: Vec<QuerySet<'a>>,
    runtimes: Vec<Runtime>,
    modes: Vec<Mode>,
    ef: Vec<u32>,
    k: usize,
}

impl Plan<'_> {
    /// Measures an artifact in every runtime. `first` is the store that is filled already, the
    /// first artifact's in the first runtime. What it answers to each set is given back, to be
    /// shown in words; of another artifact nothing is.
    fn artifact(
        &self,
        artifact: &Artifact,
        first: &mut Loaded,
        report: &mut Report,
    ) -> Result<Vec<Answers>, Failure> {
        let Plan { job, k, .. } = self;
        let options = job.options;
        let mut spoken = Vec::new();
        // For each set.
        let mut chosen: Vec<Vec<Aim>> = Vec::new();
        for (turn, runtime) in self.runtimes.iter().enumerate() {
            let is_first = turn == 0 && artifact.name == options.artifacts[0].name;
            let mut loaded = match is_first {
                true => None,
                false => Some(load(options, artifact, *runtime, job.base, report)?),
            };
            let Loaded { kernel, filled, footprint } = match &mut loaded {
                Some(loaded) => loaded,
                None => &mut *first,
            };
            let (handle, rows) = (filled.handle, filled.rows);
            let mut searcher = Searcher::new(kernel, handle, job.base.dim, *k)?;
            for (number, set) in self.sets.iter().enumerate() {
                let place = Place {
                    artifact: &artifact.name,
                    runtime: runtime.name(),
                    queries: set.name,
                    rows,
                };
                // The first runtime sweeps and finds the operating points; the
                // others repeat these.
                if turn == 0 {
                    chosen.push(self.sweep(&mut searcher, set, &place, report)?);
                }
                let of_set = &chosen[number];
                for (mode, target, ef) in of_set {
                    let mut point = searcher.measure(set, *mode, *ef)?;
                    point.target = Some(*target);
                    report.point(job, &place, &point);
                }
                if is_first && !options.json {
                    let ef = of_set.last().map_or(self.ef[0], |(_, _, ef)| *ef);
                    spoken.push(searcher.answer(set.vectors, self.modes[0], ef)?);
                }
            }
            let kernel = searcher.kernel;
            footprint.linear_memory = kernel.linear_memory();
            footprint.overhead = kernel.memory_use()?.overhead;
            report.footprint(footprint.clone());
        }
        Ok(spoken)
    }

    /// Sweeps a set of queries in every mode; gives the operating points that it has.
    fn sweep(
        &self,
        searcher: &mut Searcher<'_>,
        set: &QuerySet<'_>,
        place: &Place<'_>,
        report: &Report,
    ) -> Result<Vec<Aim>, Failure> {
        let mut found = Vec::new();
        for mode in &self.modes {
            let each = |point: &Point| report.point(&self.job, place, point);
            let points = searcher.sweep(set, *mode, &self.ef, each)?;
            for target in sweep::TARGETS {
                let ef = searcher.smallest_ef(set, &points, target)?;
                found.extend(ef.map(|ef| (*mode, target, ef)));
            }
        }
        Ok(found)
    }
}

/// Runs the demo as the options say.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    if options.artifacts.is_empty() {
        return Err(Failure::new("no module was given; `cargo xtask demo` builds and gives one"));
    }
    let mut inputs = Inputs::read(options)?;
    let mut report = Report::new(options.json);
    let runtimes = match options.runtime {
        Some(runtime) => vec![runtime],
        None => vec![Runtime::Jit, Runtime::Aot],
    };
    let modes = match options.mode {
        Some(mode) => vec![mode],
        None => vec![Mode::Auto, Mode::Walk, Mode::Scan],
    };
    let ef: Vec<u32> = options.ef.clone().unwrap_or_else(|| sweep::EF.to_vec());

    // The first store decides how many rows there are to search among: all,
    // unless the memory's maximum or the capacity is smaller than the data.
    let mut first = load(options, &options.artifacts[0], runtimes[0], &inputs.base, &report)?;
    if first.filled.rows == 0 {
        return Err(Failure::new("no row went in"));
    }
    inputs.base.truncate(first.filled.rows);
    let mut sets = Vec::new();
    for (name, vectors, _) in &inputs.queries {
        let bar = Progress::new(format!("exact answer ({name})"), vectors.rows);
        let exact = Exact::compute(&inputs.base, vectors, options.metric, K);
        bar.finish(vectors.rows);
        sets.push(QuerySet { name, vectors, exact });
    }
    let job = Job {
        options,
        source: inputs.source.clone(),
        base: &inputs.base,
        texts: inputs.texts.as_deref(),
    };
    let k = K.min(job.base.rows);
    let plan = Plan { job, sets, runtimes, modes, ef, k };
    report.heading(&plan.job, plan.k);

    let mut spoken = Vec::new();
    for artifact in &options.artifacts {
        spoken.extend(plan.artifact(artifact, &mut first, &mut report)?);
    }
    report.finish();
    if options.json {
        return Ok(());
    }
    for (((ids, counts), set), (_, _, questions)) in
        spoken.iter().zip(&plan.sets).zip(&inputs.queries)
    {
        words::show(&plan.job, questions.as_deref(), set.name, ids, counts);
    }
    let story = durable::run(options, &inputs)?;
    durable::tell(&story);
    story.judge()?;
    // Data of the person's own has no questions: the sample is asked about.
    if let Some(clawft) = options.clawft.as_deref().filter(|_| options.base.is_none()) {
        agent::tell(&agent::run(clawft, options, &inputs, true)?);
    }
    Ok(())
}
