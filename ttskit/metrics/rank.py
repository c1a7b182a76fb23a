"""The rank of a value among those of other utterances."""

from __future__ import annotations

from typing import Any

import numpy as np


def rank(values: np.ndarray, row: int, better: str) -> dict[str, Any]:
    """Return a value, its rank among the known ones, and its percentile.

    The best value has rank 1; if neither direction is better, the lowest.
    """
    value, known = float(values[row]), values[np.isfinite(values)]
    if not np.isfinite(value):
        return {"value": None}
    ahead = known > value if better == "higher" else known < value
    return {
        "value": value,
        "rank": int(ahead.sum()) + 1,
        "of": len(known),
        "percentile": round(100 * float((known <= value).mean()), 1),
    }
