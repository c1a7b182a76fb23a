"""The exchange of gradients, by messages that double what they are given: two alike processes."""

from types import SimpleNamespace

import pytest
import torch
from torch import distributed, nn

from ttskit.training import exchange


@pytest.fixture
def sent(monkeypatch):
    """The sizes of messages, each noted when it is sent and when its sum is there."""
    events = []

    def doubled(values, async_op):
        assert async_op
        values *= 2
        events.append(values.numel())
        return SimpleNamespace(wait=lambda: events.append("wait"))

    monkeypatch.setattr(distributed, "all_reduce", doubled)
    return events


def layers(count=4):
    torch.manual_seed(0)
    return nn.Sequential(*(nn.Linear(3, 3) for _ in range(count)))


def test_gradients_are_summed_whatever_the_size_of_a_bucket(sent):
    model, x = layers(), torch.randn(5, 3)
    model(x).square().sum().backward()
    alone = [p.grad.clone() for p in model.parameters()]
    for bucket in (1, 40, 1 << 20):
        model.zero_grad()
        sent.clear()
        with exchange.summed(model.parameters(), bucket):
            model(x).square().sum().backward()
        for parameter, gradient in zip(model.parameters(), alone, strict=True):
            torch.testing.assert_close(parameter.grad, 2 * gradient, rtol=0, atol=0)
        assert sum(one for one in sent if one != "wait") == sum(p.numel() for p in alone)


def test_a_bucket_is_sent_before_the_backward_pass_has_ended(sent):
    model = layers()
    with exchange.summed(model.parameters(), 1):
        loss = model(torch.randn(5, 3)).square().sum()
        model[0].bias.register_hook(lambda _: sent.append("first layer"))
        loss.backward()
    assert sent.index("first layer") >= 6  # the weights and biases of three layers
    assert "wait" not in sent[: sent.index("first layer")]


def test_gradients_of_earlier_batches_are_summed_once(sent):
    model, x = layers(), torch.randn(5, 3)
    model(x).sum().backward()
    with exchange.summed(model.parameters(), 40):
        model(x).sum().backward()
    gradient = model[0].weight.grad.clone()
    model.zero_grad()
    model(x).sum().backward()
    torch.testing.assert_close(gradient, 4 * model[0].weight.grad)
    assert sent


def test_parameters_without_a_gradient_hold_nothing_up(sent):
    model, unused = layers(2), nn.Linear(3, 3)
    with exchange.summed([*model.parameters(), *unused.parameters()], 1):
        model(torch.randn(5, 3)).sum().backward()
    assert unused.weight.grad is None
    assert len(sent) == 2 * 4  # a message for each gradient, and its sum


def test_what_fails_in_the_backward_pass_leaves_no_hook(sent):
    model = layers(1)
    with pytest.raises(RuntimeError), exchange.summed(model.parameters()):
        raise RuntimeError
    model(torch.randn(5, 3)).sum().backward()
    assert sent == []
