//! Where things are, and how other programs are run.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Success, or the sentence that the person reads.
pub(crate) type Outcome<T = ()> = Result<T, String>;

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    // Cargo sets it at run time; the one of compile time would go stale when
    // the folder is moved.
    let own = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let own = own.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    own.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// Where Cargo builds.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// A command at the workspace's root.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// Cargo, of the pinned toolchain.
pub(crate) fn cargo() -> Command {
    let mut cargo = command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What `cargo run` has said about xtask is not true of what xtask builds.
    for (name, _) in std::env::vars_os() {
        let own = name.to_string_lossy();
        if own.starts_with("CARGO_PKG_") || own.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// The command as a person would type it.
fn typed(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(name).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// Runs a command with its output shown.
pub(crate) fn run(command: &mut Command) -> Outcome {
    // Without this line a cargo that waits for another one would look stuck.
    eprintln!("$ {}", typed(command));
    run_silently(command)
}

/// The same for what installs something. What it prints goes to standard error: standard output is the
/// command's own, and may be read by a program.
pub(crate) fn install(command: &mut Command) -> Outcome {
    run(command.stdout(std::io::stderr()))
}

/// [`run`] without the line that says so.
pub(crate) fn run_silently(command: &mut Command) -> Outcome {
    let status = command.stdin(Stdio::null()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{}` ended with {status}", typed(command))),
        Err(error) => Err(format!("`{}` could not be started: {error}", typed(command))),
    }
}

/// Runs a command and gives all that it printed, and whether it succeeded.
pub(crate) fn run_apart(command: &mut Command) -> (String, Outcome) {
    match command.stdin(Stdio::null()).output() {
        Ok(output) => {
            let printed = [output.stdout, output.stderr].concat();
            let printed = format!("$ {}\n{}", typed(command), String::from_utf8_lossy(&printed));
            let outcome = match output.status.success() {
                true => Ok(()),
                false => Err(format!("`{}` ended with {}", typed(command), output.status)),
            };
            (printed, outcome)
        }
        Err(error) => {
            (String::new(), Err(format!("`{}` could not be started: {error}", typed(command))))
        }
    }
}

/// Runs a command and gives its output; its errors are shown.
pub(crate) fn output(command: &mut Command) -> Outcome<String> {
    let outcome = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    match outcome {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(output) => Err(format!("`{}` ended with {}", typed(command), output.status)),
        Err(error) => Err(format!("`{}` could not be started: {error}", typed(command))),
    }
}

/// Whether a program is there and answers.
pub(crate) fn answers(program: impl AsRef<OsStr>, argument: &str) -> bool {
    let mut command = command(program);
    command.arg(argument).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Reads a file, or says which one could not be read.
pub(crate) fn read(path: &Path) -> Outcome<Vec<u8>> {
    std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// Writes a file and the folder around it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Outcome {
    let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    folder
        .and_then(|()| std::fs::write(path, bytes))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// The files of a folder that end so, sorted.
pub(crate) fn files(folder: &str, ending: &str) -> Outcome<Vec<PathBuf>> {
    let path = root().join(folder);
    let entries = std::fs::read_dir(&path).map_err(|error| format!("{folder}: {error}"))?;
    let mut files: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .collect();
    files.sort();
    if files.is_empty() { Err(format!("{folder} has no .{ending} file")) } else { Ok(files) }
}
