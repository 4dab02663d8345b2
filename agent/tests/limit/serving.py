"""Over HTTP."""

import contextlib
import http.client
import json
import socket
import subprocess
import threading
import time

from command import CLAWFT, FACT, LIMIT, MB, WASMTIME, begun

def requests(folder):
    """Bodies, headers and paths that are too large, to `wasmtime serve`."""
    begun(folder)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    process = subprocess.Popen(
        [WASMTIME, "serve", "-S", "cli,http", "--dir", f"{folder}::/data", "--env", "CLAWFT_HOME=/data"]
        + ["--addr", f"127.0.0.1:{port}", CLAWFT],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    noted = []
    reader = threading.Thread(target=lambda: noted.extend(process.stderr), daemon=True)
    reader.start()

    def ask(method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        except ConnectionError:
            # Refused before all of it was sent.
            return 0, b""
        finally:
            connection.close()

    def lives():
        status, body = ask("POST", "/v1/memory/search", '{"query": "oolong"}', content_type="application/json")
        assert status == 200 and FACT.encode() in body, (status, body)

    try:
        for _ in range(600):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
            time.sleep(0.1)
        lives()
        # Who is refused by what the headers show is not waited for.
        with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as silent:
            silent.sendall(b"POST /v1/memory HTTP/1.1\r\nhost: evil.example\r\ncontent-length: 9\r\n\r\n")
            assert silent.recv(12) == b"HTTP/1.1 403"
        kind = {"content_type": "application/json"}
        for path in ("/v1/memory", "/v1/chat/completions", "/v1/memory/search"):
            status, body = ask("POST", path, b"x" * (100 * MB), **kind)
            assert status in (0, 413), (path, status, body)
            lives()
        for body in (b"[" * 200_000, b"[" + b"0," * 120_000 + b"0]", b'{"text":"' + b"x" * 200_000 + b'"}'):
            status, answer = ask("POST", "/v1/memory", body, **kind)
            assert 400 <= status < 500 and b"error" in answer, (body[:20], status, answer)
        messages = json.dumps({"messages": [{"role": "user", "content": "x"}] * 6000})
        status, answer = ask("POST", "/v1/chat/completions", messages, **kind)
        assert 200 <= status < 500, (status, answer[:300])
        lives()
        many = {f"x-number-{number}": "v" * 100 for number in range(90)}
        assert ask("GET", "/v1/memory", **many)[0] == 200
        # What the engine takes of them, it may say; a request that reaches us is answered.
        for many in (
            {f"x-number-{number}": "v" * 1000 for number in range(95)},
            {f"x-number-{number}": "v" for number in range(5000)},
            {"x-long": "v" * 300_000},
        ):
            status, _ = ask("GET", "/v1/memory", **many)
            assert status == 0 or 200 <= status < 500, status
            lives()
        status, _ = ask("GET", "/v1/memory/" + "9" * 60_000)
        assert status == 0 or 400 <= status < 500, status
        status, body = ask("POST", "/v1/memory/search", '{"query": "oolong", "limit": 4000000000}', **kind)
        assert status in (200, 400), (status, body)
        lives()
    finally:
        process.kill()
        process.wait()
    reader.join(5)
    trapped = [line for line in noted if b"trap" in line or b"unreachable" in line]
    assert not trapped, trapped
