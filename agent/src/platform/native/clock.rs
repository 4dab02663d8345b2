//! The system's time.

use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::platform::Clock;

/// The system's clocks.
#[derive(Clone, Copy, Debug)]
pub struct NativeClock {
    start: Instant,
}

impl Default for NativeClock {
    fn default() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for NativeClock {
    fn now(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64)
    }

    fn elapsed(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    fn sleep(&self, milliseconds: u64) {
        sleep(Duration::from_millis(milliseconds));
    }
}
