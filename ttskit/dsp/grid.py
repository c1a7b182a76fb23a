"""The one frame grid: frame j covers samples j·hop to (j+1)·hop and is centred at (j + 1/2)·hop.

There are samples // hop frames.  Samples after the last of them belong to no frame; they only
serve as context for the windows that reach beyond it.
"""

from __future__ import annotations

import numpy as np


def count(samples: int, hop_length: int) -> int:
    """Frames in so many samples."""
    return samples // hop_length


def centres(frames: int, hop_length: int) -> np.ndarray:
    """Where the frames are centred, in samples: (frame,) float64."""
    return (np.arange(frames) + 0.5) * hop_length


def context(window: int, hop_length: int) -> tuple[int, int]:
    """How far a window reaches before and after the frame that it is centred on, in samples.

    Negative where the window is shorter than the hop.  Where window − hop is odd, the window sits
    half a sample late.
    """
    before = (window - hop_length) // 2
    return before, window - hop_length - before


def reflected(samples: int, before: int, after: int) -> np.ndarray:
    """Indices into a clip that go on beyond both its ends by reflection: (...,) int64.

    The end samples are not repeated.  A clip shorter than the reach is reflected to and fro, as
    `numpy.pad` does; negative reaches cut.
    """
    at = np.arange(-before, samples + after)
    if samples < 2:
        return np.zeros_like(at)
    at = np.abs(at) % (2 * samples - 2)
    return np.minimum(at, 2 * samples - 2 - at)


def hann(window: int) -> np.ndarray:
    """The periodic Hann window, (window,) float32; scipy.signal takes a second to import."""
    turn = np.linspace(-np.pi, np.pi, window + 1)[:-1]
    return (0.5 + 0.5 * np.cos(turn)).astype(np.float32)


def windows(audio: np.ndarray, window: int, hop_length: int) -> np.ndarray:
    """The samples around every frame centre.

    Parameters
    ----------
    audio : (sample,) float
    window, hop_length : int
        Samples.

    Returns
    -------
    (frame, window) float
        A read-only view of the audio, reflected beyond its ends.
    """
    if len(audio) < hop_length:
        return np.zeros((0, window), audio.dtype)
    padded = audio[reflected(len(audio), *context(window, hop_length))]
    return np.lib.stride_tricks.sliding_window_view(padded, window)[::hop_length]
