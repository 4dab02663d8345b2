"""Whether the embedder in Rust and this folder's Python give the same vectors.

    cargo build --release -p clawft-benches --bin embedders
    python models/check.py target/release/embedders

Reads the model file as `docs/format-model.md` says, embeds the ASCII questions of `data/` in
numpy, and compares with what `embedders vectors` prints: the same to the last bit but one.
"""

import json
import pathlib
import struct
import subprocess
import sys

import numpy as np
from pieces import Pieces

ROOT = pathlib.Path(__file__).resolve().parent.parent


def read(path):
    """Pieces, vectors."""
    data = path.read_bytes()
    _, dim, longest, unit, _ = struct.unpack_from("<IHHff", data, 8)
    directory = struct.unpack_from(f"<{2 * longest}H", data, 24)
    at, pieces = 24 + 4 * longest, []
    for group, count in enumerate(directory):
        length = group % longest + 1
        for _ in range(count):
            pieces.append(("##" if group >= longest else "") + data[at : at + length].decode())
            at += length
    scales = np.frombuffer(data, "<u2", len(pieces), at)
    codes = np.frombuffer(data, np.uint8, len(pieces) * dim // 2, at + 2 * len(pieces))
    codes = codes.reshape(len(pieces), -1)
    halves = np.stack([codes & 15, codes >> 4], 2).reshape(len(pieces), dim)
    scales = scales.astype(np.float32) * np.float32(unit)
    return pieces, (halves.astype(np.float32) - np.float32(7.5)) * scales[:, None]


def main():
    pieces, table = read(ROOT / "models/clawft-static.bin")
    cutter, texts = Pieces(pieces), []
    for name in ("known_item.jsonl", "paraphrases.jsonl"):
        for line in (ROOT / "data" / name).read_text().splitlines():
            entry = json.loads(line)
            texts += [entry[field] for field in ("query", "fact", "question") if field in entry]
    texts = [text for text in texts if text.isascii() and cutter.of(text)]
    given = "\n".join(texts) + "\n"
    program = [sys.argv[1], "vectors"]
    printed = subprocess.run(program, input=given, stdout=subprocess.PIPE, text=True, check=True)
    worst = 0.0
    for text, line in zip(texts, printed.stdout.splitlines(), strict=True):
        found = np.array([int(bits, 16) for bits in line.split()], "<u4").view("<f4")
        total = np.zeros(table.shape[1], np.float32)
        for number in cutter.of(text):
            total += table[number]
        total /= np.linalg.norm(total)
        worst = max(worst, float(np.abs(found - total).max()))
    print(f"{len(texts)} texts: components differ by {worst:.1e} at most")
    return worst > 1e-6


if __name__ == "__main__":
    sys.exit(main())
