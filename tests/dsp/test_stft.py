import numpy as np
import pytest
import torch

from ttskit.dsp import stft
from ttskit.dsp.grid import reflected
from ttskit.dsp.mel import MelSettings, MelSpectrogram


@pytest.mark.parametrize(("n_fft", "hop_length"), [(1024, 256), (800, 200), (512, 120), (600, 275)])
def test_the_inverse_recovers_every_sample(n_fft, hop_length):
    audio = torch.randn(2, 20 * hop_length, generator=torch.Generator().manual_seed(0))
    again = stft.audio(stft.spectrum(audio, n_fft, hop_length), n_fft, hop_length)
    torch.testing.assert_close(again, audio, atol=1e-5, rtol=0)


def test_frames_are_those_of_the_mel_spectrogram():
    audio = torch.randn(1, 256 * 12, generator=torch.Generator().manual_seed(0))
    spectrogram = MelSpectrogram(MelSettings())
    bands = stft.spectrum(audio, 1024, 256).abs() @ spectrogram.filters
    torch.testing.assert_close(bands.log(), spectrogram(audio), atol=1e-3, rtol=0)


def test_a_click_in_one_frame_sounds_in_that_frame():
    spectrum = torch.zeros(1, 40, 513, dtype=torch.complex64)
    # A click in the middle of its window: at (17 + 1/2) hops of 256.
    spectrum[0, 17] = torch.fft.rfft(torch.eye(1024)[512])
    assert stft.audio(spectrum, 1024, 256).abs().argmax() == 17 * 256 + 128


def test_gradients_flow_both_ways():
    audio = torch.randn(1, 1024, dtype=torch.double, requires_grad=True)
    again = stft.audio(stft.spectrum(audio, 256, 64), 256, 64)
    again.sum().backward()
    assert audio.grad is not None
    np.testing.assert_allclose(audio.grad, 1, atol=1e-5)


def test_inference_mode_does_not_break_later_gradients():
    audio = torch.randn(1, 17 * 60)
    with torch.inference_mode():
        spoken = stft.audio(stft.spectrum(audio, 180, 60), 180, 60)
    trained = stft.audio(stft.spectrum(audio.requires_grad_(), 180, 60), 180, 60)
    trained.square().sum().backward()
    torch.testing.assert_close(spoken, trained, atol=0, rtol=0)
    torch.testing.assert_close(audio.grad, 2 * audio, atol=1e-4, rtol=0)


@pytest.mark.parametrize(("n_fft", "hop"), [(1024, 256), (180, 60), (150, 50), (64, 48), (100, 33)])
@pytest.mark.parametrize("frames", [1, 2, 5, 9, 40])
def test_the_sum_of_windows_follows_from_few_frames(n_fft, hop, frames):
    window = torch.rand(n_fft, generator=torch.Generator().manual_seed(0))
    wanted = torch.zeros(stft.overlap_add(window.expand(1, frames, -1), hop).shape[1])
    for start in range(0, frames * hop, hop):
        wanted[start : start + n_fft] += window
    torch.testing.assert_close(stft.summed(window, frames, hop)[0], wanted)


@pytest.mark.parametrize("samples", [40, 90, 91, 1000])
def test_clips_of_any_length_are_reflected(samples):
    clip = torch.randn(1, samples, generator=torch.Generator().manual_seed(0))
    seen = clip[:, reflected(samples, 90, 90)]
    torch.testing.assert_close(stft._reflected(clip, 90, 90), seen, atol=0, rtol=0)
