"""Mel distance: mean absolute difference of log-mel spectrograms, in natural logarithms.

The mel is that of `ttskit features` but for hop and window: 80 bands of Slaney's scale from 0 to
8000 Hz or half the rate, magnitudes clamped at 1e-5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ttskit.metrics.measure import Measure
from ttskit.metrics.score import Score
from ttskit.metrics.sound import Pair

SCORES = {"mel_distance": Score("ln")}


@dataclass(frozen=True)
class Settings:
    """The number of mel bands."""

    n_mels: int = 80


def distance(reference: np.ndarray, synthesised: np.ndarray) -> float:
    """Return the mean absolute difference of log-mels, (T, mel) twice."""
    return float(np.abs(reference - synthesised).mean(dtype=np.float64))


def evaluate(pair: Pair, settings: Settings) -> dict[str, float]:
    """Return the distance along the path of the pair."""
    return {"mel_distance": distance(*pair.along(lambda sound: sound.mel(settings.n_mels)))}


MEASURE = Measure("mel", "path", SCORES, evaluate, Settings())
