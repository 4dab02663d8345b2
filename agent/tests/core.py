"""The agent through its C functions: `core.py CLAWFT NAMED CORE [CASE…]`.

CORE is `clawft-agent.core.wasm`, with WASI preview 1 and the import `clawft_http` of `core_host.py`.
CLAWFT is the component, whose core module is taken out and has the same functions. NAMED is that
module as it was before its imports got short names. Needs PyPI's `wasmtime`.
"""

import contextlib
import http.server
import json
import pathlib
import struct
import sys
import tempfile
import threading
import time

import wasmtime

import core_host
from wasm_sections import sections

LIMIT = 60
CONFIG = '[embedder]\nname = "hashed"\n\n[provider]\nname = "offline"\n'
I32 = "i32"
# As include/clawft_agent.h has them; size_t and addresses are i32.
FUNCTIONS = {
    "clawft_abi_version": ([], [I32]),
    "clawft_init_memory": ([I32, I32], [I32]),
    "clawft_alloc": ([I32], [I32]),
    "clawft_free": ([I32], [I32]),
    "clawft_init": ([I32, I32], [I32]),
    "clawft_run": ([I32, I32], [I32]),
    "clawft_output": ([], [I32]),
    "clawft_output_len": ([], [I32]),
}
PAGE = 64 << 10
NULL, RANGE, IN_USE, REGION, NOT_ALLOCATED, CUT, TEXT = -102, -104, -109, -110, -113, -114, -115
FAILED, USAGE, CONFIG_ERROR, NOTHING, PROVIDER = -301, -302, -303, -304, -305
NOT_INITIALISED, INITIALISED = -309, -310


class Agent:
    """An instance, and how a host speaks to it."""

    def __init__(self, store, instance):
        self.store, self.exports = store, instance.exports(store)
        self.memory = self.exports["memory"]

    def call(self, name, *arguments):
        return self.exports[name](self.store, *arguments)

    def output(self):
        at = self.call("clawft_output")
        return bytes(self.memory.read(self.store, at, at + self.call("clawft_output_len"))).decode()

    def text(self, name, text):
        """Calls with a text; the code and the output."""
        text = text if isinstance(text, bytes) else text.encode()
        block = self.call("clawft_alloc", len(text))
        self.memory.write(self.store, text, block)
        code = self.call(name, block, len(text))
        output = self.output()
        assert self.call("clawft_free", block) == 0
        return code, output

    def say(self, message):
        """The answer to a message."""
        code, output = self.text("clawft_run", message)
        assert code == 0, (message, code, output)
        return output

    def run(self, *words):
        """What a command prints."""
        return self.say(json.dumps(words))

    def refuses(self, code, words, name, *arguments):
        if isinstance(arguments[0], (str, bytes)):
            found, output = self.text(name, *arguments)
        else:
            found, output = self.call(name, *arguments), self.output()
        assert found == code and words in output, (name, arguments, found, output)


def core(folder, variables=(), hosts=None):
    """An instance of CORE over a data folder; its standard output is the file `out` there. What is in the
    folder `files` there is `/files` to it."""
    store = wasmtime.Store(ENGINE)
    files = [(folder / "files", "/files")] if (folder / "files").is_dir() else []
    config = core_host.wasi([(folder, "/data"), *files], [("CLAWFT_HOME", "/data"), *variables])
    config.stdout_file, config.stderr_file = folder / "out", folder / "notes"
    store.set_wasi(config)
    return Agent(store, core_host.linker(ENGINE, core_host.Http(hosts)).instantiate(store, CORE))


def functions(module):
    """The C functions that it exports, with their types, and the pages that its memory may have."""
    found, most = {}, None
    for export in module.exports:
        if isinstance(export.type, wasmtime.MemoryType):
            most = export.type.limits.max
        elif export.name.startswith("clawft_"):
            kinds = lambda types: [str(one) for one in types]
            found[export.name] = kinds(export.type.params), kinds(export.type.results)
    return found, most


def contents(_):
    """What it may do is written in it: WASI preview 1, one import, no more than 16 MiB."""
    assert functions(CORE) == (FUNCTIONS, 256)
    imports = {(one.module, one.name) for one in CORE.imports}
    assert ("clawft", "clawft_http") in imports
    others = imports - {("clawft", "clawft_http")}
    assert {module for module, _ in others} == {"wasi_snapshot_preview1"}, others
    assert not any(name.startswith(("sock_", "proc_")) for _, name in others), others
    assert not any(one.name in ("_start", "_initialize") for one in CORE.exports)


def offline(folder):
    """A talk without a model, and its memory after a restart."""
    agent = core(folder)
    assert agent.call("clawft_abi_version") == 1
    assert agent.call("clawft_init_memory", 0, 16 << 20) == 0
    assert agent.text("clawft_init", CONFIG) == (0, "")
    told = json.loads(agent.run("remember", "--json", "Ada drinks oolong tea"))
    answer = agent.say("What does Ada drink?")
    assert "oolong" in answer and str(told["id"]) in answer, answer
    # What was printed is what came out.
    assert (folder / "out").read_text().endswith(answer)
    agent = core(folder)
    (folder / "config.toml").write_text(CONFIG)
    assert agent.call("clawft_init", 0, 0) == 0
    assert "oolong" in agent.run("recall", "oolong")
    assert agent.run("sessions").splitlines()[0].startswith("default"), agent.run("sessions")
    # Nobody can be asked: the sessions that say it are named.
    assert json.loads(agent.run("forget", "--json", str(told["id"])))["forgotten"] == [told["id"]]
    agent.refuses(NOTHING, "nothing", "clawft_run", '["recall", "oolong"]')


def region(folder):
    """All memory from pages that the host grew: what does not fit is refused, not trapped."""
    agent = core(folder)
    before = agent.memory.size(agent.store)
    assert agent.call("clawft_init_memory", before * PAGE, 8 << 20) == REGION
    agent.memory.grow(agent.store, 128)
    assert agent.call("clawft_init_memory", 64, 8 << 20) == REGION
    # What no sentence has room in is refused before it is used.
    for size in (0, 272, 319, 4096, PAGE - 1):
        assert agent.call("clawft_init_memory", before * PAGE, size) == REGION, size
    assert agent.call("clawft_init_memory", before * PAGE, 8 << 20) == 0
    assert agent.text("clawft_init", CONFIG) == (0, "")
    agent.run("remember", "Ada drinks oolong tea")
    assert "oolong" in agent.run("recall", "oolong")
    assert agent.memory.size(agent.store) == before + 128
    assert agent.call("clawft_alloc", 9 << 20) == 0


def bad_input(agent):
    """What a host may get wrong, each with its number and sentence; the agent goes on."""
    assert agent.call("clawft_init_memory", 0, 16 << 20) == 0
    assert agent.call("clawft_init_memory", 0, 16 << 20) == IN_USE
    end = agent.memory.size(agent.store) * PAGE
    agent.refuses(NOT_INITIALISED, "clawft_init", "clawft_run", "hello")
    for name in ("clawft_init", "clawft_run"):
        if name == "clawft_run":
            assert agent.text("clawft_init", CONFIG) == (0, "")
        agent.refuses(NULL, "address", name, 0, 9)
        end = agent.memory.size(agent.store) * PAGE
        for at, length in [(end - 4, 5), (end + 1, 1), (-1, 1), (1024, -1), (-2, -2)]:
            agent.refuses(RANGE, "inside of memory", name, at, length)
        agent.refuses(TEXT, "UTF-8", name, b"caf\xe9")
        agent.refuses(TEXT, "1 MiB", name, "x" * ((1 << 20) + 1))
        if name == "clawft_init":
            agent.refuses(CONFIG_ERROR, "line 2", name, '[embedder]\nnonsense = "hashed"\n')
            agent.refuses(CONFIG_ERROR, "", name, "[nonsense")
    agent.refuses(INITIALISED, "before", "clawft_init", CONFIG)
    for input in ("[1]", "[", '["recall", 1]', "[" * 5000):
        agent.refuses(USAGE, "JSON array of strings", "clawft_run", input)
    # The two readings: blanks before the array are left out, and it has 1,000 words at most.
    agent.refuses(USAGE, "nonsense", "clawft_run", ' \n["nonsense"]')
    for count, words in [(999, "nonsense"), (1000, "nonsense"), (1001, "1000 at most")]:
        agent.refuses(USAGE, words, "clawft_run", json.dumps(["nonsense"] * count))
    agent.refuses(USAGE, "nonsense", "clawft_run", '["nonsense"]')
    agent.refuses(USAGE, "text expected", "clawft_run", "")
    assert agent.call("clawft_free", 0) == 0
    block = agent.call("clawft_alloc", 0)
    assert block != 0 and agent.call("clawft_free", block + 1) == NOT_ALLOCATED
    assert agent.call("clawft_free", block) == 0
    assert agent.call("clawft_free", block) == NOT_ALLOCATED
    assert agent.call("clawft_alloc", -1) == 0
    assert agent.run("version", "--json").startswith('{"version":"')


def bad(folder):
    bad_input(core(folder))
    # The smallest region: too little for a call, which says so.
    agent = core(folder)
    before = agent.memory.size(agent.store)
    agent.memory.grow(agent.store, 1)
    assert agent.call("clawft_init_memory", before * PAGE, PAGE) == 0
    agent.refuses(FAILED, "not enough memory", "clawft_init", 0, 0)


class Model(http.server.BaseHTTPRequestHandler):
    """A provider that says one word, waits until it was shown, and says another."""

    def do_POST(self):
        server = self.server
        server.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        server.keys.append(self.headers["authorization"])
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        chunk = lambda delta, finish=None: self.wfile.write(
            b"data: "
            + json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}).encode()
            + b"\n\n"
        )
        chunk({"content": "Miro"})
        for _ in range(LIMIT * 20):
            if "Miro" in server.shown.read_text():
                break
            time.sleep(0.05)
        else:
            server.asked.append("it was not shown")
        if server.is_cut:
            return
        chunk({"content": " sleeps"})
        chunk({}, "stop")
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def model(folder, is_cut=False):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
    server.asked, server.keys, server.shown, server.is_cut = [], [], folder / "out", is_cut
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def talking(port):
    provider = f'name = "openai"\nmodel = "m"\nbase_url = "http://127.0.0.1:{port}/v1"\n'
    return f'[embedder]\nname = "hashed"\n[provider]\n{provider}'


KEY = [("OPENAI_API_KEY", "sk-nothing-to-hide")]


def turn(folder):
    """A whole turn over the host's HTTP: the answer is shown while the model still speaks."""
    with model(folder) as server:
        agent = core(folder, KEY)
        assert agent.text("clawft_init", talking(server.server_port)) == (0, "")
        agent.run("remember", "My cat Miro sleeps a lot")
        assert agent.say("What does Miro do?") == "Miro sleeps\n"
        told = json.loads(agent.run("ask", "--json", "--session", "default", "And where?"))
        assert told["answer"] == "Miro sleeps" and told["session"] == "default", told
    first, second = server.asked
    assert first["stream"] is True and first["model"] == "m"
    assert "My cat Miro sleeps a lot" in json.dumps(first)
    assert second["messages"][1:3] == [
        {"role": "user", "content": "What does Miro do?"},
        {"role": "assistant", "content": "Miro sleeps"},
    ], second
    assert server.keys == ["Bearer sk-nothing-to-hide"] * 2


def broken(folder):
    """No provider there, an answer that is cut, a host that refuses: the message is kept."""
    agent = core(folder, KEY)
    with model(folder) as server:
        port = server.server_port
    assert agent.text("clawft_init", talking(port)) == (0, "")
    agent.refuses(PROVIDER, "127.0.0.1", "clawft_run", "Are you there?")
    saved = json.dumps(json.loads((folder / "sessions/default.json").read_text()))
    assert "Are you there?" in saved, saved
    with model(folder, is_cut=True) as server:
        agent = core(folder, KEY)
        assert agent.text("clawft_init", talking(server.server_port)) == (0, "")
        agent.refuses(PROVIDER, "", "clawft_run", "What does Miro do?")
        agent = core(folder, KEY, hosts=["other.example"])
        assert agent.text("clawft_init", talking(server.server_port)) == (0, "")
        agent.refuses(PROVIDER, "may not ask this host", "clawft_run", "What does Miro do?")


def inside(_):
    """The core module in the component, as who unpacks it finds it: the same functions.

    Its imports are WASI 0.2 by the canonical ABI. They are given here as far as they are needed for
    what touches no file: no variable, no folder, standard output.
    """
    binary = pathlib.Path(sys.argv[1]).read_bytes()
    cores = [content for kind, content in sections(binary) if kind == 1]
    module = wasmtime.Module(ENGINE, max(cores, key=len))
    assert functions(module) == (FUNCTIONS, 256)
    module = wasmtime.Module.from_file(ENGINE, sys.argv[2])
    shown = []

    def imported(name):
        def nothing(caller, place):
            caller["memory"].write(caller, struct.pack("<2I", 0, 0), place)

        def write(caller, _, at, length, place):
            memory = caller["memory"]
            shown.append(bytes(memory.read(caller, at, at + length)))
            memory.write(caller, b"\0", place)

        def missing(*_):
            raise AssertionError(f"{name} is not needed here")

        known = {
            "[method]output-stream.blocking-write-and-flush": write,
            "get-random-u64": lambda _: 7,
            **dict.fromkeys(("get-stdin", "get-stdout", "get-stderr"), lambda _: 1),
            **dict.fromkeys(
                ("get-environment", "get-directories", "initial-cwd", "get-arguments"), nothing
            ),
        }
        return (lambda *_: None) if name.startswith("[resource-drop]") else known.get(name, missing)

    linker, store = wasmtime.Linker(ENGINE), wasmtime.Store(ENGINE)
    for one in module.imports:
        function = imported(one.name)
        linker.define_func(one.module, one.name, one.type, function, access_caller=True)
    agent = Agent(store, linker.instantiate(store, module))
    bad_input(agent)
    version = agent.run("version", "--json")
    assert shown[-1].decode() == version
    assert 'name = "hashed"' in agent.run("config", "--provider", "offline")
    # Without a folder nothing can be remembered.
    agent.refuses(FAILED, "", "clawft_run", '["remember", "Ada drinks oolong tea"]')


ENGINE = wasmtime.Engine()
CORE = wasmtime.Module.from_file(ENGINE, sys.argv[3])


def main():
    wanted = sys.argv[4:]
    for test in (contents, offline, region, bad, turn, broken, inside):
        if wanted and test.__name__ not in wanted:
            continue
        start = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="clawft-") as folder:
            test(pathlib.Path(folder))
        print(f"ok      {test.__name__} ({time.monotonic() - start:.1f} s)", flush=True)


if __name__ == "__main__":
    main()
