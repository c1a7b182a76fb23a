"""Rounding against all other ways to round, and properties that hold for any durations."""

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
    frames = rounded(durations)
    assert frames.sum() == 2400
    assert np.abs(np.cumsum(frames) - np.cumsum(durations)).max() <= 0.5


@given(TOKENS)
@settings(max_examples=200, deadline=None)
def test_the_sum_is_kept_and_sounding_tokens_have_a_frame(tokens):
    durations, silent = arrays(tokens)
    frames = rounded(durations, silent)
    assert frames.min() >= 0
    assert frames[~silent].min(initial=1) >= 1
    assert frames.sum() == max(np.floor(durations.sum() + 0.5), (~silent).sum())


@given(TOKENS, st.integers(0, 200))
@settings(max_examples=200, deadline=None)
def test_durations_sum_to_the_given_total(tokens, extra):
    durations, silent = arrays(tokens)
    total = int((~silent).sum()) + extra
    frames = rounded(durations, silent, total)
    assert frames.sum() == total
    assert frames[~silent].min(initial=1) >= 1


@pytest.mark.parametrize("seed", range(60))
def test_no_other_rounding_moves_the_ends_less(seed):
    rng = np.random.default_rng(seed)
    durations = rng.choice([0.0, 0.2, 0.7, 1.3, 2.6], 5) * rng.uniform(0.5, 1.5, 5)
    silent = rng.random(5) < 0.3
    ends = np.cumsum(durations)
    frames = rounded(durations, silent)
    least = (~silent).astype(int)
    ways = [
        np.array([*inner, frames.sum()])
        for inner in product(range(frames.sum() + 1), repeat=4)
        if all(
            b - a >= n for (a, b), n in zip(pairwise([0, *inner, frames.sum()]), least, strict=True)
        )
    ]
    best = min(np.abs(way - ends).max() for way in ways)
    # the nearest rising line, and then the nearest frame: half a frame more at most
    assert np.abs(np.cumsum(frames) - ends).max() <= best + 0.5


def test_too_few_frames_are_refused():
    with pytest.raises(AlignmentError, match="2 frames for tokens that need 3"):
        rounded(np.ones(4), np.array([False, True, False, False]), total=2)


def test_durations_of_zero_are_spread_evenly():
    assert list(rounded(np.zeros(4), total=8)) == [2, 2, 2, 2]
    assert list(rounded(np.zeros(3), np.array([True, False, True]))) == [0, 1, 0]
    assert list(rounded(np.zeros(0))) == []
