"""From log-mel and f0 to audio without a model: an excitation, shaped by the mel bands.

The excitation has harmonics of f0 with noise between them, only noise in the upper band and where
unvoiced.  Its spectrum gives the phases; its magnitudes are brought to the mel bands by
multiplicative steps, which keeps the harmonics.  A few rounds of Griffin-Lim then make the frames
consistent.  Between fmax and half the rate, where there is no mel, the spectrum goes on as loud as
in the uppermost bands.

B clips, T frames, F frequency bins, M mel bands, N = T·hop samples.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ttskit.dsp import stft
from ttskit.dsp.griffinlim import Bands, refined, size
from ttskit.dsp.mel import MelSettings, filters
from ttskit.dsp.melpitch import line

HARMONIC = 4000.0, 7000.0  # Hz, harmonics fade out
NOISY = 3000.0, 6000.0  # Hz, noise fades in
UNDER, OVER = 0.15, 0.5  # noise of voiced frames below and above
HIGHEST = 8000.0  # Hz; no harmonic is above
STEPS = 4  # to bring the excitation to the mel bands
TOP = 3  # bands whose mean goes on above fmax


class Excitation(NamedTuple):
    """Spectra (B, T, F) of both parts of a source."""

    harmonic: Tensor
    noisy: Tensor

    @property
    def whole(self) -> Tensor:
        return self.harmonic + self.noisy


def source(
    log_mel: Tensor,
    f0: np.ndarray,
    voiced: np.ndarray,
    settings: MelSettings,
    rng: np.random.Generator,
    rounds: int = 8,
    momentum: float = 0.99,
) -> Tensor:
    """Make audio with such a log-mel spectrogram and such a pitch.

    Parameters
    ----------
    log_mel : (frame, mel) float
    f0 : (frame,) float
        Hz, read where voiced.
    voiced : (frame,) bool
    settings : MelSettings
    rng : Generator
        Of the noise.
    rounds : int
        Of Griffin-Lim.
    momentum : float

    Returns
    -------
    (sample,) float32
        frames · hop_length samples.
    """
    if not len(log_mel):
        return torch.zeros(0)
    train = pulses(torch.from_numpy(line(f0, voiced))[None], settings)
    noise = torch.from_numpy(rng.standard_normal(train.shape, np.float32))
    bands = continued(log_mel, torch.from_numpy(filters(settings, continued=True)))
    phase = excitation(train, noise, torch.from_numpy(voiced)[None], settings).whole[0]
    magnitude = size(phase).add_(1e-6)
    phase /= magnitude
    magnitude = explained(bands, magnitude)
    return refined(bands, magnitude, phase, settings, rounds, momentum)


def continued(log_mel: Tensor, bank: Tensor) -> Bands:
    """Return the bands of (..., M), gone on with up to those of all filters (F, more than M)."""
    above = bank.shape[1] - log_mel.shape[-1]
    top = log_mel[..., -TOP:].mean(-1, keepdim=True).expand(*log_mel.shape[:-1], above)
    return Bands(torch.cat([log_mel, top], -1), bank)


def explained(bands: Bands, magnitude: Tensor) -> Tensor:
    """Bring magnitudes (..., F) to the bands, which keeps what lies within one."""
    for _ in range(STEPS):
        magnitude = bands.fit(magnitude)
    return magnitude


def excitation(pulses: Tensor, noise: Tensor, voiced: Tensor, settings: MelSettings) -> Excitation:
    """Return the spectra of both parts of waves (B, N), about as loud everywhere in their sum."""
    pulsed, noisy = (
        stft.spectrum(wave, settings.n_fft, settings.hop_length) for wave in (pulses, noise)
    )
    hertz = np.arange(settings.n_fft // 2 + 1) * settings.sample_rate / settings.n_fft
    harmonic = torch.from_numpy(np.interp(hertz, HARMONIC, (1, 0))).to(pulses)
    between = torch.from_numpy(np.interp(hertz, NOISY, (UNDER, OVER))).to(pulses)
    on = voiced[..., None]
    return Excitation(pulsed * (harmonic * on), noisy * torch.where(on, between, 1))


def pulses(f0: Tensor, settings: MelSettings) -> Tensor:
    """(B, T) to (B, N): harmonics of f0 up to `HIGHEST`, in phase, of the power of white noise."""
    rate = settings.sample_rate
    frames = f0.clamp(min=20)[:, None].double()
    pitch = F.interpolate(frames, scale_factor=settings.hop_length, mode="linear")[:, 0]
    cycles = (pitch / rate).cumsum(1)
    half = (torch.pi * (cycles - cycles.round())).float()  # half of the phase
    pitch = pitch.float()
    count = (min(HIGHEST, rate / 2) / pitch).floor()
    # The sum of cos(k x) for k from 1 to K is sin((K + 1/2) x) / (2 sin(x / 2)) - 1/2.
    sine = half.sin()
    near = sine.abs() < 1e-5
    ratio = ((2 * count + 1) * half).sin() / torch.where(near, 1, 2 * sine)
    return torch.where(near, count, ratio - 0.5) * (4 / rate * pitch).sqrt()
