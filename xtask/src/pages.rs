//! Tests of the project's pages: links that lead nowhere, and functions of the headers of which
//! `docs/abi.md` says nothing.

use crate::process::{output, read, root};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// The headers, and what stands before the names of their numbers.
const HEADERS: [(&str, &str); 3] = [
    ("ffi/include/clawft.h", "CLAWFT_"),
    ("ffi/store/include/clawft_store.h", "CLAWFT_MEMORY_"),
    ("agent/include/clawft_agent.h", "CLAWFT_AGENT_"),
];

fn page(path: &str) -> String {
    String::from_utf8(read(&root().join(path)).unwrap()).unwrap()
}

/// All pages that git knows.
fn pages() -> Vec<String> {
    let printed = output(Command::new("git").current_dir(root()).args(["ls-files", "*.md"]));
    printed.unwrap().lines().map(String::from).collect()
}

/// Where the links of a page lead, without what they name inside.
fn links(text: &str) -> Vec<&str> {
    let ends = text.split("](").skip(1);
    let targets = ends.filter_map(|rest| rest.split(')').next()?.split('#').next());
    targets.filter(|link| !link.is_empty() && !link.contains("://")).collect()
}

#[test]
fn links_lead_somewhere() {
    let pages = pages();
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
fn the_page_of_the_abi_has_every_function_and_number() {
    let abi = page("docs/abi.md");
    for (path, prefix) in HEADERS {
        let (numbers, functions) = declared(&page(path), prefix);
        assert!(functions.len() > 5 && numbers.len() > 5, "{path}: {functions:?} {numbers:?}");
        for function in functions {
            assert!(abi.contains(&function), "{function} of {path}");
        }
        // Those of the agent that are exit codes stand in one row.
        for (name, number) in numbers.into_iter().filter(|one| one.1 < 0 && one.1 > -301) {
            let row = format!("| {number} | `{name}` |");
            let same = name == "IN_USE" && abi.contains("| -109 | `MEMORY_IN_USE` |");
            assert!(abi.contains(&row) || same, "{row} of {path}");
        }
    }
}
