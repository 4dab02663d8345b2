//! What of a message is worth keeping.
//!
//! Only what the person says outright: sentences about themselves or their things, and what they
//! ask to remember. Never a question, never a word of the model's, and nothing that was recalled:
//! the model's guesses would come back as facts, and recalled texts as new ones.
//!
//! Words of English and German are known. In other languages `remember` and the model's
//! `memory_write` are the ways to keep something.

use alloc::string::String;
use alloc::vec::Vec;

use clawft_store::lexical::fold;

use crate::text::{self, is_listed};

/// Sentences kept of one message.
const MOST: usize = 4;
/// Bytes of a sentence that is kept: a longer one is no fact but a text.
pub(crate) const LONGEST: usize = 400;
/// Words of one: fewer say nothing.
const FEWEST: usize = 3;

/// Who speaks of themselves.
const OWN: &str = "\
i i'm i've i'd i'll my mine we we're we've our ich mein meine meinen wir unser unsere";
/// What asks to remember.
const ASKED: [&str; 6] = [
    "remember that ",
    "please remember that ",
    "note that ",
    "remember: ",
    "merke dir, dass ",
    "merke dir: ",
];
/// What asks, wishes or supposes: no fact.
const NOT_FIRST: &str = "\
can could would will should shall do does did is are what who when where why how which if \
please let suppose";
/// What begins an order.
const ORDERS: &str = "\
write rewrite tell give show list explain describe summarise summarize translate create \
generate make find help fix bitte schreib schreibe sag gib zeig zeige nenne erklar erklare \
ubersetz ubersetze mach hilf";
const NOT_ANYWHERE: &str = "think guess maybe perhaps wonder vielleicht glaube";

/// The sentences of a text: they end in `.`, `!`, `?` before a blank, or with their line.
pub(crate) fn sentences(text: &str) -> Vec<&str> {
    let (mut all, mut lines) = (Vec::new(), text);
    while let Some(line) = text::line(&mut lines) {
        let mut rest = line.trim_start();
        while !rest.is_empty() {
            let end = |(at, c): (usize, char)| {
                let after = at + c.len_utf8();
                let ends = matches!(c, '.' | '!' | '?')
                    && rest[after..].chars().next().is_none_or(char::is_whitespace);
                ends.then_some(after)
            };
            let at = rest.char_indices().find_map(end).unwrap_or(rest.len());
            let (sentence, after) = rest.split_at(at);
            all.push(sentence);
            rest = after.trim_start();
        }
    }
    all
}

/// The words of a sentence in small letters.
fn words(lower: &str) -> Vec<String> {
    let (mut all, mut word) = (Vec::new(), String::new());
    for c in lower.chars().chain([' ']) {
        match c {
            '’' => word.push('\''),
            c if c.is_alphanumeric() || c == '\'' => word.push(c),
            _ if word.is_empty() => {}
            _ => all.push(core::mem::take(&mut word)),
        }
    }
    all
}

fn lower(sentence: &str) -> String {
    sentence.chars().map(|c| fold(c).0).collect()
}

/// What of a person's message is kept, as they said it.
#[must_use]
pub fn kept(message: &str) -> Vec<&str> {
    let mut all = Vec::new();
    for sentence in sentences(message) {
        let lower = lower(sentence);
        let asked = ASKED.iter().find(|asked| lower.starts_with(**asked));
        // These beginnings are ASCII, in the sentence too but for letters with accents.
        let fact = asked.and_then(|asked| sentence.get(asked.len()..)).unwrap_or(sentence).trim();
        if fact.is_empty() || fact.len() > LONGEST || sentence.ends_with('?') || all.len() == MOST {
            continue;
        }
        let words = words(&lower);
        let has = |list: &str| words.iter().any(|word| is_listed(list, word));
        let first = words.first().map_or("", |word| &**word);
        let own = has(OWN) && !is_listed(NOT_FIRST, first) && !has(NOT_ANYWHERE);
        if words.len() >= FEWEST && (own || asked.is_some()) {
            all.push(fact);
        }
    }
    all
}

/// What of a message is not [`kept`]: its other sentences. A blank between them makes it a text.
#[must_use]
pub(crate) fn others<'m>(message: &'m str, kept: &[&str]) -> Vec<&'m str> {
    let mut others = sentences(message);
    others.retain(|one| !kept.iter().any(|kept| one.trim_end().ends_with(kept)));
    others
}

/// Whether a sentence asks something, and states nothing.
pub(crate) fn asks(sentence: &str) -> bool {
    sentence.trim_end().ends_with('?')
}

/// Whether a sentence orders something, asks it without its mark, or supposes it.
pub(crate) fn orders(sentence: &str) -> bool {
    let words = words(&lower(sentence));
    words.first().is_some_and(|first| is_listed(NOT_FIRST, first) || is_listed(ORDERS, first))
}

/// Whether a sentence asks something or guesses at it.
pub(crate) fn is_unsure(sentence: &str) -> bool {
    asks(sentence) || words(&lower(sentence)).iter().any(|word| is_listed(NOT_ANYWHERE, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_told_from_statements() {
        for order in [
            "Write me a haiku about rain please",
            "Please fix it.",
            "- summarise this:",
            "Could you come",
            "Erkläre mir das.",
        ] {
            assert!(orders(order), "{order}");
        }
        for statement in ["The meeting is at nine.", "Writing is fun.", "Story 1 goes on", "", "?"]
        {
            assert!(!orders(statement), "{statement}");
        }
    }

    #[test]
    fn what_the_person_says_of_themselves_is_kept_and_nothing_else() {
        assert_eq!(
            kept(
                "Hi! My name is Ada. I live at 1.5 Main St. in Paris. What is my name? \
                  Do I like it?\nIch trinke gern Tee."
            ),
            ["My name is Ada.", "I live at 1.5 Main St.", "Ich trinke gern Tee."]
        );
        assert_eq!(kept("Remember that the door code is blue."), ["the door code is blue."]);
        for nothing in [
            "",
            "thanks",
            "I am.",
            "Could you write my letter.",
            "If I were rich, I would fly.",
            "Maybe I like tea.",
            "I think my dog is ill.",
            "The capital of France is Paris.",
            "Is my name Ada?",
        ] {
            assert!(kept(nothing).is_empty(), "{nothing}");
        }
        let long = alloc::format!("I {}", "x ".repeat(300));
        assert!(kept(&long).is_empty());
    }
}
