"""Signs of a collapse that a loss alone does not show: a trained synthesiser that uses a single
harmonic, or whose amplitude never changes.

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
from ttskit.networks.synthesiser import SynthesiserControls, entropy

QUIET = 1e-4  # gains below this are drawn as this
WINDOW = 2048  # samples, long enough to separate the harmonics of a voice


def numbers(
    batch: Batch, controls: SynthesiserControls, audio: Tensor, facts: Facts
) -> dict[str, float]:
    """Return statistics of controls and of the audio (B, N) rendered from them.

    Those that recordings have too are measured on both.
    """
    sounding = (controls.voiced > 0) & batch.mask("frame")
    amplitude, shares = controls.amplitude[sounding], controls.distribution[sounding]
    recorded = measured(batch["audio"], controls, facts)[sounding]
    if not len(amplitude):
        return {}
    noise = controls.noise[batch.mask("frame")]  # (frames, F)
    statistics = {
        "entropy": entropy(shares).mean(),
        "entropy_recording": entropy(recorded).mean(),
        "top_share": shares.amax(-1).mean(),
        "top_share_recording": recorded.amax(-1).mean(),
        "amplitude": amplitude.mean(),
        "amplitude_range": _range(amplitude),
        "noise": noise.mean(),
        "noise_range": _range(_power(noise)),
        "flux": flux(audio),
        "flux_recording": flux(batch["audio"]),
    }
    return {name: float(value) for name, value in statistics.items()}


def measured(audio: Tensor, controls: SynthesiserControls, facts: Facts) -> Tensor:
    """Return the shares of harmonics in the spectrum of recordings (B, N), (B, T, K)."""
    spectrum = stft.spectrum(audio, WINDOW, facts.hop_length).abs()  # (B, T, F)
    count = controls.distribution.shape[-1]
    number = torch.arange(1, count + 1, device=audio.device)
    at = controls.f0[..., None] * number * (WINDOW / facts.sample_rate)
    magnitudes_at = spectrum.gather(-1, at.round().long().clamp(max=WINDOW // 2))
    return harmonic.distribution(magnitudes_at, controls.f0, facts.sample_rate)


def flux(audio: Tensor) -> Tensor:
    """Return the mean share of a spectrum that is new in a frame, of audio (B, N)."""
    shape = magnitudes(audio, 1024)
    shape = shape / shape.sum(1, keepdim=True)
    return shape.diff(dim=2).clamp(min=0).sum(1).mean()


def pictures(controls: SynthesiserControls, frames: int) -> dict[str, Picture]:
    """Return pictures of the controls of the first utterance, which has `frames` frames."""
    first = SynthesiserControls(*(value[0, :frames] for value in controls))
    amplitude = first.amplitude * first.voiced
    f0 = torch.where(first.voiced > 0, first.f0, torch.nan)
    lines = {"harmonics": _decibels(amplitude), "noise": _decibels(_power(first.noise))}
    tones = _decibels(amplitude[:, None] * first.distribution)  # (T, K)
    empty = amplitude.new_zeros(0, frames)
    return {
        "harmonics": Picture(_array(tones.T), "frame", "harmonic"),
        "noise": Picture(_array(_decibels(first.noise).T), "frame", "band of noise"),
        "gains": Picture(_array(empty), "frame", "dB", {n: _array(x) for n, x in lines.items()}),
        "pitch": Picture(_array(empty), "frame", "Hz", {"f0": _array(f0)}),
    }


def _range(gain: Tensor) -> Tensor:
    """Return the range of gains (frames,) in dB, from the 5th to the 95th percentile."""
    low, high = torch.quantile(_decibels(gain), gain.new_tensor([0.05, 0.95]))
    return high - low


def _power(noise: Tensor) -> Tensor:
    """Return the gain over all bands of noise (..., F)."""
    return noise.square().mean(-1).sqrt()


def _decibels(gain: Tensor) -> Tensor:
    return 20 * gain.clamp(min=QUIET).log10()


def _array(values: Tensor) -> np.ndarray:
    array: np.ndarray = values.cpu().numpy()
    return array
