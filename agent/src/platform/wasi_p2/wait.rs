//! Waiting with an end: no host call of this folder may take forever.

use wasip2::clocks::monotonic_clock::{now, subscribe_instant};
use wasip2::io::poll::{Pollable, poll};

use super::clock::MILLISECOND;

/// A moment of the monotonic clock, and the milliseconds that were given until then.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    /// When, in ns.
    at: u64,
    /// How long that was, in ms.
    pub(super) allowed: u32,
}

impl End {
    /// In so many milliseconds.
    pub(super) fn after(allowed: u32) -> Self {
        Self { at: now().saturating_add(u64::from(allowed) * MILLISECOND), allowed }
    }

    /// The one that comes first.
    pub(super) fn or(self, other: Self) -> Self {
        if other.at < self.at { other } else { self }
    }

    /// Whether it is the same moment.
    pub(super) fn is(self, other: Self) -> bool {
        self.at == other.at
    }

    /// Waits until `what` is ready; false where the end came first.
    pub(super) fn wait(self, what: &Pollable) -> bool {
        self.wait_for_one(what, what)
    }

    /// Waits until one of two is ready; false where the end came first.
    pub(super) fn wait_for_one(self, what: &Pollable, other: &Pollable) -> bool {
        let end = subscribe_instant(self.at);
        poll(&[what, other, &end]);
        what.ready() || other.ready()
    }
}
