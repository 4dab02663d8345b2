"""Files: imported, read by tools, our own, and too many of them."""

import json

import core
from command import CONFIG, HASHED, KEY, MB, NOTHING, OFFLINE, USAGE, begun, command, lives, run, sparse
from provider import called, provider, said, whole

def imports(folder):
    """A file of a line of 200 MB, one of 30 MB of paragraphs, one of JSON that is none."""
    begun(folder)
    sparse(folder / "huge.txt", 200 * MB)
    command(folder, "import", "/data/huge.txt", code=USAGE, words="line 1")
    sparse(folder / "huge.jsonl", 200 * MB, b'{"text": "')
    command(folder, "import", "/data/huge.jsonl", code=USAGE, words="line 1")
    (folder / "deep.jsonl").write_bytes(b"[" * 900_000 + b"\n")
    command(folder, "import", "/data/deep.jsonl", code=USAGE, words="line 1")
    (folder / "wide.jsonl").write_bytes(b'{"text": "x", "y": [' + b"0," * 490_000 + b"0]}\n")
    command(folder, "import", "/data/wide.jsonl", code=USAGE, words="line 1")
    # All of it is read, and all but a little of it is known.
    paragraph = "The same again and again, " * 40 + "\n\n"
    (folder / "long.txt").write_text(paragraph * (30 * MB // len(paragraph)))
    command(folder, "import", "/data/long.txt")
    lives(folder)


def tools(folder):
    """Files and pages of 100 MB for tools, and a result as long as may be."""
    begun(folder)
    sparse(folder / "files/huge.txt", 100 * MB, b"begin")
    (folder / "files/large.txt").write_text("a line of many\n" * 69_000)
    with provider(said("Miro")) as server:
        host = f"127.0.0.1:{server.server_port}"
        config = server.config + f'[tools]\nfolders = ["/files"]\nhosts = ["{host}"]\n'
        agent = core.core(folder, list(KEY.items()))
        assert agent.text("clawft_init", config)[0] == 0
        (folder / "config.toml").write_text(config)
        page = f"http://{host}/page"
        for call, found, more in [
            (called("file_read", path="huge.txt"), "100000000", []),
            (called("file_read", path="large.txt"), "a line of many", []),
            (called("file_write", path="new.txt", text="x" * 900_000), "written", []),
            (called("file_edit", path="large.txt", old="a line", new="b" * 500_000), "once", []),
            (called("file_edit", path="huge.txt", old="begin", new="end"), "100000000", []),
            (called("web_fetch", url=page), "x" * 100, [whole(100 * MB)]),
        ]:
            for way in ("command", "core"):
                # Nobody is there to say yes to writing over it.
                (folder / "files/new.txt").unlink(missing_ok=True)
                server.answers = [call, *more, said("Miro sleeps")]
                server.asked.clear()
                if way == "core":
                    assert "Miro sleeps" in agent.run("ask", "Look into the file")
                else:
                    assert "Miro sleeps" in command(folder, "ask", "Look into the file", **KEY)
                last = server.asked[-1].decode()
                # A result never takes the model's room; what it wrote itself it is shown again.
                assert found in last and len(last) < 1_100_000, (found, way, len(last), last[:1200])
        assert (folder / "files/large.txt").stat().st_size == 69_000 * 15


def own(folder):
    """Each of our own files with 100 MB in it."""
    begun(folder)
    sparse(folder / "sessions/long.json", 100 * MB, b'{"version":1')
    assert "oolong" in command(folder, "ask", "--session", "long", "What does Ada drink?")
    assert list((folder / "sessions").glob("long.json.damaged-*"))
    # As large as may be, of what takes most memory, and of messages.
    zeros = b'{"version":1,"summary":"","covered":0,"messages":[' + b"0," * 520_000 + b"0]}"
    (folder / "sessions/zeros.json").write_bytes(zeros[: 1 << 20])
    command(folder, "ask", "--session", "zeros", "What does Ada drink?")
    message = {"role": "user", "text": "", "at": 1}
    count = (1 << 20) // len(json.dumps(message) + ", ") - 2
    (folder / "sessions/many.json").write_text(json.dumps({"version": 1, "summary": "", "covered": 0, "messages": [message] * count}))
    command(folder, "ask", "--session", "many", "What does Ada drink?")
    message["text"] = "x" * 1_000_000
    (folder / "sessions/one.json").write_text(json.dumps({"version": 1, "summary": "", "covered": 0, "messages": [message]}))
    command(folder, "ask", "--session", "one", "What does Ada drink?")
    assert "long" in command(folder, "sessions")
    command(folder, "redact", "nothing of the kind", code=NOTHING)
    for name, code in (("config.toml", CONFIG), ("memory.json", None), ("memory.rvf.lease.0000000000000001.0000000000000001", None), ("models/static.table", None)):
        sound = (folder / name).read_bytes() if (folder / name).exists() else None
        sparse(folder / name, 100 * MB, (sound or b"")[:20])
        embedder = ["--embedder", "static"] if "static" in name else []
        done = run(folder, "remember", "Something else", *embedder)
        assert done.returncode in range(9) and b"wasm" not in done.stderr, (name, done)
        assert code in (None, done.returncode) and (done.returncode == 0 or len(done.stderr) > 20), (name, done)
        (folder / name).unlink(missing_ok=True)
        if sound is not None:
            (folder / name).write_bytes(sound)
        lives(folder)


def folders(folder):
    """50,000 files in each folder that is listed."""
    begun(folder, OFFLINE)
    (folder / "sessions").mkdir()
    (folder / "files").mkdir()
    for number in range(50_000):
        name = f"{number:05}-" + "x" * 50
        (folder / "sessions" / f"{name}.json").touch()
        (folder / "files" / (name + "y" * 140)).touch()
    for words in (["sessions"], ["redact", "nothing of the kind"], ["ask", "--session", "x", "What does Ada drink?"]):
        done = run(folder, *words)
        assert done.returncode in range(9) and b"wasm" not in done.stderr, (words, done.returncode, done.stderr[-500:])
    with provider(called("file_list", path="."), said("Miro sleeps")) as server:
        (folder / "config.toml").write_text(server.config + '[tools]\nfolders = ["/files"]\n')
        assert "Miro sleeps" in command(folder, "ask", "What is there?", **KEY)
