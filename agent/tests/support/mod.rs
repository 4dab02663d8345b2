//! A folder, a clock that is set by hand, an embedder of a few lines, and a terminal that
//! remembers what it showed.
#![allow(dead_code, reason = "each test binary uses its part of this")]

pub(crate) mod full_disk;
pub(crate) mod listening;
pub(crate) mod memories;
pub(crate) mod response;
pub(crate) mod turns;
pub(crate) mod typed;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use clawft_agent::embed::Embedder;
use clawft_agent::failure::Failure;
use clawft_agent::platform::native::{NativeFileSystem, NativeRandom};
use clawft_agent::platform::{
    Clock, Environment, FileSystem, HttpClient, HttpError, HttpFailure, Platform, Request,
    Response, Terminal,
};

/// A folder of its own, removed when it is dropped.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("clawft-agent-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// All bytes of all files below.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        fn collect(folder: &Path, into: &mut Vec<u8>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => collect(&path, into),
                    false => into.extend(std::fs::read(path).unwrap()),
                }
            }
        }
        let mut bytes = Vec::new();
        collect(&self.0, &mut bytes);
        bytes
    }

    pub(crate) fn holds(&self, text: &str) -> bool {
        self.bytes().windows(text.len()).any(|part| part == text.as_bytes())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Words hashed into 64 components.
pub(crate) struct WordHashes {
    pub(crate) id: &'static str,
    pub(crate) dim: usize,
}

pub(crate) const WORDS: WordHashes = WordHashes { id: "test-words-1", dim: 64 };

impl Embedder for WordHashes {
    fn id(&self) -> &str {
        self.id
    }

    fn dim(&self) -> usize {
        self.dim
    }

    fn embed(&self, _: &Platform<'_>, texts: &[&str], into: &mut [f32]) -> Result<(), Failure> {
        for (text, vector) in texts.iter().zip(into.chunks_exact_mut(self.dim)) {
            vector.fill(0.0);
            vector[0] = 0.1;
            for word in text.to_lowercase().split(|c: char| !c.is_alphanumeric()) {
                let hash = word.bytes().fold(5381_u64, |h, b| h.wrapping_mul(33) ^ u64::from(b));
                vector[(hash % self.dim as u64) as usize] += 1.0;
            }
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            vector.iter_mut().for_each(|x| *x /= length);
        }
        Ok(())
    }
}

/// Time that passes by sleeping, and a millisecond at each look.
pub(crate) struct HandClock(pub(crate) Cell<u64>);

impl Default for HandClock {
    fn default() -> Self {
        Self(Cell::new(1_764_028_800_000))
    }
}

impl Clock for HandClock {
    fn now(&self) -> u64 {
        self.0.set(self.0.get() + 1);
        self.0.get()
    }

    fn elapsed(&self) -> u64 {
        self.now() * 1_000_000
    }

    fn sleep(&self, milliseconds: u64) {
        self.0.set(self.0.get() + milliseconds);
    }
}

#[derive(Default)]
pub(crate) struct Variables {
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) arguments: Vec<String>,
}

impl Environment for Variables {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn arguments(&self) -> Vec<String> {
        self.arguments.clone()
    }
}

#[derive(Default)]
pub(crate) struct Screen {
    pub(crate) shown: RefCell<String>,
    pub(crate) notes: RefCell<String>,
    pub(crate) lines: RefCell<VecDeque<String>>,
    pub(crate) interactive: bool,
    pub(crate) lost: bool,
}

impl Terminal for Screen {
    fn print(&self, text: &str) {
        self.shown.borrow_mut().push_str(text);
    }

    fn note(&self, text: &str) {
        self.notes.borrow_mut().push_str(text);
    }

    fn line(&self) -> Option<String> {
        self.lines.borrow_mut().pop_front()
    }

    fn is_interactive(&self) -> bool {
        self.interactive
    }

    fn is_lost(&self) -> bool {
        self.lost
    }
}

/// No network.
pub(crate) struct NoHttp;

impl HttpClient for NoHttp {
    fn send(&self, request: Request<'_>) -> Result<Response, HttpError> {
        let sentence = format!("nothing is reached here: {}", request.url);
        Err(HttpError { failure: HttpFailure::Denied, sentence })
    }
}

/// The outside of a test.
pub(crate) struct World {
    pub(crate) files: Box<dyn FileSystem>,
    pub(crate) environment: Variables,
    pub(crate) clock: HandClock,
    pub(crate) random: NativeRandom,
    pub(crate) screen: Screen,
    pub(crate) http: Box<dyn HttpClient>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            files: Box::new(NativeFileSystem),
            environment: Variables::default(),
            clock: HandClock::default(),
            random: NativeRandom,
            screen: Screen::default(),
            http: Box::new(NoHttp),
        }
    }
}

impl World {
    pub(crate) fn platform(&self) -> Platform<'_> {
        Platform {
            http: &*self.http,
            files: &*self.files,
            environment: &self.environment,
            clock: &self.clock,
            random: &self.random,
            terminal: &self.screen,
        }
    }
}
