//! The model file of the embedder `static`: part of the host, put into the data folder.

use crate::failure::{Failed, failed};
use crate::writer::MEMORY;
use std::path::Path;

/// The file; empty when the host was built without one.
static MODEL: &[u8] = include_bytes!(env!("CLAWFT_TABLE"));
/// Where the component looks for it.
const PLACE: &str = "models/static.table";

/// Puts the file into a data folder that has neither a memory nor such a file.
///
/// # Errors
/// What the system says.
pub(crate) fn install(data: &Path) -> Result<(), Failed> {
    let place = data.join(PLACE);
    if MODEL.is_empty() || data.join(MEMORY).exists() || place.exists() {
        return Ok(());
    }
    let beside = place.with_extension("new");
    let written = std::fs::create_dir_all(data.join("models"))
        .and_then(|()| std::fs::write(&beside, MODEL))
        .and_then(|()| std::fs::rename(&beside, &place));
    written.map_err(|error| failed(1, format!("{}: {error}", place.display())))
}
