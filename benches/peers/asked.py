"""The peers, asked in turns with other engines: `cargo xtask bench report` does so.

All are built first; a line of JSON tells of each, and one says `ready`. Then a line of JSON on
standard input is a question, and one comes back for it, as `xtask/demo/src/asked.rs` describes.
"""

import json
import statistics
import sys
import time

# Passes that are timed: at least these, until the seconds asked for are over.
LEAST_PASSES = 3


def say(line):
    """One line, at once."""
    print(json.dumps(line), flush=True)


def seconds_a_pass(passes, least):
    """The median of passes over all the queries, after the one that was for recall."""
    seconds = []
    while len(seconds) < LEAST_PASSES or sum(seconds) < least:
        start = time.perf_counter()
        passes()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def serve(names, build, sets, recall, passes):
    """Builds the engines of these names and answers until standard input ends."""
    engines = {}
    for short, name in names.items():
        print(f"peers: {short} is built", file=sys.stderr, flush=True)
        start = time.perf_counter()
        engine = engines[short] = build(short)
        line = {"engine": short, "name": name, "build_s": round(time.perf_counter() - start, 3)}
        if hasattr(engine, "memory"):
            line["memory_bytes"] = engine.memory
        say(line)
    say({"ready": True, "queries": [name for name, _, _ in sets]})
    for line in sys.stdin:
        question = json.loads(line)
        engine = engines[question["engine"]]
        _, queries, truth = sets[question["queries"]]
        if hasattr(engine, "set_ef"):
            engine.set_ef(question["ef"])
        if hasattr(engine, "set_mode"):
            engine.set_mode(question["mode"])
        answer = {"recall@10": round(recall(engine, queries, truth), 6)}
        if question["seconds"] > 0:
            time_of_one = seconds_a_pass(lambda: passes(engine, queries), question["seconds"])
            answer["qps"] = round(len(queries) / time_of_one, 1)
        say(answer)
