"""Durations in whole frames: every boundary goes to the frame nearest to it."""

from __future__ import annotations

import numpy as np

from ttskit.errors import AlignmentError


def rounded(
    durations: np.ndarray, silent: np.ndarray | None = None, total: int | None = None
) -> np.ndarray:
    """Round durations so that errors do not add up: what is rounded is where each token ends.

    A token that is not silent gets at least one frame.  Where that moves the end of a token, no
    other way of making room has a smaller largest move.

    Parameters
    ----------
    durations : (token,) float
        Frames.
    silent : (token,) bool, optional
        Tokens that may last zero frames.
    total : int, optional
        The sum to scale to; otherwise that of the durations, rounded, or what the tokens need.

    Returns
    -------
    (token,) int64
    """
    durations = np.asarray(durations, np.float64)
    least = np.ones(len(durations), np.int64) if silent is None else 1 - np.asarray(silent, int)
    needed = np.cumsum(least)
    if not len(durations):
        return needed
    if not durations.any():
        durations = np.ones(len(durations)) * (total is not None)
    ends = np.cumsum(durations)
    if total is None:
        total = max(_nearest(ends[-1]), needed[-1])
    else:
        ends = ends / ends[-1] * total
    if total < needed[-1]:
        raise AlignmentError(f"{total} frames for tokens that need {needed[-1]}; allow more")
    # Less what the tokens need, the ends must only rise: halfway between the lowest rising line
    # above them and the highest below is the rising line that is nearest to them.
    spare = ends - needed
    above, below = np.maximum.accumulate(spare), np.minimum.accumulate(spare[::-1])[::-1]
    rising = _nearest(np.clip((above + below) / 2, 0, total - needed[-1]))
    rising[-1] = total - needed[-1]
    return np.diff(rising + needed, prepend=0)


def _nearest(values: np.ndarray) -> np.ndarray:
    """Round halves up, wherever they are: adding a whole number changes nothing."""
    return np.floor(values + 0.5).astype(np.int64)
