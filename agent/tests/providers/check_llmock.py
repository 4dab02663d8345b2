"""Both providers against llmock, a server that breaks on demand and judges its client.

Usage: check_llmock.py PROGRAM

Each case queues faults, asks, looks at what came, and wants llmock's verdict without a finding, be
it a warning. After a fault that leaves a part of the answer with the person, nothing may be
repeated by itself: the program has to fail and say so, and then this script asks again, as a
person would. One rule of llmock's is wrong for us and has no case here: it calls it a lack of
patience when an account without credit is not asked again.
"""

import json
import sys
import threading
import time

from llmock.chaos import StreamChaos
from llmock.scenarios import (
    Delay, Fail, Reply, SlowFirstToken, StreamFault, ToolCall, ToolFault,
)
from llmock.testing import LLMockServer
from llmock.verdict import judge

from asker import Asker

TEXT = "Der Schlüssel liegt unter der blauen Matte vor der Tür."
# So that a client that hangs up is seen to do so before the stream is through.
CHUNK_DELAY = 15
# Chunks before the first that has text.
BEFORE_TEXT = {"openai": 1, "anthropic": 3}
FAULTS = ("truncate", "disconnect", "malformed", "stall")
# Short, so that a stall is one; the server's own waits are longer.
LIMITS = {"first_byte": 1200, "between_bytes": 800}


def valid(text):
    """Whether it is JSON."""
    try:
        json.loads(text)
        return True
    except ValueError:
        return False


class Cases:
    """A part of the cases: those of one vendor with whole answers, with streams, or with streams
    that break in one way. Most of their time is waiting, so each part has a server and a program of its own."""

    def __init__(self, vendor, part, program):
        self.vendor = vendor
        self.part = part
        self.asker = Asker(program)
        self.server = LLMockServer()
        self.count = 0

    def run(self):
        """All of them."""
        with self.server, self.asker:
            self.server.state.stream_chaos = StreamChaos(chunk_delay_ms=CHUNK_DELAY)
            if self.part in FAULTS:
                self.broken(self.part)
                return
            stream = self.part == "streamed"
            for step in (self.sound, self.refusals, self.failures, self.slow, self.tools):
                step(stream)

    def ask(self, stream, *faults, attempts=1, again=False, tools=False, messages=None):
        """Asks once under these faults; `again`: and once more, because it failed."""
        self.count += 1
        state = self.server.state
        state.reset()
        if not any(isinstance(fault, (Reply, ToolFault)) for fault in faults) and not tools:
            faults = (*faults, Reply(text=TEXT, times=None))
        state.scenarios.add(*faults)
        question = {
            "provider": self.vendor,
            "base_url": self.server.base_url(self.vendor),
            "model": "gpt-4o" if self.vendor == "openai" else "claude-haiku-4-5",
            "messages": messages or [{"user": f"Wo ist der Schlüssel? {self.count}"}],
            "stream": stream,
            "tools": tools,
            **LIMITS,
        }
        found = self.asker.ask(question)
        if again:
            assert "error" in found, f"{faults}: taken for an answer: {found}"
            assert found["partial"] and TEXT.startswith(found["partial"]), found
            # A person is not faster, and the server has to see that the client has gone.
            time.sleep(0.3)
            second = self.asker.ask(question)
            assert second.get("text") == TEXT, second
        verdict = judge(state.journal.records(wait=2))
        assert not verdict.findings, f"{self.vendor}, {faults}:\n{verdict.render()}"
        records = state.journal.records()
        assert len(records) == attempts, f"{self.vendor}, {faults}: {len(records)} attempts"
        return found

    def said(self, stream, *faults, **more):
        """The same, and the answer is right."""
        found = self.ask(stream, *faults, **more)
        assert found.get("text") == TEXT, f"{faults}: {found}"
        assert found["stop"] == "End" and found["input"] and found["output"], found

    def failed(self, stream, *faults, **more):
        """The same, and the error's sentence names the host."""
        found = self.ask(stream, *faults, **more)
        assert "127.0.0.1" in found.get("error", ""), f"{faults}: {found}"
        return found

    def sound(self, stream):
        self.said(stream)
        self.said(stream, Delay(0.2))
        if stream:
            self.said(stream, SlowFirstToken(0.2))

    def refusals(self, stream):
        for status in (400, 401, 402, 403, 404, 413, 422):
            found = self.failed(stream, Fail(status))
            assert found["status"] == status, found

    def failures(self, stream):
        for status in (408, 409, 429, 500, 502, 503, 504, 529):
            self.said(stream, Fail(status, retry_after=0.1), attempts=2)
        self.said(stream, Fail(429, retry_after=0.4, times=2), attempts=3)
        # Without a wait that is asked for: the client's own.
        self.said(stream, Fail(507, times=2), attempts=3)
        found = self.failed(stream, Fail(503, retry_after=0.1, times=None), attempts=3)
        assert found["status"] == 503 and "tried 3 times" in found["error"], found

    def slow(self, stream):
        # Nothing before the first byte: given up and tried again. llmock sees two calls there.
        self.said(stream, Delay(2.5), attempts=2)

    def tools(self, stream):
        arguments = {"query": "Schlüssel „blau“ und so weiter, länger als ein Teil"}
        call = ToolCall("memory_search", arguments)
        found = self.ask(stream, Reply(tool_calls=(call,)), tools=True)
        assert found["stop"] == "Tools", found
        assert [each["name"] for each in found["calls"]] == ["memory_search"], found
        called = {"assistant": found["text"], "calls": found["calls"]}
        result = {"result": found["calls"][0]["id"], "name": "memory_search", "content": "blau"}
        messages = [{"user": "Wo?"}, called, result]
        found = self.ask(stream, tools=True, messages=messages)
        assert found["text"] and not found["calls"] and found["stop"] == "End", found

        both = (call, ToolCall("time"))
        found = self.ask(stream, Reply(text=TEXT, tool_calls=both), tools=True)
        assert found["text"] == TEXT and len(found["calls"]) == 2, found
        assert found["calls"][0]["id"] != found["calls"][1]["id"], found

        found = self.ask(stream, ToolFault("unknown_tool"), tools=True)
        names = [each["name"] for each in found["calls"]]
        assert names and names != ["memory_search"], found
        found = self.ask(stream, ToolFault("malformed_arguments"), tools=True)
        [broken] = found["calls"]
        # Anthropic's whole answers hold an object and cannot be broken like that.
        if stream or self.vendor == "openai":
            assert not valid(broken["arguments"]), f"they pass through as they are: {found}"

    def broken(self, kind):
        early = BEFORE_TEXT[self.vendor]
        for after in range(early + 1):
            fault = StreamFault(kind, after_chunks=after, stall_seconds=3)
            self.said(True, fault, attempts=2)
        late = StreamFault(kind, after_chunks=early + 3, stall_seconds=3)
        self.failed(True, late, attempts=2, again=True)
        # A call that is cut was not shown to anybody: it is asked for again.
        call = Reply(tool_calls=(ToolCall("memory_search", {"query": "x" * 40}),), times=2)
        cut = StreamFault(kind, after_chunks=4, stall_seconds=3)
        found = self.ask(True, cut, call, tools=True, attempts=2)
        assert len(found["calls"]) == 1, found


def prove_strict(program):
    """Shows that the verdict sees a client that gives up: without that, silence means nothing."""
    with LLMockServer() as server, Asker(program) as asker:
        server.state.scenarios.add(Fail(503))
        asker.ask({
            "provider": "openai", "base_url": server.base_url(), "model": "m", "retries": 0,
            "messages": [{"user": "hello"}],
        })
        findings = [each.code for each in judge(server.state.journal.records(wait=2)).findings]
        assert findings == ["gave_up"], findings


def main(program):
    begun = time.monotonic()
    prove_strict(program)
    parts = ("whole", "streamed", *FAULTS)
    cases = [Cases(vendor, part, program) for vendor in BEFORE_TEXT for part in parts]
    failures = []

    def run(case):
        try:
            case.run()
        except BaseException as failure:  # Each thread's failure has to reach the end.
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(case,)) for case in cases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    count = sum(case.count for case in cases)
    print(f"providers, llmock: {count} cases without a finding, {time.monotonic() - begun:.1f} s")


if __name__ == "__main__":
    main(sys.argv[1])
