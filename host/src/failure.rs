//! Why nothing ran: a sentence, and the exit code.

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
