"""Contrastive matching of text and speech."""

import math

import pytest
import torch

from tests.models.synthetic import SPEECH, short_and_long, speech
from tests.models.tiny_models import TINY, make, train, trained
from ttskit.models.clvp import Clvp
from ttskit.networks.batch import collate


def utterances(*seeds, count=6):
    """Utterances whose codes are those of their tokens: speech that says its text."""
    items = []
    for seed in seeds:
        one = speech(count, seed)
        codes = (one["tokens"][:, None] + [[0, 1]]) % SPEECH.size
        items.append({"tokens": one["tokens"], "codes": codes})
    return collate([str(seed) for seed in seeds], items)


def test_the_loss_is_that_of_finding_text_by_speech_and_speech_by_text():
    model, batch = trained("clvp"), utterances(1, 2, 3)
    with torch.no_grad():
        text, spoken = (side.double() for side in model.vectors(batch))
        products = (text @ spoken.T * model.temperature.exp()).tolist()
        loss = float(model.loss(batch, 1.0)["contrast"])
    rows = [math.log(sum(map(math.exp, row))) - row[i] for i, row in enumerate(products)]
    columns = [math.log(sum(map(math.exp, row))) - row[i]
               for i, row in enumerate(zip(*products, strict=True))]  # fmt: skip
    assert loss == pytest.approx((sum(rows) + sum(columns)) / 6, rel=1e-5)


def test_padding_does_not_move_a_vector():
    model = trained("clvp")
    batch = short_and_long()
    with torch.no_grad():
        for together, alone in zip(model.vectors(batch), model.vectors(batch.only(0)), strict=True):
            torch.testing.assert_close(together[:1], alone, atol=1e-5, rtol=0)


def test_speech_of_another_text_matches_less_well():
    model = make(Clvp, {**TINY["clvp"], "masked": 0.0}, SPEECH)
    train(model, [utterances(*range(n, n + 16)) for n in (0, 16, 32, 48)], 300, 3e-3)
    batch = utterances(*range(100, 116))
    wrong = batch.with_fields(codes=batch["codes"].roll(1, 0))
    with torch.no_grad():
        own, other = (model.eval().generate(each)["match"] for each in (batch, wrong))
    assert (own > other).float().mean() > 0.8


def test_what_is_left_out_in_training_is_random_and_never_all():
    model = make(Clvp, {**TINY["clvp"], "masked": 0.9}, SPEECH).train()
    first, second = (model.vectors(short_and_long())[0] for _ in range(2))
    assert torch.isfinite(first).all()
    assert not torch.equal(first, second)
