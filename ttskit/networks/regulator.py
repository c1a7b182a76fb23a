"""The length regulator: states of tokens, repeated for as long as the tokens last.

Shapes: B batch, C codes, H channels, N tokens, T frames.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ttskit.networks.layers import expand, places, token_of_frame, until


def regulated(
    x: Tensor, durations: Tensor, tokens: Tensor, stride: int = 1
) -> tuple[Tensor, Tensor]:
    """Return the state of each code, and the mask of codes (B, C).

    A code lasts `stride` frames, the last one perhaps fewer; its state is the mean over them.

    Parameters
    ----------
    x : (B, N, H)
        States of tokens.
    durations : (B, N)
        Frames of each token.
    tokens : (B,)
        Tokens of each utterance.
    stride : int
        Frames of a code.

    Returns
    -------
    (B, C, H + PLACES), (B, C) bool
        After the states, the place within the token and its duration (`layers.places`).
    """
    frames = durations.sum(1)
    codes = torch.div(frames + stride - 1, stride, rounding_mode="floor").long()
    longest = int(codes.max()) * stride
    token, real = token_of_frame(durations, tokens, longest), until(frames, longest)
    states = torch.cat([expand(x.mT, token), places(durations, token).to(x)], 1) * real[:, None]
    count = F.avg_pool1d(real[:, None].to(x), stride)
    return (F.avg_pool1d(states, stride) / count.clamp_min(1e-6)).mT, until(
        codes, longest // stride
    )
