//! Vectors and texts from files, the exact answer to compare a result with, and a folder for what is
//! written on the way.
//!
//! Hosts that measure (`xtask/demo`, `xtask/matrix`) and `benches/` share it. It knows nothing of the product, so
//! nothing of the product can make an answer look right. Every refusal is a sentence that names the
//! file.
#![forbid(unsafe_code)]

pub mod arrays;
pub mod exact;
pub mod scratch;
pub mod texts;

/// How near is measured. The numbers are those of the C ABI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// `1 - cos`.
    Cosine,
    /// The inner product, the largest first.
    InnerProduct,
    /// The squared Euclidean distance.
    L2,
}

impl Metric {
    /// The number of the C ABI.
    pub fn number(self) -> u32 {
        self as u32
    }

    /// As a person types it.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Cosine => "cosine",
            Metric::InnerProduct => "ip",
            Metric::L2 => "l2",
        }
    }
}
