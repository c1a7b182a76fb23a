"""What the rules of all languages share: their form, and what they look at around a match."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

STOP = "|"  # at the end of a reading: the full stop that ends the match ends the sentence too
PAUSE = " , "  # between words of a reading: as if there were a comma
Reading = list[str] | None  # the words that a match is read as; None: try the next rule
_NEXT_WORD = re.compile(r"[ \t]+(\w+)")
_BEFORE = 40  # characters looked back for the word before a match


class Rule:
    """A pattern and the function that reads what it matches; compiled when first tried."""

    __slots__ = ("_match", "_pattern", "function")

    def __init__(self, pattern: str, function: Callable[[re.Match[str]], Reading]) -> None:
        self._pattern, self.function = pattern, function
        self._match: Callable[[str, int], re.Match[str] | None] | None = None

    def match(self, text: str, at: int) -> re.Match[str] | None:
        """Match the pattern where a text is at."""
        if self._match is None:
            self._match = re.compile(self._pattern).match
        return self._match(text, at)


def apply(rules: Iterable[Rule], text: str, at: int) -> tuple[int, list[str]] | None:
    """Return the end and the reading of what begins at `at`; None if no rule reads it."""
    for candidate in rules:
        match = candidate.match(text, at)
        if match and (reading := candidate.function(match)) is not None:
            if reading and reading[-1] == STOP:
                return match.end() - 1, reading[:-1]
            return match.end(), reading
    return None


def alternatives(names: Iterable[str]) -> str:
    """Return the pattern of any of these names, the longest first; of nothing if there is none."""
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True)) or "(?!)"


def letters(text: str) -> list[str]:
    """Name the letters.

    >>> letters("Q&a")
    ['Q', 'A']
    """
    return [letter.upper() for letter in text if letter.isalpha()]


def grouped(groups: Iterable[list[str]]) -> list[str]:
    """Join groups of words with a pause between them.

    >>> grouped([["five", "five"], ["one"]])
    ['five', 'five', ' , ', 'one']
    """
    joined = [word for group in groups for word in (*group, PAUSE)]
    return joined[:-1]


def before(match: re.Match[str]) -> str:
    """Return the characters right before a match, as many as rules look at."""
    return match.string[max(0, match.start() - _BEFORE) : match.start()]


def word_before(match: re.Match[str]) -> str:
    """Return the word before a match, "" at the start of a text."""
    words = before(match).rstrip(" \t").split()
    return words[-1].strip("\"'“‘(") if words else ""


def word_after(match: re.Match[str]) -> str:
    """Return the word after a match, "" if something else follows."""
    following = _NEXT_WORD.match(match.string, match.end())
    return following[1] if following else ""


def after(match: re.Match[str]) -> str:
    """Return the characters right after a match, as many as rules look at."""
    return match.string[match.end() : match.end() + _BEFORE]
