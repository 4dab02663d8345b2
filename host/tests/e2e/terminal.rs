//! A person at a terminal, played by Python's `pty`: the standard library has no terminals.

use crate::place::{Place, Server};
use std::process::Command;

/// Types at the host: what is read up to, and what is then sent.
const TYPE: &str = r"
import os, pty, sys, time, select
steps = eval(sys.argv[1])
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[2], sys.argv[2:])
seen = b''
end = time.time() + 20
def more():
    global seen
    try:
        if select.select([terminal], [], [], 0.2)[0]:
            part = os.read(terminal, 4096)
            seen += part
            return bool(part)
    except OSError:
        return False
    return time.time() < end
for wanted, keys in steps:
    while wanted not in seen and more():
        pass
    at = seen.find(wanted)
    if at < 0:
        sys.exit('not seen: %r in %r' % (wanted, seen))
    seen = seen[at + len(wanted):]
    time.sleep(0.2)
    if keys == b'SIGTERM':
        os.kill(child, 15)
    else:
        os.write(terminal, keys)
while more():
    pass
if os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
    time.sleep(1)
    os.kill(child, 9)
status = os.waitpid(child, 0)[1]
sys.stdout.write(seen.decode())
sys.exit(os.waitstatus_to_exitcode(status))
";

fn typed(place: &Place, steps: &str, words: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new("python3");
    command.args(["-c", TYPE, steps, &Place::program()]).args(words);
    command.env("CLAWFT_HOME", place.home()).env("TERM", "xterm");
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn lines_are_edited_and_come_back() {
    let place = Place::new();
    // Two steps to the left, a word put in; then the line before once more; then the end.
    let steps = r"[(b'> ', b'hello\x1b[D\x1b[Dxx\r'), (b'heard helxxlo', b''),
        (b'> ', b'\x1b[A\r'), (b'heard helxxlo', b''), (b'> ', b'\x04')]";
    let (exit, out, err) = typed(&place, steps, &["chat", "http://localhost/"]);
    assert_eq!(exit, Some(0), "{err}");
    assert!(out.contains("session kept"), "{out}");
    // No line of it is on the disk.
    let left = std::fs::read_dir(place.home()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.collect::<Vec<_>>(), ["models"]);
}

/// It is no key, and who sends it waits for the end.
#[test]
fn sigterm_ends_a_chat_that_waits_for_a_line() {
    let place = Place::new();
    let steps = "[(b'> ', b'SIGTERM'), (b'session kept', b'')]";
    let (exit, _, err) = typed(&place, steps, &["chat", "http://localhost/"]);
    assert_eq!(exit, Some(143), "{err}");
}

#[test]
fn a_key_ends_the_turn_not_the_chat() {
    let (place, server) = (Place::new(), Server::new(""));
    place.config(&format!("[tools]\nhosts = [\"{}\"]", server.address));
    let steps = r"[(b'> ', b'one\r'), (b'heard one', b'\x03'), (b'no answer', b''),
        (b'> ', b'thrown away\x03'), (b'> ', b'two\r'), (b'heard two', b'\x03'),
        (b'no answer', b''), (b'> ', b'\x03'), (b'> ', b'\x03')]";
    let (exit, out, err) = typed(&place, steps, &["chat", &server.url()]);
    assert_eq!(exit, Some(0), "{err}");
    assert!(out.contains("session kept"), "{out}");
}
