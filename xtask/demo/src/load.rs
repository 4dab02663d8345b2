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
/// Linear memory beside a store's image, its scratch and the desk: the module's data, its stack and
/// what is small.
const BESIDE_THE_IMAGE: usize = 1 << 20;
/// Of the scratch: what does not grow.
const SCRATCH_BYTES: usize = 8 << 10;
/// Slots beyond which no scan makes estimates.
const ESTIMATED: usize = 32_768;
/// The least ef that scratch is made for.
const LEAST_EF: u32 = 200;

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
    let ef = options.ef.iter().flatten().copied().chain(sweep::EF).fold(LEAST_EF, u32::max);
    let memory_max = plan_memory(&compiled, &mut params, ef, options.memory_max_mib, report)?;
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

/// The maximum of the linear memory in bytes, for searches of at most `ef` candidates. Where the
/// person's maximum is too small for the capacity, the capacity becomes what fits under it.
fn plan_memory(
    compiled: &Compiled,
    params: &mut Params,
    ef: u32,
    asked_mib: Option<u32>,
    report: &Report,
) -> Result<usize, Failure> {
    let Some(asked_mib) = asked_mib else {
        // A kernel of its own for the question, so that asking costs no memory.
        let mut kernel = Kernel::new(compiled)?;
        kernel.limit_memory(USUAL_MAXIMUM)?;
        let image = usize::try_from(kernel.required_bytes(*params)?).unwrap_or(usize::MAX);
        let needed = image.saturating_add(beside_the_image(params, ef));
        return Ok(needed.max(USUAL_MAXIMUM).next_multiple_of(64 << 10));
    };
    let maximum = asked_mib as usize * (1 << 20);
    // Whether a capacity fits is tried out; parameters that never do are not
    // a matter of memory, and the store itself will say what is wrong.
    let fits = |capacity: u32| fits(compiled, Params { capacity, ..*params }, ef, maximum);
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

/// Whether a store, the desk for questions and the scratch of the widest search fit
/// under a maximum.
fn fits(compiled: &Compiled, params: Params, ef: u32, maximum: usize) -> bool {
    let Ok(mut kernel) = Kernel::new(compiled) else { return false };
    let Ok(more) = u32::try_from(desk_bytes(params.dim) + scratch_bytes(&params, ef)) else {
        return false;
    };
    kernel.limit_memory(maximum).is_ok()
        && kernel.create(params).is_ok()
        && kernel.allocate(more).is_ok()
}

/// Linear memory that is wanted beside the image. Scratch counts twice: a larger one may not fit
/// where the first one was, since the desk stands behind it.
fn beside_the_image(params: &Params, ef: u32) -> usize {
    BESIDE_THE_IMAGE + desk_bytes(params.dim) + 2 * scratch_bytes(params, ef)
}

/// Bytes of the scratch of searches that keep at most `ef` candidates, and hardly more: two bits and,
/// where there are few, an estimate for each slot; the candidates, and four times as many to choose
/// from; a query in its forms.
fn scratch_bytes(params: &Params, ef: u32) -> usize {
    let (slots, dim) = (params.capacity as usize, params.dim as usize);
    let kept = slots.min(ef as usize);
    let slot_bytes = 16 * slots.div_ceil(64) + 4 * slots.min(ESTIMATED);
    let candidates = 8 * (kept + slots.min(4 * kept));
    slot_bytes + candidates + 24 * (dim + 64) + SCRATCH_BYTES
}

/// Bytes of a batch of queries and its answers.
fn desk_bytes(dim: u32) -> usize {
    sweep::QUERY_BATCH * (4 * dim as usize + 12 * K + 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clawft_vectors::{Layout, scratch_words};

    fn params(dim: u32, capacity: u32) -> Params {
        Params { dim, capacity, metric: 0, encoding: 3 }
    }

    #[test]
    fn the_scratch_of_every_search_is_counted() {
        for (dim, capacity) in [
            (1, 1),
            (24, 300),
            (2, 3_000_000),
            (128, 10_000),
            (512, 10_000),
            (512, 32_768),
            (768, 1_000_000),
            (8192, 1000),
        ] {
            let layout = Layout::new(&clawft_vectors::Params::new(dim, capacity)).unwrap();
            for ef in [LEAST_EF, 1024, 100_000] {
                let counted = scratch_bytes(&params(dim, capacity), ef);
                // Beside its words: 200 hits of 16 bytes, a row, and what aligns them.
                let words = 8 * scratch_words(&layout, ef.min(capacity));
                let taken = words + 200 * 16 + 4 * dim as usize + 512;
                let at = format!("{dim} x {capacity}, ef {ef}");
                assert!(counted >= taken, "{at}: {taken} taken, {counted} counted");
                assert!(counted <= taken + (160 << 10), "{at}: {taken} taken, {counted} counted");
            }
        }
    }

    /// Its bitmaps alone are larger than what is there beside every store.
    #[test]
    fn a_store_of_many_slots_has_room_for_its_scratch() {
        let many = params(2, 4_300_000);
        let bitmaps = 2 * many.capacity as usize / 8;
        assert!(bitmaps > BESIDE_THE_IMAGE);
        let beside = beside_the_image(&many, 1024);
        assert!(beside > BESIDE_THE_IMAGE + 2 * bitmaps, "{beside}");
    }
}
