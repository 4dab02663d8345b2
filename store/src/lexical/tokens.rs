//! Words: what of a text is indexed and searched.
//!
//! A word is a run of letters and digits, as in UAX #29 (Unicode Text Segmentation, rules WB5
//! to WB13), with these rules of a search:
//!
//! - An apostrophe between letters joins and is dropped (`o'reilly`, `oreilly`). What is
//!   contracted behind one goes (`package's`, `we'll`), and `won't`; so does an elided word
//!   before one, in French and its neighbours (`l'hôtel`, `qu'il`).
//! - A full stop between digits joins (`3.14`, `v1.2`). A comma between a digit and three of
//!   them goes (`1,000`). Other commas, hyphens and underscores part.
//! - Letters are folded (see [`fold()`]), English stop words dropped
//!   ([`stop`]), English endings cut ([`stem`]).
//! - Scripts that are written without spaces (Chinese, Japanese, Korean, Thai, Lao, Khmer,
//!   Burmese) give every character and every pair of neighbours: no dictionary, yet a
//!   question of one character finds its texts, and pairs rank them.
//! - Symbols and emoji are no words.
//!
//! A word is cut after [`MAX_WORD`] bytes, at a character: long ones with the same beginning
//! are the same. The tables of UAX #29 itself would take 20 KB and know no more of such
//! searches; `char::is_alphanumeric` takes two.
//!
//! What it must never do: give other words for a text while `RULES` stays. An index holds no
//! text: one is taken out by the words that it gives again, and a saved index is searched by
//! them. The tables of `char` change with the versions of Unicode, and so with the toolchain.

use core::str::Chars;

use super::fold::{fold, is_dropped};
use super::{stem, stop};

/// The version of these rules: an index made by others does not fit.
pub const RULES: u32 = 2;
/// Bytes of UTF-8 that are kept of a word.
pub const MAX_WORD: usize = 48;
/// What goes behind an apostrophe at a word's end.
const CONTRACTED: &[u8] = b"d ll m re s ve ";
/// What goes before one at its beginning.
const ELIDED: &[u8] = b"c d j l m n qu s t ";

/// A word as it stands in an index: folded and stemmed.
#[derive(Clone, Copy)]
pub struct Word {
    bytes: [u8; MAX_WORD],
    len: u8,
}

impl Word {
    const EMPTY: Word = Word { bytes: [0; MAX_WORD], len: 0 };

    /// The word in UTF-8: 1 to [`MAX_WORD`] bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// The word as a string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// Adds a character unless the word is full; a full word stays full.
    fn push(&mut self, c: char) {
        let at = usize::from(self.len);
        match self.bytes.get_mut(at..at + c.len_utf8()) {
            Some(place) => {
                c.encode_utf8(place);
                self.len += c.len_utf8() as u8;
            }
            // A shorter character must not follow the one that did not fit.
            None => self.bytes[at..].fill(0xFF),
        }
    }

    fn is_full(&self) -> bool {
        self.bytes.get(usize::from(self.len)).is_none_or(|&next| next == 0xFF)
    }

    fn push_folded(&mut self, c: char) {
        let (first, second) = fold(c);
        for c in [Some(first), second].into_iter().flatten() {
            if !self.is_full() {
                self.push(c);
            }
        }
    }
}

impl core::fmt::Debug for Word {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.as_str().fmt(f)
    }
}

/// The words of a text, in its order; see the module.
#[derive(Clone, Debug)]
pub struct Words<'a> {
    /// The character at hand…
    next: Option<char>,
    /// …and those behind it.
    rest: Chars<'a>,
    /// The character of an unspaced script just before `next`.
    before: Option<char>,
    /// Two such characters, which are due as a pair.
    pair: Option<(char, char)>,
}

/// The words of `text`. Never panics, whatever stands in it.
#[must_use]
pub fn words(text: &str) -> Words<'_> {
    let mut words = Words { next: None, rest: text.chars(), before: None, pair: None };
    words.advance();
    words
}

impl Iterator for Words<'_> {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        loop {
            if let Some((first, second)) = self.pair.take() {
                let mut word = Word::EMPTY;
                word.push(first);
                word.push(second);
                return Some(word);
            }
            let c = self.next?;
            if is_unspaced(c) {
                self.advance();
                self.pair = self.before.replace(c).map(|before| (before, c));
                let mut word = Word::EMPTY;
                word.push(c);
                return Some(word);
            }
            if is_dropped(c) {
                self.advance();
                continue;
            }
            self.before = None;
            if !c.is_alphanumeric() || is_apostrophe(c) {
                self.advance();
                continue;
            }
            let mut word = self.spaced();
            if word.len == 0 || stop::is_stop_word(word.as_bytes()) {
                continue;
            }
            word.len = stem::stem(&mut word.bytes[..usize::from(word.len)]) as u8;
            return Some(word);
        }
    }
}

impl Words<'_> {
    /// Decoding is in one place: it is a sixth of a kilobyte.
    #[inline(never)]
    fn advance(&mut self) {
        self.next = self.rest.next();
    }

    /// Reads the word that begins here, with a letter or digit of a script with spaces. Empty
    /// where it is none that a search should see.
    fn spaced(&mut self) -> Word {
        let mut word = Word::EMPTY;
        // Where the first and the last apostrophe stood.
        let (mut first, mut last) = (0, MAX_WORD);
        let mut behind_digit = false;
        while let Some(c) = self.next {
            if is_apostrophe(c) {
                if !self.joins() {
                    break;
                }
                last = usize::from(word.len);
                if first == 0 {
                    first = last;
                }
            } else if !is_dropped(c) {
                let digits = if behind_digit { self.digits() } else { 0 };
                let continues = is_kept_mark(c) || (c.is_alphanumeric() && !is_unspaced(c));
                match (c, digits) {
                    (',', 3) => {}
                    ('.', 1..) => word.push_folded(c),
                    _ if continues => word.push_folded(c),
                    _ => break,
                }
                behind_digit = c.is_ascii_digit();
            }
            self.advance();
        }
        if word.as_bytes().get(last..).is_some_and(|end| stop::is_listed(CONTRACTED, end)) {
            word.len = last as u8;
        }
        let len = usize::from(word.len);
        if len > first && stop::is_listed(ELIDED, &word.bytes[..first]) {
            word.bytes.copy_within(first..len, 0);
            word.len -= first as u8;
        } else if (first, len) == (3, 4) && word.bytes.starts_with(b"wont") {
            word.len = 0;
        }
        word
    }

    /// How many digits follow the character at hand, of which only the first four count.
    fn digits(&self) -> usize {
        self.rest.as_str().bytes().take(4).take_while(u8::is_ascii_digit).count()
    }

    /// Whether a letter follows the character at hand that continues the word.
    fn joins(&self) -> bool {
        let mut ahead = self.clone();
        ahead.advance();
        ahead.next.is_some_and(|c| c.is_alphabetic() && !is_unspaced(c))
    }
}

/// The typewriter's, the typographer's, the letter, the full-width form.
#[inline(never)]
fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '\u{02BC}' | '\u{FF07}')
}

/// Marks that are part of a word without being letters: the viramas and nuktas of the scripts
/// of India and Sri Lanka, which stand at the same place of each block.
#[inline(never)]
fn is_kept_mark(c: char) -> bool {
    matches!(c as u32, 0x0900..=0x0DFF) && matches!(c as u32 & 0x7F, 0x3C | 0x4D) || c == '\u{0DCA}'
}

/// Letters of scripts that are written without spaces between words, or, in Korean, with
/// particles glued on.
#[inline(never)]
fn is_unspaced(c: char) -> bool {
    let within = matches!(c as u32,
        0x0E00..=0x0E4F | 0x0E80..=0x0EFF | 0x1000..=0x103F | 0x1050..=0x108F | 0x1780..=0x17DF
        | 0x3005..=0x3007 | 0x3040..=0x30FF | 0x31F0..=0x31FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF
        | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFF66..=0xFF9F | 0x20000..=0x3FFFF);
    within && c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::string::{String, ToString};
    use std::vec::Vec;

    fn list(text: &str) -> Vec<String> {
        words(text).map(|word| word.as_str().to_string()).collect()
    }

    #[test]
    fn words_of_a_sentence() {
        for (text, expected) in [
            ("", &[][..]),
            (" \t\n…—!", &[]),
            ("The Quick brown foxes' dens", &["quick", "brown", "fox", "den"]),
            ("What is it that I don't know?", &["know"]),
            ("the package's O'Reilly book", &["packag", "oreilli", "book"]),
            ("the package\u{2019}s end", &["packag", "end"]),
            ("'quoted' rock'n'roll", &["quot", "rocknrol"]),
            ("π is 3.14, v1.2.3 of 2024-05-01.", &["π", "3.14", "v1.2.3", "2024", "05", "01"]),
            ("mp3 x86_64 C++ node.js", &["mp3", "x86", "64", "c", "node", "js"]),
            ("1,000 1,000,000.5 $12,345", &["1000", "1000000.5", "12345"]),
            (
                "1,2 1,23 1,2345 x,123 1,00a 1, 000 5,",
                &["1", "2", "1", "23", "1", "2345", "x", "123", "1", "00a", "1", "000", "5"],
            ),
            ("I'd, they'll, we're; I’m. YOU'VE she'll won't", &[]),
            ("id ill wont lets May US Will", &["id", "ill", "wont", "let", "may", "us", "will"]),
            (
                "l'hôtel D’UNE qu'il c'est aujourd'hui j'aime",
                &["hotel", "une", "il", "est", "aujourdhui", "aim"],
            ),
            ("the c's and d's of N'Djamena's", &["c", "d", "djamena"]),
            ("Cafe\u{301}s CAFÉS", &["cafe", "cafe"]),
            ("soft\u{AD}ware 👍🏽 ok", &["softwar", "ok"]),
            ("नमस्ते दुनिया", &["नमस्ते", "दुनिया"]),
            ("שָׁלוֹם שלום", &["שלום", "שלום"]),
            ("Привет, МИР", &["привет", "мир"]),
            ("１２．５ ＡＢＣ", &["12", "5", "abc"]),
        ] {
            assert_eq!(list(text), expected, "of {text:?}");
        }
    }

    #[test]
    fn unspaced_scripts_give_characters_and_pairs() {
        assert_eq!(list("東京都"), ["東", "京", "東京", "都", "京都"]);
        assert_eq!(list("東 京"), ["東", "京"]);
        assert_eq!(list("Tokyo東京2020年"), ["tokyo", "東", "京", "東京", "2020", "年"]);
        assert_eq!(list("ไก่"), ["ไ", "ก", "ไก"]);
        assert_eq!(list("한국"), ["한", "국", "한국"]);
    }

    #[test]
    fn long_words_are_cut_at_a_character() {
        let long = "ш".repeat(1000);
        assert_eq!(list(&long), ["ш".repeat(MAX_WORD / 2)]);
        // 47 bytes, then a letter of two, then one that would fit.
        let text = std::format!("{}шb", "1".repeat(47));
        assert_eq!(list(&text), ["1".repeat(47)]);
        assert_eq!(list(&std::format!("{}ш5.5", "1".repeat(47))), ["1".repeat(47)]);
        assert_eq!(list(&"7".repeat(5000)), ["7".repeat(48)]);
    }

    proptest! {
        #![proptest_config(crate::cases(2000, 8))]

        #[test]
        fn any_text_gives_words_within_bounds(text in any::<String>()) {
            for word in words(&text) {
                prop_assert!((1..=MAX_WORD).contains(&word.as_bytes().len()));
                prop_assert!(std::str::from_utf8(word.as_bytes()).is_ok());
                prop_assert!(!word.as_str().contains(char::is_whitespace));
            }
        }

        #[test]
        fn case_and_spaces_between_texts_do_not_matter(a in "[\\PC]{0,40}", b in "[\\PC]{0,40}") {
            let (mut parts, both) = (list(&a), std::format!("{a} | {b}"));
            parts.extend(list(&b));
            prop_assert_eq!(list(&both), parts);
        }

        #[test]
        fn ascii_case_does_not_matter(text in "[ -~]{0,80}") {
            prop_assert_eq!(list(&text), list(&text.to_ascii_uppercase()));
        }
    }
}
