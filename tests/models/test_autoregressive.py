"""The autoregressive coder: what only it does."""

import numpy as np
import pytest
import torch

from tests.models.synthetic import CODES, SPEECH, STRIDE, short_and_long
from tests.models.tiny_models import TINY, make, train, trained
from ttskit.models.autoregressive import Autoregressive
from ttskit.networks.batch import collate
from ttskit.networks.delay import delayed, undelayed

CONCATENATED = 'autoregressive {"order": "concatenated"}'
QUIET = {"temperature": 0.0}


@torch.no_grad()
def greedy(model, batch):
    """Return the likeliest codes, each step computed anew from the start without a cache."""
    count = int(-(-batch["durations"].sum() // STRIDE))
    codes = torch.zeros(1, count, SPEECH.books, dtype=torch.long)
    for step in range(count + SPEECH.books - 1):
        _, speech = model.states(batch.with_fields(codes=codes))
        logits = model.logits(speech)[:, step]
        for book in range(SPEECH.books):
            if 0 <= step - book < count:
                codes[:, step - book, book] = logits[:, book].argmax(1)
    return codes


def test_the_cache_changes_nothing():
    model, batch = trained("autoregressive"), short_and_long().only(0)
    assert torch.equal(model.generate(batch, **QUIET)["codes"], greedy(model, batch))


def test_guided_codes_last_as_long_as_the_durations():
    model, batch = trained("autoregressive"), short_and_long()
    codes = model.generate(batch, torch.Generator().manual_seed(0))["codes"]
    assert codes.shape == (2, -(-int(batch["durations"].sum(1).max()) // STRIDE), SPEECH.books)
    assert codes.max() < CODES


def test_a_guided_step_knows_the_phonemes_of_its_frames():
    """Codes that are those of the token are learnt, and follow other durations."""
    model = make(Autoregressive, TINY["autoregressive"], SPEECH)
    batch = spoken([[2, 4], [4, 2], [6, 2], [2, 6]])
    train(model, [batch], 150, 1e-2)
    other = spoken([[8, 2], [2, 8]])
    codes = model.eval().generate(other, **QUIET)["codes"]
    assert torch.equal(codes, other["codes"])


def spoken(durations):
    """Utterances of tokens 3 and 5, whose codes are 1 and 2 in one book, 0 and 3 in the other."""
    items = []
    for each in durations:
        first = np.repeat([1, 2], np.array(each) // STRIDE)
        codes = np.stack([first, np.where(first == 1, 0, 3)], 1)
        fields = {"tokens": np.array([3, 5]), "durations": np.array(each), "codes": codes}
        items.append({**fields, "speaker": np.array(0)})
    return collate([str(number) for number in range(len(items))], items)


@pytest.mark.parametrize(("logit", "bound"), [(50.0, "shortest"), (-50.0, "longest")])
def test_a_concatenated_utterance_keeps_its_length_bounds(logit, bound):
    model = trained(CONCATENATED)
    torch.nn.init.constant_(model.stop.bias, logit)
    seconds = {"shortest": 0.05, "longest": 0.1}
    batch = short_and_long().only(1)
    codes = model.generate(batch, torch.Generator().manual_seed(0), **seconds)["codes"]
    expected = 8 * seconds[bound] * SPEECH.sample_rate / (STRIDE * SPEECH.hop_length)
    assert codes.shape[1] == pytest.approx(expected, abs=1)


def test_a_concatenated_model_learns_when_to_stop():
    model = make(Autoregressive, {**TINY["autoregressive"], "order": "concatenated"}, SPEECH)
    batch = short_and_long()
    train(model, [batch], 150, 1e-2)
    for row in range(2):
        one = batch.only(row)
        codes = model.eval().generate(one, **QUIET, longest=1.0)["codes"]
        assert torch.equal(codes, one["codes"])


def test_the_loss_looks_at_the_logits_of_each_books_own_steps():
    model, batch = trained("autoregressive"), short_and_long()
    speech, count = model.states(batch)[1], batch["codes"].shape[1]
    by_place = undelayed(model.logits(speech[:, :-1]))  # (B, C, K, V)
    own = model.predicted(speech, count).permute(1, 2, 0, 3)
    torch.testing.assert_close(own, by_place)


def test_books_of_one_place_depend_on_those_before_them_alone():
    """At a place, a change of the first book reaches the second; none reaches back."""
    model, batch = trained("autoregressive"), short_and_long().only(0)

    def logits(codes):
        with torch.no_grad():
            return undelayed(model.logits(model.states(batch.with_fields(codes=codes))[1][:, :-1]))

    base = logits(batch["codes"])
    for book, reached in ((0, [(4, 1)]), (1, [])):
        codes = batch["codes"].clone()
        codes[0, 4, book] = (codes[0, 4, book] + 1) % CODES
        away = (logits(codes) - base).abs().amax(3)[0] > 1e-7
        assert not away[:4].any()
        assert [(4, int(k)) for k in away[4].nonzero()] == reached
        assert away[5:].any()
    assert delayed(batch["codes"], CODES).shape[1] == base.shape[1] + 1


def test_who_speaks_is_said_by_the_clip_alone():
    """Told both, a model would go by the number of the speaker, and hear nothing in the clip."""
    model = make(Autoregressive, {**TINY["autoregressive"], "reference": True}, SPEECH)

    def said(speaker, clip):
        fields = {
            "tokens": np.array([3, 5]),
            "durations": np.array([4, 4]),
            "speaker": np.array(speaker),
            "codes": np.full((8 // STRIDE, SPEECH.books), clip),
            "clip": np.full((5, SPEECH.books), clip),
        }
        return collate(["a"], [fields])

    assert len(SPEECH.speakers) > 1
    train(model, [said(0, 1), said(1, 2)], 100, 1e-2)
    for speaker, clip in ((0, 2), (1, 1)):
        codes = model.eval().generate(said(speaker, clip), **QUIET)["codes"]
        assert {*codes.flatten().tolist()} == {clip}
