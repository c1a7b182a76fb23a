"""Durations, pauses and boundaries of tokens that were moved by known amounts."""

import numpy as np
import pytest

from ttskit.errors import AlignmentError
from ttskit.metrics import boundaries, duration

LASTS = np.array([50.0, 80, 40, 200, 60, 90, 30, 70])  # ms
SPOKEN = np.array([False, True, True, False, True, True, False, False])


def durations(changed, settings=None):
    return duration.evaluate(LASTS, changed, SPOKEN, settings or duration.Settings())


def test_the_same_durations_do_not_differ():
    found = durations(LASTS)
    assert found.pop("speech_rate") == 1
    assert found.pop("tokens") == 4
    assert set(found.values()) == {0}


def test_speech_at_half_the_speed_has_half_the_rate():
    found = durations(2 * LASTS)
    assert found["speech_rate"] == 0.5
    assert found["duration_error"] == pytest.approx(LASTS[SPOKEN].mean())
    assert found["pause_error"] == 200


def test_only_pauses_within_the_utterance_count():
    longer = LASTS + np.array([500.0, 0, 0, 0, 0, 0, 500, 500])
    found = durations(longer)
    assert (found["pause_error"], found["pause_count"], found["speech_rate"]) == (0, 0, 1)


def test_silence_after_silence_is_one_pause():
    spoken = np.array([True, False, False, True, False, True])
    lasts = np.array([50.0, 60, 60, 50, 60, 50])
    assert duration.pauses(lasts, spoken, 100).tolist() == [120]


def test_boundary_errors_equal_the_planted_shifts():
    moved = LASTS + np.array([20.0, 0, -20, 5, 0, 0, -5, 0])
    found = boundaries.evaluate(LASTS, moved, SPOKEN, boundaries.MEASURE.settings)
    gap = np.array([20.0, 20, 0, 5, 5, 5, 0])
    assert found["boundary_mean"] == pytest.approx(gap.mean())
    assert found["boundary_median"] == 5
    assert found["within_10"] == pytest.approx(5 / 7)
    assert (found["within_25"], found["boundaries"]) == (1, 7)


@pytest.mark.parametrize("limit", [10, 25, 50])
def test_a_boundary_at_the_limit_is_within_it(limit):
    lasts = np.array([100.0, 100.0])
    within = [
        boundaries.evaluate(lasts, lasts + shift, SPOKEN[:2], boundaries.MEASURE.settings)
        for shift in (np.array([limit, 0.0]), np.array([limit + 1.0, 0.0]))
    ]
    assert [found[f"within_{limit}"] for found in within] == [1, 0]


def test_other_tokens_are_refused():
    with pytest.raises(AlignmentError, match="8 and 7"):
        boundaries.evaluate(LASTS, LASTS[1:], SPOKEN, boundaries.MEASURE.settings)
    with pytest.raises(AlignmentError, match="8 and 7"):
        duration.evaluate(LASTS, LASTS[1:], SPOKEN, duration.Settings())
    with pytest.raises(AlignmentError, match="no token"):
        duration.evaluate(LASTS, LASTS, SPOKEN & False, duration.Settings())
