"""The length regulator: beside a loop over frames."""

import pytest
import torch

from ttskit.networks.layers import PLACES
from ttskit.networks.regulator import regulated


def by_loop(x, durations, stride):
    """The mean over the frames of each code of the states of their tokens, (C, H)."""
    frames = [x[token] for token, count in enumerate(durations) for _ in range(count)]
    codes = [frames[at : at + stride] for at in range(0, len(frames), stride)]
    return torch.stack([torch.stack(code).mean(0) for code in codes])


@pytest.mark.parametrize("stride", [1, 2, 4, 7])
def test_codes_get_the_mean_of_the_tokens_that_they_last(stride):
    g = torch.Generator().manual_seed(0)
    x = torch.randn(2, 6, 5, generator=g)
    durations = torch.tensor([[3, 0, 1, 5, 2, 4], [2, 9, 0, 1, 0, 0]])
    tokens = torch.tensor([6, 4])
    states, mask = regulated(x, durations, tokens, stride)
    for row in range(2):
        expected = by_loop(x[row], durations[row].tolist(), stride)
        assert mask[row].sum() == len(expected)
        torch.testing.assert_close(states[row][mask[row]][:, :-PLACES], expected)
    assert not states[~mask].any()


def test_the_order_of_tokens_is_kept():
    """The fault of text that is pooled over time: every code would get the same."""
    x = torch.eye(4)[None]
    states, _ = regulated(x, torch.tensor([[2, 2, 2, 2]]), torch.tensor([4]), 2)
    torch.testing.assert_close(states[0, :, :4], torch.eye(4))


def test_more_than_a_thousand_positions_are_told_apart():
    """The fault of positions that end at 1,000 frames."""
    x = torch.randn(1, 700, 3)
    states, mask = regulated(x, torch.full((1, 700), 5), torch.tensor([700]))
    assert mask.sum() == 3500
    torch.testing.assert_close(states[0, 3400, :3], x[0, 680])
