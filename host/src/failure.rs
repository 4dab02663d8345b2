//! Why nothing ran: a sentence, and the exit code.
//!
//! Why so: a program that asked for JSON reads what the component would have printed, wherever
//! it was refused.
//!
//! What it must never do: end anything because nobody hears the sentence.

use std::io::Write;

/// A sentence for a person, and a number for a script.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) exit: i32,
    pub(crate) sentence: String,
}

/// A failure.
pub(crate) fn failed(exit: i32, sentence: impl Into<String>) -> Failed {
    Failed { exit, sentence: sentence.into() }
}

/// Says why nothing ran: to a person, or to a program that gave `--json`, as the component would.
pub(crate) fn say(failure: &Failed, json: bool) {
    match json {
        true => drop(std::io::stdout().write_all(object(failure).as_bytes())),
        false => tell(&failure.sentence),
    }
}

/// One object on one line.
fn object(failure: &Failed) -> String {
    let mut text = String::from("{\"error\":\"");
    for c in failure.sentence.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            c if c.is_control() => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => text.push(c),
        }
    }
    text.push_str(&format!("\",\"exit\":{}}}\n", failure.exit));
    text
}

/// Says it on standard error. Who closed that wants no sentences; nothing ends for it.
/// It may quote a path, whose control characters are for no terminal.
pub(crate) fn tell(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "clawft: {}", plain(sentence));
}

fn plain(sentence: &str) -> String {
    sentence.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_sentence_holds_the_object_is_one_line() {
        let said = object(&failed(1, "a\n\"b\\\u{1f} é\u{9b}"));
        assert_eq!(said, "{\"error\":\"a\\u000a\\\"b\\\\\\u001f é\\u009b\",\"exit\":1}\n");
        assert_eq!(plain("a\u{1b}[8mb\u{9b}é"), "a [8mb é");
    }
}
