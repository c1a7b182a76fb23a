"""Reverberation by the impulse response of a room; differentiable in audio and response.

B clips, N samples.
"""

from __future__ import annotations

import torch
from torch import Tensor


def reverberate(audio: Tensor, impulse: Tensor) -> Tensor:
    """Return audio (B, N) plus its convolution with an impulse response (n,), cut to N samples."""
    size = audio.shape[1] + len(impulse)
    wet = torch.fft.irfft(torch.fft.rfft(audio, size) * torch.fft.rfft(impulse, size), size)
    return audio + wet[:, : audio.shape[1]]
