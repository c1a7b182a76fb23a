"""Planted errors in signals: the diagnosis finds them, as large as they are."""

import numpy as np
import pytest
import torch

from benchmarks.diagnose_vocoder import (
    BANDS,
    HOP,
    RATE,
    coherence,
    envelope,
    harmonics,
    modulation,
    refined,
    spectrum,
)
from benchmarks.exchange_phases import mixed
from ttskit.dsp import grid
from ttskit.dsp.mel import MelSettings
from ttskit.dsp.source import pulses

FRAMES, F0, INNER = 200, 210.0, slice(5, -5)
VOICED = np.ones(FRAMES, bool)
NOISE = np.random.default_rng(0).normal(0, 1, FRAMES * HOP)


@pytest.fixture(scope="module")
def train():
    """Harmonics of 210 Hz, as loud as white noise of deviation 1."""
    return pulses(torch.full((1, FRAMES), F0), MelSettings())[0].numpy().astype(float)


def pitch(frames):
    return np.full(len(frames), F0)


@pytest.mark.parametrize("band", BANDS.values())
@pytest.mark.parametrize("level", [0.1, 0.3])
def test_harmonics_are_above_noise_by_what_was_planted(train, band, level):
    frames = spectrum(train + level * NOISE)[INNER]
    window = grid.hann(1024)
    # A harmonic of amplitude a peaks at a / 2 times the sum of the window; `pulses` says what a is.
    power = 4 / RATE * F0 / 4 * window.sum() ** 2
    noise = level**2 * np.square(window).sum()
    expected = 10 * np.log10(1 + power / noise)
    assert harmonics(frames, pitch(frames), band).mean() == pytest.approx(expected, abs=1.5)


@pytest.mark.parametrize("band", BANDS.values())
def test_phases_of_a_pulse_train_are_coherent_and_those_of_noise_are_not(train, band):
    def found(audio):
        frames = spectrum(audio)[INNER]
        return coherence(frames[:-1], frames[1:], pitch(frames)[1:], band).mean()

    assert found(train) > 0.99
    assert found(NOISE) < 0.75
    assert found(NOISE) < found(train + 0.3 * NOISE) < found(train)


def test_pitch_is_refined(train):
    frames = spectrum(train)[INNER]
    assert refined(frames, 0.97 * pitch(frames)) == pytest.approx(F0, rel=0.01)


@pytest.mark.parametrize("depth", [0.05, 0.2])
@pytest.mark.parametrize("times", [1, 2])
def test_the_depth_of_a_modulation_is_what_was_planted(depth, times):
    hertz, seconds = times * RATE / HOP, np.arange(FRAMES * HOP) / RATE
    tone = np.sin(2 * np.pi * 3000 * seconds)
    found, near = modulation(
        tone * (1 + depth * np.sin(2 * np.pi * hertz * seconds)), VOICED, BANDS["2-4"], hertz
    )
    assert found == pytest.approx(depth, rel=0.03)
    assert near < (depth / 10) ** 2
    assert modulation(tone, VOICED, BANDS["2-4"], hertz)[0] < 0.002


def test_a_gain_in_a_band_is_a_distance_there_alone():
    true = spectrum(NOISE)
    copy = true.copy()
    copy[:, 372:] *= 2  # from 2 kHz
    assert np.sqrt(envelope(true, copy, (2300, 4000)).mean()) == pytest.approx(6.02, abs=0.01)
    assert envelope(true, copy, (0, 1500)).max() == 0


def test_exchanged_phases_of_one_signal_leave_it_as_it_is():
    audio = np.rint(3000 * NOISE).astype(np.int16)
    assert np.abs(mixed(audio, audio).astype(int) - audio).max() <= 1
    louder = (audio // 2).astype(np.int16)  # the same phases
    assert np.corrcoef(mixed(louder, audio), louder)[0, 1] > 0.999
