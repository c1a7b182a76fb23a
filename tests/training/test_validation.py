"""Validation: the same random numbers each time, and none of those of training."""

from dataclasses import replace

import pytest
import torch

from tests.models.tiny_models import build, needed
from ttskit.errors import TrainingError
from ttskit.training import processes
from ttskit.training.validation import validate


@pytest.fixture
def model():
    """A model whose loss is random: half of its references are left out."""
    return build('film {"reference": true}').train()


def loss(model, held_out=True):
    return validate(model, [needed(model)], 3, 0, held_out=held_out).loss


def test_random_numbers_are_the_same_each_time(model):
    losses = set()
    for seed in range(8):
        torch.manual_seed(seed)
        losses.add(loss(model))
    assert len(losses) == 1


def test_the_random_numbers_of_training_go_on_as_without_it(model):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    loss(model)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_loss_is_that_of_all_batches_together(model):
    model.eval()
    batch = needed(model)
    whole = validate(model, [batch], 0, 0, held_out=True)
    parts = validate(model, [batch.only(0), batch.only(1)], 0, 0, held_out=True)
    assert parts.terms == pytest.approx(whole.terms, rel=1e-4)
    assert whole.row()["held_out/loss"] == pytest.approx(sum(whole.terms.values()))


def test_processes_that_share_the_batches_get_the_loss_of_all(model, monkeypatch):
    model.eval()
    parts = needed(model).only(0), needed(model).only(1)
    whole = validate(model, parts, 0, 0, held_out=True)
    own: tuple[list, list] = [], []  # what each of two processes sends: counts, then terms
    for round in range(2):
        for rank, part in enumerate(parts):
            sent = own[rank]
            sent.clear()

            def summed(_, values, sent=sent, other=own[1 - rank]):
                sent.append(values)
                theirs = other[len(sent) - 1] if len(other) >= len(sent) else {}
                return processes.added(values, theirs)

            monkeypatch.setattr(processes, "summed", summed)
            shared = validate(model, [part], 0, 0, held_out=True, among=object())  # type: ignore[arg-type]
        if round:
            assert shared.terms == pytest.approx(whole.terms, rel=1e-4)


def test_training_utterances_have_no_validation_loss(model):
    results = validate(model, [needed(model)], 0, 0, held_out=False)
    assert not results.terms
    assert results.numbers
    assert not any("held_out" in name for name in results.row())


def test_an_utterance_whose_loss_is_nan_is_named(model):
    batch = needed(model)
    mel = batch["mel"].clone()
    mel[1, 0] = torch.nan
    with pytest.raises(TrainingError, match="long has a loss or a gradient that is NaN"):
        validate(model.eval(), [replace(batch, fields={**batch.fields, "mel": mel})], 0, 4,
                 held_out=True)  # fmt: skip
