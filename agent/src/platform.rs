//! What the agent needs of the outside.
//!
//! Traits only, all usable as `dyn`: calls block, texts are UTF-8, times are numbers. The
//! implementations stand in folders beside this file: `wasi`, over `wasi_p2` (WASI 0.2) or `wasi_p1`
//! (preview 1 and one import for HTTP), and `native`. Which one is taken is decided at the edge, once.
//!
//! What an implementation must never do: follow a redirect by itself, send a header that was not
//! asked for beyond those that HTTP needs, or write outside the folders that it was given.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use clawft_store::storage::Storage;

mod error;
mod http;
#[cfg(feature = "native-platform")]
pub mod native;
pub(crate) mod url;
#[cfg(all(target_os = "wasi", feature = "wasi-platform"))]
pub mod wasi;
#[cfg(all(target_env = "p1", feature = "wasi-platform"))]
#[expect(unsafe_code, reason = "preview 1 and the import for HTTP are functions of C")]
mod wasi_p1;
#[cfg(all(target_env = "p2", feature = "wasi-platform"))]
#[expect(unsafe_code, reason = "`raw`: functions of wasi:http by the canonical ABI")]
pub(crate) mod wasi_p2;

pub use error::{FileError, HttpError, HttpFailure};
pub use http::{Body, Method, Payload, Request, Response, Timeouts};

/// Sends requests.
pub trait HttpClient {
    /// Sends a request and waits for status and headers; the body is read as it comes.
    ///
    /// # Errors
    /// [`HttpError`], with a sentence that names host and cause, and never a header's value.
    fn send(&self, request: Request<'_>) -> Result<Response, HttpError>;
}

/// What a folder holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name within its folder.
    pub name: String,
    /// Whether it is a folder itself.
    pub is_folder: bool,
    /// Bytes of a file; 0 for a folder.
    pub len: u64,
}

/// Files below the folders that were given to the program.
///
/// Paths are `/`-separated. Absolute ones name a place below one of the given folders; relative
/// ones start at the working folder. `..` that leaves a given folder is refused.
pub trait FileSystem {
    /// Reads a whole file.
    ///
    /// # Errors
    /// [`FileError::NotFound`] and its kind; [`FileError::TooLarge`] above `limit` bytes.
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, FileError>;

    /// Reads up to `into.len()` bytes from `offset` on; fewer only at the end.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn read_at(&self, path: &str, offset: u64, into: &mut [u8]) -> Result<usize, FileError>;

    /// Puts `bytes` in place of a file, atomically and durably: after a crash the old content is
    /// there or the new one.
    ///
    /// # Errors
    /// [`FileError`]; the old content is still there.
    fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), FileError>;

    /// Renames within one given folder, in place of whatever has the new name.
    ///
    /// # Errors
    /// [`FileError`].
    fn rename(&self, from: &str, to: &str) -> Result<(), FileError>;

    /// Removes a file.
    ///
    /// # Errors
    /// [`FileError`].
    fn remove(&self, path: &str) -> Result<(), FileError>;

    /// Creates a folder and those above it; one that is there already is fine.
    ///
    /// # Errors
    /// [`FileError`].
    fn create_folder(&self, path: &str) -> Result<(), FileError>;

    /// What stands in a folder, by name.
    ///
    /// # Errors
    /// [`FileError`].
    fn list(&self, path: &str) -> Result<Vec<Entry>, FileError>;

    /// What stands at a path.
    ///
    /// # Errors
    /// [`FileError::NotFound`] and its kind.
    fn entry(&self, path: &str) -> Result<Entry, FileError>;

    /// Whether two paths lead to one folder, whatever their names, as far as that can be told.
    fn is_same(&self, a: &str, b: &str) -> bool;

    /// A folder as the storage of a durable file.
    ///
    /// # Errors
    /// [`FileError`].
    fn storage(&self, folder: &str) -> Result<Box<dyn Storage>, FileError>;
}

/// What the program was started with.
pub trait Environment {
    /// A variable.
    fn variable(&self, name: &str) -> Option<String>;

    /// Arguments after the program's name.
    fn arguments(&self) -> Vec<String>;
}

/// Time.
pub trait Clock {
    /// Milliseconds since 1970, UTC.
    fn now(&self) -> u64;

    /// Nanoseconds since some moment; never goes back.
    fn elapsed(&self) -> u64;

    /// Waits.
    fn sleep(&self, milliseconds: u64);
}

/// Randomness.
pub trait Random {
    /// Fills `into` with bytes that nobody can foretell.
    fn fill(&self, into: &mut [u8]);
}

/// Where a person reads and writes.
pub trait Terminal {
    /// Shows text at once.
    fn print(&self, text: &str);

    /// Shows text beside the output: progress, warnings.
    fn note(&self, text: &str);

    /// One line without its end; `None` at the end of the input.
    fn line(&self) -> Option<String>;

    /// Whether a person is there to be asked.
    fn is_interactive(&self) -> bool;

    /// Whether the person answers a question with `yes`; nobody does where nobody is there.
    fn confirms(&self, question: &str) -> bool {
        self.is_interactive() && {
            self.print(question);
            self.line().is_some_and(|answer| answer.trim() == "yes")
        }
    }

    /// Whether some of what was to be shown could not be written, as onto a full disk. Where nobody
    /// reads any more nothing is lost.
    fn is_lost(&self) -> bool {
        false
    }
}

/// Where no person is: nothing is shown, and nobody answers.
pub struct Nobody;

impl Terminal for Nobody {
    fn print(&self, _: &str) {}

    fn note(&self, _: &str) {}

    fn line(&self) -> Option<String> {
        None
    }

    fn is_interactive(&self) -> bool {
        false
    }
}

/// That of who runs a server, whom notes reach. The one who asks is somebody else.
pub struct Unattended<'a>(pub &'a dyn Terminal);

impl Terminal for Unattended<'_> {
    fn print(&self, _: &str) {}

    fn note(&self, text: &str) {
        self.0.note(text);
    }

    fn line(&self) -> Option<String> {
        None
    }

    fn is_interactive(&self) -> bool {
        false
    }
}

/// All of it.
#[derive(Clone, Copy)]
pub struct Platform<'a> {
    /// Requests.
    pub http: &'a dyn HttpClient,
    /// Files.
    pub files: &'a dyn FileSystem,
    /// Variables and arguments.
    pub environment: &'a dyn Environment,
    /// Time.
    pub clock: &'a dyn Clock,
    /// Randomness.
    pub random: &'a dyn Random,
    /// The person.
    pub terminal: &'a dyn Terminal,
}
