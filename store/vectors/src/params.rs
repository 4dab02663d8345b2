//! What an image is made for: fixed at creation, kept in its header.
//!
//! Every offset follows from these, so another value is another image. The scan limit alone may
//! change later, as nothing lies by it.
//!
//! What it must never do: take a default from the machine, or give a metric another number, as
//! it stands in headers.

use clawft_codes::Encoding;

use crate::SHORT_FROM;

/// The largest capacity with sketches: beyond it a walk is faster than any scan.
const MOST_SKETCHED: u32 = 32_768;

/// How near two vectors are. Distances are such that smaller is nearer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Metric {
    /// `1 - cos(a, b)`, 0 to 2. Vectors are scaled to length 1 when they come in.
    Cosine = 0,
    /// `1 - <a, b>`.
    InnerProduct = 1,
    /// Squared Euclidean distance.
    L2 = 2,
}

impl Metric {
    /// The metric of a stored number.
    #[must_use]
    pub const fn from_u8(number: u8) -> Option<Self> {
        match number {
            0 => Some(Metric::Cosine),
            1 => Some(Metric::InnerProduct),
            2 => Some(Metric::L2),
            _ => None,
        }
    }

    /// The distance as callers have it, of what vectors are ranked by: within what a cosine can have,
    /// where rounded codes may seem farther, and 1 less the inner product. For those who read it alone,
    /// as it would hide who is nearer.
    pub(crate) fn told(self, ranked: f32) -> f32 {
        match self {
            Metric::Cosine => ranked.clamp(0.0, 2.0),
            Metric::InnerProduct => 1.0 + ranked,
            Metric::L2 => ranked,
        }
    }
}

/// Parameters of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// Components of each vector, 1 to 8192.
    pub dim: u32,
    /// How many vectors the image holds at most.
    pub capacity: u32,
    /// How near two vectors are.
    pub metric: Metric,
    /// Encoding of the full codes.
    pub encoding: Encoding,
    /// Links that a vector chooses on each level of the graph, 4 to 64.
    pub m: u16,
    /// Width of the walk that looks for them.
    pub ef_construction: u32,
    /// Seed of the rotation and of the graph's levels.
    pub seed: u64,
    /// Up to how many candidates a scan is taken to be faster than a walk where the larger of `k`
    /// and `ef` is 64: as a wider walk takes longer, the limit in force grows in proportion to it.
    /// `None` takes the figure measured for such vectors.
    pub scan_limit: Option<u32>,
    /// Tiers: how many vectors have room in the hot one while all others are cold. 8-bit codes
    /// only, in a build with the feature `tiers`. `None`: no tiers, and room for every vector hot.
    /// See [`crate::tiers`].
    pub hot: Option<u32>,
}

impl Params {
    /// The defaults: cosine, 8-bit codes from 128 dimensions on and `f32` below, m 16,
    /// ef_construction 200.
    #[must_use]
    pub const fn new(dim: u32, capacity: u32) -> Self {
        Params {
            dim,
            capacity,
            metric: Metric::Cosine,
            encoding: if (dim as usize) < SHORT_FROM { Encoding::F32 } else { Encoding::I8 },
            m: 16,
            ef_construction: 200,
            seed: 0x00C1_AF70,
            scan_limit: None,
            hot: None,
        }
    }

    pub(crate) const fn graph(&self) -> clawft_hnsw::Params {
        clawft_hnsw::Params {
            capacity: self.capacity,
            m: self.m,
            ef_construction: self.ef_construction,
            seed: self.seed,
        }
    }

    /// Do walks use short codes?
    #[must_use]
    pub const fn is_short(&self) -> bool {
        self.dim as usize >= SHORT_FROM
    }

    /// Do scans use sketches?
    #[must_use]
    pub const fn is_sketched(&self) -> bool {
        self.is_short() && self.capacity <= MOST_SKETCHED
    }

    /// The scan limit in force.
    #[must_use]
    pub const fn scan_limit_in_force(&self) -> u32 {
        match self.scan_limit {
            Some(limit) => limit,
            // 10,000 embeddings of 512 dimensions, in Wasmtime (`docs/benchmarks.md`): from an `ef`
            // of 32 on a scan is faster than a walk that finds as many, but for easy queries and
            // little recall: 0.97 of held-out texts take it a tenth longer.
            None if self.is_sketched() => 20_000,
            // Without sketches, by short or full codes: likewise.
            None => 1000,
        }
    }
}
