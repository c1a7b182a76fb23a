"""Periodicity: its root mean square error (Morrison et al., 2022).

Of CREPE, or of Praat's autocorrelation: from 0 to 1, over all frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ttskit.metrics.measure import Measure
from ttskit.metrics.score import Score
from ttskit.metrics.sound import Pair

SCORES = {"periodicity_rmse": Score("ratio")}


@dataclass(frozen=True)
class Settings:
    """The pitch tracker (crepe-tiny, crepe-full or praat) and its range."""

    f0: str = "crepe-tiny"
    fmin: float = 50.0  # Hz
    fmax: float = 550.0  # Hz


def error(reference: np.ndarray, synthesised: np.ndarray) -> float:
    """Return the error of periodicity, (T,) and (T,), frame by frame."""
    return float(np.sqrt(np.square(reference - synthesised, dtype=np.float64).mean()))


def evaluate(pair: Pair, _: Settings) -> dict[str, float]:
    """Return the error along the path of the pair."""
    return {"periodicity_rmse": error(*pair.along(lambda sound: sound.pitch[2]))}


MEASURE = Measure("periodicity", "path", SCORES, evaluate, Settings(), follows_pitch=True)
