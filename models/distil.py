"""A vector for each piece, so that their sum has the direction of the sentence model's vector.

1. The pieces: words by how often they come in the corpus and by their place in the model's own
   vocabulary, which is in order of use; the model's pieces that continue words.
2. The beginning: what the model knows of a piece alone (its vector of the piece as a text, and
   its embedding of the piece), times a weight that falls with its frequency (Arora, Liang and Ma,
   "A simple but tough-to-beat baseline for sentence embeddings", ICLR 2017), mapped linearly onto
   the corpus' principal components, so that words sum up to sentences as well as one map can do.
3. Ridge regression of the model's sentence vectors on the counts of pieces, towards that beginning:
   pieces that are seen often follow the sentences, rare ones stay as they began.
4. Descent on what a search asks: of many texts, which are near this one? For each text of a batch
   the others' cosines, as shares of a softmax, are to be those of the sentence model (Kullback and
   Leibler's divergence). Every batch has each text's neighbours in it, else nothing would be near.
5. Four bits a component, each piece with the scale that loses least.
"""

import struct

import numpy as np
import scipy.linalg
import scipy.sparse
import xxhash

from pieces import Pieces, words

# Occurrences of the first word of the model's vocabulary, in a corpus like ours, by Zipf's law.
ZIPF = 370_000
SIF = 1e-3


def counted(texts):
    """How often each word comes."""
    counts = {}
    for text in texts:
        for word in words(text):
            counts[word] = counts.get(word, 0) + 1
    return counts


def choose(counts, vocabulary, most):
    """The pieces, `most` of them."""
    known = [piece for piece in vocabulary if piece.isascii() and piece.removeprefix("##").isalnum()]
    begins = [piece for piece in known if not piece.startswith("##")]
    begins = [piece for piece in begins if piece == piece.lower() and len(piece) > 1]
    score = {word: count / 2 for word, count in counts.items() if 1 < len(word) <= 20}
    for rank, word in enumerate(begins):
        score[word] = score.get(word, 0) + ZIPF / 2 / (rank + 1)
    letters = [piece for piece in known if len(piece.removeprefix("##")) == 1]
    ends = [piece for piece in known if piece.startswith("##") and len(piece) > 3]
    chosen = sorted(score, key=lambda word: (-score[word], word))[: most - len(ends)]
    # Of the pieces that continue, those that the words left over really use.
    cutter = Pieces(letters + chosen + ends)
    used = dict.fromkeys(ends, 0.0)
    for word, count in counts.items():
        for number in cutter.cut(word)[1:]:
            piece = cutter.pieces[number]
            if piece in used:
                used[piece] += count / 2
    score = {word: score[word] for word in score} | used
    every = sorted(score, key=lambda piece: (-score[piece], piece))
    return letters + every[: most - len(letters)]


def matrix(cutter, texts):
    """Counts of pieces: a row a text."""
    rows = [cutter.of(text) for text in texts]
    ends = np.cumsum([0] + [len(row) for row in rows])
    columns = np.concatenate([np.array(row, np.int32) for row in rows])
    shape = (len(rows), len(cutter.pieces))
    x = scipy.sparse.csr_matrix((np.ones(len(columns), np.float32), columns, ends), shape)
    x.sum_duplicates()
    return x


def unit(x):
    """Rows of length 1."""
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)


def principal(y, dim):
    """The directions in which `y` is largest, the most important first."""
    values, vectors = np.linalg.eigh(y.T.astype(np.float64) @ y)
    return np.ascontiguousarray(vectors[:, ::-1][:, :dim]).astype(np.float32)


def beginning(x, alone, inside, wanted):
    """Step 2: weights, and the map from what is known of a piece to what sentences want of it."""
    share = np.asarray(x.sum(0)).ravel() + 1
    share /= share.sum()
    # What all words have in common says nothing of any: it goes.
    known = [unit(side - side.mean(0)) for side in (alone, inside)]
    known = np.concatenate(known, 1) * (SIF / (SIF + share))[:, None]
    known = known.astype(np.float32)
    texts = unit(x @ known)
    gram = texts.T @ texts
    gram[np.diag_indices_from(gram)] += 5
    return (known @ np.linalg.solve(gram, texts.T @ wanted)).astype(np.float32)


def ridge(x, y, start, strength):
    """Step 3. A text counts with its mean, as its length is not learned."""
    near = x @ start
    length = np.linalg.norm(near, axis=1)
    length[length == 0] = 1
    scaled = scipy.sparse.diags(1 / length.astype(np.float32)) @ x
    gram = (scaled.T @ scaled).toarray()
    gram[np.diag_indices_from(gram)] += strength
    right = scaled.T @ (y - scaled @ start)
    factor = scipy.linalg.cho_factor(gram, overwrite_a=True, check_finite=False)
    return start + scipy.linalg.cho_solve(factor, right, check_finite=False).astype(np.float32)


def neighbours(y, most=3, block=16_384):
    """The `most` nearest of each text, among those of its block."""
    found = np.empty((len(y), most), np.int64)
    for start in range(0, len(y), block):
        part = y[start : start + block]
        for first in range(0, len(part), 1_024):
            cosines = part[first : first + 1_024] @ part.T
            rows = np.arange(len(cosines))
            cosines[rows, first + rows] = -9
            nearest = np.argpartition(-cosines, most, 1)[:, :most]
            found[start + first : start + first + len(cosines)] = start + nearest
    return found


def shares(vectors, temperature):
    """A softmax of each vector's cosines with the others; its own share is 0."""
    cosines = vectors @ vectors.T / np.float32(temperature)
    np.fill_diagonal(cosines, -1e4)
    cosines -= cosines.max(1, keepdims=True)
    np.exp(cosines, out=cosines)
    cosines /= cosines.sum(1, keepdims=True)
    return cosines


def ranked(x, y, table, epochs, batch=1_024, rate=1e-3, temperature=0.05):
    """Step 4, by Adam (Kingma and Ba, ICLR 2015); the rate falls to 0. The order is always the same."""
    draw, near, table = np.random.default_rng(0), neighbours(y), table.copy()
    mean, square, half = np.zeros_like(table), np.zeros_like(table), batch // 2
    steps = epochs * (len(y) // half)
    for step in range(steps):
        at = step % (len(y) // half)
        if at == 0:
            order = draw.permutation(len(y))
        rows = order[at * half : (at + 1) * half]
        rows = np.concatenate([rows, near[rows, draw.integers(0, near.shape[1], half)]])
        counts = x[rows]
        z = counts @ table
        length = np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1e-6)
        z /= length
        wrong = shares(z, temperature) - shares(y[rows], temperature)
        pull = (wrong + wrong.T) @ z / np.float32(2 * temperature)
        pull = (pull - z * (z * pull).sum(1, keepdims=True)) / length
        slope = np.asarray(counts.T @ pull) / np.float32(len(rows))
        mean += np.float32(0.1) * (slope - mean)
        square += np.float32(0.001) * (slope * slope - square)
        unbiased = np.sqrt(square / np.float32(1 - 0.999 ** (step + 1))) + np.float32(1e-8)
        now = rate * (1 - step / steps) / (1 - 0.9 ** (step + 1))
        table -= np.float32(now) * mean / unbiased
    return table


def rounded(table):
    """Step 5. (code - 7.5) times a scale for each row, that with the least error of some."""
    top = np.abs(table).max(1, keepdims=True) / 7.5
    best, least = None, np.full((len(table), 1), np.inf, np.float32)
    for part in (1.0, 0.9, 0.8, 0.7, 0.6, 0.5):
        scale = np.maximum(top * part, 1e-12)
        codes = np.clip(np.floor(table / scale + 8), 0, 15)
        error = ((table - (codes - 7.5) * scale) ** 2).sum(1, keepdims=True)
        if best is None:
            best = [codes, scale]
        better = error < least
        least = np.where(better, error, least)
        best = [np.where(better, codes, best[0]), np.where(better, scale, best[1])]
    return best[0].astype(np.uint8), best[1]


def model_file(pieces, codes, scales):
    """The bytes of a model file; see `docs/format-model.md`."""
    dim = codes.shape[1]
    longest = max(len(piece.removeprefix("##")) for piece in pieces)

    def place(number):
        part = pieces[number].removeprefix("##")
        return pieces[number].startswith("##"), len(part), part

    order = sorted(range(len(pieces)), key=place)
    directory = [0] * (2 * longest)
    for number in order:
        continues, length, _ = place(number)
        directory[continues * longest + length - 1] += 1
    step = np.float32(float(scales.max()) / 65535)
    steps = np.clip(np.rint(scales.ravel() / step), 1, 65535).astype("<u2")
    # As long as a piece of middling frequency is: what nobody knows says something.
    lengths = np.linalg.norm((codes - 7.5) * scales, axis=1)
    other = float(np.quantile(lengths, 0.75))
    head = b"CFTABLE\0" + struct.pack("<IHHff", 1, dim, longest, step, other)
    head += struct.pack(f"<{2 * longest}H", *directory)
    text = "".join(place(number)[2] for number in order).encode()
    nibbles = codes[order]
    packed = (nibbles[:, 0::2] | nibbles[:, 1::2] << 4).astype(np.uint8)
    body = head + text + steps[order].tobytes() + packed.tobytes()
    return body + struct.pack("<Q", xxhash.xxh64_intdigest(body))
