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
# The longest sentence, and the zero behind it.
SENTENCE = 241
WRONG_DIMENSION, FULL, BAD_HANDLE = -1, -7, -101


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
        self.sentence = 0

    def call(self, name, *arguments):
        """Calls an export; an error becomes an exception with its sentence."""
        result = self.exports[name](self.store, *arguments)
        if result is not None and result < 0:
            raise ClawftError(result, self.last_error())
        return result

    def last_error(self):
        at = self.place_of_sentences()
        length = self.exports["clawft_last_error"](self.store, at, SENTENCE)
        return self.read(at, length).decode("ascii")

    def place_of_sentences(self):
        """A block that is kept, and taken before all others: when memory ends, that can be said."""
        self.sentence = self.sentence or self.take(SENTENCE)
        return self.sentence

    def alloc(self, size):
        self.place_of_sentences()
        return self.take(size)

    def take(self, size):
        at = self.exports["clawft_alloc"](self.store, size)
        if at == 0:
            raise MemoryError(f"no {size} bytes left in linear memory")
        return at & 0xFFFFFFFF

    def read(self, at, size):
        return bytes(self.memory.read(self.store, at, at + size))

    def frame(self):
        return Frame(self)

    def memory_stats(self):
        names = ("size", "blocks", "limit", "claimed", "asked", "free", "overhead", "linear_memory")
        with self.frame() as frame:
            at = frame.alloc(56)
            self.call("clawft_memory_stats", at)
            return dict(zip(names, struct.unpack("<2I6Q", self.read(at, 56))))


class Frame:
    """Blocks for the arguments of a call, given back at its end."""

    def __init__(self, kernel):
        self.kernel, self.blocks = kernel, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for at in self.blocks:
            self.kernel.call("clawft_free", at)

    def alloc(self, size):
        self.blocks.append(self.kernel.alloc(size))
        return self.blocks[-1]

    def put(self, data):
        at = self.alloc(len(data))
        self.kernel.memory.write(self.kernel.store, data, at)
        return at

    def ids(self, ids):
        return self.put(array.array("Q", ids).tobytes())

    def floats(self, floats):
        return self.put(array.array("f", floats).tobytes())


class Index:
    """hnswlib's `Index`, as far as this program needs it."""

    def __init__(self, kernel, dim, capacity, space="cosine", seed=0, snapshot=None):
        self.kernel, self.dim = kernel, dim
        with kernel.frame() as frame:
            out = frame.alloc(40)
            if snapshot is None:
                kernel.call("clawft_params_init", out, dim, capacity)
                params = bytearray(kernel.read(out, 40))
                struct.pack_into("<I", params, 12, METRICS[space])
                struct.pack_into("<Q", params, 32, seed)
                kernel.call("clawft_create", frame.put(bytes(params)), out)
            else:
                # The block becomes the store's: no copy inside the module.
                block = kernel.alloc(len(snapshot))
                kernel.memory.write(kernel.store, snapshot, block)
                try:
                    kernel.call("clawft_adopt", block, out)
                except ClawftError:
                    # Refused, it is still ours.
                    kernel.call("clawft_free", block)
                    raise
            (self.handle,) = struct.unpack("<I", kernel.read(out, 4))

    def close(self):
        self.kernel.call("clawft_destroy", self.handle)

    def insert(self, ids, vectors):
        # The kernel is told how many there are and reads them: only here is seen whether they are there.
        if len(ids) != len(vectors) or any(len(vector) != self.dim for vector in vectors):
            raise ValueError(f"{len(ids)} ids want as many vectors of {self.dim} numbers")
        with self.kernel.frame() as frame:
            rows = frame.floats(x for vector in vectors for x in vector)
            done = frame.alloc(4)
            self.kernel.call(
                "clawft_insert_batch", self.handle, frame.ids(ids), rows, len(ids), self.dim, done
            )

    def remove(self, id):
        self.kernel.call("clawft_remove", self.handle, id)

    def search(self, vector, k, ef=0, ids=None, exact=False):
        """Ids and distances, nearest first; of `ids` only, if they are given."""
        kernel = self.kernel
        with kernel.frame() as frame:
            allowed = frame.ids(ids) if ids is not None else 0
            query = struct.pack("<6I", 24, k, ef, 3 if exact else 0, allowed, len(ids or ()))
            out_ids, out_distances, out_count = (frame.alloc(n) for n in (8 * k, 4 * k, 4))
            kernel.call(
                "clawft_search", self.handle, frame.floats(vector), len(vector), frame.put(query),
                out_ids, out_distances, out_count,
            )
            (count,) = struct.unpack("<I", kernel.read(out_count, 4))
            found = array.array("Q", kernel.read(out_ids, 8 * count)).tolist()
            return found, array.array("f", kernel.read(out_distances, 4 * count)).tolist()

    def snapshot(self):
        with self.kernel.frame() as frame:
            out = frame.alloc(8)
            self.kernel.call("clawft_snapshot_view", self.handle, out, out + 4)
            return self.kernel.read(*struct.unpack("<2I", self.kernel.read(out, 8)))


def cosine_distance(a, b):
    dot = sum(x * y for x, y in zip(a, b))
    return 1 - dot / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def refused(kind, call, *arguments):
    """The exception that a call ends with."""
    try:
        call(*arguments)
    except kind as error:
        return error
    sys.exit(f"{call.__name__} of what is wrong was not refused")


def main(path):
    dim, count, k = 48, 500, 10
    rng = random.Random(7)
    vectors = [[rng.gauss(0, 1) for _ in range(dim)] for _ in range(count)]
    kernel = Kernel(path, memory_max=16 * 1024 * 1024)
    index = Index(kernel, dim, count)
    index.insert(range(count), vectors)

    error = refused(ClawftError, index.insert, [count], [vectors[0]])
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

    # A query of another length is refused by the kernel, rows before it is asked.
    for wrong in (vectors[3][1:], vectors[3] + [0.0], []):
        assert refused(ClawftError, index.search, wrong, k).code == WRONG_DIMENSION
        refused(ValueError, index.insert, [3], [wrong])
    refused(ValueError, index.insert, [3, count], [vectors[3]])

    saved, before = index.snapshot(), index.search(vectors[4], k)
    index.close()
    assert refused(ClawftError, index.search, vectors[4], k).code == BAD_HANDLE

    blocks = kernel.memory_stats()["blocks"]
    refused(ClawftError, lambda cut: Index(kernel, dim, count, snapshot=cut), saved[:-1])
    assert kernel.memory_stats()["blocks"] == blocks

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
