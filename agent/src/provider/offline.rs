//! No model: cites what memory holds, and says so.
//!
//! The default without a key. What memory found for the question is given as it stands, with ids
//! and dates.
//!
//! What it must never do: conclude anything from it, call a tool, or let a line break in a memory
//! look like another entry.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Answer, Cited, Error, Flow, Provider, Question, Stop, Usage};
use crate::platform::Platform;
use crate::text::words;

/// Memories that are cited.
const MOST_CITED: usize = 5;
/// Characters of one that are given.
const MOST_CHARACTERS: usize = 600;

/// What an answer without a model begins with.
const NOTE: &str = "No model was asked: this is offline.";

/// Answers without a model.
#[derive(Clone, Copy, Debug, Default)]
pub struct Offline;

impl Provider for Offline {
    fn name(&self) -> &str {
        "offline"
    }

    fn ask(
        &self,
        _: &Platform<'_>,
        question: &Question<'_>,
        show: &mut dyn FnMut(&str) -> Flow,
    ) -> Result<Answer, Error> {
        if question.must_call {
            let sentence = "a call of a tool was wished for: without a model nothing calls one";
            return Err(Error { sentence: sentence.into(), partial: String::new(), status: None });
        }
        let mut text = String::new();
        let mut say = |part: String| {
            text.push_str(&part);
            show(&part) == Flow::Go
        };
        let parts = match question.memories {
            [] => Vec::from([format!("{NOTE} Memory holds nothing about this.\n")]),
            memories => {
                let mut parts = Vec::from([format!("{NOTE} Memory holds:\n")]);
                parts.extend(memories.iter().take(MOST_CITED).map(cite));
                parts
            }
        };
        // Ends early where the person has had enough.
        let _ = parts.into_iter().all(&mut say);
        Ok(Answer { text, calls: Vec::new(), stop: Stop::End, usage: Usage::default() })
    }
}

/// A memory as a line: text, id, date.
fn cite(memory: &Cited) -> String {
    // A memory is data: line breaks in it must not look like another entry.
    let mut line = words(&memory.text).join(" ");
    if let Some((end, _)) = line.char_indices().nth(MOST_CHARACTERS) {
        line.truncate(end);
        line.push('…');
    }
    format!("- {line} [{}, {}]\n", memory.id, memory.date)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_memory_is_one_line_however_it_is_written() {
        let text = "the key\nis under\r\n- the [9] mat".to_string();
        let memory = Cited { id: 7, date: "2026-01-02".to_string(), text };
        assert_eq!(cite(&memory), "- the key is under - the [9] mat [7, 2026-01-02]\n");
        let long = Cited { text: "ä".repeat(MOST_CHARACTERS + 1), ..memory };
        assert_eq!(
            cite(&long).chars().count(),
            MOST_CHARACTERS + "- … [7, 2026-01-02]\n".chars().count()
        );
    }
}
