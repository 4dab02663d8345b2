//! Files of results and the blocks of `docs/benchmarks.md` that are made of them.
//!
//! A measurement writes lines of JSON to `benches/results/`: first the machine, then what was
//! seen. Tables and the plot are made from these files only, so that they can be made again
//! without measuring and nobody types a figure.

use crate::process::{Outcome, read, root, write};
use serde_json::Value;
use std::path::PathBuf;

/// Characters of a line.
const WIDTH: usize = 125;
const DOCUMENT: &str = "docs/benchmarks.md";

fn path(name: &str) -> PathBuf {
    root().join("benches/results").join(format!("{name}.jsonl"))
}

/// Writes a file of results, in the place of the one before.
pub(super) fn save(name: &str, lines: &[Value]) -> Outcome {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    write(&path(name), text.as_bytes())?;
    eprintln!("{} is written", path(name).display());
    Ok(())
}

/// The lines of a file of results; none where nothing was measured yet.
pub(super) fn load(name: &str) -> Outcome<Option<Vec<Value>>> {
    let path = path(name);
    if !path.exists() {
        return Ok(None);
    }
    let bytes = read(&path)?;
    let text = String::from_utf8_lossy(&bytes);
    let line = |line: &str| {
        serde_json::from_str(line).map_err(|error| format!("{}: {error}", path.display()))
    };
    text.lines().map(line).collect::<Outcome<Vec<Value>>>().map(Some)
}

/// The document as it is.
pub(super) fn document() -> Outcome<String> {
    read(&document_path()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Where it lies.
pub(super) fn document_path() -> PathBuf {
    root().join(DOCUMENT)
}

/// The document with this text between the marks of a block.
pub(super) fn replace(document: &str, block: &str, text: &str) -> Outcome<String> {
    let (begin, end) = (format!("<!-- begin {block} -->"), format!("<!-- end {block} -->"));
    let parts = document.split_once(&begin).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(&end)?;
        Some((before, after))
    });
    let (before, after) =
        parts.ok_or_else(|| format!("{DOCUMENT} has no lines `{begin}` and `{end}`"))?;
    Ok(format!("{before}{begin}\n{}\n{end}{after}", text.trim_end()))
}

/// A Markdown table.
pub(super) fn table(heading: &[String], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule = format!("|{}\n", "---|".repeat(heading.len()));
    let rows: String = rows.iter().map(|row| line(row)).collect();
    line(heading) + &rule + &rows
}

/// A paragraph in lines of the document's width.
pub(super) fn wrap(text: &str) -> String {
    let mut out = String::new();
    let mut width = 0;
    for word in text.split_whitespace() {
        if width + 1 + word.len() > WIDTH {
            out.push('\n');
            width = 0;
        } else if width > 0 {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += word.len();
    }
    out.push('\n');
    out
}

/// A whole number with its thousands parted: 12,345.
pub(super) fn grouped(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0.0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_replaced_and_nothing_else() {
        let document =
            "a\n<!-- begin x -->\nold\n<!-- end x -->\nb\n<!-- begin y -->\n<!-- end y -->\n";
        let wanted =
            "a\n<!-- begin x -->\nnew\n<!-- end x -->\nb\n<!-- begin y -->\n<!-- end y -->\n";
        assert_eq!(replace(document, "x", "new\n\n").unwrap(), wanted);
        assert_eq!(replace(wanted, "x", "new").unwrap(), wanted);
        assert!(replace(document, "z", "new").unwrap_err().contains("begin z"));
        assert!(replace("<!-- end x --><!-- begin x -->", "x", "new").is_err());
    }

    #[test]
    fn thousands_are_parted() {
        let seen = [0.0, 7.4, 999.5, 12_345.0, 1_234_567.0, -1_000.0].map(grouped);
        assert_eq!(seen, ["0", "7", "1,000", "12,345", "1,234,567", "-1,000"]);
    }

    #[test]
    fn a_table_has_its_rule() {
        let text = table(&["a".into(), "b".into()], &[vec!["1".into(), "2".into()]]);
        assert_eq!(text, "| a | b |\n|---|---|\n| 1 | 2 |\n");
    }
}
