"""SwiftF0 on our grid, against signals whose pitch is known."""

import os
import sys

import numpy as np
import pytest

from ttskit.dsp import pitch, swift
from ttskit.errors import AudioError, TtskitError

RATE, HOP = 22_050, 256
INNER = slice(5, -5)  # frames whose windows lie within the recording


@pytest.fixture(scope="module")
def network():
    return swift.Swift()


def pulses(f0, most=40, rate=RATE):
    """At most that many harmonics, falling by 6 dB an octave, that follow f0 (sample,)."""
    phase = 2 * np.pi * np.cumsum(f0) / rate
    orders = np.arange(1, min(most, int(0.45 * rate / f0.max())) + 1)
    return 0.2 * sum((np.cos(k * phase) / k for k in orders), np.zeros(len(f0)))


def cents(f0, truth, hop=HOP):
    """Error of f0 (frame,) against the truth (sample,) at the frames' centres."""
    at = (2 * np.arange(len(f0)) + 1) * hop // 2
    return 1200 * np.log2(f0 / truth[at])


@pytest.mark.parametrize("hz", [110, 220, 440])
def test_the_pitch_of_sines_is_found(network, hz):
    truth = np.full(2 * RATE, float(hz))
    f0, _ = network.pitch(pulses(truth, most=1), RATE, HOP)
    assert np.median(np.abs(cents(f0, truth))) < 10


@pytest.mark.parametrize("hz", [60, 110, 220, 500])
def test_the_pitch_of_pulses_with_vibrato_is_found_and_voiced(network, hz):
    time = np.arange(2 * RATE) / RATE
    truth = hz * 2 ** (0.5 / 12 * np.sin(2 * np.pi * 5 * time))
    f0, confidence = network.pitch(pulses(truth), RATE, HOP)
    assert np.abs(cents(f0, truth))[INNER].max() < 20
    assert pitch.voicing(confidence).mean() > 0.95


@pytest.mark.parametrize(("rate", "hop"), [(16_000, 256), (22_050, 256), (24_000, 300)])
def test_frames_of_a_glide_are_centred_on_our_grid_and_do_not_drift(network, rate, hop):
    """Pitch rises and falls by 600 cents a second, so a lag of f0 shows as an error."""
    time = np.arange(24 * rate) / rate
    truth = 100 * 4 ** np.abs((time / 4) % 2 - 1)
    f0, _ = network.pitch(pulses(truth, 10, rate), rate, hop)
    assert len(f0) == len(time) // hop
    at = (2 * np.arange(len(f0)) + 1) * hop // 2
    slope = 1200 * np.gradient(np.log2(truth))[at] * rate  # cents a second
    error = cents(f0, truth, hop)
    eight = 8 * rate // hop
    for part in (slice(10, eight), slice(-eight, -10)):
        assert abs(error[part] @ slope[part]) / (slope[part] @ slope[part]) < 0.001
    assert np.median(np.abs(error)) < 5


@pytest.mark.parametrize("samples", [0, 255, 256, 257, 1000, 5119, 5120])
def test_there_is_a_value_for_every_whole_frame(network, samples):
    audio = pulses(np.full(5120, 150.0))[:samples]
    f0, confidence = network.pitch(audio, RATE, HOP)
    assert f0.shape == confidence.shape == (samples // HOP,)
    assert f0.dtype == confidence.dtype == np.float32
    assert (f0 > 0).all()


@pytest.mark.parametrize("level", [0.1, 1e-3, 0.0])
def test_noise_and_silence_are_unvoiced(network, level):
    noise = level * np.random.default_rng(0).normal(size=2 * RATE)
    _, confidence = network.pitch(noise, RATE, HOP)
    assert pitch.voicing(confidence).mean() < 0.05


def test_f0_stays_within_its_range(network):
    f0, _ = network.pitch(pulses(np.full(RATE, 300.0)), RATE, HOP, 60, 200)
    assert f0.min() >= 59.9
    assert f0.max() <= 200.1


def test_a_recording_that_is_not_numbers_and_an_empty_range_are_refused(network):
    with pytest.raises(AudioError, match="not numbers"):
        network.pitch(np.full(RATE, np.nan), RATE, HOP)
    for limits in ((3000, 4000), (20, 45), (100, 101)):
        with pytest.raises(TtskitError, match=r"SwiftF0 knows pitch from 46.9 to 2094 Hz"):
            swift.check_range(*limits)
    swift.check_range(1, 20_000)


@pytest.mark.parametrize("missing", ["swift_f0", "onnxruntime"])
def test_without_the_package_the_extra_is_named(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(TtskitError, match=r"needs the extra swift: pip install 'ttskit\[swift\]'"):
        swift.Swift()


def test_the_telemetry_of_onnxruntime_is_off(monkeypatch):
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    swift.Swift()
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
