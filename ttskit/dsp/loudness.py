"""Loudness and energy of every frame of the grid."""

from __future__ import annotations

import numpy as np

from ttskit.dsp import grid
from ttskit.dsp.mel import MelSettings, filters

FLOOR = -80.0  # dB
N_FFT = 512  # samples of the window
_BLOCK = 4096  # frames at a time, which limits memory for long audio


def loudness(
    audio: np.ndarray, sample_rate: int, hop_length: int, n_fft: int = N_FFT
) -> np.ndarray:
    """Return A-weighted loudness as defined by DDSP (Engel et al., 2020).

    It is the mean over bins of the power spectrum (Hann window of `n_fft` samples), weighted by
    the A curve, in dB.  It is not divided by the gain of the window: a full-scale sine at 1 kHz
    has about 20 dB for an `n_fft` of 512.

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


def mel_weights(settings: MelSettings) -> np.ndarray:
    """Return what the squared magnitude of each mel band adds to the power of a frame, (M,).

    `10 * log10(exp(2 * mel) @ mel_weights(settings))` is the loudness of a log-mel spectrogram as
    far as it says it: within 2 dB of `loudness` in speech.  The power of a band is taken to be the
    same at all its frequencies, and to vary as that of noise does.
    """
    bands = filters(settings).astype(np.float64)  # (bin, band)
    hertz = np.fft.rfftfreq(settings.n_fft, 1 / settings.sample_rate)
    shares = bands / np.maximum(bands.sum(1, keepdims=True), 1e-12)  # of a bin among the bands
    curve = 10 ** (a_weighting(hertz) / 10) @ shares
    noise = 4 / np.pi  # mean power of noise, in units of its squared mean magnitude
    weights: np.ndarray = noise * curve / np.square(np.maximum(bands.sum(0), 1e-12))
    return weights * N_FFT / settings.n_fft / len(hertz)


def energy(audio: np.ndarray, hop_length: int, n_fft: int = 1024) -> np.ndarray:
    """Return the norm of the magnitude spectrum of every frame: energy as in FastSpeech 2.

    It is linear, not in dB.

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
    """Return the A curve of IEC 61672 in dB at frequencies in Hz: 0 at 1 kHz, at least -80."""
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
    """Return the weighted sum of the power spectrum of every frame, (frame,) float64."""
    from scipy.fft import rfft

    window = grid.hann(n_fft)
    frames = grid.windows(np.asarray(audio, np.float32), n_fft, hop_length)
    power = np.empty(len(frames))
    for start in range(0, len(frames), _BLOCK):
        spectrum = rfft(frames[start : start + _BLOCK] * window)  # (frame, bin)
        power[start : start + _BLOCK] = (spectrum.real**2 + spectrum.imag**2) @ weight
    return power
