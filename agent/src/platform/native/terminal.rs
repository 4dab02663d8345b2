//! Standard input and output.

use alloc::string::String;
use std::io::{ErrorKind, IsTerminal, Write, stderr, stdin, stdout};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::platform::Terminal;

/// Whether output was lost: a process has one output.
static LOST: AtomicBool = AtomicBool::new(false);

/// The process's own. Where nobody reads the output any more, it is lost without a word.
#[derive(Clone, Copy, Debug, Default)]
pub struct NativeTerminal;

impl Terminal for NativeTerminal {
    fn print(&self, text: &str) {
        let mut out = stdout().lock();
        let done = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        if done.is_err_and(|error| error.kind() != ErrorKind::BrokenPipe) {
            LOST.store(true, Ordering::Relaxed);
        }
    }

    fn note(&self, text: &str) {
        let _ = stderr().lock().write_all(text.as_bytes());
    }

    fn line(&self) -> Option<String> {
        let mut line = String::new();
        match stdin().read_line(&mut line) {
            Ok(0) | Err(_) => None,
            Ok(_) => {
                line.truncate(line.trim_end_matches(['\n', '\r']).len());
                Some(line)
            }
        }
    }

    fn is_interactive(&self) -> bool {
        stdin().is_terminal() && stdout().is_terminal()
    }

    fn is_lost(&self) -> bool {
        LOST.load(Ordering::Relaxed)
    }
}
