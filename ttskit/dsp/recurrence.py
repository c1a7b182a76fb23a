"""Linear recurrences along frames, without a loop over frames; differentiable.

All have one form: each frame multiplies a state by a matrix and adds its input.  Within a block of
frames this is a product with one matrix; the states between blocks follow a recurrence of the same
form.  No frame depends on later ones, not even by rounding.

B clips, T frames, C channels, L frames of a block, S values of a state, M inputs, P outputs.
"""

from __future__ import annotations

import math
from itertools import accumulate, repeat

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ttskit.errors import TtskitError

BLOCK = 16  # frames


def leaky_sum(x: Tensor, leak: float) -> Tensor:
    """Return state = leak · state + x over frames (B, T, C), starting from 0."""
    one, by = np.eye(1), np.full((1, 1), leak)
    return _recur(x[:, :, None], by, one, by, one)[:, :, 0]


def one_pole(x: Tensor, a: float) -> Tensor:
    """Return y = a · y + (1 − a) · x over frames (B, T, C), starting from the first x."""
    return x[:, :1] + leaky_sum((1 - a) * (x - x[:, :1]), a)


def biquad(x: Tensor, cutoff: float, rate: float) -> Tensor:
    """Filter (B, T, C) by a second-order Butterworth low-pass, in the steady state of frame 0.

    `cutoff` is in Hz, `rate` in frames per second.
    """
    if not 0 < cutoff < rate / 2:
        raise TtskitError(f"cut-off is {cutoff} Hz, needs more than 0 and less than {rate / 2:g}")
    angle = 2 * math.pi * cutoff / rate
    alpha = math.sin(angle) / math.sqrt(2)
    gain = (1 - math.cos(angle)) / 2 / (1 + alpha)  # of (1 + 1/z)²
    # a pair of conjugate poles and a direct term; the state is a complex number
    pole = complex(math.cos(angle), alpha) / (1 + alpha)
    residue = 2 * gain * (1 + 1 / pole) ** 2 / (1 - pole.conjugate() / pole)
    turn = np.array([[pole.real, -pole.imag], [pole.imag, pole.real]])
    leave = np.array([[residue.real, -residue.imag]])
    direct = np.array([[gain / abs(pole) ** 2 + residue.real]])
    change = (x - x[:, :1])[:, :, None]
    return x[:, :1] + _recur(change, turn, np.eye(2, 1), leave @ turn, direct)[:, :, 0]


def _recur(
    x: Tensor, turn: np.ndarray, enter: np.ndarray, leave: np.ndarray, direct: np.ndarray
) -> Tensor:
    """(B, T, M, C) to (B, T, P, C): out = leave · state + direct · x.

    After each frame state = turn · state + enter · x.
    """
    batch, frames, width, channels = x.shape
    size = min(BLOCK, frames)
    powers = np.stack([*accumulate(repeat(turn, size), np.matmul, initial=np.eye(len(turn)))])
    response = np.concatenate([direct[None], leave @ powers[: size - 1] @ enter])  # (L, P, M)
    back = np.subtract.outer(np.arange(size), np.arange(size))
    inner = np.where((back >= 0)[..., None, None], response[back], 0)  # (L, L, P, M)
    inner = inner.swapaxes(1, 2).reshape(size * len(leave), size * width)
    blocks = F.pad(x, (0, 0, 0, 0, 0, -frames % size)).view(batch, -1, size * width, channels)
    out = _matmul(inner, blocks)  # (B, blocks, L·P, C)
    if frames > size:
        added = (powers[size - 1 :: -1] @ enter).swapaxes(0, 1).reshape(len(turn), -1)
        far, one = powers[size], np.eye(len(turn))
        states = _recur(_matmul(added, blocks), far, one, far, one)  # (B, blocks, S, C)
        before = F.pad(states[:, :-1], (0, 0, 0, 0, 1, 0))
        out = out + _matmul((leave @ powers[:size]).reshape(-1, len(turn)), before)
    return out.view(batch, -1, len(leave), channels)[:, :frames]


def _matmul(matrix: np.ndarray, x: Tensor) -> Tensor:
    """Return a constant matrix times (..., C) in full precision."""
    with torch.autocast(x.device.type, enabled=False):
        return torch.as_tensor(matrix).to(x) @ x
