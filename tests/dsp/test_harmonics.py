import numpy as np
import pytest

from ttskit.dsp.harmonics import patterns
from ttskit.dsp.mel import MelSettings, mel


@pytest.mark.parametrize("f0", [90.0, 200.0, 333.0])
def test_a_pattern_is_the_mel_of_a_sum_of_cosines(f0):
    settings = MelSettings()
    time = np.arange(40 * settings.hop_length) / settings.sample_rate
    tone = sum(np.cos(2 * np.pi * k * f0 * time) for k in range(1, int(8000 / f0) + 1))
    expected = mel(0.01 * tone.astype(np.float32), settings)[10:-10].mean(axis=0)
    (pattern,) = patterns(np.array([f0]), settings).numpy()
    # where bands resolve no harmonics the pulses' place in the window makes a small difference
    np.testing.assert_allclose(pattern, expected - expected.mean(), atol=0.35)
    assert np.abs(pattern - (expected - expected.mean())).mean() < 0.08


def test_patterns_have_mean_0_and_tell_pitches_apart():
    low, high = patterns(np.array([120.0, 127.0]), MelSettings())
    assert low.mean().item() == pytest.approx(0, abs=1e-5)
    assert (low - high).abs()[:20].max() > 0.5
