"""Drawing codes."""

import pytest
import torch

from ttskit.networks import sampling
from ttskit.networks.sampling import draw, penalised

PROBABILITY = torch.tensor([0.05, 0.5, 0.15, 0.3])
MANY = 20_000


def shares(**manner):
    logits = PROBABILITY.log().expand(MANY, -1)
    drawn = draw(logits, torch.Generator().manual_seed(0), **manner)
    return torch.bincount(drawn, minlength=4) / MANY


def test_codes_are_drawn_as_often_as_they_are_likely():
    torch.testing.assert_close(shares(temperature=1, top_p=1), PROBABILITY, atol=0.01, rtol=0)


def test_a_temperature_is_a_power_of_the_probabilities():
    expected = PROBABILITY**2 / (PROBABILITY**2).sum()
    torch.testing.assert_close(shares(temperature=0.5, top_p=1), expected, atol=0.01, rtol=0)


@pytest.mark.parametrize(
    ("top_p", "kept"), [(0.0, [1]), (0.5, [1]), (0.6, [1, 3]), (0.9, [1, 2, 3])]
)
def test_only_the_likeliest_codes_that_reach_top_p_are_drawn(top_p, kept):
    expected = torch.zeros(4)
    expected[kept] = PROBABILITY[kept] / PROBABILITY[kept].sum()
    torch.testing.assert_close(shares(temperature=1, top_p=top_p), expected, atol=0.015, rtol=0)


@pytest.mark.parametrize("top_p", [0.5, 0.9, 1.0])
def test_where_a_few_codes_are_enough_the_others_need_not_be_put_in_order(monkeypatch, top_p):
    logits = 3 * torch.randn(50, 300, generator=torch.Generator().manual_seed(0))

    def drawn(most):
        monkeypatch.setattr(sampling, "MOST", most)
        return draw(logits, torch.Generator().manual_seed(1), temperature=1, top_p=top_p).tolist()

    assert drawn(8) == drawn(128) == drawn(300)


def test_without_temperature_the_likeliest_code_is_taken():
    assert draw(PROBABILITY[None], None, temperature=0, top_p=1).tolist() == [1]


def test_recent_codes_are_less_likely_by_the_penalty_and_padding_is_no_code():
    logits = torch.tensor([[2.0, -2.0, 4.0], [2.0, -2.0, 4.0]])
    recent = torch.tensor([[0, 1, 3], [2, 2, 3]])
    assert penalised(logits, recent, 2.0).tolist() == [[1, -4, 4], [2, -2, 2]]
