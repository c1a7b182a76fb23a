import numpy as np
import pytest

from ttskit.dsp import loudness
from ttskit.dsp.mel import MelSettings, mel

RATE, HOP = 22050, 256


def sine(hz, level=1.0, seconds=1.0):
    return level * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE)


def test_the_a_curve_agrees_with_librosa():
    import librosa

    hz = np.linspace(1, 11025, 500)
    expected = librosa.A_weighting(hz, min_db=-80)
    np.testing.assert_allclose(loudness.a_weighting(hz), expected, atol=0.01)


def test_halving_the_amplitude_takes_six_decibels():
    loud = loudness.loudness(sine(1000), RATE, HOP)[5:-5]
    soft = loudness.loudness(sine(1000, 0.5), RATE, HOP)[5:-5]
    np.testing.assert_allclose(loud - soft, 20 * np.log10(2), atol=0.01)


@pytest.mark.parametrize("n_fft", [512, 1024])
def test_loudness_is_the_weighted_mean_of_the_power_over_bins(n_fft):
    import librosa

    audio = np.random.default_rng(0).normal(0, 0.1, 4 * RATE)
    power = np.abs(librosa.stft(audio, n_fft=n_fft, hop_length=HOP, window="hann")) ** 2
    hertz = np.maximum(librosa.fft_frequencies(sr=RATE, n_fft=n_fft), 1)
    weight = 10 ** (librosa.A_weighting(hertz) / 10)
    expected = 10 * np.log10((power * weight[:, None]).mean(0))
    own = loudness.loudness(audio, RATE, HOP, n_fft)
    assert own.mean() == pytest.approx(expected.mean(), abs=0.1)
    # a sine of amplitude 1 in a Hann window: a line of n / 4 and two of half of that
    full_scale = 10 * np.log10(1.5 * (n_fft / 4) ** 2 / (n_fft / 2 + 1))
    tone = loudness.loudness(sine(1000), RATE, HOP, n_fft)[5:-5]
    assert tone.mean() == pytest.approx(full_scale, abs=0.3)


@pytest.mark.parametrize("hz", [200, 500, 3000])
def test_the_loudness_of_a_tone_follows_the_a_curve(hz):
    import librosa

    level = np.median(loudness.loudness(sine(hz), RATE, HOP))
    against = np.median(loudness.loudness(sine(1000), RATE, HOP))
    expected = librosa.A_weighting(np.array([hz]))[0] - librosa.A_weighting(np.array([1000]))[0]
    assert level - against == pytest.approx(expected, abs=0.6)


def test_silence_is_at_the_floor():
    assert (loudness.loudness(np.zeros(RATE), RATE, HOP) == -80).all()


def test_frames_are_those_of_the_grid():
    """A click is loudest where it is; samples // hop frames."""
    audio = np.zeros(HOP * 30 + 99)
    audio[HOP * 12 + HOP // 2] = 1.0
    for values in (loudness.loudness(audio, RATE, HOP), loudness.energy(audio, HOP)):
        assert len(values) == 30
        assert values.argmax() == 12


def test_energy_is_the_norm_of_the_spectrum():
    """By Parseval: for a window w, the sum over half the spectrum is about N/2 times (w x)^2."""
    audio = np.random.default_rng(0).normal(0, 0.1, RATE)
    energy = loudness.energy(audio, HOP, 1024)
    window = np.hanning(1025)[:-1]
    expected = np.sqrt(1024 / 2 * (window**2).sum() * 0.01)
    assert np.median(energy) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("settings", [MelSettings(), MelSettings(n_fft=2048, n_mels=100)])
@pytest.mark.parametrize("hz", [None, 110, 330])
def test_a_mel_says_how_loud_its_frames_are(settings, hz):
    """Noise below 8 kHz, and a voice of twenty harmonics, which get softer."""
    seconds = np.arange(2 * RATE) / RATE
    if hz is None:
        spectrum = np.fft.rfft(np.random.default_rng(0).normal(0, 0.1, len(seconds)))
        spectrum[np.fft.rfftfreq(len(seconds), 1 / RATE) > 7500] = 0
        audio = np.fft.irfft(spectrum)
    else:
        audio = sum(0.1 / k * np.sin(2 * np.pi * k * hz * seconds + k**2) for k in range(1, 21))
    power = np.exp(2 * mel(audio.astype(np.float32), settings)) @ loudness.mel_weights(settings)
    own = 10 * np.log10(power)
    expected = loudness.loudness(audio, RATE, HOP)
    assert own[5:-5].mean() == pytest.approx(expected[5:-5].mean(), abs=2)
