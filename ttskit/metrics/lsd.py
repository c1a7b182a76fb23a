"""Log-spectral distance (Gray and Markel, 1976).

The root of the mean square, over the bins of a frame, of the difference of power spectra in dB;
the mean over frames, in dB.
"""

from __future__ import annotations

import numpy as np

from ttskit.metrics.measure import Measure, NoSettings
from ttskit.metrics.score import Score
from ttskit.metrics.sound import Pair

SCORES = {"lsd": Score("dB")}


def distance(reference: np.ndarray, synthesised: np.ndarray) -> float:
    """Return the distance of power spectra, (T, F) twice, in dB."""
    gap = 10 * np.log10(reference / synthesised)
    return float(np.sqrt(np.square(gap).mean(axis=1)).mean())


def evaluate(pair: Pair, _: NoSettings) -> dict[str, float]:
    """Return the distance along the path of the pair."""
    return {"lsd": distance(*pair.along(lambda sound: sound.power))}


MEASURE = Measure("lsd", "path", SCORES, evaluate)
