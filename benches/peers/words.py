"""rank_bm25 on the known items, to stand beside `known-items`.

    python3 -m venv target/words && target/words/bin/pip install rank-bm25==0.2.2
    target/words/bin/python benches/peers/words.py [FOLDER]

BM25Okapi with its defaults (k1 1.5, b 0.75), on words split at white space as its README
does it, and on runs of letters and digits. Equal scores go by the lower row.
"""

import gzip
import json
import re
import sys
from pathlib import Path

import numpy as np
from rank_bm25 import BM25Okapi

DATA = Path(__file__).resolve().parent.parent.parent / "data"
DEPTH = 100
FEW = 0.34
SPLITS = {
    "rank_bm25, white space": lambda text: text.lower().split(),
    "rank_bm25, \\w+": lambda text: re.findall(r"\w+", text.lower()),
}


def ranks(texts, questions, split):
    """The rank of each question's text, from 1; 0 where it is not among the first."""
    bm25 = BM25Okapi([split(text) for text in texts])
    found = []
    for question in questions:
        scores = bm25.get_scores(split(question["query"]))
        order = np.argsort(-scores, kind="stable")[:DEPTH]
        place = np.flatnonzero((order == question["relevant"]) & (scores[order] > 0))
        found.append(int(place[0]) + 1 if len(place) else 0)
    return np.array(found)


def main():
    """Prints the lines of the table."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    with gzip.open(folder / "texts.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    with open(folder / "known_item.jsonl", encoding="utf-8") as lines:
        questions = [json.loads(line) for line in lines]
    few = np.array([question["overlap"] <= FEW for question in questions])
    print(f"hit@1, hit@10, MRR@{DEPTH} of all {len(few)}, of the {few.sum()} with overlap <= {FEW}, of the others")
    for name, split in SPLITS.items():
        rank = ranks(texts, questions, split)
        line = f"| {name:<23} |"
        for part in [np.ones_like(few), few, ~few]:
            of = rank[part]
            reciprocal = np.where(of > 0, 1 / np.maximum(of, 1), 0)
            line += f" {(of == 1).mean():.3f} | {((of > 0) & (of <= 10)).mean():.3f} | {reciprocal.mean():.3f} |"
        print(line)


if __name__ == "__main__":
    main()
