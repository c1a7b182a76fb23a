"""Recordings as measures see them: what several measures need is computed once.

T frames, F frequency bins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from ttskit.dsp import dtw, grid, loudness, mcep, pitch
from ttskit.errors import AudioError

Follow = Callable[[np.ndarray, int, int], tuple[np.ndarray, np.ndarray]]
Timing = Literal["dtw", "plain"]


@dataclass(frozen=True)
class Frames:
    """The frames in which spectra are computed: a grid, and Hann windows of n_fft samples."""

    sample_rate: int  # Hz
    hop_length: int  # samples
    n_fft: int  # samples
    floor: float = -80.0  # dBFS of added white noise, so that digital silence is finite

    @classmethod
    def at(cls, sample_rate: int) -> Frames:
        """Frames every 5 ms, with windows of the power of two at or above 40 ms."""
        return cls(sample_rate, round(0.005 * sample_rate), 1 << (sample_rate // 25).bit_length())


class Sound:
    """A recording, with its spectra, cepstra, loudness and pitch.

    Parameters
    ----------
    audio : (sample,) float
        Full scale is ±1.
    follow : from audio, sample rate and hop length to f0 (T,) in Hz and periodicity (T,)
    """

    def __init__(self, audio: np.ndarray, frames: Frames, follow: Follow | None = None) -> None:
        if len(audio) < frames.hop_length:
            raise AudioError(f"has {len(audio)} samples; a frame alone has {frames.hop_length}")
        if not np.isfinite(audio).all():
            raise AudioError("has samples that are NaN or infinite")
        self.audio, self.frames, self._follow = np.asarray(audio, np.float32), frames, follow
        self._cepstra: dict[tuple[int, float], np.ndarray] = {}

    @property
    def seconds(self) -> float:
        return len(self.audio) / self.frames.sample_rate

    def spectrum(self, n_fft: int) -> np.ndarray:
        """(T, F) float32: power, with that of faint white noise added."""
        from scipy.fft import rfft

        window = grid.hann(n_fft)
        spectrum = rfft(grid.windows(self.audio, n_fft, self.frames.hop_length) * window)
        noise = 10 ** (self.frames.floor / 10) * (window**2).sum()
        return spectrum.real**2 + spectrum.imag**2 + np.float32(noise)

    @cached_property
    def power(self) -> np.ndarray:
        return self.spectrum(self.frames.n_fft)

    def mel(self, n_mels: int) -> np.ndarray:
        """(T, mel) float32: natural log."""
        from ttskit.dsp.mel import MelSettings, mel

        grid = (self.frames.sample_rate, self.frames.n_fft, self.frames.hop_length)
        return mel(self.audio, MelSettings(*grid, n_mels))

    def cepstrum(self, order: int, warping: float) -> np.ndarray:
        """(T, order) float64: mel-cepstrum without its gain."""
        if (order, warping) not in self._cepstra:
            cepstra = mcep.mel_cepstrum(self.power, order, warping)[:, 1:]
            self._cepstra[order, warping] = cepstra
        return self._cepstra[order, warping]

    @cached_property
    def loudness(self) -> np.ndarray:
        """(T,) float32: dB, A-weighted."""
        return loudness.loudness(self.audio, self.frames.sample_rate, self.frames.hop_length)

    @cached_property
    def pitch(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """f0 (T,) in Hz, voiced (T,), periodicity (T,)."""
        assert self._follow is not None
        frames = self.frames
        f0, periodicity = self._follow(self.audio, frames.sample_rate, frames.hop_length)
        return f0, pitch.voicing(periodicity, self.loudness) & (f0 > 0), periodicity

    def audible(self, depth: float) -> slice:
        """The frames from the first to the last that is within `depth` dB of the loudest one."""
        level = 10 * np.log10(self.power.sum(axis=1))
        loud = np.flatnonzero(level >= level.max() - depth)
        return slice(int(loud[0]), int(loud[-1]) + 1)


class Pair:
    """A reference, the speech synthesised in its place, and the path that pairs their frames.

    `path` is (2, K), indices of frames in both: by dynamic time warping of their mel-cepstra of
    order 24 or, with plain timing, frame by frame until the shorter one ends.
    """

    def __init__(self, reference: Sound, synthesised: Sound, timing: Timing = "dtw") -> None:
        if reference.frames != synthesised.frames:
            raise AudioError(f"frames differ: {reference.frames} and {synthesised.frames}")
        self.reference, self.synthesised, self.timing = reference, synthesised, timing

    @cached_property
    def path(self) -> np.ndarray:
        if self.timing == "plain":
            return self.plain
        warping = mcep.mel_warping(self.reference.frames.sample_rate)
        sounds = (self.reference, self.synthesised)
        return dtw.path(*(sound.cepstrum(24, warping) for sound in sounds))

    @property
    def plain(self) -> np.ndarray:
        """The path frame by frame."""
        return np.stack(
            [np.arange(min(len(self.reference.power), len(self.synthesised.power)))] * 2
        )

    def along(self, of: Callable[[Sound], Any]) -> tuple[Any, Any]:
        """Return what `of` computes of both recordings, along the path."""
        return of(self.reference)[self.path[0]], of(self.synthesised)[self.path[1]]
