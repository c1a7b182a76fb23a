"""Questions that rise: by rule, where a voice has not learnt it from its recordings.

In English the pitch of a question that can be answered by yes or no rises from its last stressed
syllable to its end.  A voice that was trained on hardly any question lets it fall; one that does
not know how many it has heard is taken for such a voice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

RISE = 5.0  # semitones at the end
LEARNT = 100  # questions of training data, with which a voice is left to itself
STRESS = "ˈˌ"
ASKING = frozenset("what who whom whose which when where why how".split())  # fall
BEFORE = frozenset(  # words that such a word may follow
    "and but so or well then oh now okay yes no in on at to for from of with by about until "
    "since under".split()
)


def can_rise(text: str, words: Sequence[str]) -> bool:
    """Whether a sentence is a question that yes or no answers, not one with a choice.

    >>> can_rise("Is it raining?", ["Is", "it", "raining"])
    True
    >>> can_rise("And for whom is it?", ["And", "for", "whom", "is", "it"])
    False
    """
    plain = [word.lower().partition("'")[0].partition("’")[0] for word in words]
    first = next((word for word in plain if word not in BEFORE), "")
    asks = re.search(r"\?[\"'”’)\]\s]*$", text) is not None
    return asks and first not in ASKING and "or" not in plain[1:]


def rise(symbols: Sequence[str], owners: np.ndarray) -> np.ndarray:
    """Return semitones to add to each token of a question, (N,).

    Parameters
    ----------
    symbols : N strings
    owners : (N,) int
        The word of each token, -1 for none.
    """
    semitones = np.zeros(len(symbols))
    stressed = [place for place, symbol in enumerate(symbols) if symbol[:1] in STRESS and symbol]
    if stressed:
        begin, end = stressed[-1], int(np.flatnonzero(owners >= 0)[-1])
        steps = np.arange(len(symbols)) - begin + 1
        semitones = RISE * np.clip(steps / (end - begin + 1), 0, 1)
    return semitones
