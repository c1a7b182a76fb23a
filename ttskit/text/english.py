"""English as it is read aloud: rules, tried in order where a word or a number begins.

What no rule reads is read as it is written.
"""

from __future__ import annotations

from collections.abc import Callable

from ttskit.text import english_figures, english_letters
from ttskit.text.english_rules import NUMBERS, STOP


class English:
    """The reader of English: `read` gives the words of what begins at a place in a text.

    Parameters
    ----------
    known : function
        Whether the lexicon has a word.
    """

    def __init__(self, known: Callable[[str], bool]) -> None:
        self.numbers = NUMBERS
        self._letters = english_letters.rules(known)

    def read(self, text: str, at: int) -> tuple[int, list[str]] | None:
        """Return the end and the reading of what begins at `at`; None if no rule reads it."""
        first = text[at]
        rules = self._letters if first.isalpha() or first in "'’" else english_figures.RULES
        for pattern, function in rules:
            match = pattern.match(text, at)
            if match and (reading := function(match)) is not None:
                if reading and reading[-1] == STOP:
                    return match.end() - 1, reading[:-1]
                return match.end(), reading
        return None
