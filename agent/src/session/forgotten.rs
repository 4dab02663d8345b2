//! What was forgotten, in sessions: who says it still, and how it is taken out.
//!
//! A memory stands in a session as the person said it, escaped in the JSON of tools, or in one line
//! where it was cited without a model; and it may have been cut, which `…` shows. The person may have
//! said it with a secret, or in other letters, that memory did not take. A model says it in words of
//! its own: an answer that cites its id does, and any that follows it in its turn may, as may a
//! summary of it, which is made anew; and what it quotes for memory is a part of it as a rule.
//!
//! What it must never do: take out what only begins like the text.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::{MOST, Said, Session, folder_of, names, parse, path_of, set_aside};
use crate::citations::citations;
use crate::failure::Failure;
use crate::json::{Value, or_null, quoted};
use crate::learn::{RUN, asks, kept, orders, others, run, sentences};
use crate::memory::{MOST_TEXT, redact, telling};
use crate::platform::{FileError, Platform};
use crate::provider::{Message, ToolCall};
use crate::text::words;

/// In the place of what was forgotten.
const REDACTED: &str = "[forgotten]";
/// Bytes of the beginning of a text that stand for it where the rest was cut.
const FEWEST: usize = 32;
/// What is behind the beginning then.
const CUT: &str = "…";
/// The tool that a model quotes the person for.
const WRITE: &str = "memory_write";

/// How a text may stand in a session: the longest first, otherwise the end of an escape would stay.
fn forms(text: &str) -> [String; 3] {
    let json = quoted(text);
    let escaped = json.get(1..json.len() - 1).unwrap_or_default();
    [escaped.to_owned(), text.to_owned(), words(text).join(" ")]
}

/// Where one of `forms` stands first, and how many bytes of it: all, or those before the cut.
#[inline(never)]
fn find(found: &str, forms: &[String]) -> Option<(usize, usize)> {
    (0..found.len()).find_map(|at| {
        let rest = found.get(at..)?;
        forms.iter().find_map(|form| {
            let mut same = rest.bytes().zip(form.bytes()).take_while(|(a, b)| a == b).count();
            if same < form.len() {
                // The next character may begin as the mark does.
                while !rest.is_char_boundary(same) {
                    same -= 1;
                }
                if same < FEWEST || !rest.get(same..)?.starts_with(CUT) {
                    return None;
                }
            }
            (same > 0).then_some((at, same))
        })
    })
}

fn strike(found: &mut String, forms: &[String]) {
    let (mut out, mut rest) = (String::new(), found.as_str());
    while let Some((at, bytes)) = find(rest, forms) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        out.push_str(REDACTED);
        rest = after.get(bytes..).unwrap_or_default();
    }
    if rest.len() < found.len() {
        out.push_str(rest);
        *found = out;
    }
}

/// Arguments, and as JSON is written here, as far as they are JSON: a model may write `\u00e9`.
fn plain(arguments: &str) -> (Value, String) {
    let value = or_null(arguments.as_bytes());
    let text = if matches!(value, Value::Null) { arguments.to_owned() } else { value.print() };
    (value, text)
}

/// A memory that was forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gone {
    /// Its id, by which answers cite it; 0 where it is not known.
    pub id: u64,
    /// What it said.
    pub text: String,
}

/// What is looked for.
struct Sought {
    id: u64,
    /// Where it stands as it is: see [`forms`].
    forms: [String; 3],
    /// What it says in any other letters.
    told: Vec<String>,
}

impl Sought {
    fn of(gone: &Gone) -> Self {
        Self { id: gone.id, forms: forms(&gone.text), told: telling(&gone.text) }
    }

    /// Whether what a model wrote says it or cites it.
    fn is_in(&self, text: &str) -> bool {
        find(text, &self.forms).is_some() || self.id > 0 && citations(text).contains(&self.id)
    }

    fn is(&self, part: &str) -> bool {
        // Of a text without words all that is none would be the same.
        !self.told.is_empty() && part.len() <= MOST_TEXT && telling(part) == self.told
    }

    /// The parts of a message that memory would take for it: a sentence, some in a row, what a turn
    /// left of it beside those that it kept, or all.
    fn same<'m>(&self, message: &'m str) -> Vec<&'m str> {
        if self.told.is_empty() {
            return Vec::new();
        }
        let kept = kept(message);
        let mut others = others(message, &kept);
        let mut parts = sentences(message);
        // With questions and orders among them, as they were put away before, and without.
        let left_out: [fn(&str) -> bool; 3] = [|_| false, asks, orders];
        for is_out in left_out {
            others.retain(|sentence| !is_out(sentence));
            if others.len() < parts.len() && self.is(&others.join(" ")) {
                return others;
            }
        }
        // A model may have quoted some at once.
        let sentences = parts.len();
        for at in 0..sentences {
            if telling(parts[at]).first() == self.told.first() {
                for end in at + 2..=sentences.min(at + RUN) {
                    parts.push(run(message, &parts[at..end]));
                }
            }
        }
        parts.extend(kept);
        parts.push(message);
        parts.retain(|part| self.is(part));
        parts
    }

    /// A person's message without its secrets, where it says that, as memory keeps what they say.
    fn as_kept(&self, message: &str) -> Option<String> {
        let (plain, _) = redact(message);
        let holds = find(&plain, &self.forms).is_some() || !self.same(&plain).is_empty();
        holds.then_some(plain)
    }

    /// Whether a call says it, or quotes a part of it: memory takes the whole sentences of a quote. Of fewer
    /// than three words a part may be of anything.
    fn is_in_call(&self, call: &ToolCall) -> bool {
        let (arguments, plain) = plain(&call.arguments);
        let (says, quote) = (find(&plain, &self.forms).is_some(), arguments["quote"].text());
        if says || call.name != WRITE || quote == REDACTED || quote.len() > MOST_TEXT {
            return says;
        }
        let (told, quote) = (&self.told, telling(&redact(quote).0));
        let [some, all] = if quote.len() < told.len() { [&quote, told] } else { [told, &quote] };
        let is_part = some.len() >= 3 && all.windows(some.len()).any(|row| row == some);
        is_part || !some.is_empty() && some == all
    }

    /// Takes it out of a message; `is_told`: of a turn that says it.
    fn strike(&self, message: &mut Message, is_told: bool) {
        let forms = &self.forms;
        match message {
            Message::User(said) => {
                strike(said, forms);
                self.strike_kept(said);
            }
            Message::Result { content, .. } => strike(content, forms),
            Message::Assistant { text, calls } => {
                strike(text, forms);
                if self.is_in(text) {
                    *text = REDACTED.to_owned();
                }
                for call in calls {
                    if call.name == WRITE && is_told {
                        // A quote that was refused, too: of a secret, or of words of the model's.
                        call.arguments = r#"{"quote":"[forgotten]"}"#.to_owned();
                    } else if self.is_in_call(call) {
                        call.arguments = plain(&call.arguments).1;
                        strike(&mut call.arguments, forms);
                    }
                }
            }
        }
    }

    fn strike_kept(&self, message: &mut String) {
        if let Some(mut plain) = self.as_kept(message) {
            let mut all: Vec<String> =
                self.same(&plain).into_iter().map(ToOwned::to_owned).collect();
            all.extend_from_slice(&self.forms);
            strike(&mut plain, &all);
            *message = plain;
        }
    }
}

impl Said {
    fn says(&self, sought: &Sought) -> bool {
        let says = |text: &str| find(text, &sought.forms).is_some();
        match &self.message {
            Message::User(said) => says(said) || sought.as_kept(said).is_some(),
            Message::Result { content, .. } => says(content),
            Message::Assistant { text, calls } => {
                calls.iter().any(|call| sought.is_in_call(call)) || sought.is_in(text)
            }
        }
    }
}

impl Session {
    /// Whether something in it says what is gone.
    #[must_use]
    pub fn says(&self, gone: &Gone) -> bool {
        self.tells(&Sought::of(gone))
    }

    fn tells(&self, sought: &Sought) -> bool {
        sought.is_in(&self.summary) || self.messages.iter().any(|said| said.says(sought))
    }

    /// Marks what says it, and the rest of that turn, which may answer in words of its own: so it
    /// does not come back from here. A summary of it goes, and is made anew without.
    pub fn mark(&mut self, gone: &Gone) {
        self.go_through(&Sought::of(gone), false);
    }

    fn go_through(&mut self, sought: &Sought, strikes: bool) {
        let mut is_summarised = sought.is_in(&self.summary);
        let mut is_told = false;
        for (at, said) in self.messages.iter_mut().enumerate() {
            if matches!(said.message, Message::User(_)) {
                is_told = false;
            }
            is_told = is_told || said.says(sought);
            said.forgotten |= is_told;
            is_summarised |= is_told && at < self.summarised;
            if strikes {
                sought.strike(&mut said.message, is_told);
            }
        }
        if is_summarised && !self.summary.is_empty() {
            self.summary.clear();
            self.summarised = 0;
        }
    }

    /// Takes it out of everything that was said, and marks where it was, as [`mark`](Self::mark)
    /// does. Of an answer that cites it, and of quotes in its turn, nothing stays: any word may say it.
    pub fn redact(&mut self, gone: &Gone) {
        self.go_through(&Sought::of(gone), true);
    }
}

/// What a search through all sessions found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saying {
    /// Names of those that say something of it.
    pub sessions: Vec<String>,
    /// Files that cannot be read, and may say it too.
    pub unread: Vec<String>,
}

/// The sessions that say something that is gone.
///
/// # Errors
/// [`Exit::Failed`](crate::failure::Exit::Failed).
pub fn that_say(platform: &Platform<'_>, data: &str, gone: &[Gone]) -> Result<Saying, Failure> {
    let mut found = Saying::default();
    // More than can be listed must not keep anything from being forgotten.
    if let Err(FileError::TooLarge { .. }) = platform.files.list(&folder_of(data)) {
        found.unread.push("all of it, as there are too many files to look through".to_owned());
        return Ok(found);
    }
    found.unread = set_aside(platform, data)?;
    let sought: Vec<Sought> = gone.iter().map(Sought::of).collect();
    for name in names(platform, data)? {
        let mut session = Session::new(&name)?;
        let read = platform.files.read(&path_of(data, &name), MOST);
        if !read.is_ok_and(|bytes| parse(&bytes, &mut session).is_ok()) {
            found.unread.push([&*name, ".json"].concat());
        } else if sought.iter().any(|sought| session.tells(sought)) {
            found.sessions.push(name);
        }
    }
    Ok(found)
}

/// Does something with all that is gone in the sessions of these names.
///
/// # Errors
/// Those of [`Session::load`] and [`Session::save`].
pub fn change(
    platform: &Platform<'_>,
    data: &str,
    names: &[String],
    gone: &[Gone],
    act: &mut dyn FnMut(&mut Session, &Gone),
) -> Result<(), Failure> {
    for name in names {
        let (mut session, _) = Session::load(platform, data, name)?;
        gone.iter().for_each(|gone| act(&mut session, gone));
        session.save(platform, data)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;
    use alloc::vec;
    use proptest::prelude::*;

    /// Says `tool` in a result and in arguments, and `text` everywhere else.
    fn session(text: &str, tool: &str) -> Session {
        let mut session = Session::new("s").unwrap();
        session.summary = format!("Before: {text}");
        session.push(1, Message::User(format!("{text} Right?")));
        let call = ToolCall {
            id: "c".to_string(),
            name: "memory_search".to_string(),
            arguments: format!("{{\"query\":{}}}", quoted(tool)),
        };
        session.push(2, Message::Assistant { text: format!("<{text}>"), calls: vec![call] });
        let content = format!("{{\"id\":1,\"text\":{}}}\n", quoted(tool));
        let (id, name) = ("c".to_string(), "memory_search".to_string());
        session.push(3, Message::Result { id, name, content, failed: false });
        session
    }

    fn gone(text: &str) -> Gone {
        Gone { text: text.to_string(), ..Gone::default() }
    }

    fn is_gone(mut session: Session, text: &str) {
        let before = session.print().unwrap();
        assert!(session.says(&gone(text)), "{text} in {before}");
        session.redact(&gone(text));
        assert!(!session.says(&gone(text)), "{text} in {before}");
        assert!(session.print().unwrap().contains(REDACTED));
    }

    #[test]
    fn what_is_forgotten_is_said_nowhere() {
        for text in
            ["the key is 7", "x", "# Key\nunder the \"mat\"", "C:\\new\t\u{1}", "D:\\", "blue «é»"]
        {
            // In one place alone, too: each is looked through.
            is_gone(session(text, "nothing"), text);
            is_gone(session("nothing", text), text);
            is_gone(session(text, text), text);
        }
        for text in ["", " \n", "??"] {
            assert!(!session("a  b. !", "c").says(&gone(text)), "nothing is said nowhere");
        }
    }

    #[test]
    fn what_was_cited_in_one_line_is_gone() {
        let text = "# Key\n\nunder the  mat\r\n";
        let mut session = session("- # Key under the mat [7, 2026-01-02]\n", "nothing");
        session.redact(&gone(text));
        let Message::Assistant { text, .. } = &session.messages[1].message else { panic!() };
        assert_eq!(text, "<- [forgotten] [7, 2026-01-02]\n>");
        assert!(!session.print().unwrap().contains("under"));
    }

    #[test]
    fn what_was_cut_is_gone_and_what_only_begins_so_stays() {
        let text = format!("The key of the shed is under the mat,\n{}", "and so on ".repeat(90));
        let line = words(&text).join(" ");
        for cut in [&line[..600], &text[..50], &text[..FEWEST]] {
            is_gone(session(&format!("- {cut}… [7]"), "nothing"), &text);
            is_gone(session("nothing", &format!("{cut}…")), &text);
            for other in [format!("{cut} [7]"), format!("{}…", &cut[..FEWEST - 1])] {
                assert!(!session(&other, &other).says(&gone(&text)), "{other}");
            }
        }
    }

    #[test]
    fn what_memory_took_without_a_secret_or_in_other_letters_is_gone() {
        for (said, text) in [
            ("Hi. My wifi password is swordfish. Bye.", "My wifi password is [secret]."),
            ("my cat is called MIRO, ok?\nMy cat is called miro!", "My cat is called Miro."),
            ("remember that The Door Code is blue", "the door code is blue."),
        ] {
            let mut session = Session::new("s").unwrap();
            session.push(1, Message::User(said.to_string()));
            let mut other = session.clone();
            let gone_text = gone(text);
            assert!(session.says(&gone_text), "{said}");
            session.mark(&gone_text);
            assert!(session.messages[0].forgotten);
            session.redact(&gone_text);
            assert!(!session.says(&gone_text));
            let left = session.print().unwrap();
            for gone in ["swordfish", "miro!", "blue"] {
                assert!(!left.contains(gone), "{left}");
            }
            assert!(left.contains("Bye.") == said.contains("Bye."), "{left}");
            other.redact(&gone("My dog is called Rex."));
            assert_eq!(other.messages[0].message, Message::User(said.to_string()));
        }
    }

    /// Two turns in a summary, and one behind it; the second one answers `answer`.
    fn summarised(told: &str, answer: &str) -> Session {
        let mut session = Session::new("s").unwrap();
        session.summary = "The door opens with 4711.".to_string();
        for (said, answer) in [("Hi.", "Hello."), (told, answer), ("And now?", "Nothing.")] {
            session.push(1, Message::User(said.to_string()));
            session.push(2, Message::Assistant { text: answer.to_string(), calls: vec![] });
        }
        (session.covered, session.summarised) = (4, 4);
        session
    }

    #[test]
    fn a_summary_of_what_is_forgotten_goes_with_it_and_so_do_the_words_of_the_model() {
        let code = Gone { id: 7, text: "My door code is 4711.".to_string() };
        for act in [Session::mark, Session::redact] {
            for mut session in [
                summarised("My door code is 4711.", "So the door opens with 4711."),
                summarised("How do I get in?", "With 4711 [7]."),
            ] {
                act(&mut session, &code);
                assert_eq!((&*session.summary, session.covered, session.summarised), ("", 4, 0));
                let forgotten: Vec<usize> =
                    (0..6).filter(|at| session.messages[*at].forgotten).collect();
                assert!(forgotten == [2, 3] || forgotten == [3], "{forgotten:?}");
            }
            // Behind the summary, or nowhere, it is not in it.
            let mut session = summarised("How do I get in?", "With 4711 [8].");
            session.push(3, Message::User("My door code is 4711.".to_string()));
            act(&mut session, &code);
            assert!(session.messages[6].forgotten && !session.summary.is_empty());
            assert_eq!(session.summarised, 4);
            // A summary of turns that are gone.
            session.summary = "4711 opens the door [7].".to_string();
            act(&mut session, &code);
            assert_eq!((&*session.summary, session.summarised), ("", 0));
        }
    }

    #[test]
    fn an_answer_that_cites_what_is_forgotten_goes_as_a_whole() {
        let key = Gone { id: 7, text: "My spare key is with Maria.".to_string() };
        let mut session = Session::new("s").unwrap();
        let answers = ["Maria has it [7].", "Ask [8, 7] for it.", "See [77]."];
        for text in answers {
            session.push(2, Message::Assistant { text: text.to_string(), calls: vec![] });
        }
        assert!(session.says(&key) && !session.says(&Gone { id: 0, ..key.clone() }));
        session.redact(&key);
        assert!(!session.says(&key));
        let texts: Vec<&str> = session
            .messages
            .iter()
            .map(|said| match &said.message {
                Message::Assistant { text, .. } => &**text,
                _ => "",
            })
            .collect();
        assert_eq!(texts, [REDACTED, REDACTED, answers[2]]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn all_but_the_text_stays(
            before in "[a-c…é\" \n]{0,9}",
            text in "[x-z…“\"\\\\ \n]{0,40}[x-z]",
            after in "[a-c… \n]{0,9}",
        ) {
            let mut session = session(&[&before, text.as_str(), &after].concat(), "nothing");
            session.redact(&gone(&text));
            prop_assert!(!session.says(&gone(&text)));
            prop_assert_eq!(&*session.summary, "");
            let expected = format!("<{before}{REDACTED}{after}>");
            let Message::Assistant { text, .. } = &session.messages[1].message else { panic!() };
            // A backslash before it could be that of an escape, blanks belong to either side.
            let plain = |text: &str| words(text).concat();
            prop_assert_eq!(plain(text), plain(&expected));
        }
    }
}
