//! `cargo xtask host`: the command `clawft`, one file with the component in it.
//!
//! The component is compiled by a program of its own, since the host has no compiler; both have
//! the engine's settings from the same file. What is built lies in `target/component`.

use crate::artifacts::AGENT;
use crate::process::{Outcome, cargo, command, read, root, run, run_silently, target, write};
use crate::tools;
use flate2::read::GzDecoder;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The model file of the embedder `static`.
const MODEL: &str = "models/clawft-static.bin";
/// What stands for it in the tests.
const TEST_MODEL: &str = "host/tests/model";
/// The target of the tests' component.
const COMPONENT: &str = "wasm32-wasip2";
/// Starts that are timed.
const STARTS: usize = 20;
/// Chats that are looked at, and how long each has to come to rest.
const READINGS: usize = 5;
const SETTLED: Duration = Duration::from_millis(500);
/// What is asked, with words that the sample has. It says nothing of the person, so nothing is
/// remembered.
const QUESTION: &str = "Is there a game of chess to play against the computer?";

/// What a person asks for; the gate asks for [`test()`].
pub(crate) fn host(arguments: &[String]) -> Outcome {
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => {
            println!("{}", build()?.display());
            Ok(())
        }
        ["test"] => test(),
        ["measure"] => measure(&build()?),
        other => Err(format!("host takes nothing, test or measure, found {other:?}")),
    }
}

/// The host with the component that ships.
pub(crate) fn build() -> Outcome<PathBuf> {
    let component = AGENT.build()?.path;
    let model = root().join(MODEL);
    link(&component, model.exists().then_some(model).as_deref())
}

/// Runs the host's tests: against a component that tries what it is granted, and against the one
/// that ships.
pub(crate) fn test() -> Outcome {
    tools::targets(&[COMPONENT])?;
    run(cargo()
        .args(["build", "--release", "--package", "clawft-host-guest", "--target", COMPONENT])
        .env_remove("RUSTFLAGS"))?;
    run(cargo().args(["test", "--profile", "host", "--package", "clawft-host", "--quiet"]))?;
    let guest = target().join(COMPONENT).join("release/clawft_host_guest.wasm");
    let program = link(&guest, Some(&root().join(TEST_MODEL)))?;
    let agent = build()?;
    run(cargo()
        .args(["test", "--package", "clawft-host-tests", "--features", "guest"])
        .env("CLAWFT_HOST", program)
        .env("CLAWFT_AGENT", agent))
}

/// Compiles a component and builds the host around it and the model file.
fn link(component: &Path, model: Option<&Path>) -> Outcome<PathBuf> {
    let build = |package| {
        let mut cargo = cargo();
        cargo.args(["build", "--profile", "host", "--package", package]);
        cargo
    };
    let built = |name| {
        let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        target().join("host").join(file)
    };
    run(&mut build("clawft-precompile"))?;
    let folder = target().join("component");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let name = component.file_stem().unwrap_or_default();
    let compiled = folder.join(name).with_extension("cwasm");
    run(command(built("clawft-precompile")).arg(component).arg(&compiled))?;
    let mut host = build("clawft-host");
    host.env("CLAWFT_CWASM", &compiled).env_remove("CLAWFT_MODEL");
    run(match model {
        Some(model) => host.env("CLAWFT_MODEL", model),
        None => &mut host,
    })?;
    // Another component gives another host of the same name.
    let program = folder.join(format!("{}{}", name.display(), std::env::consts::EXE_SUFFIX));
    std::fs::copy(built("clawft"), &program)
        .map_err(|error| format!("{}: {error}", program.display()))?;
    Ok(program)
}

/// Bytes, start and resident memory of the host, over an empty memory and over one of the sample.
fn measure(program: &Path) -> Outcome {
    let folder = target().join("component/measured");
    let _ = std::fs::remove_dir_all(&folder);
    let said = |error: std::io::Error| format!("{}: {error}", folder.display());
    std::fs::create_dir_all(&folder).map_err(said)?;
    let over = |name| Measured { program, data: folder.join(name) };
    let (empty, sample) = (over("empty"), over("sample"));

    let bytes = std::fs::metadata(program).map_err(said)?.len();
    println!("size            {bytes} bytes");
    let ask = ["ask", "--provider", "offline", QUESTION];
    empty.time(&["version"], "")?;
    empty.time(&ask, ", empty memory")?;
    empty.resident("", ", empty memory")?;

    let texts = folder.join("texts.jsonl");
    let packed = read(&root().join("data/texts.jsonl.gz"))?;
    let mut lines = Vec::new();
    GzDecoder::new(&*packed).read_to_end(&mut lines).map_err(said)?;
    write(&texts, &lines)?;
    let begin = Instant::now();
    run_silently(&mut sample.command(&["import", &texts.to_string_lossy()]))?;
    println!("import          {:.1?}: the sample's texts", begin.elapsed());
    sample.time(&ask, ", the sample")?;
    sample.time(&["recall", QUESTION], ", the sample")?;
    sample.resident(QUESTION, ", the sample, after a question")
}

/// The command over a data folder.
struct Measured<'a> {
    program: &'a Path,
    data: PathBuf,
}

impl Measured<'_> {
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(self.program);
        command.args(words).env("CLAWFT_HOME", &self.data);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// Times it from start to end. `over` says what it works on.
    fn time(&self, words: &[&str], over: &str) -> Outcome {
        let mut times = Vec::new();
        for _ in 0..=STARTS {
            let begin = Instant::now();
            run_silently(&mut self.command(words))?;
            times.push(begin.elapsed());
        }
        // The first one has read the files into memory.
        let times = &mut times[1..];
        times.sort_unstable();
        let (median, most) = (times[STARTS / 2], times[STARTS - 1]);
        println!(
            "start to end    {median:.1?} median, {most:.1?} at most: clawft {}{over}",
            words[0]
        );
        Ok(())
    }

    /// Takes what a chat has resident while it waits for a line, after a question where there is one.
    fn resident(&self, question: &str, over: &str) -> Outcome {
        let mut readings = Vec::new();
        for reading in 0..READINGS {
            // A session of its own, or each would have what the others said.
            let session = format!("reading-{reading}");
            let mut chat = self.command(&["chat", "--provider", "offline", "--session", &session]);
            let spawned = chat.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
            let mut chat = spawned.map_err(|error| error.to_string())?;
            let taken = taken(&mut chat, question);
            let _ = chat.kill();
            let _ = chat.wait();
            readings.push(taken?);
        }
        for (at, name) in ["VmRSS", "RssAnon"].into_iter().enumerate() {
            let mut kib: Vec<u64> = readings.iter().map(|reading| reading[at]).collect();
            kib.sort_unstable();
            let (least, median, most) = (kib[0], kib[READINGS / 2], kib[READINGS - 1]);
            let mb = median as f64 * 1.024e-3;
            println!(
                "{name:<15} {mb:.1} MB median, {least} to {most} KiB: clawft chat, waiting for a line{over}"
            );
        }
        Ok(())
    }
}

/// KiB of a chat that waits: all, and its own. It has answered the question where one is asked.
fn taken(chat: &mut Child, question: &str) -> Outcome<[u64; 2]> {
    let said = |error: std::io::Error| format!("clawft chat: {error}");
    if let (Some(input), Some(output)) = (&mut chat.stdin, &mut chat.stdout)
        && !question.is_empty()
    {
        writeln!(input, "{question}").map_err(said)?;
        output.read_exact(&mut [0]).map_err(said)?;
    }
    std::thread::sleep(SETTLED);
    let status = std::fs::read_to_string(format!("/proc/{}/status", chat.id()))
        .map_err(|_| "resident memory is read from /proc, and there is none")?;
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        number.ok_or_else(|| format!("/proc has no {name}"))
    };
    Ok([kib("VmRSS:")?, kib("RssAnon:")?])
}
