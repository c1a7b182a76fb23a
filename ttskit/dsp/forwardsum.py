"""The summed likelihood of all monotonic walks through the tokens, and its gradient.

The walks are those of `mas`: one token a frame, staying or going on; a run of skippable tokens
may be stepped over, also at both ends.  Where `mas` asks for the best walk, this sums them all
(the forward-backward algorithm), which is what an aligner is trained on.

Frames are scaled one by one, so that sums neither vanish nor overflow; a score more than `FLOOR`
below the best of its frame counts as that much below.

B utterances, T frames, N tokens.
"""

from __future__ import annotations

import numba
import numpy as np

FLOOR = 200.0  # in log-likelihood: e^-200 of the best token of a frame is as good as never


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
    _each(
        scores,
        np.ascontiguousarray(tokens, np.int64),
        np.ascontiguousarray(frames, np.int64),
        np.ascontiguousarray(skippable, np.bool_),
        total,
        visits,
    )
    return total, visits


@numba.njit(parallel=True, cache=True, nogil=True)
def _each(scores, tokens, frames, skippable, total, visits):  # type: ignore[no-untyped-def]
    for b in numba.prange(len(scores)):
        count, length = tokens[b], frames[b]
        if count > 0 and length > 0:
            total[b] = _one(scores[b, :length, :count], skippable[b, :count], visits[b])


@numba.njit(cache=True, nogil=True)
def _one(score, skippable, visits):  # type: ignore[no-untyped-def]
    """Forward, keeping every frame; then backward, turning it into visits on the way."""
    length, count = score.shape
    ahead = np.zeros((length, count))  # scaled likelihood of all walks up to here
    here = np.zeros(count)
    total = 0.0
    for j in range(length):
        top = _likelihood(score[j], here)
        if j == 0:
            for i in range(count):
                ahead[0, i] = here[i]
                if not skippable[i]:
                    break
        else:
            reach = 0.0  # what can step onto a token from those before it
            for i in range(count):
                ahead[j, i] = here[i] * (ahead[j - 1, i] + reach)
                reach = ahead[j - 1, i] + (reach if skippable[i] else 0.0)
        scale = ahead[j].sum()
        if not scale > 0:
            return -np.inf
        ahead[j] /= scale
        total += np.log(scale) + top
    back = np.zeros(count)  # likelihood of all walks from here on
    for i in range(count - 1, -1, -1):
        back[i] = 1.0
        if not skippable[i]:
            break
    end = (ahead[length - 1] * back).sum()
    if not end > 0:
        return -np.inf
    for j in range(length - 1, -1, -1):
        share = (ahead[j] * back).sum()
        for i in range(count):
            visits[j, i] = ahead[j, i] * back[i] / share
        if j > 0:
            _likelihood(score[j], here)
            reach = 0.0
            for i in range(count - 1, -1, -1):
                onward = here[i] * back[i]
                back[i] = onward + reach
                reach = onward + (reach if skippable[i] else 0.0)
            back /= back.max()
    return total + np.log(end)


@numba.njit(cache=True, nogil=True)
def _likelihood(score, here):  # type: ignore[no-untyped-def]
    """Write the likelihood of every token, beside that of the best, whose log is returned."""
    top = score.max()
    for i in range(len(score)):
        here[i] = np.exp(max(score[i] - top, -FLOOR))
    return top
