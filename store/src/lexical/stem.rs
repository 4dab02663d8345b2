//! Stemming: endings that a search should not see.
//!
//! Steps 1 and 5 of Porter's algorithm (M. F. Porter, "An algorithm for suffix stripping",
//! Program 14(3), 1980): plurals, `-ed`, `-ing`, a last `y` and a last `e`; and of what he
//! changed in them later (Snowball's English stemmer) that *ties* and *tied* are *tie*, that
//! *try* and *dried* end as *happy* does, and that *used* is *use*. He keeps the `s` of *gas*
//! and with it that of *pdfs*; here three letters and a vowel keep it. They conflate the forms
//! of one English word; steps 2 to 4, which conflate words of one family (*relate*,
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
    // Step 1c: a `y` behind a consonant, which is not the first letter.
    if let Some(base @ 2..) = without(&word[..len], b"y")
        && is_consonant(word, base - 1)
    {
        word[base] = b'i';
    }
    last_letters(&word[..len])
}

/// Step 1a, and of step 1b what ends like a plural: `tied`, `tried`.
fn plural(word: &[u8]) -> usize {
    match word {
        [base @ .., b'i', b'e', b's' | b'd'] => base.len() + if base.len() < 2 { 2 } else { 1 },
        [base @ .., b's', b'e', b's'] if base.last() == Some(&b's') => base.len() + 1,
        [base @ .., b's'] if !is_singular(word, base.len() - 1) => base.len(),
        _ => word.len(),
    }
}

/// Whether a last `s` is no plural's, by the letter `i` before it: `glass`, `status`, and of
/// three letters `bus`, `gas`. But `cpus` and `pcs`.
fn is_singular(word: &[u8], i: usize) -> bool {
    match word[i] {
        b's' => true,
        b'u' if has_vowel(&word[..i]) => true,
        _ => i == 1 && !is_consonant(word, i),
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
        // `buses` and `gases` are no `buse` and `gase`.
        let is_short = ends_short(left) && !matches!(left, [_, .., b'a' | b'u', b's']);
        if measure > 1 || (measure == 1 && !is_short) {
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

/// Whether it ends in two of the same consonant, and is longer than `add`.
fn ends_double(word: &[u8]) -> bool {
    match word {
        [_, _, .., a, b] => a == b && is_consonant(word, word.len() - 1),
        _ => false,
    }
}

/// Whether it ends consonant, vowel, consonant, and the last is not w, x or y: Porter's *\*o*;
/// or is a vowel and such a consonant: `us` of `used`.
fn ends_short(word: &[u8]) -> bool {
    let n = word.len();
    n >= 2
        && (n == 2 || is_consonant(word, n - 3))
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
            ("ties", "tie"), // "ti" in the paper
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
            ("sky", "ski"), // "sky" in the paper
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
            &["bus", "buses"],
            &["gas", "gases"],
            &["virus", "viruses"],
            &["status", "statuses"],
            &["focus", "focuses", "focused", "focusing"],
            &["glass", "glasses"],
            &["base", "bases", "based", "basing"],
            &["pie", "pies"],
            &["tie", "ties", "tied"],
            &["lie", "lies", "lied"],
            &["try", "tries", "tried", "trying"],
            &["fly", "flies", "flying"],
            &["dry", "dries", "dried", "drying"],
            &["study", "studies", "studied", "studying"],
            &["age", "ages", "aged", "aging"],
            &["add", "adds", "added", "adding"],
            &["pdf", "pdfs"],
            &["cpu", "cpus"],
            &["pro", "pros"],
            &["bee", "bees"],
        ] {
            for form in forms {
                assert_eq!(stemmed(form), stemmed(forms[0]), "{form}");
            }
        }
    }

    #[test]
    fn strangers_do_not_meet() {
        for (one, other) in [("gas", "ga"), ("bus", "bu"), ("use", "us"), ("add", "ad")] {
            assert_ne!(stemmed(one), stemmed(other));
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
