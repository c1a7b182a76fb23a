"""The frame grid: frame j covers samples j·hop to (j+1)·hop and is centred at (j + 1/2)·hop.

There are samples // hop frames.  The remaining samples belong to no frame; they are only context
for the windows of the last frames.
"""

from __future__ import annotations

import numpy as np


def count(samples: int, hop_length: int) -> int:
    """Return the number of frames in a number of samples."""
    return samples // hop_length


def centres(frames: int, hop_length: int) -> np.ndarray:
    """Return the centres of frames in samples, (frame,) float64."""
    return (np.arange(frames) + 0.5) * hop_length


def context(window: int, hop_length: int) -> tuple[int, int]:
    """Return how many samples a window reaches beyond its frame, before and after it.

    They are negative if the window is shorter than the hop.  If window − hop is odd, the window is
    centred half a sample late.
    """
    before = (window - hop_length) // 2
    return before, window - hop_length - before


def reflected(samples: int, before: int, after: int) -> np.ndarray:
    """Return indices into a clip that extend it by reflection at both ends, int64.

    The end samples are not repeated.  A clip shorter than the extension is reflected repeatedly,
    as by `numpy.pad`; negative extensions cut it.
    """
    at = np.arange(-before, samples + after)
    if samples < 2:
        return np.zeros_like(at)
    at = np.abs(at) % (2 * samples - 2)
    return np.minimum(at, 2 * samples - 2 - at)


def hann(window: int) -> np.ndarray:
    """Return the periodic Hann window, (window,) float32, without importing scipy.signal (1 s)."""
    turn = np.linspace(-np.pi, np.pi, window + 1)[:-1]
    return (0.5 + 0.5 * np.cos(turn)).astype(np.float32)


def windows(audio: np.ndarray, window: int, hop_length: int) -> np.ndarray:
    """Return the samples around the centre of every frame.

    Parameters
    ----------
    audio : (sample,) float
    window, hop_length : int
        Samples.

    Returns
    -------
    (frame, window) float
        A read-only view of the audio, extended by reflection.
    """
    if len(audio) < hop_length:
        return np.zeros((0, window), audio.dtype)
    padded = audio[reflected(len(audio), *context(window, hop_length))]
    return np.lib.stride_tricks.sliding_window_view(padded, window)[::hop_length]
