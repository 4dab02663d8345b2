"""The durable memory's module where next to nothing is left, in PyPI's `wasmtime`: `little.py MODULE`.

A memory is opened in regions of every size, from the smallest one on, and a host takes all that
`clawft_alloc` gives: each call works or says that there is too little, and none traps.
"""

import pathlib
import struct
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "examples/python"))

import remember  # noqa: E402
from memory import DIM, TOO_LITTLE, Folder, Limited, filled, goes_on, refused, vector  # noqa: E402
from remember import CREATE, FAILED, ClawftError  # noqa: E402

PAGE = 64 << 10
# Pages of the largest region below.
REGION = 16
COMPILED = {}


class Bare(remember.Memory):
    """An instance whose memory is a region of `size` bytes; what goes in lies behind it."""

    def __init__(self, path, folder, size):
        # The far end of the stack: no block of the module's.
        self.sentence, self.taken = 512, 0
        self.folder, self.frame = folder, []
        if path not in COMPILED:
            engine = remember.Engine()
            COMPILED[path] = engine, remember.Module.from_file(engine, path)
        engine, module = COMPILED[path]
        self.store, linker = remember.Store(engine), remember.Linker(engine)
        self.define(linker)
        self.exports = linker.instantiate(self.store, module).exports(self.store)
        self.memory = self.exports["memory"]
        first = self.memory.grow(self.store, REGION + 1) * PAGE
        self.place = first + REGION * PAGE
        self.call("clawft_init_memory", first, size)

    def take(self, size):
        at = self.place + self.taken
        self.taken += -(-size // 8) * 8
        return at

    def free(self):
        self.frame, self.taken = [], 0

    def open(self, name="memory.rvf"):
        options = self.alloc(104)
        self.call("clawft_memory_options_init", options)
        settings = bytearray(self.read(options, 104))
        struct.pack_into("<3I", settings, 4, CREATE, DIM, 100)
        # With a lease: its names are made before the file is looked at.
        struct.pack_into("<3Q", settings, 80, 7, 1000, 1000)
        at, length = self.text(name)
        out = self.alloc(4)
        self.call("clawft_memory_open", at, length, self.put(bytes(settings)), 0, out)
        self.handle = struct.unpack("<I", self.read(out, 4))[0]
        self.free()

    def asked(self):
        """Bytes in use."""
        at = self.alloc(56)
        self.call("clawft_memory_stats", at)
        self.free()
        return struct.unpack("<Q", self.read(at + 24, 8))[0]


def opened(module, folder):
    """A memory is opened where next to nothing is left: an error, no trap, and no file."""
    outcomes = {"refused": 0, "opened": 0}
    # Where the handle, the names, the lease and the first question lie; then up to what it takes.
    for size in (*range(552, 10 << 10, 24), *range(60 << 10, 70 << 10, 512), *range(10 << 10, REGION * PAGE, 16 << 10)):
        memory = Bare(module, folder, size)
        before = memory.asked()
        try:
            memory.open("n" * 200)
            outcomes["opened"] += 1
        except ClawftError as error:
            assert error.code in TOO_LITTLE, (size, error)
            outcomes["refused"] += 1
            if size < PAGE:
                assert not list(folder.path.iterdir()), size
                # The call is over: the next one is not told that it is inside of it.
                refused(TOO_LITTLE, memory.open)
            assert memory.asked() == before, size
        for file in folder.path.iterdir():
            file.unlink()
    print("   ", outcomes)
    assert outcomes["opened"] > 10 and outcomes["refused"] > 400, outcomes
    # With the leases of a writer that was killed again and again, as many as are listed.
    for size in range(60 << 10, REGION * PAGE, 32 << 10):
        for number in range(1_400):
            (folder.path / f"m.lease.{number:016x}.{1:016x}").touch()
        try:
            Bare(module, folder, size).open("m")
            outcomes["many"] = outcomes.get("many", 0) + 1
        except ClawftError as error:
            assert error.code in (*TOO_LITTLE, FAILED), (size, error)
        for file in folder.path.iterdir():
            file.unlink()
    assert outcomes["many"] > 5, outcomes


def left(memory, most):
    """Takes all that `clawft_alloc` gives; the blocks."""
    blocks, size = [], most
    while size:
        at = memory.exports["clawft_alloc"](memory.store, size) & 0xFFFFFFFF
        if at:
            blocks.append(at)
        else:
            size //= 2
    return blocks


def taken(module, folder):
    """The host takes all memory that it gets: each call works or says so, and all goes on after it."""
    for ends in ("denied", "limit"):
        memory = filled(module, folder, most=4 << 20, limit=4 << 20 if ends == "limit" else None)
        memory.remember(900, vector(900), "pending")
        row, out = memory.take(4 * DIM), memory.take(104)
        blocks = left(memory, 1 << 20)
        at = memory.place_of_sentences()
        assert memory.exports["clawft_last_error"](memory.store, at, 241) > 15
        assert b"room for 65537 bytes" in memory.read(at, 241), memory.read(at, 241)
        for name, *more in (
            ("clawft_memory_report", out), ("clawft_tick", 1 << 40, 50, 1 << 20, out), ("clawft_tiers", out),
            ("clawft_record_vector", 1, row, DIM), ("clawft_record_string", 1, 0, 0, 0, out),
            ("clawft_forget", 1), ("clawft_commit", 0), ("clawft_compact", 0), ("clawft_save",),
            ("clawft_memory_verify",), ("clawft_rollback",),
        ):
            try:
                memory.call(name, memory.handle, *more)
            except ClawftError as error:
                assert error.code in TOO_LITTLE, (name, error)
        for block in blocks:
            memory.call("clawft_free", block)
        memory.call("clawft_rollback", memory.handle)
        goes_on(memory)
        blocks = left(memory, 1 << 20)
        try:
            memory.close()
        except ClawftError as error:
            assert error.code in TOO_LITTLE, error
        for block in blocks:
            memory.call("clawft_free", block)
        again = Limited(module, folder)
        assert again.string(2) == "tea number 2"
        goes_on(again)
        again.close()
        for file in folder.path.iterdir():
            file.unlink()


def main(module):
    for test in (opened, taken):
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as path:
            test(module, Folder(path))
        print(f"ok      {test.__name__} ({time.monotonic() - start:.1f} s)", flush=True)
    print("all as expected")


if __name__ == "__main__":
    main(sys.argv[1])
