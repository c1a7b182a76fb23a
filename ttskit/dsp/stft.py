"""Short-time Fourier transform on the grid, and its inverse by least squares; differentiable.

Frame j is centred at (j + 1/2)·hop, as everywhere, so T frames are exactly T·hop samples: no sample
beyond the first and the last frame is made, and what windows see there is a reflection.

B clips, T frames, F frequency bins, N = T·hop samples.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ttskit.dsp import grid


def window(n_fft: int, device: torch.device | str = "cpu") -> Tensor:
    """Periodic Hann window, (n_fft,)."""
    return torch.hann_window(n_fft, device=device)


def spectrum(audio: Tensor, n_fft: int, hop_length: int) -> Tensor:
    """(B, N) to (B, T, F) complex."""
    before, after = grid.context(n_fft, hop_length)
    at = torch.from_numpy(grid.reflected(audio.shape[1], before, after)).to(audio.device)
    frames = audio[:, at].unfold(1, n_fft, hop_length)  # (B, T, n_fft)
    return torch.fft.rfft(frames * window(n_fft, audio.device))


def audio(spectrum: Tensor, n_fft: int, hop_length: int) -> Tensor:
    """(B, T, F) complex to (B, N)."""
    frames, before = spectrum.shape[1], grid.context(n_fft, hop_length)[0]
    shape = window(n_fft, spectrum.device)
    inner = slice(before, before + frames * hop_length)
    made = overlap_add(torch.fft.irfft(spectrum, n_fft) * shape, hop_length)[:, inner]
    weight = overlap_add(shape.square().expand(1, frames, -1), hop_length)[:, inner]
    return made / weight.clamp(min=0.1)  # less only where windows hardly overlap


def overlap_add(frames: Tensor, hop_length: int) -> Tensor:
    """(B, T, n_fft) to (B, at least (T − 1)·hop + n_fft): each hop of all frames at once."""
    batch, count, n_fft = frames.shape
    hops = -(-n_fft // hop_length)
    parts = F.pad(frames, (0, hops * hop_length - n_fft)).view(batch, count, hops, hop_length)
    total = frames.new_zeros(batch, count + hops - 1, hop_length)
    for k, part in enumerate(parts.unbind(2)):
        total[:, k : k + count] += part
    return total.view(batch, -1)
