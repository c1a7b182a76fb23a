"""Dynamic time warping against brute force and planted truth."""

import numpy as np
import pytest

from ttskit.dsp import dtw


def every_path(rows, columns):
    """All ways from the first frames to the last."""
    if rows == columns == 1:
        yield [(0, 0)]
        return
    for down, right in ((1, 1), (1, 0), (0, 1)):
        if rows > down and columns > right:
            for way in every_path(rows - down, columns - right):
                yield [*way, (rows - 1, columns - 1)]


def cost(a, b, way):
    return sum(np.linalg.norm(a[i] - b[j]) for i, j in way)


@pytest.mark.parametrize("lengths", [(1, 1), (1, 4), (5, 4), (4, 6)])
def test_no_way_costs_less(lengths):
    rng = np.random.default_rng(sum(lengths))
    a, b = (rng.normal(size=(length, 3)) for length in lengths)
    found = dtw.path(a, b)
    least = min(cost(a, b, way) for way in every_path(*lengths))
    assert cost(a, b, found.T) == pytest.approx(least)
    assert {tuple(step) for step in np.diff(found).T} <= {(1, 1), (1, 0), (0, 1)}
    assert found[:, 0].tolist() == [0, 0]
    assert found[:, -1].tolist() == [len(a) - 1, len(b) - 1]


def test_a_sequence_goes_with_itself_frame_by_frame():
    a = np.random.default_rng(0).normal(size=(50, 4))
    a[20:30] = a[20]  # frames alike, as in silence
    assert dtw.path(a, a).tolist() == [list(range(50))] * 2


def test_a_stretched_sequence_is_found_again():
    a = np.random.default_rng(0).normal(size=(30, 4))
    times = np.random.default_rng(1).integers(1, 4, 30)
    places = np.repeat(np.arange(30), times)
    assert dtw.path(a, a[places])[0].tolist() == places.tolist()


def test_nothing_has_no_path():
    assert dtw.path(np.zeros((0, 2)), np.zeros((3, 2))).shape == (2, 0)
