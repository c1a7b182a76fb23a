"""Short-time Fourier transform on the grid, and its inverse by least squares; differentiable.

Frame j is centred at (j + 1/2)·hop, so T frames are exactly T·hop samples.  Beyond them audio is
extended by reflection for the windows of the first and last frames.

B clips, T frames, F frequency bins, N = T·hop samples.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ttskit.dsp import grid


def spectrum(audio: Tensor, n_fft: int, hop_length: int) -> Tensor:
    """Return the complex spectrum (B, T, F) of audio (B, N)."""
    extended = _reflected(audio, *grid.context(n_fft, hop_length))
    frames = extended.unfold(1, n_fft, hop_length)  # (B, T, n_fft)
    return torch.fft.rfft(frames * torch.hann_window(n_fft, device=audio.device))


def audio(spectrum: Tensor, n_fft: int, hop_length: int) -> Tensor:
    """Return the audio (B, N) of a complex spectrum (B, T, F)."""
    frames, before = spectrum.shape[1], grid.context(n_fft, hop_length)[0]
    window = torch.hann_window(n_fft, device=spectrum.device)
    total = overlap_add(torch.fft.irfft(spectrum, n_fft).mul_(window), hop_length)
    # below 0.1 only if windows hardly overlap
    weight = summed(window.square(), frames, hop_length).clamp(min=0.1)
    inner = slice(before, before + frames * hop_length)
    return total[:, inner] / weight[:, inner]


def summed(window: Tensor, frames: int, hop_length: int) -> Tensor:
    """Return the overlapped sum of a window (n_fft,) over a number of frames, (1, ...).

    It is periodic but for its ends, so a few frames determine it.
    """
    hops = -(-len(window) // hop_length)
    few = min(frames, 2 * hops)
    total = overlap_add(window.expand(1, few, -1), hop_length)
    middle = hops * hop_length
    period = total[:, middle : middle + hop_length].repeat(1, frames - few)
    return torch.cat([total[:, :middle], period, total[:, middle:]], 1)


def _reflected(audio: Tensor, before: int, after: int) -> Tensor:
    """Extend (B, N) by reflection at both ends to (B, before + N + after)."""
    if 0 <= before < audio.shape[1] > after >= 0:
        return F.pad(audio[:, None], (before, after), mode="reflect")[:, 0]
    at = grid.reflected(audio.shape[1], before, after)
    return audio[:, torch.from_numpy(at).to(audio.device)]


def overlap_add(frames: Tensor, hop_length: int) -> Tensor:
    """Return the overlapped sum of frames (B, T, n_fft), (B, at least (T − 1)·hop + n_fft)."""
    batch, count, n_fft = frames.shape
    hops = -(-n_fft // hop_length)
    parts = F.pad(frames, (0, hops * hop_length - n_fft)).view(batch, count, hops, hop_length)
    total = frames.new_zeros(batch, count + hops - 1, hop_length)
    for k, part in enumerate(parts.unbind(2)):
        total[:, k : k + count] += part
    return total.view(batch, -1)
