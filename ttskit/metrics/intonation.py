"""Intonation: how high the synthesised speech is, and how far its pitch moves.

`f0_median` is in Hz, `f0_deviation` the standard deviation of f0 in cents, both on the frames that
are voiced; `f0_deviation_ratio` is the deviation over that of the reference.  Unknown where fewer
than two frames are voiced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ttskit.metrics.measure import Measure
from ttskit.metrics.score import Score
from ttskit.metrics.sound import Pair, Sound

SCORES = {
    "f0_median": Score("Hz", ""),
    "f0_deviation": Score("cents", ""),
    "f0_deviation_ratio": Score("ratio", ""),
}
CONSTANT = 25.0  # cents; a quarter of a semitone, where speech has hundreds
HOP = 256  # samples of a frame, unless `features` was asked for others
RATES = (16_000, 22_050, 24_000, 44_100, 48_000)  # Hz


@dataclass(frozen=True)
class Settings:
    """Pitch tracker (crepe-tiny, crepe-full or praat) and its range."""

    f0: str = "crepe-tiny"
    fmin: float = 50.0  # Hz
    fmax: float = 550.0  # Hz


def deviation(f0: np.ndarray) -> float:
    """Return the standard deviation of f0 (T,), in cents; NaN for fewer than two frames."""
    return float(1200 * np.log2(f0.astype(np.float64)).std()) if len(f0) > 1 else np.nan


def _voiced(sound: Sound) -> np.ndarray:
    f0, voiced, _ = sound.pitch
    return f0[voiced]


def evaluate(pair: Pair, _: Settings) -> dict[str, float]:
    """Return the median and the deviation of f0."""
    f0 = _voiced(pair.synthesised)
    own, usual = deviation(f0), deviation(_voiced(pair.reference))
    return {
        "f0_median": float(np.median(f0)) if len(f0) else np.nan,
        "f0_deviation": own,
        "f0_deviation_ratio": own / usual if usual > 0 else np.nan,
    }


def in_words(means: Mapping[str, float]) -> dict[str, str]:
    """Say that the pitch does not move, which no speech does: by the name of the score.

    >>> in_words({"f0_median": 86.0, "f0_deviation": 3.0, "f0_deviation_ratio": 0.02})
    {'f0_deviation': 'the pitch is constant (86 Hz, the frame rate): the vocoder is not trained'}
    """
    if not means["f0_deviation"] < CONSTANT:
        return {}
    median = means["f0_median"]
    at_frames = any(abs(median * HOP / rate - 1) < 0.02 for rate in RATES)
    place, cause = f"{median:.0f} Hz", "the vocoder or the pitch predictor is not trained"
    if at_frames:
        place, cause = f"{place}, the frame rate", "the vocoder is not trained"
    return {"f0_deviation": f"the pitch is constant ({place}): {cause}"}


MEASURE = Measure(
    "intonation", "pair", SCORES, evaluate, Settings(), follows_pitch=True, in_words=in_words
)
