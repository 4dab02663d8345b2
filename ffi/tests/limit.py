"""The kernel's module where memory ends at 16 MiB, in PyPI's `wasmtime`: `limit.py MODULE`.

Whatever runs out is an error with a sentence: the store is as it was, byte for byte, and the next
call works. Memory ends in four ways: the host denies growth, the module was given a limit, it was
given a region, or nothing may grow at all.
"""

import array
import hashlib
import pathlib
import random
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "examples/python"))

import nearest  # noqa: E402

MOST = 16 << 20
DIM = 2048
FULL, SHRINK = -7, -15
OUT_OF_RANGE, OUT_OF_MEMORY, TOO_MANY_STORES, OUTPUT_TOO_SMALL = -104, -107, -108, -114
LIMIT_TOO_SMALL, REGION_TAKEN = -111, -112
STORES = 64
F32 = 0


class Limited(nearest.Kernel):
    """An instance whose memory ends, and a place of its own for arguments."""

    def __init__(self, path, way):
        super().__init__(path, MOST if way == "denied" else None)
        # The far end of the stack: nothing may be allocated yet.
        self.sentence = 512
        refused(REGION_TAKEN, self.call, "clawft_init_memory", 64, 1 << 16)
        refused(LIMIT_TOO_SMALL, self.call, "clawft_init_memory", 0, 1 << 16)
        if way == "limit":
            self.call("clawft_init_memory", 0, MOST)
        elif way == "region":
            before = self.memory.data_len(self.store)
            self.memory.grow(self.store, (MOST - before) // nearest.PAGE)
            self.call("clawft_init_memory", before, MOST - before)
        self.sentence = 0
        self.place = self.alloc(1024)

    def write(self, data, at=0):
        self.memory.write(self.store, data, self.place + at)
        return self.place + at

    def number(self, at=0):
        return struct.unpack("<I", self.read(self.place + at, 4))[0]

    def params(self, capacity):
        at = self.place + 64
        self.call("clawft_params_init", at, DIM, capacity)
        self.write(struct.pack("<3I", F32, 4, 20), 64 + 16)
        return at

    def create(self, capacity):
        """A handle. Where it is refused, none is given."""
        self.write(struct.pack("<I", 0xDEAD))
        try:
            self.call("clawft_create", self.params(capacity), self.place)
        except nearest.ClawftError:
            assert self.number() == 0xDEAD
            raise
        return self.number()

    def state(self, handle):
        """What the store is, byte for byte."""
        self.call("clawft_snapshot_view", handle, self.place, self.place + 4)
        return hashlib.sha256(self.read(*struct.unpack("<2I", self.read(self.place, 8)))).digest()

    def query(self, k, ef=0, filter=0, filter_len=0, mode=0):
        return self.write(struct.pack("<6I", 24, k, ef, mode, filter, filter_len), 128)


def refused(code, call, *arguments):
    try:
        call(*arguments)
    except nearest.ClawftError as error:
        assert error.code == code and len(str(error)) > 15, error
        return str(error)
    raise AssertionError(f"{code} expected")


def rows(count, seed):
    draw = random.Random(seed)
    return [array.array("f", [draw.random() - 0.5 for _ in range(DIM)]).tobytes() for _ in range(count)]


class Held:
    """A full store in an instance whose memory ends, and what it answers."""

    def __init__(self, kernel, vectors):
        self.kernel, self.vectors = kernel, vectors
        self.row = kernel.alloc(4 * DIM)
        # The largest that there is memory for, less what the calls below work with.
        capacity, step = 0, 1024
        while step:
            try:
                kernel.call("clawft_destroy", kernel.create(capacity + step))
                capacity += step
            except nearest.ClawftError as error:
                assert error.code == OUT_OF_MEMORY, error
            step //= 2
        self.capacity = capacity - 8
        self.handle = kernel.create(self.capacity)
        for id in range(self.capacity):
            self.insert(id)
        self.before = kernel.state(self.handle)
        self.answer = self.search()

    def insert(self, id):
        vector = self.vectors[id % len(self.vectors)]
        self.kernel.memory.write(self.kernel.store, vector, self.row)
        self.kernel.call("clawft_insert", self.handle, id, self.row, DIM)

    def search(self, k=4):
        kernel = self.kernel
        kernel.memory.write(kernel.store, self.vectors[7], self.row)
        ids, distances = kernel.place + 256, kernel.place + 320
        query = kernel.query(k)
        kernel.call("clawft_search", self.handle, self.row, DIM, query, ids, distances, kernel.place)
        found = kernel.number()
        return struct.unpack(f"<{found}Q", kernel.read(ids, 8 * found))

    def unchanged(self):
        assert self.kernel.state(self.handle) == self.before
        assert self.search() == self.answer and 7 in self.answer


def full(held):
    """Vectors until the store is full; the next is refused, alone and in a batch."""
    kernel = held.kernel
    print("   ", refused(FULL, held.insert, held.capacity))
    held.unchanged()
    # Of a batch, what is in is said.
    kernel.call("clawft_remove", held.handle, 3)
    ids = kernel.write(struct.pack("<2Q", 3, held.capacity), 384)
    block = kernel.alloc(8 * DIM)
    kernel.memory.write(kernel.store, held.vectors[3] * 2, block)
    batch = ("clawft_insert_batch", held.handle, ids, block, 2, DIM, kernel.place)
    refused(FULL, kernel.call, *batch)
    assert kernel.number() == 1
    kernel.call("clawft_free", block)
    held.before, held.answer = kernel.state(held.handle), held.search()


def larger(held):
    """A second store, a larger one, and more results than there is memory for."""
    kernel, handle = held.kernel, held.handle
    print("   ", refused(OUT_OF_MEMORY, kernel.create, held.capacity))
    refused(OUT_OF_MEMORY, kernel.call, "clawft_resize", handle, 2 * held.capacity)
    refused(SHRINK, kernel.call, "clawft_resize", handle, held.capacity - 1)
    held.unchanged()
    search = lambda query: kernel.call(
        "clawft_search", handle, held.row, DIM, query, kernel.place + 256, kernel.place + 320, kernel.place
    )
    # Room for so many results there is nowhere.
    refused(OUT_OF_RANGE, search, kernel.query(0xFFFFFFFF))
    refused(OUT_OF_RANGE, search, kernel.query(3 << 20))
    search(kernel.query(4, 0xFFFFFFFF))
    refused(OUT_OF_RANGE, search, kernel.query(4, filter=kernel.place, filter_len=0xFFFFFFFF))
    batch = ("clawft_search_batch", handle, held.row, 0xFFFFFFFF, DIM, kernel.query(4))
    refused(OUT_OF_RANGE, kernel.call, *batch, kernel.place, kernel.place, kernel.place)
    held.unchanged()


def snapshots(held):
    """A copy of the store has no room, in the module or in what the host gives."""
    kernel, handle = held.kernel, held.handle
    refused(OUTPUT_TOO_SMALL, kernel.call, "clawft_snapshot", handle, kernel.place, 64, kernel.place + 128)
    kernel.call("clawft_snapshot_view", handle, kernel.place, kernel.place + 4)
    view = struct.unpack("<2I", kernel.read(kernel.place, 8))
    refused(OUT_OF_MEMORY, kernel.call, "clawft_open", *view, kernel.place)
    held.unchanged()


def taken(held):
    """The host takes all memory that is left: what needs none goes on, the rest says so."""
    kernel, handle, blocks = held.kernel, held.handle, []
    size = 1 << 20
    while size >= 16:
        at = kernel.exports["clawft_alloc"](kernel.store, size) & 0xFFFFFFFF
        if at:
            blocks.append(at)
        else:
            size //= 2
    assert kernel.exports["clawft_alloc"](kernel.store, -1) == 0
    held.unchanged()
    refused(FULL, held.insert, held.capacity)
    refused(OUT_OF_MEMORY, kernel.create, 16)
    try:
        kernel.call("clawft_verify", handle, kernel.place)
    except nearest.ClawftError as error:
        assert error.code == OUT_OF_MEMORY, error
    # More candidates than any search had need more scratch, if there is none yet.
    many = ("clawft_search", handle, held.row, DIM, kernel.query(4, held.capacity), kernel.place + 256)
    try:
        kernel.call(*many, kernel.place + 320, kernel.place)
    except nearest.ClawftError as error:
        assert error.code == OUT_OF_MEMORY, error
    held.unchanged()
    for at in blocks:
        kernel.call("clawft_free", at)
    kernel.call("clawft_verify", handle, kernel.place)
    kernel.call(*many, kernel.place + 320, kernel.place)
    held.unchanged()


def many(path):
    """Stores until no more can be open, and stores until memory ends."""
    kernel = Limited(path, "denied")
    stores = [kernel.create(16) for _ in range(STORES)]
    print("   ", refused(TOO_MANY_STORES, kernel.create, 16))
    for handle in stores:
        kernel.call("clawft_destroy", handle)
    stores = []
    try:
        while True:
            stores.append(kernel.create(100))
    except nearest.ClawftError as error:
        assert error.code == OUT_OF_MEMORY, error
    assert len(stores) > 8
    kernel.call("clawft_destroy", stores.pop())
    stores.append(kernel.create(100))
    for handle in stores:
        kernel.call("clawft_destroy", handle)


def nothing(path):
    """No page more than the module begins with."""
    kernel = nearest.Kernel(path)
    first = kernel.memory.data_len(kernel.store)
    kernel = Limited.__new__(Limited)
    nearest.Kernel.__init__(kernel, path, first)
    # Some is left between the stack and the end of the first pages; here are the arguments.
    kernel.place = kernel.alloc(1024)
    print("   ", refused(OUT_OF_MEMORY, kernel.create, 100_000))
    refused(OUT_OF_MEMORY, kernel.create, 1000)
    assert kernel.memory.data_len(kernel.store) == first
    assert kernel.exports["clawft_abi_version"](kernel.store) == 1
    assert kernel.memory_stats()["claimed"] <= first


def main(path):
    vectors = rows(64, 11)
    for way in ("denied", "limit", "region"):
        kernel = Limited(path, way)
        held = Held(kernel, vectors)
        print(f"{way}: {held.capacity} vectors of {DIM} x f32")
        for test in (full, larger, snapshots, taken):
            test(held)
        assert kernel.memory.data_len(kernel.store) <= MOST
    many(path)
    nothing(path)
    print("all as expected")


if __name__ == "__main__":
    main(sys.argv[1])
