"""Duration: how long the same tokens last in two Alignments, how fast speech is, how it pauses.

`duration_error` is the mean absolute difference of the durations of a token that is spoken, in
ms; `speech_rate` how many times as many of them there are in a second of speech, pauses left
out; `pause_error` by how many ms the pauses within an utterance sum to more, `pause_count` how
many there are more of them.  Tokens of silence that follow each other are one pause if they last
long enough.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ttskit.errors import AlignmentError
from ttskit.metrics.measure import Measure
from ttskit.metrics.score import Score

SCORES = {
    "duration_error": Score("ms", weight="tokens"),
    "speech_rate": Score("ratio", ""),
    "pause_error": Score("ms", "", least=None),
    "pause_count": Score("count", "", least=None),
    "tokens": Score("count", ""),
}


@dataclass(frozen=True)
class Settings:
    """The shortest pause, in ms."""

    pause: float = 100.0


def validate(reference: np.ndarray, synthesised: np.ndarray, spoken: np.ndarray) -> None:
    """Refuse durations that are not of the same tokens, and utterances in which none is spoken."""
    if not len(reference) == len(synthesised) == len(spoken):
        raise AlignmentError(f"has {len(reference)} and {len(synthesised)} durations")
    if not reference[spoken].sum() or not synthesised[spoken].sum():
        raise AlignmentError("has no token that is spoken")


def pauses(durations: np.ndarray, spoken: np.ndarray, least: float) -> np.ndarray:
    """Return how long each pause between the first and the last token that is spoken lasts."""
    places = np.flatnonzero(spoken)
    start, stop = places[0], places[-1] + 1
    before = np.cumsum(spoken[start:stop])  # silence after the same token is one pause
    lengths = np.bincount(before, np.where(spoken[start:stop], 0, durations[start:stop]))
    return lengths[lengths >= least]


def evaluate(
    reference: np.ndarray, synthesised: np.ndarray, spoken: np.ndarray, settings: Settings
) -> dict[str, float]:
    """Compare durations: (token,) ms twice, and which tokens are spoken: (token,) bool."""
    validate(reference, synthesised, spoken)
    a, b = (pauses(durations, spoken, settings.pause) for durations in (reference, synthesised))
    return {
        "duration_error": float(np.abs(synthesised - reference)[spoken].mean()),
        "speech_rate": float(reference[spoken].sum() / synthesised[spoken].sum()),
        "pause_error": float(b.sum() - a.sum()),
        "pause_count": float(len(b) - len(a)),
        "tokens": float(spoken.sum()),
    }


MEASURE = Measure("duration", "alignments", SCORES, evaluate, Settings())
