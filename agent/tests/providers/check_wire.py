"""Both providers against a server that checks each request and cuts each answer.

Usage: check_wire.py PROGRAM

Every request is validated against the vendor's OpenAPI document and its headers are looked at.
Every answer is in the vendor's wire format (validated against the same document), whole and as a
stream, and streams come cut in two at each byte, and byte by byte.
"""

import concurrent.futures
import json
import socket
import socketserver
import sys
import threading
import time

from asker import KEYS, Asker
from specs import Spec, prove_strict
from wires import CALLS, WIRES, expected

# A part has to leave before the next one: without a pause both may arrive in one read.
PAUSE = 0.0005
ASKERS = 4

ANSWERS = {"end": ("end", []), "tools": ("tools", CALLS), "length": ("length", [])}
HEADERS = {"host", "content-type", "content-length", "accept"}


class Server(socketserver.ThreadingTCPServer):
    """Answers to /VENDOR/ANSWER/CUT/…"""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, specs):
        super().__init__(("127.0.0.1", 0), Handler)
        self.specs = specs
        self.lock = threading.Lock()
        self.faults = []
        self.seen = {}
        self.count = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, vendor, answer, cut):
        """A base URL that asks for an answer, and how it is cut."""
        port = self.server_address[1]
        version = "/v1" if vendor == "openai" else ""
        return f"http://127.0.0.1:{port}/{vendor}/{answer}/{cut}{version}"

    def check(self, vendor, path, headers, body):
        """Looks at a request; one whose bytes were looked at before is sound if those were."""
        faults = []
        wanted = f"/v1{WIRES[vendor].path}" if vendor == "openai" else WIRES[vendor].path
        if path != wanted:
            faults.append(f"{path} was asked instead of {wanted}")
        if vendor == "openai":
            own = {"authorization": f"Bearer {KEYS['OPENAI_API_KEY']}"}
        else:
            own = {"x-api-key": KEYS["ANTHROPIC_API_KEY"], "anthropic-version": "2023-06-01"}
        own["content-type"] = "application/json"
        faults += [
            f"header {name} is {headers.get(name)}, not {value}"
            for name, value in own.items()
            if headers.get(name) != value
        ]
        faults += [f"header {name}" for name in headers if name not in HEADERS | set(own)]
        with self.lock:
            known = self.seen.get((vendor, body))
        if known is None:
            known = self.specs[vendor].faults("request", json.loads(body))
        with self.lock:
            self.count += 1
            self.seen[vendor, body] = known
            self.faults += [f"{vendor}: {fault}" for fault in faults + known]
        return json.loads(body)


class Handler(socketserver.StreamRequestHandler):
    """One request."""

    disable_nagle_algorithm = True

    def handle(self):
        method, path, _ = self.rfile.readline().decode().split(" ")
        headers = {}
        while line := self.rfile.readline().decode().strip():
            name, value = line.split(":", 1)
            headers[name.lower()] = value.strip()
        body = self.rfile.read(int(headers["content-length"]))
        _, vendor, answer, cut, rest = path.split("/", 4)
        asked = self.server.check(vendor, f"/{rest}", headers, body)
        assert method == "POST"
        stop, calls = ANSWERS[answer]
        wire = WIRES[vendor]
        if asked["stream"]:
            self.send("text/event-stream", wire.stream(wire.events(stop, calls)), cut)
        else:
            self.send("application/json", json.dumps(wire.whole(stop, calls)).encode(), cut)

    def send(self, kind, body, cut):
        """Sends a body as HTTP's chunks, or up to the end of the connection, in turn."""
        chunked = cut == "single" or cut == "whole" or int(cut) % 2 == 0
        length = "transfer-encoding: chunked" if chunked else "connection: close"
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n{length}\r\n\r\n"
        self.wfile.write(head.encode())
        if cut == "single":
            frames = [body[at : at + 1] for at in range(len(body))]
        elif cut == "whole":
            frames = [body]
        else:
            frames = [body[: int(cut)], body[int(cut) :]]
        for frame in filter(None, frames):
            if chunked:
                frame = b"%x\r\n%s\r\n" % (len(frame), frame)
            self.wfile.write(frame)
            if cut not in ("single", "whole"):
                time.sleep(PAUSE)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")
        try:
            self.connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # A client that has its answer may go first.


def histories():
    """Histories that a conversation comes to."""
    call = lambda id, arguments: {"id": id, "name": "memory_search", "arguments": arguments}
    result = lambda id, failed: {
        "result": id, "name": "memory_search", "content": f"of {id}\n\x1b", "failed": failed
    }
    hello = {"user": "Wo ist der „Schlüssel“? 𝄞\n\\ \"x\""}
    called = {"assistant": "", "calls": [call("a", '{"query":"x"}'), call("b:2", "")]}
    results = [result("a", False), result("b:2", True)]
    nonsense = {"assistant": "Ich suche.", "calls": [call("c", '{"query": nonsense')]}
    yield [hello]
    yield [hello, {"assistant": "Unter der Matte."}, {"user": "danke"}]
    yield [hello, called, *results]
    yield [hello, called, *results, {"user": "und?"}]
    yield [hello, called, *results, {"assistant": "so"}, hello, nonsense, result("c", True)]
    yield [hello, {"assistant": " "}, {"user": "noch da?"}]


def questions():
    """Questions of every kind."""
    for messages in histories():
        for stream in (False, True):
            for more in (
                {},
                {"system": "Du bist clawft.\n<memory id=\"1\">…</memory>", "tools": True},
                {"temperature": 0.7, "max_tokens": 1},
            ):
                yield {"model": "a-model", "messages": messages, "stream": stream, **more}


def check(asker, question, answer, cut, server):
    """Asks, and holds what came against what it should be."""
    vendor = question["provider"]
    url = server.url(vendor, answer, cut)
    found = asker.ask({**question, "base_url": url, "retries": 0})
    shown = found.pop("shown", None)
    stop, calls = ANSWERS[answer]
    wanted = expected(stop, calls)
    # An object comes as an object: its text is the client's own. Empty ones may have none.
    for each in (found, wanted):
        for call in each.get("calls", []):
            if vendor == "anthropic":
                call["arguments"] = json.loads(call["arguments"] or "{}")
    assert found == wanted, f"{vendor}, {answer}, cut {cut}: {found}"
    assert (shown > 1) == question["stream"], f"{vendor}: shown in {shown} parts"


def main(program):
    begun = time.monotonic()
    specs = {vendor: Spec(vendor) for vendor in WIRES}
    prove_strict(specs)
    for vendor, wire in WIRES.items():
        for stop, calls in ANSWERS.values():
            faults = specs[vendor].faults("answer", wire.whole(stop, calls))
            for event in wire.events(stop, calls):
                faults += specs[vendor].faults("event", event)
            assert not faults, f"the tests' own answers of {vendor}: {faults}"

    server = Server(specs)
    jobs = []
    for vendor, wire in WIRES.items():
        for question in questions():
            for answer in ANSWERS:
                jobs.append(({"provider": vendor, **question}, answer, "whole"))
        hello = {"provider": vendor, "model": "m", "messages": [{"user": "hello"}]}
        for stream, body in (
            (True, wire.stream(wire.events("tools", CALLS))),
            (False, json.dumps(wire.whole("tools", CALLS)).encode()),
        ):
            question = {**hello, "stream": stream}
            jobs += [(question, "tools", cut) for cut in ["single", *range(len(body) + 1)]]
    askers = [Asker(program) for _ in range(ASKERS)]
    try:
        with concurrent.futures.ThreadPoolExecutor(ASKERS) as pool:
            work = lambda at: [check(askers[at], *job, server) for job in jobs[at::ASKERS]]
            list(pool.map(work, range(ASKERS)))
    finally:
        for asker in askers:
            asker.close()
    assert not server.faults, "\n".join(sorted(set(server.faults)))
    assert server.count == len(jobs), f"{server.count} requests for {len(jobs)} questions"
    print(
        f"providers, wire formats: {server.count} requests ({len(server.seen)} different ones) "
        f"valid by the vendors' documents, as many answers read right, "
        f"{time.monotonic() - begun:.1f} s"
    )


if __name__ == "__main__":
    main(sys.argv[1])
