//! The model file of the embedder `static`: part of the host, put into the data folder.
//!
//! What it must never do: put it into a folder that has a memory, in the place of another file, or
//! there in part.

use crate::failure::{Failed, failed};
use crate::writer::takes_nothing;
use clawft_agent::embed::TABLE;
use clawft_agent::memory::NAME;
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// The file; empty when the host was built without one.
static MODEL: &[u8] = include_bytes!(env!("CLAWFT_TABLE"));

/// Whether a data folder needs no file: it has one, or a memory, which says what it needs.
pub(crate) fn is_there(data: &Path) -> bool {
    MODEL.is_empty() || data.join(NAME).exists() || data.join(TABLE).exists()
}

/// Puts the file into a data folder that needs one. One that takes no file stays without it.
///
/// # Errors
/// What else the system says.
pub(crate) fn install(data: &Path) -> Result<(), Failed> {
    if is_there(data) {
        return Ok(());
    }
    let place = data.join(TABLE);
    let beside = place.with_extension("new");
    let folder = place.parent().unwrap_or(data);
    // On the disk before it has its name: what a power cut leaves under it would be taken for whole, beside
    // a memory for good.
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| File::create(&beside))
        .and_then(|mut file| file.write_all(MODEL).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&beside, &place));
    let Err(error) = written else {
        // A folder that cannot be synced is as it would be without.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        return Ok(());
    };
    // A part of it takes the room that is left, and serves nobody.
    let _ = std::fs::remove_file(&beside);
    match takes_nothing(&error) {
        true => Ok(()),
        false => Err(failed(1, format!("{}: {error}", place.display()))),
    }
}
