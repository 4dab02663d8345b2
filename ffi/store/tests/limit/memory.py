"""The durable memory's module where memory ends at 16 MiB, in PyPI's `wasmtime`: `memory.py MODULE`.

Records, texts, words, files and questions until nothing more fits: each is an error with a
sentence, what was there is there, and the next call works. Then the same calls where memory ends
at every size from next to nothing on: no trap, and nothing that was committed is lost.
"""

import os
import pathlib
import random
import struct
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "examples/python"))

import remember  # noqa: E402
from remember import CREATE, ClawftError  # noqa: E402

MOST = 16 << 20
DIM = 64
TEXT = 1 << 20
FULL, UNKNOWN_ID, OUT_OF_RANGE, OUT_OF_MEMORY = -7, -6, -104, -107
NO_SPACE = -203
LIMIT, BATCH_FULL, NOT_RVF, DAMAGED, WORDS_FULL, NO_MEMORY = -211, -213, -215, -218, -231, -232
TOO_LITTLE = (NO_MEMORY, OUT_OF_MEMORY)


class Folder(remember.Folder):
    """A storage that nobody pulls the plug of."""

    def sync(self, file):
        pass

    def sync_folder(self):
        pass


class Limited(remember.Memory):
    """An instance whose host denies pages beyond `most`."""

    def __init__(self, path, folder, most=MOST, **more):
        self.most = most
        super().__init__(path, folder, dim=DIM, **more)

    def define(self, linker):
        self.store.set_limits(memory_size=self.most)
        super().define(linker)

    def alloc(self, size):
        try:
            return super().alloc(size)
        except MemoryError:
            self.free()
            raise


def vector(id):
    draw = random.Random(id)
    return struct.pack(f"<{DIM}f", *(draw.gauss(0, 1) for _ in range(DIM)))


def refused(codes, call, *arguments, **more):
    """The sentence of a refusal with one of these codes."""
    codes = codes if isinstance(codes, tuple) else (codes,)
    try:
        call(*arguments, **more)
    except ClawftError as error:
        assert error.code in codes and len(str(error)) > 15, error
        return str(error)
    raise AssertionError(f"{codes} expected")


def unchanged(memory, before, id=1, text="tea number 1"):
    """Whether a memory is as it was, and answers."""
    after = memory.report()
    assert after == before, (before, after)
    assert memory.string(id) == text
    assert memory.recall(1, vector=vector(id))[0][0] == id
    assert memory.recall(3, text=text)[0][0] == id


def goes_on(memory, id=900_000):
    """Whether the next change works."""
    memory.remember(id, vector(id), "what comes after")
    memory.commit()
    assert memory.string(id) == "what comes after"
    memory.forget(id)
    memory.commit()


def filled(module, folder, count=50, **more):
    memory = Limited(module, folder, flags=CREATE, **more)
    for id in range(count):
        memory.remember(id, vector(id), f"tea number {id}")
    memory.commit()
    return memory


def records(module, folder):
    """As many as the memory was made for, and one more."""
    memory = filled(module, folder, capacity=51)
    memory.remember(50, vector(50), "the last")
    memory.commit()
    before = memory.report()
    print("   ", refused(FULL, memory.remember, 51, vector(51), "one too many"))
    unchanged(memory, before)
    memory.forget(50)
    goes_on(memory, 51)
    # A memory for more than there is room for is none, and a smaller one is made.
    with tempfile.TemporaryDirectory() as other:
        other = Folder(other)
        print("   ", refused(NO_MEMORY, Limited, module, other, flags=CREATE, capacity=1_000_000))
        goes_on(filled(module, other))


def texts(module, folder):
    """Texts of 1 MiB: until the batch is full, then committed, forty of them."""
    memory = filled(module, folder, capacity=200)
    id, text = 1000, "oolong " * (TEXT // 7)
    while True:
        try:
            memory.remember(id, vector(id), text)
            id += 1
        except ClawftError as error:
            assert error.code in (BATCH_FULL, NO_MEMORY), error
            print("   ", error)
            code = error.code
            break
    assert id > 1001
    before = memory.report()
    refused(code, memory.remember, id, vector(id), text)
    unchanged(memory, before)
    memory.commit()
    while id < 1040:
        memory.remember(id, vector(id), text)
        memory.commit()
        id += 1
    assert memory.string(1039) == text and memory.linear_memory() <= MOST
    memory.compact()
    goes_on(memory)
    # Words until their index is full: those of one text are many, and all are new.
    try:
        for id in range(2000, 2010):
            words = " ".join(f"w{id}x{number:x}" for number in range(70_000))
            memory.remember(id, vector(id), words[:TEXT])
            memory.commit()
        raise AssertionError("the words had room")
    except ClawftError as error:
        assert error.code in (WORDS_FULL, NO_MEMORY), error
        print("   ", error)
    memory.call("clawft_rollback", memory.handle)
    goes_on(memory)
    memory.close()
    again = Limited(module, folder, capacity=200)
    assert again.string(1039) == text
    goes_on(again)


def large(module, folder):
    """One text, one question, one list that is too large."""
    memory = filled(module, folder)
    before = memory.report()
    for size in (TEXT + 1, 8 * TEXT):
        # Whether there is room for a text is asked before whether it is allowed.
        print("   ", refused((LIMIT, NO_MEMORY), memory.remember, 7, vector(7), "x" * size))
    try:
        memory.remember(7, vector(7), "x" * 20 * TEXT)
        raise AssertionError("20 MiB were lent of 16")
    except MemoryError:
        memory.free()
    pairs = [(f"key {number}", "v" * 4096) for number in range(300)]
    refused(LIMIT, memory.remember, 7, vector(7), "x", pairs=pairs)
    refused(LIMIT, memory.remember, 7, vector(7), "x", pairs=pairs[:200])
    refused(LIMIT, memory.remember, 7, vector(7), "x", pairs=[("k" * TEXT, "v" * TEXT)])
    refused(LIMIT, memory.remember, 7, vector(7), "x", kind="k" * TEXT, session="s" * TEXT)
    # What is said to lie there, and does not.
    record = bytearray(80)
    struct.pack_into("<2IQI", record, 0, 80, DIM, 7, memory.put(vector(7)))
    for at, count in ((20, 0xFFFFFFFF), (44, 0x0FFFFFFF)):
        wrong = bytearray(record)
        struct.pack_into("<2I", wrong, at, memory.put(b"text"), count)
        refused(OUT_OF_RANGE, memory.call, "clawft_remember", memory.handle, memory.put(bytes(wrong)))
    unchanged(memory, before)

    # Results and candidates beyond all memory.
    for k, code in ((0xFFFFFFFF, OUT_OF_RANGE), (1 << 20, OUT_OF_RANGE)):
        asked = memory.alloc(112)
        memory.call("clawft_recall_init", asked, k)
        given = bytearray(memory.read(asked, 112))
        struct.pack_into("<2I", given, 12, *memory.text("tea"))
        given = memory.put(bytes(given))
        refused(code, memory.call, "clawft_recall", memory.handle, given, asked, memory.alloc(4))
    assert len(memory.recall(200_000, vector=vector(1))) == 50
    memory.call("clawft_recall_init", asked := memory.alloc(112), 3)
    given = bytearray(memory.read(asked, 112))
    struct.pack_into("<I", given, 24, 0xFFFFFFFF)
    struct.pack_into("<I", given, 8, memory.put(vector(1)))
    struct.pack_into("<I", given, 20, DIM)
    out = memory.alloc(24 * 3)
    memory.call("clawft_recall", memory.handle, memory.put(bytes(given)), out, asked)
    assert struct.unpack("<Q", memory.read(out, 8)) == (1,)
    memory.free()
    # A question of a megabyte of words, all of them new, and one of eight.
    words = " ".join(f"q{number:x}" for number in range(250_000))
    for size in (TEXT, 6 * TEXT):
        try:
            memory.recall(3, text=words[:size])
        except ClawftError as error:
            assert error.code in (LIMIT, *TOO_LITTLE), error
            print("   ", error)
    unchanged(memory, before)
    goes_on(memory)


def sparse(folder, name, size, begin=b""):
    with open(folder.path / name, "wb") as file:
        file.write(begin)
        file.truncate(size)


def files(module, folder):
    """Files larger than memory: sound ones are opened, others refused, however large."""
    memory = filled(module, folder, capacity=200)
    text = "oolong " * (TEXT // 7)
    for id in range(1000, 1064):
        memory.remember(id, vector(id), text + str(id))
        memory.commit()
    memory.compact()
    memory.close()
    path = folder.path / "memory.rvf"
    print(f"    a file of {path.stat().st_size >> 20} MiB")
    assert path.stat().st_size > 4 * MOST - (1 << 20)
    for derived in (True, False):
        if not derived:
            (folder.path / "memory.rvf.image").unlink()
        memory = Limited(module, folder, capacity=200)
        assert memory.report()["records"] == 114 and memory.string(1063).endswith("1063")
        goes_on(memory)
        memory.compact()
        memory.close()



def strange(module, folder):
    """Files that are larger than any memory, in the place of each of ours, with its head or none."""
    filled(module, folder, capacity=200).close()
    sound = {one.name: one.read_bytes() for one in folder.path.iterdir()}
    refusals = 0
    for ending in ("", ".journal", ".journal.new", ".image", ".compact", ".lease.0000000000000001.0000000000000001"):
        name = "memory.rvf" + ending
        # The larger one is more than 32 bits count.
        for size, begin in ((100 << 20, b""), ((4 << 30) + 100, sound.get(name, b"")[:100])):
            sparse(folder, name, size, begin)
            try:
                memory = Limited(module, folder, capacity=200)
                assert memory.string(1) == "tea number 1", name
                goes_on(memory)
            except ClawftError as error:
                # What is derived, or left over, is not needed.
                assert error.code in (NOT_RVF, DAMAGED) and ending in ("", ".journal"), (name, error)
                refusals += 1
            for file in folder.path.iterdir():
                file.unlink()
            for file, content in sound.items():
                (folder.path / file).write_bytes(content)
    assert refusals >= 2, refusals
    goes_on(Limited(module, folder, capacity=200))


class Full(Folder):
    """A storage that takes no byte more, once it is said to be full."""

    is_full = False

    def append(self, file, data):
        if self.is_full:
            os.write(self.files[file], data[: len(data) // 2])
            raise OSError(28, "full")
        super().append(file, data)


def storage(module, folder):
    """The host's storage is full: the changes stay pending, and are committed when there is room."""
    folder = Full(folder.path)
    memory = filled(module, folder)
    memory.remember(900, vector(900), "pending")
    before = memory.report()
    folder.is_full = True
    print("   ", refused(NO_SPACE, memory.commit))
    unchanged(memory, before)
    folder.is_full = False
    memory.commit()
    assert memory.string(900) == "pending"
    goes_on(memory)


def work(memory):
    """Calls of every kind. What was committed, and whether something was refused for want of memory."""
    committed, pending, little = [], [], 0

    def done(call, *arguments, **more):
        nonlocal little
        try:
            call(*arguments, **more)
            return True
        except MemoryError:
            little += 1
        except ClawftError as error:
            assert error.code in (*TOO_LITTLE, WORDS_FULL), error
            little += 1
        return False

    for id in range(200, 260):
        size = 60_000 if id % 15 == 0 else 300
        text = f"green {id} " + " ".join(f"word{id * number % 997}" for number in range(size // 8))
        if done(memory.remember, id, vector(id), text, pairs=[("number", str(id))]):
            pending.append((id, text))
        if id % 7 == 0 and done(memory.commit):
            committed, pending = committed + pending, []
        if id % 5 == 0:
            done(memory.recall, 10, vector=vector(id), text="tea green")
        if id % 20 == 0:
            tick = memory.exports["clawft_tick"]
            done(lambda: memory.call("clawft_tick", memory.handle, 1 << 40, 50, 1 << 20, memory.alloc(32)))
    for call in (memory.compact, lambda: memory.call("clawft_save", memory.handle), memory.report):
        done(call)
    # Whatever happened, the memory reads.
    assert memory.exports["clawft_record_contains"](memory.store, memory.handle, 1) == 1
    done(memory.close)
    return committed, little


def every_size(module, folder):
    """Memory that ends at each size: an error where it does, and no commit lost."""
    memory = filled(module, folder, 200, capacity=400)
    memory.close()
    sound = {one.name: one.read_bytes() for one in folder.path.iterdir()}
    outcomes = {"not opened": 0, "something refused": 0, "nothing refused": 0}
    for most in range(384 << 10, 2560 << 10, 64 << 10):
        for file in folder.path.iterdir():
            file.unlink()
        for name, content in sound.items():
            # At every other size without what is derived, so that it is built anew.
            if most >> 16 & 1 or not name.endswith(".image"):
                (folder.path / name).write_bytes(content)
        committed, little = [], 0
        try:
            memory = Limited(module, folder, most, capacity=400)
            committed, little = work(memory)
            assert memory.linear_memory() <= most
            outcomes["something refused" if little else "nothing refused"] += 1
        except MemoryError:
            outcomes["not opened"] += 1
        except ClawftError as error:
            assert error.code in TOO_LITTLE, error
            outcomes["not opened"] += 1
        again = remember.Memory(module, folder, dim=DIM, capacity=400)
        for id in range(200):
            assert again.string(id) == f"tea number {id}", (most, id)
        for id, text in committed:
            assert again.string(id) == text, (most, id)
        again.call("clawft_memory_verify", again.handle)
    print("   ", outcomes)
    assert all(outcomes.values()), outcomes


def main(module):
    for test in (records, texts, large, files, strange, storage, every_size):
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as path:
            test(module, Folder(path))
        print(f"ok      {test.__name__} ({time.monotonic() - start:.1f} s)", flush=True)
    print("all as expected")


if __name__ == "__main__":
    main(sys.argv[1])
