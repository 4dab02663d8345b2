//! Standard input, output and error.

use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

use wasip2::cli::{stderr, stdin, stdout, terminal_stdin, terminal_stdout};
use wasip2::io::streams::{InputStream, OutputStream};

use crate::platform::Terminal;

/// Bytes that a blocking write takes at most; more of them end the program.
const WRITE: usize = 4096;
/// Bytes that are read at once.
const READ: u64 = 4096;
/// Bytes of the longest line; what is longer comes as several.
const LINE: usize = 1 << 20;

/// What has been read and not yet given out.
struct Input {
    stream: InputStream,
    bytes: Vec<u8>,
    /// How far they are known to have no end of a line.
    searched: usize,
}

/// The host's standard streams.
pub struct WasiTerminal {
    input: RefCell<Input>,
    output: OutputStream,
    error: OutputStream,
}

impl WasiTerminal {
    /// The streams that the program was started with.
    #[must_use]
    pub fn new() -> Self {
        let input = Input { stream: stdin::get_stdin(), bytes: Vec::new(), searched: 0 };
        Self {
            input: RefCell::new(input),
            output: stdout::get_stdout(),
            error: stderr::get_stderr(),
        }
    }
}

impl Default for WasiTerminal {
    fn default() -> Self {
        Self::new()
    }
}

/// Writes as far as somebody reads: with nobody there it matters to none.
fn write(stream: &OutputStream, text: &str) {
    for part in text.as_bytes().chunks(WRITE) {
        if stream.blocking_write_and_flush(part).is_err() {
            return;
        }
    }
}

impl Input {
    /// Takes the first `len` bytes, without an end of a line.
    fn take(&mut self, len: usize) -> String {
        let rest = self.bytes.split_off(len.min(self.bytes.len()));
        let mut line = core::mem::replace(&mut self.bytes, rest);
        self.searched = 0;
        if line.last() == Some(&b'\n') {
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
        }
        String::from_utf8(line)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    fn line(&mut self) -> Option<String> {
        loop {
            let fresh = self.bytes.get(self.searched..).unwrap_or_default();
            if let Some(at) = fresh.iter().position(|&byte| byte == b'\n') {
                return Some(self.take(self.searched + at + 1));
            }
            self.searched = self.bytes.len();
            if self.searched >= LINE {
                return Some(self.take(LINE));
            }
            match self.stream.blocking_read(READ) {
                Ok(more) => self.bytes.extend_from_slice(&more),
                Err(_) if self.bytes.is_empty() => return None,
                Err(_) => return Some(self.take(self.bytes.len())),
            }
        }
    }
}

impl Terminal for WasiTerminal {
    fn print(&self, text: &str) {
        write(&self.output, text);
    }

    fn note(&self, text: &str) {
        write(&self.error, text);
    }

    fn line(&self) -> Option<String> {
        self.input.borrow_mut().line()
    }

    fn is_interactive(&self) -> bool {
        terminal_stdin::get_terminal_stdin().is_some()
            && terminal_stdout::get_terminal_stdout().is_some()
    }
}
