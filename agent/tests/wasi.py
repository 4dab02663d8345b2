"""The WASI platform under Wasmtime: `wasi.py WASMTIME GUEST [CASE…]`.

For preview 1, WASMTIME is a Python that has PyPI's `wasmtime`: it runs `core_host.py`; or the host in
C of `examples/wamr/`. Starts the guest of `agent/guest/` once for each case, with a server of its own on loopback for each
case of HTTP, and looks at what the guest printed and left behind. README.md says which function each
case drives. Needs Python 3.11 and nothing else.
"""

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

WASMTIME, GUEST = sys.argv[1:3]
# The guest's own limits end well before.
LIMIT = 60
NOBODY = 65534
HEAD = b"HTTP/1.1 200 OK\r\n"
# What runs a program: a host of ours for preview 1, which has no HTTP, else the command.
IS_CORE = pathlib.Path(WASMTIME).name.startswith("python")
HOST = pathlib.Path(__file__).with_name("core_host.py")
RUN = ["-B", HOST] if IS_CORE else ["run", "--allow-precompiled", "-S", "http"]
IS_WAMR = pathlib.Path(WASMTIME).name.startswith("clawft-wamr")
if IS_WAMR:
    # A guest that is built to be debugged is large, and so is what an interpreter makes of it.
    RUN = ["--pool", "65536", "--allow", "127.0.0.1", "--allow", "nothing.invalid"]


def guest(arguments, options=(), stdin=b"", **more):
    """Runs the guest; its output."""
    command = [WASMTIME, *RUN, *options, GUEST, *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=LIMIT, **more)
    if done.returncode != 0:
        said = done.stderr.decode()[:3000]
        raise AssertionError(f"{arguments} ended with {done.returncode}\n{said}")
    return done


# Servers: each gets a connection and does one thing with it.


def read_head(connection):
    """The head of a request, and what came with it."""
    got = b""
    while b"\r\n\r\n" not in got:
        part = connection.recv(65536)
        if not part:
            return got, b""
        got += part
    head, _, body = got.partition(b"\r\n\r\n")
    return head, body


def answer(connection, body, head=HEAD):
    connection.sendall(head + b"content-length: %d\r\n\r\n" % len(body) + body)


def chunk(connection, data):
    connection.sendall(b"%x\r\n%s\r\n" % (len(data), data))


def chunked(connection):
    read_head(connection)
    connection.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n")


def head(connection):
    got, _ = read_head(connection)
    extra = b"Content-Type: text/plain\r\nX-Mixed: Case\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n"
    answer(connection, got, HEAD + extra)


def parts(connection):
    chunked(connection)
    chunk(connection, b"data: caf\xc3")
    time.sleep(0.3)
    chunk(connection, b"\xa9\n\n")
    chunk(connection, b"")


def small(connection):
    read_head(connection)
    answer(connection, bytes(i % 251 for i in range(200_000)))


def statuses(connection):
    got, _ = read_head(connection)
    status = got.split()[1].strip(b"/")
    if status == b"204":
        connection.sendall(b"HTTP/1.1 204 Nothing\r\n\r\n")
    else:
        answer(connection, b"text", b"HTTP/1.1 %s Said\r\nlocation: /else\r\n" % status)


def upload(connection):
    got, body = read_head(connection)
    fields = dict(line.lower().split(b": ", 1) for line in got.split(b"\r\n")[1:])
    length = fields.get(b"content-length")
    length = None if length is None else int(length)
    total, count = sum(body), len(body)
    while count < (length or 0):
        part = connection.recv(65536)
        total, count = total + sum(part), count + len(part)
    word = got.split()[0].decode()
    answer(connection, f"{word} length {length} got {count} sum {total}".encode())


def dechunk(connection, got):
    """The parts of a chunked body as they come, each with its time."""
    while True:
        while b"\r\n" not in got:
            got += connection.recv(65536)
        size, _, got = got.partition(b"\r\n")
        size = int(size, 16)
        while len(got) < size + 2:
            got += connection.recv(65536)
        if size == 0:
            return
        yield time.monotonic(), got[:size]
        got = got[size + 2 :]


def stream(connection):
    _, got = read_head(connection)
    came = list(dechunk(connection, got))
    between = (came[-1][0] - came[0][0]) * 1000
    answer(connection, b"%d %d" % (sum(len(part) for _, part in came), between))


def broken_stream(connection):
    read_head(connection)
    while connection.recv(65536):
        pass


def early(connection):
    read_head(connection)
    answer(connection, b"too long", b"HTTP/1.1 413 Too Long\r\n")
    time.sleep(3)


def headers(connection):
    read_head(connection)
    many = b"".join(b"x-many: %s\r\n" % (b"v" * 40) for _ in range(80))
    long = b"x-long: %s\r\n" % (b"v" * 60_000)
    answer(connection, b"ok", HEAD + long + many + b"x-latin: caf\xe9\r\n")


def garbage(connection):
    read_head(connection)
    connection.sendall(b"220 mail.example ready\r\n")


def gone(connection):
    read_head(connection)


def silent(connection):
    connection.settimeout(10)
    while connection.recv(65536):
        pass


def silent_after_stream(connection):
    _, got = read_head(connection)
    list(dechunk(connection, got))
    silent(connection)


def deaf(_):
    time.sleep(5)


def between(connection):
    chunked(connection)
    chunk(connection, b"first")
    silent(connection)


def dripping(connection):
    chunked(connection)
    for _ in range(200):
        chunk(connection, b".")
        time.sleep(0.05)


def cut(connection):
    read_head(connection)
    connection.sendall(HEAD + b"content-length: 100\r\n\r\n" + b"0123456789")


def cut_chunk(connection):
    chunked(connection)
    connection.sendall(b"64\r\n0123456789")


def plain_text(connection):
    connection.recv(65536)
    answer(connection, b"no TLS here")


CASES = {
    "head": head,
    "parts": parts,
    "small": small,
    "statuses": statuses,
    "upload": upload,
    "stream": stream,
    "broken-stream": broken_stream,
    "early": early,
    "headers": headers,
    "garbage": garbage,
    "gone": gone,
    "first": silent,
    "first-of-stream": silent_after_stream,
    "between": between,
    "total-first": silent,
    "total-upload": deaf,
    "total-body": dripping,
    "total-tls": silent,
    "cut": cut,
    "cut-chunk": cut_chunk,
    "tls": plain_text,
}
SECURE = ("tls", "total-tls")


class Server:
    """One behaviour on a port of loopback, each connection in a thread."""

    def __init__(self, behaviour):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.behaviour = behaviour
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(connection,), daemon=True).start()

    def one(self, connection):
        with connection:
            try:
                self.behaviour(connection)
            except OSError:
                # The guest went away, which is what some cases are about.
                pass

    def close(self):
        self.listener.close()


class Full:
    """A port that takes no more connections, and refuses none either."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.others = []
        for _ in range(4):
            other = socket.socket()
            other.setblocking(False)
            other.connect_ex(("127.0.0.1", self.port))
            self.others.append(other)

    def close(self):
        for one in [*self.others, self.listener]:
            one.close()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def http():
    for case, behaviour in CASES.items():
        server = Server(behaviour)
        scheme = "https" if case in SECURE else "http"
        yield case, ["http", case, f"{scheme}://127.0.0.1:{server.port}"]
        server.close()
    for case in ("connect", "total-connect"):
        server = Full()
        yield case, ["http", case, f"http://127.0.0.1:{server.port}"]
        server.close()
    yield "refused", ["http", "refused", f"http://127.0.0.1:{free_port()}"]
    yield "no-name", ["http", "no-name", "http://nothing.invalid"]
    yield "wrong", ["http", "wrong", "http://127.0.0.1"]


# Everything else.


def files(folder):
    (folder / "link").symlink_to("/etc")
    guest(["files"], ["--dir", f"{folder}::/data"])
    whole = (folder / "a/whole").read_bytes()
    assert whole == bytes(i % 251 for i in range(300_000))
    assert not [path for path in folder.rglob("*") if path.name.endswith(".new")]


def relative(folder):
    (folder / "work").mkdir()
    (folder / "inner").mkdir()
    guest(["relative"], ["--dir", f"{folder / 'work'}::.", "--dir", f"{folder / 'inner'}::inner"])
    assert (folder / "work/here").read_bytes() == b"1"
    assert (folder / "inner/there").read_bytes() == b"2"


def storage(folder):
    guest(["storage"], ["--dir", f"{folder}::/data"])
    names = sorted(path.name for path in folder.iterdir())
    assert names[0] == "m.rvf" and not any("lease" in name for name in names), names
    assert b"the fox" not in b"".join(path.read_bytes() for path in folder.iterdir())
    read_only(folder, ["locked"])


def fixed(folder):
    (folder / "file").write_bytes(b"kept")
    read_only(folder, ["read-only"])
    assert [path.name for path in folder.iterdir()] == ["file"]
    assert (folder / "file").read_bytes() == b"kept"


def read_only(folder, arguments):
    """Runs the guest as one who may read the folder and not write it."""
    for path in folder.iterdir():
        path.chmod(0o444)
    folder.chmod(0o555)
    # The rules do not hold for root.
    other, options = {}, ["--dir", f"{folder}::/data"]
    if os.geteuid() == 0 and IS_CORE:
        # Python itself may lie where others may not go.
        options += ["--user", str(NOBODY)]
    elif os.geteuid() == 0:
        other = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    # Wasmtime makes a folder in its home, whether it needs it or not.
    home = pathlib.Path(tempfile.mkdtemp(prefix="clawft-home-"))
    home.chmod(0o777)
    environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(home)}
    guest(arguments, options, env=environment, cwd="/", **other)
    folder.chmod(0o755)
    shutil.rmtree(home)


def environment(_):
    options = ["--env", "A=ä=b", "--env", "EMPTY="]
    guest(["environment", "two words", "", "ö"], options)


def clock(_):
    guest(["clock", str(int(time.time() * 1000))])


def random(_):
    guest(["random"])


def terminal(_):
    long = b"y" * 1_500_000
    lines = b"one\r\ntwo\n\n\xc3\xa4\xff\n" + long + b"\nlast"
    done = guest(["terminal"], stdin=lines)
    assert done.stderr == b"interactive: false\n", done.stderr
    limit = 1 << 20
    expected = [
        "é" * 5000,
        '3 "one"',
        '3 "two"',
        '0 ""',
        '5 "ä\ufffd"',
        f'{limit} "{"y" * 20}"',
        f'{1_500_000 - limit} "{"y" * 20}"',
        '4 "last"',
    ]
    assert done.stdout.decode().splitlines() == expected, done.stdout[-300:]
    assert guest(["terminal"]).stdout.decode() == "é" * 5000 + "\n"


def person(_):
    """The same at a terminal."""
    import pty

    ours, theirs = pty.openpty()
    command = [WASMTIME, *RUN, GUEST, "terminal"]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE)
    os.close(theirs)
    # The guest reads once more after the end, and in WAMR a terminal is then asked again.
    os.write(ours, b"hello\n\x04\x04")
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:
        pass  # how Linux says that the other end is closed
    # WAMR does not say of the standard streams what they are.
    expected = b"interactive: false\n" if IS_WAMR else b"interactive: true\n"
    assert process.stderr.read() == expected
    assert process.wait(LIMIT) == 0
    assert '5 "hello"' in shown.decode(), shown[-200:]


OTHERS = [files, relative, storage, fixed, environment, clock, random, terminal, person]


def main():
    failed, wanted = [], sys.argv[3:]

    def attempt(name, test):
        start = time.monotonic()
        try:
            said = test()
            print(f"ok      {name} ({time.monotonic() - start:.1f} s){said or ''}", flush=True)
        except (AssertionError, OSError, subprocess.SubprocessError) as why:
            failed.append(name)
            print(f"FAILED  {name}: {why}", flush=True)

    for name, arguments in http():
        if wanted and name not in wanted:
            continue
        attempt(f"http {name}", lambda: " " + guest(arguments).stdout.decode().strip())
    for test in OTHERS:
        if wanted and test.__name__ not in wanted:
            continue
        # Where others may go too: see `read_only`.
        folder = pathlib.Path(tempfile.mkdtemp(prefix="clawft-"))
        folder.chmod(0o755)
        attempt(test.__name__, lambda: test(folder))
        shutil.rmtree(folder)
    if failed:
        sys.exit(f"{len(failed)} failed: {', '.join(failed)}")


main()
