"""A host that takes memory away, down to nothing."""

import json

import core
from command import FACT, KEY, OFFLINE, begun, command, lives, run
from provider import called, provider, said, streamed

def taking(agent, left):
    """Takes all memory but for a piece of `left` bytes, where there is one; gives the blocks."""
    spare = agent.call("clawft_alloc", left) if left else 0
    blocks, size = [], 1 << 20
    while size >= 16:
        at = agent.call("clawft_alloc", size)
        if at:
            blocks.append(at)
        else:
            size //= 2
    agent.call("clawft_free", spare)
    return blocks


def run_with(agent, left, words, length):
    """Lets it run while a piece of `left` bytes is all that is left, and gives all back after it."""
    blocks = taking(agent, left)
    code = agent.call("clawft_run", words, length)
    sentence = agent.output()
    for at in blocks:
        assert agent.call("clawft_free", at) == 0
    return code, sentence


def taken(folder):
    """A host that keeps all memory for itself is told so, and once it gives it back all goes on."""
    (folder / "config.toml").write_text(OFFLINE)
    agent = core.core(folder)
    agent.call("clawft_init_memory", 0, 16 << 20)
    assert agent.call("clawft_init", 0, 0) == 0
    agent.run("remember", FACT)
    text = json.dumps(["recall", "oolong"]).encode()
    words = agent.call("clawft_alloc", len(text))
    agent.memory.write(agent.store, text, words)
    outcomes = {}
    # From nothing that is left on, a little more each time.
    for left in [0, *(1 << power for power in range(10, 24)), *range(64 << 10, 4 << 20, 64 << 10)]:
        blocks = taking(agent, left)
        for name in ("clawft_run", "clawft_init"):
            code = agent.call(name, words, len(text))
            outcomes[name, code] = outcomes.get((name, code), 0) + 1
            sentence = agent.output()
            assert code == 0 and FACT in sentence or code < 0 and len(sentence) > 10, (left, code, sentence)
        for at in blocks:
            assert agent.call("clawft_free", at) == 0
        assert FACT in agent.run("recall", "oolong"), left
    print("   ", outcomes)
    assert outcomes["clawft_run", 0] > 3 and outcomes["clawft_run", core.FAILED] > 3, outcomes
    # Enough is left, but in no piece that holds the text: not the text's fault.
    small = []
    while at := agent.call("clawft_alloc", 66 << 10):
        small.append(at)
    for at in small[::2]:
        assert agent.call("clawft_free", at) == 0
    assert agent.call("clawft_run", words, len(text)) in (0, core.FAILED)
    agent.refuses(core.FAILED, "not enough memory", "clawft_run", small[1], 1 << 20)
    for at in small[1::2]:
        assert agent.call("clawft_free", at) == 0
    told = agent.run("remember", "--json", "Bo drinks coffee")
    assert json.loads(told)["id"]


def listed(folder):
    """The model lists a folder of 2,000 long names, with less and less memory left for it."""
    begun(folder, OFFLINE)
    (folder / "files").mkdir()
    for number in range(2_000):
        (folder / "files" / (f"{number:05}" + "x" * 195)).touch()
    with provider(said("Miro")) as server:
        (folder / "config.toml").write_text(server.config + '[tools]\nfolders = ["/files"]\n')
        agent = core.core(folder, list(KEY.items()))
        agent.call("clawft_init_memory", 0, 16 << 20)
        assert agent.call("clawft_init", 0, 0) == 0
        text = b"What is there?"
        words = agent.call("clawft_alloc", len(text))
        agent.memory.write(agent.store, text, words)
        outcomes = {}
        for left in [*range(0, 3 << 20, 32 << 10), 4 << 20, 8 << 20]:
            server.answers = [called("file_list", path="."), said("Miro sleeps")]
            server.asked.clear()
            code, sentence = run_with(agent, left, words, len(text))
            answered = code == 0 and "Miro sleeps" in sentence
            assert answered or -310 <= code <= -301 and len(sentence) > 10, (left, code, sentence)
            # The model is told of what the tool could not do.
            told = server.asked[-1].decode() if len(server.asked) == 2 else ""
            outcome = code, "00000xxx" in told, "not enough memory" in told
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
            server.answers = [said("Miro sleeps")]
            assert "Miro sleeps" in agent.say("And now?"), left
        print("   ", outcomes)
        assert outcomes.get((0, True, False), 0) > 2 and outcomes.get((0, False, True), 0) > 2, outcomes


def everything(folder):
    """In one turn all of it as large as may be, with less and less memory left for it.

    The wish is a session's that is as long as one gets; memory finds half a MiB of texts; the model reads
    a file, writes one of 900 kB, searches, and answers at length. Wherever memory ends, that is said, and
    an ordinary turn follows.
    """
    begun(folder, OFFLINE + "[memory]\nwords_kib = 1024\n")
    with open(folder / "long.jsonl", "w", encoding="utf-8") as file:
        for number in range(60):
            file.write(json.dumps({"text": f"number {number} " + "tea with milk " * 1150}) + "\n")
    command(folder, "import", "/data/long.jsonl")
    (folder / "files").mkdir()
    (folder / "files/large.txt").write_text("a line of many\n" * 69_000)
    messages = [{"role": "user", "text": "tea " * 25_000, "at": number} for number in range(10)]
    session = json.dumps({"version": 1, "summary": "", "covered": 0, "messages": messages})
    assert 1_000_000 < len(session) <= 1 << 20
    (folder / "sessions").mkdir()

    new, sizes = folder / "files/new.txt", set()

    def begin(server):
        (folder / "sessions/long.json").write_text(session)
        # Nobody is there to say yes to writing over it.
        if new.exists():
            sizes.add(new.stat().st_size)
            new.unlink()
        server.answers = [
            called("file_read", path="large.txt"),
            called("file_write", path="new.txt", text="x" * 900_000),
            called("memory_search", query="tea with milk", k=20),
            streamed(900_000),
        ]

    ask = ["ask", "--session", "long", "Tea with milk? " * 400]
    with provider(said("Miro")) as server:
        config = server.config + (
            "[chat]\ncontext_tokens = 2000000\nmemory_share = 80\n"
            '[tools]\nfolders = ["/files"]\n[memory]\nrecall = 100\nwords_kib = 1024\n'
        )
        outcomes = {}
        for image in (256, 1024, 4096, 8192, 10_000, 12_000):
            (folder / "config.toml").write_text(config + f"image_kib = {image}\n")
            begin(server)
            done = run(folder, *ask, **KEY)
            code, sentence = done.returncode, done.stderr
            assert code in range(9) and b"wasm" not in sentence and (code == 0 or len(sentence) > 20), (image, code, sentence)
            outcomes["command", code] = outcomes.get(("command", code), 0) + 1
            server.answers = [said("Miro sleeps")]
            assert "Miro sleeps" in command(folder, "ask", "And now?", **KEY), image
        (folder / "config.toml").write_text(config)
        agent = core.core(folder, list(KEY.items()))
        agent.call("clawft_init_memory", 0, 16 << 20)
        assert agent.call("clawft_init", 0, 0) == 0
        text = json.dumps(ask).encode()
        words = agent.call("clawft_alloc", len(text))
        agent.memory.write(agent.store, text, words)
        for left in [0, *(1 << power for power in range(12, 18)), *range(256 << 10, 14 << 20, 256 << 10)]:
            begin(server)
            code, sentence = run_with(agent, left, words, len(text))
            # Done, and the copy of the output is cut where memory ends.
            is_done = code in (0, core.CUT)
            assert (is_done or -310 <= code <= -301) and len(sentence) > 10, (left, code, sentence[:300])
            outcomes["core", code] = outcomes.get(("core", code), 0) + 1
            server.answers = [said("Miro sleeps")]
            assert "Miro sleeps" in agent.say("And now?"), left
        print("   ", outcomes)
        assert all(outcomes.get(("core", code), 0) > 2 for code in (0, core.FAILED, core.PROVIDER)), outcomes
    assert sizes == {900_000}, sizes
    lives(folder, **KEY)
