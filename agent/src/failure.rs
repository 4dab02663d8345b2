//! Why a command did not do what it was asked to, and what a script is told of it.
//!
//! Why: a person reads the sentence, a script goes by the number. The sentence is made where
//! it fails, by what knows what was expected; whatever hands it on adds at most the file or the
//! part that it is of.
//!
//! What it must never do: change the meaning of a number: the statuses in C and the codes of
//! components are made of it.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::fmt;
use core::ops::{Deref, DerefMut};

use crate::platform::FileError;
use crate::text;

/// Exit codes, which never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// The outside refused: a full disk, a folder that may only be read.
    Failed = 1,
    /// The command line cannot be understood.
    Usage = 2,
    /// The config cannot be used.
    Config = 3,
    /// Nothing was found: no memory for a question, no record of an id.
    Nothing = 4,
    /// The provider gave no whole answer.
    Provider = 5,
    /// Another program writes the memory.
    Busy = 6,
    /// A file is damaged.
    Damaged = 7,
    /// There is no embedder, or another than the one that the memory was made with.
    Embedder = 8,
}

/// Why something did not work. Behind a pointer, so that handing it on is handing on one number:
/// nearly everything here may fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(Box<Reason>);

/// A sentence for a person, and a number for a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The number.
    pub exit: Exit,
    /// The sentence: what was expected, what was found. Without secrets.
    pub sentence: String,
}

impl Failure {
    /// A failure of a kind.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn new(exit: Exit, sentence: impl Into<String>) -> Self {
        Self(Box::new(Reason { exit, sentence: sentence.into() }))
    }

    /// The same, of this file or part.
    #[cold]
    #[must_use]
    pub fn of(mut self, what: &str) -> Self {
        self.sentence.insert_str(0, ": ");
        self.sentence.insert_str(0, what);
        self
    }

    /// What stands for a sentence that may quote the config, the path of a file or a host, where it is told
    /// to others than who runs the agent.
    pub(crate) fn public(&self) -> Option<&'static str> {
        match self.exit {
            Exit::Config => Some("the config of this server cannot be used"),
            Exit::Damaged => Some("a file of this server is damaged"),
            Exit::Embedder => Some("the embedder of this server failed"),
            Exit::Failed if text::has(&self.sentence, "/") => {
                Some("the system of this server refused")
            }
            _ => None,
        }
    }

    /// What a file, or a folder, was refused for.
    #[cold]
    #[inline(never)]
    pub(crate) fn of_file(path: &str, error: &FileError) -> Self {
        Self::new(Exit::Failed, format!("{path}: {error}"))
    }

    /// Why a file is as it was.
    #[cold]
    #[inline(never)]
    pub(crate) fn unwritten(path: &str, error: &FileError) -> Self {
        Self::new(Exit::Failed, format!("{path} was not written: {error}"))
    }

    /// The sentence alone.
    #[must_use]
    pub fn into_sentence(self) -> String {
        self.0.sentence
    }
}

impl Deref for Failure {
    type Target = Reason;

    fn deref(&self) -> &Reason {
        &self.0
    }
}

impl DerefMut for Failure {
    fn deref_mut(&mut self) -> &mut Reason {
        &mut self.0
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl core::error::Error for Failure {}
