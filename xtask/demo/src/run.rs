//! The demo proper: read the data, fill a store, sweep, report.

use crate::kernel::{Compiled, Kernel, Params};
use crate::options::{Artifact, Mode, Options, Runtime};
use crate::progress::Progress;
use crate::report::{Footprint, Place, Report};
use crate::sweep::{self, Filled, Point, QuerySet, Searcher};
use crate::{Failure, agent, durable, words};
use clawft_sample::arrays::{self, Matrix};
use clawft_sample::exact::Exact;
use clawft_sample::{Metric, texts};

/// Neighbours asked for.
pub(crate) const K: usize = 10;
/// The maximum of the linear memory where the data allows it.
const USUAL_MAXIMUM: usize = 16 << 20;
/// Linear memory beside a store's image: the module's data, its stack, the
/// scratch of a search and the host's own buffers.
const BESIDE_THE_IMAGE: usize = 1 << 20;
/// What a search with a large ef may want beyond the first scratch.
const SCRATCH_BYTES: usize = 128 << 10;

/// The data of one run and what is to be done with it.
pub(crate) struct Job<'a> {
    pub(crate) options: &'a Options,
    /// Where the base comes from, in words.
    pub(crate) source: String,
    pub(crate) base: &'a Matrix,
    pub(crate) texts: Option<&'a [String]>,
}

/// The files of a run, read.
pub(crate) struct Inputs {
    pub(crate) source: String,
    pub(crate) base: Matrix,
    pub(crate) texts: Option<Vec<String>>,
    /// Name, vectors and texts of each set of queries.
    pub(crate) queries: Vec<(&'static str, Matrix, Option<Vec<String>>)>,
}

impl Inputs {
    /// The files that the options name, or the sample.
    pub(crate) fn read(options: &Options) -> Result<Self, Failure> {
        let optional =
            |path: &Option<std::path::PathBuf>| path.as_deref().map(texts::read).transpose();
        let mut inputs = match (&options.base, &options.queries) {
            (Some(base), Some(queries)) => Inputs {
                source: base.display().to_string(),
                base: arrays::read(base)?,
                texts: optional(&options.texts)?,
                queries: vec![("given", arrays::read(queries)?, optional(&options.query_texts)?)],
            },
            _ => {
                let data = &options.data;
                let set = |name, vectors: &str, words: &str| {
                    Ok::<_, Failure>((
                        name,
                        arrays::read(&data.join(vectors))?,
                        Some(texts::read(&data.join(words))?),
                    ))
                };
                Inputs {
                    source: "the sample".into(),
                    base: arrays::read(&data.join("base.f16.npy"))?,
                    texts: Some(texts::read(&data.join("texts.jsonl.gz"))?),
                    queries: vec![
                        set("held-out", "queries.f16.npy", "queries.jsonl.gz")?,
                        set("known-item", "known_item_queries.f16.npy", "known_item.jsonl")?,
                    ],
                }
            }
        };
        for (_, queries, _) in &inputs.queries {
            if queries.dim != inputs.base.dim {
                return Err(Failure::new(format!(
                    "the queries have dimension {}, the base has {}",
                    queries.dim, inputs.base.dim
                )));
            }
        }
        if options.metric == Metric::Cosine {
            inputs.drop_zero_rows()?;
        }
        Ok(inputs)
    }

    /// A zero vector has no cosine with anything; the kernel refuses it.
    fn drop_zero_rows(&mut self) -> Result<(), Failure> {
        let drop = |what: &str, matrix: &mut Matrix, texts: &mut Option<Vec<String>>| {
            let zero = matrix.drop_zero_rows();
            if let Some(first) = zero.first() {
                eprintln!(
                    "{} {what} left out, because a zero vector has no direction (the first is \
                     row {first}); the rows after it move up",
                    zero.len()
                );
                if let Some(texts) = texts {
                    let mut row = 0;
                    texts.retain(|_| {
                        row += 1;
                        zero.binary_search(&(row - 1)).is_err()
                    });
                }
            }
            match matrix.rows {
                0 => Err(Failure::new(format!("every one of the {what} is a zero vector"))),
                _ => Ok(()),
            }
        };
        drop("base rows", &mut self.base, &mut self.texts)?;
        self.queries.iter_mut().try_for_each(|(_, vectors, texts)| drop("queries", vectors, texts))
    }
}

/// A kernel with a filled store.
pub(crate) struct Loaded {
    pub(crate) kernel: Kernel,
    pub(crate) filled: Filled,
    pub(crate) footprint: Footprint,
}

/// Loads an artifact and fills a store in it.
pub(crate) fn load(
    options: &Options,
    artifact: &Artifact,
    runtime: Runtime,
    base: &Matrix,
    report: &Report,
) -> Result<Loaded, Failure> {
    let wasm = std::fs::read(&artifact.path).map_err(|error| {
        Failure::new(format!("cannot read the module {}: {error}", artifact.path.display()))
    })?;
    let compiled = Compiled::load(&wasm, runtime)?;
    let instantiate = compiled.instantiate_time()?;
    let mut kernel = Kernel::new(&compiled)?;

    let capacity = options.capacity.unwrap_or(base.rows as u32);
    let mut params = Params {
        dim: base.dim as u32,
        capacity,
        metric: options.metric.number(),
        encoding: options.encoding,
    };
    let memory_max = plan_memory(&compiled, &mut params, options.memory_max_mib, report)?;
    kernel.limit_memory(memory_max)?;
    let label = format!("insert ({}, {})", artifact.name, runtime.name());
    let filled = sweep::fill(&mut kernel, params, base, &label)?;
    if let Some(sentence) = &filled.full {
        report.remark(&format!(
            "Full after {} of {} rows. {sentence}. The store still answers; what follows is \
             searched among the rows that went in.",
            filled.rows, base.rows
        ));
    }
    let footprint = Footprint {
        artifact: artifact.name.clone(),
        runtime: runtime.name(),
        rows: filled.rows,
        build: filled.time,
        linear_memory: 0,
        memory_max,
        overhead: 0,
        module_bytes: compiled.bytes,
        load: compiled.load,
        instantiate,
    };
    Ok(Loaded { kernel, filled, footprint })
}

/// The maximum of the linear memory in bytes. Where the person's maximum is too
/// small for the capacity, the capacity becomes what fits under it.
fn plan_memory(
    compiled: &Compiled,
    params: &mut Params,
    asked_mib: Option<u32>,
    report: &Report,
) -> Result<usize, Failure> {
    let Some(asked_mib) = asked_mib else {
        // A kernel of its own for the question, so that asking costs no memory.
        let mut kernel = Kernel::new(compiled)?;
        kernel.limit_memory(USUAL_MAXIMUM)?;
        let image = usize::try_from(kernel.required_bytes(*params)?).unwrap_or(usize::MAX);
        let needed = image.saturating_add(BESIDE_THE_IMAGE + desk_bytes(params.dim));
        return Ok(needed.max(USUAL_MAXIMUM).next_multiple_of(64 << 10));
    };
    let maximum = asked_mib as usize * (1 << 20);
    // Whether a capacity fits is tried out; parameters that never do are not
    // a matter of memory, and the store itself will say what is wrong.
    let fits = |capacity: u32| fits(compiled, Params { capacity, ..*params }, maximum);
    if fits(params.capacity) {
        return Ok(maximum);
    }
    let (mut enough, mut too_many) = (0, params.capacity);
    while too_many - enough > 1 {
        let middle = enough + (too_many - enough) / 2;
        match fits(middle) {
            true => enough = middle,
            false => too_many = middle,
        }
    }
    if enough == 0 {
        return Err(Failure::new(format!(
            "a store for vectors of dimension {} does not fit into {asked_mib} MiB, or cannot be \
             made at all; leave --memory-max out to learn which",
            params.dim
        )));
    }
    report.remark(&format!(
        "{} vectors do not fit into {asked_mib} MiB: the store gets the {enough} slots that do.",
        params.capacity,
    ));
    params.capacity = enough;
    Ok(maximum)
}

/// Whether a store, the desk for questions and the scratch of a wide search fit
/// under a maximum.
fn fits(compiled: &Compiled, params: Params, maximum: usize) -> bool {
    let Ok(mut kernel) = Kernel::new(compiled) else { return false };
    kernel.limit_memory(maximum).is_ok()
        && kernel.create(params).is_ok()
        && kernel.allocate((desk_bytes(params.dim) + SCRATCH_BYTES) as u32).is_ok()
}

/// Bytes of a batch of queries and its answers.
fn desk_bytes(dim: u32) -> usize {
    sweep::QUERY_BATCH * (4 * dim as usize + 12 * K + 4)
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
    let job = Job {
        options,
        source: inputs.source.clone(),
        base: &inputs.base,
        texts: inputs.texts.as_deref(),
    };
    let mut sets = Vec::new();
    for (name, vectors, _) in &inputs.queries {
        let bar = Progress::new(format!("exact answer ({name})"), vectors.rows);
        let exact = Exact::compute(&inputs.base, vectors, options.metric, K);
        bar.finish(vectors.rows);
        sets.push(QuerySet { name, vectors, exact });
    }
    let k = K.min(job.base.rows);
    report.heading(&job, k);

    let mut spoken = Vec::new();
    for artifact in &options.artifacts {
        // For each set: mode, recall wanted, ef that has it.
        let mut chosen: Vec<Vec<(Mode, f64, u32)>> = Vec::new();
        for (turn, runtime) in runtimes.iter().enumerate() {
            let is_first = turn == 0 && artifact.name == options.artifacts[0].name;
            let mut loaded = match is_first {
                true => None,
                false => Some(load(options, artifact, *runtime, job.base, &report)?),
            };
            let Loaded { kernel, filled, footprint } = loaded.as_mut().unwrap_or(&mut first);
            let (handle, rows) = (filled.handle, filled.rows);
            let mut searcher = Searcher::new(kernel, handle, job.base.dim, k)?;
            for (number, set) in sets.iter().enumerate() {
                let place = Place {
                    artifact: &artifact.name,
                    runtime: runtime.name(),
                    queries: set.name,
                    rows,
                };
                // The first runtime sweeps and finds the operating points; the
                // others repeat these.
                let mut of_set = match turn {
                    0 => Vec::new(),
                    _ => chosen[number].clone(),
                };
                if turn == 0 {
                    for mode in &modes {
                        let each = |point: &Point| report.point(&job, &place, point);
                        let points = searcher.sweep(set, *mode, &ef, each)?;
                        for target in sweep::TARGETS {
                            let ef = searcher.smallest_ef(set, &points, target)?;
                            of_set.extend(ef.map(|ef| (*mode, target, ef)));
                        }
                    }
                }
                for (mode, target, ef) in &of_set {
                    let mut point = searcher.measure(set, *mode, *ef)?;
                    point.target = Some(*target);
                    report.point(&job, &place, &point);
                }
                if turn == 0 {
                    if artifact.name == options.artifacts[0].name && !options.json {
                        let ef = of_set.last().map_or(ef[0], |(_, _, ef)| *ef);
                        spoken.push(searcher.answer(set.vectors, modes[0], ef)?);
                    }
                    chosen.push(of_set);
                }
            }
            let kernel = searcher.kernel;
            footprint.linear_memory = kernel.linear_memory();
            footprint.overhead = kernel.memory_use()?.overhead;
            report.footprint(footprint.clone());
        }
    }
    // Data of the person's own has no questions: the sample is asked about.
    let clawft = options.clawft.as_deref().filter(|_| options.base.is_none());
    let asked = |inputs: &Inputs| {
        clawft.map(|clawft| agent::run(clawft, options, inputs, true)).transpose()
    };
    if options.json {
        // The sizes stay the last line.
        asked(&inputs)?.iter().for_each(agent::tell_json);
        report.finish();
        return Ok(());
    }
    report.finish();
    for (((ids, counts), set), (_, _, questions)) in spoken.iter().zip(&sets).zip(&inputs.queries) {
        words::show(&job, questions.as_deref(), set.name, ids, counts);
    }
    durable::tell(&durable::run(options, &inputs)?);
    asked(&inputs)?.iter().for_each(agent::tell);
    Ok(())
}
