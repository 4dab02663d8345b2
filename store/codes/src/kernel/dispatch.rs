//! Which instruction sets there are here, and the jump to the right one.

use super::algorithm::{Batch, Component, Counted, Floats, Products};
use super::scalar::Scalar;

/// The instruction sets compiled for this target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Isa {
    Scalar,
}

impl Isa {
    pub(super) fn detect() -> Self {
        Isa::Scalar
    }

    pub(super) fn generic() -> Self {
        Isa::Scalar
    }

    pub(super) fn available() -> impl Iterator<Item = Isa> {
        [Isa::Scalar].into_iter()
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Isa::Scalar => "scalar",
        }
    }
}

pub(super) fn floats<const SQUARED: bool, const HALF: bool>(
    isa: Isa,
    q: &[f32],
    batch: Batch<'_>,
    out: &mut [f32],
) {
    match isa {
        // SAFETY: the batch was made for codes as long as the query.
        Isa::Scalar => unsafe { batch.run(&Floats::<Scalar, SQUARED, HALF>::new(q), out) },
    }
}

fn products<C: Component>(isa: Isa, q: &[C], batch: Batch<'_>, out: &mut [i32]) {
    match isa {
        // SAFETY: the batch was made for codes as long as the query.
        Isa::Scalar => unsafe { batch.run(&Products::<Scalar, C>::new(q), out) },
    }
}

pub(super) fn words(isa: Isa, q: &[i16], batch: Batch<'_>, out: &mut [i32]) {
    products(isa, q, batch, out);
}

pub(super) fn bytes(isa: Isa, q: &[i8], batch: Batch<'_>, out: &mut [i32]) {
    products(isa, q, batch, out);
}

pub(super) fn short(isa: Isa, planes: &[u8], batch: Batch<'_>, out: &mut [i32]) {
    match isa {
        // SAFETY: the batch was made for codes as long as a plane.
        Isa::Scalar => unsafe { batch.run(&Counted::<Scalar, 0>::new(planes), out) },
    }
}
