"""Where the sentences of a text are in a long recording, by their lengths alone.

A sentence takes about as long as its letters say, and begins and ends at a pause: the likeliest
pairs of sentences and stretches between pauses, in order, are found by dynamic programming, as
sentences of two languages are (Gale and Church, 1993).  No aligner is needed, so one can be trained
on what is found.

Shapes: P pauses, S sentences, W pauses near where a sentence is expected.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

STEP = 0.01  # seconds of which the level is taken
SHORTEST = 0.06  # seconds of a pause
QUIET, SILENT = 0.3, -85.0  # share of the way from the lowest to the highest level; dB of no sound
SPREAD = 0.2  # deviation of the logarithm of how long a sentence takes
LEFT_OUT = 3.0  # cost of a second of speech that no sentence is in
ABSENT = 6.0  # cost of a sentence that is not spoken
LONG, MOST = 6.0, 0.6  # what a second of a pause is worth; seconds that count
NEAR, DRIFT = 60.0, 0.05  # seconds, and share of the whole, by which a sentence may be off
ROUNDS = 3  # of finding sentences and measuring how fast they are spoken


@dataclass(frozen=True)
class Pauses:
    """Pauses in order, the first at the start of a recording and the last at its end; (P,) each."""

    start: np.ndarray  # seconds
    end: np.ndarray
    spoken: np.ndarray  # seconds of speech before it


def pauses(samples: np.ndarray, rate: int) -> Pauses:
    """Return where a recording (N,) is quiet."""
    hop = max(1, round(STEP * rate))
    count = len(samples) // hop
    frames = samples[: count * hop].reshape(count, hop).astype(np.float32)
    level = 10 * np.log10(np.maximum((frames**2).mean(1), 1e-12))
    sounding = level[level > SILENT]
    low, high = np.quantile(sounding, [0.05, 0.95]) if len(sounding) else (0.0, 0.0)
    quiet = level < low + QUIET * (high - low)
    edges = np.flatnonzero(np.diff(np.r_[0, quiet.astype(int), 0]))
    start, end = edges[::2], edges[1::2]
    lasting = (end - start) * hop >= SHORTEST * rate
    start, end = np.r_[0, start[lasting], count], np.r_[0, end[lasting], count]
    spoken = np.r_[0, np.cumsum(~quiet)][start]
    return Pauses(*(values * hop / rate for values in (start, end, spoken)))


def find(found: Pauses, letters: np.ndarray) -> list[tuple[int, float, float]]:
    """Return where sentences of so many letters (S,) are: number, start and end in seconds."""
    pace = found.spoken[-1] / max(1, letters.sum())  # seconds a letter
    rows = np.empty((0, 3), int)
    for _ in range(ROUNDS):
        rows = _places(found, letters * pace)
        if not len(rows):
            break
        taken = found.spoken[rows[:, 2]] - found.spoken[rows[:, 1]]
        pace = float(np.median(taken / letters[rows[:, 0]]))
    return [(int(n), float(found.end[a]), float(found.start[b])) for n, a, b in rows]


def _places(found: Pauses, expected: np.ndarray) -> np.ndarray:
    """Return rows of sentence, pause before it and pause after it, by expected seconds (S,)."""
    at = found.spoken
    due = np.r_[0, np.cumsum(expected)] * at[-1] / max(expected.sum(), 1e-9)
    near = NEAR + DRIFT * at[-1]
    first = np.searchsorted(at, due - near).astype(np.int64)
    last = np.searchsorted(at, due + near, "right").astype(np.int64)
    worth = LONG * np.minimum(found.end - found.start, MOST)
    return _search(at, worth, expected, first, last)


@numba.njit(cache=True)
def _search(at, worth, expected, first, last):  # type: ignore[no-untyped-def]
    """Return the best path's rows: sentence, pause before it, pause after it."""
    sentences, pauses = len(expected), len(at)
    width = (last - first).max()
    came = np.full((sentences + 1, width), -3, np.int32)  # pause before it, or how else: below
    unspoken, unwritten = -1, -2
    before = np.full(pauses, np.inf)  # cost of the best path to each pause
    now = np.full(pauses, np.inf)
    for j in range(sentences + 1):
        now[:] = np.inf
        for p in range(first[j], last[j]):
            best, how = (0.0, -3) if j == 0 and p == 0 else (np.inf, -3)
            if p > 0 and now[p - 1] + LEFT_OUT * (at[p] - at[p - 1]) < best:
                best, how = now[p - 1] + LEFT_OUT * (at[p] - at[p - 1]), unwritten
            if j > 0 and before[p] + ABSENT < best:
                best, how = before[p] + ABSENT, unspoken
            q = p - 1
            while j > 0 and q >= 0 and at[p] - at[q] < 2.2 * expected[j - 1] + 0.3:
                taken = at[p] - at[q]
                if taken > 0.4 * expected[j - 1]:
                    off = np.log(taken / expected[j - 1]) / SPREAD
                    cost = before[q] + off * off - worth[p]
                    if cost < best:
                        best, how = cost, q
                q -= 1
            now[p], came[j, p - first[j]] = best, how
        before, now = now, before
    rows = np.empty((sentences, 3), np.int64)
    count, j, p = 0, sentences, pauses - 1
    while (j > 0 or p > 0) and before[pauses - 1] < np.inf:
        how = came[j, p - first[j]]
        if how == unwritten:
            p -= 1
        elif how == unspoken:
            j -= 1
        else:
            rows[count, 0], rows[count, 1], rows[count, 2] = j - 1, how, p
            count, j, p = count + 1, j - 1, how
    return rows[:count][::-1].copy()
