"""The causal transformer and its cache."""

from itertools import pairwise

import pytest
import torch

from ttskit.networks.causal import Cache, Causal, CausalConfig

CONFIG = CausalConfig(hidden=16, layers=3, heads=2, filter=24, dropout=0.0)


@pytest.fixture
def trunk():
    torch.manual_seed(0)
    trunk = Causal(CONFIG).eval().requires_grad_(False)
    for name, weight in trunk.named_parameters():
        if name.endswith("output.weight"):  # so that what is attended to counts
            torch.nn.init.normal_(weight, 0, 0.5)
    return trunk


def run(trunk, x, real, *cuts):
    """Return the states of x, computed part by part with a cache."""
    cache, edges = Cache(x.shape[1]), [0, *cuts, x.shape[1]]
    places = torch.arange(x.shape[1])
    parts = [trunk(x[:, a:b], places[a:b], real[:, a:b], cache) for a, b in pairwise(edges)]
    return torch.cat(parts, 1)


def test_with_a_cache_states_are_those_without(trunk):
    x, real = torch.randn(2, 40, 16), torch.ones(2, 40, dtype=torch.bool)
    real[0, 5:9] = False  # the padding of a text
    whole = trunk(x, torch.arange(40), real)
    torch.testing.assert_close(run(trunk, x, real, *range(9, 40)), whole, atol=1e-5, rtol=0)


def test_a_place_depends_on_none_after_it_and_on_all_before_it(trunk):
    x, places, real = torch.randn(1, 12, 16), torch.arange(12), torch.ones(1, 12, dtype=torch.bool)
    other = x.clone()
    other[:, 6] += 1
    away = (trunk(other, places, real) - trunk(x, places, real)).abs().amax((0, 2))
    assert not away[:6].any()
    assert (away[6:] > 1e-6).all()


def test_padding_is_attended_to_by_nothing(trunk):
    x, places, real = torch.randn(1, 12, 16), torch.arange(12), torch.ones(1, 12, dtype=torch.bool)
    real[:, 3] = False
    other = x.clone()
    other[:, 3] += 1
    away = (trunk(other, places, real) - trunk(x, places, real)).abs().amax((0, 2))
    assert away.nonzero()[:, 0].tolist() == [3]


def test_only_distances_count(trunk):
    """Positions are rotations: all moved together, they give the same states."""
    x, real = torch.randn(1, 9, 16), torch.ones(1, 9, dtype=torch.bool)
    moved = trunk(x, torch.arange(9) + 70, real)
    torch.testing.assert_close(moved, trunk(x, torch.arange(9), real), atol=1e-4, rtol=0)
