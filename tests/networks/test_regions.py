"""Regions: what shares a choice, against loops over positions."""

import pytest
import torch

from ttskit.networks.regions import SELECTIONS, regions

LENGTHS = (7, 4)
MASK = torch.arange(7) < torch.tensor(LENGTHS)[:, None]
TOKEN = torch.tensor([[0, 0, 1, 3, 3, 3, 4], [2, 2, 2, 5, 5, 5, 5]])
EXPECTED = {
    "frame": [[0, 1, 2, 3, 4, 5, 6], [0, 1, 2, 3]],
    "patch": [[0, 0, 0, 1, 1, 1, 2], [0, 0, 0, 1]],
    "segment": [[0, 0, 1, 2, 2, 2, 3], [0, 0, 0, 1]],
    "utterance": [[0] * 7, [0] * 4],
}


@pytest.mark.parametrize("selection", SELECTIONS)
def test_positions_are_numbered_by_region(selection):
    made = regions(selection, 3, MASK, TOKEN)
    for row, expected in enumerate(EXPECTED[selection]):
        assert made.number[row, : len(expected)].tolist() == expected
        assert made.counts[row] == max(expected) + 1


@pytest.mark.parametrize("selection", SELECTIONS)
def test_the_shared_value_of_a_region_is_its_mean(selection):
    torch.manual_seed(0)
    made, x = regions(selection, 3, MASK, TOKEN), torch.randn(2, 5, 7)
    shared = made.shared(x)
    for row, numbers in enumerate(EXPECTED[selection]):
        for at, number in enumerate(numbers):
            members = [place for place, other in enumerate(numbers) if other == number]
            torch.testing.assert_close(shared[row, :, at], x[row][:, members].mean(1))


@pytest.mark.parametrize("selection", SELECTIONS)
def test_what_is_gathered_from_regions_is_spread_over_them_again(selection):
    made = regions(selection, 3, MASK, TOKEN)
    values = torch.arange(14).view(2, 7)
    rows = made.gathered(made.spread(values))
    for row, gathered in enumerate(rows):
        assert gathered.tolist() == values[row, : made.counts[row]].tolist()
