"""The voice that comes with ttskit: small enough, and it speaks like the one who lent it."""

import numpy as np
import parselmouth
import pytest

import ttskit
from ttskit.voices import embedded

TEXT = "The quick brown fox jumps over the lazy dog."
LOW, HIGH = 126, 214  # Hz


@pytest.fixture(scope="module")
def said():
    return ttskit.say(TEXT, seed=1)


def test_the_embedded_voice_is_at_most_16_megabytes():
    (path,) = embedded.voices().values()
    assert path.stat().st_size <= 16_000_000


def test_a_sentence_lasts_as_long_as_a_person_takes(said):
    audio, rate = said
    assert 2.0 < len(audio) / rate < 4.0
    assert 0.02 < np.sqrt(np.mean(audio**2)) < 0.3
    assert np.abs(audio).max() <= 1


def test_its_pitch_is_that_of_the_speaker(said):
    """Nine in ten voiced frames of her recordings lie between LOW and HIGH Hz (CREPE)."""
    audio, rate = said
    sound = parselmouth.Sound(audio.astype(np.float64), rate)
    found = sound.to_pitch(pitch_floor=60, pitch_ceiling=400).selected_array["frequency"]
    voiced = found[found > 0]
    assert len(voiced) > 0.3 * len(found)
    assert LOW < np.median(voiced) < HIGH
