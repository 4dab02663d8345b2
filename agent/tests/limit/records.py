"""Memory full of records, and all of a memory at once."""

import json

import core
from command import FACT, FAILED, OFFLINE, begun, command, lives, numbered, run

def records(folder):
    """As many as the config says; an image and an index of words that are too small; and none at all."""
    begun(folder, OFFLINE + "[memory]\ncapacity = 60\n")
    numbered(folder / "many.jsonl", 59)
    command(folder, "import", "/data/many.jsonl")
    command(folder, "remember", "One more colour", code=FAILED, words="memory is full")
    numbered(folder / "more.jsonl", 200)
    command(folder, "import", "/data/more.jsonl", code=FAILED, words="memory is full")
    lives(folder)
    assert json.loads(command(folder, "stats", "--json"))["records"] == 60
    command(folder, "forget", str(json.loads(command(folder, "recall", "--json", "Number 3"))["found"][0]["id"]))
    command(folder, "remember", "One more colour")


def words(folder):
    """The index of words is full: the text is refused, others are found."""
    begun(folder, OFFLINE + "[memory]\nwords_kib = 64\n")
    numbered(folder / "many.jsonl", 400, 3000)
    command(folder, "import", "/data/many.jsonl", code=FAILED, words="words is full")
    lives(folder)


def image(folder):
    """More for vectors and words than there is memory: said, whether there are records or not."""
    (folder / "config.toml").write_text(OFFLINE + "[memory]\nimage_kib = 15000\nwords_kib = 15000\ncapacity = 40000\n")
    command(folder, "remember", FACT)
    numbered(folder / "many.jsonl", 4200, 100)
    done = run(folder, "import", "/data/many.jsonl")
    # From some number on, which is below 9,000, there is no room for more; then that is said.
    assert done.returncode == 0 or done.returncode == FAILED and b"memory" in done.stderr, done
    # With less for vectors and words, what came in is there.
    (folder / "config.toml").write_text(OFFLINE)
    lives(folder)
    assert json.loads(command(folder, "stats", "--json"))["records"] > 1000


def results(folder):
    """All of a memory at once: what is found, forgotten and exported has many times what is given at once."""
    begun(folder, OFFLINE + "[memory]\nwords_kib = 4096\n")
    with open(folder / "long.jsonl", "w", encoding="utf-8") as file:
        for number in range(250):
            file.write(json.dumps({"text": f"number {number} " + "tea with milk " * 1150}) + "\n")
    command(folder, "import", "/data/long.jsonl")
    agent = core.core(folder)
    assert agent.call("clawft_init", 0, 0) == 0
    exported = command(folder, "export").splitlines()
    assert len(exported) == 251
    ids = [str(json.loads(line)["id"]) for line in exported if "Ada" not in line]
    # Half a MiB of them is given, the best, however many were asked for.
    for k in (20, 50, 400, 1000):
        for form in ([], ["--json"]):
            words = ["recall", "-k", str(k), "tea with milk", *form]
            code, output = agent.text("clawft_run", json.dumps(words))
            assert code == 0 and 300 * min(k, 32) < len(output) < 700_000, (k, code, len(output))
        found = json.loads(command(folder, "recall", "-k", str(k), "--json", "tea with milk"))["found"]
        assert min(k, 32) <= len(found) < 40, (k, len(found))
    agent.refuses(core.FAILED, "forget fewer at once", "clawft_run", json.dumps(["forget", *ids[:150]]))
    command(folder, "forget", *ids[100:], code=FAILED, words="forget fewer at once")
    assert json.loads(command(folder, "stats", "--json"))["records"] == 251
    command(folder, "forget", *ids[:50])
    assert json.loads(command(folder, "stats", "--json"))["records"] == 201
    lives(folder)
    assert "oolong" in agent.run("recall", "oolong")
