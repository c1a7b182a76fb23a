"""Noise through a filter that changes from frame to frame (Engel et al., 2020); differentiable.

A frame says the magnitudes of F frequencies from 0 to half of the sample rate.  Its filter has no
phase: a symmetrical response of 2·(F − 1) samples under a Hann window.  Each frame filters its own
hop of noise; the responses ring on into the frames beside it.

B clips, T frames, F frequencies, N = T·hop samples.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ttskit.dsp.stft import overlap_add


def filtered_noise(magnitudes: Tensor, hop_length: int, noise: Tensor) -> Tensor:
    """Filter noise by the magnitudes of each frame.

    A sample depends on the frames up to F − 1 samples away, so a long sound can be made in chunks
    with as much around each.

    Parameters
    ----------
    magnitudes : (B, T, F) float
        From 0 Hz to half of the sample rate; all 1: the noise as it is.
    hop_length : int
        Samples.
    noise : (B, N) float
        Even from -1 to 1, or whatever is to be filtered.

    Returns
    -------
    (B, N) float
    """
    taps = 2 * (magnitudes.shape[-1] - 1)
    response = torch.fft.irfft(magnitudes, taps).roll(taps // 2, -1)  # (B, T, taps)
    response = response * torch.hann_window(taps, dtype=response.dtype, device=response.device)
    size = hop_length + taps  # no less, or the end of a frame would come round to its beginning
    frames = noise.reshape(len(noise), -1, hop_length)  # (B, T, hop)
    filtered = torch.fft.rfft(frames, size) * torch.fft.rfft(response, size)
    made = overlap_add(torch.fft.irfft(filtered, size), hop_length)
    return made[:, taps // 2 : taps // 2 + noise.shape[1]]
