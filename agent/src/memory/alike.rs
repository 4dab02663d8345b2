//! Whether two texts say the same.
//!
//! Strict, because the two errors are not alike: two memories for one fact cost a line of context,
//! one memory for two facts that contradict each other loses one of them. So the same words have
//! to stand in the same order, but for case, accents, punctuation and articles; signs that change
//! a meaning (`-5`, `C++`, `$3`) count, and so does punctuation at a number (`.5`, `5–7`, `5"`). A word
//! of letters and digits is a code, most likely, of which every letter counts (`b7X`).
//!
//! What it must never do: go by vectors: "at nine" lies near "at ten".

use alloc::string::String;
use alloc::vec::Vec;

use clawft_store::lexical::{fold, is_dropped};

/// Signs that leave a meaning as it is.
const PUNCTUATION: &str = ".,;:!?\"'`()[]…–—“”‘’„»«";

/// What punctuation means at a number, where it means something: a point before it, a minus or a
/// range, a ratio or an hour, feet and inches.
fn at_number(before: char, c: char, next: Option<char>) -> Option<char> {
    let is_before = next.is_some_and(|next| next.is_ascii_digit());
    let is_behind = before.is_ascii_digit();
    match c {
        '.' | ',' if is_before && !before.is_alphanumeric() => Some('.'),
        ':' if is_before && is_behind => Some(':'),
        '–' | '—' if is_before => Some('-'),
        // `1990's` is a word.
        _ if !is_behind || next.is_some_and(char::is_alphabetic) => None,
        '\'' | '’' | '′' => Some('\''),
        '"' | '”' | '″' => Some('"'),
        _ => None,
    }
}

/// The words of a text without articles, and its signs, in order.
pub(crate) fn telling(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut end = |word: &mut String| {
        // An article stands before something: vitamin A ends with none.
        if !word.is_empty() && all.last().is_some_and(|last| matches!(&**last, "a" | "an" | "the"))
        {
            all.pop();
        }
        if !word.is_empty() {
            all.push(core::mem::take(word));
        }
    };
    let mut before = ' ';
    let mut rest = text.chars().filter(|&c| !is_dropped(c)).peekable();
    while let Some(c) = rest.next() {
        let sign = at_number(core::mem::replace(&mut before, c), c, rest.peek().copied());
        if let Some(sign) = sign {
            end(&mut word);
            word.push(sign);
            end(&mut word);
        } else if c.is_alphanumeric() {
            let (first, second) = fold(c);
            word.push(first);
            word.extend(second);
        } else if c == '\'' || c == '’' {
            // Inside a word it belongs there: `don't`.
        } else {
            end(&mut word);
            if !c.is_whitespace() && !PUNCTUATION.chars().any(|sign| sign == c) {
                word.push(c);
                end(&mut word);
            }
        }
    }
    end(&mut word);
    all
}

/// Whether the words of letters and digits are the same in both, letter by letter.
fn same_codes<'t>(a: &'t str, b: &'t str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '\'' || c == '’';
    let is_code = |word: &&str| {
        word.bytes().any(|byte| byte.is_ascii_digit()) && word.chars().any(char::is_alphabetic)
    };
    let codes = |text: &'t str| text.split(move |c| !is_part(c)).filter(is_code);
    let letters = |code: &'t str| code.chars().filter(|c| c.is_alphanumeric());
    let (mut a, mut b) = (codes(a), codes(b));
    loop {
        match (a.next(), b.next()) {
            (Some(a), Some(b)) if letters(a).eq(letters(b)) => {}
            (a, b) => return a == b,
        }
    }
}

/// Whether two texts say the same.
#[must_use]
pub fn alike(a: &str, b: &str) -> bool {
    // A point between digits is no punctuation: 1.5 is not 15, and comes as two words; 1.5 and
    // 1,5 are the same here, as people write both.
    telling(a) == telling(b) && same_codes(a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_are_the_same_and_nothing_else_is() {
        assert!(alike("The user likes tea.", "user likes TEA!"));
        assert!(alike("Lives in Zürich", "lives in  zurich"));
        assert!(alike("I don't know", "i dont know…"));
        assert!(alike("Packs: a tent, the stove", "packs tent, stove"));
        assert!(alike("closed May 5-7", "closed May 5–7"));
        assert!(alike("In the 1990's, at 5.", "in the 1990s at 5"));
        assert!(alike("The code is b7X.", "the code, is “b7X”"));
        for (a, b) in [
            ("lives in Berlin", "lives in Paris"),
            ("likes tea", "does not like tea"),
            ("she can", "she can't"),
            ("Anna beats Bob", "Bob beats Anna"),
            ("writes C", "writes C++"),
            ("it is 5 degrees", "it is -5 degrees"),
            ("a b", "a b c"),
            ("pays $3", "pays €3"),
            ("costs 1.5", "costs 15"),
            ("mixes it 1:5", "mixes it 1.5"),
            ("takes vitamin A", "takes vitamin"),
            ("takes vitamin A", "takes vitamin K"),
            ("the dose is 5 mg", "the dose is .5 mg"),
            ("it is 5 degrees", "it is –5 degrees"),
            ("closed May 5, 7", "closed May 5–7"),
            ("a shelf of 5' and more", "a shelf of 5\" and more"),
            ("she is 5'4\"", "she is 54"),
            ("the locker's code is b7X", "the locker's code is B7x."),
        ] {
            assert!(!alike(a, b), "{a} / {b}");
        }
    }
}
