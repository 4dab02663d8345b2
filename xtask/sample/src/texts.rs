//! Texts beside the vectors: JSON lines, gzipped or not.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Reads one text a line: `{"text": ...}` (a `"query"` serves too) or a plain
/// JSON string. Line i belongs to row i; a blank one is an empty text, as without it all that follow
/// would belong to other rows.
///
/// # Errors
/// A file that cannot be read, a line without a text.
pub fn read(path: &Path) -> Result<Vec<String>, String> {
    let named = |why: String| format!("{}: {why}", path.display());
    let file = std::fs::File::open(path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let packed = path.extension().is_some_and(|ending| ending == "gz");
    let source: Box<dyn Read> =
        if packed { Box::new(flate2::read::MultiGzDecoder::new(file)) } else { Box::new(file) };
    parse(BufReader::new(source)).map_err(named)
}

/// Reads one whole number a line, the field `name`.
///
/// # Errors
/// A file that cannot be read, a line without the number.
pub fn numbers(path: &Path, name: &str) -> Result<Vec<u64>, String> {
    let content = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let number = |line: &str| serde_json::from_str::<Value>(line).ok()?.get(name)?.as_u64();
    let numbers: Option<Vec<u64>> = content.lines().map(number).collect();
    numbers.ok_or_else(|| format!("{}: a number `{name}` expected on each line", path.display()))
}

fn parse(lines: impl BufRead) -> Result<Vec<String>, String> {
    let mut texts = Vec::new();
    for (number, line) in lines.lines().enumerate() {
        let number = number + 1;
        let line = line.map_err(|error| format!("line {number}: {error}"))?;
        if line.trim().is_empty() {
            texts.push(String::new());
            continue;
        }
        let value: Value =
            serde_json::from_str(&line).map_err(|error| format!("line {number}: {error}"))?;
        let text = value.as_str().or_else(|| {
            let field = value.get("text").or_else(|| value.get("query"));
            field.and_then(Value::as_str)
        });
        texts.push(
            text.ok_or_else(|| {
                format!("line {number}: expected {{\"text\": ...}} or a string, found {value}")
            })?
            .to_string(),
        );
    }
    Ok(texts)
}

/// A text on one line of at most `width` characters.
pub fn shorten(text: &str, width: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= width {
        return line;
    }
    let cut: String = line.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_objects_and_strings() {
        let lines = "{\"id\":0,\"text\":\"one\"}\n\n\"two\"\n{\"query\":\"three\"}\n";
        assert_eq!(parse(lines.as_bytes()).unwrap(), ["one", "", "two", "three"]);
        assert!(parse("{\"id\":0}".as_bytes()).unwrap_err().contains("line 1"));
        assert!(parse("\"a\"\n{".as_bytes()).unwrap_err().contains("line 2"));
    }

    #[test]
    fn shortens_by_characters() {
        assert_eq!(shorten("a  b\nc", 9), "a b c");
        assert_eq!(shorten("äöüäöü", 4), "äöü…");
    }
}
