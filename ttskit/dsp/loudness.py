"""Loudness and energy of every frame of the grid."""

from __future__ import annotations

import numpy as np

from ttskit.dsp import grid

FLOOR = -80.0  # dB
_BLOCK = 4096  # frames at a time, so that an hour needs no more memory than a minute


def loudness(audio: np.ndarray, sample_rate: int, hop_length: int, n_fft: int = 512) -> np.ndarray:
    """A-weighted loudness as DDSP defines it (Engel et al., 2020).

    The power spectrum of a Hann window of `n_fft` samples, weighted by the A curve, averaged over
    the bins, in dB.  It is not divided by the window's gain: a full-scale sine at 1 kHz is at
    about 20 dB for an `n_fft` of 512.

    Parameters
    ----------
    audio : (sample,) float
        Full scale is ±1.
    sample_rate, hop_length, n_fft : int
        Hz, samples, samples.

    Returns
    -------
    (frame,) float32
        dB, at least -80.
    """
    weight = 10 ** (a_weighting(np.fft.rfftfreq(n_fft, 1 / sample_rate)) / 10)
    power = _power(audio, hop_length, n_fft, weight / len(weight))
    return np.maximum(10 * np.log10(np.maximum(power, 1e-20)), FLOOR).astype(np.float32)


def energy(audio: np.ndarray, hop_length: int, n_fft: int = 1024) -> np.ndarray:
    """Norm of the magnitude spectrum of every frame, as FastSpeech 2 defines energy.

    Linear, not in dB; with the window of the mel spectrogram it is the norm of what the mel
    bands sum up.

    Parameters
    ----------
    audio : (sample,) float
    hop_length, n_fft : int
        Samples.

    Returns
    -------
    (frame,) float32
    """
    return np.sqrt(_power(audio, hop_length, n_fft, np.ones(n_fft // 2 + 1))).astype(np.float32)


def a_weighting(frequencies: np.ndarray) -> np.ndarray:
    """The A curve of IEC 61672, 0 dB at 1 kHz: Hz to dB, at least -80."""
    squared = np.asarray(frequencies, np.float64) ** 2
    gain = (
        12194.217**2
        * squared**2
        / (squared + 20.598997**2)
        / (squared + 12194.217**2)
        / np.sqrt((squared + 107.65265**2) * (squared + 737.86223**2))
    )
    return np.maximum(20 * np.log10(np.maximum(gain, 1e-20)) + 2.0, FLOOR)


def _power(audio: np.ndarray, hop_length: int, n_fft: int, weight: np.ndarray) -> np.ndarray:
    """(sample,) to the weighted sum of the power spectrum: (frame,) float64."""
    from scipy.fft import rfft

    window = grid.hann(n_fft)
    frames = grid.windows(np.asarray(audio, np.float32), n_fft, hop_length)
    power = np.empty(len(frames))
    for start in range(0, len(frames), _BLOCK):
        spectrum = rfft(frames[start : start + _BLOCK] * window)  # (frame, bin)
        power[start : start + _BLOCK] = (spectrum.real**2 + spectrum.imag**2) @ weight
    return power
