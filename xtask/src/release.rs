//! What must be true of the folder of a release.
//!
//! The README's table and the folder name the same files, the sums are those of the files by another
//! program's count, and the packed interfaces are those that the component exports.

use crate::artifacts::AGENT;
use crate::process::{Outcome, answers, command, read, root, run_silently, write};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use wit_component::DecodedWasm;
use wit_parser::WorldItem;

/// The checksums, as `sha256sum -c` takes them.
const SUMS: &str = "SHA256SUMS";
/// The interfaces as one binary package.
pub(crate) const INTERFACES: &str = "wit/clawft-memory.wasm";
/// What the component is in it.
const WORLD: &str = "clawft";
/// Where the README says what a release holds.
const SECTION: &str = "## What you get";

/// Writes the sums of all files that are there.
pub(crate) fn sum(folder: &Path) -> Outcome {
    let mut lines = String::new();
    for name in files_below(folder)? {
        let digest = Sha256::digest(read(&folder.join(&name))?);
        let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        lines += &format!("{digits}  {name}\n");
    }
    write(&folder.join(SUMS), lines.as_bytes())
}

/// Checks a folder that is filled.
pub(crate) fn check(folder: &Path) -> Outcome {
    let readme = String::from_utf8_lossy(&read(&root().join("README.md"))?).into_owned();
    let there = files_below(folder)?;
    compare(&promised(&readme)?, &there)?;
    verify(folder, &there)?;
    agree(&folder.join(AGENT.file), &read(&folder.join(INTERFACES))?)
}

/// Whether a component exports what the world of a package says.
pub(crate) fn agree(component: &Path, package: &[u8]) -> Outcome {
    let (component, package) = (functions(&read(component)?)?, functions(package)?);
    match component == package && !component.is_empty() {
        true => Ok(()),
        false => Err(format!("{} exports {component:?}, its world has {package:?}", AGENT.file)),
    }
}

/// The names in the first column of the table.
fn promised(readme: &str) -> Outcome<BTreeSet<String>> {
    let at = readme.find(SECTION).ok_or("the README does not say what one gets")?;
    let rows = readme[at + SECTION.len()..].lines().take_while(|line| !line.starts_with("## "));
    let cells = rows.filter_map(|row| row.strip_prefix("| `")?.split(" | ").next());
    let names = cells.flat_map(|cell| cell.split(", "));
    Ok(names.map(|name| name.trim_matches('`').to_string()).collect())
}

/// Whether what is promised is there, and what is there is promised. A name that ends in `/` is a
/// folder with whatever it holds.
fn compare(promised: &BTreeSet<String>, there: &BTreeSet<String>) -> Outcome {
    let covers = |promise: &str, file: &str| match promise.ends_with('/') {
        true => file.starts_with(promise),
        false => file == promise,
    };
    let missing = promised.iter().find(|promise| !there.iter().any(|file| covers(promise, file)));
    let unnamed = there.iter().find(|file| !promised.iter().any(|promise| covers(promise, file)));
    match (missing, unnamed) {
        (Some(file), _) => Err(format!("the README promises {file}, and dist/ has none")),
        (None, Some(file)) => Err(format!("dist/ has {file}, of which the README says nothing")),
        (None, None) => Ok(()),
    }
}

/// Lets another program count the sums, and sees that none is left out.
fn verify(folder: &Path, there: &BTreeSet<String>) -> Outcome {
    let sums = String::from_utf8_lossy(&read(&folder.join(SUMS))?).into_owned();
    let summed: BTreeSet<&str> = sums.lines().filter_map(|line| line.get(66..)).collect();
    if let Some(file) = there.iter().find(|file| *file != SUMS && !summed.contains(file.as_str())) {
        return Err(format!("{SUMS} leaves out {file}"));
    }
    let mut program = match answers("sha256sum", "--version") {
        true => command("sha256sum"),
        false => {
            let mut shasum = command("shasum");
            shasum.args(["-a", "256"]);
            shasum
        }
    };
    program.current_dir(folder).args(["--check", SUMS]).stdout(std::process::Stdio::null());
    run_silently(&mut program)
}

/// All files below a folder, by their paths from there.
fn files_below(folder: &Path) -> Outcome<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut open = vec![PathBuf::new()];
    while let Some(inside) = open.pop() {
        let entries = std::fs::read_dir(folder.join(&inside));
        let entries = entries.map_err(|error| format!("{}: {error}", folder.display()))?;
        for entry in entries.flatten() {
            let path = inside.join(entry.file_name());
            match entry.path().is_dir() {
                true => open.push(path),
                false => drop(found.insert(path.to_string_lossy().replace('\\', "/"))),
            }
        }
    }
    Ok(found)
}

/// The project's own interfaces that a component exports, or the world of a package that says what it
/// exports: their functions by name. A package has others too, of what is built with other features.
fn functions(binary: &[u8]) -> Outcome<BTreeMap<String, BTreeSet<String>>> {
    let decoded = wit_component::decode(binary).map_err(|error| format!("decoding: {error:#}"))?;
    let resolve = decoded.resolve();
    let world = match &decoded {
        DecodedWasm::Component(_, world) => *world,
        DecodedWasm::WitPackage(_, package) => {
            let worlds = &resolve.packages[*package].worlds;
            *worlds
                .get(WORLD)
                .ok_or_else(|| format!("no world of the interfaces is called {WORLD}"))?
        }
    };
    let ours = resolve.worlds[world].exports.values().filter_map(|item| {
        let WorldItem::Interface { id, .. } = item else { return None };
        let names = resolve.interfaces[*id].functions.keys().cloned().collect::<BTreeSet<_>>();
        Some((resolve.id_of(*id)?, names)).filter(|(name, _)| name.starts_with("clawft:"))
    });
    Ok(ours.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = "# X\n\n## What you get\n\n| file | what |\n|---|---|\n\
        | `a.wasm`, `a.wasm.gz`, `wit/` | `b.wasm` is another |\n| `SHA256SUMS` | sums |\n\n\
        ## Next\n\n| `c` | d |\n";

    #[test]
    fn the_folder_and_the_readme_name_the_same() {
        let promised = promised(README).unwrap();
        let set = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        assert_eq!(promised, set(&["a.wasm", "a.wasm.gz", "wit/", "SHA256SUMS"]));
        let whole = ["a.wasm", "a.wasm.gz", "wit/x.wit", "SHA256SUMS"];
        compare(&promised, &set(&whole)).unwrap();
        assert!(compare(&promised, &set(&whole[1..])).unwrap_err().contains("promises a.wasm,"));
        let more = [&whole[..], &["old.wasm"]].concat();
        assert!(compare(&promised, &set(&more)).unwrap_err().contains("has old.wasm"));
    }

    #[test]
    fn sums_that_do_not_fit_are_found() {
        let folder = std::env::temp_dir().join(format!("clawft-sums-{}", std::process::id()));
        write(&folder.join("a"), b"abc").unwrap();
        write(&folder.join("b/c"), b"").unwrap();
        sum(&folder).unwrap();
        let sums = String::from_utf8(read(&folder.join(SUMS)).unwrap()).unwrap();
        // The first test vector of FIPS 180-2.
        assert!(
            sums.starts_with(
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a\n"
            ),
            "{sums}"
        );
        verify(&folder, &files_below(&folder).unwrap()).unwrap();
        write(&folder.join("d"), b"late").unwrap();
        assert!(
            verify(&folder, &files_below(&folder).unwrap()).unwrap_err().contains("leaves out d")
        );
        std::fs::remove_file(folder.join("d")).unwrap();
        write(&folder.join("b/c"), b"x").unwrap();
        assert!(verify(&folder, &files_below(&folder).unwrap()).is_err());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
