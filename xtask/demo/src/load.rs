//! An artifact loaded and a store in it filled, under a maximum of the linear memory.
//!
//! The maximum is decided before the first row goes in, and the runtime enforces it. Where the
//! person names one, it stands and the capacity gives way; else it is the usual one, or what the
//! data needs. Only a kernel knows what that is, so one is asked, or a capacity is tried out in it:
//! never in the kernel that is measured, which must not have held anything before its store.
//!
//! Nothing is searched here.

use crate::Failure;
use crate::kernel::{Compiled, Kernel, Params};
use crate::options::{Artifact, Options, Runtime};
use crate::report::{Footprint, Report};
use crate::sweep::{self, Filled, K};
use clawft_sample::arrays::Matrix;

/// The maximum of the linear memory where the data allows it.
const USUAL_MAXIMUM: usize = 16 << 20;
/// Linear memory beside a store's image: the module's data, its stack, the
/// scratch of a search and the host's own buffers.
const BESIDE_THE_IMAGE: usize = 1 << 20;
/// What a search with a large ef may want beyond the first scratch.
const SCRATCH_BYTES: usize = 128 << 10;

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
