"""`clawft.wasm` as a person with Wasmtime has it: `component.py WASMTIME CLAWFT [CASE…]`.

The command line that serves is that of `docs/deployment/wasm.md`. Needs Python 3.11 and nothing else.
"""

import concurrent.futures
import contextlib
import http.client
import http.server
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

# No `__pycache__` beside the tests.
sys.dont_write_bytecode = True
from wasm_sections import sections  # noqa: E402

WASMTIME, CLAWFT = sys.argv[1:3]
LIMIT = 60
WRITERS = 20
# Tokens of the tests have nothing to hide.
TOKEN = "0123456789abcdef"


def command(folder, *arguments):
    return subprocess.run(
        [WASMTIME, "run", "-S", "http", "--dir", f"{folder}::/data", "--env", "CLAWFT_HOME=/data"]
        + [CLAWFT, *arguments],
        capture_output=True,
        timeout=LIMIT,
    )


def version(folder):
    done = command(folder, "version")
    assert done.returncode == 0 and done.stdout.startswith(b"clawft 0."), done
    assert command(folder, "nonsense").returncode == 2


def contents(_):
    """What it may do is written in it: no sockets, no programs, no more than 16 MiB."""
    binary = pathlib.Path(CLAWFT).read_bytes()
    assert b"wasi:http/outgoing-handler@0.2" in binary
    for name in ("wasi:cli/run", "wasi:http/incoming-handler", "clawft:memory/memory"):
        assert name.encode() in binary, name
    for name in ("wasi:sockets", "exec", "spawn", "process"):
        assert name.encode() not in binary, name
    cores = [content for kind, content in sections(binary) if kind == 1]
    memories = [content for core in cores for kind, content in sections(core) if kind == 5]
    # One memory, with a maximum, of 256 pages of 64 KiB.
    assert len(memories) == 1 and memories[0][:2] == b"\x01\x01", memories
    assert memories[0].endswith(b"\x80\x02"), memories
    core = max(cores, key=len)
    assert b"clawft_init_memory" in core


@contextlib.contextmanager
def served(folder, config="", **variables):
    """`wasmtime serve` over a data folder; its port."""
    (folder / "config.toml").write_text('[embedder]\nname = "hashed"\n' + config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    environment = {"CLAWFT_HOME": "/data", **variables}
    options = [word for pair in environment.items() for word in ("--env", "=".join(pair))]
    process = subprocess.Popen(
        [WASMTIME, "serve", "-S", "cli,http", "--dir", f"{folder}::/data", *options]
        + ["--addr", f"127.0.0.1:{port}", CLAWFT],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(LIMIT * 10):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
            assert process.poll() is None, "wasmtime serve has ended"
            time.sleep(0.1)
        yield port
    finally:
        process.kill()
        process.wait()


def ask(port, method, path, body=None, **headers):
    """Status and JSON of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(body, dict):
        body = json.dumps(body)
        headers.setdefault("content-type", "application/json")
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    body = response.read()
    got = response.status, json.loads(body) if body else response.headers["content-type"]
    connection.close()
    return got


def memory(folder):
    with served(folder) as port:
        assert ask(port, "GET", "/health")[1]["status"] == "ok"
        assert ask(port, "HEAD", "/health") == (200, "application/json")
        told = ask(port, "POST", "/v1/memory", {"text": "Ada trinkt grünen Tee"})
        assert told[0] == 201, told
        path = f"/v1/memory/{told[1]['id']}"
        status, found = ask(port, "POST", "/v1/memory/search", {"query": "grünen Tee"})
        assert status == 200 and found["memories"][0]["text"] == "Ada trinkt grünen Tee", found
        assert ask(port, "PUT", path, {"text": "Ada trinkt Kaffee"})[1]["text"] == "Ada trinkt Kaffee"
        assert ask(port, "DELETE", path)[0] == 200
        assert ask(port, "GET", path)[0] == 404
        assert ask(port, "POST", "/v1/memory", "x" * 300_000, content_type="application/json")[0] == 413
        assert ask(port, "POST", "/v1/memory", "text=1")[0] == 415
        assert ask(port, "GET", "/v1/memory", host="evil.example")[0] == 403
        assert ask(port, "GET", "/v1/memory", origin="http://evil.example")[0] == 403
    assert "grünen".encode() not in (folder / "memory.rvf").read_bytes()


def token(folder):
    with served(folder, CLAWFT_TOKEN=TOKEN, CLAWFT_HOSTS="box.example") as port:
        assert ask(port, "GET", "/v1/memory")[0] == 401
        assert ask(port, "GET", "/v1/memory", authorization="Bearer wrong")[0] == 401
        with_token = {"authorization": f"Bearer {TOKEN}"}
        assert ask(port, "GET", "/v1/memory", **with_token)[0] == 200
        assert ask(port, "GET", "/v1/memory", host="box.example", **with_token)[0] == 200
        assert ask(port, "GET", "/v1/memory", host="other.example", **with_token)[0] == 403


def writers(folder):
    """Twenty at once: nothing is lost. Who waited too long for the others is told to try again."""

    def write(port, number):
        text = f"number {number} likes the colour {number * 7919}"
        for _ in range(10):
            answer = ask(port, "POST", "/v1/memory", {"text": text})
            if answer[0] != 503:
                break
        return answer

    with served(folder) as port:
        with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
            answers = list(pool.map(lambda number: write(port, number), range(WRITERS)))
        assert [status for status, _ in answers] == [201] * WRITERS, answers
        ids = {answer["id"] for _, answer in answers}
        assert len(ids) == WRITERS
        assert all(ask(port, "GET", f"/v1/memory/{one}")[0] == 200 for one in ids)
        assert ask(port, "GET", "/v1/memory")[1]["records"] == WRITERS
    assert not list(folder.glob("*.lease*"))


def chat(folder):
    """An OpenAI client, answered offline: what it told before is cited, and no session is left."""
    with served(folder) as port:
        say = lambda text: ask(
            port, "POST", "/v1/chat/completions", {"messages": [{"role": "user", "content": text}]}
        )
        assert say("My cat is called Miro.")[0] == 200
        status, answer = say("What is my cat called?")
        assert status == 200 and answer["object"] == "chat.completion", answer
        assert "Miro" in answer["choices"][0]["message"]["content"], answer
        assert say("")[0] == 400
    assert not (folder / "sessions").exists()


class Model(http.server.BaseHTTPRequestHandler):
    """A provider that says one word, waits until it was heard, and says another."""

    heard = threading.Event()
    asked = []

    def do_POST(self):
        Model.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        chunk = lambda delta, finish=None: self.wfile.write(
            b"data: "
            + json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}).encode()
            + b"\n\n"
        )
        chunk({"content": "Miro"})
        assert Model.heard.wait(LIMIT)
        chunk({"content": " sleeps"})
        chunk({}, "stop")
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_):
        pass


def stream(folder):
    """A stream reaches the client as the provider sends it, not when it is whole."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    provider = f"""
[provider]
name = "openai"
model = "m"
base_url = "http://127.0.0.1:{server.server_port}/v1"
"""
    body = {"stream": True, "messages": [{"role": "user", "content": "What does Miro do?"}]}
    with served(folder, provider, OPENAI_API_KEY="sk-nothing-to-hide") as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
        connection.request(
            "POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json"}
        )
        response = connection.getresponse()
        assert response.headers["content-type"] == "text/event-stream", response.headers
        assert response.headers["x-content-type-options"] == "nosniff", response.headers
        events = []
        while line := response.readline():
            if line.startswith(b"data: "):
                events.append(line[6:].strip())
                # Only now does the provider go on.
                Model.heard.set()
        connection.close()
    server.shutdown()
    assert events.pop() == b"[DONE]", events
    choices = [json.loads(event)["choices"][0] for event in events]
    assert [choice["delta"].get("content") for choice in choices] == ["Miro", " sleeps", None]
    assert choices[-1]["finish_reason"] == "stop"
    assert Model.asked[0]["stream"] is True and Model.asked[0]["model"] == "m"


CASES = [version, contents, memory, token, writers, chat, stream]


def main(cases):
    failed, wanted = [], sys.argv[3:]
    for test in cases:
        if wanted and test.__name__ not in wanted:
            continue
        folder = pathlib.Path(tempfile.mkdtemp(prefix="clawft-"))
        start = time.monotonic()
        try:
            test(folder)
            print(f"ok      {test.__name__} ({time.monotonic() - start:.1f} s)", flush=True)
        except (AssertionError, OSError, ValueError, http.client.HTTPException) as why:
            failed.append(test.__name__)
            print(f"FAILED  {test.__name__}: {why!r}", flush=True)
        shutil.rmtree(folder)
    if failed:
        sys.exit(f"{len(failed)} failed: {', '.join(failed)}")


if __name__ == "__main__":
    main(CASES)
