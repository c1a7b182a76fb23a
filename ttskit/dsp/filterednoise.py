"""Noise through a filter that changes from frame to frame (Engel et al., 2020); differentiable.

A frame has magnitudes at F frequencies from 0 to half the sample rate.  Its filter has zero phase:
a symmetric impulse response of 2·(F − 1) samples under a Hann window.  Each frame filters its own
hop of noise; the response extends into the adjacent frames.

B clips, T frames, F frequencies, N = T·hop samples.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ttskit.dsp.stft import overlap_add


def filtered_noise(magnitudes: Tensor, hop_length: int, noise: Tensor) -> Tensor:
    """Filter noise by the magnitudes of each frame.

    A sample depends on frames up to F − 1 samples away, so long audio can be computed in chunks
    with that much context.

    Parameters
    ----------
    magnitudes : (B, T, F) float
        From 0 Hz to half the sample rate; with all 1, noise is unchanged.
    hop_length : int
        Samples.
    noise : (B, N) float
        The noise to filter, usually uniform from -1 to 1.

    Returns
    -------
    (B, N) float
    """
    taps = 2 * (magnitudes.shape[-1] - 1)
    response = torch.fft.irfft(magnitudes, taps).roll(taps // 2, -1)  # (B, T, taps)
    response = response * torch.hann_window(taps, dtype=response.dtype, device=response.device)
    size = hop_length + taps  # at least, so that the end of a frame does not wrap around
    frames = noise.reshape(len(noise), -1, hop_length)  # (B, T, hop)
    filtered = torch.fft.rfft(frames, size) * torch.fft.rfft(response, size)
    audio = overlap_add(torch.fft.irfft(filtered, size), hop_length)
    return audio[:, taps // 2 : taps // 2 + noise.shape[1]]
