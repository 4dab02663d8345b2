//! Whether two texts say the same.
//!
//! Strict, because the two errors are not alike: two memories for one fact cost a line of context,
//! one memory for two facts that contradict each other loses one of them. So the same words have
//! to stand in the same order, but for case, accents, punctuation and articles; signs that change
//! a meaning (`-5`, `C++`, `$3`) count.

use clawft_store::lexical::{MAX_WORD, Word, words};

fn telling(text: &str) -> impl Iterator<Item = Word> {
    words(text).filter(|word| !matches!(word.as_bytes(), b"a" | b"an" | b"the"))
}

fn signs(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|&c| {
        !c.is_alphanumeric() && !c.is_whitespace() && !".,;:!?\"'`()[]…–—“”‘’„»«".contains(c)
    })
}

/// Whether two texts say the same.
#[must_use]
pub fn alike(a: &str, b: &str) -> bool {
    // A word that is cut off may go on in any way.
    let same = |a: Word, b: Word| a.as_bytes() == b.as_bytes() && a.as_bytes().len() + 4 < MAX_WORD;
    let (mut left, mut right) = (telling(a), telling(b));
    loop {
        match (left.next(), right.next()) {
            (None, None) => break,
            (Some(a), Some(b)) if same(a, b) => {}
            _ => return false,
        }
    }
    signs(a).eq(signs(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_are_the_same_and_nothing_else_is() {
        assert!(alike("The user likes tea.", "user likes TEA!"));
        assert!(alike("Lives in Zürich", "lives in  zurich"));
        for (a, b) in [
            ("lives in Berlin", "lives in Paris"),
            ("likes tea", "does not like tea"),
            ("Anna beats Bob", "Bob beats Anna"),
            ("writes C", "writes C++"),
            ("it is 5 degrees", "it is -5 degrees"),
            ("a b", "a b c"),
            ("pays $3", "pays €3"),
        ] {
            assert!(!alike(a, b), "{a} / {b}");
        }
    }
}
