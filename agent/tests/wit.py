"""What `clawft.wasm` exports to other components: `wit.py CLAWFT`.

A host in Python calls `clawft:memory/memory` and `clawft:memory/agent`. Needs PyPI's `wasmtime`.
"""

import pathlib
import sys
import tempfile

from wasmtime import Engine, Store, WasiConfig
from wasmtime.component import Component, Linker, Record, Variant

CONFIG = '[embedder]\nname = "hashed"\n\n[provider]\nname = "offline"\n'


class Instance:
    """The component over a data folder, its functions by interface and name."""

    def __init__(self, engine, component, folder):
        self.store = Store(engine)
        wasi = WasiConfig()
        wasi.preopen_dir(str(folder), "/data")
        wasi.env = [("CLAWFT_HOME", "/data")]
        self.store.set_wasi(wasi)
        self.store.set_wasi_http()
        linker = Linker(engine)
        linker.add_wasip2()
        linker.add_wasi_http()
        self.instance = linker.instantiate(self.store, component)

    def call(self, interface, name, *arguments):
        outer = self.instance.get_export_index(self.store, f"clawft:memory/{interface}@0.1.0")
        index = self.instance.get_export_index(self.store, name, outer)
        function = self.instance.get_func(self.store, index)
        result = function(self.store, *arguments)
        function.post_return(self.store)
        # Where both sides of a result are records, it says which one it is.
        return result.payload if isinstance(result, Variant) else result


def record(**fields):
    made = Record()
    for name, value in fields.items():
        setattr(made, name.replace("_", "-"), value)
    return made


def refused(answer, kind, code, words):
    """Whether it is a refusal of that kind, with a sentence that has these words."""
    assert answer.kind == kind and answer.code == code and words in answer.sentence, vars(answer)


def item(number, vector, text, **more):
    fields = {
        "id": number,
        "vector": vector,
        "text": text,
        "kind": "fact",
        "session": "s",
        "created": 1000 + number,
        "last_used": 1000 + number,
        "uses": 0,
        "importance": 0.5,
        "pinned": False,
        "metadata": [("number", str(number))],
    }
    return record(**{**fields, **more})


def options(**more):
    fields = {
        "create": True,
        "read_only": False,
        "salvage": False,
        "dimension": 2,
        "metric": "cosine",
        "capacity": 100,
        "image_bytes": None,
        "words_bytes": None,
        "lease": 60_000,
    }
    return record(**{**fields, **more})


def query(**more):
    fields = {"vector": None, "text": None, "k": 5, "ef": 0, "filter": None}
    return record(**{**fields, **more})


EXISTING = options(create=False, dimension=None, read_only=True)


def no_filter(**more):
    fields = dict.fromkeys(("kinds", "sessions", "created", "last_used", "ids"))
    return record(**{**fields, "metadata": [], **more})


def memory(call, _folder):
    def method(name, *arguments):
        return call("memory", f"[method]store.{name}", *arguments)

    def open_store(path, given):
        return call("memory", "[static]store.open", path, given)

    refused(open_store("/data/none.rvf", options(create=False)), "not-found", -214, "")
    refused(open_store("/elsewhere/x.rvf", options()), "invalid", -205, "outside")
    store = open_store("/data/s.rvf", options())
    refused(open_store("/data/s.rvf", options()), "conflict", -221, "lease")
    texts = {1: "the fox is red", 2: "the sea is blue", 3: "the sky is blue"}
    for number, text in texts.items():
        assert method("remember", store, item(number, [float(number), 1.0], text)) is None
    refused(method("remember", store, item(4, [1.0], "short")), "invalid", -1, "2 components")
    assert method("statistics", store).pending > 0
    assert method("commit", store) is None
    blue = method("recall", store, query(text="blue"))
    assert {one.id for one in blue} == {2, 3} and blue[0].words > 0, blue
    near = method("recall", store, query(vector=[3.0, 1.0], k=1))
    assert near[0].id == 3 and near[0].similarity > 0.99
    refused(method("recall", store, query()), "invalid", -233, "vector or a text")
    for given, expected in [
        (no_filter(ids=[2, 99]), {2}),
        (no_filter(metadata=[("number", "3")]), {3}),
        (no_filter(kinds=["fact"], created=record(**{"from": 1002, "until": 1003})), {2}),
        (no_filter(sessions=["other"]), set()),
    ]:
        found = method("recall", store, query(text="blue", filter=given))
        assert {one.id for one in found} == expected, vars(given)
    got = method("get", store, 2)
    assert (got.text, got.vector, got.metadata) == (texts[2], [2.0, 1.0], [("number", "2")])
    method("touch", store, [2])
    assert method("get", store, 2).uses == 1
    assert method("contains", store, 3) and method("next", store, 2) == 2
    assert method("forget", store, 3) is None
    assert method("rollback", store) is None and method("contains", store, 3)
    assert method("forget", store, 3) is None and method("commit", store) is None
    refused(method("get", store, 3), "not-found", -6, "3")
    assert method("compact", store) is None and method("save", store) is None
    assert method("tick", store, 10, 10_000) == 0
    assert method("statistics", store).records == 2
    assert call("memory", "[static]store.close", store) is None
    again = open_store("/data/s.rvf", options(create=False, dimension=None, read_only=True))
    assert method("next", again, 0) == 1
    refused(method("remember", again, item(9, [1.0, 1.0], "x")), "read-only", -219, "")


def agent(call, _folder):
    refused(call("agent", "init", "[nonsense"), "invalid", -3, "")
    assert call("agent", "init", CONFIG) is None
    told = call("agent", "remember", "Ada drinks oolong tea")
    assert not told.merged and told.notes == []
    assert call("agent", "recall", "oolong", 5)[0].text == "Ada drinks oolong tea"
    answer = call("agent", "run", "wit", "What does Ada drink?")
    assert "oolong" in answer.text and told.id in answer.cited, answer.text
    assert call("agent", "sessions") == ["wit"]
    feedback(call, told.id)
    refused(call("agent", "run", "no/name", "x"), "invalid", -2, "name")
    refused(call("agent", "forget", [1]), "not-found", -4, "")
    assert call("agent", "forget", [told.id]) == ["Ada drinks oolong tea"]
    assert call("agent", "recall", "oolong", 5) == []


def feedback(call, number):
    """Verdicts count as uses and move the importance within 0 and 1; the record keeps them."""

    def kept():
        store = call("memory", "[static]store.open", "/data/memory.rvf", EXISTING)
        got = call("memory", "[method]store.get", store, number)
        call("memory", "[static]store.close", store)
        return got

    before = kept()
    assert before.importance == 0.5
    for verdict, expected in [("used", 0.5), ("cited", 0.5), ("good", 0.625), ("bad", 0.5)]:
        assert call("agent", "feedback", number, verdict) == expected, verdict
    after = kept()
    assert (after.importance, after.uses) == (0.5, before.uses + 4)
    assert ("verdict", "bad") in after.metadata and after.text == before.text
    last_used = lambda got: getattr(got, "last-used")
    assert last_used(after) >= last_used(before) and after.vector == before.vector
    for verdict, bound in [("good", 1.0), ("corrected", 0.0)]:
        for _ in range(6):
            last = call("agent", "feedback", number, verdict)
        assert last == bound, verdict
    assert kept().importance == 0.0
    refused(call("agent", "feedback", number + 1, "good"), "not-found", -4, str(number + 1))


def full(call, _folder):
    """A memory that forgets others to make room says so."""
    small = "[memory]\nimage_kib = 64\nwords_kib = 64\nwhen_full = \"evict\"\n"
    assert call("agent", "init", CONFIG + small) is None
    for number in range(2000):
        told = call("agent", "remember", f"word{number} and other{number} and more{number}")
        if told.notes:
            break
    assert len(told.notes) == 1 and "forgotten" in told.notes[0], (number, told.notes)
    assert call("agent", "recall", f"word{number}", 1)[0].id == told.id


def unsaved(call, folder):
    """What is committed is done, whether what is derived can be saved or not: nobody is to do it again."""
    assert call("agent", "init", CONFIG) is None
    # Nothing can take the place of such a folder.
    (folder / "memory.rvf.image" / "taken").mkdir(parents=True)
    told = call("agent", "remember", "Ada drinks oolong tea")
    assert call("agent", "feedback", told.id, "good") == 0.625
    answer = call("agent", "run", "s", "My cat is called Miro. What does Ada drink?")
    assert "oolong" in answer.text and len(answer.learned) == 1, vars(answer)
    assert (folder / "memory.rvf.image" / "taken").exists()
    assert call("agent", "forget", [told.id]) == ["Ada drinks oolong tea"]
    assert call("agent", "recall", "Miro", 1)[0].id == answer.learned[0]


def main():
    engine = Engine()
    component = Component.from_file(engine, sys.argv[1])
    for test in (memory, agent, full, unsaved):
        with tempfile.TemporaryDirectory(prefix="clawft-") as folder:
            folder = pathlib.Path(folder)
            test(Instance(engine, component, folder).call, folder)
        print(f"ok      {test.__name__}")


if __name__ == "__main__":
    main()
