"""Filtered noise and reverberation against convolutions written out, and known powers."""

import numpy as np
import pytest
import torch
from scipy.signal import fftconvolve

from ttskit.dsp.filterednoise import filtered_noise
from ttskit.dsp.reverb import reverberate


def noise(*shape, seed=0):
    g = torch.Generator().manual_seed(seed)
    return 2 * torch.rand(*shape, generator=g, dtype=torch.double) - 1


def test_flat_magnitudes_give_the_noise_itself():
    white = noise(2, 12 * 50)
    torch.testing.assert_close(filtered_noise(torch.ones(2, 12, 65).double(), 50, white), white)


@pytest.mark.parametrize("hop_length", [64, 21])
def test_every_frame_filters_its_own_noise(hop_length):
    magnitudes, white = noise(1, 8, 17, seed=1).abs(), noise(1, 8 * hop_length)
    wanted = np.zeros(8 * hop_length + 32)
    for t, of_frame in enumerate(magnitudes[0].numpy()):
        n = np.arange(-16, 16)  # a sum of cosines about 0, under a Hann window
        weights = np.r_[1, np.full(15, 2), 1] * of_frame / 32
        response = np.cos(2 * np.pi * np.outer(n, np.arange(17)) / 32) @ weights
        response *= 0.5 + 0.5 * np.cos(2 * np.pi * n / 32)
        own = white[0, t * hop_length : (t + 1) * hop_length].numpy()
        wanted[t * hop_length :][: hop_length + 31] += np.convolve(own, response)
    filtered = filtered_noise(magnitudes, hop_length, white)[0]
    np.testing.assert_allclose(filtered, wanted[16 : 16 + 8 * hop_length], atol=1e-12)


def test_a_band_has_the_power_of_its_magnitudes():
    magnitudes = torch.zeros(1, 400, 65).double()
    magnitudes[..., 16:33] = 0.5  # a quarter to a half of 8 kHz
    audio = filtered_noise(magnitudes, 160, noise(1, 400 * 160))[0]
    power = torch.fft.rfft(audio).abs().square() / len(audio)  # of even noise: 1/3 at all
    band = len(power) // 64
    assert power[18 * band : 31 * band].mean().item() == pytest.approx(0.25 / 3, rel=0.05)
    assert power[: 13 * band].mean() < 1e-4
    assert power[36 * band :].mean() < 1e-4


def test_noise_sounds_in_its_own_frame():
    magnitudes, white = torch.zeros(1, 20, 65), noise(1, 20 * 256).float()
    magnitudes[0, 7] = torch.linspace(1, 0, 65)
    audio = filtered_noise(magnitudes, 256, white)[0]
    heard = audio.abs() > 1e-6
    assert not heard[: 7 * 256 - 64].any()
    assert not heard[8 * 256 + 64 :].any()
    energy = audio.square()
    assert energy[7 * 256 : 8 * 256].sum() > 0.98 * energy.sum()


def test_chunks_join_to_the_whole():
    magnitudes, white = noise(1, 20, 33, seed=1).abs(), noise(1, 20 * 40)
    whole = filtered_noise(magnitudes, 40, white)
    part = filtered_noise(magnitudes[:, 6:14], 40, white[:, 6 * 40 : 14 * 40])
    torch.testing.assert_close(part[:, 40:-40], whole[:, 7 * 40 : 13 * 40])


def test_reverberation_adds_the_convolution_with_the_response():
    audio, impulse = noise(2, 300), noise(90, seed=1)
    wet = reverberate(audio, impulse).numpy()
    wanted = [one + fftconvolve(one, impulse.numpy())[:300] for one in audio.numpy()]
    np.testing.assert_allclose(wet, wanted, atol=1e-12)


def test_gradients_agree_with_finite_differences():
    magnitudes, white = noise(1, 3, 4, seed=1).requires_grad_(), noise(1, 15).requires_grad_()
    assert torch.autograd.gradcheck(lambda m, n: filtered_noise(m, 5, n), (magnitudes, white))
    audio, impulse = noise(2, 9).requires_grad_(), noise(4, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(reverberate, (audio, impulse))
