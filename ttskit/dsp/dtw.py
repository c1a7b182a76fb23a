"""Dynamic time warping: which frames of one sequence go with which of another.

I and J frames, D dimensions, K steps.
"""

from __future__ import annotations

import numba
import numpy as np

_DIAGONAL, _FIRST, _SECOND = 0, 1, 2  # which sequence goes on by a frame: both, or one of them


def path(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Find the way through both sequences along which their Euclidean distances sum to least.

    It goes from the first frames to the last, by one frame in either sequence or in both, all
    steps weighing the same; of equal ways it takes the most diagonal one, so equal sequences go
    frame by frame.

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
    came = np.empty((rows, columns), np.uint8)
    above = np.full(columns, np.inf)  # least sums up to the row before
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
            came[i, j] = step
    return _back(came)


@numba.njit(cache=True, nogil=True)
def _back(came: np.ndarray) -> np.ndarray:
    """Follow the steps from the last frames to the first."""
    i, j = came.shape[0] - 1, came.shape[1] - 1
    steps = np.empty((2, i + j + 1), np.int64)
    count = 0
    while True:
        steps[0, count], steps[1, count] = i, j
        count += 1
        if i == 0 and j == 0:
            return steps[:, :count][:, ::-1].copy()
        step = came[i, j]
        i -= step != _SECOND
        j -= step != _FIRST
