"""Sentences in a long recording by their lengths: planted ones are found."""

import numpy as np
import pytest

from ttskit.dsp import lengths

RATE = 8000


def talk(spoken, seed=0, pace=0.06):
    """Noise for speech: samples, and where each sentence is; pauses within sentences, too."""
    rng = np.random.default_rng(seed)
    parts, places, now = [], [], 0.0

    def add(seconds, level):
        nonlocal now
        count = int(seconds * RATE)
        parts.append(level * rng.standard_normal(count))
        now += count / RATE

    for letters in spoken:
        add(rng.uniform(0.1, 0.6), 1e-3)
        start, left = now, letters * pace * np.exp(rng.normal(0, 0.1))
        while left > 0:
            burst = min(left, rng.uniform(0.4, 1.5))
            add(burst, 0.1)
            left -= burst
            end = now
            if left > 0:
                add(rng.uniform(0.05, 0.15), 1e-3)
        places.append((start, end))
    add(0.5, 1e-3)
    return np.concatenate(parts), places


def letters_of(count, seed=1):
    return np.random.default_rng(seed).integers(10, 120, count)


def test_sentences_are_found_where_they_were_planted():
    letters = letters_of(150)
    samples, places = talk(letters)
    found = lengths.find(lengths.pauses(samples, RATE), letters.astype(float))
    right = [n for n, *at in found if np.abs(np.subtract(at, places[n])).max() < 0.1]
    assert len(right) > 0.95 * len(letters)


def test_it_finds_its_way_again_where_text_and_recording_lack_sentences_of_each_other():
    letters = letters_of(150)
    samples, places = talk(np.delete(letters, range(60, 64)))  # four are not spoken
    places[60:60] = [(0.0, 0.0)] * 4
    known = np.delete(np.arange(150), range(100, 104))  # four are not written
    found = lengths.find(lengths.pauses(samples, RATE), letters[known].astype(float))
    right = {known[n] for n, *at in found if np.abs(np.subtract(at, places[known[n]])).max() < 0.1}
    assert len(right & {*range(50)}) > 45
    assert len(right & {*range(110, 150)}) > 36


@pytest.mark.parametrize("samples", [np.zeros(RATE), np.zeros(3), np.ones(RATE)])
def test_a_recording_without_a_pause_is_one_sentence_or_none(samples):
    found = lengths.find(lengths.pauses(samples, RATE), np.array([20.0]))
    assert len(found) <= 1
