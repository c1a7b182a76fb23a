"""Means over utterances, and how sure they are: by drawing the utterances anew (Efron, 1979).

N utterances.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

DRAWS, SEED = 2000, 0
_BLOCK = 50  # draws at a time
FEWEST = 6  # utterances: with five, all of them agree by chance once in sixteen times

Verdict = Literal["higher", "lower", "no real difference", "too few to tell", "unknown"]


@dataclass(frozen=True)
class Summary:
    """What is known of a number; the interval holds the mean with 95 % confidence."""

    utterances: int
    mean: float
    median: float
    low: float
    high: float

    @property
    def verdict(self) -> Verdict:
        """Whether a difference, of which this is the summary, is real."""
        if not self.utterances:
            return "unknown"
        if self.utterances < FEWEST:
            return "too few to tell"
        return "higher" if self.low > 0 else "lower" if self.high < 0 else "no real difference"


def summary(values: np.ndarray, weights: np.ndarray | None = None) -> Summary:
    """Summarise the values that are known, by percentiles of the means of seeded draws.

    Parameters
    ----------
    values : (N,) float
        NaN where unknown.
    weights : (N,) float, optional
        By which utterances count in the mean.
    """
    known = np.isfinite(values)
    weights = (np.ones(len(values)) if weights is None else weights)[known]
    values, count = values[known], int(known.sum())
    if not count or not weights.sum():
        return Summary(0, *[np.nan] * 4)
    rng, share = np.random.default_rng(SEED), np.full(count, 1 / count)
    drawn = (rng.multinomial(count, share, _BLOCK) for _ in range(DRAWS // _BLOCK))
    with np.errstate(invalid="ignore"):  # a draw may have no weight at all
        means = np.concatenate([times @ (values * weights) / (times @ weights) for times in drawn])
    low, high = np.nanpercentile(means, [2.5, 97.5])
    mean = float(values @ weights / weights.sum())
    return Summary(count, mean, float(np.median(values)), float(low), float(high))
