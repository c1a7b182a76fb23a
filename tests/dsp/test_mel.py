import numpy as np
import pytest

from ttskit.dsp import grid, mel
from ttskit.dsp.mel import MelSettings
from ttskit.errors import AudioError, TtskitError

SETTINGS = MelSettings()


def noise(samples, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, samples).astype(np.float32)


@pytest.mark.parametrize(
    "settings",
    [SETTINGS, MelSettings(16000, 512, 128, 40, 60.0, 7600.0), MelSettings(8000, 256, 64, 20)],
)
def test_values_agree_with_librosa(settings):
    """Librosa's filters and transform on audio that is padded explicitly."""
    import librosa

    audio = noise(settings.hop_length * 50 + 17)
    pad = (settings.n_fft - settings.hop_length) // 2
    padded = np.pad(audio, (pad, settings.n_fft - settings.hop_length - pad), mode="reflect")
    spectrum = librosa.stft(
        padded, n_fft=settings.n_fft, hop_length=settings.hop_length, center=False
    )
    bank = librosa.filters.mel(
        sr=settings.sample_rate,
        n_fft=settings.n_fft,
        n_mels=settings.n_mels,
        fmin=settings.fmin,
        fmax=settings.fmax,
    )
    expected = np.log(np.maximum(bank @ np.sqrt(np.abs(spectrum) ** 2 + 1e-9), 1e-5)).T
    np.testing.assert_allclose(mel.mel(audio, settings), expected[:50], atol=2e-4)


def test_a_click_is_loudest_in_its_frame():
    audio = np.zeros(256 * 40, np.float32)
    audio[256 * 17 + 128] = 1.0
    assert mel.mel(audio, SETTINGS).sum(axis=1).argmax() == 17


def test_a_sine_is_loudest_in_its_band():
    import librosa

    for hz in (200.0, 1000.0, 4000.0):
        audio = np.sin(2 * np.pi * hz * np.arange(22050) / 22050).astype(np.float32)
        band = mel.mel(audio, SETTINGS).mean(axis=0).argmax()
        centres = librosa.mel_frequencies(82, fmin=0, fmax=8000)[1:-1]
        assert abs(int(band) - int(np.abs(centres - hz).argmin())) <= 1


@pytest.mark.parametrize("samples", [256, 257, 300, 511, 512, 1000])
def test_short_clips_have_their_frames(samples):
    frames = mel.mel(noise(samples), SETTINGS)
    assert frames.shape == (samples // 256, 80)
    assert np.isfinite(frames).all()


def test_less_than_a_hop_has_no_frame():
    assert mel.mel(noise(255), SETTINGS).shape == (0, 80)


def test_long_audio_in_blocks_equals_the_whole():
    """Frames at the joins of blocks equal those of a clip cut around them."""
    audio = noise(256 * 2100)
    whole = mel.mel(audio, SETTINGS)
    part = mel.mel(audio[256 * 1000 : 256 * 1060], SETTINGS)
    np.testing.assert_allclose(whole[1005:1055], part[5:55], atol=1e-5)


def test_the_batched_spectrogram_is_equal_and_differentiable():
    import torch

    audio = np.stack([noise(256 * 20, seed) for seed in range(3)])
    batch = torch.tensor(audio, requires_grad=True)
    batched = mel.MelSpectrogram(SETTINGS)(batch)
    for clip, expected in zip(batched.detach().numpy(), audio, strict=True):
        np.testing.assert_allclose(clip, mel.mel(expected, SETTINGS), atol=1e-5)
    batched.sum().backward()
    assert batch.grad is not None
    assert torch.isfinite(batch.grad).all()
    assert (batch.grad != 0).any(dim=1).all()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"n_fft": 100}, "n_fft 100 is less than hop_length 256"),
        ({"fmax": 12000.0}, "half of sample_rate"),
        ({"fmin": 9000.0}, "half of sample_rate"),
        ({"n_mels": 0}, "n_mels is 0"),
    ],
)
def test_invalid_settings_are_refused(settings, says):
    with pytest.raises(TtskitError, match=says):
        MelSettings(**settings)


def test_more_bands_than_frequencies_are_refused():
    with pytest.raises(TtskitError, match="hold no frequency"):
        mel.mel(noise(4096), MelSettings(n_fft=256, n_mels=128))


def test_audio_must_be_one_axis_of_floats():
    with pytest.raises(AudioError, match="int16"):
        mel.mel(np.zeros(1000, np.int16), SETTINGS)


def test_reflection_agrees_with_numpy():
    for samples, before, after in ((10, 3, 4), (4, 9, 7), (2, 5, 5), (7, 0, 6)):
        expected = np.pad(np.arange(samples), (before, after), mode="reflect")
        np.testing.assert_array_equal(grid.reflected(samples, before, after), expected)
