//! `cargo xtask guides`: the commands of the guides, run as they stand there.
//!
//! A fenced block `sh` is run; a block `text` behind it is what it prints, line by line, with `…` for
//! what differs from run to run. `sh release` needs the whole of `dist/`, `sh nginx` a proxy: they run
//! with `--all` only, and how many were left out is said. Blocks of other kinds are not run.
//!
//! The blocks of a section are one shell, and what still runs at its end is ended. All sections of a
//! page share a folder that looks like a clean checkout with a filled `dist/`; ports are free ones in
//! place of those of the page, so that two runs do not meet.

use crate::artifacts::ALL;
use crate::process::{Outcome, command, read, root, run_silently, target, write};
use crate::{dist, tools};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// The pages that are run.
const PAGES: [&str; 2] = ["README.md", "docs/deployment/wasm.md"];
/// Ports that they name.
const PORTS: [&str; 4] = ["8000", "8080", "8443", "8787"];
/// What a block may need that is not everywhere.
const NEEDS: [&str; 2] = ["release", "nginx"];
/// The most that a section may take.
const LIMIT: Duration = Duration::from_secs(300);
/// What the shell prints between two blocks.
const MARK: &str = "@@@ block ";
/// Runs a section in a group of its own, by whose number all that it has started is ended.
const SHELL: &str =
    "set -m; bash section.sh > section.log 2>&1 & echo -$! > section.group; wait $!";
/// Stands for any text in what is printed.
const ANYTHING: char = '…';

/// `cargo xtask guides [--all]`.
pub(crate) fn guides(arguments: &[String]) -> Outcome {
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => check(false),
        ["--all"] => check(true),
        other => Err(format!("guides takes --all or nothing, found {other:?}")),
    }
}

/// Runs the pages; with `all` also what needs a release and a proxy.
pub(crate) fn check(all: bool) -> Outcome {
    if all {
        tools::nginx()?;
        dist::dist()?;
    }
    let mut files = vec![(root().join("models/clawft-static.bin"), "clawft-static.bin")];
    for artifact in ALL {
        files.push((artifact.build()?.path, artifact.file));
    }
    let mut failed = Vec::new();
    for page in PAGES {
        let place = Place::new(page, if all { &[] } else { &files })?;
        let text = String::from_utf8_lossy(&read(&root().join(page))?).into_owned();
        let blocks: Vec<Block> = blocks(&text)?;
        let (now, later): (Vec<_>, Vec<_>) =
            blocks.into_iter().partition(|block| all || block.needs.is_empty());
        if now.is_empty() {
            return Err(format!("{page} has no block that is run"));
        }
        let (count, left) = (now.len(), later.len());
        for (section, blocks) in by_section(now) {
            if let Err(why) = place.run(&section, &blocks) {
                failed.push(format!("{page}, {section}: {why}"));
            }
        }
        println!("{page}: {count} blocks run, {left} left to `guides --all`");
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

/// Commands, and what they print.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    section: String,
    needs: Vec<String>,
    commands: String,
    /// None: nothing is said about it.
    prints: Option<String>,
}

/// The blocks of a page that are run.
fn blocks(page: &str) -> Outcome<Vec<Block>> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut section = "the beginning".to_string();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(heading) = line.strip_prefix("## ") {
            section = heading.to_string();
        }
        let Some(info) = line.strip_prefix("```") else { continue };
        let inside: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let inside = inside.join("\n");
        let mut words = info.split_whitespace();
        match words.next() {
            Some("sh") => {
                let needs: Vec<String> = words.map(String::from).collect();
                if let Some(unknown) = needs.iter().find(|need| !NEEDS.contains(&need.as_str())) {
                    return Err(format!("no block can need `{unknown}`"));
                }
                let section = section.clone();
                blocks.push(Block { section, needs, commands: inside, prints: None });
            }
            Some("text") => match blocks.last_mut() {
                Some(block) if block.section == section && block.prints.is_none() => {
                    block.prints = Some(inside);
                }
                _ => return Err(format!("a block `text` that no commands print: {inside}")),
            },
            _ => {}
        }
    }
    Ok(blocks)
}

fn by_section(blocks: Vec<Block>) -> Vec<(String, Vec<Block>)> {
    let mut sections: Vec<(String, Vec<Block>)> = Vec::new();
    for block in blocks {
        match sections.last_mut() {
            Some((name, all)) if *name == block.section => all.push(block),
            _ => sections.push((block.section.clone(), vec![block])),
        }
    }
    sections
}

/// A folder that looks like a checkout after `cargo xtask dist`.
struct Place {
    folder: PathBuf,
    /// Ports of the pages, and those that are used.
    ports: BTreeMap<&'static str, String>,
}

impl Place {
    /// With a `dist/` of these files, or the real one where none are given.
    fn new(page: &str, dist: &[(PathBuf, &str)]) -> Outcome<Self> {
        let folder = target().join("guides").join(page.replace('/', "-"));
        let _ = std::fs::remove_dir_all(&folder);
        let mut held = Vec::new();
        let mut ports = BTreeMap::new();
        for port in PORTS {
            let free = TcpListener::bind(("127.0.0.1", 0)).map_err(|error| error.to_string())?;
            let number = free.local_addr().map_err(|error| error.to_string())?.port();
            ports.insert(port, number.to_string());
            held.push(free);
        }
        let place = Place { folder, ports };
        for name in ["ffi", "agent", "data", "models", "wit", "README.md"] {
            place.link(&root().join(name), name)?;
        }
        if dist.is_empty() {
            place.link(&root().join("dist"), "dist")?;
        }
        for (path, file) in dist {
            place.link(path, &format!("dist/{file}"))?;
        }
        let deployment = root().join("docs/deployment");
        let entries = std::fs::read_dir(&deployment).map_err(|error| error.to_string())?;
        for entry in entries.flatten() {
            let text = String::from_utf8_lossy(&read(&entry.path())?).into_owned();
            let name = Path::new("docs/deployment").join(entry.file_name());
            write(&place.folder.join(name), place.with_ports(&text).as_bytes())?;
        }
        for (name, program) in
            [("wasmtime", tools::wasmtime()?), ("python3", tools::python_with_wasmtime()?)]
        {
            place.program(name, &program)?;
        }
        Ok(place)
    }

    fn link(&self, from: &Path, name: &str) -> Outcome {
        let to = self.folder.join(name);
        to.parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .map_err(|error| format!("{}: {error}", to.display()))?;
        run_silently(command("ln").args(["-s".as_ref(), from.as_os_str(), to.as_os_str()]))
    }

    /// A program by a name on the PATH.
    fn program(&self, name: &str, program: &Path) -> Outcome {
        let path = self.folder.join("bin").join(name);
        // Not a link: a virtual environment is found by the path of its Python.
        let text = format!("#!/bin/sh\nexec '{}' \"$@\"\n", program.display());
        write(&path, text.as_bytes())?;
        run_silently(command("chmod").arg("+x").arg(path))
    }

    fn with_ports(&self, text: &str) -> String {
        self.ports.iter().fold(text.to_string(), |text, (port, free)| number(&text, port, free))
    }

    /// Runs a section, and compares what it prints.
    fn run(&self, section: &str, blocks: &[Block]) -> Outcome {
        let mut script = String::from("set -eu\n");
        for (at, block) in blocks.iter().enumerate() {
            script += &format!("printf '\\n{MARK}{at}\\n'\n{}\n", self.with_ports(&block.commands));
        }
        let path = self.folder.join("section.sh");
        write(&path, script.as_bytes())?;
        let log = self.folder.join("section.log");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut shell = command("bash");
        shell.args(["-c", SHELL]).current_dir(&self.folder);
        shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        shell.env("PATH", format!("{}:{path}", self.folder.join("bin").display()));
        shell.env("HOME", self.folder.join("home")).env("PYTHONDONTWRITEBYTECODE", "1");
        for name in ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "CLAWFT_HOME", "CLAWFT_TOKEN"] {
            shell.env_remove(name);
        }
        let outcome = self.watch(&mut shell);
        let printed = String::from_utf8_lossy(&read(&log)?).into_owned();
        outcome
            .and_then(|()| compare(&printed, blocks, |text| self.with_ports(text)))
            .map_err(|why| format!("{why}; all that was printed:\n{printed}"))?;
        println!("ok      {section}");
        Ok(())
    }

    /// Waits for a shell, and ends what it leaves behind.
    fn watch(&self, shell: &mut std::process::Command) -> Outcome {
        let spawned = shell.spawn();
        let mut child = spawned.map_err(|error| format!("bash could not be started: {error}"))?;
        let start = Instant::now();
        let outcome = loop {
            match child.try_wait() {
                Ok(Some(status)) if status.success() => break Ok(()),
                Ok(Some(status)) => break Err(format!("it ended with {status}")),
                Ok(None) if start.elapsed() > LIMIT => break Err("it takes too long".to_string()),
                Ok(None) => std::thread::sleep(Duration::from_millis(50)),
                Err(error) => break Err(error.to_string()),
            }
        };
        let group =
            String::from_utf8_lossy(&read(&self.folder.join("section.group"))?).into_owned();
        // The shell's own, since slim systems have no program `kill`. There may be none left, which is
        // no error.
        let mut kill = command("bash");
        kill.args(["-c", "kill -KILL -- \"$0\"", group.trim()]);
        let _ = kill.stderr(Stdio::null()).status();
        let _ = child.wait();
        outcome
    }
}

/// Holds what the blocks printed against what the page says.
fn compare(printed: &str, blocks: &[Block], with_ports: impl Fn(&str) -> String) -> Outcome {
    let parts: Vec<&str> = printed.split(MARK).skip(1).collect();
    for (at, block) in blocks.iter().enumerate() {
        let Some(expected) = &block.prints else { continue };
        let part = parts.get(at).ok_or("a block was not reached")?;
        let mut lines = part.lines().skip(1);
        for wanted in with_ports(expected).lines() {
            if !lines.by_ref().any(|line| fits(line, wanted)) {
                return Err(format!("`{wanted}` is not printed (or not there)"));
            }
        }
    }
    Ok(())
}

/// Whether a line is the one wanted, where [`ANYTHING`] is anything.
fn fits(line: &str, wanted: &str) -> bool {
    let mut parts = wanted.trim_end().split(ANYTHING);
    let Some(mut rest) = line.trim_end().strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
    for part in between {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Puts one number in the place of another, where it is not a part of a longer one.
fn number(text: &str, from: &str, to: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(from) {
        let (before, after) = (&rest[..at], &rest[at + from.len()..]);
        let digit = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_digit());
        let is_part = digit(before.chars().next_back()) || digit(after.chars().next());
        out += before;
        out += if is_part { from } else { to };
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# P\n```sh\na\n```\n## One\n```sh\nb\nc\n```\n```text\nd…\n```\n\
        ```nginx\nserver\n```\n## Two\n```sh release nginx\ne\n```\n";

    #[test]
    fn blocks_belong_to_their_sections() {
        let found = blocks(PAGE).unwrap();
        let of = |section: &str, commands: &str, prints: Option<&str>, needs: &[&str]| Block {
            section: section.into(),
            needs: needs.iter().map(|need| need.to_string()).collect(),
            commands: commands.into(),
            prints: prints.map(String::from),
        };
        let wanted = [
            of("the beginning", "a", None, &[]),
            of("One", "b\nc", Some("d…"), &[]),
            of("Two", "e", None, &["release", "nginx"]),
        ];
        assert_eq!(found, wanted);
        assert_eq!(by_section(found).len(), 3);
        assert!(blocks("```text\nx\n```\n").is_err());
        assert!(blocks("```sh root\nx\n```\n").is_err());
    }

    #[test]
    fn what_is_printed_must_be_what_the_page_says() {
        assert!(fits("found 12 in 3 ms", "found … in … ms"));
        assert!(fits("a", "a") && fits("a  ", "a"));
        assert!(!fits("ab", "a") && !fits("found 12", "found … in …") && !fits("x ms y", "x … ms"));
        let mut blocks = blocks(PAGE).unwrap();
        let says = |printed: &str, blocks: &[Block]| compare(printed, blocks, str::to_string);
        says("@@@ block 0\n@@@ block 1\nx\nd1\ny\n@@@ block 2\n", &blocks).unwrap();
        says("@@@ block 0\nd1\n@@@ block 1\nx\n", &blocks).unwrap_err();
        says("@@@ block 0\n", &blocks).unwrap_err();
        blocks[1].prints = Some("y\nd".into());
        says("@@@ block 0\n@@@ block 1\nd\ny\n", &blocks).unwrap_err();
    }

    #[test]
    fn a_port_is_a_whole_number() {
        assert_eq!(number("8080, :8080/ 18080 80801", "8080", "9"), "9, :9/ 18080 80801");
    }
}
