"""Whether a synthesiser that learns makes use of all it has: a tone of one harmonic, or a level
that never moves, is a collapse that a loss alone does not show.

B batch, T frames, K harmonics, F frequency bins or bands of noise, N samples.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ttskit.dsp import harmonic, stft
from ttskit.networks.batch import Batch
from ttskit.networks.facts import Facts, Picture
from ttskit.networks.spectral import magnitudes
from ttskit.networks.synthesiser import Controls, entropy

QUIET = 1e-4  # the lowest gain that pictures tell from silence
WINDOW = 2048  # samples, long enough to part the harmonics of a voice


def numbers(batch: Batch, controls: Controls, made: Tensor, facts: Facts) -> dict[str, float]:
    """Return what shows a collapse, beside the same of the recordings where they have it."""
    sounding = (controls.voiced > 0) & batch.mask("frame")
    level, shares = controls.amplitude[sounding], controls.distribution[sounding]
    heard = measured(batch["audio"], controls, facts)[sounding]
    if not len(level):
        return {}
    low, high = torch.quantile(20 * level.clamp(min=QUIET).log10(), level.new_tensor([0.05, 0.95]))
    found = {
        "entropy": entropy(shares).mean(),
        "entropy_recording": entropy(heard).mean(),
        "top_share": shares.amax(-1).mean(),
        "top_share_recording": heard.amax(-1).mean(),
        "amplitude": level.mean(),
        "amplitude_range": high - low,  # dB, from the 5th to the 95th percentile
        "noise": controls.noise[batch.mask("frame")].mean(),
        "flux": flux(made),
        "flux_recording": flux(batch["audio"]),
    }
    return {name: float(value) for name, value in found.items()}


def measured(audio: Tensor, controls: Controls, facts: Facts) -> Tensor:
    """(B, N) to (B, T, K): the shares of harmonics as the spectrum of a recording has them."""
    spectrum = stft.spectrum(audio, WINDOW, facts.hop_length).abs()  # (B, T, F)
    count = controls.distribution.shape[-1]
    number = torch.arange(1, count + 1, device=audio.device)
    at = controls.f0[..., None] * number * (WINDOW / facts.sample_rate)
    found = spectrum.gather(-1, at.round().long().clamp(max=WINDOW // 2))
    return harmonic.distribution(found, controls.f0, facts.sample_rate)


def flux(audio: Tensor) -> Tensor:
    """(B, N): which part of a spectrum is new in a frame, on average."""
    shape = magnitudes(audio, 1024)
    shape = shape / shape.sum(1, keepdim=True)
    return shape.diff(dim=2).clamp(min=0).sum(1).mean()


def pictures(controls: Controls, frames: int) -> dict[str, Picture]:
    """Return what is played of the first utterance, which is so long, over time."""
    first = Controls(*(value[0, :frames] for value in controls))
    level = first.amplitude * first.voiced
    f0 = torch.where(first.voiced > 0, first.f0, torch.nan)
    noise = first.noise.square().mean(-1).sqrt()
    lines = {"harmonics": _decibels(level), "noise": _decibels(noise)}
    tones = _decibels(level[:, None] * first.distribution)  # (T, K)
    empty = level.new_zeros(0, frames)
    return {
        "harmonics": Picture(_shown(tones.T), "frame", "harmonic"),
        "noise": Picture(_shown(_decibels(first.noise).T), "frame", "band of noise"),
        "gains": Picture(_shown(empty), "frame", "dB", {n: _shown(x) for n, x in lines.items()}),
        "pitch": Picture(_shown(empty), "frame", "Hz", {"f0": _shown(f0)}),
    }


def _decibels(gain: Tensor) -> Tensor:
    return 20 * gain.clamp(min=QUIET).log10()


def _shown(values: Tensor) -> np.ndarray:
    shown: np.ndarray = values.cpu().numpy()
    return shown
