//! Ctrl-C, or SIGTERM: the first ends what is being done, the second ends the program.
//!
//! The component cannot be told of a signal, but it notices that the outside fails: requests
//! under way and new ones are refused, sleeps are over, and whoever waits for a line gets the end of
//! the input.
//! So it ends the turn in its own way, which keeps the session. What does not end within
//! [`GRACE`] is ended from outside.
//!
//! Signals are heard in a thread of their own: the event loop's waits where nobody reads what is written.
//! SIGHUP is left to the system, as who has it ignored (`nohup`) wants it so.
//!
//! What it must never do: end the program at the first one while that time lasts, as the
//! session may not be written yet. The second one waits for nothing: what is durable survives
//! it as it survives a kill.

use std::time::Duration;
use tokio::sync::watch;

/// How long the component may take to end by itself.
const GRACE: Duration = Duration::from_secs(3);
/// What a shell gives a program that SIGINT ended, and one that SIGTERM did.
pub(crate) const INTERRUPTED: i32 = 130;
#[cfg(unix)]
const TERMINATED: i32 = 143;
/// Bytes of the stack of the thread that hears.
const STACK: usize = 128 << 10;

/// Whether an end was asked for, and the exit code of it.
#[derive(Clone)]
pub(crate) struct Stop(watch::Sender<Option<i32>>);

impl Stop {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(None))
    }

    /// Listens for signals from now on, for as long as the program runs.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn listen(&self) -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        // Here and not in the thread, which begins when it may.
        let inside = runtime.enter();
        #[cfg(unix)]
        let mut signals = {
            use tokio::signal::unix::{SignalKind, signal};
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
        };
        #[cfg(windows)]
        let mut signals = tokio::signal::windows::ctrl_c()?;
        drop(inside);
        let stop = self.clone();
        let hear = move || {
            runtime.block_on(async {
                loop {
                    #[cfg(unix)]
                    let exit = tokio::select! {
                        Some(()) = signals.0.recv() => INTERRUPTED,
                        Some(()) = signals.1.recv() => TERMINATED,
                        else => return,
                    };
                    #[cfg(windows)]
                    let Some(exit) = signals.recv().await.map(|()| INTERRUPTED) else { return };
                    if stop.0.send_replace(Some(exit)).is_some() {
                        std::process::exit(exit);
                    }
                }
            });
        };
        std::thread::Builder::new().stack_size(STACK).spawn(hear).map(drop)
    }

    /// The exit code, where an end was asked for.
    pub(crate) fn exit(&self) -> Option<i32> {
        *self.0.borrow()
    }

    /// The component waits for the person again: what was to end has ended.
    pub(crate) fn done(&self) {
        self.0.send_replace(None);
    }

    /// Waits until an end is asked for, and gives the exit code.
    pub(crate) async fn asked(&self) -> i32 {
        let mut asked = self.0.subscribe();
        // The sender is in `self`: this cannot fail.
        let exit = asked.wait_for(Option::is_some).await.ok().and_then(|exit| *exit);
        exit.unwrap_or(INTERRUPTED)
    }

    /// Waits until an end was asked for and nothing ended; gives the exit code.
    pub(crate) async fn overdue(&self) -> i32 {
        loop {
            let exit = self.asked().await;
            let mut asked = self.0.subscribe();
            if tokio::time::timeout(GRACE, asked.wait_for(Option::is_none)).await.is_err() {
                return exit;
            }
        }
    }
}
