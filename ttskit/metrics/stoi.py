"""Short-time objective intelligibility, and its extended form, by the package pystoi.

Taal et al., 2011; Jensen and Taal, 2016: about 0 to 1.  Both recordings must have the same
timing: unknown where their lengths differ by more than a tolerance, or where there is less speech
than a measurement takes (0.4 s).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from ttskit.metrics.measure import Measure
from ttskit.metrics.score import Score
from ttskit.metrics.sound import Pair

SCORES = dict.fromkeys(("stoi", "estoi"), Score("ratio", "higher", least=None))


@dataclass(frozen=True)
class Settings:
    """The largest difference of the lengths, in seconds: a vocoder loses less than a frame."""

    tolerance: float = 0.05


def evaluate(pair: Pair, settings: Settings) -> dict[str, float]:
    """Return STOI and extended STOI."""
    from pystoi import stoi

    a, b = pair.reference, pair.synthesised
    if abs(a.seconds - b.seconds) > settings.tolerance:
        return dict.fromkeys(SCORES, np.nan)
    length, rate = min(len(a.audio), len(b.audio)), a.frames.sample_rate
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # of too little speech
        try:
            scores = [
                stoi(a.audio[:length], b.audio[:length], rate, form) for form in (False, True)
            ]
        except RuntimeWarning:
            return dict.fromkeys(SCORES, np.nan)
    return dict(zip(SCORES, map(float, scores), strict=True))


MEASURE = Measure(
    "stoi", "pair", SCORES, evaluate, Settings(), packages={"pystoi": "pystoi"}, extra="eval"
)
