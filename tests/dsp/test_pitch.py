"""Voicing and the filling of f0, on tracks short enough to read."""

import numpy as np
import pytest

from ttskit.dsp import pitch


def test_a_voiced_stretch_needs_one_frame_above_enter():
    periodicity = np.array([0.1, 0.3, 0.6, 0.3, 0.1, 0.3, 0.4, 0.1])
    assert pitch.voicing(periodicity).tolist() == [False, True, True, True] + [False] * 4


def test_silence_is_unvoiced_and_separates_stretches():
    periodicity = np.array([0.9, 0.9, 0.3, 0.3])
    loudness = np.array([-20.0, -70.0, -20.0, -20.0])
    assert pitch.voicing(periodicity, loudness).tolist() == [True, False, False, False]


def test_thresholds_are_inclusive():
    assert pitch.voicing(np.array([0.25, 0.5]), np.array([-60.0, -60.0])).all()


def test_no_frames_have_no_voicing():
    assert pitch.voicing(np.zeros(0)).shape == (0,)


def test_filling_is_linear_in_octaves_and_constant_at_the_ends():
    f0 = np.array([7, 100, 7, 7, 7, 1600, 7])
    voiced = np.array([0, 1, 0, 0, 0, 1, 0], bool)
    assert pitch.fill(f0, voiced) == pytest.approx([100, 100, 200, 400, 800, 1600, 1600])


def test_voiced_frames_keep_their_f0_to_the_bit():
    f0 = np.random.default_rng(0).uniform(50, 550, 100).astype(np.float32)
    voiced = np.arange(100) % 3 > 0
    assert (pitch.fill(f0, voiced)[voiced] == f0[voiced]).all()


def test_without_a_voiced_frame_f0_is_zero():
    assert pitch.fill(np.full(3, 200.0), np.zeros(3, bool)).tolist() == [0, 0, 0]
