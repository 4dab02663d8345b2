//! The clock that the component sleeps by: Ctrl-C wakes it, and so does a client that goes.
//!
//! Why so: a provider may ask to wait for half a minute before the next try. The component cannot be
//! told of either, so its sleep ends early; the try that follows is refused, as all requests
//! then are, and the turn ends with its sentence.
//!
//! What it must never do: shorten the pauses between tries at a file that another writer has, as a change that
//! is made after its client went would be given up; shorten a wait that has an event beside it. Those are deadlines, by
//! `subscribe-instant`: one that comes early would be told as a server that took too long.

use crate::end::End;
use crate::run::Side;
use std::time::Duration;
use tokio::time::Instant;
use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::clocks::WasiClocksCtxView;
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock::{self, Host};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

/// Sleeps of so many nanoseconds may be such pauses, which a client that goes does not end. Ctrl-C does: the
/// turn is to end by itself, with its session kept, before it is ended.
const SHORT: u64 = 100_000_000;

/// Puts the clock in the place of WASI's.
pub(crate) fn add_to_linker(linker: &mut Linker<Side>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    monotonic_clock::add_to_linker::<Side, Clock<'static>>(linker, Side::clock)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// WASI's clock, but for its sleeps.
pub(crate) struct Clock<'a> {
    pub(crate) wasi: WasiClocksCtxView<'a>,
    pub(crate) end: &'a End,
}

impl HasData for Clock<'static> {
    type Data<'a> = Clock<'a>;
}

impl Host for Clock<'_> {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Host::now(&mut self.wasi)
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Host::resolution(&mut self.wasi)
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.wasi.subscribe_instant(when)
    }

    fn subscribe_duration(&mut self, nanoseconds: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let end = if nanoseconds <= SHORT { self.end.of_all() } else { self.end.clone() };
        // What no clock reaches never comes.
        let until = Instant::now().checked_add(Duration::from_nanos(nanoseconds));
        let sleep = self.wasi.table.push(Sleep { until, end })?;
        subscribe(self.wasi.table, sleep)
    }
}

/// Ends at a time, or when an end is asked for.
struct Sleep {
    until: Option<Instant>,
    end: End,
}

#[async_trait]
impl Pollable for Sleep {
    async fn ready(&mut self) {
        let slept = async {
            match self.until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.end.asked() => {}
            () = slept => {}
        }
    }
}
