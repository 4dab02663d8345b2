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
/// Sentences in a row that a quote may lie in.
pub(crate) const RUN: usize = 4;
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

/// What begins a sentence behind a number: anything else belongs to it (`am 14. Juli`).
const BEGIN: &str = "\
the it this that he she they his her their you your but and so der die das es er sie aber und";
/// What a full stop shortens, and does not end a sentence behind.
const SHORT: &str = "dr mr mrs ms prof st str nr tel ca vs jr sr z u d";

/// Who speaks in a transcript, before a colon.
const SPEAKERS: &str = "user assistant human ai system bot model";

/// Whether a message holds what others wrote: a transcript, or a document between tags. Programs send
/// both as the person's words, for a title or for an answer out of documents.
pub(crate) fn is_pasted(message: &str) -> bool {
    let mut rest = message;
    while let Some(line) = text::line(&mut rest) {
        let line = line.trim();
        let is_tag = matches!(line.as_bytes(),
            [b'<', first, .., b'>'] if *first == b'/' || first.is_ascii_alphabetic());
        let speaks = text::cut(line, b":").is_some_and(|(who, _)| {
            matches!(&words(&lower(text::first(who, 20)))[..], [who] if is_listed(SPEAKERS, who))
        });
        if is_tag || speaks {
            return true;
        }
    }
    false
}

/// Whether a full stop between these two is part of a date, a number or a short form: half of such a
/// sentence would be another fact, and the same as half of the next one.
fn goes_on(before: &str, after: &str) -> bool {
    let mut at = before.len();
    for c in before.chars().rev().take_while(|c| c.is_alphanumeric()) {
        at -= c.len_utf8();
    }
    let word = before.get(at..).unwrap_or_default();
    let after = after.trim_start();
    let Some(c) = after.chars().next().filter(|_| !word.is_empty()) else { return false };
    if c.is_lowercase() || c.is_ascii_digit() {
        return true;
    }
    match word.as_bytes() {
        [digit] | [digit, b'0'..=b'9'] if digit.is_ascii_digit() => {
            let next = words(&lower(text::first(after, 12)));
            let next = next.first().map_or("", |word| &**word);
            !is_listed(OWN, next) && !is_listed(BEGIN, next)
        }
        // An initial.
        [b'A'..=b'H' | b'J'..=b'Z'] => true,
        _ => word.ends_with("str") || is_listed(SHORT, &lower(word)),
    }
}

/// The sentences of a text: they end in `.`, `!`, `?` before a blank, in the marks of scripts that have
/// no blanks, or with their line; not in a full stop that [goes on](goes_on).
pub(crate) fn sentences(text: &str) -> Vec<&str> {
    let (mut all, mut lines) = (Vec::new(), text);
    while let Some(line) = text::line(&mut lines) {
        let mut rest = line.trim_start();
        while !rest.is_empty() {
            let end = |(at, c): (usize, char)| {
                let after = at + c.len_utf8();
                let is_last = || rest[after..].chars().next().is_none_or(char::is_whitespace);
                let ends = match c {
                    '.' => is_last() && !goes_on(&rest[..at], &rest[after..]),
                    '!' | '?' | '؟' => is_last(),
                    c => matches!(c, '。' | '！' | '？'),
                };
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

/// Some sentences of a text in a row, with what stands between them.
pub(crate) fn run<'t>(text: &'t str, sentences: &[&'t str]) -> &'t str {
    let at = |part: &str| (part.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
    let ends = sentences.first().zip(sentences.last());
    ends.and_then(|(first, last)| text.get(at(first)..at(last) + last.len())).unwrap_or_default()
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
    if is_pasted(message) {
        return all;
    }
    for sentence in sentences(message) {
        let lower = lower(sentence);
        let asked = ASKED.iter().find(|asked| lower.starts_with(**asked));
        // These beginnings are ASCII, in the sentence too but for letters with accents.
        let fact = asked.and_then(|asked| sentence.get(asked.len()..)).unwrap_or(sentence).trim();
        if fact.is_empty() || fact.len() > LONGEST || asks(sentence) || all.len() == MOST {
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
    matches!(sentence.trim_end().chars().next_back(), Some('?' | '？' | '؟'))
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
    fn what_others_wrote_is_pasted() {
        for pasted in [
            "Make a title:\n<chat_history>\nUSER: My cat is Miro.\n</chat_history>",
            "Who?\n  <context>\nOur firm was founded in 1999.\n</context>",
            "Sum it up\n**User:** I live in Rome\nThe end",
            "assistant: I have no cat.",
        ] {
            assert!(is_pasted(pasted) && kept(pasted).is_empty(), "{pasted}");
        }
        for own in ["My rule: I sleep at ten.", "I <3 my cat", "I like it <b>bold</b>", "a: b", ""]
        {
            assert!(!is_pasted(own), "{own}");
        }
    }

    #[test]
    fn sentences_end_in_every_script() {
        let text = "我喜欢茶。我住在柏林！你呢？ Fine. أين أنت؟ Yes";
        let all = sentences(text);
        assert_eq!(all, ["我喜欢茶。", "我住在柏林！", "你呢？", "Fine.", "أين أنت؟", "Yes"]);
        assert!(asks(all[2]) && asks(all[4]) && !asks(all[0]));
        assert_eq!(run(text, &all[..2]), "我喜欢茶。我住在柏林！");
        assert_eq!(run("A b.  C d.\nE", &sentences("A b.  C d.\nE")[..0]), "");
        let text = "A b.  C d.\nE";
        assert_eq!(run(text, &sentences(text)[1..]), "C d.\nE");
    }

    #[test]
    fn a_full_stop_may_belong_to_a_number_or_a_short_form() {
        for one in [
            "Ich habe am 14. Juli Geburtstag.",
            "Mein Termin ist am 3. Mai um 10 Uhr.",
            "My dentist is Dr. Miller, tel. 555-1234.",
            "Ich wohne in der Hauptstr. 5.",
            "My teacher is J. Smith.",
            "Wir brauchen z. B. Brot.",
        ] {
            assert_eq!(sentences(one), [one]);
            assert_eq!(kept(one), [one]);
        }
        for (text, expected) in [
            ("I am 35. My wife is 33.", &["I am 35.", "My wife is 33."][..]),
            ("So am I. Ann too.", &["So am I.", "Ann too."]),
            ("I like tea. She does not.", &["I like tea.", "She does not."]),
            ("Born in 1987. Rome it was.", &["Born in 1987.", "Rome it was."]),
            ("It is 5. The end...", &["It is 5.", "The end..."]),
            ("... and so. \n. x", &["...", "and so.", ".", "x"]),
        ] {
            assert_eq!(sentences(text), expected, "{text}");
        }
    }

    #[test]
    fn what_the_person_says_of_themselves_is_kept_and_nothing_else() {
        assert_eq!(
            kept(
                "Hi! My name is Ada. I live at 1.5 Main St. in Paris. What is my name? \
                  Do I like it?\nIch trinke gern Tee."
            ),
            ["My name is Ada.", "I live at 1.5 Main St. in Paris.", "Ich trinke gern Tee."]
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
