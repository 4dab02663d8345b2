"""The module beside a model, through PyPI's `wasmtime`.

    python ffi/graph/tests/module.py dist/clawft-hnsw.wasm

Recall against brute force, bad arguments, removal of half, a snapshot that is
taken, damaged, refused and restored; then removals and inserts for long. SPDX-License-Identifier: MIT OR Apache-2.0
"""

import random
import struct
import sys

from wasmtime import Engine, Instance, Module, Store

DIM, CAPACITY = 16, 1000
# Of the index that vectors come to and go from.
CHURNED = 200
POINTER, SLOT, IN_USE, FREE, CORRUPT, UNSET = -2, -3, -4, -5, -6, -7


def main(path):
    engine = Engine()
    module = Module.from_file(engine, path)
    assert not module.imports, "the module has no imports"
    store = Store(engine)
    exports = Instance(store, module, []).exports(store)
    memory = exports["memory"]

    def call(name, *arguments):
        return exports[name](store, *arguments)

    assert call("insert", 0, 0) == UNSET
    base = call("init", CAPACITY, DIM, 16, 100, 7)
    end = memory.data_len(store)
    assert base != 0 and base % 64 == 0
    assert call("init", CAPACITY, DIM, 16, 100, 7) == 0, "only once"
    page = memory.grow(store, 1) * 65_536
    slots_at, distances_at = page + 1024, page + 32_768

    def put(vector):
        memory.write(store, struct.pack(f"<{DIM}f", *vector), page)
        return page

    def search(vector, k=10, ef=100):
        count = call("search", put(vector), k, ef, slots_at, distances_at)
        assert count >= 0, count
        return list(struct.unpack(f"<{count}I", memory.read(store, slots_at, slots_at + 4 * count)))

    rng = random.Random(1)
    vectors = [[rng.uniform(-1, 1) for _ in range(DIM)] for _ in range(CAPACITY)]
    assert search(vectors[0]) == []
    for slot, vector in enumerate(vectors):
        assert call("insert", slot, put(vector)) == 0
    assert call("insert", 0, page) == IN_USE
    # The last two would be slots 0 and 1, were their places reckoned in 32 bits.
    for beyond in (CAPACITY, 2**32 // DIM, 2**32 // DIM + 1):
        assert call("insert", beyond, page) == SLOT
    assert [search(vectors[slot], k=1) for slot in (0, 1)] == [[0], [1]]
    for wrong in (0, base, page + 2, page + 65_536 - 4 * DIM + 4, 0xFFFF_FFFC - 2**32):
        assert call("insert", 1, wrong) == POINTER, wrong
    assert call("search", page, 10, 10, page, distances_at) == POINTER, "outputs overlap the input"

    hits = 0
    for _ in range(100):
        query = [rng.uniform(-1, 1) for _ in range(DIM)]
        far = lambda slot: sum((a - b) ** 2 for a, b in zip(query, vectors[slot]))
        hits += len(set(sorted(range(CAPACITY), key=far)[:10]) & set(search(query)))
    print(f"recall@10: {hits / 1000:.3f}")
    assert hits >= 970 and call("verify") == 0

    for slot in range(0, CAPACITY, 2):
        assert call("remove", slot) == 0
    assert call("remove", 0) == FREE and call("verify") == 0
    odd = search(vectors[3], k=2000, ef=10)
    assert sorted(odd) == list(range(1, CAPACITY, 2)) and odd[0] == 3

    first = memory.read(store, base, base + 1)
    assert call("open") == 0 and search(vectors[3])[0] == 3
    memory.write(store, b"\0", base)
    assert call("open") == CORRUPT and call("verify") == UNSET
    memory.write(store, bytes(first), base)
    assert call("open") == 0 and search(vectors[3])[0] == 3

    # A snapshot: all from the index on to where memory ended then, in another instance.
    snapshot, found = bytes(memory.read(store, base, end)), search(vectors[3])
    store = Store(engine)
    exports = Instance(store, module, []).exports(store)
    memory = exports["memory"]
    assert call("init", CAPACITY, DIM, 16, 100, 7) == base
    assert memory.data_len(store) == end and memory.grow(store, 1) * 65_536 == page
    memory.write(store, snapshot, base)
    assert call("open") == 0 and search(vectors[3]) == found and call("verify") == 0
    churn(engine, module)
    print("ok")


def churn(engine, module):
    """Twenty times the capacity in removals and inserts leave a sound index that finds."""
    store = Store(engine)
    exports = Instance(store, module, []).exports(store)
    memory = exports["memory"]
    assert exports["init"](store, CHURNED, DIM, 16, 100, 7) != 0
    page = memory.grow(store, 1) * 65_536

    def insert(slot, vector):
        memory.write(store, struct.pack(f"<{DIM}f", *vector), page)
        assert exports["insert"](store, slot, page) == 0

    def search(vector, k):
        memory.write(store, struct.pack(f"<{DIM}f", *vector), page)
        assert exports["search"](store, page, k, 16, page + 1024, page + 32_768) == k
        return list(struct.unpack(f"<{k}I", memory.read(store, page + 1024, page + 1024 + 4 * k)))

    rng = random.Random(2)
    new = lambda: [rng.uniform(-1, 1) for _ in range(DIM)]
    vectors = [new() for _ in range(CHURNED)]
    for slot, vector in enumerate(vectors):
        insert(slot, vector)
    for _ in range(20 * CHURNED):
        slot = rng.randrange(CHURNED)
        assert exports["remove"](store, slot) == 0
        vectors[slot] = new()
        insert(slot, vectors[slot])
    assert exports["verify"](store) == 0
    assert [search(vector, 1) for vector in vectors] == [[slot] for slot in range(CHURNED)]
    hits = 0
    for _ in range(100):
        query = new()
        far = lambda slot: sum((a - b) ** 2 for a, b in zip(query, vectors[slot]))
        hits += len(set(sorted(range(CHURNED), key=far)[:10]) & set(search(query, 10)))
    print(f"recall@10 after removals and inserts: {hits / 1000:.3f}")
    assert hits >= 970


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
