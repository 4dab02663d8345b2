"""The native peers, one thread, each at the smallest ef that reaches a recall.

Run it through `run.py`, which prepares what it imports. Every peer gets the
same vectors (set to length 1 first when the metric is cosine) and the same
queries in the same batches. The exact answer comes from the data, in float64,
ties to the lower row. A peer is built once, then for each query set and each
recall target the smallest `ef` is found by bisection, and the speed there is
the median of several passes over all the queries.
"""

import argparse
import json
import os
import statistics
import sys
import time
from importlib.metadata import version
from pathlib import Path

import faiss
import hnswlib
import numpy as np
import usearch.index

import asked
import native

DATA = Path(__file__).resolve().parent.parent.parent / "data"
M = 16
EF_CONSTRUCTION = 200
# Whole blocks of the base at a time keep the float64 copy of a large base small.
BLOCK = 20_000
# Below this the clock and the scheduler decide.
LEAST_SECONDS = 0.3


class Hnswlib:
    """hnswlib, f32. Its inner product on vectors of length 1 is its cosine, less a division."""

    name = f"hnswlib {version('hnswlib')} f32"

    def __init__(self, base, metric, _k):
        self.index = hnswlib.Index(space="l2" if metric == "l2" else "ip", dim=base.shape[1])
        self.index.init_index(len(base), ef_construction=EF_CONSTRUCTION, M=M, random_seed=100)
        self.index.set_num_threads(1)
        self.index.add_items(base, np.arange(len(base)), num_threads=1)

    def set_ef(self, ef):
        self.index.set_ef(ef)

    def search(self, queries, k):
        return self.index.knn_query(queries, k=k, num_threads=1)[0]


class FaissHnsw:
    """faiss, HNSW over 8-bit codes. L2 gives cosine's order on vectors of length 1."""

    name = f"faiss {faiss.__version__} HNSW SQ8"
    inner_product = False

    def __init__(self, base, metric, _k):
        ip = metric == "ip" or (metric == "cosine" and self.inner_product)
        kind = faiss.METRIC_INNER_PRODUCT if ip else faiss.METRIC_L2
        self.index = faiss.IndexHNSWSQ(base.shape[1], faiss.ScalarQuantizer.QT_8bit, M, kind)
        self.index.hnsw.efConstruction = EF_CONSTRUCTION
        self.index.train(base)
        self.index.add(base)

    def set_ef(self, ef):
        self.index.hnsw.efSearch = ef

    def search(self, queries, k):
        return self.index.search(queries, k)[1]


class FaissHnswIp(FaissHnsw):
    """The same under inner product: on some data it is the faster of the two."""

    name = FaissHnsw.name + " ip"
    inner_product = True


class FaissFlat:
    """faiss, exact: every vector is compared."""

    name = f"faiss {faiss.__version__} flat"
    exact = True

    def __init__(self, base, metric, _k):
        flat = faiss.IndexFlatL2 if metric == "l2" else faiss.IndexFlatIP
        self.index = flat(base.shape[1])
        self.index.add(base)

    def search(self, queries, k):
        return self.index.search(queries, k)[1]


class FaissRefined:
    """faiss, a scan over short codes, then 8-bit codes of `ef` candidates: as a clawft scan goes about it."""

    def __init__(self, base, metric, k):
        kind = faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT
        # Held here, as `IndexRefine` does not own them.
        self.parts = (
            self.short(base.shape[1], kind),
            faiss.IndexScalarQuantizer(base.shape[1], faiss.ScalarQuantizer.QT_8bit, kind),
        )
        self.index = faiss.IndexRefine(*self.parts)
        self.index.train(base)
        self.index.add(base)
        self.k = k

    def set_ef(self, ef):
        self.index.k_factor = ef / self.k

    def search(self, queries, k):
        return self.index.search(queries, k)[1]


class FaissPqRefined(FaissRefined):
    """Product quantisation, 4 bits for each 4 components, looked up by byte shuffles."""

    name = f"faiss {faiss.__version__} PQ FastScan, SQ8 refine"

    @staticmethod
    def short(dim, kind):
        return faiss.IndexPQFastScan(dim, max(1, dim // 4), 4, kind)


class FaissRabitqRefined(FaissRefined):
    """RaBitQ, a bit a component, rotated at random before."""

    name = f"faiss {faiss.__version__} RaBitQ FastScan, SQ8 refine"

    @staticmethod
    def short(dim, kind):
        return faiss.IndexRaBitQFastScan(dim, kind)


class Usearch:
    """usearch; its i8 rescales every vector to length 1, so it suits cosine only."""

    dtype = "f32"

    def __init__(self, base, metric, _k):
        self.index = usearch.index.Index(
            ndim=base.shape[1],
            metric={"cosine": "cos", "ip": "ip", "l2": "l2sq"}[metric],
            dtype=self.dtype,
            connectivity=M,
            expansion_add=EF_CONSTRUCTION,
        )
        self.index.add(np.arange(len(base), dtype=np.uint64), base, threads=1)

    def set_ef(self, ef):
        self.index.expansion_search = ef

    def search(self, queries, k):
        return self.index.search(queries, k, threads=1).keys


def usearch_of(dtype):
    """usearch with vectors stored as `dtype`."""
    name = f"usearch {version('usearch')} {dtype}"
    return type(f"Usearch_{dtype}", (Usearch,), {"dtype": dtype, "name": name})


PEERS = {
    "hnswlib": Hnswlib,
    "faiss-sq8": FaissHnsw,
    "faiss-sq8-ip": FaissHnswIp,
    "faiss-flat": FaissFlat,
    "faiss-pq-refine": FaissPqRefined,
    "faiss-rabitq-refine": FaissRabitqRefined,
    "usearch-f32": usearch_of("f32"),
    "usearch-f16": usearch_of("f16"),
    "usearch-i8": usearch_of("i8"),
}
# Not a peer: only there where its library is named.
CLAWFT = "clawft"


def load(path, limit):
    """The vectors of a `.npy` (2-dimensional, f16 or f32) or `.fvecs` file, as f32 rows."""
    path = Path(path)
    if path.suffix == ".fvecs":
        raw = np.fromfile(path, dtype="<i4")
        if raw.size == 0 or raw[0] <= 0 or raw.size % (raw[0] + 1) != 0:
            sys.exit(f"peers: {path} is not .fvecs: its length is no multiple of its first row's")
        rows = raw.reshape(-1, raw[0] + 1)[:, 1:].copy().view("<f4")
    else:
        rows = np.load(path)
        if rows.ndim != 2 or rows.dtype not in (np.float16, np.float32):
            sys.exit(f"peers: {path} holds {rows.shape} of {rows.dtype}; expected 2 dimensions of f16 or f32")
    rows = np.ascontiguousarray(rows[:limit] if limit else rows, dtype=np.float32)
    if not np.isfinite(rows).all():
        sys.exit(f"peers: {path} holds a NaN or an infinity")
    return rows


def unit(rows):
    """Rows of length 1; a row of zeros stays as it is."""
    length = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    return (rows / np.where(length > 0, length, 1)).astype(np.float32)


def exact(base, queries, metric, k):
    """Ids (queries x k) of the true nearest rows, nearest first, ties to the lower row."""
    wide = queries.astype(np.float64)
    best = np.full((len(queries), 0), np.inf)
    ids = np.zeros((len(queries), 0), dtype=np.int64)
    for start in range(0, len(base), BLOCK):
        block = base[start : start + BLOCK].astype(np.float64)
        near = wide @ block.T
        near = (block**2).sum(axis=1) - 2 * near if metric == "l2" else -near
        rows = np.broadcast_to(np.arange(start, start + len(block)), near.shape)
        best = np.concatenate([best, near], axis=1)
        ids = np.concatenate([ids, rows], axis=1)
        # Stable, so that equal distances keep the order of the rows.
        first = np.argsort(best, axis=1, kind="stable")[:, :k]
        best = np.take_along_axis(best, first, axis=1)
        ids = np.take_along_axis(ids, first, axis=1)
    return ids


def answers(peer, queries, k, batch):
    """Every query's k ids, asked in batches."""
    return [peer.search(queries[i : i + batch], k) for i in range(0, len(queries), batch)]


def recall(peer, queries, truth, batch):
    """Mean share of the true ids among those found."""
    k = truth.shape[1]
    found = np.concatenate(answers(peer, queries, k, batch)).astype(np.int64)
    return float((found[:, :, None] == truth[:, None, :]).any(axis=1).mean())


def queries_per_second(peer, queries, k, batch, passes):
    """Median over the passes, after one that is not counted; a few queries get more passes."""
    answers(peer, queries, k, batch)
    seconds = []
    while len(seconds) < passes or sum(seconds) < LEAST_SECONDS:
        start = time.perf_counter()
        answers(peer, queries, k, batch)
        seconds.append(time.perf_counter() - start)
    return len(queries) / statistics.median(seconds)


def smallest_ef(peer, queries, truth, target, options):
    """The smallest ef whose recall is at least `target`, and that recall; by bisection, as recall
    grows with ef but for noise. (ef, recall) of the widest search when even that does not reach it."""

    def at(ef):
        peer.set_ef(ef)
        return recall(peer, queries, truth, options.batch)

    low, high = options.k, max(options.k, 32)
    reached = at(high)
    while reached < target:
        if high >= options.max_ef:
            return high, reached
        low, high = high + 1, min(high * 2, options.max_ef)
        reached = at(high)
    while low < high:
        middle = (low + high) // 2
        seen = at(middle)
        if seen >= target:
            high, reached = middle, seen
        else:
            low = middle + 1
    return high, reached


def measure(kind, base, query_sets, options):
    """Builds one peer; yields a result for each query set and target."""
    start = time.perf_counter()
    peer = kind(base, options.metric, options.k)
    build = time.perf_counter() - start
    for name, queries, truth in query_sets:
        for target in [None] if hasattr(kind, "exact") else options.recall:
            if target is None:
                ef, got = None, recall(peer, queries, truth, options.batch)
            else:
                ef, got = smallest_ef(peer, queries, truth, target, options)
                peer.set_ef(ef)
            reached = target is None or got >= target
            qps = queries_per_second(peer, queries, options.k, options.batch, options.passes)
            yield {
                "artifact": kind.name,
                "runtime": "native",
                "queries": name,
                "n": len(base),
                "d": base.shape[1],
                "metric": options.metric,
                "target": target,
                "reached": reached,
                f"recall@{options.k}": round(got, 4),
                "qps": round(qps, 1),
                "ef": ef,
                "batch": options.batch,
                "threads": 1,
                "build_s": round(build, 3),
            }


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--base", default=DATA / "base.f16.npy", help=".npy (f16, f32) or .fvecs")
    parser.add_argument("--queries", action="append", help="same; may be given more than once")
    parser.add_argument("--metric", choices=["cosine", "ip", "l2"], default="cosine")
    parser.add_argument("--recall", type=float, action="append", help="default 0.97 and 0.99")
    parser.add_argument("--peers", default=",".join(PEERS), help="of: %(default)s")
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--batch", type=int, default=100, help="queries in one call")
    parser.add_argument("--passes", type=int, default=7, help="over all queries; the median counts")
    parser.add_argument("--max-ef", type=int, default=2048)
    parser.add_argument("--limit", type=int, help="only the first rows of the base")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, no table")
    parser.add_argument("--library", help="libclawft.so: clawft itself, measured as they are, first")
    parser.add_argument("--truth", help="write the exact ids of the first queries there, int64")
    parser.add_argument("--ask", action="store_true", help="build, then answer questions (asked.py)")
    options = parser.parse_args()
    options.queries = options.queries or [DATA / "queries.f16.npy", DATA / "known_item_queries.f16.npy"]
    options.recall = options.recall or [0.97, 0.99]
    if options.library:
        native.Clawft.library = str(Path(options.library).resolve())
        PEERS[CLAWFT] = native.Clawft
        options.peers = f"{CLAWFT},{options.peers}"
    unknown = [name for name in options.peers.split(",") if name not in PEERS]
    if unknown:
        parser.error(f"unknown peer {unknown[0]}; known are {', '.join(PEERS)}")
    for path in [options.base, *options.queries]:
        if not Path(path).is_file():
            parser.error(f"{path} is missing")
    return options


def main():
    """Reads, computes the exact answers, measures peer after peer, prints as results come."""
    options = arguments()
    faiss.omp_set_num_threads(1)
    if os.environ.get("OMP_NUM_THREADS") != "1":
        sys.exit("peers: run it through run.py, which holds the libraries to one thread")
    base = load(options.base, options.limit)
    sets = [(Path(path).name.split(".")[0], load(path, None)) for path in options.queries]
    for name, queries in sets:
        if queries.shape[1] != base.shape[1]:
            sys.exit(f"peers: {name} has {queries.shape[1]} dimensions, the base {base.shape[1]}")
    options.k = min(options.k, len(base))
    if options.metric == "cosine":
        base, sets = unit(base), [(name, unit(queries)) for name, queries in sets]
    sets = [(name, rows, exact(base, rows, options.metric, options.k)) for name, rows in sets]

    if options.truth:
        sets[0][2].astype("<i8").tofile(options.truth)

    shorts = [
        short
        for short in options.peers.split(",")
        # Elsewhere there is but one metric, and faiss-sq8 has it.
        if short != "faiss-sq8-ip" or options.metric == "cosine"
    ]
    if options.ask:
        build = lambda short: PEERS[short](base, options.metric, options.k)
        ask = lambda peer, queries, truth: recall(peer, queries, truth, options.batch)
        passes = lambda peer, queries: answers(peer, queries, options.k, options.batch)
        asked.serve({short: PEERS[short].name for short in shorts}, build, sets, ask, passes)
        return

    line = "{:<28} {:<20} {:>6} {:>5} {:>9} {:>10} {:>8}"
    if not options.json:
        print(f"{len(base)} x {base.shape[1]}, {options.metric}, one thread, batches of {options.batch}")
        print(line.format("peer", "queries", "target", "ef", "recall", "queries/s", "build s"))
    for short in shorts:
        print(f"peers: {short}", file=sys.stderr, flush=True)
        for row in measure(PEERS[short], base, sets, options):
            if options.json:
                print(json.dumps(row), flush=True)
                continue
            target = "exact" if row["target"] is None else f"{row['target']:.2f}"
            qps = f"{row['qps']:.0f}" if row["reached"] else "never"
            values = (target, row["ef"] or "-", f"{row[f'recall@{options.k}']:.4f}", qps, f"{row['build_s']:.2f}")
            print(line.format(row["artifact"], row["queries"], *values), flush=True)


if __name__ == "__main__":
    main()
