"""`clawft:memory/memory` and `agent` from a host."""

import wasmtime

import wit
from command import CLAWFT, FACT, OFFLINE

def stores(folder):
    """`clawft:memory/memory` from a host: records, texts and questions until nothing more fits."""
    engine = wasmtime.Engine()
    component = wit.Component.from_file(engine, CLAWFT)
    call = wit.Instance(engine, component, folder).call
    method = lambda name, *arguments: call("memory", f"[method]store.{name}", *arguments)
    opened = lambda name="s", **more: call(
        "memory", "[static]store.open", f"/data/{name}.rvf", wit.options(**more)
    )

    def refused(answer, *kinds):
        assert answer.kind in kinds and len(answer.sentence) > 10, vars(answer)

    refused(opened("vast", capacity=1 << 30), "full", "invalid", "failed")
    refused(opened("wide", capacity=40_000, dimension=4096), "full", "failed")
    store = opened(capacity=20)
    for number in range(20):
        assert method("remember", store, wit.item(number, [1.0, float(number)], f"tea {number}")) is None
    refused(method("remember", store, wit.item(20, [1.0, 20.0], "one more")), "full")
    assert method("commit", store) is None
    for size in (1 << 20, 2 << 20):
        answer = method("remember", store, wit.item(3, [1.0, 3.0], "x" * (size + 1)))
        refused(answer, "invalid", "full")
    refused(method("remember", store, wit.item(3, [1.0] * 500_000, "x")), "invalid")
    pairs = [(f"key {number}", "v" * 3000) for number in range(1000)]
    refused(method("remember", store, wit.item(3, [1.0, 3.0], "x", metadata=pairs)), "invalid", "full")
    assert len(method("recall", store, wit.query(text="tea", k=0xFFFFFFFF))) == 20
    answer = method("recall", store, wit.query(text="tea " * 500_000, k=5))
    assert isinstance(answer, list) or answer.sentence
    text = "oolong " * 140_000
    for number in range(12):
        answer = method("remember", store, wit.item(number, [1.0, float(number)], text))
        if answer is not None:
            refused(answer, "full")
            assert method("commit", store) is None
            assert method("remember", store, wit.item(number, [1.0, float(number)], text)) is None
    assert method("commit", store) is None
    assert method("get", store, 11).text == text and method("get", store, 15).text == "tea 15"
    # A second one beside it, as long as there is room.
    others = []
    for number in range(40):
        other = opened(str(number), capacity=30_000)
        if hasattr(other, "sentence"):
            refused(other, "full", "failed")
            break
        others.append(other)
    assert 0 < len(others) < 40, len(others)
    assert method("get", store, 15).text == "tea 15"
    for other in others:
        assert call("memory", "[static]store.close", other) is None
    assert call("memory", "[static]store.close", store) is None
    call("agent", "init", OFFLINE)
    refused(call("agent", "remember", "x" * (1 << 20)), "invalid")
    call("agent", "remember", FACT)
    refused(call("agent", "run", "long", "x " * (1 << 20)), "invalid", "failed")
    assert call("agent", "recall", "oolong", 0xFFFFFFFF)[0].text == FACT
