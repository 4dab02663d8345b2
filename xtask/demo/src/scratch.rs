//! A folder for temporary files that is removed at the end.

use crate::Failure;
use std::path::PathBuf;

/// The folder; it goes with this value.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    /// A new one, whose name begins with `name`.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn new(name: &str) -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        match std::fs::create_dir_all(&folder) {
            Ok(()) => Ok(Self(folder)),
            Err(why) => Err(Failure::new(format!("{}: {why}", folder.display()))),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays in a folder for temporary files harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
