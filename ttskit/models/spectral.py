"""How far apart two sounds are at several resolutions (Yamamoto et al., 2020, Parallel WaveGAN).

B batch, N samples, T frames, F frequency bins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ttskit.settings import key


@dataclass(frozen=True)
class Spectral:
    """Weights and sizes of the spectral losses."""

    mel: float = key(5.0, "weight of the L1 distance of log-mel", least=0)
    stft: float = key(1.0, "weight of the distances of magnitudes, linear and log", least=0)
    n_fft: tuple[int, ...] = key((512, 1024, 2048), "samples; a hop is a quarter", least=8)


def distances(audio: Tensor, target: Tensor, sizes: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return spectral convergence and L1 of log-magnitudes, each (B,), the means over sizes."""
    linear, log = [], []
    for n_fft in sizes:
        made, true = magnitudes(audio, n_fft), magnitudes(target, n_fft)
        # At least 1, the level of faint noise: silence is no reason for a steep slope.
        linear.append((made - true).norm(dim=(1, 2)) / true.norm(dim=(1, 2)).clamp(min=1))
        log.append((made.log() - true.log()).abs().mean((1, 2)))
    return torch.stack(linear).mean(0), torch.stack(log).mean(0)


def magnitudes(audio: Tensor, n_fft: int) -> Tensor:
    """(B, N) to (B, F, T), never below 1e-4."""
    window = torch.hann_window(n_fft, device=audio.device)
    spectrum = torch.stft(audio, n_fft, n_fft // 4, window=window, return_complex=True)
    return (torch.view_as_real(spectrum).square().sum(-1) + 1e-8).sqrt()
