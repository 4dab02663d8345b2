//! Stop words: English words that say nothing of what a text is about.
//!
//! The closed classes: articles, pronouns, prepositions, conjunctions, question words, forms
//! of *be*, *have* and *do*, modal verbs. They are a third of a text and would be most of an
//! index. Those that are also a month, a country, a name or a thing (*may*, *us*, *will*) are
//! not here, nor are contractions that without their apostrophe are other words (*id*, *ill*,
//! *lets*, *wont*); the others stand here without it, as the words come. A question of nothing
//! but these finds nothing.
//!
//! What it must never do: be asked about a stem (that of `this` is `thi`), or change while
//! `RULES` in `tokens` stays.

/// The words, by their first letters, each followed by a space.
const WORDS: &[u8] =
    b"a about above after again against all also am an and any are arent as at be \
because been before being below between both but by can cannot cant could couldnt did didnt do \
does doesnt doing dont down during each either few for from further had hadnt has hasnt have \
havent having he her here hers herself him himself his how i if im in into is isnt it its itself \
ive just me might mine more most must my myself neither no nor not of off on once only or other \
ought our ours ourselves out over own same shall she should shouldnt so some such than that thats \
the their theirs them themselves then there theres these they theyre this those through to too \
under until up upon very was wasnt we were werent weve what whats when where which while who whom \
whose why with within without would wouldnt you youd youll your youre yours yourself yourselves \
youve ";

/// Where the words with each first letter begin; the last entry is the end.
const BEGIN: [u16; 27] = {
    let mut begin = [0; 27];
    let (mut letter, mut at, mut start) = (0, 0, true);
    while at < WORDS.len() {
        if start {
            while letter <= (WORDS[at] - b'a') as usize {
                begin[letter] = at as u16;
                letter += 1;
            }
        }
        start = WORDS[at] == b' ';
        at += 1;
    }
    while letter < 27 {
        begin[letter] = WORDS.len() as u16;
        letter += 1;
    }
    begin
};

/// Whether a folded word, before it is stemmed, is one of them.
pub(super) fn is_stop_word(word: &[u8]) -> bool {
    let Some(letter) = word.first().and_then(|first| first.checked_sub(b'a')) else {
        return false;
    };
    let Some(&[begin, end]) = BEGIN.get(usize::from(letter)..).and_then(<[u16]>::first_chunk)
    else {
        return false;
    };
    is_listed(&WORDS[usize::from(begin)..usize::from(end)], word)
}

/// Whether `word` stands in a list of words, each followed by a space.
#[inline(never)]
pub(super) fn is_listed(mut rest: &[u8], word: &[u8]) -> bool {
    while let Some(space) = rest.iter().position(|&c| c == b' ') {
        if &rest[..space] == word {
            return true;
        }
        rest = &rest[space + 1..];
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_and_nothing_else() {
        let text = std::str::from_utf8(WORDS).unwrap();
        for word in text.split_ascii_whitespace() {
            assert!(is_stop_word(word.as_bytes()), "{word}");
            assert!(!is_stop_word(&word.as_bytes()[1..]) || text.contains(&word[1..]));
        }
        for word in ["", "z", "zebra", "ab", "yourselvesx", "42", "они", "{", "the ", "us"] {
            assert!(!is_stop_word(word.as_bytes()), "{word}");
        }
    }

    #[test]
    fn the_list_ascends_without_doubles() {
        let words: std::vec::Vec<&str> =
            std::str::from_utf8(WORDS).unwrap().split_ascii_whitespace().collect();
        assert!(words.windows(2).all(|two| two[0] < two[1]), "{words:?}");
        assert!(WORDS.ends_with(b" ") && !WORDS.windows(2).any(|two| two == b"  "));
    }
}
