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


def spectrum(audio: Tensor, n_fft: int, hop_length: int) -> Tensor:
    """(B, N) to (B, T, F) complex."""
    seen = _reflected(audio, *grid.context(n_fft, hop_length))
    frames = seen.unfold(1, n_fft, hop_length)  # (B, T, n_fft)
    return torch.fft.rfft(frames * torch.hann_window(n_fft, device=audio.device))


def audio(spectrum: Tensor, n_fft: int, hop_length: int) -> Tensor:
    """(B, T, F) complex to (B, N)."""
    frames, before = spectrum.shape[1], grid.context(n_fft, hop_length)[0]
    window = torch.hann_window(n_fft, device=spectrum.device)
    made = overlap_add(torch.fft.irfft(spectrum, n_fft) * window, hop_length)
    # less than 0.1 only where windows hardly overlap
    weight = summed(window.square(), frames, hop_length).clamp(min=0.1)
    inner = slice(before, before + frames * hop_length)
    return made[:, inner] / weight[:, inner]


def summed(window: Tensor, frames: int, hop_length: int) -> Tensor:
    """Return what `overlap_add` makes of one window (n_fft,) in so many frames, (1, ...).

    Between its ends it repeats hop after hop, so few frames say all of it.
    """
    hops = -(-len(window) // hop_length)
    few = min(frames, 2 * hops)
    total = overlap_add(window.expand(1, few, -1), hop_length)
    middle = hops * hop_length
    period = total[:, middle : middle + hop_length].repeat(1, frames - few)
    return torch.cat([total[:, :middle], period, total[:, middle:]], 1)


def _reflected(audio: Tensor, before: int, after: int) -> Tensor:
    """(B, N) to (B, before + N + after), reflected at both ends."""
    if 0 <= before < audio.shape[1] > after >= 0:
        return F.pad(audio[:, None], (before, after), mode="reflect")[:, 0]
    at = grid.reflected(audio.shape[1], before, after)
    return audio[:, torch.from_numpy(at).to(audio.device)]


def overlap_add(frames: Tensor, hop_length: int) -> Tensor:
    """(B, T, n_fft) to (B, at least (T − 1)·hop + n_fft): each hop of all frames at once."""
    batch, count, n_fft = frames.shape
    hops = -(-n_fft // hop_length)
    parts = F.pad(frames, (0, hops * hop_length - n_fft)).view(batch, count, hops, hop_length)
    total = frames.new_zeros(batch, count + hops - 1, hop_length)
    for k, part in enumerate(parts.unbind(2)):
        total[:, k : k + count] += part
    return total.view(batch, -1)
