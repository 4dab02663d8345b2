//! Private keys in PEM.
//!
//! A key has more lines than a piece of an import has room for, and a piece from its middle looks
//! like any text. So the lines of a file go through [`KeyFilter`] before they are cut into pieces.
//!
//! Some texts only speak of keys, and some keys are cut off: what follows a beginning is taken for
//! the key up to its end, or up to a line of words.
//!
//! What it must never do: let through a line of a key that it saw begin.

use alloc::borrow::Cow;
use alloc::string::String;

use super::redact::MARK;
use crate::text;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
/// Words of a line that are looked at, the fewest that make a sentence, and bytes that none has.
const WORDS: usize = 8;
const FEWEST: usize = 4;
const LONG: usize = 32;

/// Whether a text begins with a private key.
pub(super) fn begins(text: &str) -> bool {
    let label = text.strip_prefix(BEGIN);
    label.is_some_and(|label| text::has(text::head(label, b"\n-"), "PRIVATE KEY"))
}

/// What stands behind the end of the key that the text is in.
pub(super) fn behind(text: &str) -> Option<&str> {
    let label = text.get(text::find(text, END)? + END.len()..)?;
    Some(behind_dashes(label).unwrap_or(label))
}

fn behind_dashes(text: &str) -> Option<&str> {
    text.get(text::find(text, DASHES)? + DASHES.len()..)
}

/// Whether it is a line of words. The lines of a key have one word, or are headers.
fn is_words(line: &str) -> bool {
    let words = || line.split_whitespace().take(WORDS);
    words().count() >= FEWEST && words().all(|word| word.len() < LONG && !word.ends_with(':'))
}

/// Takes private keys out of lines.
#[derive(Default)]
pub(super) struct KeyFilter {
    inside: bool,
    /// Keys that were taken out.
    pub(super) count: usize,
}

impl KeyFilter {
    /// The line with [`MARK`] in the place of each key that begins there; `None` where the key takes
    /// all of it.
    pub(super) fn without_keys<'l>(&mut self, line: &'l str) -> Option<Cow<'l, str>> {
        if !self.inside && !text::has(line, BEGIN) {
            return Some(Cow::Borrowed(line));
        }
        let (mut out, mut rest, mut may_end) = (String::new(), line, true);
        loop {
            if self.inside {
                match may_end.then(|| behind(rest)).flatten() {
                    Some(after) => rest = after,
                    None if is_words(rest) => may_end = false,
                    None => break,
                }
                self.inside = false;
            }
            let (before, found) = rest.split_at(text::find(rest, BEGIN).unwrap_or(rest.len()));
            out.push_str(before);
            let Some(label) = found.strip_prefix(BEGIN) else { break };
            self.inside = begins(found);
            match self.inside {
                true => {
                    self.count += 1;
                    out.push_str(MARK);
                    rest = behind_dashes(label).unwrap_or_default();
                }
                false => {
                    out.push_str(BEGIN);
                    rest = label;
                }
            }
        }
        (!out.is_empty()).then_some(Cow::Owned(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;
    use std::format;

    fn without(text: &str) -> (String, usize) {
        let mut lines = KeyFilter::default();
        let left: Vec<_> = text.lines().filter_map(|line| lines.without_keys(line)).collect();
        (left.join("\n"), lines.count)
    }

    #[test]
    fn a_key_goes_from_its_beginning_to_its_end() {
        let certificate = "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----";
        for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "PGP PRIVATE KEY BLOCK"] {
            let begin = format!("-----BEGIN {label}-----");
            let headers = "Proc-Type: 4,ENCRYPTED\nComment: made by hand on a good day\n";
            let cut = format!("{begin}\n{headers}\nMIIE0aB1\n  MIIE+/==\n> MIIE");
            let key = format!("{cut}\n-----END {label}-----");
            for (text, left, count) in [
                (format!("a\n{key}\nb"), "a\n[secret]\nb".into(), 1),
                (format!(" k: \"{key}\",\nb"), " k: \"[secret]\n\",\nb".into(), 1),
                (format!("{key}\n{key} {key}"), "[secret]\n[secret]\n [secret]".into(), 3),
                (format!("{begin} MIIE -----END {label}----- b"), "[secret] b".into(), 1),
                (format!("a\n{cut}"), "a\n[secret]".into(), 1),
                (format!("{certificate}\n{key}"), format!("{certificate}\n[secret]"), 1),
                // Whoever only speaks of one goes on, and may have one too.
                (
                    format!("As {begin}\nis.\nIt has lines then."),
                    "As [secret]\nIt has lines then.".into(),
                    1,
                ),
                (
                    format!("As {begin} is how it begins.\nb"),
                    "As [secret] is how it begins.\nb".into(),
                    1,
                ),
                (
                    format!("{cut}\nAnd this is the {key}\nb"),
                    "[secret]\nAnd this is the [secret]\nb".into(),
                    2,
                ),
            ] {
                assert_eq!(without(&text), (left, count), "{text}");
            }
            // Whether that is one or two, nothing of them is left.
            let (left, _) = without(&format!("{cut}\n{key}\nb"));
            assert_eq!(left.replace("[secret]", "").trim(), "b");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn no_line_of_a_key_is_let_through(
            before in "([a-z -]{0,20}\n?){0,5}", body in prop::collection::vec("[A-Z0-9+/]{1,64}", 1..30),
        ) {
            let key = format!("{before}-----BEGIN PRIVATE KEY-----\n{}", body.join("\n"));
            let (left, count) = without(&key);
            prop_assert_eq!((left.replace("\n", ""), count), (before.replace('\n', "") + MARK, 1));
        }

        #[test]
        fn no_text_makes_it_panic(
            text in "(-----BEGIN |-----END |PRIVATE KEY|-----|[a-zé :]{0,9}|\n){0,30}",
        ) {
            let _ = without(&text);
        }
    }
}
