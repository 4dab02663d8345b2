//! Why nothing ran: a sentence, and the exit code.
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

/// Says it on standard error. Who closed that wants no sentences; nothing ends for it.
pub(crate) fn tell(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "clawft: {sentence}");
}
