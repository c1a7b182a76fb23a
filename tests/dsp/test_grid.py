"""The frame grid."""

import numpy as np
import pytest

from ttskit.dsp import grid


def test_frames_are_centred_in_their_samples():
    assert grid.count(1023, 256) == 3
    np.testing.assert_array_equal(grid.centres(3, 256), [128, 384, 640])


@pytest.mark.parametrize("samples", [1, 2, 3, 7, 300, 5000])
@pytest.mark.parametrize(("before", "after"), [(0, 0), (384, 384), (5, 900)])
def test_reflection_agrees_with_numpy_beyond_the_length_of_the_clip(samples, before, after):
    clip = np.random.default_rng(0).normal(size=samples)
    expected = np.pad(clip, (before, after), mode="reflect")
    np.testing.assert_array_equal(clip[grid.reflected(samples, before, after)], expected)


@pytest.mark.parametrize("window", [2, 255, 512, 1024, 1025])
def test_hann_windows_equal_those_of_scipy(window):
    from scipy.signal.windows import hann

    expected = hann(window, sym=False).astype(np.float32)
    np.testing.assert_array_equal(grid.hann(window), expected)


@pytest.mark.parametrize(("window", "hop_length"), [(1024, 256), (512, 275), (100, 256), (64, 64)])
def test_a_window_is_centred_on_its_frame(window, hop_length):
    samples = np.arange(5000.0)
    frames = grid.windows(samples, window, hop_length)
    inner = frames[8:-8, window // 2]
    expected = grid.centres(len(frames), hop_length)[8:-8]
    assert frames.shape == (5000 // hop_length, window)
    assert np.abs(inner - expected).max() <= (window - hop_length) % 2 / 2
