"""The kernel module from Python, through PyPI's `wasmtime`.

    pip install wasmtime
    python ffi/examples/python/nearest.py dist/clawft-kernel.wasm

A class in the manner of hnswlib's, over the exports alone: every number and
pointer goes through linear memory. SPDX-License-Identifier: MIT OR Apache-2.0
"""

import array
import math
import random
import struct
import sys

from wasmtime import Config, Engine, Instance, Module, Store

PAGE = 65_536
METRICS = {"cosine": 0, "ip": 1, "l2": 2}
FULL, BAD_HANDLE = -6, -101


class ClawftError(Exception):
    def __init__(self, code, sentence):
        super().__init__(f"{sentence} ({code})")
        self.code = code


class Kernel:
    """One instance of the module: its exports and its memory."""

    def __init__(self, path, memory_max=None):
        config = Config()
        config.wasm_relaxed_simd = True
        engine = Engine(config)
        self.store = Store(engine)
        if memory_max:
            self.store.set_limits(memory_size=memory_max)
        module = Module.from_file(engine, path)
        assert not module.imports, "the kernel has no imports"
        self.exports = Instance(self.store, module, []).exports(self.store)
        self.memory = self.exports["memory"]

    def call(self, name, *arguments):
        """Calls an export; an error becomes an exception with its sentence."""
        result = self.exports[name](self.store, *arguments)
        if result is not None and result < 0:
            raise ClawftError(result, self.last_error())
        return result

    def last_error(self):
        at = self.alloc(256)
        length = self.exports["clawft_last_error"](self.store, at, 256)
        sentence = self.read(at, length).decode("ascii")
        self.free(at)
        return sentence

    def alloc(self, size):
        at = self.exports["clawft_alloc"](self.store, size)
        if at == 0:
            raise MemoryError(f"no {size} bytes left in linear memory")
        return at & 0xFFFFFFFF

    def free(self, at):
        self.call("clawft_free", at)

    def put(self, data):
        at = self.alloc(max(len(data), 1))
        self.memory.write(self.store, data, at)
        return at

    def read(self, at, size):
        return bytes(self.memory.read(self.store, at, at + size))

    def memory_stats(self):
        at = self.alloc(64)
        self.call("clawft_memory_stats", at)
        names = ("size", "blocks", "limit", "claimed", "asked", "free", "overhead", "linear_memory")
        stats = dict(zip(names, struct.unpack("<2I6Q", self.read(at, 56))))
        self.free(at)
        return stats


class Index:
    """hnswlib's `Index`, as far as this program needs it."""

    def __init__(self, kernel, dim, capacity, space="cosine", seed=0, snapshot=None):
        self.kernel, self.dim = kernel, dim
        out = kernel.alloc(64)
        if snapshot is None:
            kernel.call("clawft_params_init", out, dim, capacity)
            params = bytearray(kernel.read(out, 40))
            struct.pack_into("<I", params, 12, METRICS[space])
            struct.pack_into("<Q", params, 32, seed)
            at = kernel.put(bytes(params))
            kernel.call("clawft_create", at, out)
            kernel.free(at)
        else:
            # The block becomes the store's: no copy inside the module.
            kernel.call("clawft_adopt", kernel.put(snapshot), out)
        (self.handle,) = struct.unpack("<I", kernel.read(out, 4))
        kernel.free(out)

    def close(self):
        self.kernel.call("clawft_destroy", self.handle)

    def insert(self, ids, vectors):
        kernel = self.kernel
        ids_at = kernel.put(array.array("Q", ids).tobytes())
        rows_at = kernel.put(array.array("f", [x for v in vectors for x in v]).tobytes())
        done_at = kernel.alloc(4)
        try:
            kernel.call(
                "clawft_insert_batch", self.handle, ids_at, rows_at, len(ids), self.dim, done_at
            )
        finally:
            for at in (ids_at, rows_at, done_at):
                kernel.free(at)

    def remove(self, id):
        self.kernel.call("clawft_remove", self.handle, id)

    def search(self, vector, k, ef=0, ids=None, exact=False):
        """Ids and distances, nearest first; of `ids` only, if they are given."""
        kernel = self.kernel
        filter_at = kernel.put(array.array("Q", ids).tobytes()) if ids is not None else 0
        query = struct.pack("<6I", 24, k, ef, 3 if exact else 0, filter_at, len(ids or ()))
        query_at = kernel.put(query)
        vector_at = kernel.put(array.array("f", vector).tobytes())
        ids_at, distances_at, count_at = kernel.alloc(8 * k), kernel.alloc(4 * k), kernel.alloc(4)
        kernel.call(
            "clawft_search", self.handle, vector_at, self.dim, query_at,
            ids_at, distances_at, count_at,
        )
        (count,) = struct.unpack("<I", kernel.read(count_at, 4))
        found = array.array("Q", kernel.read(ids_at, 8 * count)).tolist()
        distances = array.array("f", kernel.read(distances_at, 4 * count)).tolist()
        for at in (filter_at, query_at, vector_at, ids_at, distances_at, count_at):
            kernel.free(at)
        return found, distances

    def snapshot(self):
        out = self.kernel.alloc(8)
        self.kernel.call("clawft_snapshot_view", self.handle, out, out + 4)
        at, length = struct.unpack("<2I", self.kernel.read(out, 8))
        self.kernel.free(out)
        return self.kernel.read(at, length)


def cosine_distance(a, b):
    dot = sum(x * y for x, y in zip(a, b))
    return 1 - dot / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def main(path):
    dim, count, k = 48, 500, 10
    rng = random.Random(7)
    vectors = [[rng.gauss(0, 1) for _ in range(dim)] for _ in range(count)]
    kernel = Kernel(path, memory_max=16 * 1024 * 1024)
    index = Index(kernel, dim, count)
    index.insert(range(count), vectors)

    try:
        index.insert([count], [vectors[0]])
        sys.exit("insert number capacity + 1 was not refused")
    except ClawftError as error:
        assert error.code == FULL, error
        print("full:", error)

    hits = 0
    for probe in range(50):
        query = [x + rng.gauss(0, 0.1) for x in vectors[probe]]
        truth = sorted(range(count), key=lambda i: cosine_distance(query, vectors[i]))[:k]
        found, distances = index.search(query, k, ef=100)
        assert len(found) == k and distances == sorted(distances)
        hits += len(set(found) & set(truth))
        assert index.search(query, k, exact=True)[0] == truth
    print(f"recall@{k}: {hits / (50 * k):.3f}")
    assert hits >= 50 * k * 95 // 100

    found, _ = index.search(vectors[3], k, ids=[3, 5, 8, 10_000])
    assert sorted(found) == [3, 5, 8]
    index.remove(3)
    assert 3 not in index.search(vectors[3], k)[0]

    saved, before = index.snapshot(), index.search(vectors[4], k)
    index.close()
    try:
        index.search(vectors[4], k)
        sys.exit("a closed store was not refused")
    except ClawftError as error:
        assert error.code == BAD_HANDLE, error

    index = Index(kernel, dim, count, snapshot=saved)
    assert index.search(vectors[4], k) == before
    memory = kernel.memory_stats()
    print(f"linear memory {memory['linear_memory']} bytes, allocator {memory['overhead']} bytes")
    assert memory["overhead"] < 1024
    print(f"saved and loaded {len(saved)} bytes: ok")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
