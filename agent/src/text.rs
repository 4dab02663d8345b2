//! Looking for something in a text.
//!
//! The methods of `str` take a character, several, a text or a function, are compiled anew for each,
//! and look for texts by an algorithm that is fast in the worst case: 6 KB here. These take texts and
//! single bytes of ASCII, which in UTF-8 are never a part of another character, and look from place
//! to place: the texts are a person's own, and short.
//!
//! What it must never do: cut within a character.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Where `what` stands first.
#[inline(never)]
pub(crate) fn find(text: &str, what: &str) -> Option<usize> {
    let (text, what) = (text.as_bytes(), what.as_bytes());
    (0..=text.len().checked_sub(what.len())?).find(|&at| text[at..].starts_with(what))
}

/// Whether `what` stands there.
pub(crate) fn has(text: &str, what: &str) -> bool {
    find(text, what).is_some()
}

/// The text with `by` wherever `what` stood; the text as it is where `what` is empty.
pub(crate) fn replaced(text: &str, what: &str, by: &str) -> String {
    if what.is_empty() {
        return text.into();
    }
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = find(rest, what) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        out.push_str(by);
        rest = &after[what.len()..];
    }
    out.push_str(rest);
    out
}

/// What is before the first of these bytes of ASCII, and what is after it.
#[inline(never)]
pub(crate) fn cut<'t>(text: &'t str, marks: &[u8]) -> Option<(&'t str, &'t str)> {
    debug_assert!(marks.is_ascii());
    let at = text.bytes().position(|byte| marks.contains(&byte))?;
    Some((&text[..at], &text[at + 1..]))
}

/// What is before the first of these bytes of ASCII; all where there is none.
pub(crate) fn head<'t>(text: &'t str, marks: &[u8]) -> &'t str {
    cut(text, marks).map_or(text, |(head, _)| head)
}

/// Whether a word is one of a list, in which they stand between blanks or commas.
#[inline(never)]
pub(crate) fn is_listed(list: &str, word: &str) -> bool {
    let mut rest = list;
    loop {
        let (one, after) = cut(rest, b" ,").unwrap_or((rest, ""));
        if one == word || after.is_empty() {
            return one == word && !word.is_empty();
        }
        rest = after;
    }
}

/// What is before the last byte of this kind, and what is after it.
#[inline(never)]
pub(crate) fn cut_last(text: &str, mark: u8) -> Option<(&str, &str)> {
    debug_assert!(mark.is_ascii());
    let at = text.bytes().rposition(|byte| byte == mark)?;
    Some((&text[..at], &text[at + 1..]))
}

/// The parts between these bytes of ASCII; some may be empty.
#[inline(never)]
pub(crate) fn parts<'t>(text: &'t str, marks: &[u8]) -> Vec<&'t str> {
    let (mut all, mut rest) = (Vec::new(), text);
    while let Some((part, after)) = cut(rest, marks) {
        all.push(part);
        rest = after;
    }
    all.push(rest);
    all
}

/// Takes the next line off a text, without its end; `None` where nothing is left.
#[inline(never)]
pub(crate) fn line<'t>(rest: &mut &'t str) -> Option<&'t str> {
    if rest.is_empty() {
        return None;
    }
    let Some((line, after)) = cut(rest, b"\n") else { return Some(core::mem::take(rest)) };
    *rest = after;
    Some(line.strip_suffix('\r').unwrap_or(line))
}

/// The words between blanks.
#[inline(never)]
pub(crate) fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// The text without these bytes of ASCII at its end.
#[inline(never)]
pub(crate) fn without_end<'t>(text: &'t str, marks: &[u8]) -> &'t str {
    debug_assert!(marks.is_ascii());
    let last = text.bytes().rposition(|byte| !marks.contains(&byte));
    // The end of another character is the end of that byte.
    &text[..last.map_or(0, |at| at + 1)]
}

/// The first characters of a text, at most so many.
#[inline(never)]
pub(crate) fn first(text: &str, most: usize) -> &str {
    let (mut end, mut left) = (0, most);
    for c in text.chars() {
        if left == 0 {
            break;
        }
        left -= 1;
        end += c.len_utf8();
    }
    &text[..end]
}

/// Ids as a sentence names them.
pub(crate) fn named(ids: &[u64]) -> String {
    let mut out = String::new();
    for id in ids {
        if !out.is_empty() {
            out.push_str(", ");
        }
        out.push_str(&id.to_string());
    }
    out
}

/// A text cut to so many characters, without any that move the cursor.
pub(crate) fn short(text: &str, most: usize) -> String {
    let begin = first(text, most);
    let mut out = String::new();
    for c in begin.chars() {
        out.push(if c.is_control() { ' ' } else { c });
    }
    if begin.len() < text.len() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn they_do_what_those_of_str_do(
            text in "[ab/.é \r\n]{0,20}", what in "[ab/é]{1,3}", by in "[abx]{0,2}",
        ) {
            prop_assert_eq!(find(&text, &what), text.find(&what));
            prop_assert_eq!(find(&text, ""), Some(0));
            prop_assert_eq!(has(&text, &what), text.contains(&what));
            prop_assert_eq!(replaced(&text, &what, &by), text.replace(&what, &by));
            prop_assert_eq!(replaced(&text, "", &by), text.clone());
            prop_assert_eq!(cut(&text, b"/."), text.split_once(['/', '.']));
            prop_assert_eq!(head(&text, b"/."), text.split(['/', '.']).next().unwrap());
            let is_listed_there = text.split(' ').any(|one| !one.is_empty() && one == what);
            prop_assert_eq!(is_listed(&text, &what), is_listed_there);
            prop_assert_eq!(cut_last(&text, b'/'), text.rsplit_once('/'));
            prop_assert_eq!(parts(&text, b"/."), text.split(['/', '.']).collect::<Vec<_>>());
            let mut rest = &*text;
            let lines: Vec<&str> = core::iter::from_fn(|| line(&mut rest)).collect();
            prop_assert_eq!(lines, text.lines().collect::<Vec<_>>());
            prop_assert_eq!(words(&text), text.split_whitespace().collect::<Vec<_>>());
            let begin: String = text.chars().take(3).collect();
            prop_assert_eq!(first(&text, 3), begin);
            prop_assert_eq!(without_end(&text, b"/."), text.trim_end_matches(['/', '.']));
        }
    }
}
