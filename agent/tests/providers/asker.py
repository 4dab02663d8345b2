"""The program under test: examples/ask, which takes questions and gives answers, one a line."""

import json
import os
import subprocess

KEYS = {"OPENAI_API_KEY": "sk-loopback-openai", "ANTHROPIC_API_KEY": "sk-loopback-anthropic"}


class Asker:
    """One running program."""

    def __init__(self, program):
        self.process = subprocess.Popen(
            [program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **KEYS},
            text=True,
            encoding="utf-8",
        )

    def ask(self, question):
        """What came of a question."""
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the program ended at {question}"
        for key in KEYS.values():
            assert key not in line, f"a key is in {line}"
        return json.loads(line)

    def close(self):
        """Ends the program."""
        self.process.stdin.close()
        assert self.process.wait(10) == 0, "the program failed"

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.process.kill()
        else:
            self.close()
