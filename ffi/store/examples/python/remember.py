"""A durable memory in WebAssembly from Python, through PyPI's `wasmtime`.

    pip install wasmtime
    python ffi/store/examples/python/remember.py dist/clawft-store.wasm [FOLDER]

The module's imports are a storage: here a folder of files. Sample texts with their vectors go in,
are committed, and found again after the module was thrown away: by vector, by words, and by both.
SPDX-License-Identifier: MIT OR Apache-2.0
"""

import errno
import gzip
import json
import os
import pathlib
import struct
import sys
import tempfile
import time

from wasmtime import Config, Engine, FuncType, Linker, Module, Store, ValType

DATA = pathlib.Path(__file__).resolve().parents[4] / "data"
TEXTS, DIM = 1000, 512
CREATE, READ_ONLY = 1, 2
NOT_FOUND, EXISTS, NO_SPACE, STORAGE_READ_ONLY, BAD_FILE, FAILED = range(-201, -207, -1)
INVALID_TEXT, DAMAGED, READ_ONLY_MEMORY, NO_MEMORY = -115, -218, -219, -232
# The longest sentence, and the zero behind it.
SENTENCE = 241
# What a file or a whole medium says that may only be read.
MAY_NOT_WRITE = (errno.EACCES, errno.EPERM, errno.EROFS)


class ClawftError(Exception):
    def __init__(self, code, sentence):
        super().__init__(f"{sentence} ({code})")
        self.code = code


class Folder:
    """A storage: one folder of files. What it raises becomes one of the storage's numbers."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.files = {}
        self.progressed = []

    def give(self, name, flags):
        file = os.open(self.path / name, flags, 0o644)
        number = next(n for n in range(len(self.files) + 1) if n not in self.files)
        self.files[number] = file
        return number

    def open(self, name):
        try:
            return self.give(name, os.O_RDWR | os.O_APPEND)
        except OSError as error:
            if error.errno not in MAY_NOT_WRITE:
                raise
            return self.give(name, os.O_RDONLY)

    def create(self, name):
        return self.give(name, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL)

    def close(self, file):
        os.close(self.files.pop(file))

    def len(self, file):
        return os.fstat(self.files[file]).st_size

    def read_at(self, file, offset, length):
        return os.pread(self.files[file], length, offset)

    def append(self, file, data):
        while data:
            data = data[os.write(self.files[file], data) :]

    def truncate(self, file, length):
        os.ftruncate(self.files[file], length)

    def sync(self, file):
        os.fsync(self.files[file])

    def sync_folder(self):
        folder = os.open(self.path, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def rename(self, old, new):
        os.replace(self.path / old, self.path / new)

    def remove(self, name):
        os.remove(self.path / name)

    def list(self, prefix):
        return [name for name in os.listdir(self.path) if name.startswith(prefix)]


class ReadOnlyMedium(Folder):
    """A folder on a medium that may only be read, whatever the rights of its files say."""

    def give(self, name, flags):
        if flags & os.O_RDWR:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return super().give(name, flags)


def guarded(call):
    """Calls a storage; what it raises becomes a number."""
    try:
        return call() or 0
    except FileNotFoundError:
        return NOT_FOUND
    except FileExistsError:
        return EXISTS
    except KeyError:
        return BAD_FILE
    except OSError as error:
        if error.errno in MAY_NOT_WRITE:
            return STORAGE_READ_ONLY
        return NO_SPACE if error.errno in (28, 122) else FAILED


class Memory:
    """One instance of the module with one memory open in it."""

    def __init__(self, path, folder, flags=0, dim=DIM, capacity=TEXTS, limit=None):
        config = Config()
        config.cache = True
        engine = Engine(config)
        self.store, self.folder = Store(engine), folder
        linker = Linker(engine)
        self.define(linker)
        module = Module.from_file(engine, path)
        assert {one.module for one in module.imports} == {"clawft_storage"}
        instance = linker.instantiate(self.store, module)
        self.exports = instance.exports(self.store)
        self.memory = self.exports["memory"]
        self.frame, self.sentence = [], 0
        if limit:
            self.call("clawft_init_memory", 0, limit)
        options = self.alloc(104)
        self.call("clawft_memory_options_init", options)
        settings = bytearray(self.read(options, 104))
        struct.pack_into("<3I", settings, 4, flags, dim, capacity)
        settings[24:40] = os.urandom(16)
        out = self.alloc(4)
        name, length = self.text("memory.rvf")
        self.call("clawft_memory_open", name, length, self.put(bytes(settings)), 0, out)
        self.handle = struct.unpack("<I", self.read(out, 4))[0]
        self.free()

    def define(self, linker):
        """The imports. Pointers lead into the module's memory; the first argument is the context,
        which this host does not need."""
        i32, i64 = ValType.i32(), ValType.i64()
        folder = self.folder

        def text(at, length):
            return self.read(at, length).decode()

        def read_at(_, file, offset, into, length):
            def read():
                data = folder.read_at(file, offset, length & 0xFFFFFFFF)
                self.memory.write(self.store, data, into & 0xFFFFFFFF)
                return len(data)

            return guarded(read)

        def rename(_, old, old_len, new, new_len):
            return guarded(lambda: folder.rename(text(old, old_len), text(new, new_len)))

        def listed(_, at, length, into, cap):
            def list():
                names = "".join(name + "\0" for name in folder.list(text(at, length))).encode()
                self.memory.write(self.store, names[: cap & 0xFFFFFFFF], into & 0xFFFFFFFF)
                return len(names)

            return guarded(list)

        def progress(_, done, everything):
            folder.progressed.append((done, everything))

        calls = {
            "open": (lambda _, at, n: guarded(lambda: folder.open(text(at, n))), [i32] * 3),
            "create": (lambda _, at, n: guarded(lambda: folder.create(text(at, n))), [i32] * 3),
            "close": (lambda _, file: guarded(lambda: folder.close(file)), [i32] * 2),
            "read_at": (read_at, [i32, i32, i64, i32, i32]),
            "append": (
                lambda _, file, at, n: guarded(lambda: folder.append(file, self.read(at, n))),
                [i32] * 4,
            ),
            "truncate": (
                lambda _, file, n: guarded(lambda: folder.truncate(file, n)),
                [i32, i32, i64],
            ),
            "sync": (lambda _, file: guarded(lambda: folder.sync(file)), [i32] * 2),
            "sync_folder": (lambda _: guarded(folder.sync_folder), [i32]),
            "rename": (rename, [i32] * 5),
            "list": (listed, [i32] * 5),
            "remove": (lambda _, at, n: guarded(lambda: folder.remove(text(at, n))), [i32] * 3),
        }
        for name, (call, parameters) in calls.items():
            linker.define_func("clawft_storage", name, FuncType(parameters, [i32]), call)
        size = lambda _, file: guarded(lambda: folder.len(file))
        linker.define_func("clawft_storage", "len", FuncType([i32, i32], [i64]), size)
        linker.define_func("clawft_storage", "progress", FuncType([i32] * 3, []), progress)

    def call(self, name, *arguments):
        """Calls an export; an error becomes an exception with its sentence."""
        result = self.exports[name](self.store, *arguments)
        if result < 0:
            self.free()
            at = self.place_of_sentences()
            length = self.exports["clawft_last_error"](self.store, at, SENTENCE)
            raise ClawftError(result, self.read(at, length).decode("ascii"))
        return result

    def place_of_sentences(self):
        """A block that is kept, and taken before all others: when memory ends, that can be said."""
        self.sentence = self.sentence or self.take(SENTENCE)
        return self.sentence

    def alloc(self, size):
        self.place_of_sentences()
        self.frame.append(self.take(size))
        return self.frame[-1]

    def take(self, size):
        at = self.exports["clawft_alloc"](self.store, size) & 0xFFFFFFFF
        if at == 0:
            raise MemoryError(f"no {size} bytes left in linear memory")
        return at

    def free(self):
        """Gives the blocks of a call back."""
        for at in self.frame:
            self.exports["clawft_free"](self.store, at)
        self.frame = []

    def read(self, at, size):
        at, size = at & 0xFFFFFFFF, size & 0xFFFFFFFF
        return bytes(self.memory.read(self.store, at, at + size))

    def put(self, data):
        at = self.alloc(len(data))
        self.memory.write(self.store, data, at)
        return at

    def text(self, text):
        """A pointer and a length."""
        data = text if isinstance(text, bytes) else text.encode()
        return (self.put(data), len(data)) if data else (0, 0)

    def remember(self, id, vector, text, kind="", session="", pairs=(), importance=0.5):
        now = int(time.time() * 1000)
        metadata = b"".join(
            struct.pack("<4I", *self.text(key), *self.text(value)) for key, value in pairs
        )
        record = struct.pack(
            "<2IQ10I2QfI",
            *(80, len(vector) // 4, id, self.put(vector)),
            *self.text(text),
            *self.text(kind),
            *self.text(session),
            *(self.put(metadata) if metadata else 0, len(pairs), 0),
            *(now, now, importance, 0),
        )
        try:
            self.call("clawft_remember", self.handle, self.put(record))
        finally:
            self.free()

    def recall(self, k, vector=None, text=None, kind=None):
        """(id, score, similarity, words) of the best, best first."""
        asked = self.alloc(112)
        self.call("clawft_recall_init", asked, k)
        asked = bytearray(self.read(asked, 112))
        if vector:
            struct.pack_into("<I", asked, 8, self.put(vector))
            struct.pack_into("<I", asked, 20, len(vector) // 4)
        if text:
            struct.pack_into("<2I", asked, 12, *self.text(text))
        if kind:
            struct.pack_into("<I", asked, 44, self.put(struct.pack("<2I", *self.text(kind))))
            struct.pack_into("<I", asked, 60, 1)
        out, count = self.alloc(24 * k), self.alloc(4)
        try:
            self.call("clawft_recall", self.handle, self.put(bytes(asked)), out, count)
            count = struct.unpack("<I", self.read(count, 4))[0]
            return [one[:4] for one in struct.iter_unpack("<Q3fI", self.read(out, 24 * count))]
        finally:
            self.free()

    def string(self, id, which=0):
        length = self.alloc(4)
        try:
            self.call("clawft_record_string", self.handle, id, which, 0, 0, length)
            size = struct.unpack("<I", self.read(length, 4))[0]
            out = self.alloc(size)
            self.call("clawft_record_string", self.handle, id, which, out, size, length)
            return self.read(out, size).decode()
        finally:
            self.free()

    def forget(self, id):
        self.call("clawft_forget", self.handle, id)

    def commit(self):
        self.call("clawft_commit", self.handle, int(time.time() * 1000))

    def compact(self):
        self.call("clawft_compact", self.handle, int(time.time() * 1000))

    def close(self):
        self.call("clawft_memory_close", self.handle, int(time.time() * 1000))

    def report(self):
        names = (
            "size dim records capacity live file journal pending commits epoch derived deferred"
            " replayed torn_journal torn_file repaired foreign damages reserved"
        )
        out = self.alloc(104)
        self.call("clawft_memory_report", self.handle, out)
        values = struct.unpack("<4I5Q2IiI2Q4I", self.read(out, 104))
        self.free()
        return dict(zip(names.split(), values))

    def linear_memory(self):
        return self.memory.data_len(self.store)


def vectors(name, rows):
    """The first rows of a sample file, as little-endian f32 bytes."""
    with open(DATA / name, "rb") as file:
        file.seek(128)
        data = file.read(rows * DIM * 2)
    halves = struct.iter_unpack(f"<{DIM}e", data)
    return [struct.pack(f"<{DIM}f", *row) for row in halves]


def samples():
    with gzip.open(DATA / "texts.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [json.loads(line) for _, line in zip(range(TEXTS), lines)]
    with open(DATA / "known_item.jsonl", encoding="utf-8") as lines:
        items = [json.loads(line) for line in lines]
    asked = vectors("known_item_queries.f16.npy", len(items))
    known = [
        (item["query"], item["relevant"], vector)
        for item, vector in zip(items, asked)
        if item["relevant"] < TEXTS
    ]
    return texts, vectors("base.f16.npy", TEXTS), known


def share(memory, known, **parts):
    """How many of the known items are among the ten best."""
    found = 0
    for query, relevant, vector in known:
        asked = {"vector": vector if "vector" in parts else None, "text": query if "text" in parts else None}
        found += relevant in [one[0] for one in memory.recall(10, **asked)]
    return found / len(known)


def refused(code, call):
    try:
        call()
    except ClawftError as error:
        assert error.code == code, error
        return str(error)
    raise AssertionError(f"{code} expected")


def full(module, texts, rows):
    """Memory that runs out is an error, not a trap, and what was committed is there."""
    with tempfile.TemporaryDirectory() as path:
        folder = Folder(path)
        memory = Memory(module, folder, CREATE, limit=1600 << 10)

        def fill():
            fill.id = fill.committed = 0
            while True:
                memory.remember(fill.id, rows[fill.id], texts[fill.id]["text"] * 20)
                fill.id += 1
                if fill.id % 20 == 0:
                    memory.commit()
                    fill.committed = fill.id

        print(refused(NO_MEMORY, fill))
        assert memory.linear_memory() <= 1600 << 10
        assert memory.string(fill.committed - 1) == texts[fill.committed - 1]["text"] * 20
        assert memory.recall(1, vector=rows[9])[0][0] == 9
        larger = Memory(module, folder, READ_ONLY)
        assert larger.report()["records"] == fill.committed >= 40
        assert larger.string(0) == texts[0]["text"] * 20


def main(module, path):
    texts, rows, known = samples()
    full(module, texts, rows)
    folder = Folder(path)
    memory = Memory(module, folder, CREATE)
    for id, (text, row) in enumerate(zip(texts, rows)):
        memory.remember(id, row, text["text"], kind="description", pairs=[("package", text["package"])])
        if id % 100 == 99:
            memory.commit()
    memory.forget(7)
    memory.commit()
    # As if the process had been killed: nothing is closed, nothing saved.
    del memory

    memory = Memory(module, folder)
    report = memory.report()
    assert report["records"] == TEXTS - 1 and report["derived"] == 2, report
    assert folder.progressed[-1] == (TEXTS - 1, TEXTS - 1)
    memory.close()

    started = time.perf_counter()
    memory = Memory(module, folder)
    opened = time.perf_counter() - started
    report = memory.report()
    assert report["records"] == TEXTS - 1 and report["derived"] == 1, report
    assert memory.recall(1, vector=rows[42])[0][0] == 42
    assert memory.recall(1, text=texts[42]["text"])[0][0] == 42
    best = memory.recall(3, vector=rows[42], text=texts[42]["text"], kind="description")
    assert best[0][0] == 42 and best[0][1] > best[1][1], best
    assert memory.recall(3, vector=rows[42], kind="another kind") == []
    assert memory.string(42) == texts[42]["text"]
    assert [memory.string(42, which) for which in (1, 2, 3, 4)] == [
        "description",
        "",
        "package",
        texts[42]["package"],
    ]
    refused(-6, lambda: memory.string(7))
    print(refused(INVALID_TEXT, lambda: memory.remember(1, rows[1], b"caf\xe9")))

    known = [one for one in known if one[1] != 7]
    shares = [share(memory, known, **{part: True for part in parts}) for parts in (["vector"], ["text"], ["vector", "text"])]
    print(
        f"{len(known)} questions, found among the ten best of {TEXTS - 1}: "
        "by vector {:.2f}, by words {:.2f}, by both {:.2f}".format(*shares)
    )
    assert shares[2] >= max(shares[:2]) - 0.05 and min(shares) > 0.3, shares
    memory.compact()
    memory.close()
    print(f"opened in {opened * 1e3:.0f} ms, {memory.linear_memory() >> 10} KiB of linear memory")

    # Nothing of the forgotten text is left in any file.
    words = texts[7]["text"][:40].encode()
    for file in folder.path.iterdir():
        assert words not in file.read_bytes(), file

    # A file that was cut, one with a flipped bit, one that may only be read.
    file = folder.path / "memory.rvf"
    sound = file.read_bytes()
    file.write_bytes(sound[: len(sound) // 2])
    print(refused(DAMAGED, lambda: Memory(module, folder)))
    flipped = bytearray(sound)
    flipped[flipped.index(texts[3]["text"].encode()) + 5] ^= 4
    file.write_bytes(flipped)
    memory = Memory(module, folder)
    print(refused(DAMAGED, lambda: memory.string(3)))
    assert memory.string(4) == texts[4]["text"]
    memory.close()
    file.write_bytes(sound)
    memory = Memory(module, folder, READ_ONLY)
    refused(READ_ONLY_MEMORY, lambda: memory.remember(1, rows[1], "no"))
    assert memory.string(3) == texts[3]["text"]
    memory.close()
    medium = ReadOnlyMedium(path)
    assert Memory(module, medium, READ_ONLY).string(3) == texts[3]["text"]
    assert guarded(lambda: medium.create("more")) == STORAGE_READ_ONLY
    print("all as expected")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    if len(sys.argv) == 3:
        main(sys.argv[1], sys.argv[2])
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(sys.argv[1], temporary)
