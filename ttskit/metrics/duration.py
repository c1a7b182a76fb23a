"""Duration: how two Alignments of the same tokens differ in durations, speech rate and pauses.

`duration_error` is the mean absolute difference of the durations of spoken tokens, in ms;
`speech_rate` the ratio of spoken tokens per second without pauses; `pause_error` and
`pause_count` are the differences of the total duration, in ms, and of the number of pauses
within the utterance.  Silent tokens in a row are one pause if they last long enough.
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
    """Refuse durations of different tokens, and utterances without a spoken token."""
    if not len(reference) == len(synthesised) == len(spoken):
        raise AlignmentError(f"has {len(reference)} and {len(synthesised)} durations")
    if not reference[spoken].sum() or not synthesised[spoken].sum():
        raise AlignmentError("has no token that is spoken")


def pauses(durations: np.ndarray, spoken: np.ndarray, least: float) -> np.ndarray:
    """Return the duration of each pause between the first and the last spoken token."""
    places = np.flatnonzero(spoken)
    start, stop = places[0], places[-1] + 1
    before = np.cumsum(spoken[start:stop])  # silence after the same spoken token is one pause
    lengths = np.bincount(before, np.where(spoken[start:stop], 0, durations[start:stop]))
    return lengths[lengths >= least]


def evaluate(
    reference: np.ndarray, synthesised: np.ndarray, spoken: np.ndarray, settings: Settings
) -> dict[str, float]:
    """Return the scores of durations: (token,) ms twice, and of which are spoken: (token,) bool."""
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
