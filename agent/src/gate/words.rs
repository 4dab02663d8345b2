//! A text as the gate compares it: its words, and the small words that turn what they say.
//!
//! A word is kept as a hash of its first letters, folded: *allergic*, *allergies* and *allergy* are
//! one. Words of English and German are known to say nothing by themselves, to deny, to say that
//! something is so for good, or that it changed. Of other languages only the words themselves
//! count.
//!
//! Why: first letters do roughly what a stemmer does, in any language that has endings. A
//! list is one string, since a table of slices takes eight bytes for every word where a blank
//! takes one.
//!
//! What it must never do: give a text another `key` while `gate.json` keeps its version: the
//! evidence in it would be of claims that nobody makes.

use alloc::string::String;
use alloc::vec::Vec;

use clawft_store::lexical::{fold, is_dropped};
use xxhash_rust::xxh64::xxh64;

use crate::text::is_listed;

/// Letters of a word that count.
const STEM: usize = 5;
/// Words of a text that are looked at: a longer one is judged by its beginning.
const MOST: usize = 96;

/// Words that say nothing of what a text is about.
const EMPTY: &str = " a about after again all also am an and any are as at away be because been before \
being by can come could did do does done each for from get gets go goes going got had has have he her \
here him his how i if in into is it its just keep kind let made make makes me mine more most much must \
my of off on one or other our out over own per put said say says she should so some such than that the \
their them then there these they thing this those to too true up us user very was we well were what when \
where which while who whom whose will with would you your ab als am an auch auf aus bei das dass dem den \
der des die du ein eine einem einen einer er es fur hat habe haben ich ihr im in ist man mein meine \
meinem meinen meiner mich mir mit nach oder seit sein seine sich sie sind so um und uns unser unsere von \
vor war waren was wer wie wir wird wo zu zum zur users nutzer s m re ve ll d mr mrs ms dr herr frau ";
/// Words that deny. An even number of them denies nothing.
const DENY: &str = " not no never none nobody nothing nowhere neither nor cannot cant dont doesnt didnt \
isnt arent wasnt werent wont havent hasnt hadnt couldnt wouldnt shouldnt false untrue without forget nicht kein keine \
keinen keinem keiner nie niemals niemand nichts ohne vergiss vergessen ";
/// Words that say that it is so for good, so that nothing can have changed.
const EVER: &str = " never always ever forever nie niemals immer jeher lifelong ";
const EVER_PHRASES: [&str; 16] = [
    "all my life",
    "all his life",
    "all her life",
    "all these years",
    "all along",
    "whole time",
    "from day one",
    "from the outset",
    "the very beginning",
    "from the start",
    "from start to",
    "since birth",
    "my whole life",
    "since childhood",
    "in my life",
    "von anfang an",
];
/// Words that say that something is as it is by itself, without change.
const STEADY: &str = " only sole constant unchanged decades years permanently certainly each same since \
nur seit einzige einziger ";
/// Words that say that something changed, or that what was said was wrong.
const CHANGE: &str = " now moved move moving changed change changes switched new newly instead left quit \
stopped dropped retired replaced replaces became becomes migrated until formerly previously correction \
correct corrected mistake mistakenly wrong wrongly sorry oops mixed mistyped misspoke miscounted \
misremembered fix rescheduled postponed anymore longer gone started starting today tonight yesterday \
tomorrow lately recently gave given rather turns actually earlier updated update upgraded sold finally \
adopted nowadays jetzt neu neue neuer neuen umgezogen gewechselt statt stattdessen mehr ab fruher korrektur \
falsch seitdem verlegt heute gestern ";
const NUMBERS: &str = " zero two three four five six seven eight nine ten eleven twelve thirteen fourteen \
fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty hundred thousand half first second \
third fourth fifth sixth seventh zwei drei vier funf sechs sieben acht neun zehn elf zwolf monday tuesday \
wednesday thursday friday saturday sunday january february march april may june july august september \
october november december ";

/// A word of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// Of its first letters.
    pub hash: u32,
    /// It is a name: with numbers, what a statement is told from its like by.
    pub name: bool,
    /// It is a number, or part of a date.
    pub number: bool,
    /// A word that denies stands in its clause.
    pub denied: bool,
}

/// A text, taken apart.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// Those that say something, each once.
    pub all: Vec<Word>,
    /// All of them in order, the empty ones too: what a frame is seen by.
    pub order: Vec<u32>,
    /// Of all its words in order, small letters: for the same sentence.
    pub sentence: u64,
    /// It denies.
    pub denies: bool,
    /// It says that it was always so, or never.
    pub ever: bool,
    /// It says that it is so alone, or unchanged.
    pub steady: bool,
    /// It says that something changed or was wrong.
    pub changes: bool,
}

fn hash(word: &str) -> u32 {
    let end = word.char_indices().nth(STEM).map_or(word.len(), |(at, _)| at);
    // What has digits counts whole.
    let part = if word.bytes().any(|b| b.is_ascii_digit()) { word } else { &word[..end] };
    xxh64(part.as_bytes(), 0) as u32
}

impl Words {
    /// Takes a text apart.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut words = Self::default();
        let mut plain = String::new();
        let mut word = String::new();
        let (mut capital, mut first, mut begin, mut denials) = (false, true, 0, 0u32);
        let mut conditional = false;
        for c in text.chars().filter(|&c| !is_dropped(c)).chain(['.']) {
            if c.is_alphanumeric() {
                if word.is_empty() {
                    capital = c.is_uppercase() && !first;
                }
                let (one, two) = fold(c);
                word.push(one);
                word.extend(two);
                continue;
            }
            if matches!(c, '\'' | '’')
                || c == ',' && word.bytes().all(|b| b.is_ascii_digit()) && !word.is_empty()
            {
                if c != ',' && word.len() > 1 && !word.ends_with('n') {
                    // What owns: `Anna's`.
                    words.end(&mut word, capital, &mut denials, &mut plain);
                }
                continue;
            }
            if !word.is_empty() {
                first = false;
            }
            // What is only supposed is not denied.
            conditional |= matches!(&*word, "if" | "wenn" | "falls");
            words.end(&mut word, capital, &mut denials, &mut plain);
            if matches!(c, '.' | ';' | ',' | ':' | '!' | '?' | '\n') {
                // A clause ends: what it denies is all of it.
                let denied = denials % 2 == 1 && !conditional;
                words.all.iter_mut().skip(begin).for_each(|word| word.denied = denied);
                words.denies |= denied;
                begin = words.all.len();
                denials = 0;
                first |= c != ',';
                conditional &= c == ',';
            }
        }
        words.ever |= EVER_PHRASES.iter().any(|phrase| crate::text::has(&plain, phrase));
        words.sentence = xxh64(plain.as_bytes(), 0);
        words
    }

    fn end(&mut self, word: &mut String, capital: bool, denials: &mut u32, plain: &mut String) {
        if word.is_empty() || self.order.len() == MOST {
            word.clear();
            return;
        }
        plain.push_str(word);
        plain.push(' ');
        let hash = hash(word);
        self.order.push(hash);
        self.ever |= is_listed(EVER, word);
        self.steady |= is_listed(STEADY, word);
        self.changes |= is_listed(CHANGE, word);
        let denies = is_listed(DENY, word);
        *denials += u32::from(denies);
        let marks =
            denies || is_listed(EMPTY, word) || is_listed(EVER, word) || is_listed(STEADY, word);
        if !marks && !is_listed(CHANGE, word) {
            let digits = word.bytes().any(|b| b.is_ascii_digit());
            let number = digits || is_listed(NUMBERS, word);
            let name = capital && !number;
            match self.all.iter_mut().find(|known| known.hash == hash) {
                Some(known) => known.name |= name,
                None => self.all.push(Word { hash, name, number, denied: false }),
            }
        }
        word.clear();
    }

    /// The word of this hash.
    #[must_use]
    pub fn get(&self, hash: u32) -> Option<&Word> {
        self.all.iter().find(|word| word.hash == hash)
    }

    /// Whether it says something of its own beside what it denies.
    #[must_use]
    pub fn gives(&self, old: &Self) -> bool {
        self.all.iter().any(|word| !word.denied && old.get(word.hash).is_none())
    }

    /// The same for texts of the same words, in whatever order, that deny the same of them.
    #[must_use]
    pub fn key(&self) -> u64 {
        self.all.iter().fold(0, |key: u64, word| {
            key.wrapping_add(xxh64(&word.hash.to_le_bytes(), 1 + u64::from(word.denied)))
        })
    }
}
