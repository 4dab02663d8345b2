"""`wasmtime serve` behind a proxy: `proxy.py WASMTIME CLAWFT NGINX [CASE…]`.

The configuration is `docs/deployment/nginx.conf`, with other ports. What the guide warns of is tried
too, each line of the configuration taken out or turned round. Needs Python 3.11, nginx and openssl.
"""

import contextlib
import http.client
import http.server
import json
import pathlib
import socket
import ssl
import subprocess
import sys
import threading
import time

import component
from component import LIMIT, TOKEN, Model, served

NGINX = sys.argv.pop(3)
CONFIGURATION = pathlib.Path(__file__).parents[2] / "docs/deployment/nginx.conf"
NAME = "memory.example"
WITH_TOKEN = {"authorization": f"Bearer {TOKEN}"}
GUARDED = {"CLAWFT_TOKEN": TOKEN, "CLAWFT_HOSTS": NAME}
# Long enough that a part which is not held back has come, short enough to wait for.
WHILE = 2


@contextlib.contextmanager
def proxied(folder, port, *changes):
    """nginx in front of a port; gives what opens a connection to it by a name."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        own = listener.getsockname()[1]
    text = CONFIGURATION.read_text()
    for old, new in [(":8080", f":{port}"), (":8443", f":{own}"), *changes]:
        assert old in text, old
        text = text.replace(old, new)
    place = folder / "proxy"
    place.mkdir(exist_ok=True)
    (place / "nginx.conf").write_text(text)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
        + ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
        + ["-keyout", place / "key.pem", "-out", place / "cert.pem"],
        check=True,
        capture_output=True,
    )
    process = subprocess.Popen(
        [NGINX, "-p", place, "-c", "nginx.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    trusted = ssl.create_default_context(cafile=place / "cert.pem")

    def connect(name=NAME):
        connection = http.client.HTTPSConnection(name, own, timeout=LIMIT)
        plain = socket.create_connection(("127.0.0.1", own), LIMIT)
        connection.sock = trusted.wrap_socket(plain, server_hostname=name)
        return connection

    try:
        for _ in range(LIMIT * 10):
            with contextlib.suppress(OSError):
                connect().close()
                break
            assert process.poll() is None, (place / "error.log").read_text()
            time.sleep(0.1)
        yield connect
    finally:
        process.terminate()
        process.wait()


def ask(connect, method, path, body=None, **headers):
    """Status and body of an answer."""
    connection = connect()
    if body is not None:
        headers["content-type"] = "application/json"
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    got = response.status, response.read()
    connection.close()
    return got


@contextlib.contextmanager
def provider(handler):
    """A provider on loopback; the part of the config that names it."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/v1"
    yield f'[provider]\nname = "openai"\nmodel = "m"\nbase_url = "{url}"\n'
    server.shutdown()


def guard(folder):
    """The token, the name and the page that asks, as they arrive through the proxy."""
    with served(folder, **GUARDED) as port, proxied(folder, port) as connect:
        assert ask(connect, "GET", "/v1/memory")[0] == 401
        assert ask(connect, "GET", "/v1/memory", **WITH_TOKEN)[0] == 200
        own = {"origin": f"https://{NAME}:{connect().port}", **WITH_TOKEN}
        assert ask(connect, "GET", "/v1/memory", **own)[0] == 200
        foreign = {"origin": "https://evil.example", **WITH_TOKEN}
        assert ask(connect, "GET", "/v1/memory", **foreign)[0] == 403
        try:
            connect("other.example")
            raise AssertionError("another name got a connection")
        except ssl.SSLError as why:
            assert "UNRECOGNIZED_NAME" in str(why).upper(), why
        assert ask(connect, "POST", "/v1/memory", b"x" * 300_000, **WITH_TOKEN)[0] == 413


def no_host(folder):
    """Without the request's own `Host` a page of this very server counts as a foreign one."""
    line = "proxy_set_header Host $http_host;"
    with served(folder, **GUARDED) as port, proxied(folder, port, (line, "")) as connect:
        assert ask(connect, "GET", "/v1/memory", **WITH_TOKEN)[0] == 200
        own = {"origin": f"https://{NAME}:{connect().port}", **WITH_TOKEN}
        assert ask(connect, "GET", "/v1/memory", **own)[0] == 403


def no_token(folder):
    """Why a token comes first: by nginx's own `Host` everybody counts as this machine."""
    with served(folder) as port:
        with proxied(folder, port) as connect:
            assert ask(connect, "GET", "/v1/memory")[0] == 403
        with proxied(folder, port, ("proxy_set_header Host $http_host;", "")) as connect:
            assert ask(connect, "GET", "/v1/memory")[0] == 200


def stream(folder):
    """Without buffering a word is there before the next is made; with it, it is not."""
    body = json.dumps({"stream": True, "messages": [{"role": "user", "content": "What does Miro do?"}]})
    headers = {"content-type": "application/json", **WITH_TOKEN}
    buffered = ("proxy_buffering off;", "proxy_buffering on;")
    for changes, comes in (([], True), ([buffered], False)):
        Model.heard.clear()
        with (
            provider(Model) as config,
            served(folder, config, OPENAI_API_KEY="sk-nothing-to-hide", **GUARDED) as port,
            proxied(folder, port, *changes) as connect,
        ):
            connection = connect()
            connection.request("POST", "/v1/chat/completions", body, headers)
            # The first word is there before the provider goes on, or nothing is.
            time.sleep(WHILE)
            connection.sock.settimeout(WHILE)
            try:
                first = connection.sock.recv(65_536)
            except TimeoutError:
                first = b""
            assert (b"Miro" in first) == comes, first
            connection.sock.settimeout(LIMIT)
            Model.heard.set()
            rest = first
            while b"[DONE]" not in rest and (part := connection.sock.recv(65_536)):
                rest += part
            assert b" sleeps" in rest and b"[DONE]" in rest, rest
            connection.close()


class Slow(Model):
    """A provider that thinks first."""

    def do_POST(self):
        time.sleep(WHILE + 1)
        Model.heard.set()
        super().do_POST()


def patience(folder):
    """A model that thinks longer than the proxy waits is cut off."""
    body = json.dumps({"messages": [{"role": "user", "content": "What does Miro do?"}]})
    short = ("proxy_read_timeout 620s;", f"proxy_read_timeout {WHILE - 1}s;")
    with (
        provider(Slow) as config,
        served(folder, config, OPENAI_API_KEY="sk-nothing-to-hide", **GUARDED) as port,
    ):
        with proxied(folder, port, short) as connect:
            assert ask(connect, "POST", "/v1/chat/completions", body, **WITH_TOKEN)[0] == 504
        with proxied(folder, port) as connect:
            status, answer = ask(connect, "POST", "/v1/chat/completions", body, **WITH_TOKEN)
            assert status == 200 and b"Miro sleeps" in answer, answer


if __name__ == "__main__":
    component.main([guard, no_host, no_token, stream, patience])
