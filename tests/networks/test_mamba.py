"""Layers of Mamba and convolutions: their equations, what they see, and blocks of a sequence."""

import math

import pytest
import torch
from torch.nn import functional as F

from ttskit.networks.mamba import Layers, Mamba, MambaConfig
from ttskit.training.update import decaying

CONFIG = MambaConfig(hidden=12, layers=2, state=3, dilations=(1, 3), dropout=0.0)


def make(config=CONFIG, style=0):
    torch.manual_seed(0)
    layers = Layers(config, style).eval()
    for parameter in layers.parameters():  # zeros of the start hide what is broken
        parameter.data += 0.1 * torch.randn_like(parameter)
    return layers


def everything(steps):
    return torch.ones(1, steps, dtype=torch.bool)


def by_step(mamba, x):
    """The equations of Mamba as they are published, one step at a time."""
    inner, gate = (mamba.entry.weight @ x.T).T.chunk(2, -1)  # (T, E)
    width = mamba.near.kernel_size[0]
    state, out = torch.zeros_like(mamba.rates), []
    for t in range(len(x)):
        seen = torch.stack([inner[t - k] if t >= k else 0 * inner[0] for k in range(width)])
        taps = mamba.near.weight[:, 0].flip(1).T  # (width, E), the latest first
        u = F.silu((seen * taps).sum(0) + mamba.near.bias)
        rank, enter, leave = (mamba.select.weight @ u).split(mamba.sizes)
        delta = F.softplus(mamba.delta.weight @ rank + mamba.delta.bias)
        state = (delta[:, None] * -mamba.rates.exp()).exp() * state + torch.outer(delta * u, enter)
        out.append((state @ leave + mamba.skip * u) * F.silu(gate[t]))
    return (mamba.output.weight @ torch.stack(out).T).T


@pytest.mark.parametrize("training", [True, False])
def test_mamba_follows_its_equations(training):
    torch.manual_seed(0)
    mamba, x = Mamba(8, CONFIG), torch.randn(1, 25, 8)
    with torch.set_grad_enabled(training):
        own = mamba(x)[0]
    torch.testing.assert_close(own, by_step(mamba, x[0]), rtol=1e-4, atol=1e-5)


def test_a_new_mamba_has_the_published_initial_values():
    torch.manual_seed(0)
    mamba = Mamba(64, MambaConfig(state=5))
    torch.testing.assert_close(mamba.rates.exp(), torch.arange(1.0, 6).expand(128, -1))
    assert torch.equal(mamba.skip, torch.ones(128))
    lasting = F.softplus(mamba.delta.bias)
    assert 1e-3 * 0.999 <= lasting.min() < lasting.max() <= 0.1 * 1.001
    assert lasting.log().mean().item() == pytest.approx(math.log(1e-2), abs=0.3)
    assert mamba.delta.weight.abs().max() <= (64 / 16) ** -0.5


def test_rates_and_skips_do_not_decay():
    names = decaying(make())
    assert "layers.0.forwards.entry.weight" in names
    assert not any(name.endswith(("rates", "skip")) for name in names)


def test_every_step_sees_what_came_before_and_some_of_what_follows():
    layers = make(MambaConfig(hidden=12, layers=1, state=3, dilations=(1, 3)))
    x = torch.randn(1, 60, 12, requires_grad=True)
    layers(x, everything(60))[0, 30].sum().backward()
    assert x.grad is not None
    seen = x.grad[0].abs().sum(-1) > 0
    assert seen[: 30 + 1].all()
    assert seen[31 : 31 + 2].all()  # a tap away
    assert seen[30 + 6]  # two taps of dilation 3
    assert not seen[30 + 6 + 1 :].any()


def test_padding_changes_nothing():
    layers, x = make(style=4), torch.randn(1, 20, 12)
    style = torch.randn(1, 4)
    alone = layers(x, everything(20), style)
    mask = torch.arange(30)[None] < 20
    padded = layers(F.pad(x, (0, 0, 0, 10), value=9.0), mask, style)
    torch.testing.assert_close(padded[:, :20], alone)
    assert not padded[:, 20:].any()


@pytest.mark.parametrize("sizes", [[50], [1] * 50, [3, 40, 7], [20, 30]])
@pytest.mark.parametrize("sees", ["channels", "mean"])
def test_blocks_in_turn_give_what_the_whole_gives(sizes, sees):
    layers = make(MambaConfig(hidden=12, layers=2, state=3, dilations=(1, 3), sees=sees), style=4)
    x, style = torch.randn(1, 50, 12), torch.randn(1, 4)
    whole = layers(x, everything(50), style)
    parts = [*layers.stream(x.split(sizes, 1), style)]
    torch.testing.assert_close(torch.cat(parts, 1), whole, rtol=1e-4, atol=1e-4)


def test_what_a_stream_holds_does_not_grow_with_its_length():
    layers = make()
    held, came = 0, 0
    for number, block in enumerate(layers.stream(torch.randn(1, 8, 12) for _ in range(40))):
        came += block.shape[1]
        held = max(held, 8 * (number + 1) - came)
    assert came == 320
    assert held <= 2 * (layers.layers[0].backwards.reach + 8)


def test_a_new_style_changes_nothing_and_a_plain_one_does():
    torch.manual_seed(0)
    x, style = torch.randn(1, 9, 12), torch.randn(1, 4)
    layers = Layers(CONFIG, 4).eval()
    torch.testing.assert_close(layers(x, everything(9), style), layers(x, everything(9), None))
    plain = Layers(MambaConfig(hidden=12, layers=2, state=3, film="plain"), 4).eval()
    assert not torch.allclose(plain(x, everything(9), style), plain(x, everything(9), None))


def test_a_scalar_state_space_cannot_tell_channels_apart():
    """The mean of the channels is all that it takes in."""
    torch.manual_seed(0)
    layer = make(MambaConfig(hidden=12, layers=1, state=3, sees="mean")).layers[0]
    x = torch.randn(1, 9, 12)
    moved = x.clone()
    moved[:, 2, 0] += 1
    moved[:, 2, 1] -= 1
    later = [layer.forwards.resumed(one, None)[0][:, 3:] for one in (x, moved)]
    torch.testing.assert_close(later[0], later[1])
