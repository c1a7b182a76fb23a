"""English as it is read aloud: rules, tried in order where a word or a number begins.

What no rule reads is read as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ttskit.text import (
    addresses,
    english_codes,
    english_dates,
    english_figures,
    english_letters,
    english_measures,
    english_money,
    english_roman,
)
from ttskit.text.english_rules import NUMBERS
from ttskit.text.english_words import ADDRESS_SIGNS, LOWER_IN_ADDRESS, READ_AS, SIGNS
from ttskit.text.rules import apply

# a word that only the table of fixed readings may read, and no other rule: most words are such
_PLAIN = re.compile(r"(?![ivx]+(?![a-z]))[a-z]+(?=[\s,;:!?)]|\Z)")


class English:
    """The reader of English: `read` gives the words of what begins at a place in a text.

    Parameters
    ----------
    known : function
        Whether the lexicon has a word.
    """

    signs = SIGNS
    speaks_numbers = True

    def __init__(self, known: Callable[[str], bool]) -> None:
        self.numbers = NUMBERS
        naming = addresses.Naming(ADDRESS_SIGNS, LOWER_IN_ADDRESS, NUMBERS.code, known)
        web = addresses.rules(naming)
        self._letters = [
            *web,
            *english_letters.FIXED,
            *english_dates.OF_LETTERS,
            *english_roman.RULES,
            *english_money.OF_LETTERS,
            *english_codes.OF_LETTERS,
            *english_measures.OF_LETTERS,
            *english_letters.rules(known),
        ]
        self._figures = [
            *web,
            *english_figures.BETWEEN,
            *english_dates.RULES,
            *english_codes.RULES,
            *english_money.RULES,
            *english_measures.RULES,
            *english_figures.RULES,
        ]

    def read(self, text: str, at: int) -> tuple[int, list[str]] | None:
        """Return the end and the reading of what begins at `at`; None if no rule reads it."""
        first, following = text[at], text[at + 1 : at + 2]
        if first in ".,?;:" and (not following or following.isspace()):
            return None
        plain = _PLAIN.match(text, at)
        if plain and plain[0] not in READ_AS:
            return None
        alphabetic = first.isalpha() or first in "'’"
        return apply(self._letters if alphabetic else self._figures, text, at)
