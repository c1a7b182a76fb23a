"""Pitch: errors of f0 and of voicing.

`f0_rmse` is the root mean square of the difference in cents, `f0_correlation` Pearson's
correlation of log f0, both on the frames that are voiced in both; unknown where there are none.
`gpe` is the share of those frames that differ by more than 20 %, `vde` the share of all frames
that are voiced in one alone, `ffe` the share of all frames with either error (Chu and Alwan,
2009).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ttskit.metrics.measure import Measure
from ttskit.metrics.score import Score
from ttskit.metrics.sound import Pair

SCORES = {
    "f0_rmse": Score("cents"),
    "f0_correlation": Score("Pearson's r", "higher", least=None),
    "gpe": Score("ratio"),
    "vde": Score("ratio"),
    "ffe": Score("ratio"),
}


@dataclass(frozen=True)
class Settings:
    """Pitch tracker (crepe-tiny, crepe-full or praat), its range, limit of gross errors."""

    f0: str = "crepe-tiny"
    fmin: float = 50.0  # Hz
    fmax: float = 550.0  # Hz
    gross: float = 0.2  # of the reference's f0


def errors(
    reference: np.ndarray,
    synthesised: np.ndarray,
    voiced_reference: np.ndarray,
    voiced_synthesised: np.ndarray,
    gross: float = 0.2,
) -> dict[str, float]:
    """Compare f0 frame by frame: (T,) Hz twice, (T,) bool twice."""
    both = voiced_reference & voiced_synthesised
    a, b = reference[both].astype(np.float64), synthesised[both].astype(np.float64)
    cents = 1200 * np.log2(b / a)
    far = np.abs(b / a - 1) > gross
    unlike = voiced_reference != voiced_synthesised
    known = len(a) > 0
    moves = len(a) > 1 and min(a.std(), b.std()) > 0
    return {
        "f0_rmse": float(np.sqrt(np.square(cents).mean())) if known else np.nan,
        "f0_correlation": float(np.corrcoef(np.log(a), np.log(b))[0, 1]) if moves else np.nan,
        "gpe": float(far.mean()) if known else np.nan,
        "vde": float(unlike.mean()),
        "ffe": float((far.sum() + unlike.sum()) / len(unlike)),
    }


def evaluate(pair: Pair, settings: Settings) -> dict[str, float]:
    """Return the errors along the path of the pair."""
    f0 = pair.along(lambda sound: sound.pitch[0])
    voiced = pair.along(lambda sound: sound.pitch[1])
    return errors(*f0, *voiced, settings.gross)


MEASURE = Measure("f0", "path", SCORES, evaluate, Settings(), follows_pitch=True)
