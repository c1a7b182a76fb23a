"""Rounding against every other way to round, and what must hold of any durations."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttskit.dsp.rounding import rounded
from ttskit.errors import AlignmentError

TOKENS = st.lists(st.tuples(st.floats(0, 40), st.booleans()), min_size=1, max_size=30)


def arrays(tokens):
    durations, silent = zip(*tokens, strict=True)
    return np.array(durations), np.array(silent)


def test_boundaries_go_to_the_nearest_frame():
    durations = np.full(1000, 2.4)
    found = rounded(durations)
    assert found.sum() == 2400
    assert np.abs(np.cumsum(found) - np.cumsum(durations)).max() <= 0.5


@given(TOKENS)
@settings(max_examples=200, deadline=None)
def test_the_sum_is_kept_and_what_sounds_lasts_a_frame(tokens):
    durations, silent = arrays(tokens)
    found = rounded(durations, silent)
    assert found.min() >= 0
    assert found[~silent].min(initial=1) >= 1
    assert found.sum() == max(np.floor(durations.sum() + 0.5), (~silent).sum())


@given(TOKENS, st.integers(0, 200))
@settings(max_examples=200, deadline=None)
def test_a_given_sum_is_met(tokens, extra):
    durations, silent = arrays(tokens)
    total = int((~silent).sum()) + extra
    found = rounded(durations, silent, total)
    assert found.sum() == total
    assert found[~silent].min(initial=1) >= 1


@pytest.mark.parametrize("seed", range(60))
def test_no_way_moves_the_ends_less(seed):
    rng = np.random.default_rng(seed)
    durations = rng.choice([0.0, 0.2, 0.7, 1.3, 2.6], 5) * rng.uniform(0.5, 1.5, 5)
    silent = rng.random(5) < 0.3
    ends = np.cumsum(durations)
    found = rounded(durations, silent)
    least = (~silent).astype(int)
    ways = [
        np.array([*inner, found.sum()])
        for inner in product(range(found.sum() + 1), repeat=4)
        if all(
            b - a >= n for (a, b), n in zip(pairwise([0, *inner, found.sum()]), least, strict=True)
        )
    ]
    best = min(np.abs(way - ends).max() for way in ways)
    # the nearest rising line, and then the nearest frame: half a frame more at most
    assert np.abs(np.cumsum(found) - ends).max() <= best + 0.5


def test_too_few_frames_are_refused():
    with pytest.raises(AlignmentError, match="2 frames for tokens that need 3"):
        rounded(np.ones(4), np.array([False, True, False, False]), total=2)


def test_nothing_to_scale_is_spread_evenly():
    assert list(rounded(np.zeros(4), total=8)) == [2, 2, 2, 2]
    assert list(rounded(np.zeros(3), np.array([True, False, True]))) == [0, 1, 0]
    assert list(rounded(np.zeros(0))) == []
