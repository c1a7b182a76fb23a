"""Rounds of Griffin-Lim by numpy alone: those of `dsp.griffinlim`, where there is no torch.

T frames, F frequency bins, M mel bands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ttskit.dsp import grid

if TYPE_CHECKING:
    import torch

WHOLE = 4096  # frames, about 48 s, that are made at once


def cuts(mel: np.ndarray | torch.Tensor) -> list[int]:
    """Return the lengths of the parts of (T, M), none above `WHOLE`."""
    lengths, start = [], 0
    while len(mel) - start > WHOLE:
        late = mel[start + 3 * WHOLE // 4 : start + WHOLE].sum(1)
        lengths.append(3 * WHOLE // 4 + int(late.argmin()))
        start += lengths[-1]
    return [*lengths, len(mel) - start]


def refined(
    bands: np.ndarray,
    bank: np.ndarray,
    magnitude: np.ndarray,
    phase: np.ndarray,
    sizes: tuple[int, int],
    rounds: int,
    momentum: float,
) -> np.ndarray:
    """Return audio (sample,) from magnitudes and phases to begin with.

    Parameters
    ----------
    bands : (T, M) float32, magnitudes of mel bands that the audio is to have
    bank : (F, M) float32, filters
    magnitude : (T, F) float32
    phase : (T, F) complex64, of absolute value 1
    sizes : n_fft and hop_length, samples
    rounds : int
    momentum : float
    """
    shares = np.ascontiguousarray((bank / np.maximum(bank.sum(1, keepdims=True), 1e-9)).T)
    stft, before = Stft(len(bands), *sizes), np.zeros_like(phase)
    for _ in range(rounds):
        reached = stft.spectrum(stft.audio(phase * magnitude))
        magnitude = np.abs(reached)
        magnitude *= (bands / np.maximum(magnitude @ bank, np.float32(1e-9))) @ shares
        phase = reached - np.float32(momentum / (1 + momentum)) * before
        phase /= np.abs(phase) + np.float32(1e-16)
        before = reached
    return stft.audio(phase * magnitude)


class Stft:
    """The transform of `dsp.stft` for clips of one length."""

    def __init__(self, frames: int, n_fft: int, hop_length: int) -> None:
        self.n_fft, self.hop_length, self.frames = n_fft, hop_length, frames
        turns = np.arange(n_fft) / n_fft
        self.window = (0.5 - 0.5 * np.cos(2 * np.pi * turns)).astype(np.float32)
        before, after = grid.context(n_fft, hop_length)
        self.inner = slice(before, before + frames * hop_length)
        self.reflected = grid.reflected(frames * hop_length, before, after)
        squares = np.broadcast_to(np.square(self.window), (frames, n_fft))
        self.weight = np.maximum(self._added(squares)[self.inner], np.float32(0.1))

    def spectrum(self, audio: np.ndarray) -> np.ndarray:
        """(T · hop_length,) to (T, F) complex64."""
        windows = np.lib.stride_tricks.sliding_window_view(audio[self.reflected], self.n_fft)
        return np.fft.rfft(windows[:: self.hop_length] * self.window)

    def audio(self, spectrum: np.ndarray) -> np.ndarray:
        """(T, F) complex64 to (T · hop_length,)."""
        frames = np.fft.irfft(spectrum, self.n_fft) * self.window
        return self._added(frames)[self.inner] / self.weight

    def _added(self, frames: np.ndarray) -> np.ndarray:
        """Return the overlapped sum of frames (T, n_fft)."""
        hop, hops = self.hop_length, -(-self.n_fft // self.hop_length)
        parts = np.pad(frames, ((0, 0), (0, hops * hop - self.n_fft)))
        total = np.zeros((len(frames) + hops - 1, hop), np.float32)
        for k in range(hops):
            total[k : k + len(frames)] += parts[:, k * hop : (k + 1) * hop]
        return total.reshape(-1)
