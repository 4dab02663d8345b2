//! Files that `import` names: the component sees them, read-only, and nothing beside them.
//!
//! WASI grants folders, and a folder holds more than the file that was named. So a file is
//! shown in a folder of the host's own, under its path, as a hard link or, where there can be
//! none, as a copy. A folder that is named is granted as it is.
//!
//! What it must never do: grant the folder that a named file is in; put anything into a folder
//! that was there before, as it may be somebody else's.

use crate::failure::{Failed, failed};
use clawft_agent::memory::Format;
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
        let mut seen = path.clone();
        if path.starts_with(data) {
            // It is seen already.
        } else if path.is_file() {
            seen = as_named(Path::new(argument), data).unwrap_or(seen);
            let folder = self.in_place_of(seen.parent().unwrap_or(&seen)).map_err(said)?;
            let name = seen.file_name().unwrap_or_default();
            link(&path, &folder.join(name)).map_err(said)?;
        } else {
            self.folders.push((path.clone(), path));
        }
        match seen.to_str() {
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

/// The absolute path of a file under the name that it was given by, where that says what the file is: the name of
/// a link's target may say nothing. Not where the name is in the data folder, which is seen as it is.
fn as_named(file: &Path, data: &Path) -> Option<PathBuf> {
    Format::of(file.to_str()?)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
    (!folder.starts_with(data)).then(|| folder.join(file.file_name().unwrap_or_default()))
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_link_is_shown_by_its_own_name() {
        let name = format!("clawft-links-{}", std::process::id());
        let place = std::env::temp_dir().join(name).join("a");
        std::fs::create_dir_all(place.join("data")).unwrap();
        let place = place.canonicalize().unwrap();
        std::fs::write(place.join("0f3a"), "tea").unwrap();
        symlink(place.join("0f3a"), place.join("notes.md")).unwrap();
        symlink(place.join("0f3a"), place.join("data").join("within.md")).unwrap();
        symlink(place.join("notes.md"), place.join("latest")).unwrap();
        let given = |path: &Path| path.to_str().unwrap().to_owned();
        let mut arguments =
            ["notes.md", "0f3a", "data/within.md", "latest"].map(|name| given(&place.join(name)));
        let shown = Imports::show(&mut arguments, &[0, 1, 2, 3], &place.join("data")).unwrap();
        // What is named in the data folder, or by a name that says nothing, is granted by what it is.
        let seen_as = ["notes.md", "0f3a", "0f3a", "0f3a"].map(|name| given(&place.join(name)));
        assert_eq!(arguments, seen_as);
        let [(ours, seen)] = &shown.folders[..] else { panic!("{:?}", shown.folders) };
        assert_eq!(seen, &place);
        for name in ["notes.md", "0f3a"] {
            assert_eq!(std::fs::read_to_string(ours.join(name)).unwrap(), "tea");
            assert!(!ours.join(name).is_symlink());
        }
        std::fs::remove_dir_all(place.parent().unwrap()).unwrap();
    }
}
