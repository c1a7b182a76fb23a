"""Pitch of a mel against planted pitch."""

import numpy as np
import pytest

from ttskit.dsp import melpitch, speechlike
from ttskit.dsp.mel import MelSettings, mel
from ttskit.dsp.melpitch import pitch

RATE = 22050


def buzz(f0, seconds=1.0):
    """Harmonics of f0 (Hz) that fall by 6 dB an octave, and some noise."""
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(f0, int(seconds * RATE))) / RATE
    rng = np.random.default_rng(0)
    harmonics = sum(np.cos(k * phase + rng.uniform(0, 7)) / k for k in range(1, 20))
    return (0.1 * harmonics + rng.normal(0, 1e-3, len(phase))).astype(np.float32)


def cents(f0, right):
    return 1200 * np.abs(np.log2(f0 / right))


@pytest.mark.parametrize("f0", [95.0, 130.0, 210.0, 320.0, 450.0])
def test_the_pitch_of_harmonics_is_found(f0):
    found, voiced = pitch(mel(buzz(f0), MelSettings()), MelSettings())
    assert voiced.all()
    assert cents(found, f0).max() < 50


def test_a_gliding_pitch_is_followed():
    f0 = 150 * 2 ** np.linspace(0, 1, RATE)
    found, voiced = pitch(mel(buzz(f0), MelSettings()), MelSettings())
    centres = (np.arange(len(found)) * 256 + 128).astype(int)
    assert voiced.mean() > 0.95
    assert np.median(cents(found[voiced], f0[centres][voiced])) < 30


def test_noise_and_silence_are_unvoiced():
    noise = np.random.default_rng(1).normal(0, 0.1, RATE).astype(np.float32)
    for audio in (noise, np.zeros(RATE, np.float32)):
        found, voiced = pitch(mel(audio, MelSettings()), MelSettings())
        assert voiced.mean() < 0.05
        assert not found[~voiced].any()


def test_voicing_of_speech_like_sounds_is_found():
    rng = np.random.default_rng(3)
    sounds = speechlike.sounds("salvi noma, ketu", rng)
    audio = speechlike.synthesise(sounds, rng, RATE)[0]
    _, voiced = pitch(mel(audio, MelSettings()), MelSettings())
    edges = np.cumsum([0, *(sound.seconds for sound in sounds)]) * RATE / 256
    for sound, start, stop in zip(sounds, edges, edges[1:], strict=False):
        inner = voiced[int(start) + 2 : int(stop) - 2]
        if len(inner) > 2:
            assert abs(inner.mean() - sound.voiced) < 0.5, sound


def test_the_path_is_the_best_of_all():
    """Against every sequence of candidates, tried one by one."""
    from itertools import pairwise, product

    rng = np.random.default_rng(0)
    for _ in range(10):
        height, octaves = rng.normal(size=(5, 3)), rng.normal(6, 1, (5, 3))

        def gain(path, height=height, octaves=octaves):
            total = sum(height[t, c] for t, c in enumerate(path))
            for t, (a, b) in enumerate(pairwise(path)):
                if (a == 2) != (b == 2):
                    total -= melpitch.CHANGE
                elif a != 2:
                    total -= melpitch.JUMP * abs(octaves[t, a] - octaves[t + 1, b])
            return total

        best = max(product(range(3), repeat=5), key=gain)
        assert tuple(melpitch.path(height, octaves)) == best


def test_no_frame_has_no_pitch():
    found, voiced = pitch(np.zeros((0, 80), np.float32), MelSettings())
    assert len(found) == len(voiced) == 0


def test_bands_too_wide_for_harmonics_are_unvoiced_or_right():
    settings = MelSettings(sample_rate=8000, n_fft=256, hop_length=64, n_mels=10)
    found, voiced = pitch(np.full((1, 10), -11.5, np.float32), settings)
    assert found.shape == voiced.shape == (1,)


@pytest.mark.parametrize("f0", [446.0, 474.0])
def test_pitch_between_two_lags_is_found(f0):
    """Lags of 46 to 50 samples are 35 cents and more apart."""
    found, _ = pitch(mel(buzz(f0), MelSettings()), MelSettings())
    assert np.median(cents(found, f0)) < 8


def test_a_jump_of_pitch_costs_what_it_gains_otherwise():
    """Between two candidates as high, a path keeps to one; the costs are those of the docs."""
    octaves = np.tile([7.0, 8.0, 0.0], (6, 1))
    height = np.tile([0.8, 0.8, 0.0], (6, 1))
    height[2::2, 1] += 0.3
    assert melpitch.path(height, octaves).tolist() in ([0] * 6, [1] * 6)
