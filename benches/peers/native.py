"""clawft itself as a native library, so that the loop that measures the peers measures it too.

It has the shape of a peer of `peers.py`, over the C ABI (`ffi/include/clawft.h`).
"""

import ctypes
import sys

import numpy as np

# Fields of ClawftParams, of 32 bits each but for the last, the seed.
PARAMS_WORDS = 10
METRIC = 3
MODES = ["auto", "walk", "scan", "exact"]


class Query(ctypes.Structure):
    """ClawftQuery: how to search."""

    _fields_ = [(name, ctypes.c_uint32) for name in ("size", "k", "ef", "mode")] + [
        ("filter_ids", ctypes.c_void_p),
        ("filter_len", ctypes.c_uint32),
    ]


class Clawft:
    """One store, codes by the dimension, as the library's defaults have it."""

    name = "clawft, native"
    library = None

    def __init__(self, base, metric, k):
        self.c = ctypes.CDLL(self.library)
        rows, self.dim = base.shape
        self.handle, self.query = ctypes.c_uint32(), Query()
        params, image = (ctypes.c_uint32 * PARAMS_WORDS)(), ctypes.c_uint64()
        self.call("clawft_params_init", params, self.dim, rows)
        params[METRIC] = ["cosine", "ip", "l2"].index(metric)
        self.call("clawft_required_bytes", params, ctypes.byref(image))
        # Bytes of the store: what it takes, but for some KiB of scratch.
        self.memory = image.value
        self.call("clawft_create", params, ctypes.byref(self.handle))
        ids, done = np.arange(rows, dtype=np.uint64), ctypes.c_uint32()
        self.call("clawft_insert_batch", self.handle, at(ids), at(base), rows, self.dim, ctypes.byref(done))
        self.call("clawft_query_init", ctypes.byref(self.query), k)

    def call(self, function, *arguments):
        """Calls a function; a code below 0 ends the program with the library's sentence."""
        if getattr(self.c, function)(*arguments) < 0:
            sentence = ctypes.create_string_buffer(256)
            self.c.clawft_last_error(sentence, ctypes.c_size_t(len(sentence)))
            sys.exit(f"peers: {function}: {sentence.value.decode()}")

    def set_ef(self, ef):
        self.query.ef = ef

    def set_mode(self, mode):
        """`auto` unless it is set."""
        self.query.mode = MODES.index(mode)

    def search(self, queries, k):
        n = len(queries)
        ids, distances = np.zeros((n, k), np.uint64), np.zeros((n, k), np.float32)
        counts = np.zeros(n, np.uint32)
        out = at(ids), at(distances), at(counts)
        query = ctypes.byref(self.query)
        self.call("clawft_search_batch", self.handle, at(queries), n, self.dim, query, *out)
        return ids


def at(array):
    """Where an array's numbers stand."""
    return ctypes.c_void_p(array.ctypes.data)
