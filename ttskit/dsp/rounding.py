"""Rounding of durations to whole frames, so that every boundary moves to the nearest frame; and
of lengths to few."""

from __future__ import annotations

import numpy as np

from ttskit.errors import AlignmentError


def rounded(
    durations: np.ndarray, silent: np.ndarray | None = None, total: int | None = None
) -> np.ndarray:
    """Round durations to whole frames without accumulating errors, by rounding the token ends.

    Tokens that are not silent get at least one frame; for that, ends are moved such that the
    largest move is as small as possible.

    Parameters
    ----------
    durations : (token,) float, frames
    silent : (token,) bool, optional, tokens that may have 0 frames
    total : int, optional
        Scale durations to this sum; by default their own, or as many as the tokens need.

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
    # Ends minus the frames needed so far must not decrease.  The nearest such sequence lies
    # halfway between the running maximum and the running minimum from the end.
    spare = ends - needed
    above, below = np.maximum.accumulate(spare), np.minimum.accumulate(spare[::-1])[::-1]
    rising = _nearest(np.clip((above + below) / 2, 0, total - needed[-1]))
    rising[-1] = total - needed[-1]
    return np.diff(rising + needed, prepend=0)


def room(length: int) -> int:
    """Return a length rounded up to one of eight in an octave, and to a multiple of 8.

    Kernels are made for each shape anew, and kept: with lengths as they come, an hour of speech
    leaves some hundred megabytes of them.

    >>> [room(length) for length in (1, 8, 9, 130, 300, 1000)]
    [8, 8, 16, 144, 320, 1024]
    """
    step = max(8, 1 << max(0, (length - 1).bit_length() - 4))
    return -(-length // step) * step


def _nearest(values: np.ndarray) -> np.ndarray:
    """Round halves up, so that rounding commutes with adding a whole number."""
    return np.floor(values + 0.5).astype(np.int64)
