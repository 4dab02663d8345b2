//! Stemming: endings that a search should not see.
//!
//! Steps 1 and 5 of Porter's algorithm (M. F. Porter, "An algorithm for suffix stripping",
//! Program 14(3), 1980): plurals, `-ed`, `-ing`, a last `y` and a last `e`. They conflate the
//! forms of one English word; steps 2 to 4, which conflate words of one family (*relate*,
//! *relational*), are left out, as they also join strangers. A stem need not be a word.
//!
//! Only words of the letters a to z are stemmed: other languages pass through unharmed where
//! they have other letters, and where they do not, both sides of a search lose the same ending.
//!
//! What it must never do: make a word longer, as it is cut where it stands, or empty, as an
//! index has no empty word; or cut differently while `RULES` in `tokens` stays.

/// Cuts the stem out of `word`, small letters a to z; returns its length.
///
/// The word may be changed in place: an `i` for a `y`, an `e` put back. It never gets longer.
pub(super) fn stem(word: &mut [u8]) -> usize {
    if word.len() < 3 || !word.iter().all(u8::is_ascii_lowercase) {
        return word.len();
    }
    let mut len = plural(word);
    len = past_or_progressive(word, len);
    if let Some(base) = without(&word[..len], b"y")
        && has_vowel(&word[..base])
    {
        word[base] = b'i';
    }
    last_letters(&word[..len])
}

/// Step 1a.
fn plural(word: &[u8]) -> usize {
    if let Some(base) = without(word, b"sses").or_else(|| without(word, b"ies")) {
        return base + if word.ends_with(b"sses") { 2 } else { 1 };
    }
    match without(word, b"s") {
        Some(base) if !word.ends_with(b"ss") => base,
        _ => word.len(),
    }
}

/// Step 1b.
fn past_or_progressive(word: &mut [u8], len: usize) -> usize {
    if let Some(base) = without(&word[..len], b"eed") {
        return if measure(&word[..base]) > 0 { len - 1 } else { len };
    }
    let base = without(&word[..len], b"ed").or_else(|| without(&word[..len], b"ing"));
    let Some(base) = base.filter(|&base| has_vowel(&word[..base])) else { return len };
    let left = &word[..base];
    let put_back = [b"at", b"bl", b"iz"].iter().any(|end| left.ends_with(*end))
        || (measure(left) == 1 && ends_short(left));
    if put_back {
        word[base] = b'e';
        base + 1
    } else if ends_double(left) && !matches!(left.last(), Some(b'l' | b's' | b'z')) {
        base - 1
    } else {
        base
    }
}

/// Step 5: a last `e`, and one of two `l`.
fn last_letters(word: &[u8]) -> usize {
    let mut len = word.len();
    if let Some(base) = without(word, b"e") {
        let left = &word[..base];
        let measure = measure(left);
        if measure > 1 || (measure == 1 && !ends_short(left)) {
            len = base;
        }
    }
    let word = &word[..len];
    if word.ends_with(b"ll") && measure(&word[..len - 1]) > 1 { len - 1 } else { len }
}

/// The length of `word` before `ending`, if it has that.
fn without(word: &[u8], ending: &[u8]) -> Option<usize> {
    word.strip_suffix(ending).map(<[u8]>::len)
}

/// Whether letter `i` is a consonant: no a, e, i, o, u, and no y behind a consonant.
///
/// A run of `y` alternates, so looking back to its start is enough: words are short.
fn is_consonant(word: &[u8], i: usize) -> bool {
    match word[i] {
        b'a' | b'e' | b'i' | b'o' | b'u' => false,
        b'y' => {
            let run = word[..i].iter().rev().take_while(|&&c| c == b'y').count();
            let first = i == run || !is_consonant(word, i - run - 1);
            first == run.is_multiple_of(2)
        }
        _ => true,
    }
}

fn has_vowel(word: &[u8]) -> bool {
    (0..word.len()).any(|i| !is_consonant(word, i))
}

/// How often a consonant follows a vowel: Porter's *m*.
fn measure(word: &[u8]) -> usize {
    (1..word.len()).filter(|&i| is_consonant(word, i) && !is_consonant(word, i - 1)).count()
}

/// Whether it ends in two of the same consonant.
fn ends_double(word: &[u8]) -> bool {
    match word {
        [.., a, b] => a == b && is_consonant(word, word.len() - 1),
        _ => false,
    }
}

/// Whether it ends consonant, vowel, consonant, and the last is not w, x or y: Porter's *\*o*.
fn ends_short(word: &[u8]) -> bool {
    let n = word.len();
    n >= 3
        && is_consonant(word, n - 3)
        && !is_consonant(word, n - 2)
        && is_consonant(word, n - 1)
        && !matches!(word[n - 1], b'w' | b'x' | b'y')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::string::{String, ToString};

    fn stemmed(word: &str) -> String {
        let mut bytes = word.as_bytes().to_vec();
        let len = stem(&mut bytes);
        String::from_utf8(bytes[..len].to_vec()).unwrap()
    }

    #[test]
    fn examples_of_the_paper() {
        for (word, expected) in [
            // 1a
            ("caresses", "caress"),
            ("ponies", "poni"),
            ("ties", "ti"),
            ("caress", "caress"),
            ("cats", "cat"),
            // 1b
            ("feed", "feed"),
            ("agreed", "agre"), // "agree" by step 1, and step 5 takes its e
            ("plastered", "plaster"),
            ("bled", "bled"),
            ("motoring", "motor"),
            ("sing", "sing"),
            ("conflated", "conflat"),
            ("troubled", "troubl"),
            ("sized", "size"),
            ("hopping", "hop"),
            ("tanned", "tan"),
            ("falling", "fall"),
            ("hissing", "hiss"),
            ("fizzed", "fizz"),
            ("failing", "fail"),
            ("filing", "file"),
            // 1c
            ("happy", "happi"),
            ("sky", "sky"),
            // 5
            ("probate", "probat"),
            ("rate", "rate"),
            ("cease", "ceas"),
            ("controll", "control"),
            ("roll", "roll"),
        ] {
            assert_eq!(stemmed(word), expected, "of {word}");
        }
    }

    #[test]
    fn forms_of_a_word_meet() {
        for forms in [
            &["encode", "encodes", "encoded", "encoding"][..],
            &["library", "libraries"],
            &["move", "moves", "moved", "moving"],
            &["control", "controls", "controlled", "controlling"],
            &["use", "uses", "used", "using"],
            &["compress", "compresses", "compressed", "compressing"],
            &["toy", "toys"],
        ] {
            for form in forms {
                assert_eq!(stemmed(form), stemmed(forms[0]), "{form}");
            }
        }
    }

    #[test]
    fn other_words_stay() {
        for word in ["", "a", "is", "x86s", "2s", "naïves", "домами", "UPPERS"] {
            assert_eq!(stemmed(word), word.to_string());
        }
    }

    proptest! {
        #![proptest_config(crate::cases(256, 4))]

        #[test]
        fn never_longer_and_never_empty(word in "[a-z]{1,48}", ys in "[aeyb]{1,20}(s|ed|ing|e|y)") {
            for word in [word, ys] {
                let stem = stemmed(&word);
                prop_assert!(!stem.is_empty() || word.len() < 2, "{word}");
                prop_assert!(stem.len() <= word.len());
            }
        }
    }
}
