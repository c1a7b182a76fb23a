import numpy as np
import pytest
import torch

from ttskit.networks.spectral import magnitudes


@pytest.mark.parametrize("samples", [5, 32, 33, 100])
def test_clips_of_any_length_are_reflected_at_both_ends(samples):
    audio = np.random.default_rng(0).normal(size=(2, samples))
    padded = np.pad(audio, [(0, 0), (32, 32)], mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, 64, axis=1)[:, ::16]
    window = np.sin(np.pi * np.arange(64) / 64) ** 2
    expected = np.abs(np.fft.rfft(frames * window)).swapaxes(1, 2)
    own = magnitudes(torch.from_numpy(audio).float(), 64, floor=0.0)
    np.testing.assert_allclose(own.numpy(), expected, atol=1e-4)
