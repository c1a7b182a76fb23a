"""Measures of a pair of recordings move by what was done to one of them, and by nothing else."""

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from tests.metrics.signals import RATE, noisy, pair, speech
from ttskit.errors import AudioError
from ttskit.metrics import f0, length, loudness, lsd, mcd, mel, multiresolution, periodicity
from ttskit.metrics.sound import Frames, Sound

MEASURES = (mcd, lsd, mel, multiresolution, f0, periodicity, loudness, length)


def scores(reference, synthesised, timing="dtw"):
    both = pair(reference, synthesised, timing)
    found: dict[str, float] = {}
    for measure in MEASURES:
        scored = measure.evaluate(both, measure.MEASURE.settings)
        assert scored.keys() == measure.SCORES.keys()
        found |= scored
    return found


@pytest.fixture(scope="module")
def audio():
    return speech()


@pytest.mark.parametrize("timing", ["dtw", "plain"])
def test_identical_recordings_get_the_best_values_exactly(audio, timing):
    found = scores(audio, audio.copy(), timing)
    assert found.pop("length_ratio") == 1
    assert found.pop("f0_correlation") == pytest.approx(1)
    assert set(found.values()) == {0}


def test_gain_changes_loudness_and_not_timbre_or_pitch(audio):
    found = scores(audio, audio * 10 ** (6 / 20))
    assert found["loudness_bias"] == pytest.approx(6, abs=0.02)
    assert found["loudness_error"] == pytest.approx(6, abs=0.02)
    assert found["mel_distance"] == pytest.approx(6 / 20 * np.log(10), abs=0.02)
    assert 4.5 < found["lsd"] < 6  # less where there is nothing but the floor
    assert found["mcd"] < 0.4
    assert found["f0_rmse"] < 1
    assert found["spectral_convergence"] == pytest.approx(10 ** (6 / 20) - 1, abs=0.01)


def test_a_difference_of_1_in_one_coefficient_is_a_distortion_of_6_14_decibels():
    reference, synthesised = np.zeros((2, 5, 24))
    synthesised[:, 3] = 1
    assert mcd.distortion(reference, synthesised) == pytest.approx(6.1418, abs=1e-3)
    synthesised[::2, 3] = 0
    synthesised[1::2, 4] = 1  # two frames of five, each of distance sqrt(2)
    assert mcd.distortion(reference, synthesised) == pytest.approx(0.4 * 6.1418 * 2**0.5, abs=1e-3)


def test_noise_moves_spectra_the_more_the_louder_it_is(audio):
    found = [scores(audio, noisy(audio, snr)) for snr in (30, 20, 10)]
    for name in ("mcd", "lsd", "mel_distance", "spectral_convergence", "log_magnitude"):
        values = [one[name] for one in found]
        assert values == sorted(values)
    assert found[2]["spectral_convergence"] == pytest.approx(10 ** (-10 / 20), rel=0.2)


def test_a_semitone_is_a_hundred_cents(audio):
    found = scores(audio, speech(f0=180 * 2 ** (1 / 12)))
    assert found["f0_rmse"] == pytest.approx(100, abs=3)
    assert found["f0_correlation"] > 0.98
    assert found["gpe"] == 0
    assert found["mcd"] < 1.5


def test_an_octave_is_a_gross_error(audio):
    assert scores(audio, speech(f0=360.0))["gpe"] > 0.9


@pytest.mark.parametrize(("factor", "share"), [(1.19, 0), (1.21, 1), (0.81, 0), (0.79, 1)])
def test_a_gross_error_is_more_than_a_fifth_of_the_true_pitch(factor, share):
    voiced = np.ones(4, bool)
    found = f0.errors(np.full(4, 100.0), np.full(4, 100.0 * factor), voiced, voiced)
    assert (found["gpe"], found["ffe"], found["vde"]) == (share, share, 0)
    assert found["f0_rmse"] == pytest.approx(1200 * abs(np.log2(factor)))


def test_spectral_distances_are_means_over_frames_of_what_a_frame_differs_by():
    """A frame of four differs by 10 dB in all bins, another one by 20 dB in a quarter of them."""
    reference, synthesised = np.ones((4, 8)), np.ones((4, 8))
    synthesised[1] = 10.0
    synthesised[2, :2] = 100.0
    assert lsd.distance(reference, synthesised) == pytest.approx((10 + 20 / 2) / 4)
    logs = np.log(reference), np.log(synthesised)
    assert mel.distance(*logs) == pytest.approx((np.log(10) + np.log(100) / 4) / 4)
    convergence, log = multiresolution.distances(synthesised, reference)
    norm = np.sqrt(8 * 100 + 2 * 100**2 + 22)
    assert convergence == pytest.approx(np.sqrt(8 * 81 + 2 * 99**2) / norm)
    assert log == pytest.approx((np.log(10) + np.log(100) / 4) / 4)


def test_the_error_of_periodicity_is_a_root_mean_square():
    assert periodicity.error(np.array([0.5, 0.9]), np.array([0.8, 0.5])) == pytest.approx(
        np.sqrt((0.09 + 0.16) / 2)
    )


def test_a_frame_without_periodicity_or_without_sound_is_unvoiced(audio):
    frames, audio = Frames.at(RATE), np.append(audio, np.zeros(RATE))
    count = len(Sound(audio, frames).loudness)
    sound = Sound(audio, frames, lambda *_: (np.full(count, 100.0), np.full(count, 0.9)))
    np.testing.assert_array_equal(sound.pitch[1], sound.loudness >= -60)
    assert 0 < sound.pitch[1].mean() < 1
    sound = Sound(audio, frames, lambda *_: (np.full(count, 100.0), np.full(count, 0.1)))
    assert not sound.pitch[1].any()


def test_silence_at_the_ends_does_not_change_the_trimmed_distortion(audio):
    hiss = np.random.default_rng(1).normal(0, 3e-4, (2, RATE))
    tone = 3e-4 * np.sin(np.arange(RATE) * 0.3)
    reference = np.concatenate([hiss[0], audio, hiss[1]])
    synthesised = np.concatenate([tone, audio, tone])
    found = scores(reference, synthesised)
    assert found["mcd_trimmed"] < 0.1 * found["mcd"]


def test_stretched_time_is_length_and_is_warped_away(audio):
    found = scores(audio, speech(stretch=1.25))
    assert found["length_ratio"] == pytest.approx(1.25, abs=0.001)
    assert found["mcd_plain"] > 8 * found["mcd"]


def test_silence_at_the_ends_is_trimmed(audio):
    hiss = np.random.default_rng(1).normal(0, 3e-4, (2, RATE))
    frames = Frames.at(RATE)
    bare = Sound(audio, frames).audible(40)
    found = Sound(np.concatenate([hiss[0], audio, hiss[1]]), frames).audible(40)
    assert found.start - bare.start == pytest.approx(RATE / frames.hop_length, abs=1)
    assert found.stop - found.start == pytest.approx(bare.stop - bare.start, abs=1)


def test_a_low_pass_dulls_spectra_and_leaves_pitch(audio):
    dull = sosfiltfilt(butter(8, 3000, fs=RATE, output="sos"), audio)
    found = scores(audio, dull)
    assert found["mcd"] > 4
    assert found["lsd"] > 8
    assert found["f0_rmse"] < 5


def test_lost_voicing_is_a_voicing_error():
    voiced = np.array([True] * 6 + [False] * 4)
    scores = f0.errors(np.full(10, 100.0), np.full(10, 130.0), voiced, np.roll(voiced, 1))
    assert scores["vde"] == pytest.approx(0.2)
    assert scores["gpe"] == 1
    assert scores["ffe"] == pytest.approx((5 + 2) / 10)
    assert np.isnan(scores["f0_correlation"])


def test_without_voice_pitch_is_unknown():
    none = np.zeros(4, bool)
    assert np.isnan(f0.errors(np.zeros(4), np.zeros(4), none, none)["f0_rmse"])


def test_silence_has_no_loudness_to_compare():
    assert np.isnan(loudness.errors(np.full(3, -80.0), np.full(3, -20.0))).all()


def test_digital_silence_is_compared_without_infinities(audio):
    found = scores(audio, np.zeros(RATE))
    assert all(np.isfinite(found[name]) for name in ("mcd", "lsd", "mel_distance", "log_magnitude"))


@pytest.mark.parametrize(
    ("audio", "reason"),
    [(np.zeros(20), "20 samples"), (np.full(999, np.nan), "are NaN or infinite")],
)
def test_empty_and_nan_recordings_are_refused(audio, reason):
    with pytest.raises(AudioError, match=reason):
        Sound(audio, Frames.at(RATE))
