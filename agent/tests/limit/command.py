"""What all cases begin with: the command in an instance of its own, folders, files that are large."""

import json
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
WASMTIME, CLAWFT, CORE_MODULE = sys.argv[1:4]
WANTED = sys.argv[4:]
sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
# Those two read their own arguments.
sys.argv = ["core.py", CLAWFT, CLAWFT, CORE_MODULE]
import core  # noqa: E402

sys.argv = ["wit.py", CLAWFT]
import wit  # noqa: E402

LIMIT = 300
MB = 1_000_000
HASHED = '[embedder]\nname = "hashed"\n'
OFFLINE = HASHED + '[provider]\nname = "offline"\n'
KEY = {"OPENAI_API_KEY": "sk-nothing-to-hide"}
FAILED, USAGE, CONFIG, NOTHING, PROVIDER, BUSY, DAMAGED, EMBEDDER = range(1, 9)
FACT = "Ada drinks oolong tea"


def run(folder, *arguments, stdin=b"", **variables):
    """Runs the command in an instance of its own. A trap has another exit code than all of ours."""
    environment = {"CLAWFT_HOME": "/data", **variables}
    options = [word for pair in environment.items() for word in ("--env", "=".join(pair))]
    files = ["--dir", f"{folder}/files::/files"] if (folder / "files").is_dir() else []
    return subprocess.run(
        [WASMTIME, "run", "-S", "cli,http", "--dir", f"{folder}::/data", *files, *options, CLAWFT, *arguments],
        capture_output=True,
        timeout=LIMIT,
        input=stdin,
    )


def command(folder, *arguments, code=0, words="", **more):
    """What the command printed that ended with `code`; where it is none of 0, a sentence beside it."""
    done = run(folder, *arguments, **more)
    assert done.returncode == code, (arguments, done.returncode, done.stdout[-300:], done.stderr[:1200])
    if code:
        said = done.stderr.decode()
        assert words in said and len(said) > 20 and "wasm" not in said, (arguments, said[-500:])
    return done.stdout.decode()


def lives(folder, **variables):
    """Whether what was remembered is there, and more can be."""
    assert FACT in command(folder, "recall", "oolong", **variables)


def begun(folder, config=OFFLINE):
    (folder / "config.toml").write_text(config)
    command(folder, "remember", FACT)


def sparse(path, size, begin=b""):
    path.parent.mkdir(exist_ok=True)
    with open(path, "wb") as file:
        file.write(begin)
        file.truncate(size)


def numbered(path, count, size=60):
    """A file of so many memories."""
    with open(path, "w", encoding="utf-8") as file:
        for number in range(count):
            text = f"Number {number} likes the colour {number * 7919 % 100_003}. "
            text += " ".join(f"{number:x}w{at:x}" for at in range(size // 5))
            file.write(json.dumps({"text": text[:size]}) + "\n")
