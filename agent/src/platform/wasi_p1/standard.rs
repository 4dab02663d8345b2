//! Standard input, output and error.
//!
//! Why: preview 1 does not say which descriptor is a terminal. As in wasi-libc, it is one
//! of characters in which one cannot go back.
//!
//! What it must never do: take a file or a pipe for a person, who is asked before something is
//! destroyed, or fail because nobody reads.

use alloc::vec;
use alloc::vec::Vec;
use core::cell::Cell;

use super::descriptor::ErrorCode;
use super::sys::{self, Fd};

const INPUT: Fd = 0;
const OUTPUT: Fd = 1;
const ERROR: Fd = 2;
/// Bytes that are read at once.
const READ: usize = 4096;
/// `filetype` of a terminal…
const CHARACTERS: u8 = 2;
/// …in which one cannot go back: the rights to seek and to tell.
const SEEKS: u64 = 1 << 2 | 1 << 5;

/// The three descriptors, which are always there.
pub(crate) struct Standard {
    lost: Cell<bool>,
}

impl Standard {
    pub(crate) fn new() -> Self {
        Self { lost: Cell::new(false) }
    }

    /// What comes next; `None` at the end.
    pub(crate) fn read(&self) -> Option<Vec<u8>> {
        let mut bytes = vec![0; READ];
        let len = sys::read(INPUT, &mut bytes).ok().filter(|&len| len > 0)?;
        bytes.truncate(len);
        Some(bytes)
    }

    /// Writes as far as somebody reads: with nobody there it matters to none. Output that is
    /// refused for another reason is lost.
    pub(crate) fn write(&self, is_error: bool, text: &str) {
        let fd = if is_error { ERROR } else { OUTPUT };
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            match sys::write(fd, rest) {
                Ok(len @ 1..) => rest = rest.get(len..).unwrap_or_default(),
                // Of a closed pipe hosts say EPIPE or EIO, which are the same here.
                Ok(_) | Err(ErrorCode::Io | ErrorCode::BadDescriptor) => return,
                Err(_) => {
                    self.lost.set(self.lost.get() || !is_error);
                    return;
                }
            }
        }
    }

    /// Whether output was lost.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.get()
    }

    /// Whether a person is at both ends.
    pub(crate) fn is_terminal(&self) -> bool {
        [INPUT, OUTPUT].into_iter().all(|fd| {
            sys::fd_stat(fd).is_ok_and(|stat| stat.kind == CHARACTERS && stat.rights & SEEKS == 0)
        })
    }
}
