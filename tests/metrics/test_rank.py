import numpy as np

from ttskit.metrics.rank import rank


def test_a_rank_counts_those_that_are_better():
    rng = np.random.default_rng(0)
    values = np.append(rng.integers(0, 9, 40).astype(float), np.nan)
    for row, value in enumerate(values[:-1]):
        for better, ahead in (("lower", values < value), ("higher", values > value)):
            found = rank(values, row, better)
            assert (found["rank"], found["of"]) == (1 + ahead.sum(), 40)
    assert rank(values, 40, "lower") == {"value": None}


def test_the_percentile_is_the_share_of_values_that_are_no_higher():
    values = np.array([1.0, 2.0, 2.0, 4.0, np.nan])
    percentiles = [rank(values, row, "higher")["percentile"] for row in range(4)]
    assert percentiles == [25, 75, 75, 100]
