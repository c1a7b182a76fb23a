"""Words to phonemes: the user's lexicon, ours, gruut's, words derived from them, a guess."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ttskit.text.gruut import Gruut, Rows
from ttskit.text.languages import LANGUAGES
from ttskit.text.lexicon import Lexicon
from ttskit.text.mends import MENDED, mended
from ttskit.text.supplement import Context, Supplement

Phonemes = tuple[str, ...]

_REMEMBERED = 50_000  # words outside the lexicon whose pronunciation is kept
_EN_VOWELS = frozenset("aɪ aʊ eɪ i oʊ u æ ɑ ɔ ɔɪ ə ɚ ɛ ɪ ʊ ʌ".split())
_EN_HISSING = frozenset("s z ʃ ʒ t͡ʃ d͡ʒ".split())
_EN_VOICELESS = frozenset("p t k f θ".split())
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
_COMPOUNDING = frozenset({"de-de"})  # languages that write several words as one
_LONG_WORD, _LEAST_PART = 7, 3  # letters of what may be several words, and of one of them
_LONGEST_WORD = 80  # letters; no words of a dictionary make a longer one of two or three


@dataclass(frozen=True, slots=True)
class Pronunciation:
    """How a word is pronounced."""

    phonemes: Phonemes
    guessed: bool = False  # by the grapheme-to-phoneme model, wholly or in part
    unknown: str = ""  # characters that no phoneme stands for


class Pronouncer:
    """The pronunciations of one language.  A copy sent to another process opens its own files."""

    def __init__(self, language: str, lexicon: Lexicon) -> None:
        self.language = language
        self.lexicon = lexicon
        self._letters = frozenset(LANGUAGES[language].letters)
        self._gruut = Gruut(language)
        self._supplement = Supplement(language)
        self._mended: dict[str, Rows] = {}
        self._remembered: dict[str, Pronunciation] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"language": self.language, "lexicon": self.lexicon}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["language"], state["lexicon"])  # type: ignore[misc]

    def known(self, word: str) -> bool:
        """Whether a lexicon has `word`."""
        if self.lexicon.find(word) or self._supplement.known(word):
            return True
        self._gruut.look_up([word])
        return bool(self._gruut.rows(word))

    def pronounce(self, words: Sequence[str], letters: Sequence[bool]) -> list[Pronunciation]:
        """Return the pronunciation of each word of a text.

        Parameters
        ----------
        words : (word,)
            As normalised, in order; neighbours decide between `read` and `read`.
        letters : (word,) bool
            Whether a capital `A` names the letter.
        """
        self._gruut.look_up(form for word in dict.fromkeys(words) for form in self._forms(word))
        ambiguous = any(self._ambiguous(word) for word in words)
        tags = self._gruut.tags(words) if ambiguous else [""] * len(words)
        pronunciations = [
            self._one(word, Context(words, place, tags[place], letters[place]))
            for place, word in enumerate(words)
        ]
        if self.language == "en-us":
            self._before_vowels(words, pronunciations)
        return pronunciations

    def candidates(self, word: str) -> list[Phonemes]:
        """Return every pronunciation that the lexicons have for a word, and the guess."""
        forms = self._forms(word)
        self._gruut.look_up(forms)
        rows = [phonemes for form in forms for _, phonemes in self._rows(form)]
        split = [tuple(phonemes.split()) for phonemes in rows]
        return list(dict.fromkeys([*split, self._guess(word).phonemes]))

    def _one(self, word: str, context: Context) -> Pronunciation:
        if own := self.lexicon.find(word, context.tag) or self._supplement.find(word, context):
            return Pronunciation(own)
        for form in self._forms(word):
            if rows := self._rows(form):
                return Pronunciation(_choose(rows, context.tag))
        if word not in self._remembered:
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
            self._remembered[word] = self._derived(word) or self._guess(word)
        return self._remembered[word]

    def _rows(self, word: str) -> Rows:
        """Return what gruut's lexicon has for a word, without the faults of its language."""
        rows = self._gruut.rows(word)
        if not rows or self.language not in MENDED:
            return rows
        if word not in self._mended:
            if len(self._mended) >= _REMEMBERED:
                self._mended.clear()
            self._mended[word] = tuple(
                (role, mended(self.language, word, phonemes, self._gruut.guess))
                for role, phonemes in rows
            )
        return self._mended[word]

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
            forms.append(lower.replace("'", ""))
        return list(dict.fromkeys(forms))

    def _derived(self, word: str) -> Pronunciation | None:
        """Compose a word of others: with an apostrophe, a number as one word, a compound."""
        if ending := re.fullmatch(r"(\w+)'(\w?)", word):
            self._gruut.look_up(self._forms(ending[1]))
            stem = self._one(ending[1], Context([ending[1]], 0, "NN", letter=True))
            return Pronunciation(stem.phonemes + self._ending(stem, ending[2]), stem.guessed)
        parts = _number_parts(word.lower(), self.language)
        if len(parts) > 1:
            self._gruut.look_up(parts)
            whole = [self._one(part, Context(parts, n, "", False)) for n, part in enumerate(parts)]
            if not any(part.guessed for part in whole):
                return Pronunciation(tuple(p for part in whole for p in part.phonemes))
        return self._compound(word.lower()) if self.language in _COMPOUNDING else None

    def _compound(self, word: str) -> Pronunciation | None:
        """Compose a word of two or three that a lexicon has, the first ones perhaps with an s."""
        if not _LONG_WORD <= len(word) <= _LONGEST_WORD:
            return None
        places = range(_LEAST_PART, len(word) - _LEAST_PART + 1)
        spans = [word[start:end] for start in (0, *places) for end in (*places, len(word))]
        self._gruut.look_up(form for span in spans for form in self._forms(span) if span)
        best = {0: ((0, 0), Phonemes())}  # where a part begins: cost so far, phonemes
        for end in (*places, len(word)):
            found = [
                ((parts + 1, uneven + (end - start) ** 2), before + part)
                for start, ((parts, uneven), before) in best.items()
                if end - start >= _LEAST_PART and (part := self._part(word, start, end))
            ]
            if found:
                best[end] = min(found)
        cost, phonemes = best.get(len(word), ((9, 0), ()))
        return Pronunciation(phonemes) if cost[0] <= 3 else None

    def _part(self, word: str, start: int, end: int) -> Phonemes:
        """Return the phonemes of a part of a compound, empty if no lexicon has it."""
        part = word[start:end]
        own = self.lexicon.find(part) or self._supplement.find(part, Context([part], 0, "", False))
        if own:
            return own
        for form in (part, part.replace("ß", "ss")):
            if rows := self._rows(form):
                return _choose(rows, "NN")
        if part.endswith("s") and end < len(word) and len(part) > _LEAST_PART:
            linked = self._part(word, start, end - 1)
            return (*linked, "s") if linked else ()
        return ()

    def _ending(self, stem: Pronunciation, letter: str) -> Phonemes:
        """Return the sound of the letter after an apostrophe: `John's`, Dutch `foto's`."""
        if letter != "s":
            return ()
        return _hiss(stem.phonemes) if self.language == "en-us" else ("s",)

    def _guess(self, word: str) -> Pronunciation:
        """Predict phonemes from the letters that the grapheme-to-phoneme model was trained on."""
        lower = unicodedata.normalize("NFC", word.lower())
        letters, unknown = "", ""
        for letter in lower.replace("ß", "ss") if self.language == "de-de" else lower:
            usable = letter if letter in self._letters else _plain(letter)
            usable = "".join(c for c in usable if c in self._letters)
            letters += usable
            unknown += "" if usable or letter in "'’" else letter
        if not letters.strip("'-"):
            return Pronunciation((), True, unknown or lower)
        guess = self._gruut.guess(letters)
        phonemes = mended(self.language, lower, " ".join(guess), self._gruut.guess).split()
        if not phonemes:  # name the letters
            self._gruut.look_up(letters)
            phonemes = [p for c in letters for p in _choose(self._rows(c), "")]
        return Pronunciation(tuple(phonemes), True, unknown)

    def _ambiguous(self, word: str) -> bool:
        """Whether the part of speech decides how a word is pronounced."""
        if self.lexicon.tagged(word) or self._supplement.tagged(word):
            return True
        roles = {role for role, _ in self._gruut.rows(word.lower())}
        return len(roles) > 1 and word.lower() != "a"

    def _before_vowels(self, words: Sequence[str], pronunciations: list[Pronunciation]) -> None:
        """Pronounce `the` before a vowel as in `the apple`."""
        for place, word in enumerate(words[:-1]):
            following = pronunciations[place + 1].phonemes
            if word.lower() == "the" and following and not self.lexicon.find("the"):
                vowel = following[0].lstrip("ˈˌ") in _EN_VOWELS
                pronunciations[place] = Pronunciation(("ð", "i" if vowel else "ə"))


def unknown(words: Sequence[str], language: str) -> int:
    """Return how many words of texts are in no lexicon and composed of none that are."""
    pronouncer = Pronouncer(language, Lexicon())
    each = Counter(words)
    found = pronouncer.pronounce([*each], [False] * len(each))
    return sum(each[word] for word, one in zip(each, found, strict=True) if one.guessed)


def _choose(rows: Rows, tag: str) -> Phonemes:
    """Return the pronunciation for a part of speech, else the one for any, else the first."""
    for wanted in (f"gruut:{tag}", ""):
        for role, phonemes in rows:
            if role == wanted:
                return tuple(phonemes.split())
    return tuple(rows[0][1].split()) if rows else ()


def _hiss(stem: Phonemes) -> Phonemes:
    """Return the sound of a plural or possessive s after `stem`."""
    last = stem[-1] if stem else ""
    if last in _EN_HISSING:
        return ("ɪ", "z")
    return ("s",) if last in _EN_VOICELESS else ("z",)


def _plain(text: str) -> str:
    """Return a text without accents: é is e, æ is ae, ø is o."""
    text = text.replace("æ", "ae").replace("œ", "oe").replace("ø", "o").replace("ł", "l")
    text = text.replace("ß", "ss").replace("đ", "d").replace("ð", "th").replace("þ", "th")
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


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
