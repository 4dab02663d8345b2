//! The parameters of a store, from the host's struct.
//!
//! Why: only what the host's numbers mean is decided here. Whether they are within bounds
//! is the store's to say, so that each bound stands in one place. Encoding 3 and a scan limit
//! of 0 are kept until the struct is used, as what they stand for hangs on the dimension and
//! the capacity, which the host may change until then.
//!
//! What it must never do: turn a number that is too large into one that is allowed.

use clawft_vectors::{Encoding, Metric, Params};

use crate::error::{Failed, kept, status, unknown_choice};
use crate::pointer::{self, Output};

/// What a store is to be. `clawft_params_init` fills in the defaults.
#[repr(C)]
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct ClawftParams {
    /// Size of this struct in bytes.
    pub size: u32,
    /// Components of a vector: 1 to 8,192.
    pub dim: u32,
    /// Vectors that fit.
    pub capacity: u32,
    /// What is near: 0 cosine, 1 inner product, 2 L2.
    pub metric: u32,
    /// How vectors are kept: 0 f32, 1 f16, 2 i8, 3 by the dimension: f32 below
    /// 128, i8 from there on.
    pub encoding: u32,
    /// Links that a vector chooses on each level, 4 to 64; 0: 16.
    pub m: u32,
    /// Candidates that an insert weighs; 0: 200.
    pub ef_construction: u32,
    /// Up to this many vectors a query of mode 0 scans instead of walking, where the
    /// larger of `k` and `ef` is 64; the limit grows in proportion to it. 0: the
    /// measured default, `UINT32_MAX`: always.
    pub scan_limit: u32,
    /// Seed of levels and rotation. Same seed and same calls: same bytes.
    pub seed: u64,
}

impl ClawftParams {
    fn check(&self) -> Result<Params, Failed> {
        let metric = match self.metric {
            0 => Metric::Cosine,
            1 => Metric::InnerProduct,
            2 => Metric::L2,
            found => return Err(unknown_choice("metric", 2, found)),
        };
        let encoding = match self.encoding {
            0 => Encoding::F32,
            1 => Encoding::F16,
            2 => Encoding::I8,
            3 => Params::new(self.dim, self.capacity).encoding,
            found => return Err(unknown_choice("encoding", 3, found)),
        };
        let defaults = Params::new(self.dim, self.capacity);
        let or_default = |given, default| if given == 0 { default } else { given };
        let m = or_default(self.m, defaults.m.into());
        Ok(Params {
            metric,
            encoding,
            // A number that does not fit is too large for the store, which says so.
            m: u16::try_from(m).unwrap_or(u16::MAX),
            ef_construction: or_default(self.ef_construction, defaults.ef_construction),
            seed: self.seed,
            scan_limit: (self.scan_limit != 0).then_some(self.scan_limit),
            ..defaults
        })
    }
}

/// What `given` vectors mean for a store of `params`: 0 is the default.
pub(crate) fn scan_limit(params: &Params, given: u32) -> u32 {
    let given = (given != 0).then_some(given);
    Params { scan_limit: given, ..*params }.scan_limit_in_force()
}

/// Reads and checks the host's struct.
///
/// # Safety
/// Natively `params` is valid for reads.
pub(crate) unsafe fn read(params: *const ClawftParams) -> Result<Params, Failed> {
    // SAFETY: the caller's promise; the struct is `repr(C)` and all integers.
    unsafe { pointer::sized("params", params) }?.check()
}

/// Writes the defaults for `dim` components and `capacity` vectors to `out`:
/// cosine, encoding by the dimension, M 16, ef_construction 200, the measured
/// scan limit, a fixed seed. The numbers are checked when they are used.
///
/// Errors: those of pointers.
///
/// # Safety
/// Natively `out` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_params_init(
    out: *mut ClawftParams,
    dim: u32,
    capacity: u32,
) -> i32 {
    let init = || {
        // SAFETY: the caller's promise.
        let out = unsafe { Output::one("out", out) }?;
        let defaults = Params::new(dim, capacity);
        out.set(
            0,
            ClawftParams {
                size: size_of::<ClawftParams>() as u32,
                dim,
                capacity,
                metric: 0,
                encoding: 3,
                m: defaults.m.into(),
                ef_construction: defaults.ef_construction,
                scan_limit: 0,
                seed: defaults.seed,
            },
        );
        Ok(())
    };
    status(init())
}

/// Writes to `out` how many bytes a store of `params` takes (its image, which is
/// also the most that its snapshot takes; scratch comes on top, 65 KiB at 10,000
/// vectors of 512 dimensions, 388 KiB at 1,000,000).
///
/// Errors: `StructSize`, `UnknownChoice`; those of the store for a dimension,
/// capacity, M or ef_construction out of bounds; those of pointers.
///
/// # Safety
/// Natively the pointers are valid for reads and writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_required_bytes(params: *const ClawftParams, out: *mut u64) -> i32 {
    let count = || {
        // SAFETY: the caller's promise.
        let (params, out) = unsafe { (read(params)?, Output::one("out", out)?) };
        out.set(0, kept(clawft_vectors::required_bytes(&params))? as u64);
        Ok(())
    };
    status(count())
}
