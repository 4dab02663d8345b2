//! What can go wrong outside.
//!
//! Why: what is tried again depends on the kind, so a request's failure has one beside its
//! sentence. A file's has no sentence of its own and no path: whoever asked for the file knows
//! how to call it.
//!
//! What it must never do: hold a header's value or a piece of a file: these sentences go to
//! the screen, to a model, and over HTTP.

use alloc::string::String;
use core::fmt;

/// The kinds of failure of a request; what is worth another try depends on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpFailure {
    /// The URL cannot be used.
    BadUrl,
    /// A rule of ours or of the host forbids it: a host that is not on the list, a header.
    Denied,
    /// No such host, no way to it, nobody listens.
    Unreachable,
    /// The TLS handshake failed.
    Tls,
    /// A stage took longer than it may.
    Timeout,
    /// The connection ended before the message did.
    Broken,
    /// What came is no HTTP, or more than may come.
    Malformed,
    /// Anything else.
    Other,
}

/// Why there is no response, or no more of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpError {
    /// Its kind.
    pub failure: HttpFailure,
    /// A sentence for a person: what was tried, what happened.
    pub sentence: String,
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl core::error::Error for HttpError {}

/// Why a file could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileError {
    /// Nothing has that name.
    NotFound,
    /// Something has it already, of another kind.
    Exists,
    /// The disk is full.
    NoSpace,
    /// What was asked for needs more memory than is left.
    NoMemory,
    /// It may only be read.
    ReadOnly,
    /// The path is outside the folders that were given.
    Outside,
    /// It has more bytes than may be read.
    TooLarge {
        /// The most that may be read.
        expected: u64,
        /// What it has.
        found: u64,
    },
    /// The system refused for another reason.
    Failed,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "there is no such file",
            Self::Exists => "something of that name is there already",
            Self::NoSpace => "the disk is full",
            Self::NoMemory => crate::room::NONE,
            Self::ReadOnly => "it is read-only",
            Self::Outside => "it is outside the folders that this program was given",
            Self::TooLarge { expected, found } => {
                return write!(f, "at most {expected} bytes expected, found {found}");
            }
            Self::Failed => "the system refused",
        })
    }
}

impl core::error::Error for FileError {}
