//! Ctrl-C: the first ends what is being done, the second ends the program.
//!
//! The component cannot be told of a signal, but it notices that the outside fails: requests
//! under way and new ones are refused, sleeps are over, and whoever waits for a line gets the end of
//! the input.
//! So it ends the turn in its own way, which keeps the session. What does not end within
//! [`GRACE`] is ended from outside.
//!
//! What it must never do: end the program at the first one while that time lasts, as the
//! session may not be written yet. The second one waits for nothing: what is durable survives
//! it as it survives a kill.

use std::time::Duration;
use tokio::sync::watch;

/// How long the component may take to end by itself.
const GRACE: Duration = Duration::from_secs(3);
/// What a shell gives a program that SIGINT ended.
pub(crate) const EXIT: i32 = 130;

/// Whether the person asked for an end.
#[derive(Clone)]
pub(crate) struct Stop(watch::Sender<bool>);

impl Stop {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Listens for Ctrl-C from now on, for as long as the program runs.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn listen(&self) -> std::io::Result<()> {
        // Here and not in the task, which runs only once something waits.
        #[cfg(unix)]
        let mut signals = {
            use tokio::signal::unix::{SignalKind, signal};
            signal(SignalKind::interrupt())?
        };
        #[cfg(windows)]
        let mut signals = tokio::signal::windows::ctrl_c()?;
        let stop = self.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                if stop.0.send_replace(true) {
                    std::process::exit(EXIT);
                }
            }
        });
        Ok(())
    }

    pub(crate) fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// The component waits for the person again: what was to end has ended.
    pub(crate) fn done(&self) {
        self.0.send_replace(false);
    }

    /// Waits until an end is asked for.
    pub(crate) async fn asked(&self) {
        let mut asked = self.0.subscribe();
        // The sender is in `self`: this cannot fail.
        let _ = asked.wait_for(|asked| *asked).await;
    }

    /// Waits until an end was asked for and nothing ended.
    pub(crate) async fn overdue(&self) {
        loop {
            self.asked().await;
            let mut asked = self.0.subscribe();
            if tokio::time::timeout(GRACE, asked.wait_for(|asked| !*asked)).await.is_err() {
                return;
            }
        }
    }
}
