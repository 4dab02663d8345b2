//! Files that `import` names: the component sees them, read-only, and nothing beside them.
//!
//! WASI grants folders, and a folder holds more than the file that was named. So a file is
//! shown in a folder of the host's own, under its path, as a hard link or, where there can be
//! none, as a copy. A folder that is named is granted as it is.
//!
//! What it must never do: grant the folder that a named file is in; put anything into a folder
//! that was there before, as it may be somebody else's.

use crate::failure::{Failed, failed};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// What is shown in place of the folders of the named files; gone when it is dropped.
pub(crate) struct Imports {
    staging: PathBuf,
    /// Folder of the machine, and where the component sees it.
    pub(crate) folders: Vec<(PathBuf, PathBuf)>,
}

impl Imports {
    /// Shows what the arguments at `files` name. Each becomes an absolute path; `-` is none.
    ///
    /// # Errors
    /// A name of nothing, or what the system says.
    pub(crate) fn show(
        arguments: &mut [String],
        files: &[usize],
        data: &Path,
    ) -> Result<Self, Failed> {
        // One of an earlier process of the same number may have been left.
        let begun = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let name = format!("clawft-{}-{begun}", std::process::id());
        let staging = std::env::temp_dir().join(name);
        let mut imports = Self { staging, folders: Vec::new() };
        for file in files {
            match &mut arguments[*file] {
                input if input == "-" => {}
                argument => imports.show_one(argument, data)?,
            }
        }
        Ok(imports)
    }

    fn show_one(&mut self, argument: &mut String, data: &Path) -> Result<(), Failed> {
        let said = |error| failed(1, format!("{argument}: {error}"));
        let path = Path::new(argument).canonicalize().map_err(said)?;
        match path.parent().filter(|_| path.is_file()) {
            // It is seen already.
            _ if path.starts_with(data) => {}
            Some(parent) => {
                let folder = self.in_place_of(parent).map_err(said)?;
                let name = path.file_name().unwrap_or_default();
                link(&path, &folder.join(name)).map_err(said)?;
            }
            None => self.folders.push((path.clone(), path.clone())),
        }
        match path.to_str() {
            Some(shown) => shown.clone_into(argument),
            None => return Err(failed(1, format!("{argument}: a name in UTF-8 expected"))),
        }
        Ok(())
    }

    /// The folder of ours that stands for `parent`.
    fn in_place_of(&mut self, parent: &Path) -> std::io::Result<PathBuf> {
        let is_it =
            |(ours, seen): &&(PathBuf, PathBuf)| seen == parent && ours.starts_with(&self.staging);
        if let Some((ours, _)) = self.folders.iter().find(is_it) {
            return Ok(ours.clone());
        }
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        // Not recursive: a folder that is there already is not ours.
        if self.folders.iter().all(|(ours, _)| !ours.starts_with(&self.staging)) {
            builder.create(&self.staging)?;
        }
        let ours = self.staging.join(self.folders.len().to_string());
        builder.create(&ours)?;
        self.folders.push((ours.clone(), parent.to_path_buf()));
        Ok(ours)
    }
}

fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    if to.exists() || std::fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    std::fs::copy(from, to)?;
    // Whoever goes on after a break looks at the time.
    let changed = from.metadata()?.modified()?;
    std::fs::File::open(to)?.set_modified(changed)
}

impl Drop for Imports {
    fn drop(&mut self) {
        if self.folders.iter().any(|(ours, _)| ours.starts_with(&self.staging)) {
            // It is in the folder of temporary files.
            let _ = std::fs::remove_dir_all(&self.staging);
        }
    }
}
