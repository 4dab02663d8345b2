"""The agent as a component inside a Python program, through PyPI's `wasmtime`.

    pip install wasmtime
    python agent/examples/python/ask.py dist/clawft.wasm [FOLDER]

The functions are those of `wit/clawft.wit`, with their types: a result is a value or a refusal with
its kind, code and sentence. The component sees FOLDER and nothing else of the machine; what it
remembers is in there the next time. SPDX-License-Identifier: MIT OR Apache-2.0
"""

import pathlib
import sys
import tempfile

from wasmtime import Engine, Store, WasiConfig
from wasmtime.component import Component, Linker, Variant

AGENT = "clawft:memory/agent@0.1.0"
# Neither a model file nor a provider: it works without any file and without a network.
CONFIG = '[embedder]\nname = "hashed"\n[provider]\nname = "offline"\n'


class Refused(Exception):
    def __init__(self, error):
        super().__init__(f"{error.sentence} ({error.kind}, {error.code})")
        self.kind, self.code = error.kind, error.code


class Agent:
    """One instance of the component, over one folder."""

    def __init__(self, path, folder):
        engine = Engine()
        self.store = Store(engine)
        wasi = WasiConfig()
        wasi.preopen_dir(str(folder), "/memory")
        wasi.env = [("CLAWFT_HOME", "/memory")]
        self.store.set_wasi(wasi)
        self.store.set_wasi_http()
        linker = Linker(engine)
        linker.add_wasip2()
        linker.add_wasi_http()
        self.instance = linker.instantiate(self.store, Component.from_file(engine, path))
        self.call("init", CONFIG)

    def call(self, name, *arguments):
        """Calls a function of the interface; a refusal becomes an exception."""
        interface = self.instance.get_export_index(self.store, AGENT)
        index = self.instance.get_export_index(self.store, name, interface)
        function = self.instance.get_func(self.store, index)
        result = function(self.store, *arguments)
        function.post_return(self.store)
        # Where both sides of a result are records, the library says which one it is.
        value = result.payload if isinstance(result, Variant) else result
        if hasattr(value, "sentence"):
            raise Refused(value)
        return value


def main(path, folder):
    agent = Agent(path, folder)
    told = agent.call("remember", "The spare key is with Maria")
    agent.call("remember", "The boiler was serviced in March")
    answer = agent.call("run", "python", "Who has the spare key?")
    print(answer.text)
    assert told.id in answer.cited, answer.cited

    # Another instance finds it: it is in the folder.
    again = Agent(path, folder)
    for memo in again.call("recall", "key", 5):
        print(f"{memo.score:.2f}  {memo.text}")
    again.call("forget", [told.id])
    assert again.call("recall", "key", 5) == []
    try:
        again.call("forget", [told.id])
    except Refused as why:
        print(f"refused: {why}")
        assert why.kind == "not-found"
    else:
        raise AssertionError("a memory that is gone was forgotten once more")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: ask.py clawft.wasm [FOLDER]")
    if len(sys.argv) == 3:
        pathlib.Path(sys.argv[2]).mkdir(exist_ok=True)
        main(*sys.argv[1:])
    else:
        with tempfile.TemporaryDirectory() as own:
            main(sys.argv[1], own)
