"""Checkpoints: what a training continues with is what it stopped with, bit by bit."""

from dataclasses import replace

import pytest
import torch

from tests.factory import PROVENANCE
from tests.models.tiny_models import CASES, build, learns, needed
from ttskit.errors import ArtifactError
from ttskit.training import checkpoint, generators, processes, rows
from ttskit.training.averaged import Averaged
from ttskit.training.checkpoint import Checkpoint, State
from ttskit.training.configuration import Training
from ttskit.training.update import Players

TRAINING = Training(learning_rate=3e-3, schedule="constant", ema=0.9)


class Run:
    """A training of two utterances, without a trainer."""

    def __init__(self, case, seed, **settings):
        self.model = build(case)
        self.model.config = replace(self.model.config, **settings)
        self.model.prepare()
        torch.manual_seed(seed)
        for parameter in self.model.parameters():
            torch.nn.init.normal_(parameter, 0, 0.1)
        self.fabric = processes.launched("cpu", "32-true")
        self.players = Players(self.fabric, self.model, TRAINING)
        self.averaged = Averaged(self.model, TRAINING.ema)
        self.state = State()
        self.copied: list[dict[str, float]] = []
        self.model.train()

    def save(self, path):
        kept = *self._parts, generators.states(self.fabric), PROVENANCE
        Checkpoint.of(self.state, *kept).save(path)

    def resume(self, path):
        self.state, states = checkpoint.load(path, *self._parts)
        generators.restore(self.fabric, states, 0, self.state.step)

    @property
    def _parts(self):
        return self.model, self.averaged.weights, self.players.optimizers

    def update(self, times, progress=1.0):
        for _ in range(times):
            self.players.update([needed(self.model)], self.state.step, progress)
            self.state.step += 1
            self.averaged.follow(self.state.step)
            parts = self.model, self.players.optimizers, self.averaged.weights
            self.copied.append(rows.copy(self.model.copies(0.5), *parts))


@pytest.mark.parametrize("case", [*filter(learns, CASES)])
def test_every_player_of_every_family_resumes_bit_by_bit(case, tmp_path):
    whole, resumed = Run(case, 0), Run(case, 1)
    whole.model.initialise(needed(whole.model))
    whole.update(2)
    whole.save(tmp_path / "last.h5")
    whole.update(2)
    resumed.resume(tmp_path / "last.h5")
    resumed.update(2)
    assert resumed.state.step == whole.state.step
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
    for name, value in whole.averaged.weights.items():
        assert torch.equal(value, resumed.averaged.weights[name]), name


@pytest.mark.parametrize("case", ["plain", "ddn"])
def test_updates_while_a_checkpoint_is_written_are_not_in_it(case, tmp_path):
    whole, resumed = Run(case, 0), Run(case, 1)
    whole.update(2)
    kept = *whole._parts, generators.states(whole.fabric), PROVENANCE
    taken = Checkpoint.of(whole.state, *kept)
    whole.update(2)
    taken.save(tmp_path / "last.h5")
    resumed.resume(tmp_path / "last.h5")
    assert resumed.state.step == 2
    resumed.update(2)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
    for name, value in whole.averaged.weights.items():
        assert torch.equal(value, resumed.averaged.weights[name]), name


def test_a_split_of_candidates_is_resumed_bit_by_bit(tmp_path):
    whole, resumed = Run("ddn", 0), Run("ddn", 1)
    whole.update(3)
    whole.save(tmp_path / "last.h5")
    whole.update(3)
    resumed.resume(tmp_path / "last.h5")
    resumed.update(3)
    assert all(any(whole.copied[at:][:3]) for at in (0, 3))  # before the checkpoint and after it
    assert resumed.copied == whole.copied[3:]
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
    for name, value in whole.averaged.weights.items():
        assert torch.equal(value, resumed.averaged.weights[name]), name


@pytest.mark.parametrize("family", ["ddn", "diffusion"])
def test_a_training_resumes_from_before_its_refinement_begins(family, tmp_path):
    whole, resumed = (Run(family, seed, refine_from=0.5) for seed in (0, 1))
    whole.update(2, progress=0.0)
    whole.save(tmp_path / "last.h5")
    for run in (whole, resumed):
        run.resume(tmp_path / "last.h5")
        run.update(1, progress=0.4)
        run.update(2, progress=0.5)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name


def test_moments_are_restored_in_the_memory_layout_of_their_parameter(tmp_path):
    def transposed(seed):
        torch.manual_seed(seed)
        module = torch.nn.Module()
        module.weight = torch.nn.Parameter(torch.randn(4, 3).T)
        return module, torch.optim.Adam(module.parameters(), 0.1, fused=True)

    def update(module, optimizer):
        optimizer.zero_grad()
        (module.weight * torch.arange(12.0).reshape(3, 4)).square().sum().backward()
        optimizer.step()

    (module, optimizer), (other, its_optimizer) = transposed(0), transposed(1)
    update(module, optimizer)
    path, state = tmp_path / "last.h5", State(step=1)
    Checkpoint.of(state, module, {}, {"model": optimizer}, {}, PROVENANCE).save(path)
    update(module, optimizer)
    checkpoint.load(path, other, {}, {"model": its_optimizer})
    update(other, its_optimizer)
    assert torch.equal(module.weight, other.weight)


def test_another_training_is_refused_in_one_line(tmp_path):
    small, large = Run("plain", 0), Run("glow", 0)
    small.save(tmp_path / "last.h5")
    with pytest.raises(ArtifactError, match=r"last\.h5: does not fit this training .*--restart"):
        large.resume(tmp_path / "last.h5")
