//! What the component reads and writes: lines with editing where a person sits at a terminal,
//! plain bytes otherwise.
//!
//! A prompt is what the component left on the last line of its output: the editor shows it
//! again in front of the line, so the component needs to know nothing of editors. History lasts
//! as long as the program: on disk it would keep what was to be forgotten.
//!
//! A line is waited for in a thread of its own, since the event loop has one thread, and hears
//! Ctrl-C in it. That read goes on when the component stops waiting, and what it brings is
//! there for whoever waits next.
//!
//! What it must never do: write a line to disk; begin a read while another one is under way.

use crate::limits::Time;
use crate::stop::{INTERRUPTED, Stop};
use bytes::Bytes;
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;
use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdinStream, StdoutStream};
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError};

/// Bytes that are read or written at once.
const PIECE: usize = 16 << 10;
/// Bytes of a line that serve as a prompt.
const PROMPT: usize = 256;

/// The last line of the output, as far as it is written.
#[derive(Clone, Default)]
struct LastLine(Arc<Mutex<Vec<u8>>>);

impl LastLine {
    fn written(&self, bytes: &[u8]) {
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let from = match bytes.iter().rposition(|&byte| byte == b'\n') {
            Some(end) => {
                line.clear();
                end + 1
            }
            None => 0,
        };
        let space = PROMPT.saturating_sub(line.len());
        line.extend(bytes[from..].iter().take(space));
    }

    fn take(&self) -> String {
        let line = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        String::from_utf8_lossy(&line).into_owned()
    }
}

/// Standard output of the component.
#[derive(Clone, Default)]
pub(crate) struct Output(LastLine);

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        std::io::IsTerminal::is_terminal(&std::io::stdout())
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // Preview 2 alone is offered, and it asks for the other one.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

fn refused(error: std::io::Error) -> StreamError {
    match error.kind() {
        std::io::ErrorKind::BrokenPipe => StreamError::Closed,
        _ => StreamError::LastOperationFailed(error.into()),
    }
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> Result<(), StreamError> {
        self.0.written(&bytes);
        std::io::stdout().write_all(&bytes).map_err(refused)
    }

    fn flush(&mut self) -> Result<(), StreamError> {
        std::io::stdout().flush().map_err(refused)
    }

    fn check_write(&mut self) -> Result<usize, StreamError> {
        Ok(PIECE)
    }
}

#[async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

/// What a read brought: bytes, none of them at the end.
type Piece = std::io::Result<Vec<u8>>;

struct State {
    editor: Option<Arc<Mutex<DefaultEditor>>>,
    bytes: Bytes,
    ended: bool,
    /// A read that goes on while nobody waits for it.
    under_way: Option<JoinHandle<Piece>>,
}

/// Standard input of the component.
#[derive(Clone)]
pub(crate) struct Input {
    state: Arc<tokio::sync::Mutex<State>>,
    shown: LastLine,
    stop: Stop,
    time: Time,
}

impl Input {
    /// The input beside `output`.
    pub(crate) fn new(output: &Output, stop: Stop, time: Time) -> Self {
        let person = std::io::IsTerminal::is_terminal(&std::io::stdin())
            && std::io::IsTerminal::is_terminal(&std::io::stdout());
        let editor = person.then(DefaultEditor::new).and_then(Result::ok);
        let editor = editor.map(|editor| Arc::new(Mutex::new(editor)));
        let state = State { editor, bytes: Bytes::new(), ended: false, under_way: None };
        Self { state: Arc::new(state.into()), shown: output.0.clone(), stop, time }
    }

    /// Waits until there are bytes, or no more.
    async fn fill(&self) {
        let mut state = self.state.lock().await;
        if state.ended || !state.bytes.is_empty() {
            return;
        }
        self.stop.done();
        let State { editor, under_way, .. } = &mut *state;
        let read = under_way.get_or_insert_with(|| {
            let (editor, shown) = (editor.clone(), self.shown.clone());
            tokio::task::spawn_blocking(move || match editor {
                Some(editor) => line(&editor, &shown.take()),
                None => piece(),
            })
        });
        let piece = loop {
            tokio::select! {
                piece = &mut *read => break piece.unwrap_or(Ok(Vec::new())),
                exit = self.stop.asked() => match exit {
                    // The editor has the key: a signal between two lines throws nothing away.
                    INTERRUPTED if editor.is_some() => self.stop.done(),
                    // The end of the input ends whoever waits for it.
                    _ => break Ok(Vec::new()),
                },
            }
        };
        state.under_way = None;
        state.bytes = piece.unwrap_or_default().into();
        state.ended = state.bytes.is_empty();
        self.time.restart();
    }
}

/// A line from the editor, its end included.
fn line(editor: &Mutex<DefaultEditor>, prompt: &str) -> Piece {
    let mut editor = editor.lock().unwrap_or_else(PoisonError::into_inner);
    let mut again = true;
    loop {
        match editor.readline(prompt) {
            Ok(line) => {
                // Only what takes memory can fail here.
                let _ = editor.add_history_entry(line.as_str());
                return Ok(format!("{line}\n").into_bytes());
            }
            // Ctrl-C throws the line away; a second one, the program.
            Err(ReadlineError::Interrupted) if again => again = false,
            Err(_) => return Ok(Vec::new()),
        }
    }
}

fn piece() -> Piece {
    let mut bytes = vec![0; PIECE];
    let read = std::io::stdin().read(&mut bytes)?;
    bytes.truncate(read);
    Ok(bytes)
}

impl IsTerminal for Input {
    fn is_terminal(&self) -> bool {
        std::io::IsTerminal::is_terminal(&std::io::stdin())
    }
}

impl StdinStream for Input {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        // As for the output.
        Box::new(tokio::io::empty())
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(self.clone())
    }
}

impl InputStream for Input {
    fn read(&mut self, size: usize) -> Result<Bytes, StreamError> {
        // Somebody else waits for the same input: nothing is there yet.
        let Ok(mut state) = self.state.try_lock() else { return Ok(Bytes::new()) };
        let take = size.min(state.bytes.len());
        match (take, state.ended) {
            (0, true) => Err(StreamError::Closed),
            _ => Ok(state.bytes.split_to(take)),
        }
    }
}

#[async_trait]
impl Pollable for Input {
    async fn ready(&mut self) {
        self.fill().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prompt_is_the_unfinished_line() {
        let line = LastLine::default();
        line.written(b"one\ntwo");
        line.written(b" three");
        assert_eq!(line.take(), "two three");
        assert_eq!(line.take(), "");
        line.written("\nyou › ".as_bytes());
        assert_eq!(line.take(), "you › ");
        line.written(&[b'x'; 2 * PROMPT]);
        assert_eq!(line.take().len(), PROMPT);
    }
}
