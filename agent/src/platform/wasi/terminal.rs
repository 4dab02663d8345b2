//! Standard input, output and error.
//!
//! Why: what the host gives ends anywhere. What stands behind a line is kept for the next
//! one, and only what is new is searched for an end, otherwise a long line would cost the square
//! of its length.
//!
//! What it must never do: go on collecting a line that does not end: after a MiB it is given
//! out as it is.

use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

use super::edge::Standard;
use crate::platform::Terminal;

/// Bytes of the longest line; what is longer comes as several.
const LINE: usize = 1 << 20;

/// What has been read and not yet given out.
#[derive(Default)]
struct Input {
    bytes: Vec<u8>,
    /// How far they are known to have no end of a line.
    searched: usize,
}

/// The host's standard streams.
pub struct WasiTerminal {
    standard: Standard,
    input: RefCell<Input>,
}

impl WasiTerminal {
    /// The streams that the program was started with.
    #[must_use]
    pub fn new() -> Self {
        Self { standard: Standard::new(), input: RefCell::default() }
    }
}

impl Default for WasiTerminal {
    fn default() -> Self {
        Self::new()
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

    fn line(&mut self, standard: &Standard) -> Option<String> {
        loop {
            let fresh = self.bytes.get(self.searched..).unwrap_or_default();
            if let Some(at) = fresh.iter().position(|&byte| byte == b'\n') {
                return Some(self.take(self.searched + at + 1));
            }
            self.searched = self.bytes.len();
            if self.searched >= LINE {
                return Some(self.take(LINE));
            }
            match standard.read() {
                Some(more) => self.bytes.extend_from_slice(&more),
                None if self.bytes.is_empty() => return None,
                None => return Some(self.take(self.bytes.len())),
            }
        }
    }
}

impl Terminal for WasiTerminal {
    fn print(&self, text: &str) {
        self.standard.write(false, text);
    }

    fn note(&self, text: &str) {
        self.standard.write(true, text);
    }

    fn line(&self) -> Option<String> {
        self.input.borrow_mut().line(&self.standard)
    }

    fn is_interactive(&self) -> bool {
        self.standard.is_terminal()
    }

    fn is_lost(&self) -> bool {
        self.standard.is_lost()
    }
}
