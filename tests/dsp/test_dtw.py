"""Dynamic time warping against brute force and planted truth."""

import numpy as np
import pytest

from ttskit.dsp import dtw


def every_path(rows, columns):
    """All paths from the first frames to the last."""
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
def test_no_path_costs_less(lengths):
    rng = np.random.default_rng(sum(lengths))
    a, b = (rng.normal(size=(length, 3)) for length in lengths)
    steps = dtw.path(a, b)
    least = min(cost(a, b, way) for way in every_path(*lengths))
    assert cost(a, b, steps.T) == pytest.approx(least)
    assert {tuple(step) for step in np.diff(steps).T} <= {(1, 1), (1, 0), (0, 1)}
    assert steps[:, 0].tolist() == [0, 0]
    assert steps[:, -1].tolist() == [len(a) - 1, len(b) - 1]


def test_a_sequence_is_aligned_with_itself_frame_by_frame():
    a = np.random.default_rng(0).normal(size=(50, 4))
    a[20:30] = a[20]  # frames alike, as in silence
    assert dtw.path(a, a).tolist() == [list(range(50))] * 2


def test_a_stretched_sequence_is_aligned_with_its_original():
    a = np.random.default_rng(0).normal(size=(30, 4))
    times = np.random.default_rng(1).integers(1, 4, 30)
    places = np.repeat(np.arange(30), times)
    assert dtw.path(a, a[places])[0].tolist() == places.tolist()


def test_an_empty_sequence_has_an_empty_path():
    assert dtw.path(np.zeros((0, 2)), np.zeros((3, 2))).shape == (2, 0)


def test_distances_are_not_squared():
    """Against the sums of Euclidean distances along all paths."""

    def paths(i, j):
        """All paths from the first frames to frames i and j."""
        if (i, j) == (0, 0):
            return [[(0, 0)]]
        before = [(i - 1, j - 1), (i - 1, j), (i, j - 1)]
        return [[*way, (i, j)] for k, m in before if k >= 0 <= m for way in paths(k, m)]

    rng = np.random.default_rng(4)
    for _ in range(30):
        a, b = rng.exponential(size=(4, 2)), rng.exponential(size=(5, 2))
        costs = [sum(float(np.linalg.norm(a[i] - b[j])) for i, j in way) for way in paths(3, 4)]
        own = sum(float(np.linalg.norm(a[i] - b[j])) for i, j in dtw.path(a, b).T)
        assert abs(own - min(costs)) < 1e-9
