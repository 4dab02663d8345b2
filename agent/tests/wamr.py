"""The agent in WAMR, through the host in C of `examples/wamr/`: `wamr.py HOST MODULE [CASE…]`.

MODULE is `clawft-agent.core.wasm`, or what was made of it ahead of time. What the host does about
HTTP is looked at through modules of a few lines that are made here, which return the very number
that they got. Needs PyPI's `wasmtime`, for its text format, and `openssl`, for a certificate.
"""

import contextlib
import http.server
import json
import os
import pathlib
import re
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

import wasmtime

HOST, MODULE = sys.argv[1:3]
LIMIT = 60
BAD_URL, DENIED, UNREACHABLE, TLS, TIMEOUT, BROKEN, MALFORMED, OTHER = range(-401, -409, -1)
PROVIDER = 5
OFFLINE = '[embedder]\nname = "hashed"\n\n[provider]\nname = "offline"\n'
KEY = ["--env", "OPENAI_API_KEY=sk-nothing-to-hide"]


def command(folder, config, *options):
    """The host over a data folder."""
    (folder / "device.toml").write_text(config)
    folders = ["--dir", f"{folder}::/data", "--env", "CLAWFT_HOME=/data"]
    return [HOST, *folders, "--config", folder / "device.toml", *options, MODULE]


def run(folder, config, options, *inputs, code=0, stdin="", **more):
    """What the host prints, and what it says besides."""
    words = [text if isinstance(text, str) else json.dumps(text) for text in inputs]
    done = subprocess.run(
        [*command(folder, config, *options), *words],
        input=stdin, capture_output=True, text=True, timeout=LIMIT, **more,
    )
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done.stdout, done.stderr


# The agent.


def offline(folder):
    """A talk without a model, and its memory after a restart; from the terminal too."""
    said, notes = run(
        folder, OFFLINE, ["--stats"],
        ["remember", "Ada drinks oolong tea"], "What does Ada drink?", ["ask", "And Ada?"],
    )
    assert said.count("oolong") == 2 and "remembered" in said, said
    engine, module = map(int, re.search(r"engine: (\d+) KiB at most; module: (\d+) KiB", notes).groups())
    assert module <= 16 << 10 and engine <= 2 << 10, notes
    said, _ = run(folder, OFFLINE, [], stdin='["recall","oolong"]\n\nWhat does Ada drink?\n')
    assert said.count("oolong") == 2, said
    _, notes = run(folder, OFFLINE, [], ["nonsense"], code=2)
    assert "nonsense" in notes and "(-302)" in notes, notes
    _, notes = run(folder, "[nonsense", [], "hello", code=3)
    assert "(-303)" in notes, notes
    return f"; engine {engine} KiB, module {module} KiB"


class Model(http.server.BaseHTTPRequestHandler):
    """A provider that says one word, waits until it was shown, and says another."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        server = self.server
        server.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        server.keys.append(self.headers["authorization"])
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.speak({"content": "Miro"})
        if not server.shown.wait(LIMIT / 2):
            server.asked.append("it was not shown")
        if server.is_cut:
            self.close_connection = True
            return
        self.speak({"content": " sleeps"})
        self.speak({}, "stop")
        self.chunk(b"data: [DONE]\n\n")
        self.chunk(b"")

    def speak(self, delta, finish=None):
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        self.chunk(b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n")

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def model(is_cut=False, certificate=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
    server.asked, server.keys, server.shown, server.is_cut = [], [], threading.Event(), is_cut
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def talking(port, scheme="http", host="127.0.0.1"):
    provider = f'name = "openai"\nmodel = "m"\nbase_url = "{scheme}://{host}:{port}/v1"\n'
    return f'[embedder]\nname = "hashed"\n[provider]\n{provider}'


def watched(server, folder, config, *options, inputs, **more):
    """Runs the host and tells the server when its first word came out of the host's output."""
    words = [json.dumps(one) if isinstance(one, list) else one for one in inputs]
    process = subprocess.Popen(
        [*command(folder, config, *options), *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, **more,
    )
    said, first = b"", None
    while part := os.read(process.stdout.fileno(), 65536):
        said += part
        if b"Miro" in said and not server.shown.is_set():
            first = said
            server.shown.set()
    notes = process.stderr.read().decode()
    return process.wait(LIMIT), said.decode(), notes, (first or b"").decode()


def turn(folder):
    """A streamed turn: the model goes on only when its first word came out of the host."""
    with model() as server:
        code, said, notes, first = watched(
            server, folder, talking(server.server_port), *KEY, "--allow", "127.0.0.1",
            inputs=[["remember", "My cat sleeps a lot"], "What does my cat do?", ["ask", "And where?"]],
        )
    assert code == 0, (code, said, notes)
    assert first.endswith("Miro") and "sleeps" not in first.replace("cat sleeps", ""), first
    assert said.count("Miro sleeps\n") == 2, said
    first, second = server.asked
    assert first["stream"] is True and "My cat sleeps a lot" in json.dumps(first), first
    assert "And where?" in json.dumps(second), second
    assert server.keys == ["Bearer sk-nothing-to-hide"] * 2


def broken(folder):
    """Nobody there, an answer that is cut, a host that is not allowed: the message is kept."""
    with model() as server:
        port = server.server_port
    allowed = [*KEY, "--allow", f"127.0.0.1:{port}"]
    _, notes = run(folder, talking(port), allowed, "Are you there?", code=PROVIDER)
    assert "127.0.0.1" in notes and "refused" in notes and "(-305)" in notes, notes
    assert "Are you there?" in (folder / "sessions/default.json").read_text()
    with model(is_cut=True) as server:
        server.shown.set()
        options = [*KEY, "--allow", "127.0.0.1"]
        _, notes = run(folder, talking(server.server_port), options, "Hello?", code=PROVIDER)
        assert "ended before" in notes, notes
        options = [*KEY, "--allow", "other.example", "--allow", "127.0.0.1:1"]
        _, notes = run(folder, talking(server.server_port), options, "Hello?", code=PROVIDER)
        assert "may not ask this host" in notes, notes


def secure(folder):
    """The same over TLS; without the root that signed for the other side there is no word sent."""
    certificate = folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", certificate, "-out", folder / "root.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    root = (folder / "root.pem").read_bytes()
    certificate.write_bytes(certificate.read_bytes() + root)
    with model(certificate=certificate) as server:
        port = server.server_port
        code, said, notes, _ = watched(
            server, folder, talking(port, "https", "localhost"), *KEY, "--allow", "localhost",
            inputs=["What does Miro do?"], env={"SSL_CERT_FILE": str(folder / "root.pem")},
        )  # fmt: skip
        assert code == 0 and said == "Miro sleeps\n", (code, said, notes)
        for host, roots in [("localhost", None), ("127.0.0.1", folder / "root.pem")]:
            options = [*KEY, "--allow", host]
            environment = {"SSL_CERT_FILE": str(roots)} if roots else {}
            config = talking(port, "https", host)
            _, notes = run(folder, config, options, "Hello?", code=PROVIDER, env=environment)
            assert "no secure connection" in notes and "erif" in notes, notes
        assert len(server.asked) == 1, server.asked


# The import, number by number.

MEMORY, REQUEST, TEXT, INTO = 1 << 16, 1024, 2048, 8192


def escaped(data):
    return "".join(f"\\{byte:02x}" for byte in data)


def request(url=b"http://127.0.0.1:1/", headers=b"", body=b"", limits=(900, 900, 900, 900), **other):
    """Bytes of a request at REQUEST, and of the texts that it leads to."""
    numbers = {
        "size": 48, "method": 1,
        "url_at": TEXT, "url_len": len(url),
        "headers_at": TEXT + len(url), "headers_len": len(headers),
        "body_at": TEXT + len(url + headers), "body_len": len(body),
    }  # fmt: skip
    values = {**numbers, **other}.values()
    return struct.pack("<12I", *values, *limits), url + headers + body


def module(path, asked, open_at=REQUEST, then=None):
    """A module whose `clawft_run` opens a request, reads all of the answer and returns the last
    number; or makes the call `then`, of which `H` is the handle."""
    head, texts = asked
    loop = f"(call $http (i32.const 2) (local.get $h) (i32.const {INTO}) (i32.const 64))"
    once = then and "(call $http " + " ".join(
        "(local.get $h)" if one == "H" else f"(i32.const {one})" for one in then
    ) + ")"
    last = f"(local.set $got {once})" if once else f"""
        (loop $more (local.set $got {loop}) (br_if $more (i32.gt_s (local.get $got) (i32.const 0))))"""
    nothing = "(result i32) (i32.const 0))"
    path.write_bytes(wasmtime.wat2wasm(f"""(module
      (import "clawft" "clawft_http" (func $http (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1 1)
      (data (i32.const {REQUEST}) "{escaped(head)}") (data (i32.const {TEXT}) "{escaped(texts)}")
      (func (export "clawft_abi_version") (result i32) (i32.const 1))
      (func (export "clawft_alloc") (param i32) (result i32) (i32.const 65000))
      (func (export "clawft_free") (param i32) {nothing}
      (func (export "clawft_init") (param i32 i32) {nothing}
      (func (export "clawft_output") (result i32) (i32.const {INTO}))
      (func (export "clawft_output_len") {nothing}
      (func (export "clawft_run") (param i32 i32) (result i32) (local $h i32) (local $got i32)
        (local.set $h (call $http (i32.const 0) (i32.const 0) (i32.const {open_at}) (i32.const 48)))
        (if (i32.lt_s (local.get $h) (i32.const 0)) (then (return (local.get $h))))
        {last}
        (drop (call $http (i32.const 3) (local.get $h) (i32.const 0) (i32.const 0)))
        (local.get $got)))"""))


def number(folder, *given, **named):
    """What `clawft_run` of such a module returns."""
    module(folder / "asks.wasm", *given, **named)
    words = [HOST, "--allow", "127.0.0.1", folder / "asks.wasm", "go"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT)
    found = re.search(r"\((-\d+)\)", done.stderr)
    assert found or done.returncode == 0, (done.returncode, done.stderr)
    return int(found[1]) if found else 0


class Server:
    """Sends what it is told, with pauses, to whoever asks, or says anything; then stays or goes."""

    def __init__(self, parts, stays=False, asked=b"\r\n\r\n"):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/".encode()
        self.parts, self.stays, self.asked = parts, stays, asked
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        connection, _ = self.listener.accept()
        with connection:
            connection.settimeout(10)
            got = b""
            while self.asked not in got or not got:
                part = connection.recv(65536)
                if not part:
                    return
                got += part
            for part in self.parts:
                if isinstance(part, float):
                    time.sleep(part)
                else:
                    with contextlib.suppress(OSError):
                        connection.sendall(part)
            with contextlib.suppress(OSError):
                while self.stays and connection.recv(65536):
                    pass
        self.listener.close()


def numbers(folder):
    """Each way in which a request fails, with its number."""
    head, chunked = b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    dripping = [chunked, *[part for _ in range(40) for part in (b"1\r\n.\r\n", 0.05)]]
    for name, code, parts, stays, limits in [
        ("whole", 0, [head + b"content-length: 3\r\n\r\nabc"], True, None),
        ("in chunks", 0, [chunked + b"3;x=y\r\nab", b"c\r\n0\r\nx: y\r\n\r\n"], True, None),
        ("to the end", 0, [head + b"\r\nabc"], False, None),
        ("after another", 0, [b"HTTP/1.1 103 Early\r\n\r\n" + head + b"content-length: 0\r\n\r\n"], True, None),
        ("without a body", 0, [b"HTTP/1.1 204 Nothing\r\n\r\n"], True, None),
        ("no first byte", TIMEOUT, [], True, (900, 200, 900, 5000)),
        ("none between", TIMEOUT, [chunked, b"1\r\n.\r\n"], True, (900, 900, 200, 5000)),
        ("no more in all", TIMEOUT, dripping, False, (900, 900, 900, 500)),
        ("cut in the head", BROKEN, [head + b"content-"], False, None),
        ("cut", BROKEN, [head + b"content-length: 9\r\n\r\nabc"], False, None),
        ("cut in a chunk", BROKEN, [chunked + b"9\r\nabc"], False, None),
        ("cut before the last chunk", BROKEN, [chunked + b"3\r\nabc\r\n"], False, None),
        ("gone at once", BROKEN, [], False, None),
        ("mail", MALFORMED, [b"220 mail.example ready\r\n"], True, None),
        ("mail without an end", MALFORMED, [b"220 mail"], True, None),
        ("no number", MALFORMED, [head + b"content-length: -1\r\n\r\n"], True, None),
        ("two lengths", MALFORMED, [head + b"content-length: 1\r\ncontent-length: 2\r\n\r\n"], True, None),
        ("another coding", MALFORMED, [head + b"transfer-encoding: gzip\r\n\r\n"], True, None),
        ("no chunk", MALFORMED, [chunked + b"xyz\r\n"], True, None),
        ("a chunk too long", MALFORMED, [chunked + b"1\r\nab\r\n"], True, None),
    ]:
        server = Server(parts, stays)
        limits = limits or (5000,) * 4
        start = time.monotonic()
        found = number(folder, request(server.url, limits=limits))
        assert found == code, (name, code, found)
        assert time.monotonic() - start < 4, name
    gone = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{gone.getsockname()[1]}/".encode()
    gone.close()
    assert number(folder, request(url)) == UNREACHABLE
    # A port that takes no more connections, and refuses none either.
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    others = [socket.socket() for _ in range(4)]
    for other in others:
        other.setblocking(False)
        other.connect_ex(full.getsockname())
    url = f"http://127.0.0.1:{full.getsockname()[1]}/".encode()
    assert number(folder, request(url, limits=(200, 900, 900, 5000))) == TIMEOUT
    for one in [*others, full]:
        one.close()
    server = Server([b"220 no TLS here\r\n"], asked=b"")
    assert number(folder, request(server.url.replace(b"http:", b"https:"))) == TLS


def pointers(folder):
    """Numbers that a module may not give: a number comes back, and nothing is touched."""
    end = MEMORY
    for name, asked, place in [
        ("behind the end", request(), end + 1),
        ("over the end", request(), end - 47),
        ("at the very end of all", request(), 0xFFFFFFFF),
        ("of another size", request(size=47), REQUEST),
        ("no method", request(method=3), REQUEST),
        ("URL over the end", request(url_at=end - 4, url_len=5), REQUEST),
        ("URL of all bytes", request(url_at=1, url_len=0xFFFFFFFF), REQUEST),
        ("headers behind the end", request(headers_at=0xFFFFFFFF, headers_len=2), REQUEST),
        ("body of all bytes", request(body_at=16, body_len=0xFFFFFFFE), REQUEST),
    ]:
        assert number(folder, asked, open_at=place) == OTHER, name
    for url in [b"", b"ftp://127.0.0.1/", b"http:///", b"http://127.0.0.1", b"http://a:b@127.0.0.1/",
                b"http://127.0.0.1:/", b"http://127.0.0.1:999999/", b"http://127.0.0.1/a b",
                b"http://[::1/", b"http://127.0.0.1/\r\nx: y", b"http://" + b"a" * 300 + b"/"]:  # fmt: skip
        assert number(folder, request(url)) == BAD_URL, url
    for url in [b"http://example.com/", b"http://127.0.0.1.example.com/", b"http://127.0.0.2/"]:
        assert number(folder, request(url)) == DENIED, url
    for headers in [b"a: b\r\n\r\nGET /two HTTP/1.1\r\n", b"a: b", b"a: b\n", b"\r\n", b"a: b\rc: d\r\n"]:
        assert number(folder, request(headers=headers)) == DENIED, headers
    for call, code in [
        ((9, "H", INTO, 4), OTHER),
        ((2, 77, INTO, 4), OTHER),
        ((2, 0xFFFFFFFF, INTO, 4), OTHER),
        ((3, 1, 0, 0), OTHER),
        ((2, "H", end - 3, 4), OTHER),
        ((2, "H", 8, 0xFFFFFFFF), OTHER),
        ((1, "H", end, 1), OTHER),
        ((4, "H", end - 3, 4), OTHER),
        ((4, "H", end, 0), 0),
    ]:
        server = Server([b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"])
        assert number(folder, request(server.url), then=call) == code, call


CASES = (offline, turn, broken, secure, numbers, pointers)


def main():
    wanted = sys.argv[3:]
    unknown = set(wanted) - {case.__name__ for case in CASES}
    assert not unknown, unknown
    for test in CASES:
        if wanted and test.__name__ not in wanted:
            continue
        start = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="clawft-") as folder:
            said = test(pathlib.Path(folder))
        print(f"ok      {test.__name__} ({time.monotonic() - start:.1f} s{said or ''})", flush=True)


main()
