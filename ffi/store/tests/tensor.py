"""Tensors over time through the module `clawft-tensor.wasm`, in PyPI's `wasmtime`: frames come back
within their bounds, the bytes are a tensor again, and what is wrong is refused.

    python ffi/store/tests/tensor.py target/wasm/clawft-tensor.wasm
"""

import math
import struct
import sys

from wasmtime import Engine, Instance, Module, Store

DIM, FRAMES = 100, 200
NO_FRAME, CORRUPT = -252, -11

engine = Engine()
store = Store(engine)
module = Module.from_file(engine, sys.argv[1])
assert not module.imports, "the module has no imports"
exports = Instance(store, module, []).exports(store)
memory = exports["memory"]


def call(name, *arguments, expected=0):
    assert exports[name](store, *arguments) == expected, name


def alloc(size):
    return exports["clawft_alloc"](store, size) & 0xFFFFFFFF


def frame(at):
    return struct.pack(f"<{DIM}f", *(math.sin(i + at / 100) for i in range(DIM)))


params, out, row = alloc(32), alloc(8), alloc(4 * DIM)
call("clawft_tensor_params_init", params, DIM)
call("clawft_tensor_create", params, out)
handle = struct.unpack("<I", memory.read(store, out, out + 4))[0]
for at in range(FRAMES):
    memory.write(store, frame(at), row)
    call("clawft_tensor_append", handle, row, DIM, out)
    assert struct.unpack("<I", memory.read(store, out, out + 4))[0] == at

stats = alloc(32)
call("clawft_tensor_stats", handle, stats)
_, dim, bits, frames, segments, _, size = struct.unpack("<6IQ", memory.read(store, stats, stats + 32))
assert (dim, bits, frames) == (DIM, 8, FRAMES)
kept = alloc(size)
call("clawft_tensor_bytes", handle, kept, size, out)
call("clawft_tensor_open", kept, size, out)
copy = struct.unpack("<I", memory.read(store, out, out + 4))[0]
for at in range(FRAMES):
    call("clawft_tensor_get", copy, at, row, DIM)
    found = struct.unpack(f"<{DIM}f", memory.read(store, row, row + 4 * DIM))
    given = struct.unpack(f"<{DIM}f", frame(at))
    call("clawft_tensor_error_bound", copy, at, out)
    bound = struct.unpack("<f", memory.read(store, out, out + 4))[0]
    assert math.dist(found, given) <= bound
call("clawft_tensor_get", copy, FRAMES, row, DIM, expected=NO_FRAME)
call("clawft_tensor_open", kept, size - 1, out, expected=CORRUPT)
call("clawft_tensor_close", copy)
call("clawft_tensor_close", handle)
print(f"{FRAMES} frames of {DIM} in {size} bytes and {segments} segments: {size / (4 * DIM * FRAMES):.2f} of f32")
