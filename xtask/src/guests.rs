//! `cargo xtask guests`: programs over the memory as WASI guests under the Wasmtime command
//! (`xtask/guests/`). Some things show only there: two processes that write one file without a
//! lock of the system, a memory that ends at 16 MiB, and the time that opening takes.

use crate::process::{Outcome, cargo, command, output, run, target};
use crate::{tools, wasi};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// Commits of each of two writers.
const COMMITS: u64 = 60;
/// Commits after which a writer lets the other one write.
const HOLD: u64 = 5;
/// Commits that are seen of a writer before it is killed.
const SEEN: usize = 20;
/// Records of the file that is larger than the memory.
const RECORDS: &str = "10000";
/// Bytes that it has at least.
const LARGE: u64 = 20_000_000;
/// Linear memory and stack of a guest, bytes.
const MEMORY: u32 = 16 << 20;
const STACK: u32 = 64 << 10;

/// What a person asks for; the gate asks for [`check`].
pub(crate) fn guests(arguments: &[String]) -> Outcome {
    tools::targets(&[wasi::TARGET])?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => check(),
        ["writers"] => writers(&Guest::build("guest", true)?),
        ["file"] => file(&Guest::build("guest", true)?),
        ["opening"] => opening(),
        ["large"] => large(),
        other => Err(format!("guests takes writers, file, opening or large, found {other:?}")),
    }
}

/// What must hold, in less than a minute.
pub(crate) fn check() -> Outcome {
    let guest = Guest::build("guest", true)?;
    writers(&guest)?;
    file(&guest)
}

/// A program of `xtask/guests/`, compiled for this machine.
struct Guest {
    wasmtime: PathBuf,
    module: PathBuf,
    name: &'static str,
}

impl Guest {
    /// Builds it; with `limited`, its memory may not grow beyond [`MEMORY`].
    fn build(name: &'static str, limited: bool) -> Outcome<Self> {
        let wasmtime = tools::wasmtime()?;
        let (variant, profile) = (wasi::VARIANTS[1], "release-wasm");
        let mut cargo = cargo();
        cargo.args(["rustc", "--quiet", "--profile", profile, "--package", "clawft-guests"]);
        cargo.args(["--bin", name, "--target", wasi::TARGET, "--"]);
        if limited {
            cargo.arg(format!("-Clink-arg=--max-memory={MEMORY}"));
            cargo.arg(format!("-Clink-arg=-zstack-size={STACK}"));
        }
        wasi::run_in_wasmtime(&mut cargo, &wasmtime, variant);
        run(&mut cargo)?;
        let built = target().join("wasi").join(variant.0).join(wasi::TARGET).join(profile);
        let module = built.join(format!("{name}.cwasm"));
        run(command(&wasmtime)
            .arg("compile")
            .arg(built.join(format!("{name}.wasm")))
            .arg("-o")
            .arg(&module))?;
        Ok(Guest { wasmtime, module, name })
    }

    /// A run of it, which sees `folder` as `/data`.
    fn over(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut run = command(&self.wasmtime);
        run.args(["run", "--allow-precompiled", "--dir"]);
        run.arg(format!("{}::/data", folder.display()));
        // What the sample is read from; it exists for the guest that makes a memory of it.
        run.args(["--dir", &crate::process::root().display().to_string()]);
        run.arg(&self.module).args(arguments);
        run
    }

    /// The same program natively, for what a guest cannot do.
    fn natively(&self, arguments: &[&str], folder: &Path) -> Outcome {
        let mut cargo = cargo();
        cargo.args(["run", "--quiet", "--profile", "test", "--package", "clawft-guests"]);
        cargo.args(["--bin", self.name, "--"]);
        let (first, rest) = arguments.split_first().ok_or("arguments expected")?;
        run(cargo.arg(first).arg(folder).args(rest))
    }
}

/// An empty folder that is gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Outcome<Self> {
        let path = target().join("guests").join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Two guests that write one file at once, one that is killed while another waits, and one that
/// comes when it must not: nothing that was committed is lost.
fn writers(guest: &Guest) -> Outcome {
    let folder = Folder::new("writers")?;
    let start = Instant::now();
    let (commits, hold) = (COMMITS.to_string(), HOLD.to_string());
    let mut committed = Vec::new();
    // The second one sleeps through its lease once, with a change that it then must not write.
    let both = [("1", "0"), ("100000", "500")].map(|(first, nap)| {
        Writer::spawn(guest.over(&folder.0, &["write", "/data", first, &commits, &hold, nap]))
    });
    let mut conflicts = false;
    for writer in both {
        let mut writer = writer?;
        let ids = writer.finish()?;
        println!("a writer was {}", writer.last);
        conflicts |= !writer.last.ends_with(" 0 conflicts");
        if ids.len() as u64 != COMMITS {
            return Err(format!("{COMMITS} commits expected, found {}", ids.len()));
        }
        committed.extend(ids);
    }
    if !conflicts {
        return Err("a conflict expected of the writer that slept".into());
    }
    println!("two writers at once: {} commits in {:.1} s", committed.len(), seconds(start));

    // One that never gives its lease back, and another that waits for it.
    let never = u64::MAX.to_string();
    let mut first =
        Writer::spawn(guest.over(&folder.0, &["write", "/data", "200000", &commits, &never, "0"]))?;
    let mut ids: Vec<u64> = first.by_ref().take(SEEN).collect();
    let mut second =
        Writer::spawn(guest.over(&folder.0, &["write", "/data", "300000", &commits, &hold, "0"]))?;
    // Its commits go on at about one a ms: it is in one of them.
    first.child.kill().map_err(|error| format!("the writer could not be killed: {error}"))?;
    let killed = Instant::now();
    ids.extend(first.by_ref());
    first.child.wait().map_err(|error| format!("the writer that was killed: {error}"))?;
    if ids.len() as u64 == COMMITS {
        return Err("the writer was done before it was killed".into());
    }
    println!("a writer killed after {} commits", ids.len());
    committed.extend(ids);
    let refused = output(&mut guest.over(&folder.0, &["second", "/data"]))?;
    let sentence = "no other writer expected, found one with a lease until";
    match refused.lines().find(|line| line.contains(sentence)) {
        Some(line) => println!("a further one is {line}; it may read"),
        None => return Err(format!("a refusal expected, found\n{refused}")),
    }
    hold_all(&committed, &refused)?;
    let ids = second.finish()?;
    println!("the one that waited went on: {} commits, {:.1} s later", ids.len(), seconds(killed));
    committed.extend(ids);
    hold_all(&committed, &output(&mut guest.over(&folder.0, &["check", "/data"]))?)?;
    println!("{} commits of four writers, none lost", committed.len());
    Ok(())
}

fn seconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64()
}

/// Whether all that was committed was found.
fn hold_all(committed: &[u64], printed: &str) -> Outcome {
    let found: Vec<u64> = printed.lines().filter_map(|line| number(line, "found ")).collect();
    match committed.iter().find(|id| !found.contains(id)) {
        Some(lost) => Err(format!("commit {lost} is lost, {} are there", found.len())),
        None => Ok(()),
    }
}

fn number(line: &str, before: &str) -> Option<u64> {
    line.strip_prefix(before)?.trim().parse().ok()
}

/// A guest that writes, and what it says that it has committed.
struct Writer {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    /// What else it said, the newest.
    last: String,
}

impl Writer {
    fn spawn(mut command: Command) -> Outcome<Self> {
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.map_err(|error| format!("wasmtime: {error}"))?;
        let out = child.stdout.take().ok_or("the guest has no output")?;
        Ok(Writer { child, lines: BufReader::new(out).lines(), last: String::new() })
    }

    /// All ids until it ends well.
    fn finish(&mut self) -> Outcome<Vec<u64>> {
        let ids = self.by_ref().collect();
        match self.child.wait() {
            Ok(status) if status.success() => Ok(ids),
            Ok(status) => Err(format!("a writer ended with {status}")),
            Err(error) => Err(format!("a writer: {error}")),
        }
    }
}

impl Iterator for Writer {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        for line in self.lines.by_ref().map_while(Result::ok) {
            match number(&line, "committed ") {
                None => self.last = line,
                id => return id,
            }
        }
        None
    }
}

/// A file of more than 20 MB in a memory of 16 MiB: written there, and written by another
/// program as one segment; opened, searched and changed.
fn file(guest: &Guest) -> Outcome {
    for by_another in [false, true] {
        let folder = Folder::new("file")?;
        let name = if by_another { "foreign" } else { "make" };
        match by_another {
            true => guest.natively(&["foreign", RECORDS], &folder.0)?,
            false => run(&mut guest.over(&folder.0, &["make", "/data", RECORDS]))?,
        }
        let path = folder.0.join("memory.rvf");
        let len = path.metadata().map_err(|error| format!("{name}: {error}"))?.len();
        if len < LARGE {
            return Err(format!("a file of {LARGE} bytes expected, found {len}"));
        }
        let mut open = vec!["open", "/data", RECORDS];
        open.extend(by_another.then_some(name));
        run(&mut guest.over(&folder.0, &open))?;
    }
    Ok(())
}

/// How long a memory of the sample takes to open.
fn opening() -> Outcome {
    let guest = Guest::build("opening", false)?;
    let folder = Folder::new("opening")?;
    run(&mut guest.over(&folder.0, &["/data", "101"]))
}

/// 40,000 vectors in 16 MiB: minutes.
pub(crate) fn large() -> Outcome {
    let guest = Guest::build("forty-thousand", true)?;
    let folder = Folder::new("large")?;
    guest.natively(&["prepare"], &folder.0)?;
    run(&mut guest.over(&folder.0, &["run", "/data"]))
}
