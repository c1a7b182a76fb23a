"""Where the sentences of a text are in a long recording, some of which it may lack.

Token passing (Young et al., 1989): at every frame a path is in a sentence, token by token, or
between two sentences.  There it may rest, at a cost a frame, while something is said that is not in
the text, and leave sentences out, at a cost for each.  Each path carries when its sentence began;
paths that are far worse than the best are dropped.

Shapes: T frames, N tokens, S sentences, K symbols.
"""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np

BEAM = 1500.0  # paths that are worse than the best by more are dropped
ABSENT = 15.0  # cost of a sentence that is left out


def find(
    scores: np.ndarray, rest: np.ndarray, sentences: Sequence[np.ndarray], silent: np.ndarray
) -> np.ndarray:
    """Return where sentences are: (found, 3) int, rows of sentence, first frame, frame after it.

    Parameters
    ----------
    scores : (T, K) float, of every symbol at every frame, none above 0
    rest : (T,) float, of no sentence at every frame
    sentences : (N,) int each, symbols
    silent : (K,) bool, symbols that may last no frame
    """
    tokens = np.concatenate([np.asarray(one, np.int32) for one in sentences])
    ends = np.cumsum([len(one) for one in sentences]).astype(np.int32)
    starts = ends - np.array([len(one) for one in sentences], np.int32)
    records, last = _search(
        np.ascontiguousarray(scores, np.float32),
        rest.astype(np.float32),
        tokens,
        silent[tokens],
        starts,
        ends,
        ABSENT,
        BEAM,
    )
    found = []
    while last >= 0:
        sentence, first, after, last = records[last]
        found.append((sentence, first, after))
    return np.array(found[::-1], int).reshape(-1, 3)


@numba.njit(cache=True)
def _search(scores, rest, tokens, skippable, starts, ends, absent, beam):  # type: ignore[no-untyped-def]
    """Return records (sentence, first frame, frame after it, record before), and the last one."""
    sentences = len(starts)
    inside = np.full(len(tokens), -np.inf)
    begun = np.zeros(len(tokens), np.int32)  # at which frame
    after = np.full(len(tokens), -1, np.int32)  # which record
    between = np.full(sentences + 1, -np.inf)  # before each sentence, and after the last
    latest = np.full(sentences + 1, -1, np.int32)  # record
    records = np.empty((1024, 4), np.int32)
    count, low, high = 0, 0, 0
    between[0] = 0.0
    while high < sentences and between[high] - absent >= -beam:
        between[high + 1] = between[high] - absent
        high += 1
    for t in range(len(rest)):
        best = -np.inf
        for j in range(min(high, sentences - 1), low - 1, -1):
            for n in range(ends[j] - 1, starts[j] - 1, -1):
                score, origin = inside[n], n
                m = n - 1
                while m >= starts[j]:
                    if inside[m] > score:
                        score, origin = inside[m], m
                    if not skippable[m]:
                        break
                    m -= 1
                entered = m < starts[j] and between[j] > score
                if entered:
                    score = between[j]
                if score == -np.inf:
                    continue
                score += scores[t, tokens[n]]
                if score < -1e30:
                    score = -np.inf
                inside[n] = score
                begun[n] = t if entered else begun[origin]
                after[n] = latest[j] if entered else after[origin]
                best = max(best, score)
        for j in range(low, min(high + 1, sentences) + 1):
            between[j] += rest[t]
            if j > low and inside[ends[j - 1] - 1] > between[j]:
                n = ends[j - 1] - 1
                if count == len(records):
                    grown = np.empty((2 * count, 4), np.int32)
                    grown[:count] = records
                    records = grown
                records[count, 0] = j - 1
                records[count, 1] = begun[n]
                records[count, 2] = t + 1
                records[count, 3] = after[n]
                between[j], latest[j] = inside[n], count
                count += 1
            best = max(best, between[j])
        high = min(high + 1, sentences)
        for j in range(low, sentences):
            if between[j] - absent > max(between[j + 1], best - beam):
                between[j + 1], latest[j + 1] = between[j] - absent, latest[j]
                high = max(high, j + 1)
            elif j > high:
                break
        low, high = _pruned(inside, between, starts, ends, low, high, best - beam)
    return records, latest[sentences]


@numba.njit(cache=True)
def _pruned(inside, between, starts, ends, low, high, least):  # type: ignore[no-untyped-def]
    """Drop paths below the least score; return the first and the last sentence with one."""
    first, last = high, low
    for j in range(low, high + 1):
        alive = between[j] >= least
        if not alive:
            between[j] = -np.inf
        if j < len(starts):
            for n in range(starts[j], ends[j]):
                if inside[n] < least:
                    inside[n] = -np.inf
                else:
                    alive = True
        if alive:
            first, last = min(first, j), max(last, j)
    return first, last
