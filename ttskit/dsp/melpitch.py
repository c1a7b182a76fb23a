"""f0 and voicing from a log-mel spectrogram alone.

A few multiplicative steps turn the lower mel bands into magnitudes of frequency bins.  The inverse
transform of the magnitudes is a kind of autocorrelation: it has a peak at the period of whatever
harmonics the bands resolve.  The best path through the peaks of all frames, or through unvoiced
frames, is found as by Boersma (1993): octaves upwards are favoured a little, jumps of pitch and
changes of voicing cost.

T frames, F frequency bins, M mel bands, L lags, C candidates of a frame.
"""

from __future__ import annotations

import numpy as np

from ttskit.dsp.mel import MelSettings, filters

FMIN, FMAX = 60.0, 500.0  # Hz
TOP = 1500.0, 2000.0  # Hz, where harmonics begin and cease not to count
STEPS = 3
CANDIDATES = 4
UNVOICED = 0.25  # height of a peak that is as good as none
OCTAVE, JUMP, CHANGE = 0.01, 1.0, 0.14  # costs: an octave lower, of a jump, on and off
ANY = 100.0  # Hz, f0 where nothing is voiced


def pitch(
    log_mel: np.ndarray, settings: MelSettings, fmin: float = FMIN, fmax: float = FMAX
) -> tuple[np.ndarray, np.ndarray]:
    """Estimate f0 and voicing.

    Parameters
    ----------
    log_mel : (frame, mel) float
    settings : MelSettings
    fmin, fmax : float
        Hz, limits of f0.

    Returns
    -------
    f0 : (frame,) float32
        Hz, 0 where unvoiced.
    voiced : (frame,) bool
    """
    if not len(log_mel):
        return np.zeros(0, np.float32), np.zeros(0, bool)
    height, octaves = _candidates(_autocorrelation(log_mel, settings), settings, fmin, fmax)
    chosen = path(height, octaves)
    frequency = 2.0 ** octaves[np.arange(len(chosen)), chosen]
    voiced = chosen < octaves.shape[1] - 1
    return np.where(voiced, frequency, 0).astype(np.float32), voiced


def _autocorrelation(log_mel: np.ndarray, settings: MelSettings) -> np.ndarray:
    """(T, M) to (T, n_fft // 2 + 1), 1 at lag 0, without the fall that the window causes."""
    n_fft, rate = settings.n_fft, settings.sample_rate
    hertz = np.arange(n_fft // 2 + 1) * rate / n_fft
    bank = filters(settings)[hertz < TOP[1]]  # (F, M)
    bank = bank[:, bank.any(axis=0)]
    bands = np.exp(log_mel[:, : bank.shape[1]], dtype=np.float32)
    shares = (bank / np.maximum(bank.sum(axis=1, keepdims=True), 1e-9)).T
    magnitude = bands @ (bank / bank.sum(axis=0)).T
    for _ in range(STEPS):
        magnitude *= (bands / np.maximum(magnitude @ bank, 1e-9)) @ shares
    magnitude *= np.interp(hertz[: len(bank)], TOP, (1, 0)).astype(np.float32)
    correlation = np.fft.irfft(magnitude, n_fft)[:, : n_fft // 2 + 1]
    lag = np.arange(correlation.shape[1])
    window = 0.5 + 0.5 * np.cos(2 * np.pi * lag / n_fft)
    scale = np.maximum(correlation[:, :1], 1e-9) * np.maximum(window, 0.1)
    return (correlation / scale).astype(np.float32)


def _candidates(
    correlation: np.ndarray, settings: MelSettings, fmin: float, fmax: float
) -> tuple[np.ndarray, np.ndarray]:
    """(T, lags) to the heights and the octaves of the highest peaks and of none, (T, C) each."""
    rate = settings.sample_rate
    first = max(1, int(rate / fmax))
    last = max(first, min(int(rate / fmin) + 1, correlation.shape[1] - 2))
    here = correlation[:, first : last + 1]
    peak = here > correlation[:, first - 1 : last]
    peak &= here >= correlation[:, first + 1 : last + 2]
    favour = OCTAVE * np.log2(rate / fmin / np.arange(first, last + 1)).astype(np.float32)
    rank = np.where(peak, here + favour, -9)
    best = np.argpartition(-rank, min(CANDIDATES, rank.shape[1]) - 1)[:, :CANDIDATES]
    rows = np.arange(len(rank))[:, None]
    left, top, right = (correlation[rows, first + best + k] for k in (-1, 0, 1))
    peak = peak[rows, best]
    off = np.where(peak, (left - right) / np.where(peak, 2 * (left - 2 * top + right), -1), 0)
    octaves = np.log2(rate / (first + best + off))  # at the top of a parabola through three lags
    height = np.minimum(top - (left - right) * off / 4, 1)
    height = np.where(peak, height + favour[best], -9)
    nothing = np.ones((len(rank), 1))
    return (
        np.concatenate([height, UNVOICED * nothing], axis=1),
        np.concatenate([octaves, 0 * nothing], axis=1),
    )


def path(height: np.ndarray, octaves: np.ndarray) -> np.ndarray:
    """Return the candidates (T,) of the best path; the last candidate is unvoiced."""
    frames, count = height.shape
    cost = JUMP * np.abs(octaves[:-1, :, None] - octaves[1:, None])  # (T − 1, from, to)
    cost[:, -1], cost[:, :, -1] = CHANGE, CHANGE
    cost[:, -1, -1] = 0
    score, source = height[0], np.zeros((frames, count), int)
    for t in range(1, frames):
        reached = score[:, None] - cost[t - 1]
        source[t] = reached.argmax(axis=0)
        score = reached.max(axis=0) + height[t]
    best = np.empty(frames, int)
    best[-1] = score.argmax()
    for t in range(frames - 1, 0, -1):
        best[t - 1] = source[t, best[t]]
    return best


def line(f0: np.ndarray, voiced: np.ndarray) -> np.ndarray:
    """Return f0 (T,) float32 where it goes along a line between what is voiced."""
    known = np.flatnonzero(voiced)
    if not len(known):
        return np.full(len(f0), ANY, np.float32)
    return np.interp(np.arange(len(f0)), known, f0[known]).astype(np.float32)
