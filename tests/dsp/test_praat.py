import numpy as np
import pytest

from ttskit.dsp import praat
from ttskit.errors import AudioError

RATE, HOP = 22050, 256


def centres(audio):
    return (np.arange(len(audio) // HOP) + 0.5) * HOP / RATE


@pytest.mark.parametrize("method", ["ac", "cc"])
def test_the_pitch_of_a_chirp_does_not_drift_in_a_minute(method):
    time = np.arange(60 * RATE) / RATE
    f0 = 100 * 2 ** (time / 60 + 0.3 * np.sin(2 * np.pi * 0.5 * time))
    phase = 2 * np.pi * np.cumsum(f0) / RATE
    sines = (np.cos(order * phase) / order for order in range(1, 8))
    audio = sum(sines, np.zeros(len(time))) * 0.1
    heard, strength = praat.pitch(audio, RATE, HOP, method=method)
    truth = np.interp(centres(audio), time, f0)
    cents = 1200 * np.log2(np.maximum(heard, 1) / truth)[10:-10]
    assert (heard[10:-10] > 0).all()
    assert np.median(np.abs(cents)) < 6
    assert abs(np.median(cents[:1000]) - np.median(cents[-1000:])) < 2
    assert strength[10:-10].min() > 0.9


def test_noise_and_silence_have_no_pitch():
    noise = np.random.default_rng(0).normal(0, 0.1, 2 * RATE)
    assert (praat.pitch(noise, RATE, HOP)[0] > 0).mean() < 0.1
    heard, strength = praat.pitch(np.zeros(RATE), RATE, HOP)
    assert not heard.any()
    assert not strength.any()


def test_measures_recover_planted_values():
    """A 120 Hz pulse train through resonators at 700 and 1800 Hz."""
    from scipy.signal import lfilter

    audio = np.zeros(RATE)
    audio[:: RATE // 120] = 1.0
    for peak, width in ((700, 60), (1800, 80), (2600, 120)):
        pole = np.exp(-np.pi * width / RATE + 2j * np.pi * peak / RATE)
        audio = lfilter([1], [1, -2 * pole.real, abs(pole) ** 2], audio)
    audio *= 0.5 / np.abs(audio).max()
    measured = praat.measures(audio, RATE, HOP)
    frames = len(audio) // HOP
    assert measured["formants"].shape == (frames, 5)
    inner = slice(10, -10)
    assert np.median(measured["formants"][inner, 0]) == pytest.approx(700, rel=0.08)
    assert np.median(measured["formants"][inner, 1]) == pytest.approx(1800, rel=0.08)
    assert np.median(measured["harmonicity"][inner]) > 20
    level = 10 * np.log10(np.mean(audio**2) / 4e-10)
    assert np.median(measured["intensity"][inner]) == pytest.approx(level, abs=1)
    assert measured["jitter"] < 0.01
    assert all(np.isfinite(values).all() for values in measured.values())


def test_audio_that_is_too_short_is_refused():
    with pytest.raises(AudioError, match=r"lasts 0.045 s, Praat needs 0.060 s"):
        praat.pitch(np.ones(1000) * 0.1, RATE, HOP)
