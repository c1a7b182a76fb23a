import numpy as np
import pytest

from ttskit.dsp import speechlike
from ttskit.dsp.speechlike import Letter


def test_the_pitch_is_the_stated_one():
    """Praat measures the same f0."""
    import parselmouth

    rng = np.random.default_rng(0)
    for f0 in (90.0, 180.0, 300.0):
        spoken = [Letter("", 0.1), Letter("a", 1.0), Letter("m", 0.5), Letter("", 0.1)]
        audio, truth = speechlike.synthesise(spoken, rng, 22050, f0)
        heard = parselmouth.Sound(audio, 22050).to_pitch_ac(pitch_floor=50, pitch_ceiling=500)
        times = heard.xs()
        values = heard.selected_array["frequency"]
        inside = (times > 0.15) & (times < 1.55)
        expected = np.interp(times[inside], np.arange(len(audio)) / 22050, truth.f0)
        cents = 1200 * np.abs(np.log2(values[inside] / expected))
        assert np.median(cents) < 5


def test_sounds_start_where_stated():
    rng = np.random.default_rng(0)
    spoken = [Letter("", 0.2), Letter("a", 0.3), Letter("s", 0.2), Letter("", 0.1)]
    audio, truth = speechlike.synthesise(spoken, rng, 16000)
    assert truth.starts.tolist() == [0, 3200, 8000, 11200, 12800]
    assert len(audio) == 12800
    parts = np.split(audio, truth.starts[1:-1])
    power = [np.square(part).mean() for part in parts]
    assert power[1] > 5 * power[2] > 1000 * max(power[0], power[3])
    np.testing.assert_array_equal(np.flatnonzero(truth.voiced)[[0, -1]], [3200, 7999])


@pytest.mark.parametrize("letter", [*speechlike.VOWELS, *speechlike.NOISES])
def test_a_sound_peaks_at_a_formant(letter):
    rng = np.random.default_rng(1)
    audio, _ = speechlike.synthesise([Letter(letter, 1.0)], rng, 22050, 100.0)
    power = np.abs(np.fft.rfft(audio * np.hanning(len(audio)))) ** 2
    smooth = np.convolve(power, np.ones(150) / 150, "same")
    peak = np.fft.rfftfreq(len(audio), 1 / 22050)[smooth.argmax()]
    formants = (speechlike.VOWELS | speechlike.NOISES)[letter]
    assert min(abs(peak - formant) / formant for formant in formants) < 0.25


def test_the_same_seed_gives_the_same_signal():
    signals = []
    for _ in range(2):
        rng = np.random.default_rng(3)
        spoken = speechlike.sounds("Seven rivers, quiet.", rng)
        signals.append(speechlike.synthesise(spoken, rng, 16000)[0])
    np.testing.assert_array_equal(signals[0], signals[1])
