"""One update of a model with two players: a vocoder and its critics."""

import numpy as np
import pytest
import torch

from ttskit.models.istft import Istft
from ttskit.networks.batch import collate
from ttskit.networks.critics import AudioAdversary
from ttskit.networks.facts import Facts
from ttskit.training import processes
from ttskit.training.configuration import Training
from ttskit.training.update import Players

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
