"""The summed likelihood of all monotonic alignments, and its gradient.

The alignments are the paths of `mas`: one token a frame, in order; runs of skippable tokens may be
left out, also at both ends.  `mas` finds the best path; this sums all of them (the
forward-backward algorithm), as the loss of an aligner.

Sums are logarithms in float64, so they neither underflow nor overflow.

B utterances, T frames, N tokens.
"""

from __future__ import annotations

import numba
import numpy as np

from ttskit.dsp import threads

WORTH_THREADS = 100_000  # scores; with fewer, starting threads takes longer than the sum


def forward_sum(
    scores: np.ndarray, tokens: np.ndarray, frames: np.ndarray, skippable: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the logarithm of the summed likelihood of all paths, and its gradient.

    Parameters
    ----------
    scores : (B, T, N) float32
        Log-likelihood of each token at each frame; padding is not read.
    tokens, frames : (B,) int
    skippable : (B, N) bool

    Returns
    -------
    (B,) float64
        -inf if there is no path, as tokens outnumber frames.
    (B, T, N) float32
        The gradient of the former with respect to `scores`: the share of paths, weighted by
        likelihood, that are on a token at a frame; 0 if there is no path.
    """
    scores = np.ascontiguousarray(scores, np.float32)
    total = np.full(len(scores), -np.inf)
    visits = np.zeros_like(scores)
    lengths = np.ascontiguousarray(tokens, np.int64), np.ascontiguousarray(frames, np.int64)
    each = _each if len(scores) > 1 and scores.size > WORTH_THREADS else _each_alone
    each(scores, *lengths, np.ascontiguousarray(skippable, np.bool_), total, visits)  # type: ignore[no-untyped-call]
    return total, visits


@threads.shared()
@numba.njit(parallel=True, cache=True, nogil=True)
def _each(scores, tokens, frames, skippable, total, visits):  # type: ignore[no-untyped-def]
    for b in numba.prange(len(scores)):
        count, length = tokens[b], frames[b]
        if count > 0 and length > 0:
            total[b] = _one(scores[b, :length, :count], skippable[b, :count], visits[b])


def _each_alone(scores, tokens, frames, skippable, total, visits):  # type: ignore[no-untyped-def]
    for b, (count, length) in enumerate(zip(tokens, frames, strict=True)):
        if count > 0 and length > 0:
            total[b] = _one(scores[b, :length, :count], skippable[b, :count], visits[b])


@numba.njit(cache=True, nogil=True)
def _one(score, skippable, visits):  # type: ignore[no-untyped-def]
    """Compute the sum in a forward pass, and `visits` in a backward pass."""
    length, count = score.shape
    ahead = np.full((length, count), -np.inf)  # log-likelihood of all paths up to here
    for i in range(count):
        ahead[0, i] = score[0, i]
        if not skippable[i]:
            break
    for j in range(1, length):
        reach = -np.inf  # of all paths that can step onto the token
        for i in range(count):
            before = ahead[j - 1, i]
            ahead[j, i] = score[j, i] + _sum(before, reach)
            reach = _sum(before, reach) if skippable[i] else before
    back = np.full(count, -np.inf)  # of all paths from here on
    for i in range(count - 1, -1, -1):
        back[i] = 0.0
        if not skippable[i]:
            break
    total = -np.inf
    for i in range(count):
        total = _sum(total, ahead[length - 1, i] + back[i])
    if total == -np.inf:
        return total
    for j in range(length - 1, -1, -1):
        for i in range(count):
            visits[j, i] = np.exp(ahead[j, i] + back[i] - total)
        reach = -np.inf
        for i in range(count - 1, -1, -1):
            onward = score[j, i] + back[i]
            back[i] = _sum(onward, reach)
            reach = _sum(onward, reach) if skippable[i] else onward
    return total


@numba.njit(cache=True, nogil=True, inline="always")
def _sum(a, b):  # type: ignore[no-untyped-def]
    """Return the logarithm of the sum of two likelihoods from their logarithms."""
    high, low = (a, b) if a > b else (b, a)
    difference = low - high
    if not difference > -40.0:  # also if both are -inf: below the precision of float64
        return high
    return high + np.log1p(np.exp(difference))
