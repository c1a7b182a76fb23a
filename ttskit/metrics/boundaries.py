"""Boundaries: how far apart the token boundaries of two Alignments of one recording are.

Median and mean of the absolute differences, in ms, and the shares within 10, 25 and 50 ms.  The
beginning and the end of the recording do not count.
"""

from __future__ import annotations

import numpy as np

from ttskit.errors import AlignmentError
from ttskit.metrics.measure import Measure, NoSettings
from ttskit.metrics.score import Score

SCORES = {
    "boundary_median": Score("ms"),
    "boundary_mean": Score("ms", weight="boundaries"),
    "within_10": Score("ratio", "higher", weight="boundaries"),
    "within_25": Score("ratio", "higher", weight="boundaries"),
    "within_50": Score("ratio", "higher", weight="boundaries"),
    "boundaries": Score("count", ""),
}


def validate(reference: np.ndarray, synthesised: np.ndarray) -> None:
    """Refuse durations of different tokens, and fewer than two tokens."""
    if len(reference) != len(synthesised) or len(reference) < 2:
        raise AlignmentError(f"has {len(reference)} and {len(synthesised)} durations")


def evaluate(
    reference: np.ndarray, synthesised: np.ndarray, _spoken: np.ndarray, _: NoSettings
) -> dict[str, float]:
    """Compare durations: (token,) ms twice; boundaries of silence count as others do."""
    validate(reference, synthesised)
    gap = np.abs(np.cumsum(reference) - np.cumsum(synthesised))[:-1]
    return {
        "boundary_median": float(np.median(gap)),
        "boundary_mean": float(gap.mean()),
        **{f"within_{limit}": float((gap <= limit).mean()) for limit in (10, 25, 50)},
        "boundaries": float(len(gap)),
    }


MEASURE = Measure("boundaries", "alignments", SCORES, evaluate)
