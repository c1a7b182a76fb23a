"""The supplementary lexicon of a language: what gruut's lexicon lacks or has wrong.

A line of `lexicons/LANGUAGE.tsv` is `word TAB phonemes TAB when`; of the lines of a word the first
that holds counts.  A word with a capital counts as it is written; others in any case.  Conditions:

- nothing: always
- a part of speech as the tagger names it (`VB`)
- `letter`: where a letter is named
- `before`, `after`, `near` and words: one of these follows, precedes, or is at most 4 words away
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_NEAR = 4  # words on each side


class Context(NamedTuple):
    """Where a word stands."""

    words: Sequence[str]
    place: int
    tag: str  # part of speech, "" if not known
    letter: bool  # whether letters are named


class _Entry(NamedTuple):
    phonemes: tuple[str, ...]
    condition: str
    cues: frozenset[str]

    def holds(self, context: Context) -> bool:
        """Whether the word is pronounced so where it stands."""
        words, place = context.words, context.place
        if not self.condition:
            return True
        if self.condition == "letter":
            return context.letter
        if self.condition == "before":
            return any(word.lower() in self.cues for word in words[place + 1 : place + 2])
        if self.condition == "after":
            return place > 0 and words[place - 1].lower() in self.cues
        if self.condition == "near":
            around = (*words[max(0, place - _NEAR) : place], *words[place + 1 : place + 1 + _NEAR])
            return any(word.lower() in self.cues for word in around)
        return context.tag == self.condition


class Supplement:
    """The supplementary lexicon of one language, empty where none is written."""

    def __init__(self, language: str) -> None:
        self._entries: dict[str, list[_Entry]] = {}
        path = Path(__file__).parent / "lexicons" / f"{language}.tsv"
        lines = path.read_text("utf-8").splitlines() if path.is_file() else []
        for line in lines:
            if not line.startswith("#"):
                word, phonemes, *when = line.split("\t")
                condition, _, cues = (when[0] if when else "").partition(" ")
                entry = _Entry(tuple(phonemes.split()), condition, frozenset(cues.split()))
                self._entries.setdefault(word, []).append(entry)
        self._tagged = frozenset(
            word
            for word, entries in self._entries.items()
            if any(entry.condition.isupper() for entry in entries)
        )

    def find(self, word: str, context: Context) -> tuple[str, ...] | None:
        """Return the phonemes of a word where it stands; None if no line holds."""
        for form in (word,) if word.islower() else (word, word.lower()):
            for entry in self._entries.get(form, ()):
                if entry.holds(context):
                    return entry.phonemes
        return None

    def known(self, word: str) -> bool:
        """Whether a line is about a word, wherever it stands."""
        return any(not entry.condition for entry in self._entries.get(word.lower(), []))

    def tagged(self, word: str) -> bool:
        """Whether the part of speech matters for a word."""
        return word.lower() in self._tagged
