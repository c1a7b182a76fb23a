"""Multi-resolution spectral distance, as vocoders are trained on it (Yamamoto et al., 2020).

`spectral_convergence` is the norm of the difference of magnitudes over the norm of the
reference's, a ratio; `log_magnitude` is the mean absolute difference of their natural logarithms.
Both are means over windows of several lengths.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ttskit.metrics.measure import Measure
from ttskit.metrics.score import Score
from ttskit.metrics.sound import Pair

SCORES = {"spectral_convergence": Score("ratio"), "log_magnitude": Score("ln")}


@dataclass(frozen=True)
class Settings:
    """Lengths of the windows, in samples."""

    n_ffts: tuple[int, ...] = (512, 1024, 2048)


def distances(reference: np.ndarray, synthesised: np.ndarray) -> tuple[float, float]:
    """Return spectral convergence and log magnitude of magnitudes, (T, F) twice."""
    gap = np.linalg.norm(reference - synthesised) / np.linalg.norm(reference)
    return float(gap), float(np.abs(np.log(reference / synthesised)).mean())


def evaluate(pair: Pair, settings: Settings) -> dict[str, float]:
    """Return both distances along the path of the pair."""
    by_window = [
        distances(*pair.along(lambda sound, n=n_fft: np.sqrt(sound.spectrum(n))))  # type: ignore[misc]
        for n_fft in settings.n_ffts
    ]
    return dict(zip(SCORES, map(float, np.mean(by_window, axis=0)), strict=True))


MEASURE = Measure("multiresolution", "path", SCORES, evaluate, Settings())
