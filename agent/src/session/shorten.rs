//! A session that is too long for its file.
//!
//! One long text does not cost the conversation: what is very long is cut first, then the oldest
//! turns go, and of a turn that is too long by itself all texts are cut but the person's own.
//! Results of tools go before answers, for a tool can be asked again.
//!
//! What it must never do: take the last message of the person, or cut a text and not say so in it.

use alloc::string::String;
use alloc::vec::Vec;

use super::{MOST, Session};
use crate::provider::Message;

/// Bytes of a text that stays as it is as long as an older turn can go instead.
const LONG: usize = MOST as usize / 4;
/// Bytes of a text that is never cut.
const SHORT: usize = 1 << 10;
/// Behind a text that was cut.
const CUT: &str = "… [cut here: it was too long for the session's file]";
/// In the place of arguments: half of them would be no JSON.
const CUT_ARGUMENTS: &str = r#"{"cut":"they were too long for the session's file"}"#;

impl Session {
    /// Makes it shorter; gives whether that was possible.
    pub(super) fn shorten(&mut self) -> bool {
        if self.halve(true, LONG) || self.halve(false, LONG) {
            return true;
        }
        if let Some(first) = self.second_turn() {
            self.messages.drain(..first);
            for count in [&mut self.covered, &mut self.summarised, &mut self.tried] {
                *count = count.saturating_sub(first);
            }
            return true;
        }
        if self.halve(true, SHORT) || self.halve(false, SHORT) {
            return true;
        }
        // Thousands of short calls, or names of calls that are long.
        let end = self.messages.last().map_or(0, |said| said.at);
        if self.messages.len() <= 2 {
            return false;
        }
        self.messages.retain(|said| matches!(said.message, Message::User(_)));
        self.push(end, Message::Assistant { text: CUT.into(), calls: Vec::new() });
        true
    }

    /// Cuts results of tools, otherwise answers and arguments, to half of the longest of them, where
    /// that has more than `least` bytes.
    fn halve(&mut self, results: bool, least: usize) -> bool {
        let mut texts: Vec<(&mut String, bool)> = Vec::new();
        for said in &mut self.messages {
            match &mut said.message {
                Message::Result { content, .. } if results => texts.push((content, false)),
                Message::Assistant { text, calls } if !results => {
                    texts.push((text, false));
                    texts.extend(calls.iter_mut().map(|call| (&mut call.arguments, true)));
                }
                _ => {}
            }
        }
        let longest = texts.iter().map(|(text, _)| text.len()).max().unwrap_or(0);
        let most = longest / 2;
        for (text, is_arguments) in texts {
            if longest <= least || text.len() <= most {
                continue;
            }
            let (end, note) = match is_arguments {
                true => (0, CUT_ARGUMENTS),
                false => (text.floor_char_boundary(most), CUT),
            };
            text.truncate(end);
            text.push_str(note);
        }
        longest > least
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::ToolCall;
    use alloc::string::ToString;
    use alloc::vec;

    fn is_short_enough(session: &mut Session) -> bool {
        let fits = |session: &Session| session.print().unwrap().len() as u64 <= MOST;
        while !fits(session) && session.shorten() {}
        fits(session)
    }

    fn call(session: &mut Session, arguments: &str, content: &str) {
        let call = |id: &str| ToolCall {
            id: id.to_string(),
            name: "file_read".to_string(),
            arguments: arguments.to_string(),
        };
        session.push(2, Message::Assistant { text: String::new(), calls: vec![call("c")] });
        session.push(
            3,
            Message::Result {
                id: "c".to_string(),
                name: "file_read".to_string(),
                content: content.to_string(),
                failed: false,
            },
        );
    }

    fn asked() -> Session {
        let mut session = Session::new("s").unwrap();
        session.push(1, Message::User("read them all".to_string()));
        session
    }

    #[test]
    fn one_turn_alone_keeps_its_message_and_each_result_in_part() {
        for text in ["é".repeat(75_000), "\u{1}".repeat(150_000)] {
            let mut session = asked();
            (0..8).for_each(|_| call(&mut session, "{}", &text));
            session.push(4, Message::Assistant { text: "Done.".to_string(), calls: vec![] });
            assert!(is_short_enough(&mut session));
            assert_eq!(session.messages.len(), 18);
            assert_eq!(session.messages[0].message, Message::User("read them all".to_string()));
            for said in &session.messages {
                match &said.message {
                    Message::Result { content, .. } => {
                        let head = content.strip_suffix(CUT).expect("it says that it was cut");
                        assert!(head.len() > 10_000 && text.starts_with(head));
                    }
                    Message::Assistant { text, calls } if calls.is_empty() => {
                        assert_eq!(text, "Done.");
                    }
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn arguments_that_were_cut_are_json() {
        let mut session = asked();
        call(&mut session, &format!("{{\"text\":\"{}\"}}", "x".repeat(1 << 20)), "written");
        assert!(is_short_enough(&mut session));
        let Message::Assistant { calls, .. } = &session.messages[1].message else { panic!() };
        let value: serde_json::Value = serde_json::from_str(&calls[0].arguments).unwrap();
        assert!(value["cut"].is_string());
        let Message::Result { content, .. } = &session.messages[2].message else { panic!() };
        assert_eq!(content, "written");
    }

    #[test]
    fn an_answer_beyond_measure_does_not_cost_the_turns_before_it() {
        let mut session = asked();
        session.push(2, Message::Assistant { text: "What?".to_string(), calls: vec![] });
        session.push(3, Message::User("these".to_string()));
        session.push(4, Message::Assistant { text: "x".repeat(1 << 20), calls: vec![] });
        assert!(is_short_enough(&mut session));
        assert_eq!(session.messages.len(), 4);
        // Where all is short, the oldest turn goes, as it ever did.
        session.covered = 2;
        assert!(session.shorten() && session.messages.len() == 4, "the answer is still long");
        while session.messages.len() == 4 {
            assert!(session.shorten());
        }
        assert_eq!((session.messages.len(), session.covered), (2, 0));
        assert_eq!(session.messages[0].message, Message::User("these".to_string()));
    }

    #[test]
    fn calls_without_number_leave_the_message() {
        let mut session = asked();
        (0..10_000).for_each(|_| call(&mut session, "{}", "too many calls"));
        assert!(is_short_enough(&mut session));
        assert_eq!(session.messages[0].message, Message::User("read them all".to_string()));
        let Message::Assistant { text, .. } = &session.messages[1].message else { panic!() };
        assert_eq!((text.as_str(), session.messages.len()), (CUT, 2));
        // The person's words are all that is left: they are not cut.
        let mut session = Session::new("s").unwrap();
        session.push(1, Message::User("x".repeat(1 << 20)));
        assert!(!is_short_enough(&mut session));
        assert_eq!(session.messages.len(), 1);
    }
}
