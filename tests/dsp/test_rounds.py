"""Rounds of Griffin-Lim by numpy: those of torch, which is the oracle."""

import numpy as np
import pytest
import torch

from ttskit.dsp import griffinlim, rounds, stft
from ttskit.dsp.mel import MelSettings, filters

SIZES = [(1024, 256), (512, 200), (256, 255)]


@pytest.mark.parametrize(("n_fft", "hop"), SIZES)
@pytest.mark.parametrize("frames", [1, 2, 9])
def test_the_transform_is_that_of_torch(n_fft, hop, frames):
    rng = np.random.default_rng(0)
    audio = rng.standard_normal(frames * hop).astype(np.float32)
    transform = rounds.Stft(frames, n_fft, hop)
    spectrum = stft.spectrum(torch.from_numpy(audio)[None], n_fft, hop)
    np.testing.assert_allclose(transform.spectrum(audio), spectrum[0].numpy(), atol=1e-4)
    inverse = stft.audio(spectrum, n_fft, hop)[0].numpy()
    np.testing.assert_allclose(transform.audio(spectrum[0].numpy()), inverse, atol=1e-5)


def test_rounds_are_those_of_torch():
    settings, rng = MelSettings(n_fft=512, hop_length=128, n_mels=20), np.random.default_rng(0)
    log_mel = torch.from_numpy(rng.normal(-3, 1, (15, 20)).astype(np.float32))
    bands = griffinlim.Bands(log_mel, filters(settings))
    magnitude = bands.magnitudes()
    angle = torch.from_numpy(rng.uniform(0, 2 * np.pi, magnitude.shape).astype(np.float32))
    phase = torch.polar(torch.ones_like(angle), angle)
    ours = rounds.refined(
        bands.mel.numpy(), filters(settings), magnitude.numpy(), phase.numpy(), (512, 128), 5, 0.99
    )
    theirs = griffinlim.refined(bands, magnitude, phase, settings, 5, 0.99).numpy()
    assert np.abs(ours - theirs).max() < 1e-3 * np.abs(theirs).max()
