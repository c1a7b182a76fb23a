"""Short-time Fourier transform on the grid, and its inverse by least squares; differentiable.

Frame j is centred at (j + 1/2)·hop, as everywhere, so T frames are exactly T·hop samples: no sample
beyond the first and the last frame is made, and what windows see there is a reflection.

What sizes alone decide is kept: Griffin-Lim needs it twice a round.  No inference tensors, for
training may need it after speaking.

B clips, T frames, F frequency bins, N = T·hop samples.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

from ttskit.dsp import grid

KEPT = 4  # sizes


@lru_cache(KEPT)
@torch.inference_mode(False)
def window(n_fft: int, device: torch.device | str = "cpu") -> Tensor:
    """Periodic Hann window, (n_fft,)."""
    return torch.hann_window(n_fft, device=device)


def spectrum(audio: Tensor, n_fft: int, hop_length: int) -> Tensor:
    """(B, N) to (B, T, F) complex."""
    at = _reflected(audio.shape[1], n_fft, hop_length, audio.device)
    frames = audio[:, at].unfold(1, n_fft, hop_length)  # (B, T, n_fft)
    return torch.fft.rfft(frames * window(n_fft, audio.device))


def audio(spectrum: Tensor, n_fft: int, hop_length: int) -> Tensor:
    """(B, T, F) complex to (B, N)."""
    frames, before = spectrum.shape[1], grid.context(n_fft, hop_length)[0]
    shaped = torch.fft.irfft(spectrum, n_fft) * window(n_fft, spectrum.device)
    made = overlap_add(shaped, hop_length)[:, before : before + frames * hop_length]
    return made / _weight(frames, n_fft, hop_length, spectrum.device)


@lru_cache(KEPT)
@torch.inference_mode(False)
def _reflected(samples: int, n_fft: int, hop_length: int, device: torch.device) -> Tensor:
    """Where the windows of a clip look, (N + n_fft − hop,)."""
    at = grid.reflected(samples, *grid.context(n_fft, hop_length))
    return torch.from_numpy(at).to(device)


@lru_cache(KEPT)
@torch.inference_mode(False)
def _weight(frames: int, n_fft: int, hop_length: int, device: torch.device) -> Tensor:
    """What the windows of so many frames sum to, squared, (1, N)."""
    before, squares = grid.context(n_fft, hop_length)[0], window(n_fft, device).square()
    total = overlap_add(squares.expand(1, frames, -1), hop_length)
    total = total[:, before : before + frames * hop_length]
    return total.clamp(min=0.1)  # less only where windows hardly overlap


def overlap_add(frames: Tensor, hop_length: int) -> Tensor:
    """(B, T, n_fft) to (B, at least (T − 1)·hop + n_fft): each hop of all frames at once."""
    batch, count, n_fft = frames.shape
    hops = -(-n_fft // hop_length)
    parts = F.pad(frames, (0, hops * hop_length - n_fft)).view(batch, count, hops, hop_length)
    total = frames.new_zeros(batch, count + hops - 1, hop_length)
    for k, part in enumerate(parts.unbind(2)):
        total[:, k : k + count] += part
    return total.view(batch, -1)
