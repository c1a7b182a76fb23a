"""One update of a model with two players: a vocoder and its critics."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from ttskit.models.bigvgan import Snake
from ttskit.models.istft import Istft
from ttskit.networks.batch import collate
from ttskit.networks.critics import AudioAdversary
from ttskit.networks.encoder import EncoderConfig, TextEncoder
from ttskit.networks.facts import Facts
from ttskit.networks.invertible import Flow, FlowConfig
from ttskit.training import processes
from ttskit.training.configuration import Training
from ttskit.training.update import Players, optimizer

FACTS = Facts(sample_rate=8000, n_fft=256, hop_length=64, n_mels=20, fmax=4000.0)
CRITICS = AudioAdversary(from_progress=0.5, periods=(2,), n_fft=(128,), channels=2)


@pytest.fixture
def model():
    torch.manual_seed(0)
    vocoder = Istft(Istft.Config(channels=8, hidden=16, layers=1, adversary=CRITICS), FACTS)
    vocoder.prepare()
    return vocoder


@pytest.fixture
def players(model):
    return Players(processes.launched("cpu", "32-true"), model, Training(warmup=0))


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    audio = rng.normal(0, 0.1, 40 * 64)
    return collate("a", [{"mel": rng.normal(size=(40, 20)), "audio": audio}])


def test_a_loss_has_gradients_for_its_own_player_alone(model, players, batch):
    for player, other in (("generator", "critic"), ("critic", "generator")):
        model.zero_grad()
        terms, _ = players.gradients(player, [batch], 1.0)
        modules = model.players()
        assert sum(terms.values()) > 0
        assert all(p.grad is not None for p in modules[player].parameters())
        assert all(p.grad is None for p in modules[other].parameters())
    assert all(p.requires_grad for p in model.parameters())


def test_a_player_without_a_loss_is_not_updated(model, players, batch):
    before = {name: value.clone() for name, value in model.named_parameters()}
    row = players.update([batch], 0, 0.4)
    moved = {name for name, p in model.named_parameters() if not torch.equal(p, before[name])}
    assert moved
    assert not any(name.startswith("critics.") for name in moved)
    assert not any(name.startswith("loss/critic") for name in row)
    players.update([batch], 1, 0.6)
    assert any(not torch.equal(p, before[f"critics.{name}"])
               for name, p in model.critics.named_parameters())  # fmt: skip


def test_the_gradient_of_an_update_is_the_largest_of_all_players(players, batch):
    row = players.update([batch], 0, 0.6)
    own = row["generator/gradient"], row["critic/gradient"]
    assert row["gradient"] == max(own) > min(own) > 0


@pytest.mark.parametrize("limit", [{"clip_norm": 1e-3}, {"clip_norm": 0.0}, {"clip_norm": 1e9}])
def test_the_gradient_is_clipped_to_the_norm_and_logged_as_it_was(model, batch, limit):
    players = Players(processes.launched("cpu", "32-true"), model, Training(**limit))
    row = players.update([batch], 0, 0.0)
    entries = torch.cat([p.grad.flatten() for p in model.generator.parameters()])
    expected = min(row["gradient"], limit["clip_norm"] or float("inf"))
    assert row["gradient"] > 1e-2
    assert entries.norm().item() == pytest.approx(expected, rel=1e-3)


def test_entries_of_the_gradient_are_clipped_to_the_value(model, batch):
    def entries(**limits):
        training = Training(clip_norm=0.0, learning_rate=0.0, **limits)
        players = Players(processes.launched("cpu", "32-true"), model, training)
        players.update([batch], 0, 0.0)
        return torch.cat([p.grad.flatten() for p in model.generator.parameters()])

    free = entries()
    value = float(free.abs().max() / 3)
    torch.testing.assert_close(entries(clip_value=value), free.clamp(-value, value))


@pytest.mark.parametrize("kind", ["adamw", "adam"])
def test_the_optimizer_is_its_equation_with_the_betas_and_the_epsilon_of_the_settings(kind):
    settings: dict[str, Any] = {"learning_rate": 0.1, "beta1": 0.6, "beta2": 0.7, "epsilon": 0.05}
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, 2.0)
    adam = optimizer(layer, Training(optimizer=kind, weight_decay=0.3, **settings))
    weight, mean, square = 2.0, 0.0, 0.0
    for step, slope in enumerate([0.5, -0.2, 0.1], 1):
        layer.weight.grad = torch.tensor([[slope]])
        adam.step()
        slope += 0.3 * weight if kind == "adam" else 0.0
        weight -= 0.1 * 0.3 * weight if kind == "adamw" else 0.0
        mean, square = 0.6 * mean + 0.4 * slope, 0.7 * square + 0.3 * slope**2
        unbiased = mean / (1 - 0.6**step), square / (1 - 0.7**step)
        weight -= 0.1 * unbiased[0] / (unbiased[1] ** 0.5 + 0.05)
        assert layer.weight.item() == pytest.approx(weight, rel=1e-5)


GAIN, DIRECTION = "parametrizations.weight.original0", "parametrizations.weight.original1"
FLOW = Flow(FlowConfig(blocks=1, hidden=4, layers=1), 4, 3)
ENCODER = TextEncoder(EncoderConfig(hidden=4, filter=4, layers=1, prenet_layers=1), 5)


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (nn.Linear(3, 4), {"weight"}),
        (nn.Conv1d(3, 4, 5), {"weight"}),
        (nn.Conv2d(3, 4, 5), {"weight"}),
        (weight_norm(nn.Conv1d(3, 4, 5)), {DIRECTION}),
        (weight_norm(nn.ConvTranspose1d(3, 4, 5)), {DIRECTION}),
        (nn.Embedding(3, 4), {"weight"}),
        (nn.GRU(3, 4), {"weight_ih_l0", "weight_hh_l0"}),
        (nn.LayerNorm(4), set()),
        (Snake(4, separate=True), set()),
        (FLOW.blocks[0].norm, set()),
        (FLOW.blocks[0].mixing, set()),
        (FLOW.blocks[0].coupling, {f"entry.{DIRECTION}", "output.weight"}
         | {f"network.{name}.{DIRECTION}" for name in ("convolutions.0", "outputs.0", "told")}),
        (ENCODER.layers[0].attention, {"entry.weight", "output.weight"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["adamw", "adam"])
def test_the_matrices_of_layers_decay_and_nothing_else(module, expected, kind):
    for parameter in module.parameters():
        nn.init.ones_(parameter)
        parameter.grad = torch.zeros_like(parameter)
    optimizer(module, Training(optimizer=kind, weight_decay=0.1)).step()
    moved = {name for name, p in module.named_parameters() if (p != 1).any()}
    assert moved == expected
