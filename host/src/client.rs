//! A client's connection, which holds nobody up: what it begins to send must come to its end, and
//! what it is sent must be taken, within [`PATIENCE`].
//!
//! Why: one instance answers everybody, and writes its answers itself: a client that takes
//! nothing would keep it from all others. A body has so long as a whole, an answer for each
//! piece of it, since a long one may take a slow client longer.
//!
//! What it must never do: count the time in which nothing waits to be sent. An answer may take
//! minutes to compute, and its client is silent meanwhile, as it should be.

use bytes::Bytes;
use http_body::Body;
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::rt::{Read, ReadBufCursor, Sleep, Timer, Write};
use std::future::Future;
use std::io::{ErrorKind, Result};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use wasmtime_wasi_http::io::TokioIo;

/// How long a client is waited for: for its headers, for its body, and until it takes some more of
/// its answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Takes in a body, of one that is longer than `most` hardly more than that: whoever reads it sees
/// that it is too long.
///
/// # Errors
/// The status of what is wrong with it, and a sentence.
pub(crate) async fn body<B>(
    mut body: B,
    most: usize,
    within: Duration,
) -> std::result::Result<Bytes, (StatusCode, &'static str)>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut bytes = Vec::new();
    let read = async {
        while bytes.len() <= most {
            let Some(frame) = body.frame().await.transpose()? else { break };
            if let Ok(data) = frame.into_data() {
                bytes.extend_from_slice(&data);
            }
        }
        std::result::Result::<_, B::Error>::Ok(())
    };
    match tokio::time::timeout(within, read).await {
        Ok(Ok(())) => Ok(bytes.into()),
        Ok(Err(_)) => Err((StatusCode::BAD_REQUEST, "the request ended before it was complete")),
        Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "the rest of the request did not come")),
    }
}

/// The stream of a client. One that takes nothing fails, and with it the answer that waits for it.
pub(crate) struct Client {
    stream: TokioIo<TcpStream>,
    patience: Duration,
    /// Runs while something waits to be sent.
    waits: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl Client {
    pub(crate) fn new(stream: TcpStream, patience: Duration) -> Self {
        Self { stream: TokioIo::new(stream), patience, waits: None }
    }

    fn in_time<T>(&mut self, context: &mut Context<'_>, sent: Poll<Result<T>>) -> Poll<Result<T>> {
        if sent.is_ready() {
            self.waits = None;
            return sent;
        }
        let patience = self.patience;
        let waits = self.waits.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        waits.as_mut().poll(context).map(|()| Err(ErrorKind::TimedOut.into()))
    }
}

impl Read for Client {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl Write for Client {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.in_time(context, sent)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// The clock by which headers are late.
pub(crate) struct Clock;

impl Timer for Clock {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        Box::pin(Wait(Box::pin(tokio::time::sleep(duration))))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Wait(Box::pin(tokio::time::sleep_until(deadline.into()))))
    }
}

struct Wait(Pin<Box<tokio::time::Sleep>>);

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(context)
    }
}

impl Sleep for Wait {}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{Empty, Full};
    use tokio::net::TcpListener;

    const SHORT: Duration = Duration::from_millis(50);

    fn wait<T>(what: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(what)
    }

    /// A body of which nothing comes.
    struct Silent;

    impl Body for Silent {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<Bytes>>>> {
            Poll::Pending
        }
    }

    #[test]
    fn a_body_is_read_to_its_end_and_a_silent_one_is_given_up() {
        wait(async {
            assert_eq!(body(Empty::new(), 4, SHORT).await.unwrap(), "");
            assert_eq!(body(Full::from("body"), 4, SHORT).await.unwrap(), "body");
            assert_eq!(body(Full::from("longer"), 4, SHORT).await.unwrap().len(), 6);
            let (status, _) = body(Silent, 4, SHORT).await.unwrap_err();
            assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
        });
    }

    #[test]
    fn who_takes_nothing_is_given_up() {
        wait(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let _reader = TcpStream::connect(address).await.unwrap();
            let mut client = Client::new(listener.accept().await.unwrap().0, SHORT);
            let sent = async {
                loop {
                    let part = [0; 1 << 16];
                    let send = |context: &mut Context<'_>| {
                        Pin::new(&mut client).poll_write(context, &part)
                    };
                    if let Err(error) = std::future::poll_fn(send).await {
                        return error.kind();
                    }
                }
            };
            let ended = tokio::time::timeout(100 * SHORT, sent).await;
            assert_eq!(ended.unwrap(), ErrorKind::TimedOut);
        });
    }
}
