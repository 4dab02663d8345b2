"""A provider that says what a case wants, sound or far too large."""

import contextlib
import http.server
import json
import threading

from command import HASHED

class Talker(http.server.BaseHTTPRequestHandler):
    """A provider that says what the test wants, the next thing each time it is asked."""

    def do_POST(self):
        length = int(self.headers["content-length"] or 0)
        self.server.asked.append(self.rfile.read(length))
        answers = self.server.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        with contextlib.suppress(ConnectionError):
            answer(self)

    do_GET = do_POST

    def begin(self, kind, status=200, **headers):
        self.send_response(status)
        self.send_header("content-type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def log_message(self, *_):
        pass


def chunk(delta, finish=None):
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def filler(out, size, part=b"x" * 65536):
    for _ in range(size // len(part) + 1):
        out.write(part)


def whole(size):
    """An answer in one piece."""

    def answer(self):
        self.begin("application/json")
        self.wfile.write(b'{"choices":[{"index":0,"finish_reason":"stop","message":{"content":"')
        filler(self.wfile, size)
        self.wfile.write(b'"}}]}')

    return answer


def streamed(size, letter="x"):
    """An answer of so many bytes, a little at a time."""

    def answer(self):
        self.begin("text/event-stream")
        part = chunk({"content": letter * 4000})
        for _ in range(size // 4000 + 1):
            self.wfile.write(part)
        self.wfile.write(chunk({}, "stop") + b"data: [DONE]\n\n")

    return answer


def line(size):
    """A stream whose first event never ends."""

    def answer(self):
        self.begin("text/event-stream")
        self.wfile.write(b'data: {"choices":[{"index":0,"delta":{"content":"')
        filler(self.wfile, size)
        self.wfile.write(b'"}}]}\n\n' + chunk({}, "stop"))

    return answer


def lines(size):
    """An event of data without an end, and comments without one."""

    def answer(self):
        self.begin("text/event-stream")
        filler(self.wfile, size, b": nothing\n" * 4096)
        filler(self.wfile, size, b"data: x\n" * 4096)

    return answer


def values(size):
    """JSON that takes most memory for its bytes."""

    def answer(self):
        self.begin("application/json")
        self.wfile.write(b'{"choices":[')
        filler(self.wfile, size, b"0," * 32768)
        self.wfile.write(b"0]}")

    return answer


def nested(size):
    """The same in depth."""

    def answer(self):
        self.begin("application/json")
        filler(self.wfile, size, b"[" * 65536)

    return answer


def refusal(size):
    """A status that says no, and says why at length."""

    def answer(self):
        self.begin("application/json", 400)
        self.wfile.write(b'{"error":{"message":"')
        filler(self.wfile, size)
        self.wfile.write(b'"}}')

    return answer


def calls(size):
    """More calls of tools, with longer arguments, than anybody makes."""

    def answer(self):
        self.begin("text/event-stream")
        for number in range(size // 1000):
            call = {"index": number, "id": f"c{number}", "function": {"name": "t", "arguments": "x" * 1000}}
            self.wfile.write(chunk({"tool_calls": [call]}))
        self.wfile.write(chunk({}, "tool_calls"))

    return answer


def headers(size):
    def answer(self):
        self.begin("application/json", large="x" * size)
        self.wfile.write(b"{}")

    return answer


def said(text):
    """A sound answer."""

    def answer(self):
        self.begin("text/event-stream")
        self.wfile.write(chunk({"content": text}) + chunk({}, "stop") + b"data: [DONE]\n\n")

    return answer


def called(name, **arguments):
    """A sound answer that calls a tool."""

    def answer(self):
        self.begin("text/event-stream")
        call = {"index": 0, "id": "c1", "function": {"name": name, "arguments": json.dumps(arguments)}}
        self.wfile.write(chunk({"tool_calls": [call]}) + chunk({}, "tool_calls") + b"data: [DONE]\n\n")

    return answer


@contextlib.contextmanager
def provider(*answers):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Talker)
    server.answers, server.asked, server.daemon_threads = list(answers), [], True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.config = HASHED + (
        f'[provider]\nname = "openai"\nmodel = "m"\nbase_url = "http://127.0.0.1:{server.server_port}/v1"\n'
    )
    yield server
    server.shutdown()
    server.server_close()


TALKS = [whole, streamed, line, lines, values, nested, refusal, calls]
