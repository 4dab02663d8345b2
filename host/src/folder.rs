//! The data folder.
//!
//! What it must never do: create a folder that others can look into, or grant anything by a config
//! that cannot be read.

use crate::failure::{Failed, failed, tell};
use clawft_agent::config::{Config, MOST};
use std::io::Read;
use std::path::{Path, PathBuf};

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Finds the data folder, and creates it for its owner alone where it is missing: `CLAWFT_HOME`,
/// else `.clawft` in the home folder. One that is there keeps its permissions. The path is absolute.
///
/// # Errors
/// What is missing, or what the system says.
pub(crate) fn open() -> Result<PathBuf, Failed> {
    let home = || std::env::home_dir().filter(|home| home.is_absolute());
    let folder =
        variable("CLAWFT_HOME").or_else(|| Some(home()?.join(".clawft"))).ok_or_else(|| {
            failed(1, "neither CLAWFT_HOME nor HOME is set: there is no place for the memory")
        })?;
    let said = |error| failed(1, format!("the data folder {}: {error}", folder.display()));
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    if !folder.is_dir() {
        builder.create(&folder).map_err(said)?;
    }
    folder.canonicalize().map_err(said)
}

/// The config in the folder, for what the host grants by it. One that cannot be read grants
/// nothing: the component reads it too, and says what is wrong.
pub(crate) fn config(folder: &Path) -> Config {
    let mut text = String::new();
    let read = std::fs::File::open(folder.join("config.toml"))
        .and_then(|file| file.take(MOST + 1).read_to_string(&mut text));
    let whole = read.ok().filter(|&bytes| bytes as u64 <= MOST);
    whole.and_then(|_| Config::parse(&text).ok()).unwrap_or_default()
}

/// Leaves out folders for tools that are not there, as a drive may be unplugged, and says so.
pub(crate) fn leave_out_missing(folders: &mut Vec<String>) {
    folders.retain(|folder| match Path::new(folder).try_exists() {
        Ok(false) => {
            tell(&format!(
                "folders under [tools] in config.toml: {folder} is not there: no tool sees it"
            ));
            false
        }
        // What else is wrong with it is said when it is granted.
        _ => true,
    });
}
