"""Copy synthesis of speech-like signals."""

import numpy as np
import pytest
import torch

from ttskit.dsp import speechlike
from ttskit.dsp.griffinlim import griffinlim
from ttskit.dsp.mel import MelSettings, mel
from ttskit.errors import TtskitError

# 22,050 Hz with the default settings reaches 0.07; half as much again for other CPUs.
BOUND = 0.1


@pytest.fixture(autouse=True)
def one_thread():
    """On a busy machine torch's threads wait for each other longer than they work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def copy(log_mel, settings, rounds=32, seed=0):
    return griffinlim(log_mel, settings, np.random.default_rng(seed), rounds)


@pytest.fixture(scope="module")
def speech():
    rng = np.random.default_rng(3)
    return speechlike.synthesise(speechlike.sounds("salvi noma, ketu", rng), rng, 22050)[0]


@pytest.mark.parametrize(
    "settings",
    [
        MelSettings(),
        MelSettings(sample_rate=16000, n_fft=800, hop_length=200, n_mels=64),
    ],
)
def test_the_copy_has_the_same_mel_spectrogram(speech, settings):
    target = mel(speech, settings)
    audio = copy(target, settings)
    assert audio.dtype == np.float32
    assert audio.shape == (len(target) * settings.hop_length,)
    error = np.abs(mel(audio, settings) - target).mean()
    assert error < BOUND
    assert error < 0.5 * np.abs(mel(copy(target, settings, 1), settings) - target).mean()


def test_edges_are_no_worse_than_the_middle(speech):
    settings = MelSettings()
    target = mel(speech[20000:40000], settings)
    error = np.abs(mel(copy(target, settings), settings) - target).mean(axis=1)
    assert error[[0, -1]].max() < 4 * error.mean()


def test_the_seed_decides(speech):
    target = mel(speech, MelSettings())[:40]
    np.testing.assert_array_equal(copy(target, MelSettings()), copy(target, MelSettings()))
    assert (copy(target, MelSettings(), seed=1) != copy(target, MelSettings())).any()


@pytest.mark.parametrize("frames", [0, 1, 2, 5])
def test_short_and_silent_ones_stay_tame(frames):
    audio = copy(np.full((frames, 80), np.log(1e-5)), MelSettings())
    assert audio.shape == (frames * 256,)
    assert np.abs(audio).max(initial=0.0) < 1e-2


def test_windows_that_hardly_overlap_do_not_blow_up(speech):
    settings = MelSettings(n_fft=512, hop_length=512, n_mels=40)
    assert np.abs(copy(mel(speech, settings), settings)).max() < 3


def test_a_tone_comes_back_where_it_was():
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(22050) / 22050).astype(np.float32)
    audio = copy(mel(tone, MelSettings()), MelSettings())
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio))))
    # Bins of the transform are 21.5 Hz apart, and the mel bands are wider still.
    assert abs(spectrum.argmax() * 22050 / len(audio) - 440) < 22


def test_another_number_of_bands_is_refused():
    with pytest.raises(TtskitError, match=r"right would be \(frame, 80\)"):
        copy(np.zeros((10, 64)), MelSettings())


def test_momentum_comes_closer_in_as_many_rounds(speech):
    target = mel(speech, MelSettings())
    errors = [
        np.abs(
            mel(
                griffinlim(target, MelSettings(), np.random.default_rng(0), 16, momentum),
                MelSettings(),
            )
            - target
        ).mean()
        for momentum in (0.0, 0.99)
    ]
    assert errors[1] < 0.9 * errors[0]
