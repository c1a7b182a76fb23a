"""Intervals that hold the truth as often as they say."""

import numpy as np
import pytest

from ttskit.metrics.bootstrap import summary


def test_intervals_contain_the_true_mean_at_their_confidence_level():
    rng = np.random.default_rng(0)
    found = [summary(rng.exponential(size=50)) for _ in range(100)]
    assert 0.88 < np.mean([one.low <= 1 <= one.high for one in found]) < 0.98


def test_the_interval_approaches_that_of_the_normal_distribution():
    values = np.random.default_rng(0).normal(3, 2, 2000)
    found = summary(values)
    half = 1.96 * values.std() / np.sqrt(2000)
    assert found.mean == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx(
        (found.mean - half, found.mean + half), rel=0.01
    )


def test_weights_make_the_mean_one_over_words():
    errors, words = np.array([1, 0, 6]), np.array([2, 10, 12])
    assert summary(errors / words, words).mean == pytest.approx(errors.sum() / words.sum())


def test_nan_is_ignored():
    found = summary(np.array([1.0, np.nan, 3.0]))
    assert (found.utterances, found.mean, found.median) == (2, 2, 2)
    assert np.isnan(summary(np.array([np.nan])).mean)


def test_the_same_values_get_the_same_interval():
    values = np.random.default_rng(0).normal(size=30)
    assert summary(values) == summary(values)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        (np.linspace(0.5, 1.5, 20), "higher"),
        (np.linspace(-1.5, -0.5, 20), "lower"),
        (np.linspace(-1, 1, 20), "no real difference"),
        (np.zeros(20), "no real difference"),
        (np.ones(5), "too few to tell"),
    ],
)
def test_a_difference_is_real_if_its_interval_excludes_zero(values, verdict):
    assert summary(values).verdict == verdict


def test_the_interval_of_a_weighted_mean_agrees_with_resampling_by_hand():
    rng = np.random.default_rng(1)
    values, weights = rng.normal(3, 1, 40), rng.integers(1, 30, 40).astype(float)
    means = []
    for _ in range(4000):
        drawn = rng.integers(0, 40, 40)
        means.append(np.average(values[drawn], weights=weights[drawn]))
    low, high = np.percentile(means, [2.5, 97.5])
    found = summary(values, weights)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.06)


def test_utterances_that_all_agree_have_no_uncertainty_however_they_weigh():
    found = summary(np.full(9, 0.5), np.arange(1.0, 10))
    assert (found.low, found.mean, found.high) == pytest.approx((0.5, 0.5, 0.5))
