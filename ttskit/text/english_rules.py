"""What the rules of English share: months, numbers, the full stop that ends a sentence too."""

from __future__ import annotations

import re

from ttskit.text.english_words import MONTH_OF, STARTERS
from ttskit.text.numbers import EnglishNumbers
from ttskit.text.rules import STOP, after, word_after

NUMBERS = EnglishNumbers()
MONTH = "|".join(sorted((name.capitalize() for name in MONTH_OF), key=len, reverse=True))
NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?"

_ENDS_SENTENCE = r"[\"'”’)\]]*(?:\s+[\"'“‘(]?[A-Z]|\s*\Z)"


def closing_stop(match: re.Match[str]) -> list[str]:
    """Return [STOP] where the full stop that ends the match ends the sentence too."""
    if not match[0].endswith(".") or not re.match(_ENDS_SENTENCE, after(match)):
        return []
    following = word_after(match).lower()
    return [] if following and following not in STARTERS else [STOP]
