//! What was forgotten, in sessions: who says it still, and how it is taken out.
//!
//! A memory stands in a session as the person said it, escaped in the JSON of tools, or in one line
//! where it was cited without a model; and it may have been cut, which `…` shows. The person may have
//! said it with a secret, or in other letters, that memory did not take.
//!
//! What it must never do: take out what only begins like the text.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::{MOST, Said, Session, names, parse, path_of, set_aside};
use crate::failure::Failure;
use crate::json::quoted;
use crate::learn::{asks, kept, others, sentences};
use crate::memory::{MOST_TEXT, redact, telling};
use crate::platform::Platform;
use crate::provider::Message;
use crate::text::words;

/// In the place of what was forgotten.
const REDACTED: &str = "[forgotten]";
/// Bytes of the beginning of a text that stand for it where the rest was cut.
const FEWEST: usize = 32;
/// What is behind the beginning then.
const CUT: &str = "…";

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

/// A text that is looked for.
struct Sought {
    /// Where it stands as it is: see [`forms`].
    forms: [String; 3],
    /// What it says in any other letters.
    told: Vec<String>,
}

impl Sought {
    fn of(text: &str) -> Self {
        Self { forms: forms(text), told: telling(text) }
    }

    fn is(&self, part: &str) -> bool {
        // Of a text without words all that is none would be the same.
        !self.told.is_empty() && part.len() <= MOST_TEXT && telling(part) == self.told
    }

    /// The parts of a message that memory would take for it: a sentence, what a turn left of it
    /// beside those that it kept, or all.
    fn same<'m>(&self, message: &'m str) -> Vec<&'m str> {
        if self.told.is_empty() {
            return Vec::new();
        }
        let kept = kept(message);
        let mut others = others(message, &kept);
        let mut parts = sentences(message);
        // With the questions among them, as they were put away before, and without.
        for _ in 0..2 {
            if others.len() < parts.len() && self.is(&others.join(" ")) {
                return others;
            }
            others.retain(|sentence| !asks(sentence));
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

    fn strike_kept(&self, message: &mut String) {
        if let Some(mut plain) = self.as_kept(message) {
            let parts = self.same(&plain).into_iter().map(ToOwned::to_owned);
            let all: Vec<String> = parts.chain(self.forms.iter().cloned()).collect();
            strike(&mut plain, &all);
            *message = plain;
        }
    }
}

impl Said {
    fn says(&self, sought: &Sought) -> bool {
        let forms = &sought.forms;
        match &self.message {
            Message::User(said) => find(said, forms).is_some() || sought.as_kept(said).is_some(),
            Message::Result { content, .. } => find(content, forms).is_some(),
            Message::Assistant { text, calls } => {
                let arguments = calls.iter().map(|call| &call.arguments);
                arguments.chain([text]).any(|text| find(text, forms).is_some())
            }
        }
    }
}

impl Session {
    /// Whether something in it says `text`.
    #[must_use]
    pub fn says(&self, text: &str) -> bool {
        self.tells(&Sought::of(text))
    }

    fn tells(&self, sought: &Sought) -> bool {
        find(&self.summary, &sought.forms).is_some()
            || self.messages.iter().any(|said| said.says(sought))
    }

    /// Marks what says `text`, so that it does not come back from here.
    pub fn mark(&mut self, text: &str) {
        let sought = Sought::of(text);
        for said in &mut self.messages {
            said.forgotten |= said.says(&sought);
        }
    }

    /// Takes `text` out of everything that was said.
    pub fn redact(&mut self, text: &str) {
        let sought = Sought::of(text);
        let forms = &sought.forms;
        strike(&mut self.summary, forms);
        for said in &mut self.messages {
            match &mut said.message {
                Message::User(said) => {
                    strike(said, forms);
                    sought.strike_kept(said);
                }
                Message::Result { content, .. } => strike(content, forms),
                Message::Assistant { text, calls } => {
                    strike(text, forms);
                    calls.iter_mut().for_each(|call| strike(&mut call.arguments, forms));
                }
            }
        }
    }
}

/// What a search through all sessions found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saying {
    /// Names of those that say one of the texts.
    pub sessions: Vec<String>,
    /// Files that cannot be read, and may say it too.
    pub unread: Vec<String>,
}

/// The sessions that say one of `texts`.
///
/// # Errors
/// [`Exit::Failed`](crate::failure::Exit::Failed).
pub fn that_say(platform: &Platform<'_>, data: &str, texts: &[String]) -> Result<Saying, Failure> {
    let mut found = Saying { sessions: Vec::new(), unread: set_aside(platform, data)? };
    let sought: Vec<Sought> = texts.iter().map(|text| Sought::of(text)).collect();
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

/// Does something with each of `texts` in the sessions of these names.
///
/// # Errors
/// Those of [`Session::load`] and [`Session::save`].
pub fn change(
    platform: &Platform<'_>,
    data: &str,
    names: &[String],
    texts: &[String],
    act: &mut dyn FnMut(&mut Session, &str),
) -> Result<(), Failure> {
    for name in names {
        let (mut session, _) = Session::load(platform, data, name)?;
        texts.iter().for_each(|text| act(&mut session, text));
        session.save(platform, data)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::ToolCall;
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

    fn is_gone(mut session: Session, text: &str) {
        let before = session.print().unwrap();
        assert!(session.says(text), "{text} in {before}");
        session.redact(text);
        assert!(!session.says(text), "{text} in {before}");
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
            assert!(!session("a  b. !", "c").says(text), "nothing is said nowhere");
        }
    }

    #[test]
    fn what_was_cited_in_one_line_is_gone() {
        let text = "# Key\n\nunder the  mat\r\n";
        let mut session = session("- # Key under the mat [7, 2026-01-02]\n", "nothing");
        session.redact(text);
        assert_eq!(session.summary, "Before: - [forgotten] [7, 2026-01-02]\n");
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
                assert!(!session(&other, &other).says(&text), "{other}");
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
            assert!(session.says(text), "{said}");
            session.mark(text);
            assert!(session.messages[0].forgotten);
            session.redact(text);
            assert!(!session.says(text));
            let left = session.print().unwrap();
            for gone in ["swordfish", "miro!", "blue"] {
                assert!(!left.contains(gone), "{left}");
            }
            assert!(left.contains("Bye.") == said.contains("Bye."), "{left}");
            other.redact("My dog is called Rex.");
            assert_eq!(other.messages[0].message, Message::User(said.to_string()));
        }
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
            session.redact(&text);
            prop_assert!(!session.says(&text));
            let expected = format!("Before: {before}{REDACTED}{after}");
            // A backslash before it could be that of an escape, blanks belong to either side.
            let plain = |text: &str| words(text).concat();
            prop_assert_eq!(plain(&session.summary), plain(&expected));
        }
    }
}
