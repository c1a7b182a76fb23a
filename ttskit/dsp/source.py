"""From log-mel and f0 to audio without a model: an excitation, shaped by the mel bands.

The excitation has harmonics of f0 with noise between them, only noise in the upper band and where
unvoiced.  Its spectrum gives the phases; its magnitudes are brought to the mel bands by
multiplicative steps, which keeps the harmonics.  A few rounds of Griffin-Lim then make the frames
consistent.  Between fmax and half the rate, where there is no mel, the spectrum goes on as loud as
in the uppermost bands.

T frames, F frequency bins, M mel bands, N = T·hop samples.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ttskit.dsp import stft
from ttskit.dsp.griffinlim import Bands, refined, size
from ttskit.dsp.mel import MelSettings, filters

HARMONIC = 4000.0, 7000.0  # Hz, harmonics fade out
NOISY = 3000.0, 6000.0  # Hz, noise fades in
UNDER, OVER = 0.15, 0.5  # noise of voiced frames below and above
HIGHEST = 8000.0  # Hz; no harmonic is above
STEPS = 4  # to bring the excitation to the mel bands
TOP = 3  # bands whose mean goes on above fmax


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
    bank = filters(settings, continued=True)
    above = bank.shape[1] - log_mel.shape[1]
    top = log_mel[:, -TOP:].mean(1, keepdim=True).expand(-1, above)
    bands = Bands(torch.cat([log_mel, top], 1), bank)
    phase = excitation(f0, voiced, settings, rng)
    magnitude = size(phase).add_(1e-6)
    phase /= magnitude
    for _ in range(STEPS):
        magnitude = bands.fit(magnitude)
    return refined(bands, magnitude, phase, settings, rounds, momentum)


def excitation(
    f0: np.ndarray, voiced: np.ndarray, settings: MelSettings, rng: np.random.Generator
) -> Tensor:
    """Return the spectrum (T, F) of harmonics and noise, about as loud everywhere."""
    train = pulses(f0, voiced, settings.sample_rate, settings.hop_length)
    noise = rng.standard_normal(len(train), np.float32)
    both = torch.from_numpy(np.stack([train, noise]))
    pulsed, noisy = stft.spectrum(both, settings.n_fft, settings.hop_length)
    hertz = np.arange(settings.n_fft // 2 + 1) * settings.sample_rate / settings.n_fft
    harmonic = torch.from_numpy(np.interp(hertz, HARMONIC, (1, 0)).astype(np.float32))
    between = torch.from_numpy(np.interp(hertz, NOISY, (UNDER, OVER)).astype(np.float32))
    mixed = pulsed * harmonic + noisy * between
    return torch.where(torch.from_numpy(voiced)[:, None], mixed, noisy)


def pulses(f0: np.ndarray, voiced: np.ndarray, sample_rate: int, hop_length: int) -> np.ndarray:
    """(T,) to (N,) float32: harmonics of f0 up to `HIGHEST`, in phase, of the power of white noise.

    Where unvoiced, f0 goes along a line between what is voiced.
    """
    samples, known = len(f0) * hop_length, np.flatnonzero(voiced)
    if not len(known):
        return np.zeros(samples, np.float32)
    frame = (np.arange(samples) + 0.5) / hop_length - 0.5
    pitch = np.interp(frame, known, f0[known].astype(np.float64))
    cycles = np.cumsum(pitch / sample_rate)
    half = (np.pi * (cycles - np.rint(cycles))).astype(np.float32)  # half of the phase
    count = np.floor(min(HIGHEST, sample_rate / 2) / pitch).astype(np.float32)
    # The sum of cos(k x) for k from 1 to K is sin((K + 1/2) x) / (2 sin(x / 2)) - 1/2.
    sine = np.sin(half)
    near = np.abs(sine) < 1e-5
    ratio = np.sin((2 * count + 1) * half) / np.where(near, 1, 2 * sine)
    level = np.sqrt(4 / sample_rate * pitch).astype(np.float32)
    return np.where(near, count, ratio - 0.5) * level


def harmonics(f0: Tensor, sample_rate: int, hop_length: int) -> Tensor:
    """(B, T) Hz to (B, N): the same of clips whose f0 is known in every frame."""
    pitch = f0.clamp(min=20)[:, None].double()
    pitch = torch.nn.functional.interpolate(pitch, scale_factor=hop_length, mode="linear")[:, 0]
    cycles = (pitch / sample_rate).cumsum(1)
    half = (torch.pi * (cycles - cycles.round())).float()
    pitch = pitch.float()
    count = (min(HIGHEST, sample_rate / 2) / pitch).floor()
    sine = half.sin()
    near = sine.abs() < 1e-5
    ratio = ((2 * count + 1) * half).sin() / torch.where(near, 1, 2 * sine)
    return torch.where(near, count, ratio - 0.5) * (4 / sample_rate * pitch).sqrt()
