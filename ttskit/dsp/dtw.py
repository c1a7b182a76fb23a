"""Dynamic time warping: the best alignment of the frames of two sequences.

I and J frames, D dimensions, K steps.
"""

from __future__ import annotations

import numba
import numpy as np

_DIAGONAL, _FIRST, _SECOND = 0, 1, 2  # which sequences a step advances: both, or one of them


def path(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the path through two sequences with the least sum of Euclidean distances.

    It leads from the first frames to the last in steps of one frame in either sequence or both,
    all with the same weight.  Of equal paths it is the most diagonal one, so equal sequences are
    aligned frame by frame.

    Parameters
    ----------
    a, b : (I, D), (J, D) float

    Returns
    -------
    (2, K) int64
        Frames of a, frames of b.
    """
    if not len(a) or not len(b):
        return np.zeros((2, 0), np.int64)
    return _search(np.ascontiguousarray(a, np.float64), np.ascontiguousarray(b, np.float64))


@numba.njit(cache=True, nogil=True)
def _search(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    rows, columns = len(a), len(b)
    origin = np.empty((rows, columns), np.uint8)
    above = np.full(columns, np.inf)  # least sums up to the previous row
    for i in range(rows):
        left = corner = np.inf
        for j in range(columns):
            total = 0.0
            for d in range(a.shape[1]):
                total += (a[i, d] - b[j, d]) ** 2
            best, step = corner, _DIAGONAL
            if above[j] < best:
                best, step = above[j], _FIRST
            if left < best:
                best, step = left, _SECOND
            corner = above[j]
            left = above[j] = np.sqrt(total) + (best if i or j else 0.0)
            origin[i, j] = step
    return _trace(origin)


@numba.njit(cache=True, nogil=True)
def _trace(origin: np.ndarray) -> np.ndarray:
    """Follow the steps from the last frames to the first."""
    i, j = origin.shape[0] - 1, origin.shape[1] - 1
    steps = np.empty((2, i + j + 1), np.int64)
    count = 0
    while True:
        steps[0, count], steps[1, count] = i, j
        count += 1
        if i == 0 and j == 0:
            return steps[:, :count][:, ::-1].copy()
        step = origin[i, j]
        i -= step != _SECOND
        j -= step != _FIRST
