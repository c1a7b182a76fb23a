"""The selective state space of Mamba (Gu and Dao, 2023), step by step: in constant memory.

A state of N numbers for every channel decays at a rate of the channel and takes in what the step
selects; nothing of the size (step, channel, N) is ever held.  `networks/scan.py` computes the same
for training.
"""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True, fastmath=True)
def run(
    x: np.ndarray,
    delta: np.ndarray,
    rates: np.ndarray,
    enter: np.ndarray,
    leave: np.ndarray,
    skip: np.ndarray,
    state: np.ndarray,
) -> np.ndarray:
    """Run over the steps of a sequence, and leave the last state in `state`.

    After every step, state = exp(delta · rates) · state + delta · enter · x.

    Parameters
    ----------
    x, delta : (step, channel) float32
        Inputs, and for how long each of them lasts.
    rates : (channel, N) float32
        Negative: how fast each number of the state decays.
    enter, leave : (step, N) float32
        What of the input goes into the state, and what of the state comes out.
    skip : (channel,) float32
        How much of the input is added to the output.
    state : (channel, N) float32
        The state before the first step; overwritten.

    Returns
    -------
    (step, channel) float32
    """
    steps, channels = x.shape
    size = rates.shape[1]
    out = np.empty((steps, channels), np.float32)
    for t in range(steps):
        for c in range(channels):
            taken = delta[t, c] * x[t, c]
            total = skip[c] * x[t, c]
            for n in range(size):
                value = np.exp(delta[t, c] * rates[c, n]) * state[c, n] + taken * enter[t, n]
                state[c, n] = value
                total += value * leave[t, n]
            out[t, c] = total
    return out
