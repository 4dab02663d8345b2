//! A data folder for one test, the host in it, and a server that it may ask.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A folder that is gone with the test.
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("clawft-test-{}-{}", std::process::id(), NUMBER.fetch_add(1, Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self { folder: folder.canonicalize().unwrap() }
    }

    /// The data folder, which the host makes.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    pub(crate) fn config(&self, text: &str) {
        std::fs::create_dir_all(self.home()).unwrap();
        std::fs::write(self.home().join("config.toml"), text).unwrap();
    }

    /// The host that `cargo xtask host test` has built for these tests.
    pub(crate) fn program() -> String {
        std::env::var(super::HOST).expect("a variable says which host is tested")
    }

    /// The host with these words, and nothing of the tests' own environment.
    pub(crate) fn host(&self, words: &[&str]) -> Command {
        let mut command = Command::new(Self::program());
        command.args(words).env_clear().env("CLAWFT_HOME", self.home());
        command.stdin(Stdio::null()).current_dir(&self.folder);
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        Ran::of(self.host(words).output().unwrap())
    }

    /// The host, running, with pipes to it.
    pub(crate) fn start(&self, words: &[&str]) -> Running {
        Running::of(self.host(words))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { exit: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    #[track_caller]
    pub(crate) fn ended(&self, exit: i32, says: &str) {
        assert_eq!(self.exit, Some(exit), "{self:?}");
        assert!(self.err.contains(says), "{says:?} expected, found {self:?}");
    }
}

/// A host that runs.
pub(crate) struct Running {
    pub(crate) child: Child,
    out: BufReader<std::process::ChildStdout>,
}

impl Running {
    pub(crate) fn of(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    /// Sends a signal, by its name.
    pub(crate) fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &process]).status().unwrap().success());
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.child.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// The next line of its output.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line
    }

    /// Waits for its end; the input ends at once.
    pub(crate) fn end(mut self) -> (Ran, Duration) {
        let start = Instant::now();
        drop(self.child.stdin.take());
        let mut out = String::new();
        self.out.read_to_string(&mut out).unwrap();
        let mut ran = Ran::of(self.child.wait_with_output().unwrap());
        ran.out = out;
        (ran, start.elapsed())
    }
}

/// A server on loopback.
pub(crate) struct Server {
    pub(crate) address: String,
    asked: std::sync::mpsc::Receiver<()>,
}

impl Server {
    /// One that sends this to each client after its request; an empty answer leaves the client waiting.
    pub(crate) fn new(answer: &'static str) -> Self {
        Self::of(answer, answer.is_empty())
    }

    /// One that sends this, and leaves the client waiting for the rest.
    pub(crate) fn silent(begun: &'static str) -> Self {
        Self::of(begun, true)
    }

    fn of(answer: &'static str, waits: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (asked, seen) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut waiting: Vec<TcpStream> = Vec::new();
            for mut client in listener.incoming().map_while(Result::ok) {
                let _ = client.read(&mut [0; 4096]);
                let _ = client.write_all(answer.as_bytes());
                if asked.send(()).is_err() {
                    return;
                }
                waiting.extend(waits.then_some(client));
            }
        });
        Self { address, asked: seen }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/x", self.address)
    }

    /// Whether somebody asks within this time.
    pub(crate) fn is_asked(&self, within: Duration) -> bool {
        self.asked.recv_timeout(within).is_ok()
    }
}

pub(crate) const ANSWER: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello from outside";

/// Writes a file and gives its path as text.
pub(crate) fn file(path: &Path, text: &str) -> String {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    path.to_str().unwrap().to_owned()
}
