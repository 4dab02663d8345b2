//! `cargo xtask size --profile`: the tables of `docs/size.md`.
//!
//! What each artifact consists of, its largest functions, and what every step on the way to the
//! smallest one brings: the same code compiled and wrapped again, each time with one step more. The
//! page keeps its own words; only what stands between its marks is written.

use crate::artifacts::{AGENT, ALL, Artifact, How, SIMD128_KERNEL, STORE, WHOLE};
use crate::process::{Outcome, command, output, read, root, target, write};
use crate::{component, crates, names, sizes, splat};
use std::fmt::Write;

const PAGE: &str = "docs/size.md";
/// Functions of an artifact that are listed.
const LARGEST: usize = 20;
/// Parts below this share of an artifact are added up, in hundredths.
const SMALL: usize = 1;

/// Cargo's own `release`, for every crate that `release-wasm` says something of.
const PLAIN: &[&str] = &[
    "profile.release-wasm.opt-level=3",
    "profile.release-wasm.lto=false",
    "profile.release-wasm.codegen-units=16",
    "profile.release-wasm.package.clawft-hnsw-module.opt-level=3",
    "profile.release-wasm.package.clawft-hnsw.opt-level=3",
    "profile.release-wasm.package.clawft-codes.opt-level=3",
    "profile.release-wasm.package.clawft-vectors.opt-level=3",
    "profile.release-wasm.package.xxhash-rust.opt-level=3",
];
/// The same with the levels as they are.
const BY_PACKAGE: &[&str] = &[PLAIN[1], PLAIN[2]];

/// Ways to compile, each with one step more than the one before.
const COMPILED: [(&str, How<'_>); 4] = [
    (
        "cargo's `release`, with `no_std`",
        How { settings: PLAIN, own_library: false, own_flags: false, wrapped_by_linker: false },
    ),
    (
        "`opt-level` by crate: size for the glue, speed where a query spends its time",
        How {
            settings: BY_PACKAGE,
            own_library: false,
            own_flags: false,
            wrapped_by_linker: false,
        },
    ),
    (
        "one unit for each crate, all of them optimised together (`lto = \"fat\"`)",
        How { settings: &[], own_library: false, own_flags: false, wrapped_by_linker: false },
    ),
    (
        "`core` compiled along, a panic is a trap without place and message",
        How { settings: &[], own_library: true, own_flags: false, wrapped_by_linker: false },
    ),
];

/// Writes the page's tables.
pub(crate) fn profile() -> Outcome {
    let path = root().join(PAGE);
    let mut page = String::from_utf8_lossy(&read(&path)?).into_owned();
    let mut weights = Vec::new();
    for artifact in ALL {
        weights.push((artifact, sizes::weigh(artifact, &artifact.build()?)?));
    }
    let commit = output(command("git").args(["rev-parse", "--short", "HEAD"]))?;
    put(&mut page, "commit", &format!("Taken at commit {}.\n", commit.trim()))?;
    put(&mut page, "artifacts", &artifacts(&weights))?;
    for artifact in [&AGENT, &STORE, &SIMD128_KERNEL] {
        let (_, weight) = weights
            .iter()
            .find(|(other, _)| other.name == artifact.name)
            .ok_or("an artifact is not among all")?;
        put(&mut page, &format!("crates of {}", artifact.name), &parts(weight))?;
        let all = crates::weigh_functions(&read(&artifact.build()?.named)?)?;
        put(&mut page, &format!("functions of {}", artifact.name), &functions(&all))?;
    }
    for artifact in [&AGENT, &SIMD128_KERNEL] {
        put(&mut page, &format!("steps of {}", artifact.name), &steps(artifact)?)?;
    }
    write(&path, page.as_bytes())?;
    println!("{PAGE} is written");
    Ok(())
}

/// Replaces what stands between the marks of a name.
fn put(page: &mut String, name: &str, text: &str) -> Outcome {
    let (begin, end) = (format!("<!-- begin: {name} -->\n"), "<!-- end -->");
    let from = page.find(&begin).ok_or_else(|| format!("{PAGE} has no place for `{name}`"))?;
    let from = from + begin.len();
    let len = page[from..].find(end).ok_or_else(|| format!("{PAGE}: `{name}` has no end"))?;
    page.replace_range(from..from + len, text);
    Ok(())
}

fn artifacts(weights: &[(&Artifact, sizes::Weight)]) -> String {
    let mut table = String::from("| artifact | bytes | gzipped | budget |\n|---|---|---|---|\n");
    for (artifact, weight) in weights {
        let budget = artifact.budget.map_or("–".to_string(), |budget| {
            let gzipped = budget.gzipped.map(|bytes| format!(", {} gzipped", grouped(bytes)));
            grouped(budget.raw) + &gzipped.unwrap_or_default()
        });
        let (raw, gzipped) = (grouped(weight.raw), grouped(weight.gzipped));
        let _ = writeln!(table, "| `{}` | {raw} | {gzipped} | {budget} |", weight.file);
    }
    table
}

fn parts(weight: &sizes::Weight) -> String {
    let mut table = String::from("| crate or section | bytes | % |\n|---|---|---|\n");
    let mut rest = 0;
    for (name, bytes) in &weight.parts {
        match bytes * 100 >= weight.raw * SMALL {
            true => row(&mut table, name, *bytes, weight.raw),
            false => rest += bytes,
        }
    }
    row(&mut table, "what is below 1 % each", rest, weight.raw);
    table
}

fn row(table: &mut String, name: &str, bytes: usize, all: usize) {
    let name =
        if name.starts_with('(') || name.contains(' ') { name.into() } else { format!("`{name}`") };
    let percent = bytes as f64 * 100.0 / all.max(1) as f64;
    let _ = writeln!(table, "| {name} | {} | {percent:.1} |", grouped(bytes));
}

fn functions(all: &[(String, usize)]) -> String {
    let mut table = String::from("| function | bytes |\n|---|---|\n");
    for (name, bytes) in all.iter().take(LARGEST) {
        let _ = writeln!(table, "| `{name}` | {} |", grouped(*bytes));
    }
    let (count, bytes) = (all.len(), all.iter().map(|one| one.1).sum());
    let _ = writeln!(table, "| all {} | {} |", grouped(count), grouped(bytes));
    table
}

/// Builds an artifact again and again, each time with one step more.
fn steps(artifact: &Artifact) -> Outcome<String> {
    let mut table = Steps::default();
    let folder = target().join("wasm/profile").join(artifact.name);
    let mut compiled = COMPILED.to_vec();
    if artifact.has_own_flags() {
        compiled.push(("flags of LLVM (`SMALL_STORE`): less inlining, plainer loops", WHOLE));
    }
    if artifact.is_component {
        let how = How { wrapped_by_linker: true, ..compiled[0].1 };
        let whole = read(&artifact.compile(&folder.join("linker"), &how)?)?;
        table.add("cargo's `release` as the linker wraps it, with all names", &whole)?;
    }
    let mut last = folder.clone();
    for (at, (what, how)) in compiled.iter().enumerate() {
        last = artifact.compile(&folder.join(at.to_string()), how)?;
        let kind =
            if artifact.is_component && at == 0 { "the core alone, without names: " } else { "" };
        table.add(&format!("{kind}{what}"), &component::strip(&read(&last)?)?)?;
    }
    let named = folder.join("named.wasm");
    artifact.optimise(&last, &named)?;
    let module = read(&named)?;
    let passes = artifact.passes.join(" ");
    table.add(&format!("`wasm-opt {passes}`"), &component::strip(&module)?)?;
    let module = splat::shorten(&module)?;
    table.add("constant vectors as splats (`xtask/src/splat.rs`)", &component::strip(&module)?)?;
    write(&named, &module)?;
    let stripped = folder.join("stripped.wasm");
    artifact.strip(&named, &stripped)?;
    let module = read(&stripped)?;
    let bare = component::strip(&module)?;
    table.add("written by `wasm-opt` once more, without names to keep", &bare)?;
    if artifact.is_component {
        let wrapped = component::encode(&module)?;
        table.add("wrapped into a component: its types and the glue, and names again", &wrapped)?;
        let bare = component::strip(&wrapped)?;
        table.add("without names and other custom sections", &bare)?;
        table
            .add("short names between its parts (`xtask/src/names.rs`)", &names::shorten(&bare)?)?;
    }
    Ok(table.rows)
}

/// A table of steps.
struct Steps {
    rows: String,
    /// What the step before weighed.
    before: Option<usize>,
}

impl Default for Steps {
    fn default() -> Self {
        let rows = "| step | bytes | gzipped | the step |\n|---|---|---|---|\n".into();
        Self { rows, before: None }
    }
}

impl Steps {
    fn add(&mut self, what: &str, binary: &[u8]) -> Outcome {
        let (raw, gzipped) = (binary.len(), sizes::gzip(binary)?.len());
        let change = self.before.map_or("–".to_string(), |before| {
            format!("{:+.1} %", (raw as f64 / before as f64 - 1.0) * 100.0)
        });
        let (bytes, gzipped) = (grouped(raw), grouped(gzipped));
        let _ = writeln!(self.rows, "| {what} | {bytes} | {gzipped} | {change} |");
        self.before = Some(raw);
        println!("{bytes:>9} {gzipped:>9}  {what}");
        Ok(())
    }
}

/// A number with its thousands apart.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_written() {
        let mut page = "a\n<!-- begin: x -->\nold\n<!-- end -->\nb\n".to_string();
        put(&mut page, "x", "new\n").unwrap();
        assert_eq!(page, "a\n<!-- begin: x -->\nnew\n<!-- end -->\nb\n");
        assert!(put(&mut page, "y", "").is_err());
    }

    #[test]
    fn the_page_has_a_place_for_each_table() {
        let mut page = String::from_utf8(read(&root().join(PAGE)).unwrap()).unwrap();
        let of = |artifact: &Artifact, what: &str| format!("{what} of {}", artifact.name);
        let mut names = vec!["commit".to_string(), "artifacts".into()];
        for artifact in [&AGENT, &STORE, &SIMD128_KERNEL] {
            names.extend([of(artifact, "crates"), of(artifact, "functions")]);
        }
        names.extend([of(&AGENT, "steps"), of(&SIMD128_KERNEL, "steps")]);
        names.iter().for_each(|name| put(&mut page, name, "").unwrap());
    }

    #[test]
    fn thousands_stand_apart() {
        let numbers = [0, 12, 999, 1000, 61_653, 1_000_000].map(grouped);
        assert_eq!(numbers, ["0", "12", "999", "1,000", "61,653", "1,000,000"]);
    }
}
