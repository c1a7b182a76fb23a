"""Trunks: on which frames each depends, and its equations written out frame by frame."""

from typing import Any

import pytest
import torch

from ttskit.errors import SettingError
from ttskit.networks.trunks import TRUNKS, MicroLayer, TrunkConfig
from ttskit.settings import assigned

INPUTS = {"f0": 1, "loudness": 1, "mel": 6}
CONFIGS: dict[str, dict[str, Any]] = {
    "mlp": {"trunk": "mlp"},
    "micro-rnn": {"trunk": "micro-rnn", "micro": 16},
    "gru": {"trunk": "gru"},
    "gru with one stack": {"trunk": "gru", "stacks": False},
    "micro-rnn in chunks": {"trunk": "micro-rnn", "micro": 16, "chunk": 3},
    "transformer": {"trunk": "transformer"},
    "causal transformer": {"trunk": "transformer", "causal": True, "positions": False},
    "transformer that sees little": {"trunk": "transformer", "span": 2},
}
trunks = pytest.mark.parametrize("settings", CONFIGS.values(), ids=CONFIGS)


def make(settings):
    torch.manual_seed(0)
    config = TrunkConfig(channels=16, layers=2, **settings)
    return TRUNKS[config.trunk](INPUTS, config)


def inputs(batch, frames, seed=0):
    g = torch.Generator().manual_seed(seed)
    return {name: torch.randn(batch, frames, w, generator=g) for name, w in INPUTS.items()}


def everything(batch, frames):
    return torch.ones(batch, frames, dtype=torch.bool)


@trunks
def test_every_parameter_gets_a_gradient_and_states_have_their_shape(settings):
    trunk = make(settings)
    states = trunk(inputs(2, 9), everything(2, 9))
    assert states.shape == (2, 9, trunk.out_channels)
    assert states.isfinite().all()
    states.square().mul(torch.rand(16)).sum().backward()
    for name, parameter in trunk.named_parameters():
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


@trunks
def test_large_inputs_stay_finite(settings):
    frames = {name: 1e4 * x for name, x in inputs(1, 300).items()}
    assert make(settings)(frames, everything(1, 300)).isfinite().all()


@trunks
def test_later_frames_change_earlier_ones_unless_causal(settings):
    trunk = make(settings)
    frames, other = inputs(1, 20), inputs(1, 20, seed=1)
    changed = {name: torch.cat([x[:, :12], other[name][:, 12:]], 1) for name, x in frames.items()}
    before, after = (trunk(x, everything(1, 20))[:, :12] for x in (frames, changed))
    same = torch.allclose(before, after, rtol=0, atol=1e-6)
    assert same == trunk.causal
    assert trunk.causal == (settings["trunk"] != "transformer" or "causal" in settings)


@trunks
def test_a_clip_depends_on_neither_padding_nor_other_clips(settings):
    trunk, frames = make(settings), inputs(3, 10)
    lengths = torch.tensor([10, 4, 0])
    mask = torch.arange(10) < lengths[:, None]
    together = trunk(frames, mask)
    for row, length in enumerate(lengths.tolist()):
        assert not together[row, length:].any()
    for row, length in enumerate((10, 4)):
        alone = {name: x[row : row + 1, :length] for name, x in frames.items()}
        one = trunk(alone, everything(1, length))
        torch.testing.assert_close(together[row : row + 1, :length], one)
    for x in frames.values():
        x.requires_grad_()
    trunk(frames, mask)[1].square().sum().backward()
    for x in frames.values():
        assert x.grad[1, :4].any()
        assert not x.grad[[0, 2]].any()
        assert not x.grad[1, 4:].any()


def test_only_the_frames_of_an_mlp_are_independent():
    frames, other = inputs(1, 8), inputs(1, 8, seed=1)
    changed = {name: torch.cat([other[name][:, :3], x[:, 3:]], 1) for name, x in frames.items()}
    for name, settings in CONFIGS.items():
        trunk = make(settings)
        before, after = (trunk(x, everything(1, 8))[:, 3:] for x in (frames, changed))
        assert torch.allclose(before, after, atol=1e-6) == (name == "mlp")


def test_a_stack_of_its_own_keeps_an_input_apart_and_one_stack_does_not():
    frames = inputs(1, 4)
    louder = {**frames, "loudness": frames["loudness"] + 1}
    for stacks, moved in ((True, [16, 32]), (False, [0, 16])):
        layers = make({"trunk": "mlp", "stacks": stacks}).stacks
        before, after = (layers([*x.values()]) for x in (frames, louder))
        changed = (before != after).any(1)[0].nonzero().flatten()
        assert (changed >= moved[0]).all()
        assert (changed < moved[1]).all()
        assert len(changed) > 8


@pytest.mark.parametrize("name", ["gru", "micro-rnn"])
def test_chunks_carry_the_state_on_and_stop_the_gradient(name):
    whole, chunked = (make({**CONFIGS[name], "chunk": chunk}) for chunk in (0, 3))
    frames = {name: x.requires_grad_() for name, x in inputs(2, 11).items()}
    states = [trunk(frames, everything(2, 11)) for trunk in (whole, chunked)]
    torch.testing.assert_close(states[1], states[0])
    for of, reached in zip(states, ([*range(8)], [6, 7]), strict=True):
        gradients = torch.autograd.grad(of[:, 7].square().sum(), [*frames.values()])
        heard = torch.stack([x.abs().sum((0, 2)) for x in gradients]).sum(0) > 0
        assert heard.nonzero().flatten().tolist() == reached


def test_a_transformer_without_positions_ignores_the_order():
    frames = inputs(1, 9)
    back = {name: x.flip(1) for name, x in frames.items()}
    for positions in (False, True):
        trunk = make({"trunk": "transformer", "positions": positions})
        one, other = (trunk(x, everything(1, 9)) for x in (frames, back))
        assert torch.allclose(one, other.flip(1), atol=1e-5) != positions


def test_padding_attends_to_itself():
    trunk = make(CONFIGS["transformer that sees little"])
    visible = trunk.visible(torch.arange(10) < torch.tensor([[10], [3], [0]]))
    assert visible.any(-1).all()
    assert visible[1, 0, :3, :3].sum() == visible[1, 0, :3].sum() == 9


def test_the_span_limits_attention():
    trunk = make(CONFIGS["transformer that sees little"])
    frames = {name: x.requires_grad_() for name, x in inputs(1, 15).items()}
    trunk(frames, everything(1, 15))[0, 7].square().sum().backward()
    visible = sum(x.grad[0].abs().sum(1) for x in frames.values()) > 0
    assert visible.nonzero().flatten().tolist() == [*range(3, 12)]  # two layers of two frames


def test_the_micro_rnn_is_its_equation():
    torch.manual_seed(0)
    layer, x = MicroLayer(5, 3), torch.randn(2, 7, 5)
    (to_gate, to_new), (bias_gate, bias_new) = (
        layer.entry.weight.chunk(2),
        layer.entry.bias.chunk(2),
    )
    gate_again, new_again = layer.again.T.chunk(2)
    states, last = layer(x)
    h = torch.zeros(2, 3)
    for t in range(7):
        z = torch.sigmoid(x[:, t] @ to_gate.T + bias_gate + h @ gate_again.T)
        h = z * h + (1 - z) * torch.tanh(x[:, t] @ to_new.T + bias_new + h @ new_again.T)
        torch.testing.assert_close(states[:, t], h)
    torch.testing.assert_close(last, h)
    torch.testing.assert_close(layer(x[:, 4:], states[:, 3])[0], states[:, 4:])


def test_the_micro_rnn_keeps_full_precision_under_autocast():
    layer, x = MicroLayer(5, 3), torch.randn(2, 7, 5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        states, _ = layer(x)
    assert states.dtype == torch.float32
    torch.testing.assert_close(states, layer(x)[0], atol=0.02, rtol=0)


def test_channels_must_be_a_multiple_of_twice_the_heads():
    with pytest.raises(SettingError, match="channels is 30, needs a multiple of twice the heads"):
        TrunkConfig(trunk="transformer", channels=30)
    assert TrunkConfig(trunk="gru", channels=30).channels == 30
    with pytest.raises(SettingError, match="micro is 8, needs at least 16"):
        assigned(TrunkConfig(), "micro=8")
    with pytest.raises(SettingError, match="trunk is 'lstm', needs mlp or micro-rnn or gru"):
        assigned(TrunkConfig(), "trunk=lstm")
