"""The layer that offers candidates: against loops, and split-and-prune on a planted mixture."""

from itertools import product

import pytest
import torch
from torch import nn

from ttskit.models.family import Copied
from ttskit.networks import candidates
from ttskit.networks.candidates import Candidates, Split, decided, nearness
from ttskit.training import rows

MODES = torch.tensor([-4.0, 0.0, 3.0])


@pytest.fixture
def layer():
    torch.manual_seed(0)
    return Candidates(8, 5, 4, residual=True)


def inputs(seed=1):
    torch.manual_seed(seed)
    return torch.randn(2, 8, 7), torch.randn(2, 5, 7), torch.randn(2, 5, 7)


def candidate(layer, features, previous, row, number, at):
    return layer.weight[number] @ features[row, :4, at] + previous[row, :, at]


def test_distances_are_those_of_a_loop_however_few_are_held_in_memory(layer, monkeypatch):
    features, previous, target = inputs()
    whole = layer.judged(features, previous, nearness(target))
    monkeypatch.setattr(candidates, "AT_ONCE", 2 * 4 * 5 * 3)  # three positions at a time
    torch.testing.assert_close(layer.judged(features, previous, nearness(target)), whole)
    for row, number, at in product(range(2), range(4), range(7)):
        own = candidate(layer, features, previous, row, number, at)
        expected = (own - target[row, :, at]).square().mean()
        torch.testing.assert_close(whole[row, number, at], expected)


def test_the_chosen_candidates_and_their_leak_are_those_of_a_loop(layer):
    features, previous, _ = inputs()
    index = torch.randint(4, (2, 7))
    output, leak = layer(features, previous, index).chunk(2, 1)
    for row, at in product(range(2), range(7)):
        number = index[row, at]
        own = candidate(layer, features, previous, row, number, at)
        torch.testing.assert_close(output[row, :, at], own)
        torch.testing.assert_close(leak[row, :, at], layer.weight[number] @ features[row, 4:, at])


def test_the_expected_candidate_is_the_mean_however_few_are_held_in_memory(layer, monkeypatch):
    features, previous, _ = inputs()
    weights = torch.rand(2, 4, 7).softmax(1)
    each = [layer(features, previous, torch.full((2, 7), number)) for number in range(4)]
    mean = sum(one * weights[:, None, number] for number, one in enumerate(each))
    torch.testing.assert_close(layer.expected(features, previous, weights), mean)
    monkeypatch.setattr(candidates, "AT_ONCE", 2 * 4 * 5 * 3)
    torch.testing.assert_close(layer.expected(features, previous, weights), mean)


def test_only_what_is_chosen_gets_a_gradient(layer):
    features, previous, _ = inputs()
    layer(features, previous, torch.full((2, 7), 2)).sum().backward()
    assert [bool(row.abs().sum()) for row in layer.weight.grad] == [False, False, True, False]


@pytest.mark.parametrize(
    ("wins", "expected"),
    [
        ([25, 25, 25, 25], None),
        ([60, 20, 15, 5], Split(0, 3)),  # the most frequent has twice its share or more
        ([40, 30, 20, 10], Split(0, 3)),  # 0.4 - 0.1 is more than 1/4
        ([35, 30, 20, 15], None),
        ([40, 0, 40, 20], Split(0, 1)),
        ([0, 0, 0, 0], None),
    ],
)
def test_a_split_is_decided_as_published(wins, expected):
    assert decided(wins, [0.0] * 4) == expected


def test_the_criterion_is_the_published_formula():
    torch.manual_seed(2)
    for wins in torch.rand(200, 6).square().tolist():
        most, least, equal = max(wins) / sum(wins), min(wins) / sum(wins), 1 / 6
        simple = least < equal if most >= 2 * equal else most - least > equal
        assert (decided(wins, [0.0] * 6) is not None) == (simple or least < equal / 2)


def test_of_candidates_that_never_win_the_worst_is_lost():
    assert decided([9, 0, 3, 0], [1.0, 2.0, 1.0, 5.0]) == Split(0, 3)


def test_counts_of_a_lost_candidate_go_to_its_second_and_the_copies_share_theirs(layer):
    earlier = [[0.0, 1.0, 2.0, 3.0]] * 8 + [[3.0, 0.0, 2.0, 1.0]] * 4
    later = [[9.0, 1.0, 0.0, 2.0]] * 6 + [[9.0, 9.0, 1.0, 0.0]]
    distances = torch.tensor(earlier + later).T[None]
    layer.note(distances, torch.ones(1, 19, dtype=torch.bool))
    assert layer.settle(0.5, may_split=True) == Split(0, 3)
    assert layer.wins.tolist() == [4, 4, 7, 4]
    assert layer.wins.sum() == 19


def test_counts_decay_and_padding_is_not_counted(layer):
    distances = torch.tensor([[0.0, 1.0, 2.0, 3.0]] * 4).T[None]
    for _ in range(2):
        layer.note(distances, torch.tensor([[True, True, True, False]]))
        layer.settle(0.5, may_split=False)
    assert layer.wins.tolist() == [4.5, 0, 0, 0]


def fitted(split, seed):
    """A layer of 32 candidates, trained on one feature and a mixture of three narrow modes."""
    torch.manual_seed(seed)
    layer = Candidates(2, 1, 32, residual=False)
    optimizer = torch.optim.Adam(layer.parameters(), 0.03)
    features, previous = torch.ones(1, 2, 256), torch.zeros(1, 1, 256)
    for _ in range(400):
        target = mixture(256)
        index = layer.judged(features, previous, nearness(target)).argmin(1)
        layer.note(layer.judged(features, previous, nearness(target)), torch.ones(1, 256) > 0)
        optimizer.zero_grad()
        (layer(features, previous, index)[:, :1] - target).square().mean().backward()
        optimizer.step()
        if made := layer.settle(0.97, may_split=split):
            rows.copy([Copied("1", layer.weight, *made)], layer, {"model": optimizer}, {})
    return layer


def mixture(count):
    modes = MODES[torch.randint(3, (count,))]
    return (modes + 0.2 * torch.randn(count)).view(1, 1, -1)


def distance_of_uniform_samples(layer):
    """Wasserstein distance between candidates taken equally often and the mixture."""
    samples = layer.weight.detach().flatten().repeat(1000)
    return (samples.sort()[0] - mixture(len(samples)).flatten().sort()[0]).abs().mean()


def test_split_and_prune_uses_the_candidates_and_samples_the_mixture():
    layers = {split: [fitted(split, seed) for seed in range(3)] for split in (False, True)}
    for without, having in zip(layers[False], layers[True], strict=True):
        assert having.dead() <= 0.1 < without.dead()
        assert distance_of_uniform_samples(having) < distance_of_uniform_samples(without) / 3


def test_a_split_changes_no_other_candidate_and_raises_no_loss():
    layer = fitted(split=False, seed=0)
    features, previous, target = torch.ones(1, 2, 999), torch.zeros(1, 1, 999), mixture(999)
    before = layer.weight.detach().clone()
    loss = layer.judged(features, previous, nearness(target)).amin(1).mean()
    split = decided(layer.wins.tolist(), layer.errors.tolist())
    assert split is not None
    rows.copy([Copied("1", layer.weight, *split)], layer, {}, {})
    others = [k for k in range(32) if k != split.target]
    assert torch.equal(layer.weight[others], before[others])
    assert torch.equal(layer.weight[split.target], before[split.source])
    after = layer.judged(features, previous, nearness(target)).amin(1).mean()
    assert after <= loss * 1.001


def test_moments_and_averages_are_copied_with_a_row():
    module = nn.Linear(3, 4)
    weight = nn.Parameter(module.weight.detach())
    module.weight = weight
    averaged = {name: p.detach().clone() for name, p in module.named_parameters()}
    optimizer = torch.optim.AdamW(module.parameters(), 0.1, fused=True)
    module(torch.randn(2, 3)).square().sum().backward()
    optimizer.step()
    row = rows.copy([Copied("5", weight, 1, 3)], module, {"model": optimizer}, averaged)
    assert row == {"split/5/from": 1, "split/5/to": 3}
    state = optimizer.state[weight]
    for value in (weight, averaged["weight"], state["exp_avg"], state["exp_avg_sq"]):
        assert torch.equal(value[3], value[1])
        assert not torch.equal(value[3], value[0])
    assert not torch.equal(averaged["weight"][1], weight[1])
