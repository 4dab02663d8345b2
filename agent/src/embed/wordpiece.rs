//! A text's pieces: words of small ASCII letters and digits, cut greedily.
//!
//! WordPiece as BERT cuts it (Devlin et al., arXiv:1810.04805): from the beginning of a word the
//! longest piece that is known, then the longest known one that continues, and so on. What differs:
//! marks only part words and are no pieces themselves, accents on Latin letters go, and a word with
//! a letter that is not ASCII after that is nobody's piece but a word as a search knows it
//! ([`lexical`](clawft_store::lexical)).
//!
//! Why: the vectors were fitted to sums over such pieces. `models/pieces.py` cuts as this
//! does, and `models/check.py` compares the two.
//!
//! What it must never do: cut a text of ASCII otherwise than `models/pieces.py` did when the
//! file was made.

use alloc::vec::Vec;

use clawft_store::lexical::{fold, is_dropped, words};

/// What a text is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// A word of small ASCII letters and digits.
    Word(&'a [u8]),
    /// A word of another script, folded.
    Other(&'a [u8]),
}

/// Calls `take` with each part of `text`, in order.
pub(super) fn parts(text: &str, take: &mut dyn FnMut(Part<'_>)) {
    let mut letters = Vec::new();
    for run in text.split(|c: char| !c.is_alphanumeric() && !is_dropped(c)) {
        letters.clear();
        let mut ascii = true;
        for c in run.chars().filter(|&c| !is_dropped(c)) {
            let (first, second) = fold(c);
            for c in [Some(first), second].into_iter().flatten() {
                ascii &= c.is_ascii_alphanumeric();
                letters.push(c as u8);
            }
        }
        if !ascii {
            for word in words(run) {
                take(Part::Other(word.as_bytes()));
            }
        } else if !letters.is_empty() {
            take(Part::Word(&letters));
        }
    }
}

/// The pieces that are known, as [`cut`] asks for them.
pub(super) trait Pieces {
    /// Bytes of the longest one.
    fn longest(&self) -> usize;

    /// The number of a piece; `begins`: one that a word begins with.
    fn find(&self, begins: bool, piece: &[u8]) -> Option<usize>;
}

/// Calls `take` with the number of each piece of `word`. Bytes that no piece has are passed over.
pub(super) fn cut(word: &[u8], pieces: &dyn Pieces, take: &mut dyn FnMut(usize)) {
    let mut begin = 0;
    while begin < word.len() {
        let rest = word.get(begin..).unwrap_or(&[]);
        let most = rest.len().min(pieces.longest());
        let found = (1..=most).rev().find_map(|len| {
            let number = pieces.find(begin == 0, rest.get(..len)?)?;
            Some((number, len))
        });
        begin += match found {
            Some((number, len)) => {
                take(number);
                len
            }
            None => 1,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;

    struct Few(&'static [&'static str]);

    impl Pieces for Few {
        fn longest(&self) -> usize {
            self.0.iter().map(|piece| piece.trim_start_matches('#').len()).max().unwrap_or(0)
        }

        fn find(&self, begins: bool, piece: &[u8]) -> Option<usize> {
            self.0.iter().position(|known| {
                let part = known.trim_start_matches('#').as_bytes();
                part == piece && known.starts_with('#') != begins
            })
        }
    }

    fn shown(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        parts(text, &mut |part| {
            let (mark, bytes) = match part {
                Part::Word(bytes) => ("", bytes),
                Part::Other(bytes) => ("~", bytes),
            };
            found.push(std::format!("{mark}{}", core::str::from_utf8(bytes).unwrap()));
        });
        found
    }

    #[test]
    fn texts_are_parted_at_marks_and_folded() {
        for (text, expected) in [
            ("", &[][..]),
            (" …—! ", &[]),
            ("Don't STOP, x86_64!", &["don", "t", "stop", "x86", "64"]),
            ("Café Zu\u{308}rich Straße", &["cafe", "zurich", "strasse"]),
            ("ＡＢＣ１", &["abc1"]),
            ("soft\u{AD}ware", &["software"]),
            ("Привет мир", &["~привет", "~мир"]),
            ("東京 2020", &["~東", "~京", "~東京", "2020"]),
            ("👍🏽", &[]),
        ] {
            assert_eq!(shown(text), expected, "of {text:?}");
        }
    }

    #[test]
    fn words_are_cut_greedily() {
        let pieces = Few(&["un", "u", "#n", "#aff", "#able", "#a", "afford"]);
        for (word, expected) in [
            ("unaffable", &[0, 3, 4][..]),
            ("afford", &[6]),
            ("una", &[0, 5]),
            // Nothing begins with x; what follows continues all the same.
            ("xaff", &[3]),
            ("u", &[1]),
            ("", &[]),
        ] {
            let mut found = Vec::new();
            cut(word.as_bytes(), &pieces, &mut |number| found.push(number));
            assert_eq!(found, expected, "of {word:?}");
        }
    }
}
