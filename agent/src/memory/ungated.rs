//! Without the feature `coherence`: nothing is judged, and nothing is in quarantine.
//!
//! What it must never do: keep out a piece that memory does not hold yet.

use clawft_store::memory::{Memory as Store, Refusal};

use super::Memory;
use super::import::{IMPORTED, Imported};
use crate::failure::Failure;

/// Whether a memory is in quarantine.
pub(super) fn is_quarantined(_: &Store, _: u64) -> Result<bool, Refusal> {
    Ok(false)
}

/// The pairs that a memory gets which another says as well: none.
pub(super) fn said_by<'a>(
    _: &Store,
    _: u64,
    _: &'a str,
) -> Result<[(&'a str, &'a str); 0], Refusal> {
    Ok([])
}

/// What is said of pieces: nothing.
pub(super) struct Judged;

/// The pairs that the record of a piece gets, or none where memory holds it already. Counts it.
pub(super) fn admit(
    _: &mut Store,
    _: &Judged,
    _: usize,
    there: bool,
    done: &mut Imported,
) -> Result<Option<&'static [(&'static str, &'static str)]>, Refusal> {
    let (count, pairs): (_, Option<&[_]>) = match there {
        true => (&mut done.known, None),
        false => (&mut done.added, Some(&[IMPORTED])),
    };
    *count += 1;
    Ok(pairs)
}

impl Memory<'_> {
    /// Judges imported texts.
    pub(super) fn judged(&self, _: &[&str], _: &[f32], _: usize) -> Result<Judged, Failure> {
        Ok(Judged)
    }
}
