"""From log-mel back to audio without a model: Griffin-Lim with momentum, led by the mel bands.

The magnitudes of the frequency bins begin as a non-negative explanation of the mel bands (Lee and
Seung, 2001), phases as noise.  Every round goes to audio and back, takes phases from there with
momentum (Perraudin et al., 2013), and magnitudes too, scaled so that the mel bands are right
again: thus harmonics that the bands have blurred come back.  The audio is cut to the samples of
its frames and reflected beyond them in every round, so it fits the grid up to its edges.

T frames, F frequency bins, M mel bands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ttskit.dsp.mel import MelSettings, filters
from ttskit.errors import TtskitError

if TYPE_CHECKING:
    import torch


def griffinlim(
    log_mel: np.ndarray,
    settings: MelSettings,
    rng: np.random.Generator,
    rounds: int = 32,
    momentum: float = 0.99,
) -> np.ndarray:
    """Find audio with such a log-mel spectrogram.

    Parameters
    ----------
    log_mel : (frame, mel) float
        As `mel` makes it with the same settings.
    settings : MelSettings
    rng : Generator
        Of the phases to begin with; the same gives the same audio on the same CPU.
    rounds : int
    momentum : float
        0 is the slower algorithm of Griffin and Lim (1984).

    Returns
    -------
    (sample,) float32
        frames · hop_length samples.
    """
    import torch

    if log_mel.ndim != 2 or log_mel.shape[1] != settings.n_mels:
        raise TtskitError(f"log-mel is {log_mel.shape}; right would be (frame, {settings.n_mels})")
    if not len(log_mel):
        return np.zeros(0, np.float32)
    with torch.inference_mode():
        bands = Bands(torch.from_numpy(log_mel), filters(settings))
        magnitude = bands.magnitudes()
        turns = torch.from_numpy(rng.random(magnitude.shape, np.float32))
        phase = torch.polar(torch.ones_like(turns), 2 * torch.pi * turns)  # (T, F)
        found: np.ndarray = refined(bands, magnitude, phase, settings, rounds, momentum).numpy()
    return found


def refined(
    bands: Bands,
    magnitude: torch.Tensor,
    phase: torch.Tensor,
    settings: MelSettings,
    rounds: int,
    momentum: float,
) -> torch.Tensor:
    """Return audio (sample,) from magnitudes and phases to begin with, (T, F) each.

    `phase` is complex, of absolute value 1, and is overwritten.
    """
    import torch

    from ttskit.dsp import stft

    sizes = settings.n_fft, settings.hop_length
    before = torch.zeros_like(phase)
    for _ in range(rounds):
        audio = stft.audio(phase.mul_(magnitude)[None], *sizes)
        reached = stft.spectrum(audio, *sizes)[0]
        magnitude = bands.fit(size(reached))
        phase = torch.sub(reached, before, alpha=momentum / (1 + momentum))
        phase *= size(phase).add_(1e-16).reciprocal_()
        before = reached
    return stft.audio(phase.mul_(magnitude)[None], *sizes)[0]


class Bands:
    """Magnitudes of frequency bins that explain given log-mel bands, (T, M)."""

    def __init__(self, log_mel: torch.Tensor, filters: np.ndarray | torch.Tensor) -> None:
        import torch

        self.mel = log_mel.float().exp()
        self.filters = torch.as_tensor(filters, device=log_mel.device)  # (F, M)
        # A bin's share of each band it is in; a bin of no band stays silent.
        self.shares = (self.filters / self.filters.sum(1, keepdim=True).clamp(min=1e-9)).T

    def magnitudes(self, iterations: int = 30) -> torch.Tensor:
        """(T, F), from the mel bands alone."""
        magnitude = self.mel @ (self.filters / self.filters.sum(0)).T
        for _ in range(iterations):
            magnitude = self.fit(magnitude)
        return magnitude

    def fit(self, magnitude: torch.Tensor) -> torch.Tensor:
        """Bring (T, F) magnitudes closer to the mel bands by one multiplicative step."""
        ratio = self.mel / (magnitude @ self.filters).clamp(min=1e-9)
        return (ratio @ self.shares).mul_(magnitude)


def size(spectrum: torch.Tensor) -> torch.Tensor:
    """Magnitudes of complex numbers, three times as fast as by torch's own."""
    return spectrum.real.square().addcmul_(spectrum.imag, spectrum.imag).sqrt_()
