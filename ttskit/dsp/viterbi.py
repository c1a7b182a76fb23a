"""The most likely path through pitch bins: Viterbi with short steps and rare long jumps."""

from __future__ import annotations

import numba
import numpy as np

REACH = 12  # a step of d bins has weight max(REACH - |d|, 0), normalised by row
_WIDTH = 2 * REACH - 1


def path(likelihood: np.ndarray) -> np.ndarray:
    """Return the most likely sequence of states.

    Transitions to states less than REACH away are the more likely the nearer they are; all others
    have the smallest positive float32 as probability.  Numbers and order of summation are those
    of `torchcrepe.decode.viterbi`, so the paths agree; but only near states are tried, and the
    best other one, since all long jumps cost the same.

    Parameters
    ----------
    likelihood : (frame, state) float32
        Probability of each state in each frame; zero is allowed.

    Returns
    -------
    (frame,) int64
        The states.
    """
    frames, states = likelihood.shape
    if frames == 0:
        return np.zeros(0, np.int64)
    tiny = np.finfo(np.float32).tiny
    emission = np.log(np.asarray(likelihood, np.float32) + tiny)
    start = np.log(1.0 / states + np.float64(tiny))
    return _search(emission, _steps(states), np.log(np.float64(tiny)), start)


def _steps(states: int) -> np.ndarray:
    """Return log-probabilities (step, state) of reaching a state from REACH - 1 - step below."""
    here = np.arange(states)
    weights = np.maximum(REACH - np.abs(here[:, None] - here), 0)
    probability = weights / weights.sum(axis=1, keepdims=True)  # (from, to)
    steps = np.full((_WIDTH, states), -np.inf)
    for step in range(_WIDTH):
        origin = here + step - (REACH - 1)
        inside = (origin >= 0) & (origin < states)
        steps[step, inside] = np.log(
            probability[origin[inside], here[inside]] + np.finfo(np.float32).tiny
        )
    return steps


@numba.njit(cache=True, nogil=True)
def _search(emission: np.ndarray, steps: np.ndarray, jump: float, start: float) -> np.ndarray:
    frames, states = emission.shape
    margin = REACH - 1
    # a row of scores between margins of unreachable states
    score = np.full(states + 2 * margin, -np.inf)
    for j in range(states):
        score[margin + j] = emission[0, j] + start
    step = np.zeros((frames, states), np.uint8)  # _WIDTH: by a jump
    source = np.zeros(frames, np.int64)  # origin of jumps into this frame
    best = np.empty(states)
    taken = np.empty(states, np.float64)
    for t in range(1, frames):
        best[:] = score[:states] + steps[0]
        taken[:] = 0.0
        for d in range(1, _WIDTH):
            for j in range(states):
                candidate = score[d + j] + steps[d, j]
                better = candidate > best[j]
                best[j] = candidate if better else best[j]
                taken[j] = d if better else taken[j]
        far = 0
        for j in range(1, states):
            if score[margin + j] + jump > score[margin + far] + jump:
                far = j
        leap = score[margin + far] + jump
        source[t] = far
        for j in range(states):
            # of equal scores the lowest origin wins, as in argmax
            origin = j + taken[j] - margin
            by_jump = leap > best[j] or (leap == best[j] and far < origin)
            step[t, j] = _WIDTH if by_jump else np.uint8(taken[j])
            score[margin + j] = emission[t, j] + (leap if by_jump else best[j])
    return _trace(score[margin : margin + states], step, source)


@numba.njit(cache=True, nogil=True)
def _trace(score: np.ndarray, step: np.ndarray, source: np.ndarray) -> np.ndarray:
    frames = len(source)
    states = np.zeros(frames, np.int64)
    states[-1] = np.argmax(score)
    for t in range(frames - 1, 0, -1):
        d = step[t, states[t]]
        states[t - 1] = source[t] if d == _WIDTH else states[t] + np.int64(d) - (REACH - 1)
    return states
