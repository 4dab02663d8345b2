//! When what is being done ends before its time: at Ctrl-C, and once nobody waits for it any more.
//!
//! Why: under `clawft serve` one instance answers everybody, and a model may think for minutes. For
//! a client that has hung up it would keep the instance from all others, and cost what nobody
//! reads. The component can be told of that as little as of Ctrl-C, and notices it in the same way: its
//! requests fail and its sleeps are over, so it ends the turn by itself.
//!
//! Whoever waits holds a [`Waits`]: first the connection that waits for an answer, then the answer
//! itself. A connection that ends drops either, and so does an answer that is sent.
//!
//! What it must never do: end what is done for another client; end what the component does by
//! itself, as that may be a change of the memory.

use crate::stop::Stop;
use http_body_util::BodyExt;
use std::sync::Arc;
use tokio::sync::watch;
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;

/// What may end that which is being done.
#[derive(Clone)]
pub(crate) struct End {
    stop: Stop,
    asker: Option<Asker>,
}

impl End {
    /// Ctrl-C alone.
    pub(crate) fn new(stop: Stop) -> Self {
        Self { stop, asker: None }
    }

    /// The same for what has to be done whether somebody waits for it or not: Ctrl-C alone.
    pub(crate) fn of_all(&self) -> Self {
        Self::new(self.stop.clone())
    }

    /// What begins from now on is done for this one. What has begun before keeps its own.
    pub(crate) fn works_for(&mut self, asker: Asker) {
        self.asker = Some(asker);
    }

    /// Waits until an end is asked for, or the one for whom it is done has gone.
    pub(crate) async fn asked(&self) {
        let gone = async {
            match &self.asker {
                Some(asker) => asker.gone().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.stop.asked() => {}
            () = gone => {}
        }
    }
}

/// Who asked, as seen by those who answer.
#[derive(Clone)]
pub(crate) struct Asker(Arc<watch::Sender<()>>);

/// Held by whoever waits for the answer.
pub(crate) struct Waits {
    _held: watch::Receiver<()>,
}

impl Asker {
    /// One that is there for as long as the other is held.
    pub(crate) fn new() -> (Self, Waits) {
        let (sender, _held) = watch::channel(());
        (Self(Arc::new(sender)), Waits { _held })
    }

    pub(crate) fn has_gone(&self) -> bool {
        self.0.is_closed()
    }

    async fn gone(&self) {
        self.0.closed().await;
    }
}

impl Waits {
    /// The body of the answer, which holds it from now on.
    pub(crate) fn held_by(self, body: HyperOutgoingBody) -> HyperOutgoingBody {
        let held = move |error| {
            // It is dropped with the body, and that is all that it is for.
            let _ = &self;
            error
        };
        body.map_err(held).boxed_unsync()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http_body_util::Full;
    use std::time::Duration;

    const SHORT: Duration = Duration::from_millis(50);

    #[test]
    fn whoever_waits_is_there_until_the_answer_is_dropped() {
        let (asker, waits) = Asker::new();
        let body = Full::new(Bytes::from("an answer")).map_err(|never| match never {});
        let body = waits.held_by(body.boxed_unsync());
        assert!(!asker.has_gone());
        drop(body);
        assert!(asker.has_gone());
    }

    #[test]
    fn one_that_goes_ends_what_is_done_for_it_and_nothing_else() {
        let mut end = End::new(Stop::new());
        let [(first, waits), (second, _waits)] = [Asker::new(), Asker::new()];
        end.works_for(first);
        let begun = end.clone();
        end.works_for(second);
        drop(waits);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            tokio::time::timeout(SHORT, begun.asked()).await.expect("its client has gone");
            tokio::time::timeout(SHORT, end.asked()).await.expect_err("another one is there");
        });
    }
}
