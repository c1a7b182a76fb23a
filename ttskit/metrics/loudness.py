"""Loudness: A-weighted, of the frames in which the reference is not silent.

`loudness_error` is the mean absolute difference, `loudness_bias` the mean by which the
synthesised speech is louder, both in dB; unknown where the reference is nothing but silence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ttskit.metrics.measure import Measure
from ttskit.metrics.score import Score
from ttskit.metrics.sound import Pair

SCORES = {"loudness_error": Score("dB"), "loudness_bias": Score("dB", "", least=None)}


@dataclass(frozen=True)
class Settings:
    """The loudness, in dB, at and below which the reference is silent."""

    silence: float = -60.0


def errors(
    reference: np.ndarray, synthesised: np.ndarray, silence: float = -60.0
) -> tuple[float, float]:
    """Return the mean absolute difference and the mean difference of loudness, (T,) dB twice."""
    gap = (synthesised - reference).astype(np.float64)[reference > silence]
    return (float(np.abs(gap).mean()), float(gap.mean())) if len(gap) else (np.nan, np.nan)


def evaluate(pair: Pair, settings: Settings) -> dict[str, float]:
    """Return the errors along the path of the pair."""
    both = errors(*pair.along(lambda sound: sound.loudness), settings.silence)
    return dict(zip(SCORES, both, strict=True))


MEASURE = Measure("loudness", "path", SCORES, evaluate, Settings())
