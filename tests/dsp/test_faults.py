import numpy as np
import pytest

from ttskit.dsp import faults

RATE = 16000


def test_short_runs_at_full_scale_are_not_clipping():
    assert faults.clipped(np.array([0, 32767, 32767, 0, -32768, 0], np.int16)) == 0
    assert faults.clipped(np.array([0, 32767, 32767, 32767, 32760], np.int16)) == 4


def test_octave_jumps_count_only_between_voiced_frames():
    f0 = np.array([100, 200, 200, 100, 101], np.float32)
    voiced = np.array([True, True, False, True, True])
    assert faults.octave_jumps(f0, voiced) == 1


@pytest.mark.parametrize("seconds", [0.0, 0.7])
def test_pauses_are_measured(seconds):
    quiet = np.zeros(int(seconds * RATE))
    tone = 8000 * np.sin(np.arange(RATE) * 0.2)
    audio = np.concatenate([quiet, tone, quiet, quiet, tone, quiet]).astype(np.int16)
    expected = (seconds, 2 * seconds, seconds)
    assert faults.pauses(audio, RATE) == pytest.approx(expected, abs=0.03)
