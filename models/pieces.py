"""The pieces of a text: the twin of `agent/src/embed/wordpiece.rs`, for training and checks.

It knows ASCII and the Latin letters that lose their accents. A word with another letter in it has
no piece here, as there.
"""

import re
import unicodedata

LONGEST = 20
WORD = re.compile(r"[^\W_]+")
TWO = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"})


def words(text: str):
    """Words of small ASCII letters and digits."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.lower().translate(TWO))
        text = "".join(c for c in text if not unicodedata.combining(c))
    return [word for word in WORD.findall(text.lower()) if word.isascii()]


class Pieces:
    """Known pieces; those that continue a word begin with `##`."""

    def __init__(self, pieces):
        self.pieces = list(pieces)
        self.number = {piece: i for i, piece in enumerate(self.pieces)}
        self.cache = {}

    def cut(self, word: str):
        """The numbers of a word's pieces, cut greedily."""
        found = self.cache.get(word)
        if found is None:
            found, begin = [], 0
            while begin < len(word):
                mark = "##" if begin else ""
                for end in range(min(len(word), begin + LONGEST), begin, -1):
                    number = self.number.get(mark + word[begin:end])
                    if number is not None:
                        found.append(number)
                        break
                else:
                    end = begin + 1
                begin = end
            self.cache[word] = found
        return found

    def of(self, text: str):
        """The numbers of a text's pieces."""
        return [number for word in words(text) for number in self.cut(word)]
