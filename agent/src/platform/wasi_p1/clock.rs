//! Time.

use super::sys;
use crate::platform::Clock;

/// Nanoseconds of a millisecond: WASI counts in the former.
pub(super) const MILLISECOND: u64 = 1_000_000;
/// The clock of the day.
const DAY: u32 = 0;
/// The clock that never goes back.
const MONOTONIC: u32 = 1;

/// The host's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct WasiClock;

impl Clock for WasiClock {
    fn now(&self) -> u64 {
        sys::time(DAY) / MILLISECOND
    }

    fn elapsed(&self) -> u64 {
        sys::time(MONOTONIC)
    }

    fn sleep(&self, milliseconds: u64) {
        sys::wait(milliseconds.saturating_mul(MILLISECOND));
    }
}
