"""Words to phonemes: the user's lexicon, gruut's lexicon, what derives from it, a guess.

gruut's data packages are read directly.  Its lexicon is an SQLite table without an index, where
each look-up reads the whole table (9 ms in English).  So all words of a text are looked up in one
pass over the table, and after a few such passes the table is taken into memory.
"""

from __future__ import annotations

import re
import unicodedata
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from ttskit.text.lexicon import Lexicon
from ttskit.text.symbols import LANGUAGES, folder
from ttskit.text.symbols import words as _listed

Phonemes = tuple[str, ...]

_PASSES = 12  # passes over the table that cost about as much as taking it into memory
_REMEMBERED = 50_000  # guesses and other words that are kept
_CHUNK = 500  # words asked for in one pass
_CONTEXT = 3  # letters on each side that gruut's grapheme-to-phoneme model looks at

# A tag that the lexicon does not name counts as the one that it belongs to.
_TAGS = {
    **dict.fromkeys(["VBP", "VBZ", "VBG", "MD"], "VB"), "VBN": "VBD",
    **dict.fromkeys(["NNS", "NNP", "NNPS"], "NN"), "JJR": "JJ", "JJS": "JJ",
    "RBR": "RB", "RBS": "RB", "TO": "IN",
}  # fmt: skip
_EN_VOWELS = _listed("aɪ aʊ eɪ i oʊ u æ ɑ ɔ ɔɪ ə ɚ ɛ ɪ ʊ ʌ")
_EN_HISSING = _listed("s z ʃ ʒ t͡ʃ d͡ʒ")
_EN_VOICELESS = _listed("p t k f θ")
# Said otherwise than gruut's first choice says.
_EN_MENDED = {
    "an": ("ə", "n"), "and": ("ə", "n", "d"), "miz": ("m", "ˈɪ", "z"),
    "messers": ("m", "ˈɛ", "s", "ɚ", "z"), "'cause": ("k", "ə", "z"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pronunciation:
    """Phonemes of a word, and whether they are a guess; letters that no rule can speak."""

    phonemes: Phonemes
    guessed: bool = False
    unknown: str = ""


class Pronouncer:
    """The pronunciations of one language.  A copy sent to another process opens its own files."""

    def __init__(self, language: str, lexicon: Lexicon) -> None:
        self.language = language
        self.lexicon = lexicon
        self._letters = frozenset(LANGUAGES[language].letters)
        self._folder = folder(language)
        self._forget()

    def _forget(self) -> None:
        self._taggers: dict[str, Any] = {}
        self._passes = 0
        self._whole = False
        # word -> (role, phonemes) in the order of the table; () is known to be absent
        self._rows: dict[str, tuple[tuple[str, str], ...]] = {}
        self._said: dict[str, Pronunciation] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"language": self.language, "lexicon": self.lexicon}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["language"], state["lexicon"])  # type: ignore[misc]

    def known(self, word: str) -> bool:
        """Whether a lexicon has `word`."""
        if self.lexicon.find(word):
            return True
        self._look_up([word])
        return bool(self._rows.get(word))

    def pronounce(self, words: Sequence[str], letters: Sequence[bool]) -> list[Pronunciation]:
        """Return how each word of a text is said.

        Parameters
        ----------
        words : (word,)
            As normalised, in order; neighbours decide between `read` and `read`.
        letters : (word,) bool
            Whether a capital `A` names the letter.
        """
        self._look_up(form for word in dict.fromkeys(words) for form in self._forms(word))
        tags = (
            self._tags(words) if any(self._matters(word) for word in words) else [""] * len(words)
        )
        said = [
            self._one(word, tag, letter)
            for word, tag, letter in zip(words, tags, letters, strict=True)
        ]
        if self.language == "en-us":
            self._before_vowels(words, said)
        return said

    def _one(self, word: str, tag: str, letter: bool) -> Pronunciation:
        if own := self.lexicon.find(word, tag):
            return Pronunciation(own)
        if letter and word == "A" and self.language == "en-us":
            return Pronunciation(("ˈeɪ",))
        if word.lower() in _EN_MENDED and self.language == "en-us":
            return Pronunciation(_EN_MENDED[word.lower()])
        for form in self._forms(word):
            if rows := self._rows.get(form):
                return Pronunciation(_choose(rows, tag))
        if word not in self._said:
            if len(self._said) >= _REMEMBERED:
                self._said.clear()
            self._said[word] = self._derived(word) or self._guess(word)
        return self._said[word]

    def _forms(self, word: str) -> list[str]:
        """Return the spellings under which the lexicon may have a word, best first."""
        lower = word.lower()
        forms = [word, lower]
        if self.language == "de-de":
            forms.append(lower.replace("ß", "ss"))
        elif self.language == "nl":
            forms.append(lower.capitalize())
        if not word.isascii() and self.language != "fa":
            forms.append(_plain(lower))
        if "'" in word and self.language != "en-us":
            forms += [lower.replace("'", ""), lower.rsplit("'", 1)[0]]
        return list(dict.fromkeys(forms))

    def _derived(self, word: str) -> Pronunciation | None:
        """Compose a word of what the lexicon has: English possessives and compounds of numbers."""
        if self.language == "en-us" and (ending := re.fullmatch(r"(\w+)'(s|)", word)):
            self._look_up(self._forms(ending[1]))
            stem = self._one(ending[1], "NN", True)
            return Pronunciation(
                stem.phonemes + (_hiss(stem.phonemes) if ending[2] else ()), stem.guessed
            )
        parts = _number_parts(word.lower(), self.language)
        if len(parts) > 1:
            self._look_up(parts)
            found = [self._rows.get(part) for part in parts]
            if all(found):
                return Pronunciation(tuple(p for rows in found if rows for p in _choose(rows, "")))
        return None

    def _guess(self, word: str) -> Pronunciation:
        """Ask gruut's grapheme-to-phoneme model, for the letters that it has learnt."""
        lower = unicodedata.normalize("NFC", word.lower())
        if self.language == "de-de":
            lower = lower.replace("ß", "ss")
        spelt, unknown = "", ""
        for letter in lower:
            usable = letter if letter in self._letters else _plain(letter)
            usable = "".join(c for c in usable if c in self._letters)
            spelt += usable
            unknown += "" if usable or letter in "'’" else letter
        if not spelt.strip("'-"):
            return Pronunciation((), True, unknown or lower)
        labels = self._tagger("g2p").tag(_graphemes(spelt))
        phonemes = [p for label in labels for p in _decoded(label).split("|") if p != "_"]
        if not phonemes:
            self._look_up(spelt)
            phonemes = [p for c in spelt for p in _choose(self._rows.get(c) or (("", ""),), "")]
        return Pronunciation(tuple(phonemes), True, unknown)

    def _matters(self, word: str) -> bool:
        """Whether the part of speech decides how a word is said."""
        if self.lexicon.tagged(word):
            return True
        rows = self._rows.get(word.lower()) or ()
        return len({role for role, _ in rows}) > 1 and word.lower() != "a"

    def _tags(self, words: Sequence[str]) -> list[str]:
        if not (self._folder / "pos" / "model.crf").is_file():
            return [""] * len(words)
        tags = self._tagger("pos").tag(_contexts(words))
        return [_TAGS.get(tag, tag) for tag in tags]

    def _before_vowels(self, words: Sequence[str], said: list[Pronunciation]) -> None:
        """Say `the` as in `the apple` before a vowel."""
        for place, word in enumerate(words[:-1]):
            following = said[place + 1].phonemes
            if word.lower() == "the" and following and not self.lexicon.find("the"):
                vowel = following[0].lstrip("ˈˌ") in _EN_VOWELS
                said[place] = Pronunciation(("ð", "i" if vowel else "ə"))

    def _tagger(self, name: str) -> Any:
        if name not in self._taggers:
            import pycrfsuite

            tagger = pycrfsuite.Tagger()
            tagger.open(str(self._folder / name / "model.crf"))
            self._taggers[name] = tagger
        return self._taggers[name]

    def _look_up(self, words: Iterable[str]) -> None:
        """Bring the rows of these words into `_rows`."""
        if self._whole:
            return
        missing = [word for word in dict.fromkeys(words) if word not in self._rows]
        if not missing:
            return
        self._passes += 1
        if self._passes > _PASSES or len(missing) > _CHUNK:
            self._take(_EVERY)
            self._whole = True
            return
        marks = ",".join("?" * len(missing))
        found = (
            f"SELECT word, role, phonemes FROM word_phonemes WHERE word IN ({marks}) ORDER BY id"
        )
        self._rows.update(dict.fromkeys(missing, ()))
        self._take(found, missing)

    def _take(self, query: str, words: Sequence[str] = ()) -> None:
        """Bring what is asked for into `_rows`."""
        import sqlite3

        path = (self._folder / "lexicon.db").resolve().as_uri()
        fresh: dict[str, tuple[tuple[str, str], ...]] = {}
        with closing(sqlite3.connect(f"{path}?mode=ro&immutable=1", uri=True)) as database:
            for word, role, phonemes in database.execute(query, words):
                entry = ((role, phonemes),)
                fresh[word] = fresh[word] + entry if word in fresh else entry
        self._rows.update(fresh)


_EVERY = "SELECT word, role, phonemes FROM word_phonemes ORDER BY id"


def _choose(rows: tuple[tuple[str, str], ...], tag: str) -> Phonemes:
    """Return the pronunciation for a part of speech, else the one for any, else the first."""
    for wanted in (f"gruut:{tag}", ""):
        for role, phonemes in rows:
            if role == wanted:
                return tuple(phonemes.split())
    return tuple(rows[0][1].split())


def _hiss(stem: Phonemes) -> Phonemes:
    """Return the sound of a plural or possessive s after `stem`."""
    last = stem[-1] if stem else ""
    if last in _EN_HISSING:
        return ("ɪ", "z")
    return ("s",) if last in _EN_VOICELESS else ("z",)


def _plain(text: str) -> str:
    """Take the accents off: é is e, æ is ae, ø is o."""
    text = text.replace("æ", "ae").replace("œ", "oe").replace("ø", "o").replace("ł", "l")
    text = text.replace("ß", "ss").replace("đ", "d").replace("ð", "th").replace("þ", "th")
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


_NUMBER_PARTS = {
    "de-de": (
        "eins ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf zwanzig zwanzigste "
        "dreißig vierzig fünfzig sechzig siebzig achtzig neunzig hundert tausend sech sieb und"
    ),
    "nl": (
        "een één twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien "
        "vijftien zestien zeventien achttien negentien twintig dertig veertig vijftig zestig "
        "zeventig tachtig negentig honderd duizend en ën"
    ),
}


def _number_parts(word: str, language: str) -> list[str]:
    """Cut a number written as one word, `neunzehnhundert`, into words of the lexicon."""
    known = sorted(_NUMBER_PARTS.get(language, "").split(), key=len, reverse=True)
    parts = list[str]()
    while word:
        part = next((part for part in known if word.startswith(part)), "")
        if not part:
            return []
        parts.append({"ën": "en", "één": "een", "dreißig": "dreissig"}.get(part, part))
        word = word[len(part) :]
    return parts


def _encoded(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")


def _decoded(label: str) -> str:
    return b64decode(label).decode()


def _graphemes(word: str) -> list[dict[str, Any]]:
    """Describe each letter in the terms that gruut's model was trained with."""
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
    """Describe each word and two neighbours on each side, as gruut's tagger was trained."""
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
