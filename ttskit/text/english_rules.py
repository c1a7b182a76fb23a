"""What the rules of English share: their form, and what they look at around a match."""

from __future__ import annotations

import re
from collections.abc import Callable

from ttskit.text.english_words import MONTH_OF, STARTERS
from ttskit.text.numbers import EnglishNumbers

STOP = "|"  # at the end of a reading: the full stop that ends the match ends the sentence too
Reading = list[str] | None  # the words that a match is read as; None: try the next rule
Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], Reading]]
NUMBERS = EnglishNumbers()
MONTH = "|".join(sorted((name.capitalize() for name in MONTH_OF), key=len, reverse=True))

_ENDS_SENTENCE = re.compile(r"[\"'”’)\]]*(?:\s+[\"'“‘(]?[A-Z]|\s*\Z)")
_NEXT_WORD = re.compile(r"[ \t]+(\w+)")
_BEFORE = 40  # characters looked back for the word before a match


def rule(pattern: str, function: Callable[[re.Match[str]], Reading]) -> Rule:
    """Return the rule that reads what matches `pattern` by `function`."""
    return re.compile(pattern), function


def letters(text: str) -> list[str]:
    """Name the letters.

    >>> letters("Q&a")
    ['Q', 'A']
    """
    return [letter.upper() for letter in text if letter.isalpha()]


def word_before(match: re.Match[str]) -> str:
    """Return the word before a match, "" at the start of a text."""
    start = match.start()
    words = match.string[max(0, start - _BEFORE) : start].rstrip(" \t").split()
    return words[-1].strip("\"'“‘(") if words else ""


def word_after(match: re.Match[str]) -> str:
    """Return the word after a match, "" if something else follows."""
    following = _NEXT_WORD.match(match.string, match.end())
    return following[1] if following else ""


def closing_stop(match: re.Match[str]) -> list[str]:
    """Return [STOP] where the full stop that ends the match ends the sentence too."""
    if not match[0].endswith(".") or not _ENDS_SENTENCE.match(match.string, match.end()):
        return []
    following = word_after(match).lower()
    return [] if following and following not in STARTERS else [STOP]
