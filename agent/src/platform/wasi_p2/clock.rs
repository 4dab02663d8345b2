//! Time.

use wasip2::clocks::{monotonic_clock, wall_clock};

use crate::platform::Clock;

/// Nanoseconds of a millisecond: WASI counts in the former.
pub(super) const MILLISECOND: u64 = 1_000_000;

/// The host's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct WasiClock;

impl Clock for WasiClock {
    fn now(&self) -> u64 {
        let now = wall_clock::now();
        now.seconds.saturating_mul(1000) + u64::from(now.nanoseconds) / MILLISECOND
    }

    fn elapsed(&self) -> u64 {
        monotonic_clock::now()
    }

    fn sleep(&self, milliseconds: u64) {
        monotonic_clock::subscribe_duration(milliseconds.saturating_mul(MILLISECOND)).block();
    }
}
