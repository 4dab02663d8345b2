//! The functions of a header, held against those of the sources. Used by the tests of both.

use std::path::Path;

/// Names of the functions that the files of `folder` export, sorted.
pub(crate) fn exported(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names.extend(exported(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            // The name follows the mark, behind what else is said of the function.
            for behind in text.split("#[unsafe(no_mangle)]").skip(1) {
                let (_, name) = behind.split_once(" fn ").unwrap();
                names.push(name.split('(').next().unwrap().into());
            }
        }
    }
    names.sort();
    names
}

/// Names of the functions that a header declares, sorted; one that is declared twice is there twice.
pub(crate) fn declared(header: &str) -> Vec<String> {
    // Comments, members and further arguments begin with something else.
    let is_declaration = |line: &&str| line.starts_with(|first: char| first.is_ascii_lowercase());
    let mut names: Vec<String> = header
        .lines()
        .filter(is_declaration)
        .filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next().map(String::from))
        .filter(|name| name.starts_with("clawft_"))
        .collect();
    names.sort();
    names
}
