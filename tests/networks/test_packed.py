"""Packed layers against the layers that they replace."""

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from ttskit.models.family import Family
from ttskit.networks import packed
from ttskit.networks.facts import Facts


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)
    if not packed.works():
        pytest.skip("this torch has no oneDNN")


def both(module, x):
    """The outputs of a module before and after packing."""
    with torch.no_grad():
        before = module(x)
        packed.pack(module)
        return before, module(x)


@pytest.mark.parametrize("places", [1, 46, 700])
def test_a_packed_linear_layer_has_the_same_output(places):
    module = nn.Sequential(nn.Linear(96, 33), nn.Tanh(), nn.Linear(33, 7, bias=False))
    before, after = both(module, torch.randn(2, places, 96))
    assert type(module[0]) is type(module[2]) is packed.Packed
    torch.testing.assert_close(after, before, atol=1e-5, rtol=1e-5)


def test_gelu_is_fused_into_the_linear_layer():
    module = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8), nn.ReLU())
    before, after = both(module, 3 * torch.randn(5, 8))
    assert [type(module[1]), type(module[3])] == [nn.Identity, nn.ReLU]
    torch.testing.assert_close(after, before, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("width", [1, 3, 7])
@pytest.mark.parametrize("strided", [False, True])
def test_a_packed_convolution_has_the_same_output(width, strided):
    module = nn.Sequential(nn.Conv1d(12, 20, width, padding=width // 2))
    x = torch.randn(3, 50, 12).mT if strided else torch.randn(3, 12, 50)
    before, after = both(module, x)
    assert type(module[0]) is packed.PackedConvolution
    torch.testing.assert_close(after, before, atol=1e-5, rtol=1e-5)


def test_a_large_convolution_is_left_to_torch(monkeypatch):
    module = nn.Sequential(nn.Conv1d(4, 4, 3, padding=1))
    monkeypatch.setattr(packed, "MOST", 3 * 4 * 50)
    packed.pack(module)
    monkeypatch.setattr(module[0].layer, "forward", lambda _: torch.tensor(7.0))
    assert module(torch.randn(1, 4, 51)) == 7
    assert module(torch.randn(1, 4, 50)).shape == (1, 4, 50)


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv1d(8, 8, 3, padding=1, groups=8),
        nn.Conv1d(8, 8, 3, padding=2, dilation=2),
        nn.Conv1d(8, 8, 3, padding=1, stride=2),
        nn.Conv1d(8, 8, 4, padding=2),
        nn.Conv1d(8, 8, 3),
        nn.Conv1d(8, 8, 3, padding=1, padding_mode="reflect"),
        nn.ConvTranspose1d(8, 8, 3, padding=1),
    ],
    ids=str,
)
def test_other_layers_are_not_packed(layer):
    module = nn.Sequential(layer)
    packed.pack(module)
    assert module[0] is layer


def test_nothing_is_packed_if_torch_lacks_the_operators(monkeypatch):
    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", None)
    module = nn.Sequential(nn.Linear(3, 3), nn.GELU())
    before, after = both(module, torch.ones(1, 3))
    assert type(module[0]) is nn.Linear
    assert torch.equal(before, after)


class Normed(Family):
    role = "decoder"

    def __init__(self):
        super().__init__(None, Facts())
        self.layer = weight_norm(nn.Linear(4, 4))
        with torch.no_grad():
            self.layer.parametrizations.weight.original0 *= 3


def test_folding_packs_parametrised_weights():
    model, x = Normed(), torch.randn(2, 4)
    before = model.layer(x).detach()
    model.fold()
    assert type(model.layer) is packed.Packed
    torch.testing.assert_close(model.layer(x), before)
