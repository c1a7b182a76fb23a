"""Moving averages of weights."""

from contextlib import suppress

import pytest
import torch

from ttskit.training.averaged import Averaged


@pytest.fixture
def model():
    linear = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(linear.weight)
    return linear


def test_the_decay_grows_from_the_first_steps_on(model):
    averaged = Averaged(model, 0.5)
    torch.nn.init.ones_(model.weight)
    averaged.follow(1)  # keeps 2 / 11 of the old average
    assert averaged.weights["weight"].item() == pytest.approx(9 / 11)
    averaged.follow(1000)  # keeps half of it
    assert averaged.weights["weight"].item() == pytest.approx(10 / 11)


def test_the_average_replaces_the_weights_inside_the_context_only(model):
    averaged = Averaged(model, 0.5)
    torch.nn.init.ones_(model.weight)
    with suppress(ZeroDivisionError), averaged.in_place():
        assert (model.weight.item(), model.training) == (0, False)
        raise ZeroDivisionError
    assert (model.weight.item(), model.training) == (1, True)


def test_without_a_decay_the_weights_are_used_themselves(model):
    averaged = Averaged(model, 0.0)
    torch.nn.init.ones_(model.weight)
    averaged.follow(1)
    with averaged.in_place():
        assert (model.weight.item(), model.training) == (1, False)
