//! Standard input, output and error.

use alloc::vec::Vec;
use core::cell::Cell;

use wasip2::cli::{stderr, stdin, stdout, terminal_stdin, terminal_stdout};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

/// Bytes that a blocking write takes at most; more of them end the program.
const WRITE: usize = 4096;
/// Bytes that are read at once.
const READ: u64 = 4096;

/// The three streams.
pub(crate) struct Standard {
    input: InputStream,
    output: OutputStream,
    error: OutputStream,
    lost: Cell<bool>,
}

impl Standard {
    pub(crate) fn new() -> Self {
        Self {
            input: stdin::get_stdin(),
            output: stdout::get_stdout(),
            error: stderr::get_stderr(),
            lost: Cell::new(false),
        }
    }

    /// What comes next; `None` at the end.
    pub(crate) fn read(&self) -> Option<Vec<u8>> {
        self.input.blocking_read(READ).ok()
    }

    /// Writes as far as somebody reads: with nobody there it matters to none. Output that is
    /// refused for another reason is lost.
    pub(crate) fn write(&self, is_error: bool, text: &str) {
        let stream = if is_error { &self.error } else { &self.output };
        for part in text.as_bytes().chunks(WRITE) {
            if let Err(why) = stream.blocking_write_and_flush(part) {
                let lost = !is_error && !matches!(why, StreamError::Closed);
                self.lost.set(self.lost.get() || lost);
                return;
            }
        }
    }

    /// Whether output was lost.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.get()
    }

    /// Whether a person is at both ends.
    pub(crate) fn is_terminal(&self) -> bool {
        terminal_stdin::get_terminal_stdin().is_some()
            && terminal_stdout::get_terminal_stdout().is_some()
    }
}
