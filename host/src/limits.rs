//! How much memory and time the component may take.
//!
//! Memory: [`MEMORY`] over all its linear memories. A growth beyond is refused, which the
//! component may live with; what it says when it cannot, the host explains. Time: computing is
//! counted, waiting is not. A thread moves the engine's epoch, compiled code looks at it, and
//! each look gives the host's other tasks a turn, Ctrl-C among them.
//!
//! Counted are those looks, and not a clock: after a wait, however long, the code finds the
//! epoch moved and looks once.
//!
//! What it must never do: end a component for the time that a model or a person took.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use wasmtime::{Engine, ResourceLimiter, Store, UpdateDeadline};

/// Bytes of linear memory.
pub(crate) const MEMORY: usize = 16 << 20;
/// Elements of tables: functions that are called by reference.
const TABLE: usize = 100_000;
/// How often the epoch moves.
const TICK: Duration = Duration::from_millis(50);
/// The variable that sets another limit than [`SECONDS`]; in seconds.
pub(crate) const TIME_VARIABLE: &str = "CLAWFT_TIME_LIMIT";
/// Seconds of computing between two lines of input or two requests.
const SECONDS: u64 = 600;

/// Counts the bytes of linear memory.
#[derive(Default)]
pub(crate) struct Memory {
    total: usize,
    refused: Option<usize>,
}

impl Memory {
    /// What there is to say of a component that failed.
    pub(crate) fn sentence(&self) -> Option<String> {
        self.refused.map(|bytes| {
            let limit = MEMORY >> 20;
            format!("it asked for {bytes} bytes of memory, {limit} MiB is all that it may have")
        })
    }
}

impl ResourceLimiter for Memory {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.total + (desired - current);
        let fits = total <= MEMORY && maximum.is_none_or(|maximum| desired <= maximum);
        if fits {
            self.total = total;
        }
        // One that was refused long ago is not why a component fails now.
        self.refused = (!fits).then_some(total);
        Ok(fits)
    }

    fn table_growing(
        &mut self,
        _: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE)
    }
}

/// Counts the ticks of computing.
#[derive(Clone, Default)]
pub(crate) struct Time(Arc<AtomicU64>);

/// The component computed for longer than it may.
#[derive(Debug)]
pub(crate) struct TooLong(u64);

impl std::fmt::Display for TooLong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "it computed for {} seconds without an end; {TIME_VARIABLE} sets another limit",
            self.0
        )
    }
}

impl std::error::Error for TooLong {}

impl Time {
    /// A new line, a new request: counting begins anew.
    pub(crate) fn restart(&self) {
        self.0.store(0, Relaxed);
    }

    /// Lets `store` compute for as long as the limit says.
    ///
    /// # Errors
    /// A sentence when the variable holds no number.
    pub(crate) fn limit<T>(&self, store: &mut Store<T>) -> Result<(), String> {
        let seconds = match std::env::var(TIME_VARIABLE) {
            Err(_) => SECONDS,
            Ok(text) => text.parse().ok().filter(|seconds| *seconds > 0).ok_or_else(|| {
                format!("{TIME_VARIABLE}: a number of seconds from 1 on expected, found {text:?}")
            })?,
        };
        let most = seconds.saturating_mul(1000) / TICK.as_millis() as u64;
        let ticks = self.clone();
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| match ticks.0.fetch_add(1, Relaxed) < most {
            true => Ok(UpdateDeadline::Yield(1)),
            false => Err(TooLong(seconds).into()),
        });
        Ok(())
    }
}

/// Moves the epoch for as long as the program runs.
pub(crate) fn tick(engine: &Engine) {
    let engine = engine.clone();
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(TICK);
            engine.increment_epoch();
        }
    });
}
