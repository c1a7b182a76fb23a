"""A room, as its response to a click; differentiable in both.

B clips, N samples.
"""

from __future__ import annotations

import torch
from torch import Tensor


def reverberate(audio: Tensor, impulse: Tensor) -> Tensor:
    """Add to audio (B, N) what a room makes of it, by its response (n,); cut to N samples."""
    size = audio.shape[1] + len(impulse)
    wet = torch.fft.irfft(torch.fft.rfft(audio, size) * torch.fft.rfft(impulse, size), size)
    return audio + wet[:, : audio.shape[1]]
