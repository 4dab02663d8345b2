//! Tests of the project's pages: links that lead nowhere, and functions of the headers of which
//! neither `docs/abi.md` nor `docs/abi-memory.md` says anything.

use crate::process::{read, root, target, write};
use std::collections::BTreeMap;
use std::path::Path;

/// The headers, and what stands before the names of their numbers.
const HEADERS: [(&str, &str); 4] = [
    ("ffi/include/clawft.h", "CLAWFT_"),
    ("ffi/store/include/clawft_store.h", "CLAWFT_MEMORY_"),
    ("agent/include/clawft_agent.h", "CLAWFT_AGENT_"),
    ("agent/include/clawft_agent.h", "CLAWFT_HTTP_"),
];

fn page(path: &str) -> String {
    String::from_utf8(read(&root().join(path)).unwrap()).unwrap()
}

/// All pages under a folder, as git would name them. Git itself is not asked: an archive of the sources
/// is not known to it, and it says nothing of a checkout of another user.
fn pages(root: &Path) -> Vec<String> {
    let mut pages = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root.join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{folder}{}", entry.file_name().display());
            let kind = entry.file_type().unwrap();
            if kind.is_dir() && !is_made(&entry.path()) {
                folders.push(format!("{name}/"));
            } else if kind.is_file() && name.ends_with(".md") {
                pages.push(name);
            }
        }
    }
    pages.sort();
    pages
}

/// Whether a folder is none of the project's: it was built, packed or installed, or is hidden. `.ci` and
/// `.cargo` have no pages, and others may install into the latter.
fn is_made(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.')
        || ["target", "dist", "node_modules"].contains(&&*name)
        || folder.join("pyvenv.cfg").exists()
        || folder == target()
}

/// Where the links of a page lead, without what they name inside.
fn links(text: &str) -> Vec<&str> {
    let ends = text.split("](").skip(1);
    let targets = ends.filter_map(|rest| rest.split(')').next()?.split('#').next());
    targets.filter(|link| !link.is_empty() && !link.contains("://")).collect()
}

#[test]
fn links_lead_somewhere() {
    let pages = pages(&root());
    assert!(pages.iter().any(|page| page == "docs/abi.md"));
    for path in pages {
        let text = page(&path);
        let folder = Path::new(&path).parent().unwrap();
        for link in links(&text) {
            assert!(root().join(folder).join(link).exists(), "{path} links to {link}");
        }
    }
    assert_eq!(links("[a](b.md#c) [d](#e) [f](https://g) [h](i/)"), ["b.md", "i/"]);
}

#[test]
fn pages_are_the_projects_own() {
    let folder = target().join("tests/pages");
    let _ = std::fs::remove_dir_all(&folder);
    let own = ["a.md", "docs/adr/b.md", "venv/c.md"];
    let made = ["target/d.md", "x/dist/e.md", "node_modules/f/g.md", ".venv/h.md", "v/lib/i.md"];
    for page in own.into_iter().chain(made).chain(["v/pyvenv.cfg", "docs/j.txt"]) {
        write(&folder.join(page), b"").unwrap();
    }
    assert_eq!(pages(&folder), own);
}

/// The numbers of a header by name, and its functions.
fn declared(header: &str, prefix: &str) -> (BTreeMap<String, i32>, Vec<String>) {
    let numbers = header.lines().filter_map(|line| {
        let (name, value) = line.trim().strip_prefix(prefix)?.split_once(" = ")?;
        Some((name.to_string(), value.trim_end_matches(',').parse().ok()?))
    });
    let is_letter = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    let functions = header.match_indices("clawft_").filter_map(|(at, _)| {
        let rest = &header[at..];
        let name = &rest[..rest.find(|letter| !is_letter(letter))?];
        rest[name.len()..].starts_with('(').then(|| name.to_string())
    });
    (numbers.collect(), functions.collect())
}

#[test]
fn the_pages_of_the_abi_have_every_function_and_number() {
    let abi = page("docs/abi.md") + &page("docs/abi-memory.md");
    for (path, prefix) in HEADERS {
        let (numbers, functions) = declared(&page(path), prefix);
        assert!(functions.len() > 5 && numbers.len() > 5, "{path}: {functions:?} {numbers:?}");
        for function in functions {
            assert!(abi.contains(&function), "{function} of {path}");
        }
        for (name, number) in numbers.into_iter().filter(|one| one.1 < 0) {
            let same = name == "IN_USE" && has_row(&abi, number, "MEMORY_IN_USE");
            assert!(has_row(&abi, number, &name) || same, "{number} {name} of {path}");
        }
    }
    // What is asked of the import for HTTP: no codes, so no rows of the tables of codes.
    let header = page("agent/include/clawft_agent.h");
    let asked = header.lines().filter_map(|line| line.strip_prefix("#define CLAWFT_HTTP_"));
    let asked: Vec<_> = asked.filter_map(|rest| rest.split_once(' ')).collect();
    assert!(asked.len() > 5, "{asked:?}");
    for (name, number) in asked.into_iter().filter(|one| one.1.parse::<u8>().is_ok()) {
        assert!(abi.contains(&format!("{number} {name} ")), "{number} {name}");
    }
}

/// Whether a table has a number by its name: in a row of its own, or in one of several that follow each
/// other, `| -301 to -302 | `A` `B` |`, as the agent's exit codes do.
fn has_row(page: &str, number: i32, name: &str) -> bool {
    let fits = |line: &str| {
        let (numbers, rest) = line.strip_prefix("| ")?.split_once(" | ")?;
        let (first, last) = numbers.split_once(" to ").unwrap_or((numbers, numbers));
        let (first, last): (i32, i32) = (first.parse().ok()?, last.parse().ok()?);
        let names = rest.split(" | ").next()?.split('`').skip(1).step_by(2);
        let at = usize::try_from(first.checked_sub(number)?).ok()?;
        (number >= last && names.into_iter().nth(at) == Some(name)).then_some(())
    };
    page.lines().any(|line| fits(line).is_some())
}

#[test]
fn a_row_has_one_number_or_some_in_turn() {
    let page = "| -1 | `A` | a |\n| -3 to -5 | `B` `C` `D` | b |\n";
    for (number, name) in [(-1, "A"), (-3, "B"), (-4, "C"), (-5, "D")] {
        assert!(has_row(page, number, name), "{name}");
    }
    for (number, name) in [(-2, "A"), (-3, "C"), (-6, "D"), (-1, "a"), (1, "A")] {
        assert!(!has_row(page, number, name), "{name}");
    }
}
