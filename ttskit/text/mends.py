"""Faults that run through gruut's data of a language, and so through what is guessed from them.

German: diphthongs in two parts (`a eː` for `aɪ̯`), affricates in two, doubled consonants, `ö` as if
it were `eu`, short vowels before a silent h and before ß, the h of -heit and the r of -ere lost.
Dutch: what followed a faint vowel (`mar[ə]kt`) was lost with the markup around it, and `s u p` is
left.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

MENDED = frozenset({"de-de", "nl"})
_VOWEL = "[aeiouyɛɪɔʊəœøʏ]"
# where these letters are in the word, these phonemes become those
_GERMAN = [
    (r"[ea][iy]", r"(?:a eː|a ɪ|ə iː|ə ɪ)", "aɪ̯"),
    (r"au", r"(?:a oː|a ʊ)", "aʊ̯"),
    (r"eu|äu|oy", r"(?:ɔ ɔʏ̯|ɔ ʏ|ɔ ɪ|ɛ ʊ)", "ɔʏ̯"),
    (r"^(?!.*(?:eu|äu|o[iy])).*ö", r"ɔʏ̯", "øː"),
    (r"sch[aeiouäöü]", r"s t s h", "ʃ"),
    (r"sch[lmnrw]", r"s t s(?= [lmnʁv])", "ʃ"),
    (r"z", r"(?:t t s|t s)", "t͡s"),
    (r"tion", r"t s(?= ɪ oː n)", "t͡s"),
    (r"tsch", r"t ʃ", "t͡ʃ"),
    (r"ss|ß", r"(?:s z|z s|s s)", "s"),
    (r"(.)\1", r"(?P<twice>[bdfgklmnpstʁ]) (?P=twice)", r"\g<twice>"),
    (r"ee", r"(?:ə ə|ə(?= ɐ))", "eː"),
    (r"aa", r"a a", "aː"),
    (r"(?<!k)oo", r"(?:ɔ|oː) (?:ɔ|oː)", "oː"),
    (r"[^aeiouäöü]e$", r"eː$", "ə"),
    (r"ie(?:[^nr]|[nr]e)", r"iː (?:j )?ə(?= [^ ]+ )", "iː"),
    (r"^(?!.*[^h]eit).*heit", r"(?<!h )aɪ̯(?= t(?: s| [əɛ] n|$))", "h aɪ̯"),
    (r"er", rf"(?<=[^ɛ]ː )ɐ(?= {_VOWEL})", "ʁ"),
    (r"er", rf"(?<!ː )ɐ(?= {_VOWEL})", "ə ʁ"),
]
# vowels that are long before a silent h and before ß: letter, short, long
_LONG = [
    ("a", "a", "aː"),
    ("ä", "ɛ", "ɛː"),
    ("o", "ɔ", "oː"),
    ("ö", "œ", "øː"),
    ("u", "ʊ", "uː"),
    ("ü", "ʏ", "yː"),
]
# but short in what was written so until 1996
_SHARP = re.compile(
    "(?:da|fa|fä|flu|flü|ha|ku|kü|lä|mu|mü|na|nu|nü|pa|pä|schlo|schlö|schu|schü)ß(?!e)"
)
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
    >>> mended("de-de", "abzahlbar", "ʔ a p t s a l b a ʁ", list)
    'ʔ a p t͡s aː l b a ʁ'
    >>> mended("nl", "markt", "m ɑ ɹ s u p ə", list)
    'm ɑ ɹ k t'
    """
    if language not in MENDED:
        return phonemes
    if language == "nl":
        return _completed(word.lower(), phonemes, guess)
    word = word.lower()
    for letters, wrong, right in _GERMAN:
        if re.search(letters, word):
            phonemes = re.sub(rf"(?<![^ ]){wrong}(?![^ ])", right, phonemes)
    return _lengthened(word, phonemes)


def _lengthened(word: str, phonemes: str) -> str:
    """Lengthen the vowels of a German word before a silent h and before ß.

    >>> _lengthened("großstadtbahn", "g ʁ ɔ s ʃ t a t b a n")
    'g ʁ oː s ʃ t a t b aː n'
    """
    for letter, short, long in _LONG:
        spelled = re.findall(rf"(?<![{letter}aeä]){letter}(h|)(ß|[lmnrtdsz])", word)
        sounds = rf"(?<![^ ])(?:{short}|{long})(?= [lmnʁɐtdszʃŋ])"
        if len(spelled) == len(re.findall(sounds, phonemes)):
            wanted = [bool(h) or (end == "ß" and not _SHARP.search(word)) for h, end in spelled]
            phonemes = re.sub(sounds, _lengthener(wanted, long), phonemes)
    return phonemes


def _lengthener(wanted: Iterable[bool], long: str) -> Callable[[re.Match[str]], str]:
    """Return what takes the long vowel for one sound after the other where that is wanted."""
    each = iter(wanted)
    return lambda sound: long if next(each) else sound[0]


def _completed(word: str, phonemes: str, guess: Guess) -> str:
    """Put what is guessed for the letters after the last r or l in place of what was lost."""
    lost = _DUTCH_LOST.search(phonemes)
    if not lost or _DUTCH_KEEPS.search(word):
        return phonemes
    kept, liquid = phonemes[: lost.start()].split(), _LIQUID.match(word)
    tail = [sound.lstrip("ˈˌ") for sound in guess(word[liquid.end() :])] if liquid else []
    return " ".join([*kept, *tail])
