"""Linear recurrences whose factors differ from step to step, in chunks.

All blocks of a few steps take their steps at once, each from a state of 0; the states at the ends
of blocks follow a recurrence of the same form, and are then added, decayed.  The backward pass is
the same recurrence backwards in time, so that only factors and states are kept for it.

Shapes: B batch, T steps, K blocks, L steps of a block, C channels, N numbers of a state.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

BLOCK = 16  # steps


def scan(factors: Tensor, inputs: Tensor) -> Tensor:
    """Return state = factor · state + input after each step, from states of 0.

    Factors and inputs are (B, T, ...) of one shape; gradients reach both.
    """
    states: Tensor = _Scan.apply(factors, inputs)  # type: ignore[no-untyped-call]
    return states


def selective(
    x: Tensor,
    delta: Tensor,
    rates: Tensor,
    enter: Tensor,
    leave: Tensor,
    skip: Tensor,
    state: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Run a selective state space (Gu and Dao, 2023), differentiably.

    Parameters
    ----------
    x, delta : (B, T, C)
        Inputs, and for how long each of them lasts.
    rates : (C, N)
        Negative: how fast each number of the state decays.
    enter, leave : (B, T, N)
        What of the input goes into the state, and what of the state comes out.
    skip : (C,)
        How much of the input is added to the output.
    state : (B, C, N), optional
        The state before the first step; 0 without one.

    Returns
    -------
    (B, T, C), (B, C, N)
        The output, and the last state.
    """
    factors = (delta[..., None] * rates).exp()  # (B, T, C, N)
    taken = (delta * x)[..., None] * enter[:, :, None]
    if state is not None:
        first = factors[:, 0] * state + taken[:, 0]
        taken = torch.cat([first[:, None], taken[:, 1:]], 1)
    states = scan(factors, taken)
    return (states @ leave[..., None])[..., 0] + skip * x, states[:, -1]


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, factors: Tensor, inputs: Tensor) -> Tensor:
        states = _states(factors, inputs)
        ctx.save_for_backward(factors, states)
        return states

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        factors, states = ctx.saved_tensors
        later = torch.cat([factors[:, 1:], torch.zeros_like(factors[:, :1])], 1)
        entering = _states(later.flip(1), gradients[0].flip(1)).flip(1)  # gradient of the inputs
        before = torch.cat([torch.zeros_like(states[:, :1]), states[:, :-1]], 1)
        return entering * before, entering


def _states(factors: Tensor, inputs: Tensor) -> Tensor:
    """Return the states (B, T, ...) after each step; nothing is differentiable."""
    steps = factors.shape[1]
    factors, states = (_blocks(x, min(BLOCK, steps)) for x in (factors, inputs))
    for step in range(1, factors.shape[2]):  # (B, K, L, ...)
        states[:, :, step].addcmul_(factors[:, :, step], states[:, :, step - 1])
        factors[:, :, step].mul_(factors[:, :, step - 1])
    if factors.shape[1] > 1:
        ends = _states(factors[:, :-1, -1], states[:, :-1, -1])  # (B, K - 1, ...)
        states[:, 1:].addcmul_(factors[:, 1:], ends[:, :, None])
    return states.flatten(1, 2)[:, :steps]


def _blocks(x: Tensor, size: int) -> Tensor:
    """Return a copy of x (B, T, ...) as blocks (B, K, size, ...), with zeros at the end."""
    missing = -x.shape[1] % size
    padded = F.pad(x, (*[0] * (2 * (x.dim() - 2)), 0, missing)) if missing else x.clone()
    return padded.reshape(len(x), -1, size, *x.shape[2:])
