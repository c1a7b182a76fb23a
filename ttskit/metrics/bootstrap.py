"""Means over utterances with confidence intervals, by the bootstrap (Efron, 1979).

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
    """Mean, median and the 95 % confidence interval of the mean, `low` to `high`."""

    utterances: int
    mean: float
    median: float
    low: float
    high: float

    @property
    def verdict(self) -> Verdict:
        """For the summary of a difference: whether its interval excludes 0, and on which side."""
        if not self.utterances:
            return "unknown"
        if self.utterances < FEWEST:
            return "too few to tell"
        return "higher" if self.low > 0 else "lower" if self.high < 0 else "no real difference"


def summary(values: np.ndarray, weights: np.ndarray | None = None) -> Summary:
    """Summarise the known values; the interval is that of the percentiles of seeded resamples.

    Parameters
    ----------
    values : (N,) float
        NaN where unknown.
    weights : (N,) float, optional
        Weights of the utterances in the mean.
    """
    known = np.isfinite(values)
    weights = (np.ones(len(values)) if weights is None else weights)[known]
    values, count = values[known], int(known.sum())
    if not count or not weights.sum():
        return Summary(0, *[np.nan] * 4)
    rng, share = np.random.default_rng(SEED), np.full(count, 1 / count)
    drawn = (rng.multinomial(count, share, _BLOCK) for _ in range(DRAWS // _BLOCK))
    with np.errstate(invalid="ignore"):  # the weights of a resample may sum to 0
        means = np.concatenate([times @ (values * weights) / (times @ weights) for times in drawn])
    low, high = np.nanpercentile(means, [2.5, 97.5])
    mean = float(values @ weights / weights.sum())
    return Summary(count, mean, float(np.median(values)), float(low), float(high))
