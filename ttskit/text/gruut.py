"""gruut's data of one language, read directly: lexicon, grapheme-to-phoneme model, tagger.

The lexicon is an SQLite table without an index, where each look-up reads the whole table (9 ms in
English).  So all words of a text are looked up in one pass over the table, and after a few such
passes the table is taken into memory.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any

from ttskit.text.languages import data_folder

_PASSES = 12  # passes over the table that cost about as much as taking it into memory
_CHUNK = 500  # words looked up in one pass
_LONGEST = 100  # letters whose phonemes are predicted at once; no word is longer
_CONTEXT = 3  # letters on each side that the grapheme-to-phoneme model looks at
_EVERY = "SELECT word, role, phonemes FROM word_phonemes ORDER BY id"

Rows = tuple[tuple[str, str], ...]  # role and phonemes, in the order of the table

# A tag that the lexicon does not name counts as the one that it belongs to.
_TAGS = {
    **dict.fromkeys(["VBP", "VBZ", "VBG", "MD"], "VB"), "VBN": "VBD",
    **dict.fromkeys(["NNS", "NNP", "NNPS"], "NN"), "JJR": "JJ", "JJS": "JJ",
    "RBR": "RB", "RBS": "RB", "TO": "IN",
}  # fmt: skip


class Gruut:
    """gruut's data of one language; its files are opened when they are first needed."""

    def __init__(self, language: str) -> None:
        self._folder = data_folder(language)
        self._taggers: dict[str, Any] = {}
        self._passes = 0
        self._complete = False  # whether the whole table is in memory
        self._rows: dict[str, Rows] = {}  # () for a word that the table lacks

    def rows(self, word: str) -> Rows:
        """Return what the lexicon has for a word, if it was among those of `look_up`."""
        return self._rows.get(word, ())

    def look_up(self, words: Iterable[str]) -> None:
        """Read the rows of all these words, in one pass over the table."""
        if self._complete:
            return
        missing = [word for word in dict.fromkeys(words) if word not in self._rows]
        if not missing:
            return
        self._passes += 1
        if self._passes > _PASSES or len(missing) > _CHUNK:
            self._read(_EVERY)
            self._complete = True
            return
        places = ",".join("?" * len(missing))
        self._rows.update(dict.fromkeys(missing, ()))
        self._read(
            f"SELECT word, role, phonemes FROM word_phonemes WHERE word IN ({places}) ORDER BY id",
            missing,
        )

    def guess(self, letters: str) -> list[str]:
        """Return the phonemes that the grapheme-to-phoneme model predicts for letters."""
        tagger = self._tagger("g2p")
        return [
            phoneme
            for start in range(0, len(letters), _LONGEST)
            for label in tagger.tag(_graphemes(letters[start : start + _LONGEST]))
            for phoneme in _decoded(label).split("|")
            if phoneme != "_"
        ]

    def tags(self, words: Sequence[str]) -> list[str]:
        """Return the part of speech of each word of a text, "" where no tagger is installed."""
        if not (self._folder / "pos" / "model.crf").is_file():
            return [""] * len(words)
        return [_TAGS.get(tag, tag) for tag in self._tagger("pos").tag(_contexts(words))]

    def _tagger(self, name: str) -> Any:
        if name not in self._taggers:
            import pycrfsuite

            tagger = pycrfsuite.Tagger()
            tagger.open(str(self._folder / name / "model.crf"))
            self._taggers[name] = tagger
        return self._taggers[name]

    def _read(self, query: str, words: Sequence[str] = ()) -> None:
        import sqlite3

        path = (self._folder / "lexicon.db").resolve().as_uri()
        fresh: dict[str, Rows] = {}
        with closing(sqlite3.connect(f"{path}?mode=ro&immutable=1", uri=True)) as database:
            for word, role, phonemes in database.execute(query, words):
                entry = ((role, phonemes),)
                fresh[word] = fresh[word] + entry if word in fresh else entry
        self._rows.update(fresh)


def _encoded(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")


def _decoded(label: str) -> str:
    return b64decode(label).decode()


def _graphemes(word: str) -> list[dict[str, Any]]:
    """Return the features of each letter, as gruut's model was trained with them."""
    letters, last = [_encoded(letter) for letter in word], len(word) - 1
    described = []
    for place, letter in enumerate(letters):
        features: dict[str, Any] = {"bias": 1.0, "grapheme": letter}
        if place == 0:
            features["begin"] = True
        if place == last:
            features["end"] = True
        for step in range(1, _CONTEXT + 1):
            if place >= step:
                features[f"grapheme-{step}"] = letters[place - step]
            if place + step <= last:
                features[f"grapheme+{step}"] = letters[place + step]
        described.append(features)
    return described


def _contexts(words: Sequence[str]) -> list[dict[str, Any]]:
    """Return the features of each word and of two neighbours on each side, as in gruut's tagger."""
    alone = [_features(word) for word in words]
    described = []
    for place in range(len(words)):
        features: dict[str, Any] = {}
        for step in (0, -1, -2, 1, 2):
            prefix = f"{step:+d}:" if step else ""
            if 0 <= place + step < len(words):
                features.update((prefix + name, value) for name, value in alone[place + step])
        if place == 0:
            features["BOS"] = True
        if place == len(words) - 1:
            features["EOS"] = True
        described.append(features)
    return described


def _features(word: str) -> list[tuple[str, Any]]:
    return [
        ("bias", 1.0),
        ("word", _encoded(word)),
        ("len(word)", len(word)),
        ("word.ispunctuation", not word.isalnum() and len(word) == 1 and word.isascii()),
        ("word.isdigit()", word.isdigit()),
        *((f"word[:{size}]", word[:size]) for size in (2, 3)),
        *((f"word[-{size}:]", word[-size:]) for size in (2, 3)),
    ]
