//! A folder for the files of a test.

use std::path::{Path, PathBuf};

/// A folder of its own, removed when it is dropped.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        // A guest asks neither for a temporary folder nor for its process: the gate gives it one.
        let path = match cfg!(target_family = "wasm") {
            true => Path::new("/tmp").join(format!("clawft-guest-{name}")),
            false => std::env::temp_dir().join(format!("clawft-{name}-{}", std::process::id())),
        };
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
