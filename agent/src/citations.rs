//! The ids that an answer cites: `[12]`, `[12, 2026-11-25 09:10 UTC]`, `[12][13]`, `[12; 13]`.
//!
//! Why: brackets with numbers in them are many things. Where an id is looked for, of a memory that was
//! given or is forgotten, no bracket with it may be missed, and so [`citations`] has them all: an id is a
//! hash, which stands nowhere by chance. Where a model is said to have made one up, that has to be
//! true, and so [`claims`] leaves out what may be anything else: code, an index, a link, a list in
//! JSON, a year.
//!
//! What it must never do: read without end an answer that is nothing but brackets.

use alloc::vec::Vec;

use crate::text;

/// Ids that are read out of an answer: more than memory gives of them.
const MOST_CITED: usize = 256;

/// The ids that an answer cites, up to [`MOST_CITED`].
#[must_use]
pub fn citations(answer: &str) -> Vec<u64> {
    read(answer, false)
}

/// Those that can be nothing but citations, up to [`MOST_CITED`].
#[must_use]
pub fn claims(answer: &str) -> Vec<u64> {
    match answer.trim().as_bytes() {
        // An object in JSON, asked for or not: a list in it may be anything.
        [b'{', .., b'}'] => Vec::new(),
        _ => read(answer, true),
    }
}

/// Reads the brackets of an answer. Where it is to be `sure`, none is one that stands in code, behind a
/// name, a call, a link's text or a `\`, or before a link's address, and none has a year, as whoever quotes has it.
fn read(answer: &str, sure: bool) -> Vec<u64> {
    let bytes = answer.as_bytes();
    let (mut ids, mut open, mut last) = (Vec::new(), None, b' ');
    let (mut is_code, mut is_other) = (false, false);
    // So far the line is blank, and was before the bracket.
    let (mut is_blank, mut begins) = (true, false);
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            // One or some begin code, within a line or of some lines, or end it.
            b'`' => is_code ^= last != b'`',
            b'[' => {
                // Directly behind another it is what that one is: `[12][13]`, `a[0][1]`, `[here][1]`.
                if last != b']' {
                    is_other = is_code
                        || last.is_ascii_alphanumeric()
                        || matches!(last, b'_' | b')' | b'\\');
                }
                open = Some(at + 1);
                begins = is_blank;
            }
            b']' => {
                let is_link = match bytes.get(at + 1) {
                    Some(b':') => begins,
                    behind => behind == Some(&b'('),
                };
                if let Some(from) = open.take()
                    && !(sure && (is_other || is_link))
                {
                    is_other = !take(&answer[from..at], sure, &mut ids);
                }
            }
            _ => {}
        }
        last = byte;
        is_blank = byte == b'\n' || is_blank && byte == b' ';
    }
    ids
}

/// Takes the ids between two brackets, and gives whether there is nothing else; a year is no id of a memory
/// but by chance.
fn take(mut inside: &str, sure: bool, ids: &mut Vec<u64>) -> bool {
    while !inside.is_empty() && ids.len() < MOST_CITED {
        let (word, more) = text::cut(inside, b",; ").unwrap_or((inside, ""));
        inside = more;
        match word.parse() {
            Ok(1900..2100) if sure => {}
            Ok(id) if !ids.contains(&id) => ids.push(id),
            Ok(_) => {}
            // A date behind an id is fine, as memories have it; other words are no citation at all.
            Err(_) if word == "UTC" || word.bytes().all(is_of_date) => {}
            Err(_) => return false,
        }
    }
    true
}

fn is_of_date(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b':')
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::{String, ToString};

    #[test]
    fn citations_are_found_and_links_are_none() {
        assert_eq!(citations("Yes [12], [13, 2025-11-25] and [14][12]."), [12, 13, 14]);
        assert_eq!(citations("[see 4](x) [a] [ ] [15; 16] [17"), [15, 16]);
        assert_eq!(citations("[1 [2] 3] [[4]] [,5,,6;]"), [2, 4, 5, 6]);
        assert_eq!(citations("[12, 2026-11-25 09:10 UTC; 13] [14 at 9:10, 15]"), [12, 13, 14]);
        // Of one that was given each counts, wherever it stands.
        assert_eq!(citations("Maria[12] (so `[13]`)"), [12, 13]);
    }

    #[test]
    fn what_may_be_anything_else_claims_nothing() {
        for text in [
            "Take a[0], f(x)[1], m[2][3], _[4] or a\\[5].",
            "Say `x = [6]` or ``[7]``, or\n```rust\nlet a = [8];\nlet b = [9];\n```\n",
            "```\n[11] without an end",
            "```[12]```",
            "See [13](https://host.test), and\n[14]: https://host.test",
            "See [the docs][13], or [these][14][15].\n\n[13]: https://host.test\n  [14]: /a",
            " {\"primes\": [15, 16], \"text\": \"[17]\"}\n",
            "As was said [2024], and in [1999; 2001].",
        ] {
            assert_eq!(claims(text), [0; 0], "{text}");
        }
    }

    #[test]
    fn what_is_cited_beside_code_is_claimed() {
        for (text, ids) in [
            ("Yes [12], [13, 2025-11-25] and [14][15].", &[12, 13, 14, 15][..]),
            ("```\na[0]\n```\nSo it is [16].", &[16]),
            ("`a` and ``b`` [17], [18] and [19]", &[17, 18, 19]),
            ("([20]) [2024, 21] {[22]}", &[20, 21, 22]),
            ("As memory [24]: says, [25]", &[24, 25]),
            ("在这里[23]。", &[23]),
        ] {
            assert_eq!(claims(text), ids, "{text}");
        }
    }

    #[test]
    fn an_answer_that_cites_without_end_is_read_up_to_a_point() {
        let most: Vec<u64> = (0..MOST_CITED as u64).collect();
        let (mut each, mut all) = (String::new(), "[".to_string());
        for id in 0..100_000 {
            each.push_str(&format!("[{id}]"));
            all.push_str(&format!("{id},"));
        }
        all.push(']');
        for read in [citations, claims] {
            assert_eq!(read(&each), most);
            assert_eq!(read(&all), most);
            assert_eq!(read(&"[".repeat(1 << 20)), [0; 0]);
            assert_eq!(read(&("[".repeat(1 << 20) + "7]")), [7]);
            assert_eq!(read(&"`[".repeat(1 << 19)), [0; 0]);
        }
    }
}
