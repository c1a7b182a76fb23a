"""The summed likelihood of all monotonic walks through the tokens, and its gradient.

The walks are those of `mas`: one token a frame, staying or going on; a run of skippable tokens
may be stepped over, also at both ends.  Where `mas` asks for the best walk, this sums them all
(the forward-backward algorithm), which is what an aligner is trained on.

Sums are kept as logarithms in float64, so they neither vanish nor overflow.

B utterances, T frames, N tokens.
"""

from __future__ import annotations

import numba
import numpy as np

from ttskit.dsp import threads

WORTH_THREADS = 100_000  # scores; fewer are done sooner than a busy machine wakes its threads


def forward_sum(
    scores: np.ndarray, tokens: np.ndarray, frames: np.ndarray, skippable: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the log of the summed likelihood of all walks, and how often each cell is walked.

    Parameters
    ----------
    scores : (B, T, N) float32
        Log-likelihood of each token at each frame; what is beyond the lengths is not read.
    tokens, frames : (B,) int
    skippable : (B, N) bool

    Returns
    -------
    (B,) float64
        -inf where tokens outnumber frames: there is no walk.
    (B, T, N) float32
        The share of walks, weighted by likelihood, that are at a token at a frame: this is the
        gradient of the former with respect to `scores`; 0 where there is no walk.
    """
    scores = np.ascontiguousarray(scores, np.float32)
    total = np.full(len(scores), -np.inf)
    visits = np.zeros_like(scores)
    lengths = np.ascontiguousarray(tokens, np.int64), np.ascontiguousarray(frames, np.int64)
    each = _each if len(scores) > 1 and scores.size > WORTH_THREADS else _each_alone
    with threads.kept():
        each(scores, *lengths, np.ascontiguousarray(skippable, np.bool_), total, visits)  # type: ignore[no-untyped-call]
    return total, visits


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
    """Forward, keeping every frame; then backward, turning it into visits on the way."""
    length, count = score.shape
    ahead = np.full((length, count), -np.inf)  # log-likelihood of all walks up to here
    for i in range(count):
        ahead[0, i] = score[0, i]
        if not skippable[i]:
            break
    for j in range(1, length):
        reach = -np.inf  # of all walks that can step onto a token from those before it
        for i in range(count):
            before = ahead[j - 1, i]
            ahead[j, i] = score[j, i] + _sum(before, reach)
            reach = _sum(before, reach) if skippable[i] else before
    back = np.full(count, -np.inf)  # of all walks from here on
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
    """The log of the sum of two likelihoods, from their logs."""
    high, low = (a, b) if a > b else (b, a)
    difference = low - high
    if not difference > -40.0:  # also where both are -inf: too little to be seen in float64
        return high
    return high + np.log1p(np.exp(difference))
