//! A progress bar on standard error, so that standard output stays the result.

use std::io::{IsTerminal, Write};
use std::time::Instant;

const WIDTH: usize = 32;

/// A bar for `total` steps. On a terminal it is drawn in place; elsewhere only
/// its end is written.
pub(crate) struct Progress {
    label: String,
    total: usize,
    start: Instant,
    drawn: Option<Instant>,
    in_place: bool,
}

impl Progress {
    pub(crate) fn new(label: impl Into<String>, total: usize) -> Self {
        Progress {
            label: label.into(),
            total,
            start: Instant::now(),
            drawn: None,
            in_place: std::io::stderr().is_terminal(),
        }
    }

    /// Draws the bar, at most ten times a second.
    pub(crate) fn at(&mut self, done: usize) {
        let due = self.drawn.is_none_or(|last| last.elapsed().as_millis() >= 100);
        if self.in_place && due {
            self.drawn = Some(Instant::now());
            self.draw(done);
        }
    }

    /// Draws the bar as it stands and ends the line.
    pub(crate) fn finish(self, done: usize) {
        self.draw(done);
        eprintln!();
    }

    fn draw(&self, done: usize) {
        let filled = (WIDTH * done).checked_div(self.total).unwrap_or(WIDTH).min(WIDTH);
        let return_to_start = if self.in_place { "\r" } else { "" };
        eprint!(
            "{return_to_start}{:<28} [{}{}] {done}/{} {:.1} s",
            self.label,
            "#".repeat(filled),
            ".".repeat(WIDTH - filled),
            self.total,
            self.start.elapsed().as_secs_f64(),
        );
        // A bar that cannot be drawn is no reason to stop.
        let _ = std::io::stderr().flush();
    }
}
