"""Sentences that are planted in a long recording, of which both lack some."""

import numpy as np
import pytest

from ttskit.dsp import finding

SYMBOLS, SILENCE = 80, 0
SILENT = np.arange(SYMBOLS) == SILENCE


def planted(said, texts, seed=0):
    """Scores of a recording of numbered texts, the cost of rest, and where each text is."""
    rng = np.random.default_rng(seed)
    labels: list[int] = []
    places = {}
    for number in said:
        durations = rng.integers(1, 5, len(texts[number])) * ~SILENT[texts[number]]
        places[number] = (len(labels), len(labels) + int(durations.sum()))
        labels += np.repeat(texts[number], durations).tolist()
        labels += [SILENCE] * int(rng.integers(1, 12))
    scores = rng.uniform(-10, -7, (len(labels), SYMBOLS))
    scores[np.arange(len(labels)), labels] = rng.uniform(-3, 0, len(labels))
    return scores, np.maximum(-5.0, scores[:, SILENCE] - 0.3), places


def texts(count, seed=1):
    """Texts of thirty phonemes, with a boundary in the middle, which lasts no frame here."""
    rng = np.random.default_rng(seed)
    return [np.insert(rng.integers(1, SYMBOLS, 30), 15, SILENCE) for _ in range(count)]


def test_sentences_are_found_where_they_are_planted():
    listed = texts(12)
    scores, rest, places = planted(range(12), listed)
    found = finding.find(scores, rest, listed, SILENT)
    assert {number: (first, after) for number, first, after in found.tolist()} == places


@pytest.mark.parametrize("lacking", [[0], [4, 5, 6], [11]])
def test_what_the_recording_lacks_is_not_found_and_the_rest_is(lacking):
    listed = texts(12)
    said = [number for number in range(12) if number not in lacking]
    scores, rest, places = planted(said, listed)
    found = finding.find(scores, rest, listed, SILENT)
    assert {number: (first, after) for number, first, after in found.tolist()} == places


@pytest.mark.parametrize("more", [[0, 1], [5, 6, 7], [11]])
def test_what_the_text_lacks_is_passed_over(more):
    all_texts = texts(12)
    scores, rest, places = planted(range(12), all_texts)
    known = [number for number in range(12) if number not in more]
    found = finding.find(scores, rest, [all_texts[number] for number in known], SILENT)
    wanted = [(place, *places[number]) for place, number in enumerate(known)]
    assert [tuple(row) for row in found.tolist()] == wanted


def test_another_text_is_found_nowhere():
    scores, rest, _ = planted(range(6), texts(6))
    assert not len(finding.find(scores, rest, texts(6, seed=2), SILENT))
