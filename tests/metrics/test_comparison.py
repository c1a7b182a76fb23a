"""Verdicts on differences, and how odd a value is."""

import numpy as np
import pytest

from ttskit.metrics import rtf
from ttskit.metrics.bootstrap import summary
from ttskit.metrics.comparison import Row
from ttskit.metrics.oddities import deviations
from ttskit.metrics.score import Score


def verdict(score, own, difference):
    differences = np.full(20, difference) + np.linspace(-0.01, 0.01, 20) * abs(difference)
    return Row("x", "h", score, summary(np.full(20, own)), summary(differences)).verdict


@pytest.mark.parametrize(
    ("better", "difference", "expected"),
    [
        ("lower", -1.0, "better"),
        ("lower", 1.0, "worse"),
        ("higher", 1.0, "better"),
        ("higher", -1.0, "worse"),
        ("", 1.0, "higher"),
        ("", -1.0, "lower"),
        ("lower", 0.0, "no real difference"),
    ],
)
def test_a_difference_is_better_or_worse_by_the_direction_of_its_score(
    better, difference, expected
):
    assert verdict(Score("dB", better), 4.0, difference) == expected


@pytest.mark.parametrize(
    ("difference", "expected"), [(0.19, "no real difference"), (0.21, "worse"), (-0.21, "better")]
)
def test_a_difference_below_the_swing_of_a_score_is_not_real(difference, expected):
    assert verdict(rtf.SCORES["rtf"], 1.0, difference) == expected


def test_the_real_time_factor_is_computing_over_audio():
    found = rtf.evaluate(3.0, 12.0, rtf.Settings())
    assert found == {"rtf": 0.25, "audio_seconds": 12.0}


def test_outliers_do_not_hide_themselves():
    values = np.append(np.random.default_rng(0).normal(5, 2, 2000), [1e6, np.nan])
    off = deviations(values)
    assert off[:2000].std() == pytest.approx(1, abs=0.1)
    assert off[:2000].mean() == pytest.approx(0, abs=0.1)
    assert off[2000] > 1e5
