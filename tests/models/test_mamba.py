"""The coder mamba: what its codes depend on, and how it refines them."""

import pytest
import torch

from tests.models.synthetic import SPEECH, short_and_long
from tests.models.tiny_models import TINY, make, needed, updates
from ttskit.models.mamba import Mamba
from ttskit.networks.batch import collate


def trained(changes=None, steps=5):
    model = make(Mamba, {**TINY["mamba"], **(changes or {})}, SPEECH)
    with torch.enable_grad():
        for _ in updates(model, [needed(model)], steps, 3e-3, progress=0.5):
            pass
    return model.eval()


def logits(model, batch):
    """What the first pass predicts of the codes of all books, (B, C, K, V)."""
    style = model.style.usual(len(batch))
    context, mask, _ = model._context(batch, style)
    hidden = torch.full((*mask.shape, SPEECH.books), SPEECH.size)
    return model._guess(context, mask, style, hidden).logits


@torch.no_grad()
def test_codes_of_a_token_change_where_it_is_spoken():
    """The fault of text that is pooled over time: which token comes first would not matter."""
    moved = {}
    for context in ("codes", "mean"):
        model, batch = trained({"context": context}), short_and_long().only(1)
        swapped = batch["tokens"].clone()
        swapped[0, [2, 3]] = swapped[0, [3, 2]]
        durations = torch.full_like(batch["durations"], 4)
        before, after = (
            logits(model, batch.with_fields(tokens=tokens, durations=durations))
            for tokens in (batch["tokens"], swapped)
        )
        away = (before - after).abs().mean((0, 2, 3))  # by code: two of them are a token
        moved[context] = float(away[4:8].mean() / away[12:].mean().clamp_min(1e-9))
    assert moved["codes"] > 1.3 * moved["mean"]


@torch.no_grad()
def test_an_utterance_of_thousands_of_codes_is_filled_in():
    """The fault of positions that end at 1,000."""
    model = trained()
    tokens = torch.randint(2, 12, (300,)).numpy()
    fields = {
        "tokens": tokens,
        "durations": torch.full((300,), 9).numpy(),
        "speaker": 0 * tokens[0],
    }
    codes = model.generate(collate(["long"], [fields]), iterations=2)["codes"]
    assert codes.shape == (1, 1350, SPEECH.books)
    assert 0 <= codes.min() <= codes.max() < SPEECH.size


@torch.no_grad()
@pytest.mark.parametrize("start", ["masks", "guess"])
def test_a_training_that_overfits_gives_back_its_codes(start):
    model = trained({"start": start, "text": {**TINY["mamba"]["text"], "hidden": 32}}, 0)
    torch.manual_seed(0)
    with torch.enable_grad():
        for _ in updates(model.train(), [needed(model)], 150, 1e-2, progress=0.5):
            pass
    batch = short_and_long()
    codes = model.eval().generate(batch, iterations=6)["codes"]
    mask = batch.mask("code")
    assert (codes == batch["codes"])[mask].float().mean() > 0.8
    numbers, _ = model.watch(needed(model))
    assert numbers["accuracy/1"] > 0.8
    assert numbers["accuracy/generated"] > 0.8


@torch.no_grad()
def test_a_reference_changes_the_codes_and_pitch_is_taken_where_it_is_known():
    model, batch = trained(steps=20), short_and_long()
    plain = batch.with_fields()
    fields = {
        name: value for name, value in plain.fields.items() if name in ("tokens", "durations")
    }
    only = type(batch)(batch.ids, {**fields, "speaker": batch["speaker"]}, batch.lengths)
    styled = only.with_fields(style=8 * batch["mel"] - 3)
    styled.lengths["style"] = batch.lengths["frame"]
    style, usual = model._style(styled), model._style(only)
    assert (style - usual).abs().max() > 0.01
    assert (model._context(styled, style)[0] - model._context(only, usual)[0]).abs().max() > 0
    known = only.with_fields(pitch=batch["pitch"], loudness_token=batch["loudness_token"])
    assert (model._context(known, usual)[0] - model._context(only, usual)[0]).abs().max() > 0
