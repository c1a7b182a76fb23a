"""Faults that run through gruut's data of a language, and so through what is guessed from them.

German: diphthongs in two parts (`a eː` for `aɪ̯`), affricates in two, doubled consonants.  Dutch:
what followed a faint vowel (`mar[ə]kt`) was lost with the markup around it, and `s u p` is left.
"""

from __future__ import annotations

import re
from collections.abc import Callable

MENDED = frozenset({"de-de", "nl"})
# where these letters are in the word, these phonemes become those
_GERMAN = [
    (r"[ea][iy]", r"(?:a eː|a ɪ|ə iː|ə ɪ)", "aɪ̯"),
    (r"au", r"(?:a oː|a ʊ)", "aʊ̯"),
    (r"eu|äu|oy", r"(?:ɔ ɔʏ̯|ɔ ʏ|ɔ ɪ)", "ɔʏ̯"),
    (r"z", r"(?:t t s|t s)", "t͡s"),
    (r"tsch", r"t ʃ", "t͡ʃ"),
    (r"ss|ß", r"(?:s z|z s|s s)", "s"),
    (r"(.)\1", r"(?P<twice>[bdfgklmnpstʁ]) (?P=twice)", r"\g<twice>"),
]
_DUTCH_LOST = re.compile(r"(?<![^ ])ˈ?ˌ?s ˈ?ˌ?u p\b.*")
_DUTCH_KEEPS = re.compile("soep|soup|soop")
_LIQUID = re.compile(r".*[rl](?=[^aeiou])")

Guess = Callable[[str], list[str]]


def mended(language: str, word: str, phonemes: str, guess: Guess) -> str:
    """Return the phonemes of a word without the faults of its language.

    Parameters
    ----------
    language, word : str
    phonemes : str
        With spaces between them.
    guess : function
        Predicts phonemes from letters, for those that are lost.

    Examples
    --------
    >>> mended("de-de", "heißt", "h a eː z s t", list)
    'h aɪ̯ s t'
    >>> mended("nl", "markt", "m ɑ ɹ s u p ə", list)
    'm ɑ ɹ k t'
    """
    if language not in MENDED:
        return phonemes
    if language == "nl":
        return _completed(word.lower(), phonemes, guess)
    for letters, wrong, right in _GERMAN:
        if re.search(letters, word.lower()):
            phonemes = re.sub(rf"(?<![^ ]){wrong}(?![^ ])", right, phonemes)
    return phonemes


def _completed(word: str, phonemes: str, guess: Guess) -> str:
    """Put what is guessed for the letters after the last r or l in place of what was lost."""
    lost = _DUTCH_LOST.search(phonemes)
    if not lost or _DUTCH_KEEPS.search(word):
        return phonemes
    kept, liquid = phonemes[: lost.start()].split(), _LIQUID.match(word)
    tail = [sound.lstrip("ˈˌ") for sound in guess(word[liquid.end() :])] if liquid else []
    return " ".join([*kept, *tail])
