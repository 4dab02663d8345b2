//! Without the feature `coherence`: nothing is judged, and nothing is in quarantine.

use clawft_store::memory::{Error, Memory as Store};

/// Whether a memory is in quarantine.
pub(super) fn is_quarantined(_: &Store, _: u64) -> Result<bool, Error> {
    Ok(false)
}
