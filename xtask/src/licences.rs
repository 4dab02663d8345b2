//! What others wrote and is linked into the files of a release, with the licences in full.
//!
//! `cargo tree` knows what is linked (for each artifact its target and features), `cargo metadata`
//! where each crate lies; the texts are the crates' own files. A crate without a text of its own takes
//! that of another crate of the same repository under the same licence. Where there is none either,
//! the release fails and names the crate: nobody may be left out in silence.

use crate::artifacts::ALL;
use crate::process::{Outcome, cargo, command, output, read, root};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// How a file begins that holds a licence or a notice, in lower case.
const NAMES: [&str; 5] = ["licen", "copying", "notice", "unlicense", "copyright"];
/// Crates whose manifests name no repository, and the one that they are from.
const FROM: [(&str, &str); 1] =
    [("wasmtime-internal-core", "https://github.com/bytecodealliance/wasmtime")];
/// Where a model's or an engine's licence is told in a page of ours: the page, and its heading.
const MODEL: (&str, &str) = ("models/README.md", "## What it was made from, and its licences");
const INTERFACES: &str = "wit/README.md";
/// `memcmp` of wasi-libc, which is musl's: the targets' own C library is linked where something of it
/// is called.
const MUSL: &str = include_str!("licences/musl.txt");
/// The library's own account of what it holds, as the toolchain brings it.
pub(crate) const LIBRARY: &str = "COPYRIGHT-library.html";

/// A crate that is linked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Crate {
    name: String,
    version: String,
}

/// What is known of it.
struct About {
    licence: String,
    /// Owner and name, without what points inside of it.
    repository: String,
    folder: PathBuf,
    is_ours: bool,
}

/// What a file of the release is built from.
struct Linked<'a> {
    file: &'a str,
    package: &'a str,
    target: &'a str,
    /// Its features; `None`: the default ones.
    parts: Option<&'a str>,
}

/// The page `THIRD-PARTY.txt`.
pub(crate) fn third_party() -> Outcome<String> {
    let host = host_triple()?;
    let mut all: Vec<Linked<'_>> = ALL
        .iter()
        .map(|artifact| Linked {
            file: artifact.file,
            package: artifact.package,
            target: artifact.target,
            parts: artifact.parts,
        })
        .collect();
    for (file, package) in [
        ("libclawft.a", "clawft-ffi-store"),
        ("libclawft.so", "clawft-ffi-store"),
        ("clawft", "clawft-host"),
    ] {
        all.push(Linked { file, package, target: &host, parts: None });
    }
    let known = metadata(&all.iter().map(|linked| linked.target).collect())?;
    let mut used = BTreeMap::<Crate, BTreeSet<&str>>::new();
    for linked in &all {
        for one in tree(linked)? {
            used.entry(one).or_default().insert(linked.file);
        }
        if linked.package == "clawft-host" {
            // The component is in it.
            for one in tree(&all[agent(&all)?])? {
                used.entry(one).or_default().insert(linked.file);
            }
        }
    }
    used.retain(|one, _| known.get(one).is_none_or(|about| !about.is_ours));
    page(&used, &known)
}

fn agent(all: &[Linked<'_>]) -> Outcome<usize> {
    all.iter().position(|linked| linked.file == "clawft.wasm").ok_or("no component ships".into())
}

/// The crates that end up in a file: no build scripts, no macros, no tests.
fn tree(linked: &Linked<'_>) -> Outcome<BTreeSet<Crate>> {
    let printed = output(
        cargo()
            .args(["tree", "--locked", "--prefix", "none", "--format", "{p}"])
            .args(["--edges", "normal,no-proc-macro"])
            .args(["--package", linked.package, "--target", linked.target])
            .args(
                linked
                    .parts
                    .iter()
                    .flat_map(|parts| ["--no-default-features", "--features", parts]),
            ),
    )?;
    let crates = printed.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
        Some(Crate { name: name.into(), version: version.into() })
    });
    Ok(crates.collect())
}

/// Every crate that is built for one of the targets, and where it lies; others are not fetched for it.
fn metadata(targets: &BTreeSet<&str>) -> Outcome<BTreeMap<Crate, About>> {
    let filters = targets.iter().flat_map(|target| ["--filter-platform", target]);
    let printed =
        output(cargo().args(["metadata", "--locked", "--format-version", "1"]).args(filters))?;
    let json: Value =
        serde_json::from_str(&printed).map_err(|error| format!("cargo metadata: {error}"))?;
    let text = |package: &Value, key: &str| package[key].as_str().unwrap_or_default().to_string();
    let packages = json["packages"].as_array().ok_or("cargo metadata names no packages")?;
    let about = |package: &Value| {
        let manifest = PathBuf::from(text(package, "manifest_path"));
        let name = text(package, "name");
        let from = FROM.iter().find(|from| from.0 == name).map(|from| from.1.to_string());
        let repository = from.unwrap_or_else(|| text(package, "repository"));
        let about = About {
            licence: text(package, "license"),
            repository: repository.split('/').take(5).collect::<Vec<_>>().join("/"),
            folder: manifest.parent().unwrap_or(Path::new("")).into(),
            is_ours: package["source"].is_null(),
        };
        (Crate { name, version: text(package, "version") }, about)
    };
    Ok(packages.iter().map(about).collect())
}

/// What the machine's own programs are built for.
fn host_triple() -> Outcome<String> {
    let printed = output(command("rustc").arg("-vV"))?;
    let line = printed.lines().find_map(|line| line.strip_prefix("host: "));
    line.map(String::from).ok_or("rustc does not say what it builds for".into())
}

/// The texts of a crate's own files, sorted by name.
fn texts(folder: &Path) -> Outcome<Vec<String>> {
    let entries = std::fs::read_dir(folder);
    let entries = entries.map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file() && is_licence(path))
        .collect();
    paths.sort();
    let plain = |path: &PathBuf| {
        let text = String::from_utf8_lossy(&read(path)?).replace("\r\n", "\n");
        Ok(text.trim_matches('\n').to_string())
    };
    let texts: Outcome<Vec<String>> = paths.iter().map(plain).collect();
    Ok(texts?.into_iter().filter(|text| !text.is_empty()).collect())
}

fn is_licence(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    // A program that happens to be called so is none.
    NAMES.iter().any(|begin| name.starts_with(begin)) && !name.ends_with(".rs")
}

/// The texts of a crate, or those of one that stands in for it.
fn texts_for(one: &Crate, known: &BTreeMap<Crate, About>) -> Outcome<Vec<String>> {
    let named = format!("{} {}", one.name, one.version);
    let about = known.get(one).ok_or_else(|| format!("cargo metadata does not know {named}"))?;
    let own = texts(&about.folder)?;
    if !own.is_empty() {
        return Ok(own);
    }
    let beside = known.values().filter(|other| {
        other.repository == about.repository
            && other.licence == about.licence
            && !other.repository.is_empty()
    });
    for other in beside {
        let found = texts(&other.folder)?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Err(format!(
        "{named} ({}) brings no text of its licence, and no other crate of {} does",
        about.licence, about.repository
    ))
}

/// The page: who is in what, what is not a crate, and every text once.
fn page(used: &BTreeMap<Crate, BTreeSet<&str>>, known: &BTreeMap<Crate, About>) -> Outcome<String> {
    let mut who = String::new();
    let mut by_text = BTreeMap::<String, Vec<String>>::new();
    for (one, files) in used {
        let Crate { name, version } = one;
        for text in texts_for(one, known)? {
            by_text.entry(text).or_default().push(format!("{name} {version}"));
        }
        let About { licence, repository, .. } = &known[one];
        let files = files.iter().copied().collect::<Vec<_>>().join(", ");
        who += &format!("{name} {version}\n    {licence}; {repository}\n    in {files}\n");
    }
    let mut out = format!(
        "WHAT OTHERS WROTE, AND IS LINKED INTO THE FILES OF THIS FOLDER\n\n\
         Made by `cargo xtask dist`. The texts of the licences stand below.\n\n{who}\n\
         The Rust library (core and alloc in the modules, std in the native files)\n    \
         MIT OR Apache-2.0; what it holds of others: {LIBRARY}\n\
         musl, of wasi-libc: `memcmp`\n    \
         MIT; https://musl.libc.org\n    in clawft, clawft-agent.core.wasm, clawft.wasm\n\n"
    );
    let model = String::from_utf8_lossy(&read(&root().join(MODEL.0))?).into_owned();
    let section = section(&model, MODEL.1)?;
    out += &format!("THE MODEL (clawft-static.bin, and within clawft)\n\n{section}\n\n");
    let interfaces = String::from_utf8_lossy(&read(&root().join(INTERFACES))?).into_owned();
    out += &format!("THE INTERFACES (wit/)\n\n{}\n", interfaces.trim());
    for (text, crates) in &by_text {
        out += &format!("\n{}\nOf {}:\n\n{text}\n", "=".repeat(100), crates.join(", "));
    }
    out += &format!("\n{}\nOf musl:\n\n{MUSL}", "=".repeat(100));
    let library = library()?;
    for name in ["licenses/MIT.txt", "licenses/Apache-2.0.txt", "licenses/LLVM-exception.txt"] {
        let text = String::from_utf8_lossy(&read(&library.join(name))?).into_owned();
        out += &format!("\n{}\nOf the Rust library:\n\n{}\n", "=".repeat(100), text.trim());
    }
    Ok(out)
}

/// Where the toolchain keeps the account of its library.
pub(crate) fn library() -> Outcome<PathBuf> {
    let sysroot = output(command("rustc").args(["--print", "sysroot"]))?;
    Ok(Path::new(sysroot.trim()).join("share/doc/rust"))
}

/// A section of a page, with its heading.
fn section<'a>(page: &'a str, heading: &str) -> Outcome<&'a str> {
    let at = page.find(heading).ok_or_else(|| format!("no page has `{heading}`"))?;
    let rest = &page[at + heading.len()..];
    let len = rest.find("\n## ").unwrap_or(rest.len());
    Ok(page[at..at + heading.len() + len].trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crate_that_is_linked_is_named_with_its_licence() {
        let page = third_party().unwrap();
        for (what, file) in [
            ("talc 5.", "clawft-kernel.wasm"),
            ("wasip2 2.", "clawft.wasm"),
            ("wasmtime 48.", "in clawft\n"),
            ("xxhash-rust 0.", "libclawft.so"),
        ] {
            let at = page.find(&format!("\n{what}")).unwrap_or_else(|| panic!("{what}"));
            let lines: Vec<&str> = page[at + 1..].lines().take(3).collect();
            assert!(format!("{}\n", lines[2]).contains(file), "{lines:?}");
        }
        // Ours, and what is only there to test, is not in it.
        assert!(!page.contains("\nclawft-") && !page.contains("\nproptest "));
        // Texts, and not their names only.
        for words in
            ["WordNet", "Rich Felker", "Permission is hereby granted", "LLVM Exceptions", "Boost"]
        {
            assert!(page.contains(words), "{words}");
        }
    }

    #[test]
    fn a_crate_without_a_text_is_named() {
        let folder = std::env::temp_dir().join(format!("clawft-licences-{}", std::process::id()));
        let [bare, beside] = ["bare", "beside"].map(|name| folder.join(name));
        for folder in [&bare, &beside] {
            std::fs::create_dir_all(folder).unwrap();
        }
        std::fs::write(bare.join("licence.rs"), "fn main() {}").unwrap();
        let one = |name: &str| Crate { name: name.into(), version: "1.0.0".into() };
        let about = |folder: &Path, licence: &str| About {
            licence: licence.into(),
            repository: "https://example.org/a/b".into(),
            folder: folder.into(),
            is_ours: false,
        };
        let known = [(one("bare"), about(&bare, "MIT")), (one("other"), about(&beside, "MIT"))];
        let mut known = BTreeMap::from(known);
        let why = texts_for(&one("bare"), &known).unwrap_err();
        assert!(why.starts_with("bare 1.0.0 (MIT) brings no text"), "{why}");
        std::fs::write(beside.join("LICENSE"), "Do as you like.\r\n").unwrap();
        assert_eq!(texts_for(&one("bare"), &known).unwrap(), ["Do as you like."]);
        known.get_mut(&one("other")).unwrap().licence = "ISC".into();
        assert!(texts_for(&one("bare"), &known).is_err());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_section_ends_where_the_next_begins() {
        let page = "# A\n\n## B\n\none\n\n## C\n\ntwo\n";
        assert_eq!(section(page, "## B").unwrap(), "## B\n\none");
        assert_eq!(section(page, "## C").unwrap(), "## C\n\ntwo");
        assert!(section(page, "## D").is_err());
    }
}
