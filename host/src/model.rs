//! The model file of the embedder `static`: part of the host, put into the data folder.
//!
//! What it must never do: put it into a folder that has a memory, in the place of another file, or
//! there in part.

use crate::failure::{Failed, failed};
use crate::writer::takes_nothing;
use clawft_agent::embed::TABLE;
use clawft_agent::memory::NAME;
use std::path::Path;

/// The file; empty when the host was built without one.
static MODEL: &[u8] = include_bytes!(env!("CLAWFT_TABLE"));

/// Puts the file into a data folder that has neither a memory nor such a file. One that takes no file
/// stays without it: that nothing can be kept there is the component's to say.
///
/// # Errors
/// What else the system says.
pub(crate) fn install(data: &Path) -> Result<(), Failed> {
    let place = data.join(TABLE);
    if MODEL.is_empty() || data.join(NAME).exists() || place.exists() {
        return Ok(());
    }
    let beside = place.with_extension("new");
    let written = std::fs::create_dir_all(place.parent().unwrap_or(data))
        .and_then(|()| std::fs::write(&beside, MODEL))
        .and_then(|()| std::fs::rename(&beside, &place));
    let Err(error) = written else { return Ok(()) };
    // A part of it takes the room that is left, and serves nobody.
    let _ = std::fs::remove_file(&beside);
    match takes_nothing(&error) {
        true => Ok(()),
        false => Err(failed(1, format!("{}: {error}", place.display()))),
    }
}
